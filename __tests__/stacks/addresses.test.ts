import { type StackName, stackNames } from "../../stacks/app.ts";
import { addressesOf, resource, type SynthesisedStack, synthesiseAll } from "./synthesised.ts";

let stacks: Record<StackName, SynthesisedStack>;
beforeAll(() => {
  stacks = synthesiseAll();
});

const inputsOf = (variable: SynthesisedStack["variable"]): string[] =>
  Object.entries(variable).map(
    ([name, input]) =>
      `${name}: ${input.type}${"default" in input ? ` = ${JSON.stringify(input.default)}` : ""}`,
  );

// A changed line here destroys and creates the resource of everybody who has deployed the stack.
test("the stack for an existing Kinesis stream has exactly these resources", () => {
  expect(addressesOf(stacks["sms-retry-kinesis"])).toMatchInlineSnapshot(`
    [
      "aws_cloudwatch_log_group.consume_kinesis",
      "aws_cloudwatch_log_group.event_archive",
      "aws_cloudwatch_log_group.produce",
      "aws_cloudwatch_log_group.resend",
      "aws_cloudwatch_log_stream.event_archive",
      "aws_cloudwatch_metric_alarm.consume_kinesis_dropped",
      "aws_cloudwatch_metric_alarm.consume_kinesis_errors",
      "aws_cloudwatch_metric_alarm.consume_kinesis_event_orphaned",
      "aws_cloudwatch_metric_alarm.consume_kinesis_given_up",
      "aws_cloudwatch_metric_alarm.consume_kinesis_iterator_age",
      "aws_cloudwatch_metric_alarm.consume_kinesis_not_reading",
      "aws_cloudwatch_metric_alarm.consume_kinesis_throttles",
      "aws_cloudwatch_metric_alarm.event_archive_behind",
      "aws_cloudwatch_metric_alarm.event_archive_freshness",
      "aws_cloudwatch_metric_alarm.event_archive_not_reading",
      "aws_cloudwatch_metric_alarm.item_status_unknown",
      "aws_cloudwatch_metric_alarm.item_unreadable",
      "aws_cloudwatch_metric_alarm.message_table_capacity",
      "aws_cloudwatch_metric_alarm.message_table_throttled",
      "aws_cloudwatch_metric_alarm.messages_lost",
      "aws_cloudwatch_metric_alarm.possible_duplicates",
      "aws_cloudwatch_metric_alarm.produce_errors",
      "aws_cloudwatch_metric_alarm.produce_throttles",
      "aws_cloudwatch_metric_alarm.record_malformed",
      "aws_cloudwatch_metric_alarm.resend_errors",
      "aws_cloudwatch_metric_alarm.resend_event_orphaned",
      "aws_cloudwatch_metric_alarm.resend_throttles",
      "aws_cloudwatch_metric_alarm.retry_dead_letters",
      "aws_cloudwatch_metric_alarm.retry_late",
      "aws_cloudwatch_metric_alarm.retry_message_failed",
      "aws_cloudwatch_metric_alarm.retry_queue_age",
      "aws_cloudwatch_metric_alarm.retry_schedule_dropped",
      "aws_cloudwatch_metric_alarm.retry_schedule_errors",
      "aws_cloudwatch_metric_alarm.send_blocked",
      "aws_cloudwatch_metric_alarm.send_breaker_closed",
      "aws_cloudwatch_metric_alarm.send_paused_without_end",
      "aws_cloudwatch_metric_alarm.sends_only_deferred",
      "aws_dynamodb_table.deletion_guard",
      "aws_dynamodb_table.message_state",
      "aws_dynamodb_table.send_gates",
      "aws_iam_role.consume_kinesis",
      "aws_iam_role.event_archive",
      "aws_iam_role.produce",
      "aws_iam_role.resend",
      "aws_iam_role.retry_scheduler",
      "aws_iam_role_policy.consume_kinesis",
      "aws_iam_role_policy.consume_kinesis_key",
      "aws_iam_role_policy.consume_kinesis_stream_key",
      "aws_iam_role_policy.consume_kinesis_tracing",
      "aws_iam_role_policy.consume_kinesis_vpc",
      "aws_iam_role_policy.event_archive",
      "aws_iam_role_policy.event_archive_key",
      "aws_iam_role_policy.event_archive_stream_key",
      "aws_iam_role_policy.produce",
      "aws_iam_role_policy.produce_key",
      "aws_iam_role_policy.produce_tracing",
      "aws_iam_role_policy.produce_vpc",
      "aws_iam_role_policy.resend",
      "aws_iam_role_policy.resend_key",
      "aws_iam_role_policy.resend_tracing",
      "aws_iam_role_policy.resend_vpc",
      "aws_iam_role_policy.retry_scheduler",
      "aws_iam_role_policy.retry_scheduler_key",
      "aws_kinesis_firehose_delivery_stream.event_archive",
      "aws_lambda_event_source_mapping.consume_kinesis",
      "aws_lambda_event_source_mapping.resend",
      "aws_lambda_function.consume_kinesis",
      "aws_lambda_function.produce",
      "aws_lambda_function.resend",
      "aws_s3_bucket.events",
      "aws_s3_bucket_lifecycle_configuration.events",
      "aws_s3_bucket_logging.events",
      "aws_s3_bucket_ownership_controls.events",
      "aws_s3_bucket_policy.events",
      "aws_s3_bucket_public_access_block.events",
      "aws_s3_bucket_server_side_encryption_configuration.events",
      "aws_scheduler_schedule_group.retries",
      "aws_sqs_queue.retry",
      "aws_sqs_queue.retry_dead_letters",
      "aws_sqs_queue_policy.retry",
      "aws_sqs_queue_policy.retry_dead_letters",
      "aws_sqs_queue_redrive_allow_policy.retry_dead_letters",
      "terraform_data.name_prefix",
      "terraform_data.stream_read_from",
    ]
  `);
});

