import { type Plan, reviewPlan } from "./plan-review.ts";

interface Part {
  readonly address: string;
  readonly values?: Readonly<Record<string, unknown>>;
  /** Attributes that refer to another resource, by its address. */
  readonly references?: Readonly<Record<string, string>>;
}

function planOf(parts: readonly Part[], variables: Plan["variables"] = {}): Plan {
  return {
    variables,
    planned_values: {
      root_module: {
        resources: parts.map(({ address, values }) => {
          const [type = "", name = ""] = address.split(".");
          return { address, type, name, mode: "managed", ...(values !== undefined && { values }) };
        }),
      },
    },
    configuration: {
      root_module: {
        resources: parts.map(({ address, references = {} }) => ({
          address,
          expressions: Object.fromEntries(
            Object.entries(references).map(([name, to]) => [name, { references: [`${to}.id`, to] }]),
          ),
        })),
      },
    },
  };
}

const problems = (plan: Plan, isComplete = true): string[] =>
  reviewPlan(plan, { isComplete }).map(({ address, problem }) => `${address} ${problem}`);

const policy = (...Statement: object[]): string => JSON.stringify({ Version: "2012-10-17", Statement });
const keyArn = "arn:aws:kms:eu-west-1:123456789012:key/0a1b";
const withKey = { kms_key_arn: { value: keyArn } };
const tlsOnly = policy({
  Effect: "Deny",
  Principal: "*",
  Action: "*",
  Resource: "*",
  Condition: { Bool: { "aws:SecureTransport": "false" } },
});

describe("rights of a role", () => {
  const right = (statement: object) =>
    problems(planOf([{ address: "aws_iam_role_policy.one", values: { policy: policy(statement) } }]));

  test.each([
    [
      { Effect: "Allow", Action: "dynamodb:*", Resource: "arn:aws:dynamodb:a:1:table/t" },
      "allows the action dynamodb:*",
    ],
    [{ Effect: "Allow", Action: "sqs:SendMessage", Resource: "*" }, "allows sqs:SendMessage on *"],
    [
      { Effect: "Allow", Action: "sqs:SendMessage", Resource: "arn:aws:sqs:eu-west-1:123456789012:*" },
      "allows sqs:SendMessage on arn:aws:sqs:eu-west-1:123456789012:*",
    ],
    [
      { Effect: "Allow", Action: "logs:PutLogEvents", Resource: "arn:aws:logs:*:*:*" },
      "allows logs:PutLogEvents on arn:aws:logs:*:*:*",
    ],
    [
      { Effect: "Allow", Action: "s3:PutObject", Resource: "arn:aws:s3:::events/*" },
      "allows s3:PutObject on arn:aws:s3:::events/*",
    ],
    [{ Effect: "Allow", NotAction: "iam:*", Resource: "arn:aws:s3:::events" }, "allows all actions but some"],
    [
      { Effect: "Allow", Action: "sqs:SendMessage", NotResource: "arn:aws:sqs:a:1:q" },
      "allows something on all resources but some",
    ],
  ])("%j is found", (statement, problem) => {
    expect(right(statement)).toEqual([`aws_iam_role_policy.one ${problem}`]);
  });

  test.each([
    "arn:aws:sqs:eu-west-1:123456789012:sms-retry-retry",
    "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/resend:log-stream:*",
    "arn:aws:scheduler:eu-west-1:123456789012:schedule/sms-retry-retries/*",
    "arn:aws:s3:::sms-retry-events/malformed/*",
  ])("%s is a name, as far as there is one", (Resource) => {
    expect(right({ Effect: "Allow", Action: "some:Action", Resource })).toEqual([]);
  });

  test("a denial may be as wide as it likes", () => {
    expect(right({ Effect: "Deny", Action: "*", Resource: "*" })).toEqual([]);
  });

  test("a policy that nobody can read yet is found as soon as everything should be known", () => {
    const plan = planOf([{ address: "aws_iam_role_policy.one" }]);
    expect(problems(plan)).toEqual(["aws_iam_role_policy.one has a policy that the plan does not tell"]);
    expect(problems(plan, false)).toEqual([]);
  });
});

describe("trust of a role", () => {
  const trust = (Principal: unknown, Condition?: object) =>
    problems(
      planOf([
        {
          address: "aws_iam_role.one",
          values: {
            assume_role_policy: policy({ Effect: "Allow", Principal, Action: "sts:AssumeRole", Condition }),
          },
        },
      ]),
    );

  test.each(["firehose", "pinpoint", "scheduler", "sns", "events", "sms-voice"])(
    "%s has to say for which account it comes",
    (service) => {
      const principal = { Service: `${service}.amazonaws.com` };
      expect(trust(principal)).toEqual([
        `aws_iam_role.one can be assumed by ${service}.amazonaws.com for any account`,
      ]);
      expect(trust(principal, { StringEquals: { "aws:SourceAccount": "123456789012" } })).toEqual([]);
      expect(trust(principal, { StringEquals: { "sts:ExternalId": "123456789012" } })).toEqual([]);
    },
  );

  test("a condition on something else is none", () => {
    expect(
      trust({ Service: "scheduler.amazonaws.com" }, { Bool: { "aws:SecureTransport": "true" } }),
    ).toHaveLength(1);
  });

  test("Lambda does not say, and is believed", () => {
    expect(trust({ Service: "lambda.amazonaws.com" })).toEqual([]);
  });

  test.each(["*", { AWS: "*" }, { AWS: ["*"] }])("%j is everybody", (principal) => {
    expect(trust(principal)).toEqual(["aws_iam_role.one can be assumed by everybody"]);
  });
});

