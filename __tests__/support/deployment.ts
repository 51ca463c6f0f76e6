/**
 * The built bundles, running as Lambda runs them, against emulators: what `npm test` bundles is what is tested.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  PurgeQueueCommand,
  type Message as QueuedMessage,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { KinesisStreamBatchResponse, SQSBatchResponse } from "aws-lambda";
import { type BreakableProxy, startBreakableProxy } from "../../local/emulators/start-breakable-proxy.ts";
import { startEmulators } from "../../local/emulators/start-emulators.ts";
import {
  type EnvironmentFacts,
  functionEnvironment,
  type LocalFunctionName,
} from "../../local/function-environments.ts";
import type { InvocationResult } from "../../local/lambda/execution-environment.ts";
import type { FunctionRuntime } from "../../local/lambda/function-runtime.ts";
import { bundledFunction } from "../../local/local-functions.ts";
import { currentBundles } from "./bundle-folder.ts";
import { type DynamodbProxy, startDynamodbProxy } from "./dynamodb-proxy.ts";
import { createGateTable, createMessageTable, emulatorAccess, type MessageTable } from "./message-table.ts";
import { type ScriptedSmsService, startScriptedSmsService } from "./sms-service.ts";

/** The Pinpoint project that the functions send with. */
export const applicationId = "0123456789abcdef0123456789abcdef";

/** A deployment on this machine. */
export interface Deployment {
  readonly table: MessageTable;
  /** The gates; cleared, no breaker is closed any more. */
  readonly gates: MessageTable;
  /** Between the functions and the table. */
  readonly proxy: DynamodbProxy;
  /** Between the functions and the retry queue. */
  readonly queueProxy: BreakableProxy;
  readonly pinpoint: ScriptedSmsService;
  /** Everything that any function has written to stdout and stderr, and the errors that Lambda would log. */
  readonly output: string[];
  /** What the function answers; fails where the invocation fails. */
  invoke<T>(name: LocalFunctionName, event: unknown): Promise<T>;
  /** The result of an invocation, whatever it is. */
  tryInvoke(name: LocalFunctionName, event: unknown): Promise<InvocationResult>;
  /** Hands Kinesis records to `consume-kinesis`; gives the sequence numbers that it wants again. */
  consume(records: readonly KinesisRecord[]): Promise<string[]>;
  /**
   * Hands what is on the retry queue to `resend`, batch by batch, until nothing is there that is due within
   * `withinSeconds` (default 6): what lost a race waits for the winner's lease, a minute. A message that the
   * function wants again stays hidden, as on AWS.
   *
   * @returns how many messages came
   */
  drain(withinSeconds?: number): Promise<number>;
  /** How many messages wait on the retry queue, the delayed ones included. */
  queued(): Promise<number>;
  /** Bodies of what waits on the retry queue, the delayed ones included; then nothing is there any more. */
  takeMessages(): Promise<string[]>;
  /** Takes everything off the retry queue. */
  purge(): Promise<void>;
  /** Everything in the failure bucket, by key. */
  kept(): Promise<Map<string, Buffer>>;
  /**
   * Puts everything but the table and the output back as it was at the start, before each test: every service is
   * whole and accepts, nothing is on the queue. What an earlier test still has under way, because its time was over,
   * ends with an error and reaches nothing any more.
   */
  reset(): Promise<void>;
  /** Sum of a metric in the functions' output. */
  metric(name: string): number;
  stop(): Promise<void>;
}

/** One record as Lambda's event source mapping hands it over. */
export interface KinesisRecord {
  readonly eventID: string;
  readonly kinesis: { readonly data: string; readonly sequenceNumber: string };
}

/** How a deployment differs from the default one. */
export interface DeploymentOptions {
  /** Variables of single functions over the test's defaults. */
  readonly environment?: Partial<Record<LocalFunctionName, Record<string, string>>>;
  /**
   * Whether the functions reach the table through {@link Deployment.proxy}, which costs time.
   * @default true
   */
  readonly throughProxy?: boolean;
  /**
   * Most execution environments of a function at once; each is a process.
   * @default 1
   */
  readonly maxEnvironments?: number;
  /** Time that an invocation has. @default 60 */
  readonly timeoutSeconds?: number;
}

let sequence = 0;

/** A message as the emulator shows it to whoever looks into its queue. */
interface EmulatedMessage {
  readonly body: string;
  /** Epoch milliseconds. */
  readonly delayUntil?: number;
}

