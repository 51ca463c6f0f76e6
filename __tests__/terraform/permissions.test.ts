import type { AwsCall } from "./aws-call.ts";
import { isAllowed, needsOf, type PolicyStatement } from "./permissions.ts";

const place = { region: "eu-west-1", accountId: "123456789012" };
const queue = "arn:aws:sqs:eu-west-1:123456789012:sms-retry-retry";

const call = (service: string, parts: Partial<AwsCall>, body: object = {}): AwsCall => ({
  service,
  operation: "",
  accessKeyId: "a",
  method: "POST",
  target: "/",
  path: [],
  headers: {},
  body: Buffer.from(JSON.stringify(body)),
  ...parts,
});

describe("what a call needs", () => {
  test.each<[needed: string, AwsCall]>([
    [
      "dynamodb:GetItem arn:aws:dynamodb:eu-west-1:123456789012:table/messages",
      call("dynamodb", { operation: "GetItem" }, { TableName: "messages" }),
    ],
    [
      "dynamodb:BatchGetItem arn:aws:dynamodb:eu-west-1:123456789012:table/messages",
      call("dynamodb", { operation: "BatchGetItem" }, { RequestItems: { messages: {} } }),
    ],
    [
      `sqs:SendMessage ${queue}`,
      call("sqs", { operation: "SendMessageBatch" }, { QueueUrl: "http://h/1/sms-retry-retry" }),
    ],
    [
      "s3:PutObject arn:aws:s3:::events/malformed/one",
      call("s3", { method: "PUT", path: ["events", "malformed", "one"] }),
    ],
    [
      "firehose:UpdateDestination arn:aws:firehose:eu-west-1:123456789012:deliverystream/events",
      call("firehose", { operation: "UpdateDestination" }, { DeliveryStreamName: "events" }),
    ],
    [
      "lambda:AddPermission arn:aws:lambda:eu-west-1:123456789012:function:transform",
      call("lambda", { path: ["2015-03-31", "functions", "transform", "policy"] }),
    ],
  ])("%s", (needed, made) => {
    const needs = needsOf(made, place) ?? [];
    expect(needs.map(({ action, resources }) => `${action} ${resources}`)).toEqual([needed]);
  });

  test("a schedule needs the right to pass on its role, to the scheduler alone", () => {
    const body = { GroupName: "retries", Target: { RoleArn: "arn:aws:iam::123456789012:role/scheduler" } };
    expect(needsOf(call("scheduler", { path: ["schedules", "one"] }, body), place)).toEqual([
      {
        action: "scheduler:CreateSchedule",
        resources: ["arn:aws:scheduler:eu-west-1:123456789012:schedule/retries/one"],
      },
      {
        action: "iam:PassRole",
        resources: ["arn:aws:iam::123456789012:role/scheduler"],
        context: { "iam:PassedToService": "scheduler.amazonaws.com" },
      },
    ]);
  });

  test("a call that is not known here is not taken for harmless", () => {
    expect(needsOf(call("iam", { operation: "CreateRole" }), place)).toBeUndefined();
    expect(needsOf(call("lambda", { path: ["2015-03-31", "functions"] }), place)).toBeUndefined();
  });
});

describe("what statements allow", () => {
  const allow = (changes: Partial<PolicyStatement> = {}): PolicyStatement => ({
    Effect: "Allow",
    Action: "sqs:SendMessage",
    Resource: queue,
    ...changes,
  });
  const need = { action: "sqs:SendMessage", resources: [queue] };

  test("what is named, and nothing else", () => {
    expect(isAllowed([allow()], need)).toBe(true);
    expect(isAllowed([], need)).toBe(false);
    expect(isAllowed([allow({ Action: "sqs:ReceiveMessage" })], need)).toBe(false);
    expect(isAllowed([allow({ Resource: `${queue}-other` })], need)).toBe(false);
  });

  test("wildcards", () => {
    expect(
      isAllowed([allow({ Action: ["sqs:Send*"], Resource: ["arn:aws:sqs:*:*:sms-?etry-*"] })], need),
    ).toBe(true);
    expect(isAllowed([allow({ Resource: "arn.aws.sqs:*" })], need)).toBe(false);
  });

  test("a denial wins", () => {
    expect(isAllowed([allow(), allow({ Effect: "Deny", Resource: "*" })], need)).toBe(false);
  });

  test("a condition has to be met, and one that is not understood is not", () => {
    const Condition = { StringEquals: { "iam:PassedToService": "scheduler.amazonaws.com" } };
    const met = { ...need, context: { "iam:PassedToService": "scheduler.amazonaws.com" } };
    expect(isAllowed([allow({ Condition })], met)).toBe(true);
    expect(isAllowed([allow({ Condition })], need)).toBe(false);
    expect(isAllowed([allow({ Condition: { ArnLike: { "aws:SourceArn": "*" } } })], met)).toBe(false);
  });
});
