/** The AWS resources of a deployment, created on the emulators as the stacks create them on AWS. */
import { CreateTableCommand, waitUntilTableExists } from "@aws-sdk/client-dynamodb";
import { CreateStreamCommand, waitUntilStreamExists } from "@aws-sdk/client-kinesis";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { CreateQueueCommand, GetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { accountId, type LocalClients, region } from "./aws-clients.ts";

/** Prefix of every name, as the stacks' `name_prefix`. */
export const namePrefix = "sms-retry";

/** What was created. */
export interface Resources {
  readonly tableName: string;
  readonly streamName: string;
  readonly streamArn: string;
  readonly queueUrl: string;
  readonly queueArn: string;
  readonly deadLetterQueueUrl: string;
  readonly failureBucketName: string;
}

/** Shards of the stream: two consumers at most, as many as a small machine has cores. */
const shardCount = 2;

const longestWaitSeconds = 20;

/** Creates the table, the stream, the queues and the bucket; resolves when all of them can be used. */
export async function createResources(clients: LocalClients): Promise<Resources> {
  const [queues] = await Promise.all([createQueues(clients), createTable(clients), createStream(clients)]);
  await clients.s3.send(new CreateBucketCommand({ Bucket: names.failureBucket }));
  return {
    tableName: names.table,
    streamName: names.stream,
    streamArn: `arn:aws:kinesis:${region}:${accountId}:stream/${names.stream}`,
    failureBucketName: names.failureBucket,
    ...queues,
  };
}

const names = {
  table: `${namePrefix}-message-state`,
  stream: `${namePrefix}-events`,
  queue: `${namePrefix}-retry`,
  deadLetterQueue: `${namePrefix}-retry-dead-letters`,
  failureBucket: `${namePrefix}-failures`,
} as const;

async function createTable({ dynamodb }: LocalClients): Promise<void> {
  await dynamodb.send(
    new CreateTableCommand({
      TableName: names.table,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: "application_message_id", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "application_message_id", KeyType: "HASH" }],
    }),
  );
  // dynalite knows no UpdateTimeToLive; nothing in a run lives long enough to be deleted by it.
  await waitUntilTableExists(
    { client: dynamodb, maxWaitTime: longestWaitSeconds, minDelay: 1 },
    { TableName: names.table },
  );
}

async function createStream({ kinesis }: LocalClients): Promise<void> {
  await kinesis.send(new CreateStreamCommand({ StreamName: names.stream, ShardCount: shardCount }));
  await waitUntilStreamExists(
    { client: kinesis, maxWaitTime: longestWaitSeconds, minDelay: 1 },
    { StreamName: names.stream },
  );
}

async function createQueues({
  sqs,
}: LocalClients): Promise<Pick<Resources, "queueUrl" | "queueArn" | "deadLetterQueueUrl">> {
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
    VisibilityTimeout: "180",
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadLetters.arn, maxReceiveCount: 5 }),
  });
  return { queueUrl: retry.url, queueArn: retry.arn, deadLetterQueueUrl: deadLetters.url };
}
