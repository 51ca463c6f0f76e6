/** Every example of `examples/`, the plan review, and the modules it calls, through the real `terraform`: as a user would start. */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { CreateDeliveryStreamCommand } from "@aws-sdk/client-firehose";
import { CreateStreamCommand } from "@aws-sdk/client-kinesis";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { buildModules } from "../../cli/build-modules.ts";
import { reviewComment } from "../../cli/plan-review/comment.ts";
import { terraformPlan } from "../../cli/plan-review/terraform-plan.ts";
import { type StackName, stackNames } from "../../stacks/app.ts";
import { jsonAttributes } from "../../stacks/shared/hcl.ts";
import type { Artefacts } from "../../stacks/shared/sms-retry-stack.ts";
import { clientsOf } from "./clients.ts";
import { administrator, applicationId, region } from "./emulated-aws.ts";
import { check, same } from "./expectations.ts";
import type { Report } from "./report.ts";
import { Terraform } from "./terraform.ts";

/** What the run of the examples needs. */
export interface ExamplesOptions {
  /** A new folder of this run. */
  readonly folder: string;
  readonly artefacts: Artefacts;
  /** The stacks as synthesised from the same artefacts. */
  readonly stacksFolder: string;
  /** Terraform's environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly endpoint: string;
  readonly report: Report;
}

/** The parts of `terraform show -json` that are read here. */
interface Plan {
  readonly resource_changes: readonly {
    readonly address: string;
    readonly change: {
      readonly actions: readonly string[];
      readonly after: Readonly<Record<string, unknown>> | null;
      readonly after_unknown: unknown;
    };
  }[];
}

const repository = join(import.meta.dirname, "../..");

/**
 * Copies the examples beside freshly built modules, as they lie in the repository, and validates and plans each with
 * the values of its `terraform.tfvars.example`. Then compares, for every stack, what its module plans with what the
 * stack itself plans.
 */
export async function runExamples(options: ExamplesOptions): Promise<void> {
  const { folder, artefacts, report } = options;
  cpSync(join(repository, "examples"), join(folder, "examples"), { recursive: true });
  await report.step("modules", "build", async () => buildModules(artefacts, join(folder, "dist/modules")));
  await report.step("modules", "format", () =>
    terraformIn(join(folder, "dist/modules"), options).run(["fmt", "-check", "-recursive", "-diff"]),
  );
  await prepareStreams(options.endpoint);
  for (const name of exampleNames(join(folder, "examples"))) await planExample(name, options);
  await report.step("plan-review", "of an example", () => reviewExample(options));
  await report.step("plan-review", "of a stack", () => reviewStack(options));
  for (const name of stackNames)
    await report.step("modules", `${name} plans as the stack`, () => compare(name, options));
}

/** The folders of examples; the test of the run's own list is that there are some. */
function exampleNames(folder: string): string[] {
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  check(names.length >= stackNames.length, "There are fewer examples than stacks.");
  return names;
}

async function planExample(name: string, { folder, report, ...options }: ExamplesOptions): Promise<void> {
  const example = join(folder, "examples", name);
  cpSync(join(example, "terraform.tfvars.example"), join(example, "terraform.tfvars"));
  const terraform = terraformIn(example, options);
  const subject = `examples/${name}`;
  await report.step(subject, "format", () => terraform.run(["fmt", "-check", "-diff"]));
  await report.step(subject, "init", () => terraform.run(["init"]));
  await report.step(subject, "validate", () => terraform.run(["validate"]));
  await report.step(subject, "plan", async () => {
    await terraform.run(["plan", "-out=example.plan"]);
    const { resource_changes } = await terraform.show<Plan>("example.plan");
    const actions = new Set(resource_changes.flatMap(({ change }) => change.actions));
    same(
      "the actions of a first plan",
      [...actions].filter((action) => action !== "read"),
      ["create"],
    );
  });
}

/** The user's streams, at which plans look: one of Kinesis and one of Firehose, both called `sms-events`. */
export async function prepareStreams(endpoint: string): Promise<void> {
  await clientsOf(endpoint).kinesis.send(
    new CreateStreamCommand({ StreamName: "sms-events", ShardCount: 1 }),
  );
  const s3 = { RoleARN: "arn:aws:iam::123456789012:role/delivery", BucketARN: "arn:aws:s3:::archive" };
  await clientsOf(endpoint).firehose.send(
    new CreateDeliveryStreamCommand({
      DeliveryStreamName: "sms-events",
      ExtendedS3DestinationConfiguration: s3,
    }),
  );
}

/** The command itself, as a pipeline calls it, on the account that `inspect` looks at too. */
async function reviewExample({ folder, ...options }: ExamplesOptions): Promise<void> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      join(repository, "cli/sms-retry.ts"),
      "plan-review",
      "--folder",
      join(folder, "examples/existing-firehose"),
    ],
    { env: { PATH: process.env.PATH, HOME: folder, ...environmentOf(options) }, maxBuffer: 1024 * 1024 },
  );
  for (const sentence of [
    "## Plan of `existing-firehose`: ",
    "- The transformation is attached to the Firehose stream `sms-events`",
    "- The plan looked at the stream and found nothing against it.",
    "- Stack that fits: `sms-retry-firehose`.",
    "<details><summary>Full plan",
    "# module.sms_retry.aws_cloudwatch_log_group.produce will be created",
  ])
    check(stdout.includes(sentence), `The comment does not say "${sentence}".\n${stdout.slice(0, 2_000)}`);
}

