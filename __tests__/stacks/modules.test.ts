import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildModules } from "../../cli/build-modules.ts";
import { requiredInputs } from "../../cli/inputs-and-outputs.ts";
import { environmentNames } from "../../functions/contract/environment.ts";
import { type StackName, stackNames, synthesise } from "../../stacks/app.ts";
import { parseHcl } from "../../stacks/cdktf.ts";
import { jsonAttributes } from "../../stacks/shared/hcl.ts";
import { terraformModule } from "../../stacks/shared/terraform-module.ts";
import { functionsOf } from "./synthesised.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sms-retry-modules-test-"));
  for (const name of Object.keys(environmentNames)) writeFileSync(join(folder, `${name}.zip`), `zip ${name}`);
  const artefacts = { version: "1.2.3", functionsFolder: folder };
  synthesise(artefacts, join(folder, "stacks-of-cdktf"));
  buildModules(artefacts, join(folder, "modules"));
  buildModules(artefacts, join(folder, "again"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Every file under a folder: relative path → text. */
function filesIn(root: string): Record<string, string> {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const paths = entries.map((entry) => join(entry.parentPath, entry.name)).sort();
  return Object.fromEntries(paths.map((path) => [path.slice(root.length + 1), readFileSync(path, "utf8")]));
}

/** A value without the keys `//`, in which cdktf keeps what only it reads. */
function withoutComments(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, member) => (key === "//" ? undefined : member)));
}

/**
 * A configuration without what HCL and the JSON form write differently: a block that is there once may be a list, an
 * expression has other spaces and, over several lines, other commas, a reference or a type stands in `${}`, and JSON in a text is an expression.
 */
