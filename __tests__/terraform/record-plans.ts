/**
 * Records the plans that the tests of the plan review read: real ones, of the real provider on the emulated AWS.
 *
 * `node __tests__/terraform/record-plans.ts` writes `__tests__/cli/recorded/<situation>.json`, with only the parts
 * that a review reads; names of stacks as arguments record only theirs. `--calls` prints instead which calls the plans on a finished deployment made.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleFunctions } from "../../cli/bundle.ts";
import type { Plan } from "../../cli/plan-review/plan.ts";
import { type StackName, synthesise } from "../../stacks/app.ts";
import { type EmulatedAws, startEmulatedAws } from "./emulated-aws.ts";
import { killAllGroups } from "./process-groups.ts";
import { providerMirror } from "./provider-mirror.ts";
import { reportTo } from "./report.ts";
import { situations } from "./situations.ts";
import { StackRun } from "./stack-run.ts";
import { terraformEnvironment } from "./terraform.ts";

/** A plan to record: what is planned with which inputs, before or after the stack was applied. */
interface Recording {
  readonly name: string;
  readonly stack: StackName;
  readonly isApplied: boolean;
  readonly parameters: readonly string[];
}

const recordings: readonly Recording[] = [
  {
    name: "end-user-messaging-first",
    stack: "sms-retry-end-user-messaging",
    isApplied: false,
    parameters: [],
  },
  {
    name: "end-user-messaging-fewer-events",
    stack: "sms-retry-end-user-messaging",
    isApplied: true,
    parameters: ["-var=track_deliveries=none"],
  },
  {
    name: "end-user-messaging-other-set",
    stack: "sms-retry-end-user-messaging",
    isApplied: true,
    parameters: ["-var=configuration_set_name=notices", "-var=deletion_protection=false"],
  },
  {
    name: "end-user-messaging-destroy",
    stack: "sms-retry-end-user-messaging",
    isApplied: true,
    parameters: ["-destroy"],
  },
  { name: "new-stream-first", stack: "sms-retry-new-stream", isApplied: false, parameters: [] },
  { name: "new-stream-destroy", stack: "sms-retry-new-stream", isApplied: true, parameters: ["-destroy"] },
  { name: "kinesis-first", stack: "sms-retry-kinesis", isApplied: false, parameters: [] },
  { name: "kinesis-nothing", stack: "sms-retry-kinesis", isApplied: true, parameters: [] },
  {
    name: "kinesis-max-retries",
    stack: "sms-retry-kinesis",
    isApplied: true,
    parameters: ["-var=max_retries=5"],
  },
  {
    name: "kinesis-renamed",
    stack: "sms-retry-kinesis",
    isApplied: true,
    parameters: ["-var=name_prefix=other"],
  },
  { name: "firehose-first", stack: "sms-retry-firehose", isApplied: false, parameters: [] },
  {
    name: "firehose-refused",
    stack: "sms-retry-firehose",
    isApplied: false,
    parameters: ["-var=firehose_delivery_stream_name=sms-events-masked"],
  },
  { name: "firehose-destroy", stack: "sms-retry-firehose", isApplied: true, parameters: ["-destroy"] },
  {
    name: "firehose-other-stream",
    stack: "sms-retry-firehose",
    isApplied: true,
    parameters: ["-var=firehose_delivery_stream_name=sms-events-masked"],
  },
];

const folder = mkdtempSync(join(tmpdir(), "sms-retry-plans-"));
const target = join(import.meta.dirname, "../cli/recorded");
const askedStacks = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const printsCalls = process.argv.includes("--calls");

/** The values that a review reads, by the type of the resource. */
const valuesOf: Readonly<Record<string, readonly string[]>> = {
  aws_kinesis_stream: ["name"],
  aws_pinpoint_event_stream: ["application_id"],
  aws_lambda_event_source_mapping: ["event_source_arn"],
  aws_lambda_invocation: ["triggers"],
  aws_lambda_function: ["function_name"],
  aws_cloudcontrolapi_resource: ["desired_state", "identifier"],
  aws_sns_topic_policy: ["policy"],
};

/** A plan without what a review does not read: bigger, and full of what changes from run to run. */
function trimmed({ variables = {}, resource_changes = [], output_changes = {}, checks = [] }: Plan): Plan {
  const values = (type: string, all: Readonly<Record<string, unknown>> | null | undefined) =>
    all ? Object.fromEntries(Object.entries(all).filter(([name]) => valuesOf[type]?.includes(name))) : null;
  const read = ["pinpoint_application_id", "configuration_set_name"];
  return {
    variables: Object.fromEntries(Object.entries(variables).filter(([name]) => read.includes(name))),
    resource_changes: resource_changes.map(({ address, mode, type, name, change }) => ({
      address,
      mode,
      type,
      name,
      change: {
        actions: change.actions,
        before: values(type, change.before),
        after: values(type, change.after),
        ...(change.replace_paths === undefined ? {} : { replace_paths: change.replace_paths }),
      },
    })),
    output_changes: Object.fromEntries(
      Object.entries(output_changes).map(([name, { actions }]) => [name, { actions }]),
    ),
    checks: checks.filter(({ address }) => address.kind === "check"),
  };
}

async function record(stack: StackName, stacksFolder: string, environment: Readonly<Record<string, string>>) {
  const situation = situations.find((one) => one.stack === stack);
  if (situation === undefined) throw new Error(`There is no situation of ${stack}.`);
  const aws: EmulatedAws = await startEmulatedAws(join(folder, `${stack}-functions`));
  try {
    const runFolder = join(folder, stack);
    mkdirSync(runFolder);
    const report = reportTo((line) => process.stderr.write(`${line}\n`));
    const run = new StackRun(situation, { stacksFolder, folder: runFolder, environment, report, aws });
    await situation.prepare(run);
    await run.terraform.run(["init"]);
    for (const isApplied of [false, true]) {
      if (isApplied) await run.terraform.run(["apply", "-auto-approve"]);
      for (const { name, parameters } of recordings.filter(
        (one) => one.stack === stack && one.isApplied === isApplied,
      )) {
        const before = aws.calls.length;
        await run.terraform.run(["plan", "-out=recorded.plan", ...parameters]);
        if (!printsCalls) {
          const plan = trimmed(await run.terraform.show<Plan>("recorded.plan"));
          writeFileSync(join(target, `${name}.json`), `${JSON.stringify(plan, undefined, 1)}\n`);
        } else if (isApplied) {
          const calls = aws.calls.slice(before).map(({ service, operation, method, target: path }) => {
            // Where no operation is named, the path and its query say which it is.
            const name = operation.includes("/") ? `${method} ${path}` : operation;
            return `${service} ${name}`;
          });
          for (const call of [...new Set(calls)].sort()) process.stdout.write(`${name}: ${call}\n`);
        }
      }
    }
  } finally {
    await aws.close();
  }
}

try {
  const functionsFolder = join(folder, "functions");
  await bundleFunctions(functionsFolder);
  synthesise({ version: "0.0.0-test", functionsFolder }, join(folder, "cdktf.out"));
  const environment = terraformEnvironment(join(folder, "terraform"), providerMirror());
  mkdirSync(target, { recursive: true });
  for (const stack of new Set(recordings.map((recording) => recording.stack)))
    if (askedStacks.length === 0 || askedStacks.includes(stack))
      await record(stack, join(folder, "cdktf.out/stacks"), environment);
} finally {
  killAllGroups();
  rmSync(folder, { recursive: true, force: true });
}