/** The settings of a backend in a bucket of the emulated AWS. */
async function remoteState(folder: string, endpoint: string): Promise<string> {
  await clientsOf(endpoint).s3.send(new CreateBucketCommand({ Bucket: "terraform-state" }));
  const file = join(folder, "review.s3.tfbackend");
  const settings = {
    bucket: "terraform-state",
    key: "sms-retry/kinesis.tfstate",
    region: "eu-west-1",
    use_path_style: true,
    skip_credentials_validation: true,
    skip_requesting_account_id: true,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
  writeFileSync(file, [...lines, `endpoints = { s3 = "${endpoint}" }`, ""].join("\n"));
  return file;
}

/** Bundles and synthesises too, into folders of its own, with the state in a bucket. */
async function reviewStack({ folder, ...options }: ExamplesOptions): Promise<void> {
  const synthesisFolder = join(folder, "review/cdktf.out");
  const varFile = join(folder, "review.tfvars.json");
  const { firehose_delivery_stream_name: _name, ...inputs } = requiredValues;
  writeFileSync(varFile, JSON.stringify({ ...inputs, default_message_body: "Kept secret" }));
  const { plan, text } = await terraformPlan(
    {
      kind: "stack",
      name: "sms-retry-kinesis",
      backendConfig: await remoteState(folder, options.endpoint),
    },
    [varFile],
    {
      synthesisFolder,
      functionsFolder: join(folder, "review/functions"),
      environment: { PATH: process.env.PATH, HOME: folder, ...environmentOf(options) },
    },
  );
  const initialised = join(synthesisFolder, "stacks/sms-retry-kinesis/.terraform/terraform.tfstate");
  const { backend } = JSON.parse(readFileSync(initialised, "utf8")) as {
    backend: { type: string; config: { key: string } };
  };
  same("where the state lies", [backend.type, backend.config.key], ["s3", "sms-retry/kinesis.tfstate"]);
  const comment = reviewComment({ subject: "sms-retry-kinesis", plan, planText: text });
  check(comment.includes("stream/sms-events` is read from now on"), "The comment does not name the stream.");
  check(JSON.stringify(plan).includes("Kept secret"), "The plan's JSON has no sensitive value to hide.");
  check(!comment.includes("Kept secret"), "The comment shows a sensitive value.");
}

/** The same inputs once to the stack and once to the module: the same resources must be planned, value by value. */
async function compare(
  name: StackName,
  { folder, stacksFolder, ...options }: ExamplesOptions,
): Promise<void> {
  const stackFolder = join(folder, "compared", name, "stack");
  const callerFolder = join(folder, "compared", name, "caller");
  mkdirSync(callerFolder, { recursive: true });
  cpSync(join(stacksFolder, name), stackFolder, { recursive: true });
  const declared = JSON.parse(readFileSync(join(stackFolder, "cdk.tf.json"), "utf8")) as {
    variable: Readonly<Record<string, object>>;
  };
  const inputs = Object.fromEntries(
    Object.entries(requiredValues).filter(([input]) => input in declared.variable),
  );
  writeFileSync(join(stackFolder, "terraform.tfvars.json"), JSON.stringify(inputs));
  writeFileSync(
    join(callerFolder, "main.tf.json"),
    JSON.stringify({ module: { sms_retry: { source: join(folder, "dist/modules", name), ...inputs } } }),
  );

  const ofStack = await changesOf(stackFolder, "", options);
  same(`what the module ${name} plans`, await changesOf(callerFolder, "module.sms_retry.", options), ofStack);
  check(Object.keys(ofStack).length > 10, `The plan of ${name} is nearly empty.`);
}

/** What is planned, by the address without a prefix, values that are known only after apply included. */
async function changesOf(
  folder: string,
  prefix: string,
  options: Pick<ExamplesOptions, "environment" | "endpoint">,
) {
  const terraform = terraformIn(folder, options);
  await terraform.run(["init"]);
  await terraform.run(["plan", "-out=compared.plan"]);
  const { resource_changes } = await terraform.show<Plan>("compared.plan");
  return Object.fromEntries(
    resource_changes.map(({ address, change: { actions, after, after_unknown } }) => {
      check(address.startsWith(prefix), `The address ${address} does not begin with "${prefix}".`);
      // The path of a zip is where the configuration lies; its hash is compared.
      const { filename: _path, ...rest } = after ?? {};
      const values = Object.fromEntries(
        Object.entries(rest).map(([name, value]) => [
          name,
          jsonAttributes.includes(name) ? parsed(value) : value,
        ]),
      );
      const local = address.slice(prefix.length);
      const comparable = local === readFrom ? { ...values, input: minutesAgo(values.input) } : values;
      return [local, { actions, values: comparable, after_unknown }];
    }),
  );
}

/** The value of a text in JSON, whose keys a module sorts and a stack does not. */
function parsed(value: unknown): unknown {
  return typeof value === "string" && value !== "" ? JSON.parse(value) : value;
}

/** The resource that holds the time of its own plan, less some minutes. */
const readFrom = "terraform_data.stream_read_from";

/** How long ago a time of a plan that was made just now is, in whole minutes: two plans are seconds apart. */
function minutesAgo(time: unknown): number {
  const seconds = (Date.now() - Date.parse(String(time))) / 1000;
  check(seconds > 0, `The time of ${readFrom} is none, or lies in the future.`);
  return Math.floor(seconds / 60);
}

function terraformIn(folder: string, options: Pick<ExamplesOptions, "environment" | "endpoint">): Terraform {
  return new Terraform(folder, environmentOf(options));
}

/** Nothing but the environment leads to the emulated AWS, as no example says where AWS is. */
function environmentOf({ environment, endpoint }: Pick<ExamplesOptions, "environment" | "endpoint">) {
  return {
    ...environment,
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: administrator.accessKeyId,
    AWS_SECRET_ACCESS_KEY: administrator.secretAccessKey,
    AWS_REGION: region,
  };
}

/** Values of all inputs that some stack requires. */
const requiredValues = {
  pinpoint_application_id: applicationId,
  kinesis_stream_arn: "arn:aws:kinesis:eu-west-1:123456789012:stream/sms-events",
  firehose_delivery_stream_name: "sms-events",
};
