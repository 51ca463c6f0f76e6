/**
 * Runs the tests and prints every test and hook that needs more than a fifth of its time limit: on a machine that is
 * five times as busy it fails. For a quiet machine: `npm run test:slow`; arguments go to jest, e.g. a file.
 *
 * Exits 1 if there is one, or if a test fails.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import type { Timing } from "./slow-tests/timing-environment.ts";

/** The part of its limit that a test may need. */
const largestShare = 1 / 5;

const root = join(import.meta.dirname, "..");

function run(given: readonly string[], timingsFile: string): { succeeded: boolean; timings: Timing[] } {
  const environment = join(import.meta.dirname, "slow-tests/timing-environment.ts");
  const { status } = spawnSync(
    process.execPath,
    [join(root, "node_modules/jest/bin/jest.js"), `--env=${environment}`, ...given],
    { cwd: root, stdio: "inherit", env: { ...process.env, TEST_TIMINGS_FILE: timingsFile } },
  );
  const text = existsSync(timingsFile) ? readFileSync(timingsFile, "utf8") : "";
  const timings = text.split("\n").flatMap((line) => (line === "" ? [] : (JSON.parse(line) as Timing)));
  return { succeeded: status === 0, timings };
}

function main(given: readonly string[]): number {
  const folder = mkdtempSync(join(tmpdir(), "sms-retry-timings-"));
  try {
    const { succeeded, timings } = run(given, join(folder, "timings.jsonl"));
    const share = ({ seconds, limitSeconds }: Timing) => seconds / limitSeconds;
    const slow = timings
      .filter((timing) => share(timing) > largestShare)
      .sort((one, other) => share(other) - share(one));
    for (const { file, name, seconds, limitSeconds } of slow) {
      console.log(`${seconds.toFixed(1)} s of ${limitSeconds} s: ${relative(root, file)}: ${name}`);
    }
    console.log(`${slow.length} of ${timings.length} tests and hooks need more than a fifth of their limit.`);
    return succeeded && slow.length === 0 && timings.length > 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

process.exitCode = main(process.argv.slice(2));