/** A Kinesis record with these bytes, with all the fields that Lambda gives. */
export function kinesisRecord(data: Buffer | string | object): KinesisRecord {
  const bytes =
    typeof data === "string" || Buffer.isBuffer(data) ? Buffer.from(data) : Buffer.from(JSON.stringify(data));
  sequence += 1;
  const sequenceNumber = `4959033827149025660855969253836157109592157598913${String(sequence).padStart(7, "0")}`;
  return {
    kinesis: {
      kinesisSchemaVersion: "1.0",
      partitionKey: "0123456789abcdef",
      sequenceNumber,
      data: bytes.toString("base64"),
      approximateArrivalTimestamp: 1_795_435_205.123,
    },
    eventSource: "aws:kinesis",
    eventVersion: "1.0",
    eventID: `shardId-000000000000:${sequenceNumber}`,
    eventName: "aws:kinesis:record",
    invokeIdentityArn: "arn:aws:iam::123456789012:role/sms-retry-consume-kinesis",
    awsRegion: "us-east-1",
    eventSourceARN: "arn:aws:kinesis:us-east-1:123456789012:stream/sms-retry-events",
  } as KinesisRecord;
}

/** An SQS record with this body, with all the fields that Lambda gives. */
export function sqsRecord(messageId: string, body: string) {
  return {
    messageId,
    receiptHandle: "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
    body,
    attributes: {
      ApproximateReceiveCount: "1",
      SentTimestamp: "1795435205123",
      SenderId: "123456789012",
      ApproximateFirstReceiveTimestamp: "1795435205124",
    },
    messageAttributes: {},
    md5OfBody: "e4e68fb7bd0e697a0ae8f1bb342846b3",
    eventSource: "aws:sqs",
    eventSourceARN: "arn:aws:sqs:us-east-1:123456789012:sms-retry-retry",
    awsRegion: "us-east-1",
  };
}

/** The failure bucket, and the one queue. */
const bucket = "sms-retry-events";
const queueName = "sms-retry-retry";

/** The variables of the test's deployment; every retry is due at once and its gate is wide. */
export function environmentOf(
  name: LocalFunctionName,
  queueUrl: string,
  endpoints: EnvironmentFacts["endpoints"] = {},
): Record<string, string> {
  const variables = functionEnvironment(name, {
    resources: {
      tableName: "message-state",
      gateTableName: "send-gates",
      queueUrl,
      queueArn: `arn:aws:sqs:us-east-1:123456789012:${queueName}`,
      deadLetterQueueArn: `arn:aws:sqs:us-east-1:123456789012:${queueName}-dead-letters`,
      failureBucketName: bucket,
    },
    endpoints,
    sending: { service: "pinpoint", applicationId },
    maxRetries: 3,
    settings: {
      retry_delays_seconds: [0],
      message_validity_seconds: 86_400,
      max_sends_per_second: 4_000,
      send_rates: {},
    },
    trackDeliveries: "retried",
  });
  return {
    ...variables,
    POWERTOOLS_LOG_LEVEL: "DEBUG",
    AWS_REGION: emulatorAccess.region,
    AWS_ACCESS_KEY_ID: emulatorAccess.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: emulatorAccess.credentials.secretAccessKey,
  };
}

