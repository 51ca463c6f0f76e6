import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { FunctionName } from "../../functions/contract/environment.ts";
import { type StackName, stackNames } from "../../stacks/app.ts";
import {
  functionsOf,
  kinesisStackNames,
  pinpointStackNames,
  resource,
  resourcesOf,
  type SynthesisedStack,
  statementsOf,
  synthesiseAll,
} from "./synthesised.ts";

let stacks: Record<StackName, SynthesisedStack>;
beforeAll(() => {
  stacks = synthesiseAll();
});

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: these are HCL references
const here = "${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}";
const partition = "arn:${data.aws_partition.current.partition}";
const ownProject = `${partition}:mobiletargeting:${here}:apps/\${var.pinpoint_application_id}`;
const maybeProject = `${partition}:mobiletargeting:${here}:apps/\${local.pinpoint_project}`;
const account = "${data.aws_caller_identity.current.account_id}";
const streams: Record<(typeof kinesisStackNames)[number], string> = {
  "sms-retry-new-stream": `${partition}:kinesis:${here}:stream/\${aws_kinesis_stream.events.name}`,
  "sms-retry-kinesis": "${var.kinesis_stream_arn}",
};
const table = `${partition}:dynamodb:${here}:table/\${aws_dynamodb_table.message_state.name}`;
const gates = `${partition}:dynamodb:${here}:table/\${var.send_gate_table_name == null ? one(aws_dynamodb_table.send_gates[*].name) : var.send_gate_table_name}`;
const queueNamed = (name: string) => `${partition}:sqs:${here}:\${aws_sqs_queue.${name}.name}`;
const queue = queueNamed("retry");
const deadLetterQueue = queueNamed("retry_dead_letters");
const bucket = `${partition}:s3:::\${aws_s3_bucket.events.bucket}`;
const schedulerRole = `${partition}:iam::\${data.aws_caller_identity.current.account_id}:role\${var.iam_path}\${aws_iam_role.retry_scheduler.name}`;
const logGroup = (name: string) =>
  `${partition}:logs:${here}:log-group:\${aws_cloudwatch_log_group.${name}.name}`;
const schedules = `${partition}:scheduler:${here}:schedule/\${aws_scheduler_schedule_group.retries.name}/*`;

/** Resources whose last part only exists at run time: everything before it is named. */
const namedUpToTheLastPart = [
  // Log streams are named by Lambda.
  /:log-group:\$\{aws_cloudwatch_log_group\.[a-z_]+\.name\}:log-stream:\*$/,
  // Schedules are named by the functions, one for each delayed retry.
  /:schedule\/\$\{aws_scheduler_schedule_group\.retries\.name\}\/\*$/,
  // Network interfaces are made by Lambda.
  /:ec2:[^*]+:\*\/\*$/,
  // Objects are named by whoever writes them.
  /:s3:::\$\{aws_s3_bucket\.events\.bucket\}\/(malformed|archive|archive-errors|aws\/lambda)\/\*$/,
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
  SendTextMessageCommand: "sms-voice:SendTextMessage",
  SendMessagesCommand: "mobiletargeting:SendMessages",
  DescribeDeliveryStreamCommand: "firehose:DescribeDeliveryStream",
  UpdateDestinationCommand: "firehose:UpdateDestination",
  GetPolicyCommand: "lambda:GetPolicy",
  AddPermissionCommand: "lambda:AddPermission",
  RemovePermissionCommand: "lambda:RemovePermission",
};

/** The sources of the adapters that a function's modules import, and of those that they import. */
function adaptersOf(path: string, found = new Map<string, string>()): Map<string, string> {
  for (const [, imported] of readFileSync(path, "utf8").matchAll(
    /(?: from |import\()"(\.{1,2}\/[^"]+)"\)?;$/gm,
  )) {
    const module = join(dirname(path), String(imported));
    const isAdapter = /\/adapters\//.test(module);
    const isOfTheFunction = dirname(module) === dirname(path);
    if (!(isAdapter || isOfTheFunction) || found.has(module)) continue;
    found.set(module, readFileSync(module, "utf8"));
    adaptersOf(module, found);
  }
  return found;
}

