/** The SQS event source mapping over a queue in memory, and over fauxqs for what the queue does itself. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { localCredentials, region } from "../../local/aws-clients.ts";
import { startEmulators } from "../../local/emulators/start-emulators.ts";
import type { InvocationResult } from "../../local/lambda/execution-environment.ts";
import {
  type SqsEvent,
  type SqsMapping,
  type SqsMappingSettings,
  sqsQueueReader,
  startSqsMapping,
} from "../../local/lambda/sqs-event-source.ts";

const settings: SqsMappingSettings = {
  eventSourceArn: "arn:aws:sqs:eu-west-1:000000000000:retry",
  region: "eu-west-1",
  batchSize: 10,
  reportBatchItemFailures: true,
  maximumConcurrency: 2,
};

const running: SqsMapping[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((mapping) => mapping.stop()));
});

/** A mapping on a queue that gives each batch once. */
function start(
  batches: Message[][],
  answer: (event: SqsEvent) => Promise<InvocationResult>,
  changed: Partial<SqsMappingSettings> = {},
) {
  const deleted: (string | undefined)[] = [];
  const mapping = startSqsMapping(
    { ...settings, ...changed },
    {
      queue: {
        async receive() {
          const batch = batches.shift();
          if (batch === undefined) await sleep(5);
          return batch ?? [];
        },
        async delete(messages) {
          deleted.push(...messages.map(({ MessageId }) => MessageId));
        },
      },
      invoke: answer,
      sleep: (seconds) => sleep(seconds * 1000),
      onError: (error) => {
        throw error;
      },
    },
  );
  running.push(mapping);
  return { mapping, deleted };
}

const message = (id: string): Message => ({
  MessageId: id,
  ReceiptHandle: `handle-${id}`,
  Body: `{"id":"${id}"}`,
  Attributes: { ApproximateReceiveCount: "1", SentTimestamp: "1700000000000" },
  MD5OfBody: "md5",
});

it("hands messages over in the shape of Lambda's SQS event", async () => {
  const events: SqsEvent[] = [];
  start([[message("a")]], async (event) => {
    events.push(event);
    return { ok: true, payload: null };
  });

  await sleep(20);

  expect(events).toEqual([
    {
      Records: [
        {
          messageId: "a",
          receiptHandle: "handle-a",
          body: '{"id":"a"}',
          attributes: { ApproximateReceiveCount: "1", SentTimestamp: "1700000000000" },
          messageAttributes: {},
          md5OfBody: "md5",
          eventSource: "aws:sqs",
          eventSourceARN: "arn:aws:sqs:eu-west-1:000000000000:retry",
          awsRegion: "eu-west-1",
        },
      ],
    },
  ]);
});

it.each([
  ["everything is deleted after a success", { ok: true, payload: null }, ["a", "b"]],
  ["what is reported stays", { ok: true, payload: { batchItemFailures: [{ itemIdentifier: "a" }] } }, ["b"]],
  [
    "everything stays after an error",
    { ok: false, error: { errorType: "E", errorMessage: "", trace: [] } },
    [],
  ],
  [
    "everything stays after a report that names a stranger",
    { ok: true, payload: { batchItemFailures: [{ itemIdentifier: "c" }] } },
    [],
  ],
  [
    "everything stays after a report with an empty name",
    { ok: true, payload: { batchItemFailures: [{ itemIdentifier: "" }] } },
    [],
  ],
] as const)("%s", async (_what, result, expected) => {
  const { deleted } = start([[message("a"), message("b")]], async () => result);

  await sleep(20);

  expect(deleted).toEqual(expected);
});

it("never runs more invocations than the maximum concurrency", async () => {
  let now = 0;
  let most = 0;
  const batches = Array.from({ length: 8 }, (_, index) => [message(String(index))]);
  const { deleted } = start(batches, async () => {
    now += 1;
    most = Math.max(most, now);
    await sleep(5);
    now -= 1;
    return { ok: true, payload: null };
  });

  while (deleted.length < 8) await sleep(2);

  expect(most).toBe(2);
});

it("a message that fails comes back after a while, and goes to the dead-letter queue at last", async () => {
  // Prepare
  const emulators = await startEmulators(["sqs"]);
  const sqs = new SQSClient({ region, credentials: localCredentials, endpoint: emulators.endpoints.sqs });
  const create = async (name: string, Attributes: Record<string, string>) =>
    (await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes }))).QueueUrl ?? "";
  const deadLetters = await create("dead-letters", {});
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: deadLetters, AttributeNames: ["QueueArn"] }),
  );
  const queueUrl = await create("retry", {
    VisibilityTimeout: "1",
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: Attributes?.QueueArn, maxReceiveCount: 2 }),
  });
  await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: "poison" }));
  const counts: unknown[] = [];

  // Act
  const mapping = startSqsMapping(
    { ...settings, maximumConcurrency: 2 },
    {
      queue: sqsQueueReader(sqs, queueUrl),
      async invoke({ Records }) {
        for (const record of Records as { attributes: Record<string, string> }[]) {
          counts.push(record.attributes.ApproximateReceiveCount);
        }
        return { ok: false, error: { errorType: "Error", errorMessage: "no", trace: [] } };
      },
      sleep: (seconds) => sleep(seconds * 1000),
      onError: () => {},
    },
  );
  const dead = await sqs.send(new ReceiveMessageCommand({ QueueUrl: deadLetters, WaitTimeSeconds: 10 }));
  await mapping.stop();
  sqs.destroy();
  await emulators.stop();

  // Assess
  expect(counts).toEqual(["1", "2"]);
  expect(dead.Messages?.map(({ Body }) => Body)).toEqual(["poison"]);
});