function comparable(value: unknown, name = ""): unknown {
  if (Array.isArray(value)) {
    const members = value.map((member) => comparable(member, name));
    return members.length === 1 && typeof members[0] === "object" ? members[0] : members;
  }
  if (typeof value === "string") {
    if (jsonAttributes.includes(name) && /^(\{|\$\{jsonencode\()/.test(value)) return "JSON";
    const text = value.replaceAll(/[\s,]/g, "");
    const isBare = ["depends_on", "ignore_changes", "replace_triggered_by"].includes(name);
    const isType = /^\$\{(bool|number|string)\}$/.test(text);
    return text
      .replace(/^\$\{"(.*)"\}$/, "$1")
      .replace(isBare || isType || text.includes("(") ? /^\$\{((?:(?!\$\{).)*)\}$/ : /^$/, "$1");
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null)
      .map(([key, member]) => [key, comparable(member, key)]),
  );
}

/** A value with the keys of every object in the opposite order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
}

test("a second build writes the same bytes, and no folder of a former build stays", () => {
  expect(filesIn(join(folder, "again"))).toEqual(filesIn(join(folder, "modules")));
  writeFileSync(join(folder, "again", "left-over.tf"), "");
  buildModules({ version: "1.2.3", functionsFolder: folder }, join(folder, "again"));
  expect(filesIn(join(folder, "again"))).toEqual(filesIn(join(folder, "modules")));
});

/** The inputs in the usage block of each module's README. */
const usageOf: Readonly<Record<StackName, readonly string[]>> = {
  "sms-retry-end-user-messaging": ["origination_identity_arns"],
  "sms-retry-new-stream": ["pinpoint_application_id"],
  "sms-retry-kinesis": ["kinesis_stream_arn", "pinpoint_application_id"],
  "sms-retry-firehose": ["firehose_delivery_stream_name", "pinpoint_application_id"],
};

describe.each(stackNames)("module %s", (name) => {
  const files = () => filesIn(join(folder, "modules", name));
  const stackFiles = () => filesIn(join(folder, "stacks-of-cdktf/stacks", name));
  const stack = () => JSON.parse(stackFiles()["cdk.tf.json"] ?? "");
  const configurationFiles = () => Object.entries(files()).filter(([path]) => path.endsWith(".tf"));
  const configuration = async () =>
    comparable(
      await parseHcl(
        "module.tf",
        configurationFiles()
          .map(([, text]) => text)
          .join("\n"),
      ),
    ) as Record<string, unknown>;

  test("it is complete in its folder", () => {
    expect(Object.keys(files()).sort()).toEqual(
      [
        "LICENSE",
        "README.md",
        "main.tf",
        "outputs.tf",
        "variables.tf",
        "versions.tf",
        ...functionsOf[name].map((lambda) => `assets/${lambda}/${lambda}.zip`),
      ].sort(),
    );
  });

  test("it is the stack that cdktf deploys, less provider, backend and metadata", async () => {
    const { provider, "//": metadata, ...kept } = stack();
    const { backend, ...terraform } = kept.terraform;
    expect([provider, metadata, backend]).not.toContain(undefined);

    expect(await configuration()).toEqual(comparable(withoutComments({ ...kept, terraform })));
  });

  test("it holds the zips that the stack holds", () => {
    const zips = (found: Record<string, string>) =>
      Object.entries(found).filter(([path]) => path.endsWith(".zip"));

    expect(zips(files())).toEqual(zips(stackFiles()));
    expect(zips(files())).toHaveLength(functionsOf[name].length);
  });

  test("it configures neither provider nor backend, and asks for a range of versions", async () => {
    const { terraform, ...others } = await configuration();

    expect(others).not.toHaveProperty("provider");
    expect(terraform).toEqual(
      comparable({
        required_version: ">= 1.5.0",
        required_providers: { aws: { source: "hashicorp/aws", version: ">= 5.100.0, < 7.0.0" } },
      }),
    );
  });

  test("it has no path of a machine, no token and nothing of cdktf", () => {
    const texts = configurationFiles().map(([, text]) => text);

    expect(texts).toHaveLength(4);
    for (const text of texts) {
      expect(text).not.toContain(folder);
      expect(text).not.toContain(process.cwd());
      expect(text).not.toMatch(/"(\/(home|root|tmp|var|Users)\/|[A-Z]:\\\\|\.\.\/)/);
      expect(text).not.toMatch(/tftoken|cdktf|cdk\.out|"\/\/"/i);
      expect(text).not.toMatch(/\de\+?\d\d/);
    }
    const paths = texts.join().match(/[^"(]*\.zip/g) ?? [];
    expect(paths.length).toBeGreaterThan(0);
    for (const path of paths) expect(path).toMatch(/^\$\{path\.module\}\/assets\//);
  });

  test("its bytes do not depend on the order in which cdktf wrote the keys", () => {
    expect(terraformModule(reversed(stack()) as Parameters<typeof terraformModule>[0])).toEqual(
      terraformModule(stack()),
    );
  });

  test("the usage block of its README sets every required input, and none that it lacks", async () => {
    const [, block = ""] = /```hcl\n(.*?)```/s.exec(files()["README.md"] ?? "") ?? [];
    const parsed = await parseHcl("usage.tf", block);
    const { source, ...inputs } = parsed.module.sms_retry[0];

    expect(source).toBe(`./modules/${name}`);
    expect(Object.keys(inputs)).toEqual(expect.arrayContaining(requiredInputs(stack())));
    // A plan with these alone meets every precondition.
    expect(Object.keys(inputs).sort()).toEqual(usageOf[name]);
    expect(Object.keys(stack().variable)).toEqual(expect.arrayContaining(Object.keys(inputs)));
  });

  test("its README names the version, every input and every output", () => {
    const readme = files()["README.md"] ?? "";

    expect(readme).toContain("sms-retry 1.2.3");
    for (const input of Object.keys(stack().variable))
      expect(readme).toContain(`<a id="input_${input}"></a>`);
    for (const output of Object.keys(stack().output)) expect(readme).toContain(`| \`${output}\` |`);
  });
});

test("a resource that moves says so in the module", () => {
  const stack = {
    terraform: { required_version: "", required_providers: {} },
    variable: {},
    output: {},
    moved: [{ from: "aws_sqs_queue.old", to: "aws_sqs_queue.new" }],
  };

  expect(terraformModule(stack).get("main.tf")).toBe(
    "moved {\n  from = aws_sqs_queue.old\n  to   = aws_sqs_queue.new\n}\n",
  );
});

test("what nobody decided about a kind of block is refused", () => {
  const stack = {
    terraform: { required_version: "", required_providers: {} },
    variable: {},
    output: {},
    import: [],
  };

  expect(() => terraformModule(stack)).toThrow("no place for import");
});

test("what nobody decided about a terraform block is refused", () => {
  const stack = {
    terraform: { required_version: "", required_providers: {}, experiments: [] },
    variable: {},
    output: {},
  };

  expect(() => terraformModule(stack)).toThrow("terraform.experiments");
});