/** The actions of all commands in the adapters that a function's handler uses. */
function actionsCalledBy(functionName: string): Set<string> {
  const handler = join(process.cwd(), "functions", functionName, "handler.ts");
  const adapters = adaptersOf(handler);
  const commands = [...adapters.values()].flatMap((source) =>
    [...source.matchAll(/new (\w+Command)\(/g)].map(([, it]) => String(it)),
  );
  expect(commands.filter((command) => !(command in actionOfCommand))).toEqual([]);
  // The one request that is made without a client.
  const putsObjects = /^import \{ s3PutObject \}/m.test(readFileSync(handler, "utf8"));
  return new Set([
    ...commands.map((command) => String(actionOfCommand[command])),
    ...(putsObjects ? ["s3:PutObject"] : []),
  ]);
}

const logOf = (name: string) => ({
  "logs:CreateLogStream": [`${logGroup(name)}:log-stream:*`],
  "logs:PutLogEvents": [`${logGroup(name)}:log-stream:*`],
});
const retryMessages = {
  "sqs:SendMessage": [queue],
  "scheduler:CreateSchedule": [schedules],
  "iam:PassRole": [schedulerRole],
};

/** What Lambda calls on a function's behalf. */
const neededByLambdaItself: Readonly<Partial<Record<FunctionName, readonly string[]>>> = {
  "consume-kinesis": ["s3:ListBucket", "kinesis:"],
  "consume-sns": [
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ChangeMessageVisibility",
  ],
  resend: [
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ChangeMessageVisibility",
  ],
};

describe.each(kinesisStackNames)("permissions on the stream and the archive of %s", (name) => {
  test("consume-kinesis may read the stream, move states, schedule retries and keep failures", () => {
    expect(grantsOf(stacks[name], "consume_kinesis")).toEqual({
      ...logOf("consume_kinesis"),
      ...retryMessages,
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
        `${logGroup("event_archive")}:log-stream:\${aws_cloudwatch_log_stream.event_archive.name}`,
      ],
    });
  });
});

describe("permissions on the user's Firehose stream", () => {
  const stack = () => stacks["sms-retry-firehose"];
  const transformation = `${partition}:lambda:${here}:function:\${aws_lambda_function.transform_firehose.function_name}`;

  test("transform-firehose may move states and schedule retries, and nothing with the stream", () => {
    expect(grantsOf(stack(), "transform_firehose")).toEqual({
      ...logOf("transform_firehose"),
      ...retryMessages,
      "dynamodb:GetItem": [table],
      "dynamodb:BatchGetItem": [table],
      "dynamodb:UpdateItem": [table],
    });
  });

  test("attach-transformation may change that stream and the policy of that function", () => {
    const stream = `${partition}:firehose:${here}:deliverystream/\${var.firehose_delivery_stream_name}`;
    expect(grantsOf(stack(), "attach_transformation")).toEqual({
      ...logOf("attach_transformation"),
      "lambda:GetPolicy": [transformation],
      "lambda:AddPermission": [transformation],
      "lambda:RemovePermission": [transformation],
    });
    expect(grantsOf(stack(), "attach_transformation_stream")).toEqual({
      "firehose:DescribeDeliveryStream": [stream],
      "firehose:UpdateDestination": [stream],
    });
  });

  test("attach-transformation may pass on the stream's role, only where the user named it", () => {
    // biome-ignore-start lint/suspicious/noTemplateCurlyInString: this is HCL
    const policy = resource(stack(), "aws_iam_role_policy.attach_transformation_role");
    expect(policy).toMatchObject({
      count: "${var.firehose_role_name == null ? 0 : 1}",
      role: "${aws_iam_role.attach_transformation.name}",
    });
    expect(statementsOf(policy.policy)).toEqual([
      {
        sid: "PassStreamRole",
        effect: "Allow",
        actions: ["iam:PassRole"],
        resources: ["local.firehose_role_arn"],
        condition: { StringEquals: { "iam:PassedToService": "firehose.amazonaws.com" } },
      },
    ]);
    // The stream's own description tells the path; else there is none.
    expect(stack().locals?.firehose_role_arn).toMatch(
      /^\$\{try\(\[for arn in \[.+\.ExtendedS3DestinationConfiguration\.RoleARN\] : arn if endswith\(arn, format\("\/%s", var\.firehose_role_name\)\)\]\[0\], "arn:.+:role\/.+"\)\}$/,
    );
    // biome-ignore-end lint/suspicious/noTemplateCurlyInString: this is HCL
  });

  test("the stream's role is given two actions on that function, and only where the user named it", () => {
    expect(resource(stack(), "aws_iam_role_policy.firehose_role")).toMatchObject({
      // biome-ignore-start lint/suspicious/noTemplateCurlyInString: this is HCL
      count: "${var.firehose_role_name == null ? 0 : 1}",
      role: "${var.firehose_role_name}",
      // biome-ignore-end lint/suspicious/noTemplateCurlyInString: this is HCL
    });
    const forms = [transformation, `${transformation}:$LATEST`];
    expect(grantsOf(stack(), "firehose_role")).toEqual({
      "lambda:InvokeFunction": forms,
      "lambda:GetFunctionConfiguration": forms,
    });
  });

  test("nobody else is let into a function by the stack", () => {
    expect(stack().resource).not.toHaveProperty("aws_lambda_permission");
  });
});