describe("policies of resources", () => {
  test("a function is not for everybody, nor for a service of any account", () => {
    const permission = (values: Record<string, unknown>) =>
      problems(planOf([{ address: "aws_lambda_permission.one", values }]));
    expect(permission({ principal: "*" })).toEqual([
      "aws_lambda_permission.one lets everybody invoke the function",
    ]);
    expect(permission({ principal: "sns.amazonaws.com" })).toEqual([
      "aws_lambda_permission.one lets sns.amazonaws.com invoke the function for any account",
    ]);
    expect(permission({ principal: "sns.amazonaws.com", source_account: "123456789012" })).toEqual([]);
    expect(permission({ principal: "arn:aws:iam::123456789012:role/archive" })).toEqual([]);
  });

  test("a queue or a bucket is not for everybody", () => {
    const open = policy({ Effect: "Allow", Principal: "*", Action: "sqs:SendMessage", Resource: "arn" });
    for (const address of ["aws_sqs_queue_policy.one", "aws_s3_bucket_policy.one"])
      expect(problems(planOf([{ address, values: { policy: open } }]))).toEqual([
        `${address} allows something to everybody`,
      ]);
  });
});

describe("a bucket", () => {
  const bucket = "aws_s3_bucket.events";
  const parts = (changes: Readonly<Record<string, Record<string, unknown> | undefined>> = {}): Part[] => {
    const values: Record<string, Record<string, unknown> | undefined> = {
      aws_s3_bucket_public_access_block: {
        block_public_acls: true,
        block_public_policy: true,
        ignore_public_acls: true,
        restrict_public_buckets: true,
      },
      aws_s3_bucket_server_side_encryption_configuration: {
        rule: [{ apply_server_side_encryption_by_default: [{ sse_algorithm: "AES256" }] }],
      },
      aws_s3_bucket_lifecycle_configuration: { rule: [{ status: "Enabled", expiration: [{ days: 365 }] }] },
      aws_s3_bucket_policy: { policy: tlsOnly },
      ...changes,
    };
    const companions = Object.entries(values).flatMap(([type, each]) =>
      each === undefined ? [] : [{ address: `${type}.events`, values: each, references: { bucket } }],
    );
    return [{ address: bucket, values: {} }, ...companions];
  };

  test("one with everything is fine", () => {
    expect(problems(planOf(parts()))).toEqual([]);
  });

  test.each([
    ["aws_s3_bucket_public_access_block", "does not block every public access"],
    ["aws_s3_bucket_server_side_encryption_configuration", "is not encrypted"],
    ["aws_s3_bucket_lifecycle_configuration", "keeps its objects for ever, and nobody asked for it"],
    ["aws_s3_bucket_policy", "can be reached without TLS"],
  ])("one without %s %s", (type, problem) => {
    expect(problems(planOf(parts({ [type]: undefined })))).toEqual([`${bucket} ${problem}`]);
  });

  test("what belongs to another bucket does not count", () => {
    const plan = planOf([...parts(), { address: "aws_s3_bucket.other", values: {} }]);
    expect(problems(plan)).toHaveLength(4);
  });

  test("one flag of the block is not enough", () => {
    const half = { aws_s3_bucket_public_access_block: { block_public_acls: true } };
    expect(problems(planOf(parts(half)))).toEqual([`${bucket} does not block every public access`]);
  });

  test("a lifecycle that is switched off is one only where the user asked for it", () => {
    const off = {
      aws_s3_bucket_lifecycle_configuration: { rule: [{ status: "Disabled", expiration: [{ days: 365 }] }] },
    };
    expect(problems(planOf(parts(off)))).toHaveLength(1);
    expect(problems(planOf(parts(off), { archive_retention_days: { value: null } }))).toEqual([]);
  });

  test("the key that was given has to be used", () => {
    expect(problems(planOf(parts(), withKey))).toEqual([`${bucket} is not encrypted`]);
  });

  test("a policy that allows others over TLS alone does not refuse the rest", () => {
    const other = {
      aws_s3_bucket_policy: { policy: policy({ Effect: "Deny", Principal: "*", Action: "s3:*" }) },
    };
    expect(problems(planOf(parts(other)))).toEqual([`${bucket} can be reached without TLS`]);
  });

  test("a policy that is not known yet is waited for", () => {
    const unknown = planOf(parts({ aws_s3_bucket_policy: {} }));
    expect(problems(unknown, false)).toEqual([]);
    expect(problems(unknown)).toEqual([
      `${bucket} can be reached without TLS`,
      "aws_s3_bucket_policy.events has a policy that the plan does not tell",
    ]);
  });
});

