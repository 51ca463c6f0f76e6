/**
 * Writes `docs/inputs.md`, the inputs and outputs of every stack and the statuses that an input can name, and
 * `docs/alarms.md`.
 *
 * `npm run docs` writes; `npm run docs:check` (`--check`) changes nothing and exits 1 if a file is not what would
 * be written. The tables come from the synthesised stacks, so they cannot say what the code does not; no bundle is
 * needed, empty zips stand in.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { environmentNames } from "../functions/contract/environment.ts";
import {
  type EventFormat,
  eventStatuses,
  type StatusFacts,
  statusClasses,
} from "../functions/contract/statuses.ts";
import { stackNames, synthesise } from "../stacks/app.ts";
import { alarmsPage } from "./alarms-page.ts";
import {
  code,
  commonInputsTable,
  differingInputsTable,
  outputsOfAllTable,
  type StacksByName,
  type SynthesisedStack,
  table,
  versionsSentence,
} from "./inputs-and-outputs.ts";

/**
 * The page of all inputs and outputs as Markdown.
 *
 * Each input has the anchor `input_<name>`, once in the page.
 *
 * @throws Error if the stacks do not need the same versions of Terraform and provider
 */
export function inputsPage(stacks: StacksByName): string {
  const versions = new Set([...stacks.values()].map(versionsSentence));
  if (versions.size !== 1)
    throw new Error(
      `The stacks need different versions, and docs/inputs.md has one sentence; give them the same: ${[...versions].join(" ")}`,
    );
  return `# Inputs and outputs

<!-- Written by \`npm run docs\` from the stacks. Change their inputs and outputs, not this page. -->

${[...versions].join("")} The README of each built module (\`npm run modules\`) lists its own inputs and outputs.

## Inputs of all stacks

${commonInputsTable(stacks)}

## Inputs of some stacks

${differingInputsTable(stacks)}

## Outputs

${outputsOfAllTable(stacks)}

## Statuses of delivery events

What \`retryable_statuses\` may name, and what becomes of the others. A failure with another status is not retried; an
event of another type changes nothing. Both are counted as \`StatusUnrecognized\`.

${statusesTable()}
`;
}

function statusesTable(): string {
  const isWrittenBy = (facts: StatusFacts, format: EventFormat): string =>
    facts.formats.includes(format) ? "yes" : "";
  return table(
    ["Status", "Meaning", "Retried", "Pinpoint", "End User Messaging"],
    Object.entries<StatusFacts>(eventStatuses).map(([status, facts]) => [
      facts.alias === undefined ? code(status) : `${code(status)}, ${code(facts.alias)}`,
      facts.meaning,
      statusClasses[facts.class].retried,
      isWrittenBy(facts, "pinpoint"),
      isWrittenBy(facts, "end-user-messaging"),
    ]),
  );
}

function synthesisedStacks(): StacksByName {
  const folder = mkdtempSync(join(tmpdir(), "sms-retry-docs-"));
  try {
    for (const name of Object.keys(environmentNames)) writeFileSync(join(folder, `${name}.zip`), "");
    const output = join(folder, "out");
    synthesise({ version: "0.0.0", functionsFolder: folder }, output);
    return new Map(
      stackNames.map((name): [string, SynthesisedStack] => [
        name,
        JSON.parse(readFileSync(join(output, "stacks", name, "cdk.tf.json"), "utf8")),
      ]),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function main(check: boolean): number {
  const stacks = synthesisedStacks();
  const pages = { "inputs.md": inputsPage(stacks), "alarms.md": alarmsPage(stacks) };
  const wrong = Object.entries(pages).filter(([name, page]) => !isWritten(name, page, check));
  return wrong.length === 0 ? 0 : 1;
}

/** Whether the page is there as it is to be; where `check` is false it is, when this returns. */
function isWritten(name: string, page: string, check: boolean): boolean {
  const path = join(import.meta.dirname, "../docs", name);
  if (existsSync(path) && readFileSync(path, "utf8") === page) return true;
  const shown = relative(process.cwd(), path);
  if (check) {
    console.error(`${shown} is not what the stacks say: run \`npm run docs\` and commit it.`);
    return false;
  }
  writeFileSync(path, page);
  console.log(`Wrote what ${stackNames.join(", ")} say into ${shown}.`);
  return true;
}

if (import.meta.main) {
  try {
    process.exitCode = main(process.argv.includes("--check"));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