test("the stack for a new stream has the same resources, the stream and what fills it", () => {
  const shared = new Set(addressesOf(stacks["sms-retry-kinesis"]));
  const own = addressesOf(stacks["sms-retry-new-stream"]);
  expect(own.filter((address) => !shared.has(address))).toMatchInlineSnapshot(`
    [
      "aws_iam_role.pinpoint_event_stream",
      "aws_iam_role_policy.pinpoint_event_stream",
      "aws_iam_role_policy.pinpoint_event_stream_key",
      "aws_kinesis_stream.events",
      "aws_pinpoint_event_stream.events",
    ]
  `);
  expect([...shared].filter((address) => !own.includes(address))).toMatchInlineSnapshot(`
    [
      "aws_iam_role_policy.consume_kinesis_stream_key",
      "aws_iam_role_policy.event_archive_stream_key",
    ]
  `);
});

// A removed or renamed input or output breaks the configuration of everybody who sets or reads it.
test("the stack for an existing Kinesis stream has exactly these inputs and outputs", () => {
  const { variable, output } = stacks["sms-retry-kinesis"];
  expect(inputsOf(variable)).toMatchInlineSnapshot(`
    [
      "access_log_bucket_name: string = null",
      "alarm_topic_arn: string = null",
      "alarms: map(object({ severity = optional(string), threshold = optional(number) })) = {}",
      "application_sends_per_second: number = 0",
      "archive_retention_days: number = 365",
      "code_signing_config_arn: string = null",
      "consumer_concurrency: number = 1",
      "default_destination_number: string = null",
      "default_message_body: string = null",
      "deletion_protection: bool = true",
      "delivery_guarantee: string = "at-least-once"",
      "encrypt_with_kms_key: bool = null",
      "ended_message_retention_days: number = 4",
      "iam_path: string = "/"",
      "kinesis_stream_arn: string",
      "kinesis_stream_kms_key_arn: string = null",
      "kms_key_arn: string = null",
      "lambda_runtime: string = "nodejs22.x"",
      "log_retention_days: number = 30",
      "max_retries: number = 3",
      "max_sends_per_second: number = 10",
      "message_validity_seconds: number = 86400",
      "name_prefix: string = "sms-retry"",
      "origination_identities: list(string) = []",
      "origination_number: string = null",
      "permissions_boundary_arn: string = null",
      "pinpoint_application_id: string",
      "point_in_time_recovery_days: number = 35",
      "receipt_timeout_seconds: number = 0",
      "reserved_concurrency: map(number) = {}",
      "retry_delays_seconds: list(number) = [60,300,900]",
      "retryable_statuses: list(string) = ["UNREACHABLE","UNKNOWN","CARRIER_UNREACHABLE","TTL_EXPIRED"]",
      "send_gate_table_name: string = null",
      "send_rates: map(number) = {}",
      "sending_enabled: bool = true",
      "shadow_mode: bool = false",
      "table_capacity: object({ read_units = number, write_units = number }) = null",
      "tags: map(string) = {}",
      "ticket_topic_arn: string = null",
      "tracing: bool = false",
      "track_deliveries: string = "retried"",
      "vpc: object({ subnet_ids = list(string), security_group_ids = list(string) }) = null",
    ]
  `);
  expect(Object.keys(output)).toMatchInlineSnapshot(`
    [
      "consumer_function_name",
      "dead_letter_queue_arn",
      "dead_letter_queue_url",
      "event_archive_name",
      "events_bucket_name",
      "message_table_arn",
      "message_table_name",
      "produce_function_arn",
      "produce_function_name",
      "resend_function_name",
      "retry_queue_arn",
      "retry_queue_url",
      "send_gate_table_name",
    ]
  `);
});

