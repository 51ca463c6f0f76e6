/**
 * Lambda's event source mapping for an SQS standard queue.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
 */
import {
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { reportedItems } from "./batch-delivery.ts";
import type { InvocationResult } from "./execution-environment.ts";

/** The settings of a mapping, in Lambda's words. */
export interface SqsMappingSettings {
  readonly eventSourceArn: string;
  readonly region: string;
  /** 1 to 10; larger batches need a batching window, which this mapping does not know. */
  readonly batchSize: number;
  readonly reportBatchItemFailures: boolean;
  /** `ScalingConfig.MaximumConcurrency`: most invocations at once. */
  readonly maximumConcurrency: number;
}

/** The queue as a mapping uses it. */
export interface QueueReader {
  /** Up to `limit` messages, which stay hidden for the queue's visibility time-out; waits a little for one. */
  receive(limit: number): Promise<Message[]>;
  delete(messages: readonly Message[]): Promise<void>;
}

/** What a mapping needs. */
export interface SqsMappingPorts {
  readonly queue: QueueReader;
  invoke(event: SqsEvent): Promise<InvocationResult>;
  sleep(seconds: number): Promise<void>;
  /** Is told of a call of the queue that failed; it is tried again. */
  onError(error: unknown): void;
}

/** A running mapping. */
export interface SqsMapping {
  /** Invocations that run now. */
  readonly running: number;
  /** Stops receiving, and resolves when the running invocations have ended. */
  stop(): Promise<void>;
}

/** Lambda's event for a batch of messages. */
export interface SqsEvent {
  readonly Records: readonly object[];
}

const pauseAfterErrorSeconds = 1;

/**
 * Starts a mapping: as many pollers as invocations may run at once, each with one batch at a time.
 *
 * What an invocation handled is deleted; what it reported, or everything where it failed, comes back when its
 * visibility time-out is over. The queue itself moves a message to its dead-letter queue.
 */
export function startSqsMapping(settings: SqsMappingSettings, ports: SqsMappingPorts): SqsMapping {
  let isStopped = false;
  let running = 0;

  async function poll(): Promise<void> {
    while (!isStopped) {
      try {
        const messages = await ports.queue.receive(settings.batchSize);
        // Messages received after the stop stay on the queue and come back.
        if (messages.length === 0 || isStopped) continue;
        running += 1;
        try {
          const result = await ports.invoke(sqsEvent(messages, settings));
          const done = handledMessages(messages, result, settings);
          if (done.length > 0) await ports.queue.delete(done);
        } finally {
          running -= 1;
        }
      } catch (error) {
        if (isStopped) return;
        ports.onError(error);
        await ports.sleep(pauseAfterErrorSeconds);
      }
    }
  }

  const pollers = Array.from({ length: settings.maximumConcurrency }, poll);
  return {
    get running() {
      return running;
    },
    async stop() {
      isStopped = true;
      await Promise.all(pollers);
    },
  };
}

/** The messages that an answer says are handled. */
function handledMessages(
  messages: readonly Message[],
  result: InvocationResult,
  settings: SqsMappingSettings,
): Message[] {
  if (!result.ok) return [];
  if (!settings.reportBatchItemFailures) return [...messages];
  const failed = reportedItems(result.payload);
  if (failed === "all") return [];
  const known = new Set(messages.map(({ MessageId }) => MessageId));
  // An identifier that is none of the batch's is a malformed response: the whole batch has failed.
  if (failed.some((item) => !known.has(item))) return [];
  const failures = new Set(failed);
  return messages.filter(({ MessageId }) => !failures.has(MessageId ?? ""));
}

/** A queue read with the SDK, by long polling. */
export function sqsQueueReader(client: SQSClient, queueUrl: string): QueueReader {
  return {
    async receive(limit) {
      const { Messages = [] } = await client.send(
        new ReceiveMessageCommand({
          QueueUrl: queueUrl,
          MaxNumberOfMessages: limit,
          WaitTimeSeconds: 1,
          MessageSystemAttributeNames: ["All"],
          MessageAttributeNames: ["All"],
        }),
      );
      return Messages;
    },
    async delete(messages) {
      await client.send(
        new DeleteMessageBatchCommand({
          QueueUrl: queueUrl,
          Entries: messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle })),
        }),
      );
    },
  };
}

/** A batch as Lambda hands it to a function. */
function sqsEvent(messages: readonly Message[], settings: SqsMappingSettings): SqsEvent {
  return {
    Records: messages.map((message) => ({
      messageId: message.MessageId,
      receiptHandle: message.ReceiptHandle,
      body: message.Body,
      attributes: message.Attributes ?? {},
      messageAttributes: Object.fromEntries(
        Object.entries(message.MessageAttributes ?? {}).map(([name, value]) => [
          name,
          { stringValue: value.StringValue, dataType: value.DataType },
        ]),
      ),
      md5OfBody: message.MD5OfBody,
      eventSource: "aws:sqs",
      eventSourceARN: settings.eventSourceArn,
      awsRegion: settings.region,
    })),
  };
}
