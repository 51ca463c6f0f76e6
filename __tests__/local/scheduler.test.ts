/** The scheduler emulator, through the real SDK client. */
import {
  CreateScheduleCommand,
  type CreateScheduleCommandInput,
  SchedulerClient,
} from "@aws-sdk/client-scheduler";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { mockClient } from "aws-sdk-client-mock";
import { localCredentials, region } from "../../local/aws-clients.ts";
import { type SchedulerEmulator, startScheduler } from "../../local/emulators/start-scheduler.ts";

const queueArn = "arn:aws:sqs:eu-west-1:000000000000:retry";
const deadLetterArn = `${queueArn}-dead-letters`;
const errors: unknown[] = [];
const urls = new Map([
  [queueArn, "http://127.0.0.1/retry"],
  [deadLetterArn, "http://127.0.0.1/dead"],
]);
const sqs = mockClient(SQSClient);
let scheduler: SchedulerEmulator;
let client: SchedulerClient;

beforeEach(async () => {
  sqs.reset();
  errors.length = 0;
  scheduler = await startScheduler({
    accountId: "000000000000",
    region,
    sqs: new SQSClient({ region }),
    queueUrlOf: (arn) => urls.get(arn),
    now: () => Date.parse("2026-11-23T19:00:00Z"),
    id: () => "request-id",
    onError: (error) => errors.push(error),
  });
  client = new SchedulerClient({
    region,
    credentials: localCredentials,
    endpoint: scheduler.endpoint,
    maxAttempts: 1,
  });
});

afterEach(async () => {
  client.destroy();
  await scheduler.close();
});

const target = {
  Arn: queueArn,
  RoleArn: "arn:aws:iam::000000000000:role/scheduler",
  Input: '{"attempt":1}',
  RetryPolicy: { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 },
  DeadLetterConfig: { Arn: deadLetterArn },
};

const create = (changed: Partial<CreateScheduleCommandInput> = {}) =>
  client.send(
    new CreateScheduleCommand({
      Name: "retry-message",
      GroupName: "sms-retry",
      ScheduleExpression: "at(2026-11-23T20:00:00)",
      FlexibleTimeWindow: { Mode: "OFF" },
      ActionAfterCompletion: "DELETE",
      Target: target,
      ...changed,
    }),
  );

it("keeps a schedule until its time", async () => {
  expect(await create()).toMatchObject({
    ScheduleArn: "arn:aws:scheduler:eu-west-1:000000000000:schedule/sms-retry/retry-message",
  });
  expect(scheduler.pending).toBe(1);
  expect(sqs.commandCalls(SendMessageCommand)).toHaveLength(0);
});

it("puts the input on the queue when the time has come, and frees the name", async () => {
  await create({ ScheduleExpression: "at(2026-11-23T18:59:59)" });
  await delivered();

  expect(sqs.commandCalls(SendMessageCommand).map(({ args }) => args[0].input)).toEqual([
    { QueueUrl: "http://127.0.0.1/retry", MessageBody: '{"attempt":1}' },
  ]);
  expect(errors).toEqual([]);
  await expect(create()).resolves.toMatchObject({ ScheduleArn: expect.any(String) });
});

it.each<[string, Partial<typeof target>, string[]]>([
  ["the dead-letter queue, where one is named", {}, ["retry", "dead"]],
  ["nowhere, where none is", { DeadLetterConfig: undefined as never }, ["retry"]],
])("puts what the queue does not take to %s", async (_where, changed, queues) => {
  sqs.on(SendMessageCommand, { QueueUrl: "http://127.0.0.1/retry" }).rejects(new Error("down"));

  await create({ ScheduleExpression: "at(2026-11-23T18:59:59)", Target: { ...target, ...changed } });
  await delivered();

  expect(sqs.commandCalls(SendMessageCommand).map(({ args }) => args[0].input)).toEqual(
    queues.map((name) => ({ QueueUrl: `http://127.0.0.1/${name}`, MessageBody: '{"attempt":1}' })),
  );
  expect(errors).toEqual([new Error("down")]);
});

async function delivered(): Promise<void> {
  while (scheduler.pending > 0) await new Promise((resolve) => setTimeout(resolve, 2));
}

it("refuses a second schedule of the same name", async () => {
  await create();

  await expect(create()).rejects.toMatchObject({
    name: "ConflictException",
    $metadata: { httpStatusCode: 409 },
  });
});

it.each<[string, Partial<CreateScheduleCommandInput>]>([
  ["a name with a space", { Name: "wake up" }],
  ["a rate", { ScheduleExpression: "rate(1 hour)" }],
  ["another time zone", { ScheduleExpressionTimezone: "Europe/Berlin" }],
  ["a queue that does not exist", { Target: { ...target, Arn: `${queueArn}-other` } }],
  [
    "a dead-letter queue that does not exist",
    { Target: { ...target, DeadLetterConfig: { Arn: `${queueArn}-other` } } },
  ],
  ["more tries than there are", { Target: { ...target, RetryPolicy: { MaximumRetryAttempts: 186 } } }],
  [
    "a longer time than there is",
    { Target: { ...target, RetryPolicy: { MaximumEventAgeInSeconds: 86_401 } } },
  ],
])("refuses %s", async (_what, changed) => {
  await expect(create(changed)).rejects.toMatchObject({ name: "ValidationException" });
  expect(scheduler.pending).toBe(0);
});
