/** For every input with a validation: values that are accepted and values that are refused. */

/** Cases of one input. */
export interface InputCases {
  /** The first is also what a plan with every input uses. */
  readonly accepted: readonly [unknown, ...unknown[]];
  /** What the input accepts and only a newer provider than the oldest of the range plans. */
  readonly acceptedForNewerProviders?: readonly unknown[];
  readonly refused: readonly [unknown, ...unknown[]];
}

const keyArn = "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d-0000-4000-8000-000000000000";

const poolArn = "arn:aws:sms-voice:eu-west-1:123456789012:pool/pool-0123456789abcdef";

/** The cases, by the name of the input; the edges of a range stand on both sides. */
export const inputCases: Readonly<Record<string, InputCases>> = {
  access_log_bucket_name: {
    accepted: ["platform-access-logs", null, "a.b"],
    refused: ["", "ab", "Logs", "logs-", "arn:aws:s3:::logs"],
  },
  alarm_topic_arn: {
    accepted: ["arn:aws:sns:eu-west-1:123456789012:operators", null],
    refused: ["operators", "arn:aws:sns:eu-west-1:123456789012:operators.fifo"],
  },
  alarms: {
    accepted: [
      { retry_late: { severity: "ticket", threshold: 100 }, sends_only_deferred: { severity: "none" } },
      { retry_queue_age: { threshold: 0 } },
      {},
    ],
    refused: [
      { retry_latte: { severity: "ticket" } },
      { retry_late: { severity: "wake" } },
      { retry_late: { threshold: -1 } },
      // It says yes or no, and has no threshold.
      { sends_only_deferred: { threshold: 5 } },
    ],
  },
  // Lower than every ceiling that the same plan has.
  application_sends_per_second: { accepted: [0.1, 0], refused: [-1, 4000] },
  attempt_validity_seconds: { accepted: [900, 5, 259_200], refused: [4, 259_201, 5.5] },
  archive_retention_days: { accepted: [1, 3650, null], refused: [0, 3651, 1.5] },
  code_signing_config_arn: {
    accepted: ["arn:aws:lambda:eu-west-1:123456789012:code-signing-config:csc-0123456789abcdef0", null],
    refused: ["csc-0123456789abcdef0", "arn:aws:lambda:eu-west-1:123456789012:function:resend", ""],
  },
  configuration_set_name: {
    accepted: ["notices", null, "x".repeat(64)],
    refused: ["", "x".repeat(65), "arn:aws:sms-voice:eu-west-1:123456789012:configuration-set/notices"],
  },
  consumer_concurrency: { accepted: [10, 1], refused: [0, 11, 1.5] },
  default_destination_number: { accepted: ["+14254147755", null], refused: ["14254147755", "+0123", ""] },
  default_message_body: {
    accepted: ["Your code is 1234.", "x".repeat(1600), null],
    refused: ["", "x".repeat(1601)],
  },
  delivery_guarantee: { accepted: ["at-most-once", "at-least-once"], refused: ["exactly-once"] },
  firehose_buffer_interval_seconds: { accepted: [0, 900], refused: [-1, 901, 0.5] },
  firehose_buffer_size_megabytes: { accepted: [0.2, 3], refused: [0.1, 3.1] },
  firehose_delivery_stream_name: {
    accepted: ["sms.events_2026-archive", "x".repeat(64)],
    refused: ["", "x".repeat(65), "arn:aws:firehose:eu-west-1:123456789012:deliverystream/x"],
  },
  firehose_detach_wait_seconds: { accepted: [0, 600], refused: [-1, 601, 0.5] },
  firehose_role_name: {
    accepted: ["archive-delivery", null],
    refused: ["arn:aws:iam::123456789012:role/archive-delivery", "service-role/archive", ""],
  },
  iam_path: {
    accepted: ["/sms/retry/", "/"],
    refused: ["", "sms/", "/sms", "//", "/with space/", `/${"x".repeat(127)}/`],
  },
  kinesis_stream_arn: {
    accepted: [
      "arn:aws:kinesis:eu-west-1:123456789012:stream/sms-events",
      "arn:aws-cn:kinesis:cn-north-1:123456789012:stream/e",
    ],
    refused: ["sms-events", "arn:aws:firehose:eu-west-1:123456789012:deliverystream/sms-events"],
  },
  kinesis_stream_kms_key_arn: {
    accepted: [keyArn, null],
    refused: ["alias/events", keyArn.replace("key/", "alias/")],
  },
  kms_key_arn: { accepted: [keyArn, null], refused: ["alias/sms", keyArn.replace("key/", "alias/")] },
  lambda_runtime: {
    accepted: ["nodejs22.x"],
    acceptedForNewerProviders: ["nodejs24.x", "nodejs26.x"],
    refused: ["nodejs20.x", "python3.13"],
  },
  log_retention_days: { accepted: [3653, 1], refused: [0, 2, 3654] },
  max_price: { accepted: ["0.05", null, ".12345"], refused: ["5", "0.123456", "100.5", ""] },
  max_retries: { accepted: [10, 0], refused: [-1, 11, 2.5] },
  max_sends_per_second: { accepted: [0.5, 4000, 0.2, 1], refused: [0, 0.1, 1.5, 4001] },
  message_validity_seconds: { accepted: [604_800, 1], refused: [0, 604_801, 1.5] },
  name_prefix: {
    accepted: ["sms-2", "ab", `a${"b".repeat(23)}`],
    refused: ["a", "Sms", "sms-", "2sms", `a${"b".repeat(24)}`],
  },
  origination_identities: {
    // Only in a plan without origination_number.
    accepted: [
      [],
      [],
      [],
      [null, "+12065550100", "12345", "NOTICE", poolArn],
      [],
      [],
      [],
      ["pool-0123456789abcdef"],
    ],
    refused: [["with space"], [""], Array.from({ length: 11 }, () => "12345"), [`pool-${"x".repeat(256)}`]],
  },
  origination_identity_arns: {
    accepted: [
      [poolArn],
      [],
      [
        "arn:aws:sms-voice:eu-west-1:123456789012:phone-number/phone-0123456789abcdef",
        "arn:aws-us-gov:sms-voice:us-gov-west-1:123456789012:sender-id/SHOP/GB",
      ],
    ],
    refused: [["+12065550100"], ["arn:aws:sms-voice:eu-west-1:123456789012:phone-number/*"], [keyArn]],
  },
  origination_number: {
    // null in every fourth plan, which has origination_identities.
    accepted: ["+12065550100", "12345", "NOTICE", null],
    refused: ["+0123", "twelve-chars", "", "with space"],
  },
  permissions_boundary_arn: {
    accepted: [
      "arn:aws:iam::123456789012:policy/platform/boundary",
      null,
      "arn:aws:iam::aws:policy/PowerUserAccess",
    ],
    refused: ["boundary", "arn:aws:iam::123456789012:role/boundary", ""],
  },
  pinpoint_application_id: {
    accepted: ["0123456789abcdef0123456789abcdef"],
    refused: ["0123456789ABCDEF0123456789ABCDEF", "0123456789abcdef", ""],
  },
  protect_configuration_id: {
    accepted: ["protect-0123456789abcdef", null],
    refused: ["", "with space", "x".repeat(257)],
  },
  ended_message_retention_days: { accepted: [1, 4, 3_650], refused: [0, 3_651, 1.5] },
  point_in_time_recovery_days: { accepted: [7, 0, 1, 35], refused: [-1, 36, 1.5] },
  receipt_timeout_seconds: { accepted: [0, 300, 259_200], refused: [-1, 1, 299, 259_201, 300.5] },
  reserved_concurrency: {
    accepted: [{ resend: 30, produce: 1 }, {}, { "consume-sns": 10_000 }],
    refused: [{ resend: 0 }, { resend: 1.5 }, { resend: 10_001 }, { sender: 1 }, { resend: null }],
  },
  retry_delays_seconds: {
    accepted: [[0], [86_400, 60], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
    refused: [[], [-1], [86_401], [1.5], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]],
  },
  retryable_statuses: {
    accepted: [["UNREACHABLE"], ["UNKNOWN", "EXPIRED", "BLOCKED"]],
    refused: [
      [],
      ["UNREACHABEL"],
      ["TEXT_UNREACHABLE"],
      ["unreachable"],
      ["SUCCESSFUL"],
      ["UNKNOWN", "OPTOUT"],
      ["DELIVERED"],
      ["INVALID"],
    ],
  },
  // With "end-user-messaging" a configuration set has to be given in the same plan: every plan but one in three.
  sms_service: { accepted: ["end-user-messaging", "pinpoint", "end-user-messaging"], refused: ["sns", ""] },
  stream_shard_count: { accepted: [1, 500, null], refused: [0, 501, 1.5] },
  table_capacity: {
    accepted: [{ read_units: 5, write_units: 5 }, null],
    refused: [
      { read_units: 0, write_units: 5 },
      { read_units: 5, write_units: 1.5 },
    ],
  },
  send_gate_table_name: {
    accepted: ["sms-retry-send-gates", null, "ab_"],
    refused: [
      "",
      "ab",
      "arn:aws:dynamodb:eu-west-1:123456789012:table/sms-retry-send-gates",
      "x".repeat(256),
    ],
  },
  send_rates: {
    accepted: [
      { "+12065550100": 0.2, "12345": 100, SHOP: 1 },
      {},
      { "arn:aws:sms-voice:eu-west-1:123456789012:pool/pool-0123456789abcdef": 4000 },
    ],
    refused: [
      { SHOP: 0.1 },
      { SHOP: 1.5 },
      { SHOP: 4001 },
      { SHOP: null },
      { "with space": 1 },
      Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`id-${index}`, 1])),
    ],
  },
  tags: {
    accepted: [{ "cost-centre": "4711", team: "" }, {}],
    refused: [
      { "aws:team": "sms" },
      { "": "sms" },
      { ["x".repeat(129)]: "sms" },
      { team: "x".repeat(257) },
      Object.fromEntries(Array.from({ length: 41 }, (_, index) => [`tag-${index}`, "x"])),
    ],
  },
  vpc: {
    accepted: [
      { subnet_ids: ["subnet-0a1b2c3d", "subnet-4e5f6071"], security_group_ids: ["sg-0a1b2c3d"] },
      null,
    ],
    refused: [
      { subnet_ids: [], security_group_ids: ["sg-0a1b2c3d"] },
      { subnet_ids: ["subnet-0a1b2c3d"], security_group_ids: [] },
      { subnet_ids: ["vpc-0a1b2c3d"], security_group_ids: ["sg-0a1b2c3d"] },
      { subnet_ids: ["subnet-0a1b2c3d"], security_group_ids: ["default"] },
    ],
  },
  ticket_topic_arn: {
    accepted: ["arn:aws:sns:eu-west-1:123456789012:tickets", null],
    refused: ["tickets", "arn:aws:sns:eu-west-1:123456789012:tickets.fifo"],
  },
  track_deliveries: { accepted: ["none", "all", "retried"], refused: ["some"] },
};

