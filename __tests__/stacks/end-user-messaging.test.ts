/** What is particular to the stack on a configuration set; `test:terraform` applies it. */
import { EventType } from "@aws-sdk/client-pinpoint-sms-voice-v2";
import { timeoutSecondsOf } from "../../functions/contract/environment.ts";
import { matchingEventTypes } from "../../functions/contract/event-destination.ts";
import { eventStatuses } from "../../functions/contract/statuses.ts";
import { hclText } from "../../stacks/inputs/input.ts";
import { resource, type SynthesisedStack, synthesiseAll } from "./synthesised.ts";

let stack: SynthesisedStack;
beforeAll(() => {
  stack = synthesiseAll()["sms-retry-end-user-messaging"];
});

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: these are HCL expressions
const here = "${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}";
const arn = (service: string, name: string) =>
  `arn:\${data.aws_partition.current.partition}:${service}:${here}:${name}`;

describe("the event types that reach the function", () => {
  const types = matchingEventTypes("retried");

  test("the service knows each, takes each in a destination, and takes so many", () => {
    expect(Object.values<string>(EventType)).toEqual(expect.arrayContaining(types));
    expect(types).not.toContain("TEXT_SENT");
    expect(types.length).toBeLessThanOrEqual(43);
  });

  test("every failure is among them, and nothing that says nothing yet", () => {
    const ofClass = (wanted: readonly string[]) =>
      Object.entries(eventStatuses).flatMap(([status, { class: statusClass, formats }]) =>
        wanted.includes(statusClass) && new Set<string>(formats).has("end-user-messaging")
          ? [`TEXT_${status}`]
          : [],
      );
    expect(types).toEqual(
      expect.arrayContaining(ofClass(["retryable", "retryable-if-named", "permanent", "delivered"])),
    );
    for (const type of ofClass(["in-progress"])) expect(types).not.toContain(type);
  });

  test("without tracking of deliveries the successes are left out, and nothing else", () => {
    const left = matchingEventTypes("none");
    const successes = types.filter((type) => !left.includes(type));
    expect(successes).toEqual(expect.arrayContaining(["TEXT_DELIVERED", "TEXT_SUCCESSFUL"]));
    expect(successes.every((type) => /_(DELIVERED|SUCCESSFUL|READ)$/.test(type))).toBe(true);
    expect(matchingEventTypes("all")).toEqual(types);
  });
});

describe("the configuration set", () => {
  const set = () => resource(stack, "aws_cloudcontrolapi_resource.configuration_set");

  test("it is made unless the user has one, after all that its events go to", () => {
    expect(set()).toMatchObject({
      count: "${var.configuration_set_name == null ? 1 : 0}",
      type_name: "AWS::SMSVOICE::ConfigurationSet",
    });
    expect(set().depends_on).toEqual(
      expect.arrayContaining([
        "aws_sns_topic_policy.sms_events",
        "aws_sns_topic_subscription.sms_events",
        "aws_kinesis_firehose_delivery_stream.event_archive",
        "aws_iam_role_policy.event_archive_writer",
      ]),
    );
  });

  test("a plan needs no schema of CloudFormation's, and sees that another name is another set", () => {
    const schema = JSON.parse(String(set().schema));
    expect(schema.createOnlyProperties).toEqual(["/properties/ConfigurationSetName"]);
    expect(schema.primaryIdentifier).toEqual(["/properties/ConfigurationSetName"]);
  });

  test("what matters goes to the topic, everything to the archive, all of it readable in a plan", () => {
    const state = String(set().desired_state);
    expect(state).toContain(JSON.stringify(matchingEventTypes("none")));
    expect(state).toContain(JSON.stringify(matchingEventTypes("all")));
    expect(state).toContain(
      `SnsDestination = {"TopicArn":"${arn("sns", "${aws_sns_topic.sms_events.name}")}"}`,
    );
    expect(state).toContain('MatchingEventTypes = ["TEXT_ALL","RCS_ALL"], KinesisFirehoseDestination = {');
    // An attribute "arn" is known only after the apply.
    expect(state).not.toMatch(/\.arn\b/);
  });

  test("another one is refused at plan, unless the protection is off", () => {
    const { lifecycle } = resource(stack, "aws_sns_topic.sms_events") as {
      lifecycle: { precondition: { condition: string; error_message: string }[] };
    };
    const value =
      'format("%s %s", var.configuration_set_name == null ? "created" : "existing", local.configuration_set_name)';
    expect(lifecycle.precondition.map(({ condition }) => condition)).toEqual([
      `\${!var.deletion_protection || terraform_data.configuration_set.output == ${value}}`,
    ]);
    expect(resource(stack, "terraform_data.configuration_set")).toMatchObject({
      input: `\${${value}}`,
      triggers_replace: `\${var.deletion_protection ? "protected" : ${value}}`,
      lifecycle: { ignore_changes: ["input"] },
    });
  });

  test("a set of the user's is read outside the check, so that a plan can be without changes", () => {
    expect(stack.check?.event_destination?.data).toBeUndefined();
    expect(stack.data.aws_cloudcontrolapi_resource?.configuration_set).toMatchObject({
      count: "${var.configuration_set_name == null ? 0 : 1}",
      identifier: "${var.configuration_set_name}",
    });
  });
});