/** Starts emulators, table, queue, bucket and stand-in; the functions start with their first invocation. */
export async function startDeployment(options: DeploymentOptions = {}): Promise<Deployment> {
  const bundleFolder = await currentBundles();
  const emulators = await startEmulators(["dynamodb", "sqs", "s3"]);
  const pinpoint = await startScriptedSmsService(applicationId);
  const proxy = await startDynamodbProxy(emulators.endpoints.dynamodb);
  const table = await createMessageTable(emulators.endpoints.dynamodb);
  const gates = await createGateTable(emulators.endpoints.dynamodb);
  const sqs = new SQSClient({
    ...emulatorAccess,
    endpoint: emulators.endpoints.sqs,
    useQueueUrlAsEndpoint: false,
  });
  const s3 = new S3Client({ ...emulatorAccess, endpoint: emulators.endpoints.s3, forcePathStyle: true });
  const queueProxy = await startBreakableProxy(emulators.endpoints.sqs);
  // The functions go to the queue by way of the proxy.
  const { QueueUrl = "" } = await new SQSClient({ ...emulatorAccess, endpoint: queueProxy.endpoint }).send(
    new CreateQueueCommand({ QueueName: queueName }),
  );
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));

  const output: string[] = [];
  const runtimes = new Map<LocalFunctionName, FunctionRuntime>();
  function runtimeOf(name: LocalFunctionName): FunctionRuntime {
    const known = runtimes.get(name);
    if (known !== undefined) return known;
    const runtime = bundledFunction(name, {
      bundleFolder,
      environment: {
        ...environmentOf(name, QueueUrl, {
          DYNAMODB: options.throughProxy === false ? emulators.endpoints.dynamodb : proxy.endpoint,
          SQS: queueProxy.endpoint,
          S3: emulators.endpoints.s3,
          PINPOINT: pinpoint.endpoint,
        }),
        ...options.environment?.[name],
      },
      timeoutSeconds: options.timeoutSeconds ?? 60,
      maxEnvironments: options.maxEnvironments ?? 1,
      onLine: (line) => output.push(line),
    });
    runtimes.set(name, runtime);
    return runtime;
  }

  async function stopRuntimes(): Promise<void> {
    const all = [...runtimes.values()];
    runtimes.clear();
    await Promise.all(all.map((runtime) => runtime.stop()));
  }

  async function invoke<T>(name: LocalFunctionName, event: unknown): Promise<T> {
    const result = await deployment.tryInvoke(name, event);
    if (!result.ok) throw new Error(`${name}: ${result.error.errorType}: ${result.error.errorMessage}`);
    return result.payload as T;
  }

  async function receive(): Promise<QueuedMessage[]> {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }),
    );
    return Messages;
  }

  /** What lies on the queue, by the emulator's own account: nothing is received by this. */
  async function onQueue(): Promise<{ ready: EmulatedMessage[]; delayed: EmulatedMessage[] }> {
    const answer = await fetch(`${emulators.endpoints.sqs}/_fauxqs/queues/${queueName}`);
    const { messages } = (await answer.json()) as Record<"messages", Awaited<ReturnType<typeof onQueue>>>;
    return messages;
  }

  /** Seconds until the next delayed message is due; infinite where there is none. */
  async function secondsUntilNext(): Promise<number> {
    const { delayed } = await onQueue();
    return (Math.min(...delayed.map(({ delayUntil = 0 }) => delayUntil)) - Date.now()) / 1000;
  }

  async function remove(messages: readonly QueuedMessage[]): Promise<void> {
    await Promise.all(
      messages.map(({ ReceiptHandle }) => sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))),
    );
  }

  /** Tests so far, and what runs for the present one. */
  let generation = 0;
  let underWay = 0;

  const deployment: Deployment = {
    table,
    gates,
    proxy,
    queueProxy,
    pinpoint,
    output,
    invoke,
    async tryInvoke(name, event) {
      underWay += 1;
      const result = await runtimeOf(name).invoke(event);
      underWay -= 1;
      // Lambda logs the error that an invocation ends with.
      if (!result.ok) output.push(JSON.stringify(result.error));
      return result;
    },
    async consume(Records) {
      const { batchItemFailures } = await invoke<KinesisStreamBatchResponse>("consume-kinesis", { Records });
      return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
    },
    async drain(withinSeconds = 6) {
      const own = generation;
      let handled = 0;
      for (;;) {
        if (generation !== own) throw new Error("The test is over.");
        const messages = await receive();
        if (messages.length === 0) {
          const wait = await secondsUntilNext();
          if (wait > withinSeconds) return handled;
          await sleep(Math.max(0, wait) * 1000);
          continue;
        }
        handled += messages.length;
        const Records = messages.map(({ MessageId = "", Body = "" }) => sqsRecord(MessageId, Body));
        const { batchItemFailures } = await invoke<SQSBatchResponse>("resend", { Records });
        const again = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
        await remove(messages.filter(({ MessageId = "" }) => !again.has(MessageId)));
      }
    },
    async queued() {
      const { Attributes } = await sqs.send(
        new GetQueueAttributesCommand({
          QueueUrl,
          AttributeNames: ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"],
        }),
      );
      return Object.values(Attributes ?? {}).reduce((sum, count) => sum + Number(count), 0);
    },
    async takeMessages() {
      const { ready, delayed } = await onQueue();
      await deployment.purge();
      return [...ready, ...delayed].map(({ body }) => body);
    },
    async purge() {
      await sqs.send(new PurgeQueueCommand({ QueueUrl }));
    },
    async kept() {
      const kept = new Map<string, Buffer>();
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket }));
      for (const { Key = "" } of Contents) {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
        kept.set(Key, Buffer.from((await Body?.transformToByteArray()) ?? []));
      }
      return kept;
    },
    async reset() {
      generation += 1;
      if (underWay > 0) {
        await stopRuntimes();
        output.length = 0;
      }
      proxy.reset();
      queueProxy.mend();
      pinpoint.reset();
      await Promise.all([deployment.purge(), gates.clear()]);
    },
    metric(name) {
      let sum = 0;
      for (const line of output) {
        if (!line.includes('"CloudWatchMetrics"')) continue;
        const value: unknown = JSON.parse(line)[name];
        if (value !== undefined)
          sum += [value].flat().reduce((total: number, each) => total + Number(each), 0);
      }
      return sum;
    },
    async stop() {
      await stopRuntimes();
      await Promise.all([proxy.close(), queueProxy.close(), pinpoint.close(), emulators.stop()]);
    },
  };
  return deployment;
}