const resendGrants = {
  ...logOf("resend"),
  ...retryMessages,
  "dynamodb:BatchGetItem": [table, gates],
  "dynamodb:GetItem": [table],
  "dynamodb:UpdateItem": [table, gates],
  "sqs:ReceiveMessage": [queue],
  "sqs:DeleteMessage": [queue],
  "sqs:GetQueueAttributes": [queue],
  "sqs:ChangeMessageVisibility": [queue],
};
const produceGrants = {
  ...logOf("produce"),
  ...retryMessages,
  "dynamodb:BatchGetItem": [gates],
  "dynamodb:GetItem": [table],
  "dynamodb:PutItem": [table],
  "dynamodb:UpdateItem": [table, gates],
};

describe.each(pinpointStackNames)("the right to send of %s", (name) => {
  // The stack on a Firehose stream may have no project, and then a right to none.
  const project = name === "sms-retry-firehose" ? maybeProject : ownProject;
  const sending = { "mobiletargeting:SendMessages": [project, `${project}/messages`] };

  test("resend may take retry messages, move states and gates, schedule, and send by the project", () => {
    expect(grantsOf(stacks[name], "resend")).toEqual({ ...resendGrants, ...sending });
  });

  test("produce may read and write states, move gates, queue retries and send", () => {
    expect(grantsOf(stacks[name], "produce")).toEqual({ ...produceGrants, ...sending });
  });
});

describe("the right to send of a Firehose stack by both services", () => {
  test.each(["resend", "produce"])("%s may send by End User Messaging where sms_service says so", (name) => {
    const stack = stacks["sms-retry-firehose"];
    expect(resource(stack, `aws_iam_role_policy.${name}_sms_voice`)).toMatchObject({
      // biome-ignore lint/suspicious/noTemplateCurlyInString: this is HCL
      count: '${var.sms_service == "end-user-messaging" ? 1 : 0}',
      role: `\${aws_iam_role.${name}.name}`,
    });
    expect(grantsOf(stack, `${name}_sms_voice`)).toEqual({
      "sms-voice:SendTextMessage": ["local.sms_voice_resources"],
    });
  });
});

