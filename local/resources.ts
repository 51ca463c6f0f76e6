/** The AWS resources of a deployment, created on the emulators as the stacks create them on AWS. */
import { CreateTableCommand, type DynamoDBClient, waitUntilTableExists } from "@aws-sdk/client-dynamodb";
import { CreateStreamCommand, waitUntilStreamExists } from "@aws-sdk/client-kinesis";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { CreateTopicCommand, SubscribeCommand } from "@aws-sdk/client-sns";
import { CreateQueueCommand, GetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { timeoutSecondsOf } from "../functions/contract/environment.ts";
import { receivesBeforeDeadLetter } from "../functions/contract/redelivery.ts";
import { accountId, type LocalClients, region } from "./aws-clients.ts";
import type { EventSource } from "./event-source.ts";

/** Prefix of every name, as the stacks' `name_prefix`. */
export const namePrefix = "sms-retry";

/** What was created. */
export interface Resources {
  readonly tableName: string;
  readonly gateTableName: string;
  /** The Kinesis stream, Firehose stream or topic that the events go to; a Firehose stream is none of the emulators'. */
  readonly eventStreamName: string;
  readonly eventStreamArn: string;
  /** The queue behind the topic; absent where the events go to a stream. */
  readonly eventQueue?: Queue;
  readonly queueUrl: string;
  readonly queueArn: string;
  readonly deadLetterQueueUrl: string;
  readonly deadLetterQueueArn: string;
  readonly failureBucketName: string;
  /** Where a Firehose stream writes. */
  readonly archiveBucketName: string;
}

/** A queue. */
export interface Queue {
  readonly url: string;
  readonly arn: string;
}

/** Shards of the stream: two consumers at most, as many as a small machine has cores. */
const shardCount = 2;

/** As short as the time-out of the function that reads the retry queue allows: what failed comes again soon. */
const visibilityTimeoutSeconds = 30;

/** How often a new resource is asked whether it can be used; an emulator makes one in a few milliseconds. */
const patience = { maxWaitTime: 20, minDelay: 0.05, maxDelay: 1 };

/**
 * Creates the tables, the queues, the buckets and what the events come through; resolves when all of them can be used.
 *
 * @param prefix begins every name; default: {@link namePrefix}
 */
export async function createResources(
  clients: LocalClients,
  via: EventSource,
  prefix: string = namePrefix,
): Promise<Resources> {
  const names = namesOf(prefix);
  const [queues, eventQueue] = await Promise.all([
    createRetryQueues(clients, names),
    via === "sns" ? createTopicAndQueue(clients, names) : undefined,
    createTable(clients.dynamodb, names.table, "application_message_id"),
    createTable(clients.dynamodb, names.gateTable, "gate"),
    via === "kinesis" ? createStream(clients, names) : undefined,
  ]);
  for (const bucket of [names.failureBucket, names.archiveBucket]) {
    await clients.s3.send(new CreateBucketCommand({ Bucket: bucket }));
  }
  return {
    tableName: names.table,
    gateTableName: names.gateTable,
    eventStreamName: names.stream,
    eventStreamArn: streamArns(names)[via],
    failureBucketName: names.failureBucket,
    archiveBucketName: names.archiveBucket,
    ...(eventQueue !== undefined && { eventQueue }),
    ...queues,
  };
}

type Names = ReturnType<typeof namesOf>;

function namesOf(prefix: string) {
  return {
    table: `${prefix}-message-state`,
    gateTable: `${prefix}-send-gates`,
    stream: `${prefix}-events`,
    queue: `${prefix}-retry`,
    failureBucket: `${prefix}-failures`,
    archiveBucket: `${prefix}-archive`,
  };
}

function streamArns(names: Names): Record<EventSource, string> {
  return {
    kinesis: `arn:aws:kinesis:${region}:${accountId}:stream/${names.stream}`,
    firehose: `arn:aws:firehose:${region}:${accountId}:deliverystream/${names.stream}`,
    sns: `arn:aws:sns:${region}:${accountId}:${names.stream}`,
  };
}

/** Creates a table on demand with one text key, as the stacks do; resolves when it can be used. */
export async function createTable(dynamodb: DynamoDBClient, name: string, key: string): Promise<void> {
  await dynamodb.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: key, AttributeType: "S" }],
      KeySchema: [{ AttributeName: key, KeyType: "HASH" }],
    }),
  );
  // dynalite knows no UpdateTimeToLive; nothing in a run lives long enough to be deleted by it.
  await waitUntilTableExists({ client: dynamodb, ...patience }, { TableName: name });
}

async function createStream({ kinesis }: LocalClients, names: Names): Promise<void> {
  await kinesis.send(new CreateStreamCommand({ StreamName: names.stream, ShardCount: shardCount }));
  await waitUntilStreamExists({ client: kinesis, ...patience }, { StreamName: names.stream });
}

async function createRetryQueues(
  clients: LocalClients,
  names: Names,
): Promise<Pick<Resources, "queueUrl" | "queueArn" | "deadLetterQueueUrl" | "deadLetterQueueArn">> {
  const { queue, deadLetters } = await createQueue(clients, names.queue, {
    visibilityTimeoutSeconds,
    maxReceiveCount: receivesBeforeDeadLetter,
  });
  return {
    queueUrl: queue.url,
    queueArn: queue.arn,
    deadLetterQueueUrl: deadLetters.url,
    deadLetterQueueArn: deadLetters.arn,
  };
}

/** The topic, and the queue that gets what is published there as it is. */
async function createTopicAndQueue(clients: LocalClients, names: Names): Promise<Queue> {
  const { queue, deadLetters } = await createQueue(clients, names.stream, {
    visibilityTimeoutSeconds: timeoutSecondsOf["consume-sns"],
    maxReceiveCount: receivesBeforeDeadLetter,
  });
  const { TopicArn } = await clients.sns.send(new CreateTopicCommand({ Name: names.stream }));
  await clients.sns.send(
    new SubscribeCommand({
      TopicArn,
      Protocol: "sqs",
      Endpoint: queue.arn,
      Attributes: {
        RawMessageDelivery: "true",
        RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadLetters.arn }),
      },
    }),
  );
  return queue;
}

/** A queue, and the one that takes what it gives up. */
async function createQueue(
  clients: LocalClients,
  name: string,
  settings: { readonly visibilityTimeoutSeconds: number; readonly maxReceiveCount: number },
): Promise<{ readonly queue: Queue; readonly deadLetters: Queue }> {
  const deadLetters = await createOneQueue(clients, `${name}-dead-letters`, {});
  const queue = await createOneQueue(clients, name, {
    VisibilityTimeout: String(settings.visibilityTimeoutSeconds),
    RedrivePolicy: JSON.stringify({
      deadLetterTargetArn: deadLetters.arn,
      maxReceiveCount: settings.maxReceiveCount,
    }),
  });
  return { queue, deadLetters };
}

async function createOneQueue(
  { sqs }: LocalClients,
  name: string,
  attributes: Record<string, string>,
): Promise<Queue> {
  const { QueueUrl = "" } = await sqs.send(
    new CreateQueueCommand({ QueueName: name, Attributes: attributes }),
  );
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }),
  );
  return { url: QueueUrl, arn: Attributes?.QueueArn ?? "" };
}