describe("the way of an event", () => {
  test("the topic is encrypted only with a key of the user's: the service cannot use that of SNS", () => {
    expect(resource(stack, "aws_sns_topic.sms_events").kms_master_key_id).toBe("${var.kms_key_arn}");
  });

  test("the queue gets events as they are, and the dead-letter queue what SNS cannot deliver", () => {
    const subscription = resource(stack, "aws_sns_topic_subscription.sms_events");
    expect(subscription).toMatchObject({
      protocol: "sqs",
      endpoint: arn("sqs", "${aws_sqs_queue.sms_events.name}"),
      raw_message_delivery: true,
      depends_on: ["aws_sqs_queue_policy.sms_events", "aws_sqs_queue_policy.sms_events_dead_letters"],
    });
    expect(JSON.parse(String(subscription.redrive_policy))).toEqual({
      deadLetterTargetArn: arn("sqs", "${aws_sqs_queue.sms_events_dead_letters.name}"),
    });
  });

  test("no event is filtered out, and one that fails does not bring back its neighbours", () => {
    const mapping = resource(stack, "aws_lambda_event_source_mapping.consume_sns");
    expect(mapping).not.toHaveProperty("filter_criteria");
    expect(mapping).toMatchObject({
      event_source_arn: arn("sqs", "${aws_sqs_queue.sms_events.name}"),
      function_response_types: ["ReportBatchItemFailures"],
    });
  });

  test("the queue hides an event for six times the function's time-out and the batching window", () => {
    const { visibility_timeout_seconds, redrive_policy } = resource(stack, "aws_sqs_queue.sms_events");
    const { maximum_batching_window_in_seconds, batch_size } = resource(
      stack,
      "aws_lambda_event_source_mapping.consume_sns",
    );
    expect(visibility_timeout_seconds).toBe(
      6 * timeoutSecondsOf["consume-sns"] + Number(maximum_batching_window_in_seconds),
    );
    // Lambda takes more than ten only with a window.
    expect(Number(batch_size) <= 10 || Number(maximum_batching_window_in_seconds) >= 1).toBe(true);
    // Two hours in which every invocation fails leave nothing in the dead-letter queue.
    const { maxReceiveCount } = JSON.parse(String(redrive_policy));
    expect(Number(visibility_timeout_seconds) * maxReceiveCount).toBeGreaterThan(2 * 3600);
  });

  test("what waits in the archive's buffer is encrypted", () => {
    const archive = resource(stack, "aws_kinesis_firehose_delivery_stream.event_archive");
    expect(archive).not.toHaveProperty("kinesis_source_configuration");
    expect(archive.server_side_encryption).toEqual({
      enabled: true,
      key_type: '${var.kms_key_arn == null ? "AWS_OWNED_CMK" : "CUSTOMER_MANAGED_CMK"}',
      key_arn: "${var.kms_key_arn}",
    });
  });
});

test("an alarm tells that messages are sent for an hour and no event comes", () => {
  const alarm = resource(stack, "aws_cloudwatch_metric_alarm.sends_without_events") as {
    threshold: number;
    comparison_operator: string;
    metric_query: { id: string; expression?: string; return_data?: boolean; metric?: object }[];
  };
  const [verdict, ...sums] = alarm.metric_query;
  expect(alarm).toMatchObject({ comparison_operator: "GreaterThanThreshold", threshold: 0 });
  expect(verdict?.return_data).toBe(true);
  // Every metric of the expression is there, and is looked at for an hour.
  expect(new Set(verdict?.expression?.match(/[a-z]+(?=, 0\))/g))).toEqual(new Set(sums.map(({ id }) => id)));
  for (const { metric } of sums) expect(metric).toMatchObject({ stat: "Sum", period: 3600 });
  expect(sums.map(({ metric }) => metric)).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ metric_name: "Produced", dimensions: { service: "produce" } }),
      expect.objectContaining({ metric_name: "RetrySent", dimensions: { service: "resend" } }),
      expect.objectContaining({ namespace: "AWS/SNS", metric_name: "NumberOfMessagesPublished" }),
      expect.objectContaining({ namespace: "AWS/Firehose", metric_name: "IncomingRecords" }),
    ]),
  );
});

test("a text becomes a literal of HCL in which references stay what they are", () => {
  expect(hclText('one = "${var.a == "x" ? 1 : 2}"\n')).toBe('"one = \\"${var.a == "x" ? 1 : 2}\\"\\n"');
});
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: these are HCL expressions
