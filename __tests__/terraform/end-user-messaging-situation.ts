/** The situation of a user who sends with End User Messaging: with no configuration set, and with one. */
import { ListEventSourceMappingsCommand } from "@aws-sdk/client-lambda";
import {
  CreateConfigurationSetCommand,
  CreateEventDestinationCommand,
  type CreateEventDestinationCommandInput,
} from "@aws-sdk/client-pinpoint-sms-voice-v2";
import { DeleteMessageCommand, GetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import type { SQSBatchResponse } from "aws-lambda";
import { unsigned } from "./aws-call.ts";
import type { EventDestination } from "./configuration-sets.ts";
import { accountId, region } from "./emulated-aws.ts";
import { check, same } from "./expectations.ts";
import { endUserMessagingFailure } from "./failure-event.ts";
import { isAllowed, statementsOf } from "./permissions.ts";
import type { Situation, StackRun } from "./stack-run.ts";
import { unwrapped } from "./terraform.ts";

const arn = (service: string, resource: string) => `arn:aws:${service}:${region}:${accountId}:${resource}`;

/** The set that the stack makes, and one that the user has. */
const madeSet = "sms-retry-sms";
const usersSet = "notices";

const topicArn = arn("sns", "sms-retry-sms-events");
const unprotected = "-var=deletion_protection=false";

/** Stack `sms-retry-end-user-messaging`. */
export const endUserMessagingSituation: Situation = {
  stack: "sms-retry-end-user-messaging",
  inputs: {
    origination_number: "+15550100000",
    // The id of that number, which AWS shows beside it; the roles may send from nothing else.
    origination_identity_arns: [arn("sms-voice", "phone-number/phone-of-15550100000")],
  },
  async prepare({ clients }) {
    await clients.smsVoice.send(new CreateConfigurationSetCommand({ ConfigurationSetName: usersSet }));
  },
  outputs: {
    consumer_function_name: "sms-retry-consume-sns",
    configuration_set_name: madeSet,
    event_archive_name: "sms-retry-event-archive",
    events_bucket_name: `sms-retry-events-${accountId}-${region}`,
    events_topic_arn: topicArn,
  },
  queueOutputs: { events_queue_url: "sms-events", events_dead_letter_queue_url: "sms-events-dead-letters" },
  functionsWithMaxRetries: [
    "aws_lambda_function.consume_sns",
    "aws_lambda_function.produce",
    "aws_lambda_function.resend",
  ],
  failureOf: endUserMessagingFailure,
  deliver: (run, event) => deliverByTopic(run, event),
  async more(run) {
    await run.step("another configuration set is refused", () => refuseRenaming(run));
    await run.step("a set that does not exist", () => refuseUnknownSet(run));
    await run.step("the user's set: applied", () => useOwnSet(run));
    await run.step("the user's set: destination added", () => addDestinations(run));
    await run.step("the user's set: sent again", () => run.retryMessage("order-4712"));
    await run.step("the set of the stack again", () => useMadeSet(run));
  },
  async afterDestroy(run) {
    same("the configuration sets", run.aws.configurationSets.names, [usersSet]);
  },
};

/** Publishes an event as the service does, lets SNS put it on the queue, and hands it over as Lambda does. */
async function deliverByTopic(run: StackRun, event: Buffer): Promise<void> {
  const { eventType } = JSON.parse(event.toString()) as { eventType: string };
  const set = String(run.outputs.configuration_set_name);
  const destinations = run.aws.configurationSets.destinationsOf(set, eventType);
  same("the sinks of the event", destinations.map(sinkOf).sort(), [
    arn("firehose", "deliverystream/sms-retry-event-archive"),
    topicArn,
  ]);
  await checkRights(run, set, destinations);
  await publish(run, event.toString());

  const { EventSourceMappings = [] } = await run.clients.lambda.send(
    new ListEventSourceMappingsCommand({ EventSourceArn: arn("sqs", "sms-retry-sms-events") }),
  );
  const functionName = String(run.outputs.consumer_function_name);
  same(
    "the functions that read the queue",
    EventSourceMappings.map(({ FunctionArn, FilterCriteria }) => ({ FunctionArn, FilterCriteria })),
    [{ FunctionArn: arn("lambda", `function:${functionName}`), FilterCriteria: undefined }],
  );
  const Records = await run.queueRecords(run.outputs.events_queue_url);
  same(
    "what SNS put on the queue",
    Records.map(({ body }) => body),
    [event.toString()],
  );
  const answer = await run.invoke<SQSBatchResponse>(functionName, { Records });
  same(`the answer of consume-sns (${run.lastLines()})`, answer, { batchItemFailures: [] });
  for (const { receiptHandle: ReceiptHandle } of Records)
    await run.clients.sqs.send(
      new DeleteMessageCommand({ QueueUrl: String(run.outputs.events_queue_url), ReceiptHandle }),
    );
}

/** SNS's Publish, in its query protocol; the project has no client of SNS. */
async function publish({ aws }: StackRun, Message: string): Promise<void> {
  const parameters = { Action: "Publish", Version: "2010-03-31", TopicArn: topicArn, Message };
  const { status } = await fetch(aws.endpoint, {
    method: "POST",
    headers: { ...unsigned("sns", region), "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams(parameters).toString(),
  });
  same("the status of SNS's answer", status, 200);
}

function sinkOf({ SnsDestination, KinesisFirehoseDestination }: EventDestination): string {
  return SnsDestination?.TopicArn ?? KinesisFirehoseDestination?.DeliveryStreamArn ?? "";
}

/** Whether AWS would let the service publish, SNS fill the queues, and the service put a record. */
async function checkRights(
  run: StackRun,
  set: string,
  destinations: readonly EventDestination[],
): Promise<void> {
  const context = {
    "aws:SourceAccount": accountId,
    "aws:SourceArn": arn("sms-voice", `configuration-set/${set}`),
  };
  const mayPublish = statementsOf(await topicPolicy(run)).filter(
    ({ Principal }) => Object(Principal).Service === "sms-voice.amazonaws.com",
  );
  const publishing = { action: "sns:Publish", resources: [topicArn], context };
  check(isAllowed(mayPublish, publishing), "The service may not publish to the topic.");
  const ofAnother = { ...context, "aws:SourceArn": arn("sms-voice", "configuration-set/another") };
  check(
    !isAllowed(mayPublish, { ...publishing, context: ofAnother }),
    "The service may publish to the topic for another configuration set.",
  );
  for (const output of ["events_queue_url", "events_dead_letter_queue_url"]) {
    const { Attributes = {} } = await run.clients.sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl: String(run.outputs[output]),
        AttributeNames: ["Policy", "QueueArn"],
      }),
    );
    const filling = statementsOf(String(Attributes.Policy)).filter(
      ({ Principal }) => Object(Principal).Service === "sns.amazonaws.com",
    );
    const need = { action: "sqs:SendMessage", resources: [String(Attributes.QueueArn)] };
    check(
      isAllowed(filling, { ...need, context: { "aws:SourceArn": topicArn } }),
      `SNS may not fill ${output}.`,
    );
  }
  const role = destinations.find(({ KinesisFirehoseDestination }) => KinesisFirehoseDestination)
    ?.KinesisFirehoseDestination?.IamRoleArn;
  const putting = {
    action: "firehose:PutRecord",
    resources: [arn("firehose", "deliverystream/sms-retry-event-archive")],
  };
  check(
    isAllowed(await run.aws.statementsOfRole(String(role?.split("/").at(-1))), putting),
    "The service may not put events into the archive.",
  );
}