test("the stack for a new stream differs from it only in what concerns the stream", () => {
  const existing = stacks["sms-retry-kinesis"];
  const created = stacks["sms-retry-new-stream"];
  const onlyIn = (a: object, b: object) => Object.keys(a).filter((name) => !(name in b));
  expect(onlyIn(created.variable, existing.variable)).toEqual(["manage_event_stream", "stream_shard_count"]);
  expect(onlyIn(existing.variable, created.variable)).toEqual([
    "kinesis_stream_arn",
    "kinesis_stream_kms_key_arn",
  ]);
  expect(onlyIn(created.output, existing.output)).toEqual(["kinesis_stream_arn", "kinesis_stream_name"]);
  expect(onlyIn(existing.output, created.output)).toEqual([]);
});

// A changed line here destroys and creates the resource of everybody who has deployed the stack.
test("the Firehose stack has what the others share, the transformation and what attaches it", () => {
  const kinesis = new Set(addressesOf(stacks["sms-retry-kinesis"]));
  const own = addressesOf(stacks["sms-retry-firehose"]);
  expect(own.filter((address) => !kinesis.has(address))).toMatchInlineSnapshot(`
    [
      "aws_cloudwatch_log_group.attach_transformation",
      "aws_cloudwatch_log_group.transform_firehose",
      "aws_cloudwatch_metric_alarm.firehose_processing",
      "aws_cloudwatch_metric_alarm.send_blocked_for_some",
      "aws_cloudwatch_metric_alarm.sends_without_events",
      "aws_cloudwatch_metric_alarm.transform_firehose_duration",
      "aws_cloudwatch_metric_alarm.transform_firehose_errors",
      "aws_cloudwatch_metric_alarm.transform_firehose_event_failed",
      "aws_cloudwatch_metric_alarm.transform_firehose_event_orphaned",
      "aws_cloudwatch_metric_alarm.transform_firehose_not_called",
      "aws_cloudwatch_metric_alarm.transform_firehose_settings_invalid",
      "aws_cloudwatch_metric_alarm.transform_firehose_throttles",
      "aws_iam_role.attach_transformation",
      "aws_iam_role.transform_firehose",
      "aws_iam_role_policy.attach_transformation",
      "aws_iam_role_policy.attach_transformation_key",
      "aws_iam_role_policy.attach_transformation_role",
      "aws_iam_role_policy.attach_transformation_stream",
      "aws_iam_role_policy.attach_transformation_tracing",
      "aws_iam_role_policy.attach_transformation_vpc",
      "aws_iam_role_policy.firehose_role",
      "aws_iam_role_policy.produce_sms_voice",
      "aws_iam_role_policy.resend_sms_voice",
      "aws_iam_role_policy.transform_firehose",
      "aws_iam_role_policy.transform_firehose_key",
      "aws_iam_role_policy.transform_firehose_tracing",
      "aws_iam_role_policy.transform_firehose_vpc",
      "aws_lambda_function.attach_transformation",
      "aws_lambda_function.transform_firehose",
      "aws_lambda_invocation.attach_transformation",
      "aws_lambda_invocation.recheck_transformation",
    ]
  `);
  expect(own.filter((address) => kinesis.has(address))).toMatchInlineSnapshot(`
    [
      "aws_cloudwatch_log_group.produce",
      "aws_cloudwatch_log_group.resend",
      "aws_cloudwatch_metric_alarm.item_status_unknown",
      "aws_cloudwatch_metric_alarm.item_unreadable",
      "aws_cloudwatch_metric_alarm.message_table_capacity",
      "aws_cloudwatch_metric_alarm.message_table_throttled",
      "aws_cloudwatch_metric_alarm.messages_lost",
      "aws_cloudwatch_metric_alarm.possible_duplicates",
      "aws_cloudwatch_metric_alarm.produce_errors",
      "aws_cloudwatch_metric_alarm.produce_throttles",
      "aws_cloudwatch_metric_alarm.record_malformed",
      "aws_cloudwatch_metric_alarm.resend_errors",
      "aws_cloudwatch_metric_alarm.resend_event_orphaned",
      "aws_cloudwatch_metric_alarm.resend_throttles",
      "aws_cloudwatch_metric_alarm.retry_dead_letters",
      "aws_cloudwatch_metric_alarm.retry_late",
      "aws_cloudwatch_metric_alarm.retry_message_failed",
      "aws_cloudwatch_metric_alarm.retry_queue_age",
      "aws_cloudwatch_metric_alarm.retry_schedule_dropped",
      "aws_cloudwatch_metric_alarm.retry_schedule_errors",
      "aws_cloudwatch_metric_alarm.send_blocked",
      "aws_cloudwatch_metric_alarm.send_breaker_closed",
      "aws_cloudwatch_metric_alarm.send_paused_without_end",
      "aws_cloudwatch_metric_alarm.sends_only_deferred",
      "aws_dynamodb_table.deletion_guard",
      "aws_dynamodb_table.message_state",
      "aws_dynamodb_table.send_gates",
      "aws_iam_role.produce",
      "aws_iam_role.resend",
      "aws_iam_role.retry_scheduler",
      "aws_iam_role_policy.produce",
      "aws_iam_role_policy.produce_key",
      "aws_iam_role_policy.produce_tracing",
      "aws_iam_role_policy.produce_vpc",
      "aws_iam_role_policy.resend",
      "aws_iam_role_policy.resend_key",
      "aws_iam_role_policy.resend_tracing",
      "aws_iam_role_policy.resend_vpc",
      "aws_iam_role_policy.retry_scheduler",
      "aws_iam_role_policy.retry_scheduler_key",
      "aws_lambda_event_source_mapping.resend",
      "aws_lambda_function.produce",
      "aws_lambda_function.resend",
      "aws_scheduler_schedule_group.retries",
      "aws_sqs_queue.retry",
      "aws_sqs_queue.retry_dead_letters",
      "aws_sqs_queue_policy.retry",
      "aws_sqs_queue_policy.retry_dead_letters",
      "aws_sqs_queue_redrive_allow_policy.retry_dead_letters",
      "terraform_data.name_prefix",
    ]
  `);
});

