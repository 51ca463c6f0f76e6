/** The tests that mutants run: all that need no emulator and no bundle, and take milliseconds. */
import { globSync } from "node:fs";

const patterns = [
  "__tests__/core/**/*.test.ts",
  "__tests__/firehose-attachment/**/*.test.ts",
  "__tests__/adapters/message-store-on-model.test.ts",
];

/** Load tests: they show a rate or a time, take seconds, and almost every mutant would run them. */
const slow = [
  "__tests__/core/outage.test.ts",
  "__tests__/core/api-outage.test.ts",
  "__tests__/core/hostile-records.test.ts",
  "__tests__/core/sending/gate/ceiling.test.ts",
];

/** Their paths, relative to the folder of the project. They use `describe`, `test` and `expect` alone. */
export function testFilesIn(folder: string): readonly string[] {
  return globSync(patterns, { cwd: folder, exclude: slow }).sort();
}
