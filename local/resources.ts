/** The AWS resources of a deployment, created on the emulators as the stacks create them on AWS. */
import { CreateTableCommand, type DynamoDBClient, waitUntilTableExists } from "@aws-sdk/client-dynamodb";
import { CreateStreamCommand, waitUntilStreamExists } from "@aws-sdk/client-kinesis";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { CreateQueueCommand, GetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { accountId, type LocalClients, region } from "./aws-clients.ts";
import type { EventSource } from "./event-source.ts";

/** Prefix of every name, as the stacks' `name_prefix`. */
export const namePrefix = "sms-retry";

/** What was created. */
export interface Resources {
  readonly tableName: string;
  readonly gateTableName: string;
  /** The Kinesis or Firehose stream that the events go to; a Firehose stream is none of the emulators'. */
  readonly eventStreamName: string;
  readonly eventStreamArn: string;
  readonly queueUrl: string;
  readonly queueArn: string;
  readonly deadLetterQueueUrl: string;
  readonly deadLetterQueueArn: string;
  readonly failureBucketName: string;
  /** Where a Firehose stream writes. */
  readonly archiveBucketName: string;
}

/** Shards of the stream: two consumers at most, as many as a small machine has cores. */
const shardCount = 2;

/** As short as the time-out of the function that reads the queue allows: what failed comes again soon. */
const visibilityTimeoutSeconds = 30;

/** How often a new resource is asked whether it can be used; an emulator makes one in a few milliseconds. */
const patience = { maxWaitTime: 20, minDelay: 0.05, maxDelay: 1 };

/**
 * Creates the tables, the queues, the buckets and, where events come through Kinesis, the stream; resolves when
 * all of them can be used.
 *
 * @param prefix begins every name; default: {@link namePrefix}
 */
export async function createResources(
  clients: LocalClients,
  via: EventSource,
  prefix: string = namePrefix,
): Promise<Resources> {
  const names = namesOf(prefix);
  const [queues] = await Promise.all([
    createQueues(clients, names),
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
    deadLetterQueue: `${prefix}-retry-dead-letters`,
    failureBucket: `${prefix}-failures`,
    archiveBucket: `${prefix}-archive`,
  };
}

function streamArns(names: Names): Record<EventSource, string> {
  return {
    kinesis: `arn:aws:kinesis:${region}:${accountId}:stream/${names.stream}`,
    firehose: `arn:aws:firehose:${region}:${accountId}:deliverystream/${names.stream}`,
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

async function createQueues(
  { sqs }: LocalClients,
  names: Names,
): Promise<Pick<Resources, "queueUrl" | "queueArn" | "deadLetterQueueUrl" | "deadLetterQueueArn">> {
  const create = async (name: string, attributes: Record<string, string>) => {
    const { QueueUrl = "" } = await sqs.send(
      new CreateQueueCommand({ QueueName: name, Attributes: attributes }),
    );
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }),
    );
    return { url: QueueUrl, arn: Attributes?.QueueArn ?? "" };
  };
  const deadLetters = await create(names.deadLetterQueue, {});
  const retry = await create(names.queue, {
    VisibilityTimeout: String(visibilityTimeoutSeconds),
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadLetters.arn, maxReceiveCount: 50 }),
  });
  return {
    queueUrl: retry.url,
    queueArn: retry.arn,
    deadLetterQueueUrl: deadLetters.url,
    deadLetterQueueArn: deadLetters.arn,
  };
}
