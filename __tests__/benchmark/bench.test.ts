/** `npm run bench` as a user runs it, once and with the shortest of its probes. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { currentBundles } from "../support/bundle-folder.ts";

const root = join(__dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "sms-retry-bench-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs it with these options; gives what it prints, and what it writes as JSON. */
async function bench(...options: string[]) {
  await currentBundles();
  const json = join(folder, "result.json");
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      "--disable-warning=ExperimentalWarning",
      join(root, "benchmark/bench.ts"),
      "--runs=1",
      "--latency=1",
      `--json=${json}`,
      ...options,
    ],
    { cwd: folder },
  );
  return { stdout, figures: JSON.parse(readFileSync(json, "utf8")).figures };
}

test("an event in progress on Firehose costs no call, and a cold start is measured", async () => {
  const { stdout, figures } = await bench("--only=transform-firehose");
  expect(stdout).toContain("| CPU until the first handled call: transform-firehose | ms |");
  expect(figures.this.cold_start_transform_firehose_ms.median).toBeGreaterThan(1);
  expect(figures.this.zip_transform_firehose_kib.median).toBeLessThanOrEqual(110);

  expect((await bench("--only=in progress")).figures.this.in_progress_calls.median).toBe(0);
});

test("the success of a message that is not in the table costs half a read unit", async () => {
  const { figures } = await bench("--only=not in the table");
  expect(figures.this.unknown_success_read_units.median).toBe(0.5);
});

test("another handler is measured beside ours, with its own variables", async () => {
  const handler = join(folder, "other.cjs");
  writeFileSync(
    handler,
    "exports.go = async () => { if (process.env.MODE !== 'fast') throw new Error('MODE is not set.'); return {}; };",
  );
  const { stdout, figures } = await bench(
    "--only=not in the table",
    `--handler=${handler}`,
    "--export=go",
    "--env=MODE=fast",
  );
  expect(figures.other.unknown_success_read_units.median).toBe(0);
  expect(figures.other.unknown_success_cpu_us.median).toBeLessThan(
    figures.this.unknown_success_cpu_us.median,
  );
  expect(stdout).toContain("other / this");
});

test("a handler that fails ends it with the handler's own words", async () => {
  const handler = join(folder, "failing.cjs");
  writeFileSync(handler, "exports.handler = async () => { throw new Error('No table.'); };");
  await expect(bench("--only=not in the table", `--handler=${handler}`)).rejects.toThrow(
    "The handler failed; its own words: Error: No table.",
  );
});