describe("permissions of a configuration set's events", () => {
  const stack = () => stacks["sms-retry-end-user-messaging"];
  const topic = `${partition}:sns:${here}:\${aws_sns_topic.sms_events.name}`;
  const set = `${partition}:sms-voice:${here}:configuration-set/\${local.configuration_set_name}`;
  const deliveryStream = `${partition}:firehose:${here}:deliverystream/\${aws_kinesis_firehose_delivery_stream.event_archive.name}`;

  test("resend and produce may send from what the inputs name, with one configuration set", () => {
    const sending = { "sms-voice:SendTextMessage": ["local.sms_voice_resources"] };
    expect(grantsOf(stack(), "resend")).toEqual({ ...resendGrants, ...sending });
    expect(grantsOf(stack(), "produce")).toEqual({ ...produceGrants, ...sending });
    const resources = String(stack().locals?.sms_voice_resources);
    expect(resources).toMatch(
      /^\$\{distinct\(concat\(\["[^"]*:configuration-set\/\$\{local\.configuration_set_name\}"\], /,
    );
    // Every wildcard stands below the type of what is sent from, in this account and region.
    const named = resources.match(/"arn:[^"]*\*"/g) ?? [];
    expect(new Set(named)).toEqual(
      new Set(
        ["phone-number/*", "pool/*", "sender-id/*", "sender-id/%s/*"].map(
          (each) => `"${partition}:sms-voice:${here}:${each}"`,
        ),
      ),
    );
  });

  test("consume-sns may take events, move states, schedule retries and keep failures", () => {
    const events = queueNamed("sms_events");
    expect(grantsOf(stack(), "consume_sns")).toEqual({
      ...logOf("consume_sns"),
      ...retryMessages,
      "dynamodb:GetItem": [table],
      "dynamodb:BatchGetItem": [table],
      "dynamodb:UpdateItem": [table],
      "s3:PutObject": [`${bucket}/malformed/*`],
      "sqs:ReceiveMessage": [events],
      "sqs:DeleteMessage": [events],
      "sqs:GetQueueAttributes": [events],
      "sqs:ChangeMessageVisibility": [events],
    });
  });

  test("only the events of that configuration set of this account reach the topic, and over TLS", () => {
    expect(statementsOf(resource(stack(), "aws_sns_topic_policy.sms_events").policy)).toEqual([
      {
        sid: "EventsOfConfigurationSet",
        effect: "Allow",
        principal: { Service: "sms-voice.amazonaws.com" },
        actions: ["sns:Publish"],
        resources: [topic],
        condition: {
          StringEquals: { "aws:SourceAccount": account },
          ArnEquals: { "aws:SourceArn": set },
        },
      },
      {
        sid: "OnlyOverTls",
        effect: "Deny",
        principal: "*",
        actions: ["sns:Publish"],
        resources: [topic],
        condition: { Bool: { "aws:SecureTransport": "false" } },
      },
    ]);
  });

  test.each(["sms_events", "sms_events_dead_letters"])("only that topic fills the queue %s", (name) => {
    const [filling, ...others] = statementsOf(resource(stack(), `aws_sqs_queue_policy.${name}`).policy);
    expect(filling).toEqual({
      sid: "EventsOfTopic",
      effect: "Allow",
      principal: { Service: "sns.amazonaws.com" },
      actions: ["sqs:SendMessage"],
      resources: [queueNamed(name)],
      condition: { ArnEquals: { "aws:SourceArn": topic } },
    });
    expect(others.map(({ sid }) => sid)).toEqual(["OnlyOverTls"]);
  });

  test("the service writes to the archive for that configuration set, and writes alone", () => {
    expect(trustOf(stack(), "event_archive_writer")).toEqual({
      principal: { Service: "sms-voice.amazonaws.com" },
      condition: { StringEquals: { "aws:SourceAccount": account }, ArnLike: { "aws:SourceArn": set } },
    });
    expect(grantsOf(stack(), "event_archive_writer")).toEqual({ "firehose:PutRecord": [deliveryStream] });
  });

  test("the archive reads no stream", () => {
    expect(Object.keys(grantsOf(stack(), "event_archive")).filter((it) => it.startsWith("kinesis:"))).toEqual(
      [],
    );
  });
});

describe.each(stackNames)("permissions of %s", (name) => {
  test("schedules may only put a message on the retry queue, or on its dead-letter queue", () => {
    expect(grantsOf(stacks[name], "retry_scheduler")).toEqual({
      "sqs:SendMessage": [queue, deadLetterQueue],
    });
  });

  test.each(functionsOf[name])("%s is granted nothing that its code does not call", (functionName) => {
    const called = actionsCalledBy(functionName);
    // Logs are written, and the role is passed on, without a call of ours.
    const indirect = [...(neededByLambdaItself[functionName] ?? []), "logs:", "iam:PassRole"];
    const id = functionName.replaceAll("-", "_");
    const granted = resourcesOf(stacks[name], "aws_iam_role_policy")
      .filter(
        ([policy, { role }]) => role === `\${aws_iam_role.${id}.name}` && !/_(key|vpc|tracing)$/.test(policy),
      )
      .flatMap(([policy]) => Object.keys(grantsOf(stacks[name], policy)));
    expect(granted).toEqual(expect.arrayContaining(["logs:PutLogEvents"]));
    expect(
      granted.filter(
        (action) => !called.has(action) && !indirect.some((prefix) => action.startsWith(prefix)),
      ),
    ).toEqual([]);
  });

  test("the scheduler's role can only be handed to the scheduler", () => {
    const passing = resourcesOf(stacks[name], "aws_iam_role_policy")
      .flatMap(([, { policy }]) => statementsOf(policy))
      .filter(({ actions }) => actions.some((action) => action.startsWith("iam:")))
      // See the permissions of sms-retry-firehose.
      .filter(({ sid }) => sid !== "PassStreamRole");
    // Whatever handles events or sends schedules retries.
    expect(passing).toHaveLength(3);
    for (const statement of passing)
      expect(statement).toMatchObject({
        actions: ["iam:PassRole"],
        resources: [schedulerRole],
        condition: { StringEquals: { "iam:PassedToService": "scheduler.amazonaws.com" } },
      });
  });

  test("a KMS key is granted only where the user gave one, and only that key", () => {
    const keyPolicies = resourcesOf(stacks[name], "aws_iam_role_policy").filter(([id]) =>
      id.endsWith("_key"),
    );
    expect(keyPolicies.length).toBeGreaterThan(functionsOf[name].length);
    for (const [id, { count, policy }] of keyPolicies) {
      const input =
        id.endsWith("_stream_key") && id !== "pinpoint_event_stream_key"
          ? "var.kinesis_stream_kms_key_arn"
          : "var.kms_key_arn";
      const isGiven = input === "var.kms_key_arn" ? "local.has_kms_key" : `${input} != null`;
      expect({ id, count }).toEqual({ id, count: `\${${isGiven} ? 1 : 0}` });
      for (const { actions, resources } of statementsOf(policy)) {
        expect(resources).toEqual([`\${${input}}`]);
        expect(["kms:Decrypt", "kms:GenerateDataKey"]).toEqual(expect.arrayContaining([...actions]));
      }
    }
  });

  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: these are HCL expressions
  test("network interfaces and traces are allowed only where the inputs ask for them", () => {
    for (const functionName of functionsOf[name]) {
      const id = functionName.replaceAll("-", "_");
      const of = (right: string) => resource(stacks[name], `aws_iam_role_policy.${id}_${right}`);
      expect(of("vpc").count).toBe("${var.vpc != null ? 1 : 0}");
      expect(statementsOf(of("vpc").policy).flatMap(({ actions }) => actions)).toEqual([
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
      ]);
      expect(of("tracing").count).toBe("${var.tracing ? 1 : 0}");
      expect(statementsOf(of("tracing").policy).flatMap(({ actions }) => actions)).toEqual([
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
      ]);
      expect(resource(stacks[name], `aws_lambda_function.${id}`)).toMatchObject({
        tracing_config: { mode: '${var.tracing ? "Active" : "PassThrough"}' },
        reserved_concurrent_executions: `\${lookup(var.reserved_concurrency, "${functionName}", -1)}`,
        code_signing_config_arn: "${var.code_signing_config_arn}",
        dynamic: {
          vpc_config: {
            for_each: "${var.vpc == null ? [] : [var.vpc]}",
            content: {
              subnet_ids: "${vpc_config.value.subnet_ids}",
              security_group_ids: "${vpc_config.value.security_group_ids}",
            },
          },
        },
      });
    }
  });

  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: these are HCL expressions

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
        // Those of the inputs vpc and tracing that take no resource.
        if (["FindNetworkInterfaces", "WriteTraces"].includes(String(sid))) {
          expect(resources).toEqual(["*"]);
          continue;
        }
        // In Terraform's expressions an asterisk is a splat.
        for (const named of resources.filter((it) => !namedUpToTheLastPart.some((form) => form.test(it))))
          expect({ id, sid, named: named.replaceAll(/\$\{[^}]*\}/g, "") }).toEqual({
            id,
            sid,
            named: expect.not.stringContaining("*"),
          });
      }
  });

  test("a wildcard in a resource policy only ever denies, and denies what is not TLS", () => {
    const denial = {
      effect: "Deny",
      principal: "*",
      condition: { Bool: { "aws:SecureTransport": "false" } },
    };
    for (const type of ["aws_sqs_queue_policy", "aws_s3_bucket_policy", "aws_sns_topic_policy"])
      for (const { policy } of Object.values(stacks[name].resource[type] ?? {})) {
        const statements = statementsOf(policy);
        expect(statements).toContainEqual(expect.objectContaining(denial));
        for (const { effect, principal, condition } of statements)
          if (effect === "Allow")
            expect({ principal, condition }).toEqual({
              principal: { Service: expect.stringMatching(/^s(ms-voice|ns)\.amazonaws\.com$/) },
              condition: expect.objectContaining({ ArnEquals: { "aws:SourceArn": expect.any(String) } }),
            });
          else expect({ effect, principal, condition }).toEqual(denial);
      }
  });
});

