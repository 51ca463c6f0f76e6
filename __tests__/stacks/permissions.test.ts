import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type StackName, stackNames } from "../../stacks/app.ts";
import { resource, resourcesOf, type SynthesisedStack, statementsOf, synthesiseAll } from "./synthesised.ts";

let stacks: Record<StackName, SynthesisedStack>;
beforeAll(() => {
  stacks = synthesiseAll();
});

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: these are HCL references
const here = "${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}";
const partition = "arn:${data.aws_partition.current.partition}";
const project = `${partition}:mobiletargeting:${here}:apps/\${var.pinpoint_application_id}`;
const account = "${data.aws_caller_identity.current.account_id}";
const streams: Record<StackName, string> = {
  "sms-retry-new-stream": "${aws_kinesis_stream.events.arn}",
  "sms-retry-kinesis": "${var.kinesis_stream_arn}",
};
const table = "${aws_dynamodb_table.message_state.arn}";
const queue = "${aws_sqs_queue.retry.arn}";
const bucket = "${aws_s3_bucket.events.arn}";
const schedulerRole = "${aws_iam_role.retry_scheduler.arn}";
const schedules = `${partition}:scheduler:${here}:schedule/\${aws_scheduler_schedule_group.retries.name}/*`;

/** Resources whose last part only exists at run time: everything before it is named. */
const namedUpToTheLastPart = [
  // Log streams are named by Lambda.
  /^\$\{aws_cloudwatch_log_group\.[a-z_]+\.arn\}:log-stream:\*$/,
  // Schedules are named by the functions, one for each delayed retry.
  /:schedule\/\$\{aws_scheduler_schedule_group\.retries\.name\}\/\*$/,
  // Objects are named by whoever writes them.
  /^\$\{aws_s3_bucket\.events\.arn\}\/(malformed|archive|archive-errors|aws\/lambda)\/\*$/,
];
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: these are HCL references

/** `action → resources` of a role's policy. */
function grantsOf(stack: SynthesisedStack, policyName: string): Record<string, readonly string[]> {
  const grants: Record<string, string[]> = {};
  for (const { effect, actions, resources } of statementsOf(
    resource(stack, `aws_iam_role_policy.${policyName}`).policy,
  )) {
    expect(effect).toBe("Allow");
    for (const action of actions) grants[action] = [...(grants[action] ?? []), ...resources];
  }
  return grants;
}

/** The IAM action of each command of an AWS SDK that the adapters send. */
const actionOfCommand: Readonly<Record<string, string>> = {
  GetCommand: "dynamodb:GetItem",
  BatchGetCommand: "dynamodb:BatchGetItem",
  PutCommand: "dynamodb:PutItem",
  UpdateCommand: "dynamodb:UpdateItem",
  SendMessageBatchCommand: "sqs:SendMessage",
  CreateScheduleCommand: "scheduler:CreateSchedule",
  PutObjectCommand: "s3:PutObject",
  SendMessagesCommand: "mobiletargeting:SendMessages",
};

