/** The situations of users, one for each stack. */
import { CreateStreamCommand } from "@aws-sdk/client-kinesis";
import { ListEventSourceMappingsCommand } from "@aws-sdk/client-lambda";
import type { KinesisStreamBatchResponse } from "aws-lambda";
import { eventMatcher } from "../../local/lambda/filter-pattern.ts";
import { accountId, region } from "./emulated-aws.ts";
import { endUserMessagingSituation } from "./end-user-messaging-situation.ts";
import { check, same } from "./expectations.ts";
import { firehoseSituation } from "./firehose-situation.ts";
import { actionsOf, type PlanWithChanges } from "./plan-changes.ts";
import type { Situation, StackRun } from "./stack-run.ts";

const streamName = "sms-events";
const arn = (service: string, resource: string) => `arn:aws:${service}:${region}:${accountId}:${resource}`;

const kinesisOutputs = {
  consumer_function_name: "sms-retry-consume-kinesis",
  event_archive_name: "sms-retry-event-archive",
  events_bucket_name: `sms-retry-events-${accountId}-${region}`,
};

const kinesisFunctions = [
  "aws_lambda_function.consume_kinesis",
  "aws_lambda_function.produce",
  "aws_lambda_function.resend",
];

/** All situations, in the order of the stacks' list. */
export const situations: readonly Situation[] = [
  endUserMessagingSituation,
  {
    stack: "sms-retry-new-stream",
    inputs: {},
    prepare: async () => {},
    outputs: {
      ...kinesisOutputs,
      kinesis_stream_name: "sms-retry-events",
      kinesis_stream_arn: arn("kinesis", "stream/sms-retry-events"),
    },
    functionsWithMaxRetries: kinesisFunctions,
    deliver: (run, event) => deliverByKinesis(run, event, arn("kinesis", "stream/sms-retry-events")),
    async more(run) {
      await run.step("Pinpoint's end is said", () => sayPinpointsEnd(run));
      await run.step("an unknown project leaves little behind", () => refuseUnknownProject(run));
      await run.step("a state from before the input", () => moveEventStream(run));
      await run.step("an event stream that is not managed", () => leaveEventStream(run));
    },
  },
  {
    stack: "sms-retry-kinesis",
    inputs: { kinesis_stream_arn: arn("kinesis", `stream/${streamName}`) },
    async prepare({ clients }) {
      await clients.kinesis.send(new CreateStreamCommand({ StreamName: streamName, ShardCount: 1 }));
    },
    outputs: kinesisOutputs,
    functionsWithMaxRetries: kinesisFunctions,
    deliver: (run, event) => deliverByKinesis(run, event, arn("kinesis", `stream/${streamName}`)),
    async more(run) {
      await run.step("a stream that does not exist", () => refuseUnknownStream(run));
      await run.step("a new mapping skips nothing", () => replaceMapping(run));
      await run.step("a new starting time, when it is asked for", () => replaceStartingTime(run));
    },
  },
  firehoseSituation,
];

async function sayPinpointsEnd({ terraform }: StackRun): Promise<void> {
  const warns = async (...parameters: string[]) =>
    (await terraform.run(["plan", ...parameters])).output.includes("Amazon Pinpoint ended on 2026-10-30");
  check(await warns(), "The plan does not say that Pinpoint has ended.");
  check(!(await warns("-var=manage_event_stream=false")), "The plan warns of what the stack does not do.");
}

async function refuseUnknownProject(run: StackRun): Promise<void> {
  const unknown = await run.another("unknown-project", {
    pinpoint_application_id: "f".repeat(32),
    name_prefix: "sms-unknown",
    deletion_protection: false,
  });
  const { output } = await unknown.run(["apply", "-auto-approve"], [1]);
  check(
    output.includes("f".repeat(32)) && output.includes("Application does not exist"),
    `The apply does not name the project:\n${output}`,
  );
  const left = (await unknown.run(["state", "list"])).output.trim().split("\n");
  const made = left.filter((address) => !address.startsWith("data."));
  check(made.length > 0 && made.length < 20, `What was made: ${made.join(", ")}`);
  check(
    !made.some((address) => /^aws_(dynamodb|lambda|sqs)_/.test(address)),
    `What was made: ${made.join(", ")}`,
  );
  await unknown.run(["destroy", "-auto-approve"]);
}

/** A state in which the event stream has no index yet: nothing happens to it. */
async function moveEventStream({ terraform }: StackRun): Promise<void> {
  await terraform.run(["state", "mv", eventStreamAddress, "aws_pinpoint_event_stream.events"]);
  await terraform.run(["plan", "-out=moved.plan"]);
  same("what is planned", actionsOf(await terraform.show<PlanWithChanges>("moved.plan")), []);
  await terraform.run(["apply", "moved.plan"]);
  await terraform.run(["plan", "-detailed-exitcode"]);
}

/** What docs/operations.md says for an event stream that can no longer be read; then it is managed again. */
async function leaveEventStream(run: StackRun): Promise<void> {
  await run.terraform.run(["state", "rm", eventStreamAddress]);
  const calls = run.aws.calls.length;
  await run.apply({ manage_event_stream: false });
  const asked = run.aws.calls.slice(calls).filter(({ service }) => service === "mobiletargeting");
  same("the calls about the event stream", asked.length, 0);
  await run.apply({});
}

