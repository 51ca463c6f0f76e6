/** A synthesised stack as a plain Terraform module: what remains when the parts that only a root module has go. */
import { hclBlock, type JsonBody, label } from "./hcl.ts";

/** The parts of a `cdk.tf.json` that a module is made of. */
export interface SynthesisedConfiguration {
  readonly terraform: {
    readonly required_version: string;
    readonly required_providers: Readonly<Record<string, unknown>>;
    readonly backend?: unknown;
  };
  readonly variable: Readonly<Record<string, unknown>>;
  readonly output: Readonly<Record<string, unknown>>;
  readonly [block: string]: unknown;
}

/**
 * The files of the module, name → text. They are HCL as `terraform fmt` formats it, and have neither a provider nor a
 * backend nor the metadata of cdktf, and their bytes do not depend on the order in which keys were written.
 *
 * @throws Error if the stack sets something in its `terraform` block that a module could not keep
 */
export function terraformModule(stack: SynthesisedConfiguration): Map<string, string> {
  const { terraform, variable, output, provider: _provider, "//": _metadata, ...rest } = stack;
  const { required_version, required_providers, backend: _backend, ...others } = terraform;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw new Error(
      `A module has no place for terraform.${unknown}; say in stacks/shared/terraform-module.ts what becomes of it.`,
    );
  const { locals, data, resource, check, moved, ...strange } = tidy(rest) as Readonly<
    Record<string, JsonBody>
  >;
  const [stranger] = Object.keys(strange);
  if (stranger !== undefined)
    throw new Error(
      `A module has no place for ${stranger}; say in stacks/shared/terraform-module.ts what becomes of it.`,
    );
  return new Map([
    [
      "main.tf",
      file([
        ...(locals === undefined ? [] : [hclBlock("locals", locals)]),
        ...labelledTwice("data", data),
        ...labelledTwice("resource", resource),
        ...labelled("check", check),
        ...[moved ?? []].flat().map((move) => hclBlock("moved", move as JsonBody)),
      ]),
    ],
    ["outputs.tf", file(labelled("output", tidy(output)))],
    ["variables.tf", file(labelled("variable", tidy(variable)))],
    [
      "versions.tf",
      file([hclBlock("terraform", tidy({ required_version, required_providers }) as JsonBody)]),
    ],
  ]);
}

const file = (blocks: readonly string[]): string => `${blocks.join("\n\n")}\n`;

/** Blocks of a type with a label each. */
function labelled(type: string, blocks: unknown = {}): string[] {
  return Object.entries(blocks as JsonBody).map(([name, body]) =>
    hclBlock(`${type} ${label(name)}`, body as JsonBody),
  );
}

/** Blocks of a type with two labels each, by the first and the second. */
function labelledTwice(type: string, blocks: JsonBody = {}): string[] {
  return Object.entries(blocks).flatMap(([name, named]) => labelled(`${type} ${label(name)}`, named));
}

/** The same value with its keys sorted, and without the comments in which cdktf keeps its metadata. */
function tidy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(tidy);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== "//")
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, tidy(member)]),
  );
}
