/**
 * Writes `docs/mutation.md` from Stryker's report: the score of every file, and each mutant that neither a test nor
 * the compiler detected, with the reason from `explanations.ts`. Fails when a reason is missing, when a reason
 * explains nothing, or when the tests alone detect less than 95 % of the core's mutants.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { schema } from "@stryker-mutator/api/core";
import { compilerOf } from "./compiler.ts";
import { explanations } from "./explanations.ts";

const root = join(import.meta.dirname, "../..");
const leastCoreScore = 95;

interface Survivor {
  readonly file: string;
  readonly line: number;
  /** The code before and after. */
  readonly change: string;
  /** Name of the file and the change: stays the same when lines or files move. */
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
    const change = `${short(source.slice(start, end))} → ${short(replacement)}`;
    return [{ file, line: location.start.line, change, id: `${basename(path)}: ${change}` }];
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

const core = files.filter(({ path }) => /^functions\/(firehose-attachment\/)?core\//.test(path));
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
  const list = here.map(({ file, line, change }) => `- ${inCode(`${file}:${line}: ${change}`)}`);
  return [`### ${title} (${here.length})`, "", why, "", ...list, ""];
});

/** As code, whatever backticks are in it. */
function inCode(text: string): string {
  return text.includes("`") ? `\`\` ${text} \`\`` : `\`${text}\``;
}

const page = [
  "# Mutation testing",
  "",
  "`npm run mutate` makes every small change (a *mutant*) that [Stryker](https://stryker-mutator.io) knows to the code",
  "of the core (`functions/core`, `functions/firehose-attachment/core`) and of the message store on DynamoDB, and runs",
  "the tests that reach it. A mutant that no test detects has *survived*: it shows a gap in the tests, or code that",
  "has no effect, or it has its reason below. The command writes this page, so do not edit it; the reasons are in",
  "`cli/mutation/explanations.ts`. It fails when a survivor has no reason there, or when the tests detect less than",
  `${leastCoreScore} % of the core's mutants.`,
  "",
  "Only tests that need neither emulators nor bundles take part. The simulation and the tests of the bundles may",
  "detect survivors too, but are not counted. A survivor that does not compile could never be merged: it is counted",
  "separately and needs no reason.",
  "",
  `**The tests detect ${score(coreFound, coreValid)} of the core's mutants** (${coreFound} of ${coreValid}); with the compiler`,
  `${score(coreFound + coreRefused, coreValid)} are detected.`,
  "",
  "| file | mutants | detected by tests | rejected by the compiler | survived | share detected by tests |",
  "|---|---:|---:|---:|---:|---:|",
  ...files
    .filter(({ valid }) => valid > 0)
    .map(
      ({ path, found, refused, valid, survivors: { length } }) =>
        `| ${path.replace(/^functions\//, "")} | ${valid} | ${found} | ${refused} | ${length} | ${score(found, valid)} |`,
    ),
  "",
  "## Survivors and their reasons",
  "",
  ...sections,
].join("\n");

writeFileSync(join(root, "docs/mutation.md"), `${page.trimEnd()}\n`);
console.log(
  `The tests detect ${score(coreFound, coreValid)} of the core's mutants; docs/mutation.md has ${survivors.length} survivors.`,
);
if (unexplained.length > 0) {
  console.error(
    `${unexplained.length} survivors have no reason. Add a test, remove the code, or add them to cli/mutation/explanations.ts:`,
  );
  for (const { id, line } of unexplained) console.error(`${JSON.stringify(id)}, // line ${line}`);
}
if (outdated.length > 0) {
  console.error("These lines of cli/mutation/explanations.ts match no survivor; remove them:");
  for (const id of outdated) console.error(JSON.stringify(id));
}
if (unexplained.length > 0 || outdated.length > 0 || 100 * coreFound < leastCoreScore * coreValid)
  process.exitCode = 1;
