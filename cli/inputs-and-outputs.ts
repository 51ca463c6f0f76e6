/**
 * The tables of inputs and outputs: all those of one stack, for the README of its module, and those of all stacks
 * together, each input and output once, for `docs/inputs.md`.
 */

/** What the tables take from a synthesised stack (`cdk.tf.json`). */
export interface SynthesisedStack {
  readonly terraform: {
    readonly required_version: string;
    readonly required_providers: { readonly aws: { readonly version: string } };
  };
  readonly variable: Readonly<Record<string, InputDefinition>>;
  readonly output: Readonly<Record<string, OutputDefinition>>;
  /** By type and name. */
  readonly resource?: Readonly<Record<string, Readonly<Record<string, object>>>>;
}

interface InputDefinition {
  readonly type: string;
  readonly description: string;
  readonly default?: unknown;
}

interface OutputDefinition {
  readonly description: string;
}

/** The stacks by their names, in the order in which a table names them. */
export type StacksByName = ReadonlyMap<string, SynthesisedStack>;

/** One definition, and the stacks that have it: more than one row where stacks define a name differently. */
interface Row<Definition> {
  readonly name: string;
  readonly definition: Definition;
  readonly stacks: readonly string[];
}

/** One sentence that says which versions the stack needs. */
export function versionsSentence({ terraform }: SynthesisedStack): string {
  return `Needs Terraform ${code(terraform.required_version)} and the AWS provider ${code(terraform.required_providers.aws.version)}.`;
}

/** The table of a stack's inputs as Markdown, required ones first, each with the anchor `input_<name>`. */
export function inputsTable(stack: SynthesisedStack): string {
  return tableOfInputs(inputRows(new Map([["", stack]])), { withStacks: false });
}

/** The table of a stack's outputs as Markdown. */
export function outputsTable(stack: SynthesisedStack): string {
  return table(
    ["Output", "Description"],
    outputRows(new Map([["", stack]])).map(({ name, definition }) => [
      code(name),
      cell(definition.description),
    ]),
  );
}

/** The table of the inputs that all stacks define alike, as {@link inputsTable} writes it. */
export function commonInputsTable(stacks: StacksByName): string {
  return tableOfInputs(
    inputRows(stacks).filter((row) => row.stacks.length === stacks.size),
    { withStacks: false },
  );
}

/** The table of the inputs that only some stacks have, or define in their own way, with the names of those stacks. */
export function differingInputsTable(stacks: StacksByName): string {
  return tableOfInputs(
    inputRows(stacks).filter((row) => row.stacks.length < stacks.size),
    { withStacks: true },
  );
}

/** The table of the outputs of all stacks, with the names of the stacks that have each. */
export function outputsOfAllTable(stacks: StacksByName): string {
  return table(
    ["Output", "Description", "Stacks"],
    outputRows(stacks).map((row) => [
      code(row.name),
      cell(row.definition.description),
      row.stacks.length === stacks.size ? "all" : row.stacks.map(code).join(", "),
    ]),
  );
}

/** Names of the inputs that a user must set, sorted. */
export function requiredInputs({ variable }: SynthesisedStack): string[] {
  return Object.entries(variable)
    .filter(([, input]) => isRequired(input))
    .map(([name]) => name)
    .sort();
}

function inputRows(stacks: StacksByName): Row<InputDefinition>[] {
  const rows = rowsOf(stacks, ({ variable }) => variable);
  return rows.sort(
    (a, b) => Number(isRequired(b.definition)) - Number(isRequired(a.definition)) || byName(a, b),
  );
}

function outputRows(stacks: StacksByName): Row<OutputDefinition>[] {
  return rowsOf(stacks, ({ output }) => output).sort(byName);
}

/** Every definition once, whichever stacks have it. */
function rowsOf<Definition>(
  stacks: StacksByName,
  definitionsOf: (stack: SynthesisedStack) => Readonly<Record<string, Definition>>,
): Row<Definition>[] {
  const rows = new Map<string, Row<Definition>>();
  for (const [stackName, stack] of stacks)
    for (const [name, definition] of Object.entries(definitionsOf(stack))) {
      const key = JSON.stringify([name, definition]);
      rows.set(key, { name, definition, stacks: [...(rows.get(key)?.stacks ?? []), stackName] });
    }
  return [...rows.values()];
}

function tableOfInputs(
  rows: readonly Row<InputDefinition>[],
  { withStacks }: { withStacks: boolean },
): string {
  const anchored = new Set<string>();
  return table(
    ["Input", "Description", "Type", "Default", "Required", ...(withStacks ? ["Stacks"] : [])],
    rows.map(({ name, definition, stacks }) => {
      // An anchor may stand once in a page; a name that stacks define differently has more than one row.
      const anchor = anchored.has(name) ? "" : `<a id="input_${name}"></a>`;
      anchored.add(name);
      return [
        `${anchor}${code(name)}`,
        cell(definition.description),
        code(definition.type),
        isRequired(definition) ? "" : code(JSON.stringify(definition.default)),
        isRequired(definition) ? "yes" : "no",
        ...(withStacks ? [stacks.map(code).join(", ")] : []),
      ];
    }),
  );
}

/** A table as Markdown; the cells are as they shall stand there. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(heads), `|${"---|".repeat(heads.length)}`, ...rows.map(line)].join("\n");
}

const isRequired = (input: InputDefinition): boolean => !("default" in input);
const byName = (a: { name: string }, b: { name: string }): number =>
  a.name < b.name ? -1 : Number(a.name > b.name);
const cell = (text: string): string => text.replaceAll("|", "\\|");

/** A text as code in a cell of a table. */
export const code = (text: string): string => `\`${cell(text)}\``;