test("the Firehose stack differs in inputs and outputs by the stream and by the second sender", () => {
  const kinesis = stacks["sms-retry-kinesis"];
  const { variable, output } = stacks["sms-retry-firehose"];
  const own = Object.entries(variable).filter(([name]) => !(name in kinesis.variable));
  expect(inputsOf(Object.fromEntries(own))).toMatchInlineSnapshot(`
    [
      "attempt_validity_seconds: number = 900",
      "configuration_set_name: string = null",
      "firehose_buffer_interval_seconds: number = 60",
      "firehose_buffer_size_megabytes: number = 1",
      "firehose_delivery_stream_name: string",
      "firehose_detach_wait_seconds: number = 180",
      "firehose_drop_retried_events: bool = true",
      "firehose_plan_check: bool = true",
      "firehose_role_name: string = null",
      "max_price: string = null",
      "message_feedback_enabled: bool = false",
      "origination_identity_arns: list(string) = []",
      "protect_configuration_id: string = null",
      "sms_service: string = "pinpoint"",
    ]
  `);
  expect(Object.keys(kinesis.variable).filter((name) => !(name in variable))).toMatchInlineSnapshot(`
    [
      "access_log_bucket_name",
      "archive_retention_days",
      "consumer_concurrency",
      "kinesis_stream_arn",
      "kinesis_stream_kms_key_arn",
    ]
  `);
  expect(Object.keys(output).filter((name) => !(name in kinesis.output))).toMatchInlineSnapshot(`
    [
      "firehose_attached",
      "firehose_attachment_reason",
      "transformation_function_arn",
    ]
  `);
  expect(Object.keys(kinesis.output).filter((name) => !(name in output))).toMatchInlineSnapshot(`
    [
      "event_archive_name",
      "events_bucket_name",
    ]
  `);
});

