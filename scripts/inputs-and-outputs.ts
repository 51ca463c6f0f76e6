/** The tables of a stack's inputs and outputs, for README.md and for the README of every module. */

/** What the tables take from a synthesised stack (`cdk.tf.json`). */
export interface SynthesisedStack {
  readonly terraform: {
    readonly required_version: string;
    readonly required_providers: { readonly aws: { readonly version: string } };
  };
  readonly variable: Readonly<
    Record<string, { readonly type: string; readonly description: string; readonly default?: unknown }>
  >;
  readonly output: Readonly<Record<string, { readonly description: string }>>;
}

/** One sentence that says which versions the stack needs. */
export function versionsSentence({ terraform }: SynthesisedStack): string {
  return `Needs Terraform ${code(terraform.required_version)} and the AWS provider ${code(terraform.required_providers.aws.version)}.`;
}

/**
 * The table of inputs as Markdown, required ones first.
 *
 * @param anchored names of inputs that have their anchor `input_<name>` already; those of this stack are added,
 *   so that an anchor that two stacks share stands once in a file
 */
export function inputsTable({ variable }: SynthesisedStack, anchored: Set<string>): string {
  return [
    "| Input | Description | Type | Default | Required |",
    "|---|---|---|---|:-:|",
    ...Object.entries(variable)
      .sort(byNeed)
      .map(([name, input]) => inputRow(name, input, anchored)),
  ].join("\n");
}

/** The table of outputs as Markdown. */
export function outputsTable({ output }: SynthesisedStack): string {
  return [
    "| Output | Description |",
    "|---|---|",
    ...Object.entries(output)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { description }]) => `| \`${name}\` | ${cell(description)} |`),
  ].join("\n");
}

/** Names of the inputs that a user must set, sorted. */
export function requiredInputs({ variable }: SynthesisedStack): string[] {
  return Object.entries(variable)
    .filter(([, input]) => !("default" in input))
    .map(([name]) => name)
    .sort();
}

type Entry = [name: string, input: SynthesisedStack["variable"][string]];

function byNeed([nameA, a]: Entry, [nameB, b]: Entry): number {
  const required = Number("default" in a) - Number("default" in b);
  return required !== 0 ? required : nameA < nameB ? -1 : 1;
}

function inputRow(name: string, input: SynthesisedStack["variable"][string], anchored: Set<string>): string {
  const anchor = anchored.has(name) ? "" : `<a id="input_${name}"></a>`;
  anchored.add(name);
  const hasDefault = "default" in input;
  const defaultValue = hasDefault ? code(JSON.stringify(input.default)) : "";
  return `| ${anchor}\`${name}\` | ${cell(input.description)} | ${code(input.type)} | ${defaultValue} | ${hasDefault ? "no" : "yes"} |`;
}

const cell = (text: string): string => text.replaceAll("|", "\\|");
const code = (text: string): string => `\`${cell(text)}\``;
