/**
 * Writes the tables of inputs and outputs of every stack into README.md, between
 * `<!-- BEGIN_TF_DOCS <stack> -->` and `<!-- END_TF_DOCS <stack> -->`.
 *
 * `npm run docs` writes; `npm run docs:check` (`--check`) changes nothing and exits 1 if the file is not what would
 * be written. The tables come from the synthesised stacks, so they cannot say what the code does not; no bundle is
 * needed, empty zips stand in.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { environmentNames } from "../functions/environment.ts";
import { stackNames, synthesise } from "../stacks/app.ts";
import { inputsTable, outputsTable, type SynthesisedStack, versionsSentence } from "./inputs-and-outputs.ts";

/**
 * The tables of one stack as Markdown, folded.
 *
 * @param anchored names of inputs that have their anchor `input_<name>` already; those of this stack are added,
 *   so that an anchor that two stacks share stands once in a file
 */
export function renderTables(stackName: string, stack: SynthesisedStack, anchored: Set<string>): string {
  return [
    "<details>",
    `<summary>Inputs and outputs of <code>${stackName}</code></summary>`,
    "",
    versionsSentence(stack),
    "",
    inputsTable(stack, anchored),
    "",
    outputsTable(stack),
    "",
    "</details>",
  ].join("\n");
}

/**
 * The document with the text between the two markers of a stack replaced.
 *
 * @throws Error if a marker is missing
 */
export function replaceBetweenMarkers(document: string, stackName: string, text: string): string {
  const [begin, end] = [`<!-- BEGIN_TF_DOCS ${stackName} -->`, `<!-- END_TF_DOCS ${stackName} -->`];
  const [start, stop] = [document.indexOf(begin), document.indexOf(end)];
  if (start < 0 || stop < start)
    throw new Error(`README.md must contain "${begin}" and, after it, "${end}".`);
  return `${document.slice(0, start + begin.length)}\n${text}\n${document.slice(stop)}`;
}

function synthesisedStacks(): Map<string, SynthesisedStack> {
  const folder = mkdtempSync(join(tmpdir(), "sms-retry-docs-"));
  try {
    for (const name of Object.keys(environmentNames)) writeFileSync(join(folder, `${name}.zip`), "");
    const output = join(folder, "out");
    synthesise({ version: "0.0.0", functionsFolder: folder }, output);
    return new Map(
      stackNames.map((name) => [
        name,
        JSON.parse(readFileSync(join(output, "stacks", name, "cdk.tf.json"), "utf8")),
      ]),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function main(readmePath: string, check: boolean): number {
  if (!existsSync(readmePath)) throw new Error("README.md, which holds the tables, is missing.");
  const readme = readFileSync(readmePath, "utf8");
  const anchored = new Set<string>();
  let written = readme;
  for (const [name, stack] of synthesisedStacks())
    written = replaceBetweenMarkers(written, name, renderTables(name, stack, anchored));
  if (written === readme) return 0;
  if (check) {
    console.error(
      "The tables in README.md are not those of the stacks: run `npm run docs` and commit README.md.",
    );
    return 1;
  }
  writeFileSync(readmePath, written);
  console.log(`Wrote the tables of ${stackNames.join(", ")} into ${relative(process.cwd(), readmePath)}.`);
  return 0;
}

if (import.meta.main) {
  try {
    process.exitCode = main(join(import.meta.dirname, "../README.md"), process.argv.includes("--check"));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