describe("what keeps data", () => {
  const queuePolicy: Part = {
    address: "aws_sqs_queue_policy.one",
    values: { policy: tlsOnly },
    references: { queue_url: "aws_sqs_queue.one" },
  };
  const queue = { message_retention_seconds: 345_600, sqs_managed_sse_enabled: true };
  const table = { ttl: [{ enabled: true }], point_in_time_recovery: [{ enabled: true }] };
  const stream = { encryption_type: "KMS", kms_key_id: "alias/aws/kinesis", retention_period: 24 };
  const delivery = { kinesis_source_configuration: [{}], extended_s3_configuration: [{}] };

  test.each<[address: string, values: Record<string, unknown>, problem: string]>([
    ["aws_sqs_queue.one", { ...queue, sqs_managed_sse_enabled: false }, "is not encrypted"],
    ["aws_sqs_queue.one", { ...queue, message_retention_seconds: undefined }, "has no retention"],
    ["aws_dynamodb_table.one", { ...table, ttl: [{ enabled: false }] }, "keeps its items for ever"],
    ["aws_dynamodb_table.one", { ...table, point_in_time_recovery: [] }, "has no point-in-time recovery"],
    ["aws_kinesis_stream.one", { ...stream, encryption_type: "NONE" }, "is not encrypted"],
    ["aws_kinesis_stream.one", { ...stream, retention_period: undefined }, "has no retention"],
    [
      "aws_kinesis_firehose_delivery_stream.one",
      { extended_s3_configuration: [{}] },
      "does not encrypt what it buffers",
    ],
    ["aws_cloudwatch_log_group.one", { retention_in_days: 0 }, "keeps its lines for ever"],
  ])("%s with %j %s", (address, values, problem) => {
    const companions = address.startsWith("aws_sqs_queue.") ? [queuePolicy] : [];
    expect(problems(planOf([{ address, values }, ...companions]))).toEqual([`${address} ${problem}`]);
  });

  test("a table whose items pass needs no point-in-time recovery, and all else that a table needs", () => {
    const plan = planOf([
      { address: "aws_dynamodb_table.one", values: { ttl: [{ enabled: false }] } },
      { address: "aws_dynamodb_table.two", values: { ttl: [{ enabled: true }] } },
    ]);
    expect(reviewPlan(plan, { passingTables: ["aws_dynamodb_table.one"] })).toEqual([
      { address: "aws_dynamodb_table.one", problem: "keeps its items for ever" },
      { address: "aws_dynamodb_table.two", problem: "has no point-in-time recovery" },
    ]);
  });

  test("a table that stays empty need not forget, and needs all else that a table needs", () => {
    const plan = planOf([{ address: "aws_dynamodb_table.one" }, { address: "aws_dynamodb_table.two" }]);
    expect(reviewPlan(plan, { emptyTables: ["aws_dynamodb_table.one"] })).toEqual([
      { address: "aws_dynamodb_table.one", problem: "has no point-in-time recovery" },
      { address: "aws_dynamodb_table.two", problem: "keeps its items for ever" },
      { address: "aws_dynamodb_table.two", problem: "has no point-in-time recovery" },
    ]);
  });

  test.each<[address: string, values: Record<string, unknown>, own: Record<string, unknown>]>([
    ["aws_sqs_queue.one", queue, { kms_master_key_id: keyArn }],
    ["aws_dynamodb_table.one", table, { server_side_encryption: [{ enabled: true, kms_key_arn: keyArn }] }],
    ["aws_kinesis_stream.one", stream, { kms_key_id: keyArn }],
    [
      "aws_kinesis_firehose_delivery_stream.one",
      delivery,
      { extended_s3_configuration: [{ kms_key_arn: keyArn }] },
    ],
    ["aws_cloudwatch_log_group.one", { retention_in_days: 30 }, { kms_key_id: keyArn }],
    ["aws_lambda_function.one", {}, { kms_key_arn: keyArn }],
  ])("%s is fine by itself, and with a key only if it uses that key", (address, values, own) => {
    const companions = address.startsWith("aws_sqs_queue.") ? [queuePolicy] : [];
    expect(problems(planOf([{ address, values }, ...companions]))).toEqual([]);
    expect(problems(planOf([{ address, values }, ...companions], withKey))).toHaveLength(1);
    expect(problems(planOf([{ address, values: { ...values, ...own } }, ...companions], withKey))).toEqual(
      [],
    );
  });

  test("a queue without a policy can be reached without TLS", () => {
    expect(problems(planOf([{ address: "aws_sqs_queue.one", values: queue }]))).toEqual([
      "aws_sqs_queue.one can be reached without TLS",
    ]);
  });
});