/** Who assumes a role, and on which condition. */
function trustOf(stack: SynthesisedStack, role: string) {
  const [statement, ...others] = statementsOf(resource(stack, `aws_iam_role.${role}`).assume_role_policy);
  expect(others).toEqual([]);
  expect(statement?.actions).toEqual(["sts:AssumeRole"]);
  return { principal: statement?.principal, condition: statement?.condition };
}

describe.each(stackNames)("trust of %s", (name) => {
  test.each(functionsOf[name])("only Lambda assumes the role of %s", (functionName) => {
    expect(trustOf(stacks[name], functionName.replaceAll("-", "_"))).toEqual({
      principal: { Service: "lambda.amazonaws.com" },
      condition: undefined,
    });
  });

  test("only this account's schedule group assumes the scheduler's role", () => {
    expect(trustOf(stacks[name], "retry_scheduler")).toEqual({
      principal: { Service: "scheduler.amazonaws.com" },
      condition: {
        StringEquals: {
          "aws:SourceAccount": account,
          "aws:SourceArn": `${partition}:scheduler:${here}:schedule-group/\${aws_scheduler_schedule_group.retries.name}`,
        },
      },
    });
  });
});

describe.each(kinesisStackNames)("trust of the archive of %s", (name) => {
  test("Firehose assumes the archive's role only for this account", () => {
    expect(trustOf(stacks[name], "event_archive")).toEqual({
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
        ArnLike: { "aws:SourceArn": ownProject },
      },
    });
    expect(grantsOf(stack, "pinpoint_event_stream")).toEqual({
      "kinesis:PutRecords": [streams["sms-retry-new-stream"]],
      "kinesis:DescribeStream": [streams["sms-retry-new-stream"]],
    });
  });
});