// A changed line here destroys and creates the resource of everybody who has deployed the stack.
test("the End User Messaging stack has what all share, and the way of the events", () => {
  const shared = new Set(addressesOf(stacks["sms-retry-firehose"]));
  const own = addressesOf(stacks["sms-retry-end-user-messaging"]);
  expect(own.filter((address) => !shared.has(address))).toMatchInlineSnapshot(`
    [
      "aws_cloudcontrolapi_resource.configuration_set",
      "aws_cloudwatch_log_group.consume_sns",
      "aws_cloudwatch_log_group.event_archive",
      "aws_cloudwatch_log_stream.event_archive",
      "aws_cloudwatch_metric_alarm.consume_sns_errors",
      "aws_cloudwatch_metric_alarm.consume_sns_event_orphaned",
      "aws_cloudwatch_metric_alarm.consume_sns_throttles",
      "aws_cloudwatch_metric_alarm.event_archive_freshness",
      "aws_cloudwatch_metric_alarm.event_archive_refused",
      "aws_cloudwatch_metric_alarm.sms_events_age",
      "aws_cloudwatch_metric_alarm.sms_events_dead_letters",
      "aws_cloudwatch_metric_alarm.sms_events_not_queued",
      "aws_iam_role.consume_sns",
      "aws_iam_role.event_archive",
      "aws_iam_role.event_archive_writer",
      "aws_iam_role_policy.consume_sns",
      "aws_iam_role_policy.consume_sns_key",
      "aws_iam_role_policy.consume_sns_tracing",
      "aws_iam_role_policy.consume_sns_vpc",
      "aws_iam_role_policy.event_archive",
      "aws_iam_role_policy.event_archive_key",
      "aws_iam_role_policy.event_archive_writer",
      "aws_kinesis_firehose_delivery_stream.event_archive",
      "aws_lambda_event_source_mapping.consume_sns",
      "aws_lambda_function.consume_sns",
      "aws_s3_bucket.events",
      "aws_s3_bucket_lifecycle_configuration.events",
      "aws_s3_bucket_logging.events",
      "aws_s3_bucket_ownership_controls.events",
      "aws_s3_bucket_policy.events",
      "aws_s3_bucket_public_access_block.events",
      "aws_s3_bucket_server_side_encryption_configuration.events",
      "aws_sns_topic.sms_events",
      "aws_sns_topic_policy.sms_events",
      "aws_sns_topic_subscription.sms_events",
      "aws_sqs_queue.sms_events",
      "aws_sqs_queue.sms_events_dead_letters",
      "aws_sqs_queue_policy.sms_events",
      "aws_sqs_queue_policy.sms_events_dead_letters",
      "aws_sqs_queue_redrive_allow_policy.sms_events_dead_letters",
      "terraform_data.configuration_set",
    ]
  `);
  expect([...shared].filter((address) => !own.includes(address))).toMatchInlineSnapshot(`
    [
      "aws_cloudwatch_log_group.attach_transformation",
      "aws_cloudwatch_log_group.transform_firehose",
      "aws_cloudwatch_metric_alarm.firehose_processing",
      "aws_cloudwatch_metric_alarm.transform_firehose_duration",
      "aws_cloudwatch_metric_alarm.transform_firehose_errors",
      "aws_cloudwatch_metric_alarm.transform_firehose_event_failed",
      "aws_cloudwatch_metric_alarm.transform_firehose_event_orphaned",
      "aws_cloudwatch_metric_alarm.transform_firehose_not_called",
      "aws_cloudwatch_metric_alarm.transform_firehose_settings_invalid",
      "aws_cloudwatch_metric_alarm.transform_firehose_throttles",
      "aws_iam_role.attach_transformation",
      "aws_iam_role.transform_firehose",
      "aws_iam_role_policy.attach_transformation",
      "aws_iam_role_policy.attach_transformation_key",
      "aws_iam_role_policy.attach_transformation_role",
      "aws_iam_role_policy.attach_transformation_stream",
      "aws_iam_role_policy.attach_transformation_tracing",
      "aws_iam_role_policy.attach_transformation_vpc",
      "aws_iam_role_policy.firehose_role",
      "aws_iam_role_policy.produce_sms_voice",
      "aws_iam_role_policy.resend_sms_voice",
      "aws_iam_role_policy.transform_firehose",
      "aws_iam_role_policy.transform_firehose_key",
      "aws_iam_role_policy.transform_firehose_tracing",
      "aws_iam_role_policy.transform_firehose_vpc",
      "aws_lambda_function.attach_transformation",
      "aws_lambda_function.transform_firehose",
      "aws_lambda_invocation.attach_transformation",
      "aws_lambda_invocation.recheck_transformation",
    ]
  `);
});

