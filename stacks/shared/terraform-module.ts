/** A synthesised stack as a plain Terraform module: what remains when the parts that only a root module has go. */

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
 * The files of the module, name → text. They are in Terraform's JSON form and have neither a provider nor a backend
 * nor the metadata of cdktf, and their bytes do not depend on the order in which keys were written.
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
  return new Map(
    Object.entries({
      "main.tf.json": rest,
      "outputs.tf.json": { output },
      "variables.tf.json": { variable },
      "versions.tf.json": { terraform: { required_providers, required_version } },
    }).map(([name, content]) => [name, `${JSON.stringify(tidy(content), undefined, 2)}\n`]),
  );
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
