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
const sqs = mockClient(SQSClient);
let scheduler: SchedulerEmulator;
let client: SchedulerClient;

beforeEach(async () => {
  sqs.reset();
  scheduler = await startScheduler({
    accountId: "000000000000",
    region,
    sqs: new SQSClient({ region }),
    queueUrlOf: (arn) => (arn === queueArn ? "http://127.0.0.1/retry" : undefined),
    now: () => Date.parse("2026-11-23T19:00:00Z"),
    id: () => "request-id",
    onError: (error) => {
      throw error;
    },
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

const create = (changed: Partial<CreateScheduleCommandInput> = {}) =>
  client.send(
    new CreateScheduleCommand({
      Name: "wake-up",
      GroupName: "sms-retry",
      ScheduleExpression: "at(2026-11-23T20:00:00)",
      FlexibleTimeWindow: { Mode: "OFF" },
      ActionAfterCompletion: "DELETE",
      Target: { Arn: queueArn, RoleArn: "arn:aws:iam::000000000000:role/scheduler", Input: '{"attempt":1}' },
      ...changed,
    }),
  );

it("keeps a schedule until its time", async () => {
  expect(await create()).toMatchObject({
    ScheduleArn: "arn:aws:scheduler:eu-west-1:000000000000:schedule/sms-retry/wake-up",
  });
  expect(scheduler.pending).toBe(1);
  expect(sqs.commandCalls(SendMessageCommand)).toHaveLength(0);
});

it("puts the input on the queue when the time has come, and frees the name", async () => {
  await create({ ScheduleExpression: "at(2026-11-23T18:59:59)" });
  while (scheduler.pending > 0) await new Promise((resolve) => setTimeout(resolve, 2));

  expect(sqs.commandCalls(SendMessageCommand).map(({ args }) => args[0].input)).toEqual([
    { QueueUrl: "http://127.0.0.1/retry", MessageBody: '{"attempt":1}' },
  ]);
  await expect(create()).resolves.toMatchObject({ ScheduleArn: expect.any(String) });
});

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
  [
    "a queue that does not exist",
    { Target: { Arn: `${queueArn}-other`, RoleArn: "arn:aws:iam::000000000000:role/scheduler" } },
  ],
])("refuses %s", async (_what, changed) => {
  await expect(create(changed)).rejects.toMatchObject({ name: "ValidationException" });
  expect(scheduler.pending).toBe(0);
});