test("the End User Messaging stack differs in inputs and outputs by sender and events", () => {
  const kinesis = stacks["sms-retry-kinesis"];
  const { variable, output } = stacks["sms-retry-end-user-messaging"];
  const own = Object.entries(variable).filter(([name]) => !(name in kinesis.variable));
  expect(inputsOf(Object.fromEntries(own))).toMatchInlineSnapshot(`
    [
      "attempt_validity_seconds: number = 900",
      "configuration_set_name: string = null",
      "max_price: string = null",
      "message_feedback_enabled: bool = false",
      "origination_identity_arns: list(string) = []",
      "protect_configuration_id: string = null",
    ]
  `);
  expect(Object.keys(kinesis.variable).filter((name) => !(name in variable))).toMatchInlineSnapshot(`
    [
      "consumer_concurrency",
      "kinesis_stream_arn",
      "kinesis_stream_kms_key_arn",
      "pinpoint_application_id",
    ]
  `);
  expect(Object.keys(output).filter((name) => !(name in kinesis.output))).toMatchInlineSnapshot(`
    [
      "configuration_set_name",
      "event_destination_commands",
      "event_destination_hcl",
      "events_dead_letter_queue_url",
      "events_queue_url",
      "events_topic_arn",
    ]
  `);
  expect(Object.keys(kinesis.output).filter((name) => !(name in output))).toMatchInlineSnapshot(`[]`);
});

describe.each(stackNames)("inputs and outputs of %s", (name) => {
  test("there are no more inputs than a person can oversee", () => {
    // What a Firehose stream carries may be of either service, so that stack has what both senders need.
    const most = name === "sms-retry-firehose" ? 51 : 44;
    expect(Object.keys(stacks[name].variable).length).toBeLessThanOrEqual(most);
  });

  test("every input has a type, a description in sentences, and says whether it may be null", () => {
    for (const [input, { type, description, nullable }] of Object.entries(stacks[name].variable)) {
      expect({ input, type }).toEqual({
        input,
        type: expect.stringMatching(/^(string|number|bool|list|map|object)/),
      });
      expect({ input, description }).toEqual({
        input,
        description: expect.stringMatching(/^[A-Z].{20,}\.$/),
      });
      expect({ input, nullable }).toEqual({
        input,
        nullable: expect.any(Boolean),
      });
    }
  });

  test("a null default is allowed to be null", () => {
    for (const [input, { default: value, nullable }] of Object.entries(stacks[name].variable))
      if (value === null) expect({ input, nullable }).toEqual({ input, nullable: true });
  });

  test("every input but a boolean is validated, in a sentence that names it", () => {
    for (const [input, { type, validation }] of Object.entries(stacks[name].variable)) {
      if (type === "bool") continue;
      expect({ input, validations: validation?.length }).toEqual({
        input,
        validations: 1,
      });
      expect(validation?.[0]?.error_message).toMatch(new RegExp(`^The input ${input} must .+\\.$`));
      expect(validation?.[0]?.condition).toContain(`var.${input}`);
    }
  });

  test("the text of a message and a phone number are sensitive inputs", () => {
    const { variable } = stacks[name];
    expect(variable.default_message_body?.sensitive).toBe(true);
    expect(variable.default_destination_number?.sensitive).toBe(true);
  });

  test("every output is described", () => {
    for (const [output, { description }] of Object.entries(stacks[name].output))
      expect({ output, description }).toEqual({
        output,
        description: expect.stringMatching(/^[A-Z].{10,}\.$/),
      });
  });
});

// docs/migration.md lets a module's source be changed with the same name_prefix.
test("every stack has what holds messages at the same address, and under the same name", () => {
  const held = [
    "aws_dynamodb_table.message_state",
    "aws_dynamodb_table.send_gates",
    "aws_sqs_queue.retry",
    "aws_sqs_queue.retry_dead_letters",
    "aws_scheduler_schedule_group.retries",
  ];
  const named = (stack: SynthesisedStack) =>
    held.map((address) => [address, resource(stack, address).name ?? "none"]);
  const [first, ...others] = stackNames.map((name) => named(stacks[name]));

  expect(first?.map(([, name]) => name)).not.toContain("none");
  for (const other of others) expect(other).toEqual(first);
  expect(resource(stacks["sms-retry-end-user-messaging"], "aws_s3_bucket.events").bucket).toBe(
    resource(stacks["sms-retry-kinesis"], "aws_s3_bucket.events").bucket,
  );
});
