/** Writes `docs/performance.md` from the baseline: `node benchmark/performance-page.ts`, with `--check` to compare only. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { page, type Result } from "./report.ts";

const pagePath = join(import.meta.dirname, "../docs/performance.md");

const baseline = JSON.parse(await readFile(join(import.meta.dirname, "baseline.json"), "utf8")) as Result;
const written = page(baseline);
if (!process.argv.includes("--check")) {
  await writeFile(pagePath, written);
} else if ((await readFile(pagePath, "utf8").catch(() => "")) !== written) {
  process.stderr.write("docs/performance.md is not up to date; run npm run docs.\n");
  process.exitCode = 1;
}
