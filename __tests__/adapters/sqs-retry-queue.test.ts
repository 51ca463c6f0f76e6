import {
  ConflictException,
  CreateScheduleCommand,
  SchedulerClient,
  ThrottlingException,
} from "@aws-sdk/client-scheduler";
import {
  CreateQueueCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { mockClient } from "aws-sdk-client-mock";
import { sqsRetryQueue } from "../../functions/adapters/sqs/sqs-retry-queue.ts";
import type { QueueMessage } from "../../functions/core/queue/queue-messages.ts";
import { readQueueMessage } from "../../functions/core/queue/queue-messages.ts";
import type { QueueEntry } from "../../functions/core/queue/retry-queue.ts";
import { type Emulators, startEmulators } from "../../local/emulators/start-emulators.ts";
import { startScheduler } from "../../local/emulators/start-scheduler.ts";
import { emulatorAccess } from "../support/message-table.ts";
import { failureEvent, startOfTest } from "../support/messages.ts";
import { recordedTelemetry } from "../support/recorded-telemetry.ts";

const queueArn = "arn:aws:sqs:us-east-1:123456789012:sms-retry-retry";
const target = {
  queueUrl: "https://sqs.us-east-1.amazonaws.com/123456789012/sms-retry-retry",
  queueArn,
  scheduleGroupName: "sms-retry",
  schedulerRoleArn: "arn:aws:iam::123456789012:role/sms-retry-scheduler",
  deadLetterQueueArn: `${queueArn}-dead-letters`,
};
const now = startOfTest + 0.4;
const clock = { now: () => now };

function retryMessage(id: string, attempt = 1): QueueMessage {
  return { kind: "retry-message", application_message_id: id, attempt };
}

function entriesDueAt(dueAt: number, count: number): QueueEntry[] {
  return Array.from({ length: count }, (_, n) => ({ message: retryMessage(`order-${n}`), dueAt }));
}

const schedulerIsDown = new ThrottlingException({ message: "slow", Message: "slow", $metadata: {} });

/** The queue on clients that only note what they are asked, and a Scheduler that may be down. */
function notedQueue(schedulerError?: Error) {
  const client = new SQSClient(emulatorAccess);
  const sqs = mockClient(client);
  const schedulerClient = new SchedulerClient(emulatorAccess);
  const scheduler = mockClient(schedulerClient);
  const telemetry = recordedTelemetry();
  sqs.on(SendMessageBatchCommand).callsFake((input) => ({
    Successful: input.Entries.map(({ Id }: SendMessageBatchRequestEntry) => ({ Id })),
  }));
  if (schedulerError === undefined) scheduler.on(CreateScheduleCommand).resolves({});
  else scheduler.on(CreateScheduleCommand).rejects(schedulerError);
  const queue = sqsRetryQueue(
    { sqs: client, scheduler: async () => schedulerClient },
    target,
    clock,
    telemetry,
  );
  const batches = () => sqs.commandCalls(SendMessageBatchCommand).map(({ args }) => args[0].input);
  const schedules = () => scheduler.commandCalls(CreateScheduleCommand).map(({ args }) => args[0].input);
  return { queue, sqs, scheduler, telemetry, batches, schedules };
}

describe("SQS, up to 900 s", () => {
  test("25 retry messages leave in batches of ten, ten and five, each once and whole", async () => {
    const { queue, batches, schedules } = notedQueue();
    const entries = entriesDueAt(now + 60, 25);

    const flags = await queue.put(entries);

    expect(flags).toEqual(Array(25).fill(true));
    expect(batches().map(({ Entries }) => Entries?.length)).toEqual([10, 10, 5]);
    const bodies = batches().flatMap(({ Entries }) => Entries?.map(({ MessageBody }) => MessageBody) ?? []);
    expect(bodies.map((body) => readQueueMessage(body ?? ""))).toEqual(entries.map(({ message }) => message));
    expect(schedules()).toEqual([]);
  });

  test("large messages leave in batches that SQS takes, and cost their neighbours no delay", async () => {
    const { queue, batches, schedules } = notedQueue();
    const event = failureEvent({ status: "x".repeat(100_000) });
    const large: QueueEntry = { message: { kind: "waiting-event", event, first_seen_at: now }, dueAt: now };

    const flags = await queue.put([...Array(9).fill(large), ...entriesDueAt(now, 1)]);

    expect(flags).toEqual(Array(10).fill(true));
    for (const { Entries = [] } of batches()) {
      expect(Entries.map(({ MessageBody = "" }) => MessageBody).join("").length).toBeLessThanOrEqual(262_144);
    }
    expect(batches().flatMap(({ Entries = [] }) => Entries)).toHaveLength(10);
    expect(schedules()).toEqual([]);
  });

  test("ids within a batch differ and are legal", async () => {
    const { queue, batches } = notedQueue();

    await queue.put(entriesDueAt(now, 10));

    const ids = batches()[0]?.Entries?.map(({ Id }) => Id) ?? [];
    expect(new Set(ids).size).toBe(10);
    expect(ids.every((id) => /^[\w-]{1,80}$/.test(id ?? ""))).toBe(true);
  });

  test.each([
    ["long ago", -3_600, 0],
    ["now", 0, 0],
    ["in a thousandth of a second", 0.001, 1],
    ["in 59.6 s", 59.6, 60],
    ["in 60 s", 60, 60],
    ["in 900 s", 900, 900],
  ])("what is due %s gets the delay that does not bring it early", async (_when, after, delay) => {
    const { queue, batches } = notedQueue();

    await queue.put([{ message: retryMessage("order-1"), dueAt: now + after }]);

    expect(batches()[0]?.Entries?.[0]?.DelaySeconds).toBe(delay);
  });

  test("a batch that fails in parts: exactly the failed entries are told, in any order", async () => {
    const { queue, sqs, telemetry } = notedQueue(schedulerIsDown);
    sqs.on(SendMessageBatchCommand).callsFake(({ Entries }) => {
      const ids = Entries.map(({ Id }: SendMessageBatchRequestEntry) => Id);
      return {
        Successful: ids
          .filter((_: string, n: number) => n !== 3)
          .reverse()
          .map((Id: string) => ({ Id })),
        Failed: [{ Id: ids[3], Code: "InternalError", SenderFault: false, Message: "secret +447700900123" }],
      };
    });

    const flags = await queue.put(entriesDueAt(now, 14));

    expect(flags.flatMap((flag, n) => (flag ? [] : [n]))).toEqual([3, 13]);
    expect(telemetry.lines).toEqual([
      [
        "error",
        "SQS did not take a retry-queue message; if that goes on, look at the queue and its key.",
        { error: "InternalError" },
      ],
      [
        "error",
        "SQS did not take a retry-queue message; if that goes on, look at the queue and its key.",
        { error: "InternalError" },
      ],
      [
        "error",
        "EventBridge Scheduler did not take a retry-queue message; if that goes on, look at its group and its role.",
        { error: "ThrottlingException" },
      ],
      [
        "error",
        "EventBridge Scheduler did not take a retry-queue message; if that goes on, look at its group and its role.",
        { error: "ThrottlingException" },
      ],
    ]);
  });

  test("a batch that fails as a whole leaves the other batches alone", async () => {
    const { queue, sqs, telemetry } = notedQueue(schedulerIsDown);
    sqs.on(SendMessageBatchCommand).callsFake(({ Entries }) => {
      if (Entries.some(({ Id }: SendMessageBatchRequestEntry) => Id === "12")) {
        throw Object.assign(new Error("number +447700900123"), { name: "ServiceUnavailable" });
      }
      return { Successful: Entries.map(({ Id }: SendMessageBatchRequestEntry) => ({ Id })) };
    });

    const flags = await queue.put(entriesDueAt(now, 25));

    expect(flags).toEqual([...Array(10).fill(true), ...Array(10).fill(false), ...Array(5).fill(true)]);
    expect(telemetry.lines[0]).toEqual([
      "error",
      "SQS did not take a batch of retry-queue messages; if that goes on, look at the queue and its key.",
      { error: "ServiceUnavailable" },
    ]);
  });

  test("what SQS refuses goes to the Scheduler, a minute ahead at the least", async () => {
    const { queue, sqs, schedules } = notedQueue();
    sqs.on(SendMessageBatchCommand).rejects(new Error("down"));

    const flags = await queue.put([
      { message: retryMessage("order-1"), dueAt: now },
      { message: retryMessage("order-2"), dueAt: now + 600 },
    ]);

    expect(flags).toEqual([true, true]);
    expect(schedules().map(({ ScheduleExpression }) => ScheduleExpression)).toEqual([
      "at(2026-11-23T12:01:01)",
      "at(2026-11-23T12:10:01)",
    ]);
  });

  test("no entries, no request", async () => {
    const { queue, batches } = notedQueue();

    expect(await queue.put([])).toEqual([]);
    expect(batches()).toEqual([]);
  });
});

describe("EventBridge Scheduler, beyond 900 s", () => {
  test("a one-time schedule in UTC that deletes itself and puts the same message on the queue", async () => {
    const { queue, batches, schedules } = notedQueue();

    const flags = await queue.put([{ message: retryMessage("order-1", 3), dueAt: startOfTest + 86_400.2 }]);

    expect(flags).toEqual([true]);
    expect(batches()).toEqual([]);
    expect(schedules()).toEqual([
      {
        Name: expect.stringMatching(/^[0-9a-zA-Z\-_.]{1,64}$/),
        GroupName: "sms-retry",
        // Without ScheduleExpressionTimezone the time is UTC.
        ScheduleExpression: "at(2026-11-24T12:00:01)",
        FlexibleTimeWindow: { Mode: "OFF" },
        ActionAfterCompletion: "DELETE",
        Target: {
          Arn: queueArn,
          RoleArn: "arn:aws:iam::123456789012:role/sms-retry-scheduler",
          Input: '{"kind":"retry-message","application_message_id":"order-1","attempt":3}',
          // The longest that Scheduler takes, and nothing is dropped after it.
          RetryPolicy: { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 },
          DeadLetterConfig: { Arn: `${queueArn}-dead-letters` },
        },
      },
    ]);
  });

  test("901 s go to the Scheduler, and the flags keep the order of the entries", async () => {
    const { queue, sqs, batches, schedules } = notedQueue();
    sqs.on(SendMessageBatchCommand).callsFake(({ Entries }) => ({
      Successful: Entries.slice(0, 1).map(({ Id }: SendMessageBatchRequestEntry) => ({ Id })),
    }));

    const flags = await queue.put([
      { message: retryMessage("late"), dueAt: now + 900.1 },
      { message: retryMessage("soon"), dueAt: now + 900 },
      { message: retryMessage("later"), dueAt: now + 90_000 },
    ]);

    expect(flags).toEqual([true, true, true]);
    expect(schedules()).toHaveLength(2);
    expect(batches()[0]?.Entries).toHaveLength(1);
  });

  test("what the Scheduler refuses goes to SQS, which brings it back early", async () => {
    const { queue, batches } = notedQueue(schedulerIsDown);

    expect(await queue.put([{ message: retryMessage("order-1"), dueAt: now + 90_000 }])).toEqual([true]);
    expect(batches()[0]?.Entries?.[0]).toMatchObject({ DelaySeconds: 900 });
  });

  test("a schedule that is there already counts as queued", async () => {
    const { queue, scheduler, telemetry } = notedQueue();
    scheduler
      .on(CreateScheduleCommand)
      .rejects(new ConflictException({ message: "exists", Message: "exists", $metadata: {} }));

    expect(await queue.put([{ message: retryMessage("order-1"), dueAt: now + 1_000 }])).toEqual([true]);
    expect(telemetry.lines).toEqual([]);
  });

  test("the name is the same for the same message and second, and another for any other", async () => {
    const { queue, schedules } = notedQueue();
    const name = async (entry: QueueEntry) => {
      await queue.put([entry]);
      return schedules().at(-1)?.Name;
    };

    const first = await name({ message: retryMessage("order-1"), dueAt: startOfTest + 1_000 });

    expect(await name({ message: retryMessage("order-1"), dueAt: startOfTest + 999.5 })).toBe(first);
    expect(await name({ message: retryMessage("order-2"), dueAt: startOfTest + 1_000 })).not.toBe(first);
    expect(await name({ message: retryMessage("order-1", 2), dueAt: startOfTest + 1_000 })).not.toBe(first);
    expect(await name({ message: retryMessage("order-1"), dueAt: startOfTest + 1_001 })).not.toBe(first);
  });

  test("the name holds neither an id nor a number, however awkward the id", async () => {
    const { queue, schedules } = notedQueue();
    const id = "+447700900123/für 東京 ".repeat(20);

    await queue.put([{ message: retryMessage(id), dueAt: now + 1_000 }]);

    const name = schedules()[0]?.Name ?? "";
    expect(name).toMatch(/^[0-9a-zA-Z\-_.]{1,64}$/);
    expect(name).not.toContain("447700900123");
  });
});

describe("real requests, to the emulators", () => {
  let emulators: Emulators<"sqs">;
  let sqs: SQSClient;
  let queueUrl: string;
  beforeAll(async () => {
    emulators = await startEmulators(["sqs"]);
    sqs = new SQSClient({ ...emulatorAccess, endpoint: emulators.endpoints.sqs });
    const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName: "sms-retry-retry" }));
    queueUrl = QueueUrl;
  });
  afterAll(() => emulators?.stop());

  async function received(count: number): Promise<QueueMessage[]> {
    const messages: QueueMessage[] = [];
    for (let tries = 0; messages.length < count && tries < 20; tries += 1) {
      const { Messages } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
      );
      for (const { Body } of Messages ?? []) {
        const message = readQueueMessage(Body ?? "");
        if (message !== undefined) messages.push(message);
      }
    }
    return messages;
  }

  test("what went onto SQS is read again as it was, a waiting event with awkward texts too", async () => {
    const telemetry = recordedTelemetry();
    const scheduler = async () => new SchedulerClient(emulatorAccess);
    const queue = sqsRetryQueue({ sqs, scheduler }, { ...target, queueUrl }, clock, telemetry);
    const event = failureEvent({
      status: 'free "text"\n\u0000 📦 \ud800 \uffff',
      destinationNumber: "+447700900123",
    });
    const waiting: QueueMessage = { kind: "waiting-event", event, first_seen_at: now };

    const flags = await queue.put([...entriesDueAt(now, 12), { message: waiting, dueAt: now }]);

    expect([flags, telemetry.lines]).toEqual([Array(13).fill(true), []]);
    const messages = await received(13);
    expect(messages).toHaveLength(13);
    expect(messages).toContainEqual(waiting);
    expect(messages).toContainEqual(retryMessage("order-11"));
  });

  test("the Scheduler's emulator takes the schedule once, and the same again is no failure", async () => {
    const delivered: unknown[] = [];
    const emulator = await startScheduler({
      accountId: "123456789012",
      region: "us-east-1",
      sqs,
      queueUrlOf: (arn) => ([queueArn, `${queueArn}-dead-letters`].includes(arn) ? queueUrl : undefined),
      now: () => startOfTest * 1000,
      id: () => "request",
      onError: (error) => delivered.push(error),
    });
    try {
      const client = new SchedulerClient({ ...emulatorAccess, endpoint: emulator.endpoint });
      const telemetry = recordedTelemetry();
      const queue = sqsRetryQueue(
        { sqs, scheduler: async () => client },
        { ...target, queueUrl },
        clock,
        telemetry,
      );
      const entry = { message: retryMessage("scheduled"), dueAt: now + 3_600 };

      const first = await queue.put([entry]);
      const second = await queue.put([entry]);

      expect([first, second]).toEqual([[true], [true]]);
      expect(emulator.pending).toBe(1);
      expect(telemetry.lines).toEqual([]);
    } finally {
      await emulator.close();
    }
  });
});