/** The variables of a `cdk.tf.json`, as far as the cases need them. */
export type Variables = Readonly<Record<string, { readonly validation?: unknown }>>;

/** Names of the inputs of a stack that are validated. */
export function validatedInputs(variables: Variables): string[] {
  return Object.entries(variables).flatMap(([name, { validation }]) =>
    validation === undefined ? [] : [name],
  );
}

/** The first accepted value of every validated input of a stack. */
export function everyInput(variables: Variables): Record<string, unknown> {
  return Object.fromEntries(validatedInputs(variables).map((name) => [name, casesOf(name).accepted[0]]));
}

/** A file for `terraform test` that plans with every accepted value; nothing is called, the provider is a mock. */
export function acceptingTest(variables: Variables): string {
  const names = validatedInputs(variables);
  const plans = Math.max(...names.map((name) => casesOf(name).accepted.length));
  const runs = Array.from({ length: plans }, (_, index) => {
    const values = names.map((name) => {
      const { accepted } = casesOf(name);
      return [name, accepted[index % accepted.length]] as const;
    });
    const inputs = Object.fromEntries(values);
    return run(`accepts_${index}`, inputs, warningsOf(variables, inputs));
  });
  return [mockProvider, ...runs].join("\n");
}

/**
 * A file for `terraform test` that expects every refused value to be refused, and by its own input alone, and what
 * needs a newer provider to be accepted. Meant for a configuration of nothing but the variables: each run with a
 * provider would take seconds to start it, and the oldest one refuses values that it does not know.
 */
