/** What can be said of examples/ and of the HCL in the documentation without Terraform; `test:terraform` plans them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { requiredInputs } from "../../cli/inputs-and-outputs.ts";
import { type StackName, stackNames } from "../../stacks/app.ts";
import { parseHcl } from "../../stacks/cdktf.ts";
import { providerVersions } from "../../stacks/shared/terraform-versions.ts";
import { type SynthesisedStack, synthesiseAll } from "./synthesised.ts";

const root = join(__dirname, "../..");
const examples = readdirSync(join(root, "examples"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** A configuration as the parser gives it: every block is a list. */
interface Configuration {
  readonly terraform: readonly { readonly required_providers: readonly Record<string, unknown>[] }[];
  readonly provider: Readonly<Record<string, readonly unknown[]>>;
  readonly module: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;
  readonly variable: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;
  readonly output: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;
}

const textOf = (...path: string[]) => readFileSync(join(root, ...path), "utf8");

async function parseConfiguration(name: string, text: string): Promise<Configuration> {
  return (await parseHcl(name, text)) as Configuration;
}

async function parseExample(name: string): Promise<Configuration> {
  const files = ["main.tf", "variables.tf", "outputs.tf"];
  return parseConfiguration(`${name}.tf`, files.map((file) => textOf("examples", name, file)).join("\n"));
}

let stacks: Record<StackName, SynthesisedStack>;
let configurations: Record<string, Configuration>;
beforeAll(async () => {
  stacks = synthesiseAll();
  configurations = Object.fromEntries(
    await Promise.all(examples.map(async (name) => [name, await parseExample(name)] as const)),
  );
});

function configurationOf(example: string): Configuration {
  const found = configurations[example];
  if (found === undefined) throw new Error(`There is no example ${example}.`);
  return found;
}

function moduleOf(configuration: Pick<Configuration, "module">) {
  const [call] = configuration.module.sms_retry ?? [];
  if (call === undefined) throw new Error('There is no module "sms_retry".');
  const { source, ...inputs } = call;
  return { source: String(source), inputs: Object.keys(inputs).sort() };
}

/** Checks the inputs of a call against those of the stack. */
function expectInputs(stackName: string | undefined, inputs: readonly string[]): void {
  const stack = stacks[stackName as StackName];
  expect(stackNames).toContain(stackName);
  expect(Object.keys(stack.variable)).toEqual(expect.arrayContaining([...inputs]));
  expect(inputs).toEqual(
    expect.arrayContaining(requiredInputs(stack as Parameters<typeof requiredInputs>[0])),
  );
}

test("every stack has an example, and the list names every example", () => {
  const sources = Object.values(configurations).map((configuration) => moduleOf(configuration).source);

  expect(new Set(sources)).toEqual(new Set(stackNames.map((name) => `../../dist/modules/${name}`)));
  for (const name of examples) expect(textOf("examples/README.md")).toContain(`[${name}](${name})`);
});