const eventStreamAddress = "aws_pinpoint_event_stream.events[0]";

const mappingAddress = "aws_lambda_event_source_mapping.consume_kinesis";
const startingTimeAddress = "terraform_data.stream_read_from";

/** A wrong name fails at plan, before anything is made. */
async function refuseUnknownStream({ terraform }: StackRun): Promise<void> {
  const unknown = arn("kinesis", "stream/sms-evnets");
  const { output } = await terraform.run(["plan", `-var=kinesis_stream_arn=${unknown}`], [1]);
  check(/sms-evnets.*find/s.test(output), `The plan does not name the stream:\n${output}`);
  // Who has deleted the stream can still remove the stack: without the look at what there is.
  await terraform.run(["plan", "-destroy", "-refresh=false", `-var=kinesis_stream_arn=${unknown}`]);
}

/** UUID of the mapping on the stream, and from when on it reads, in epoch seconds. */
async function mappingOf({ clients }: StackRun): Promise<{ id: unknown; readsFrom: number }> {
  const { EventSourceMappings = [] } = await clients.lambda.send(
    new ListEventSourceMappingsCommand({ EventSourceArn: arn("kinesis", `stream/${streamName}`) }),
  );
  const [mapping, ...others] = EventSourceMappings;
  same("further mappings on the stream", others, []);
  return { id: mapping?.UUID, readsFrom: Number(mapping?.StartingPositionTimestamp) / 1_000 };
}

/** Applies with a resource replaced; what the plan did. */
async function replace(run: StackRun, address: string): Promise<string[]> {
  await run.terraform.run(["plan", `-replace=${address}`, "-out=replace.plan"]);
  const { resource_changes } = await run.terraform.show<PlanWithChanges>("replace.plan");
  await run.terraform.run(["apply", "replace.plan"]);
  await run.terraform.run(["plan", "-detailed-exitcode"]);
  return resource_changes
    .filter(({ change }) => change.actions.includes("create"))
    .map(({ address: replaced, change }) => `${change.actions.join("+")} ${replaced}`);
}

/** Whatever makes the mapping anew, it reads from the first apply on: what came meanwhile is not skipped. */
async function replaceMapping(run: StackRun): Promise<void> {
  const before = await mappingOf(run);
  const ageSeconds = Date.now() / 1_000 - before.readsFrom;
  check(ageSeconds > 300 && ageSeconds < 1_800, `The mapping reads from ${ageSeconds} s ago on.`);
  same("what is replaced", await replace(run, mappingAddress), [`delete+create ${mappingAddress}`]);
  const after = await mappingOf(run);
  check(after.id !== before.id, "There is no new mapping.");
  same("from when on the new mapping reads", after.readsFrom, before.readsFrom);
}

/** Who wants the past left out says so, and the mapping follows. */
async function replaceStartingTime(run: StackRun): Promise<void> {
  const before = await mappingOf(run);
  same("what is replaced", await replace(run, startingTimeAddress), [
    `delete+create ${mappingAddress}`,
    `delete+create ${startingTimeAddress}`,
  ]);
  const after = await mappingOf(run);
  check(after.readsFrom > before.readsFrom, `The new mapping reads from ${after.readsFrom} on.`);
}

async function deliverByKinesis(run: StackRun, event: Buffer, streamArn: string): Promise<void> {
  const FunctionName = String(run.outputs.consumer_function_name);
  const { EventSourceMappings = [] } = await run.clients.lambda.send(
    new ListEventSourceMappingsCommand({ EventSourceArn: streamArn }),
  );
  same(
    "the functions that read the stream",
    EventSourceMappings.map(({ FunctionArn }) => FunctionArn),
    [arn("lambda", `function:${FunctionName}`)],
  );
  const patterns = EventSourceMappings[0]?.FilterCriteria?.Filters?.map(({ Pattern = "" }) => Pattern) ?? [];
  check(
    patterns.length > 0 && eventMatcher(patterns)({ data: JSON.parse(event.toString()) }),
    "The deployed filter does not let the event of a failed message through.",
  );
  const answer = await run.invoke<KinesisStreamBatchResponse>(FunctionName, {
    Records: [
      {
        kinesis: {
          kinesisSchemaVersion: "1.0",
          partitionKey: "one",
          sequenceNumber: "49590338271490256608559692538361571095921575989136588898",
          data: event.toString("base64"),
          approximateArrivalTimestamp: Date.now() / 1000,
        },
        eventSource: "aws:kinesis",
        eventVersion: "1.0",
        eventID: "shardId-000000000000:49590338271490256608559692538361571095921575989136588898",
        eventName: "aws:kinesis:record",
        invokeIdentityArn: `arn:aws:iam::${accountId}:role/${FunctionName}-${region}`,
        awsRegion: region,
        eventSourceARN: streamArn,
      },
    ],
  });
  same(`the answer of consume-kinesis (${run.lastLines()})`, answer, { batchItemFailures: [] });
}