export function refusingTest(variables: Variables): string {
  return validatedInputs(variables)
    .flatMap((name) => {
      const { refused, acceptedForNewerProviders = [] } = casesOf(name);
      const valuesWith = (value: unknown) => ({ ...everyInput(variables), [name]: value });
      return [
        ...refused.map((value, index) => run(`refuses_${name}_${index}`, valuesWith(value), [`var.${name}`])),
        ...acceptedForNewerProviders.map((value, index) =>
          run(`accepts_${name}_${index}`, valuesWith(value)),
        ),
      ];
    })
    .join("\n");
}

function casesOf(name: string): InputCases {
  const cases = inputCases[name];
  if (cases === undefined) throw new Error(`The input ${name} has a validation and no cases.`);
  return cases;
}

/** The checks that warn: Pinpoint's event streams have ended, and without a topic the alarms notify nobody. */
function warningsOf(variables: Variables, inputs: Readonly<Record<string, unknown>>): string[] {
  return [
    ...("manage_event_stream" in variables ? ["check.pinpoint_event_stream"] : []),
    ...(inputs.alarm_topic_arn === null ? ["check.alarm_topic"] : []),
  ];
}

function run(
  name: string,
  values: Readonly<Record<string, unknown>>,
  failures: readonly string[] = [],
): string {
  const variables = Object.entries(values).map(
    ([input, value]) => `    ${input} = ${JSON.stringify(value)}\n`,
  );
  const expectation = failures.length === 0 ? "" : `  expect_failures = [${failures.join(", ")}]\n`;
  return `run "${name}" {\n  command = plan\n  variables {\n${variables.join("")}  }\n${expectation}}\n`;
}

const prefixes = inputCases.name_prefix?.accepted ?? [];

/** What Cloud Control tells of a stream and of a configuration set, such that no check warns. */
const readAtPlan = {
  ExtendedS3DestinationConfiguration: {
    ProcessingConfiguration: {
      Enabled: true,
      Processors: prefixes.map((prefix) => ({
        Type: "Lambda",
        Parameters: [
          {
            ParameterName: "LambdaArn",
            ParameterValue: `arn:aws:lambda:eu-west-1:123456789012:function:${prefix}-transform-firehose`,
          },
        ],
      })),
    },
  },
  EventDestinations: prefixes.map((prefix) => ({
    Enabled: true,
    SnsDestination: { TopicArn: `arn:aws:sns:eu-west-1:123456789012:${prefix}-sms-events` },
  })),
};

// What is read at plan must have the form that names are made of.
const mockProvider = `mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }
  mock_data "aws_region" {
    defaults = { id = "eu-west-1" }
  }
  mock_data "aws_cloudcontrolapi_resource" {
    defaults = { properties = ${JSON.stringify(JSON.stringify(readAtPlan))} }
  }
}
`;