describe.each(examples)("example %s", (name) => {
  test("it sets every required input of its module, and none that the module lacks", () => {
    const { source, inputs } = moduleOf(configurationOf(name));

    expectInputs(/^\.\.\/\.\.\/dist\/modules\/([a-z-]+)$/.exec(source)?.[1], inputs);
  });

  test("it asks for the providers that the module asks for, in a region that is an input", () => {
    const { terraform, provider } = configurationOf(name);

    expect(terraform[0]?.required_providers).toEqual([
      { aws: { source: "hashicorp/aws", version: providerVersions } },
    ]);
    expect(provider).toEqual({ aws: [{ region: `\${var.region}` }] });
  });

  test("every variable is described and used, and every one that is used is declared", () => {
    const { variable } = configurationOf(name);
    const used = new Set(
      [...textOf("examples", name, "main.tf").matchAll(/\bvar\.(\w+)/g)].map(([, used]) => used),
    );

    expect(new Set(Object.keys(variable))).toEqual(used);
    for (const [definition] of Object.values(variable)) {
      expect(definition?.description).toEqual(expect.stringMatching(/\w\.$/));
      expect(definition).toHaveProperty("type");
    }
  });

  test("terraform.tfvars.example sets what has no default, and only variables that exist", async () => {
    const { variable } = configurationOf(name);
    const given = Object.keys(
      await parseHcl("example.tf", textOf("examples", name, "terraform.tfvars.example")),
    );
    const needed = Object.keys(variable).filter((input) => !("default" in (variable[input]?.[0] ?? {})));

    expect(Object.keys(variable)).toEqual(expect.arrayContaining(given));
    expect(given).toEqual(expect.arrayContaining(needed));
  });

  test("every output is described, and those of the module exist", () => {
    const { output, module } = configurationOf(name);
    const stackName = moduleOf({ module }).source.split("/").at(-1) as StackName;

    expect(Object.keys(output).length).toBeGreaterThan(0);
    for (const [definition] of Object.values(output)) {
      expect(definition?.description).toEqual(expect.stringMatching(/\w\.$/));
      const [, of] = /module\.sms_retry\.(\w+)/.exec(String(definition?.value)) ?? [];
      if (of !== undefined) expect(Object.keys(stacks[stackName].output)).toContain(of);
    }
  });

  test("its README says what it costs, how to run it and how to get rid of it", () => {
    const readme = textOf("examples", name, "README.md");

    for (const part of [
      "It costs money",
      "npm run modules",
      "terraform init",
      "terraform plan",
      "terraform destroy",
    ])
      expect(readme).toContain(part);
  });
});

/** The blocks of HCL in a page, those in a list without its indentation. */
function hclBlocksOf(page: string): string[] {
  return [...page.matchAll(/```hcl\n(.*?)```/gs)].map(([, block = ""]) => block.replace(/^ {3}/gm, ""));
}

test("the module blocks of the README set every required input, and none that the module lacks", async () => {
  const blocks = hclBlocksOf(textOf("README.md"));
  const called: (string | undefined)[] = [];
  for (const block of blocks) {
    const { source, inputs } = moduleOf(await parseConfiguration("readme.tf", block));
    const [, stackName] = /^\.\/modules\/([a-z-]+)$/.exec(source) ?? [];
    called.push(stackName);
    expectInputs(stackName, inputs);
  }

  // The stack that every account can use comes first.
  expect(called).toEqual(["sms-retry-end-user-messaging", "sms-retry-kinesis"]);
});

test("the settings of docs/migration.md are inputs of the stack on a Firehose stream", async () => {
  const [block = "", ...others] = hclBlocksOf(textOf("docs", "migration.md"));

  expect(others).toEqual([]);
  expect(Object.keys(stacks["sms-retry-firehose"].variable)).toEqual(
    expect.arrayContaining(Object.keys(await parseHcl("settings.tf", block))),
  );
});

test.each([
  ["deploy.md", "a whole settings file", { isWhole: true, stack: "sms-retry-end-user-messaging" }],
  ["from-the-post.md", "what a test deployment adds to one", { isWhole: false, stack: "sms-retry-kinesis" }],
  [
    "from-the-post.md",
    "what a test deployment adds to one",
    { isWhole: false, stack: "sms-retry-end-user-messaging" },
  ],
] as const)("docs/%s shows %s, with inputs that its stack has", async (page, _, { isWhole, stack }) => {
  // The settings of a backend are none of a stack.
  const blocks = hclBlocksOf(textOf("docs", page)).filter((block) => !/^# \S+\.tfbackend\n/.test(block));
  expect(blocks).toHaveLength(1);
  const inputs = Object.keys(await parseHcl("settings.tf", blocks[0] ?? ""));

  expect(inputs.length).toBeGreaterThan(0);
  if (isWhole) expectInputs(stack, inputs);
  else expect(Object.keys(stacks[stack].variable)).toEqual(expect.arrayContaining(inputs));
});