async function topicPolicy(run: StackRun): Promise<string> {
  const { output } = await run.terraform.run(["show", "-json"]);
  const { values } = JSON.parse(output) as {
    values: { root_module: { resources: readonly { address: string; values: { policy?: string } }[] } };
  };
  const found = values.root_module.resources.find(
    ({ address }) => address === "aws_sns_topic_policy.sms_events",
  );
  return String(found?.values.policy);
}

async function refuseRenaming({ terraform }: StackRun): Promise<void> {
  const { output } = await terraform.run(["plan", `-var=configuration_set_name=${usersSet}`], [1]);
  check(
    unwrapped(output).includes("The configuration set would become another one"),
    `The plan does not say what would be lost:\n${output}`,
  );
}

async function refuseUnknownSet({ terraform }: StackRun): Promise<void> {
  const { output } = await terraform.run(["plan", unprotected, "-var=configuration_set_name=nowhere"], [1]);
  check(/nowhere/.test(output) && /find|exist/.test(output), `The plan does not name the set:\n${output}`);
}

const ownSet = { configuration_set_name: usersSet };

async function useOwnSet(run: StackRun): Promise<void> {
  const output = await run.apply({ ...ownSet, deletion_protection: false });
  check(
    unwrapped(output).includes(`The configuration set ${usersSet} sends no events to this stack`),
    `There is no warning:\n${output}`,
  );
  same("the configuration sets", run.aws.configurationSets.names, [usersSet]);
  same("the output configuration_set_name", run.outputs.configuration_set_name, usersSet);
}

/** Does what the outputs tell a user to do. */
async function addDestinations(run: StackRun): Promise<void> {
  const hcl = String(run.outputs.event_destination_hcl);
  const commands = String(run.outputs.event_destination_commands).split("\n");
  for (const command of commands) {
    const input = destinationOf(command);
    for (const text of [input.EventDestinationName, ...(input.MatchingEventTypes ?? [])])
      check(hcl.includes(`"${text}"`), `The HCL does not have ${text}:\n${hcl}`);
    await run.clients.smsVoice.send(new CreateEventDestinationCommand(input));
  }
  const { output } = await run.terraform.run([
    "plan",
    "-detailed-exitcode",
    `-var=configuration_set_name=${usersSet}`,
    unprotected,
  ]);
  check(!output.includes("sends no events"), `There is still a warning:\n${output}`);
}

/** The call that a command of AWS's command line makes. */
function destinationOf(command: string): CreateEventDestinationCommandInput {
  const option = (name: string) => new RegExp(`--${name} (.*?)(?= --|$)`).exec(command)?.[1];
  const sink = (text: string | undefined) =>
    text === undefined ? undefined : Object.fromEntries(text.split(",").map((pair) => pair.split("=")));
  check(command.startsWith("aws pinpoint-sms-voice-v2 create-event-destination "), command);
  return {
    ConfigurationSetName: option("configuration-set-name"),
    EventDestinationName: option("event-destination-name"),
    MatchingEventTypes: option("matching-event-types")?.split(
      " ",
    ) as CreateEventDestinationCommandInput["MatchingEventTypes"],
    ...(option("sns-destination") && { SnsDestination: sink(option("sns-destination")) }),
    ...(option("kinesis-firehose-destination") && {
      KinesisFirehoseDestination: sink(option("kinesis-firehose-destination")),
    }),
  } as CreateEventDestinationCommandInput;
}

/** Back to the inputs of the first apply, and protected again. */
async function useMadeSet(run: StackRun): Promise<void> {
  await run.apply({ deletion_protection: false });
  await run.apply({});
  same("the configuration sets", run.aws.configurationSets.names, [usersSet, madeSet]);
  await run.terraform.run(["plan", "-detailed-exitcode"]);
}
