/**
 * Writes `docs/mutation.md` from Stryker's report: the score of every file, and each change that neither a test nor
 * the compiler noticed with the reason from `explanations.ts`. Fails where a reason is missing, where one is left
 * over, or where the score of the core is below 90 % by its tests alone.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { schema } from "@stryker-mutator/api/core";
import { compilerOf } from "./compiler.ts";
import { explanations } from "./explanations.ts";

const root = join(import.meta.dirname, "../..");
const leastCoreScore = 90;

interface Survivor {
  readonly file: string;
  readonly line: number;
  /** File, the text before and the text after: stays the same when lines move. */
  readonly id: string;
}

const report = JSON.parse(
  readFileSync(join(root, "reports/mutation/mutation.json"), "utf8"),
) as schema.MutationTestResult;

const compiles = compilerOf(root, Object.keys(report.files));

const byPath = Object.entries(report.files).sort(([a], [b]) => a.localeCompare(b));
const files = byPath.map(([path, { source, mutants }]) => {
  const found = mutants.filter(({ status }) => status === "Killed" || status === "Timeout").length;
  const left = mutants.filter(({ status }) => status === "Survived" || status === "NoCoverage");
  const file = path.replace(/^functions\//, "");
  const survivors = left.flatMap(({ location, replacement = "" }): Survivor[] => {
    const start = offsetOf(source, location.start);
    const end = offsetOf(source, location.end);
    if (!compiles(path, source.slice(0, start) + replacement + source.slice(end))) return [];
    const id = `${file}: ${short(source.slice(start, end))} → ${short(replacement)}`;
    return [{ file, line: location.start.line, id }];
  });
  return { path, found, refused: left.length - survivors.length, valid: found + left.length, survivors };
});

/** Where a place of Stryker's (line and column from 1) is in a text. */
function offsetOf(source: string, { line, column }: schema.Position): number {
  const before = source.split("\n").slice(0, line - 1);
  return before.reduce((length, { length: more }) => length + more + 1, 0) + column - 1;
}

/** One line, and not longer than it takes to know the place again. */
function short(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= 110 ? line : `${line.slice(0, 80)} … ${line.slice(-25)}`;
}

function score(found: number, valid: number): string {
  return valid === 0 ? "–" : `${((100 * found) / valid).toFixed(1)} %`;
}

const core = files.filter(({ path }) => path.startsWith("functions/core/"));
const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
const coreFound = sum(core.map(({ found }) => found));
const coreRefused = sum(core.map(({ refused }) => refused));
const coreValid = sum(core.map(({ valid }) => valid));
const survivors = files.flatMap((file) => file.survivors);
const explained = new Set(explanations.flatMap(({ survivors }) => survivors));
const idsOfSurvivors = new Set(survivors.map(({ id }) => id));
const outdated = [...explained].filter((id) => !idsOfSurvivors.has(id));
const unexplained = survivors.filter(({ id }) => !explained.has(id));

const sections = explanations.flatMap(({ title, why, survivors: ids }) => {
  const here = survivors.filter(({ id }) => ids.includes(id));
  if (here.length === 0) return [];
  const list = here.map(({ id, line }) => `- ${inCode(id.replace(": ", `:${line}: `))}`);
  return [`### ${title} (${here.length})`, "", why, "", ...list, ""];
});

/** As code, whatever backticks are in it. */
function inCode(text: string): string {
  return text.includes("`") ? `\`\` ${text} \`\`` : `\`${text}\``;
}

const page = [
  "# Mutation check of the protocol",
  "",
  "`npm run mutate` changes the code of `functions/core`, and of the store's adapter, in every small way that",
  "[Stryker](https://stryker-mutator.io) knows, and runs the tests on each change. This page is written by it: do",
  "not edit it; the reasons stand in `cli/mutation/explanations.ts`. The command fails when a change survives",
  `without a reason there, or when the score of \`functions/core\` is below ${leastCoreScore} %.`,
  "",
  "Only tests without emulators and bundles take part. What a survivor changes may still be found by the",
  "simulation or by the tests of the bundles, which do not. A change that no test notices but that does not compile",
  "is counted for itself: it cannot get into the project, and needs no reason.",
  "",
  `**Score of \`functions/core\`, by its tests alone: ${score(coreFound, coreValid)}** (${coreFound} of ${coreValid} changes found).`,
  `With the compiler: ${score(coreFound + coreRefused, coreValid)}.`,
  "",
  "| file | changes | found by tests | refused by the compiler | left | score of the tests |",
  "|---|---:|---:|---:|---:|---:|",
  ...files
    .filter(({ valid }) => valid > 0)
    .map(
      ({ path, found, refused, valid, survivors: { length } }) =>
        `| ${path.replace(/^functions\//, "")} | ${valid} | ${found} | ${refused} | ${length} | ${score(found, valid)} |`,
    ),
  "",
  "## What survives, and why",
  "",
  ...sections,
].join("\n");

writeFileSync(join(root, "docs/mutation.md"), `${page.trimEnd()}\n`);
console.log(
  `functions/core: ${score(coreFound, coreValid)}; ${survivors.length} survivors in docs/mutation.md.`,
);
if (unexplained.length > 0) {
  console.error(`${unexplained.length} survivors have no reason in cli/mutation/explanations.ts:`);
  for (const { id, line } of unexplained) console.error(`${JSON.stringify(id)}, // line ${line}`);
}
if (outdated.length > 0) {
  console.error("These reasons in cli/mutation/explanations.ts explain nothing any more; take them out:");
  for (const id of outdated) console.error(JSON.stringify(id));
}
if (unexplained.length > 0 || outdated.length > 0 || 100 * coreFound < leastCoreScore * coreValid)
  process.exitCode = 1;