/** The actions of all commands in the adapters that a function's handler imports. */
function actionsCalledBy(functionName: string): Set<string> {
  const folder = join(process.cwd(), "functions", functionName);
  const handler = readFileSync(join(folder, "handler.ts"), "utf8");
  const adapters = [...handler.matchAll(/^import \{.*\} from "(\.\.\/adapters\/.*)";$/gm)].map(([, path]) =>
    readFileSync(join(folder, String(path)), "utf8"),
  );
  const commands = adapters.flatMap((source) =>
    [...source.matchAll(/new (\w+Command)\(/g)].map(([, it]) => String(it)),
  );
  expect(commands.filter((command) => !(command in actionOfCommand))).toEqual([]);
  return new Set(commands.map((command) => String(actionOfCommand[command])));
}

const logOf = (name: string) => ({
  "logs:CreateLogStream": [`\${aws_cloudwatch_log_group.${name}.arn}:log-stream:*`],
  "logs:PutLogEvents": [`\${aws_cloudwatch_log_group.${name}.arn}:log-stream:*`],
});
const wakeUps = {
  "sqs:SendMessage": [queue],
  "scheduler:CreateSchedule": [schedules],
  "iam:PassRole": [schedulerRole],
};

describe.each(stackNames)("permissions of %s", (name) => {
  test("consume-kinesis may read the stream, move states, schedule retries and keep failures", () => {
    expect(grantsOf(stacks[name], "consume_kinesis")).toEqual({
      ...logOf("consume_kinesis"),
      ...wakeUps,
      "dynamodb:GetItem": [table],
      "dynamodb:BatchGetItem": [table],
      "dynamodb:UpdateItem": [table],
      "s3:PutObject": [`${bucket}/malformed/*`, `${bucket}/aws/lambda/*`],
      "s3:ListBucket": [bucket],
      "kinesis:DescribeStream": [streams[name]],
      "kinesis:DescribeStreamSummary": [streams[name]],
      "kinesis:GetRecords": [streams[name]],
      "kinesis:GetShardIterator": [streams[name]],
      "kinesis:ListShards": [streams[name]],
    });
  });

  test("resend may take wake-ups, move states, schedule retries and send through the user's project", () => {
    expect(grantsOf(stacks[name], "resend")).toEqual({
      ...logOf("resend"),
      ...wakeUps,
      "dynamodb:GetItem": [table],
      "dynamodb:UpdateItem": [table],
      "sqs:ReceiveMessage": [queue],
      "sqs:DeleteMessage": [queue],
      "sqs:GetQueueAttributes": [queue],
      "sqs:ChangeMessageVisibility": [queue],
      "mobiletargeting:SendMessages": [project, `${project}/messages`],
    });
  });

  test("produce may read and write states and send through the user's project", () => {
    expect(grantsOf(stacks[name], "produce")).toEqual({
      ...logOf("produce"),
      "dynamodb:GetItem": [table],
      "dynamodb:PutItem": [table],
      "dynamodb:UpdateItem": [table],
      "mobiletargeting:SendMessages": [project, `${project}/messages`],
    });
  });

  test("schedules may do nothing but put a wake-up on the retry queue", () => {
    expect(grantsOf(stacks[name], "retry_scheduler")).toEqual({ "sqs:SendMessage": [queue] });
  });

  test("the archive may read the stream and write its two folders", () => {
    const written = [`${bucket}/archive/*`, `${bucket}/archive-errors/*`];
    expect(grantsOf(stacks[name], "event_archive")).toEqual({
      "kinesis:DescribeStream": [streams[name]],
      "kinesis:GetShardIterator": [streams[name]],
      "kinesis:GetRecords": [streams[name]],
      "kinesis:ListShards": [streams[name]],
      "s3:PutObject": written,
      "s3:GetObject": written,
      "s3:AbortMultipartUpload": written,
      "s3:GetBucketLocation": [bucket],
      "s3:ListBucket": [bucket],
      "s3:ListBucketMultipartUploads": [bucket],
      "logs:PutLogEvents": [
        // biome-ignore lint/suspicious/noTemplateCurlyInString: this is HCL
        "${aws_cloudwatch_log_group.event_archive.arn}:log-stream:${aws_cloudwatch_log_stream.event_archive.name}",
      ],
    });
  });

  test.each([
    ["consume-kinesis", ["s3:ListBucket", "kinesis:"]],
    [
      "resend",
      ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"],
    ],
    ["produce", []],
  ])("%s is granted nothing that its code does not call", (functionName, neededByLambdaItself) => {
    const called = actionsCalledBy(functionName);
    // Logs are written, and the role is passed on, without a call of ours.
    const indirect = [...neededByLambdaItself, "logs:", "iam:PassRole"];
    const granted = Object.keys(grantsOf(stacks[name], functionName.replaceAll("-", "_")));
    expect(
      granted.filter(
        (action) => !called.has(action) && !indirect.some((prefix) => action.startsWith(prefix)),
      ),
    ).toEqual([]);
  });

  test("the scheduler's role can only be handed to the scheduler", () => {
    for (const role of ["consume_kinesis", "resend"]) {
      const passing = statementsOf(resource(stacks[name], `aws_iam_role_policy.${role}`).policy).find(
        ({ actions }) => actions.includes("iam:PassRole"),
      );
      expect(passing?.condition).toEqual({
        StringEquals: { "iam:PassedToService": "scheduler.amazonaws.com" },
      });
    }
  });

  test("a KMS key is granted only where the user gave one, and only that key", () => {
    const keyPolicies = resourcesOf(stacks[name], "aws_iam_role_policy").filter(([id]) =>
      id.endsWith("_key"),
    );
    expect(keyPolicies.length).toBeGreaterThanOrEqual(5);
    for (const [id, { count, policy }] of keyPolicies) {
      const input =
        id.endsWith("_stream_key") && id !== "pinpoint_event_stream_key"
          ? "var.kinesis_stream_kms_key_arn"
          : "var.kms_key_arn";
      expect({ id, count }).toEqual({ id, count: `\${${input} == null ? 0 : 1}` });
      for (const { actions, resources } of statementsOf(policy)) {
        expect(resources).toEqual([`\${${input}}`]);
        expect(["kms:Decrypt", "kms:GenerateDataKey"]).toEqual(expect.arrayContaining([...actions]));
      }
    }
  });

  test("every role has a policy of its own, and no managed one", () => {
    const policies = resourcesOf(stacks[name], "aws_iam_role_policy").map(([id]) => id);
    for (const [id, role] of resourcesOf(stacks[name], "aws_iam_role")) {
      expect(policies).toContain(id);
      expect(role).not.toHaveProperty("managed_policy_arns");
    }
    expect(stacks[name].resource).not.toHaveProperty("aws_iam_role_policy_attachment");
  });

  test("nothing is allowed by a wildcard where a name exists", () => {
    for (const [id, { policy }] of resourcesOf(stacks[name], "aws_iam_role_policy"))
      for (const { sid, actions, resources } of statementsOf(policy)) {
        for (const action of actions)
          expect({ id, sid, action }).toEqual({ id, sid, action: expect.not.stringContaining("*") });
        for (const named of resources.filter((it) => !namedUpToTheLastPart.some((form) => form.test(it))))
          expect({ id, sid, named }).toEqual({ id, sid, named: expect.not.stringContaining("*") });
      }
  });

  test("a wildcard in a resource policy only ever denies, and denies what is not TLS", () => {
    for (const type of ["aws_sqs_queue_policy", "aws_s3_bucket_policy"])
      for (const [, { policy }] of resourcesOf(stacks[name], type))
        expect(statementsOf(policy)).toEqual([
          expect.objectContaining({
            effect: "Deny",
            principal: "*",
            condition: { Bool: { "aws:SecureTransport": "false" } },
          }),
        ]);
  });
});

describe.each(stackNames)("trust of %s", (name) => {
  const trustOf = (role: string) => {
    const [statement, ...others] = statementsOf(
      resource(stacks[name], `aws_iam_role.${role}`).assume_role_policy,
    );
    expect(others).toEqual([]);
    expect(statement?.actions).toEqual(["sts:AssumeRole"]);
    return { principal: statement?.principal, condition: statement?.condition };
  };

  test.each(["consume_kinesis", "resend", "produce"])("only Lambda assumes the role of %s", (role) => {
    expect(trustOf(role)).toEqual({ principal: { Service: "lambda.amazonaws.com" }, condition: undefined });
  });

  test("only this account's schedule group assumes the scheduler's role", () => {
    expect(trustOf("retry_scheduler")).toEqual({
      principal: { Service: "scheduler.amazonaws.com" },
      condition: {
        StringEquals: {
          "aws:SourceAccount": account,
          // biome-ignore lint/suspicious/noTemplateCurlyInString: this is HCL
          "aws:SourceArn": "${aws_scheduler_schedule_group.retries.arn}",
        },
      },
    });
  });

  test("Firehose assumes the archive's role only for this account", () => {
    expect(trustOf("event_archive")).toEqual({
      principal: { Service: "firehose.amazonaws.com" },
      condition: { StringEquals: { "sts:ExternalId": account } },
    });
  });
});

describe("the new stream", () => {
  test("only Pinpoint fills it, and only for this project of this account", () => {
    const stack = stacks["sms-retry-new-stream"];
    const [trust] = statementsOf(resource(stack, "aws_iam_role.pinpoint_event_stream").assume_role_policy);
    expect(trust).toMatchObject({
      principal: { Service: "pinpoint.amazonaws.com" },
      condition: {
        StringEquals: { "aws:SourceAccount": account },
        ArnLike: { "aws:SourceArn": project },
      },
    });
    expect(grantsOf(stack, "pinpoint_event_stream")).toEqual({
      "kinesis:PutRecords": [streams["sms-retry-new-stream"]],
      "kinesis:DescribeStream": [streams["sms-retry-new-stream"]],
    });
  });
});
