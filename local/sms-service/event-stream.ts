/** Puts delivery events on a Kinesis stream, a Firehose stream or a topic. */
import { type KinesisClient, PutRecordsCommand } from "@aws-sdk/client-kinesis";
import { PublishBatchCommand, type SNSClient } from "@aws-sdk/client-sns";
import type { DeliveryStream } from "../firehose/delivery-stream.ts";

/** One event ready for the stream. */
export interface StreamEntry {
  readonly partitionKey: string;
  readonly data: string;
  /** Called once the entry is on the stream. */
  onPublished(): void;
}

/** A way to the stream. */
export interface EventPublisher {
  /** Takes an entry; it leaves with the next batch. */
  publish(entry: StreamEntry): void;
  /** Entries taken that are not on the stream yet. */
  readonly waiting: number;
  /** Sends what waits, then ends. */
  close(): Promise<void>;
}

/** How long an event waits for others to leave with it. */
const lingerMilliseconds = 25;

/** Most events of one `PutRecords` or `PutRecordBatch`, and of one `PublishBatch`. */
const largestBatch = { stream: 500, topic: 10 };

/**
 * A publisher to one Kinesis stream. Refused records go out again with the next batch.
 *
 * @param onError is told of a failed call; its events stay waiting and go out again
 */
export function kinesisPublisher(
  client: KinesisClient,
  streamName: string,
  onError: (error: unknown) => void,
): EventPublisher {
  return new BatchPublisher(async (entries) => {
    const { Records = [] } = await client.send(
      new PutRecordsCommand({
        StreamName: streamName,
        Records: entries.map(({ partitionKey, data }) => ({
          PartitionKey: partitionKey,
          Data: Buffer.from(data),
        })),
      }),
    );
    return Records.map(({ SequenceNumber }) => SequenceNumber !== undefined);
  }, onError);
}

/**
 * A publisher to one Firehose stream.
 *
 * @param onError is told of a refused call; its events stay waiting and go out again
 */
export function firehosePublisher(
  stream: Pick<DeliveryStream, "putRecordBatch">,
  onError: (error: unknown) => void,
): EventPublisher {
  return new BatchPublisher(async (entries) => {
    const ids = stream.putRecordBatch(entries.map(({ data }) => Buffer.from(data)));
    return ids.map(() => true);
  }, onError);
}

/**
 * A publisher to one topic. The service publishes each event by itself; who subscribes cannot see the difference.
 *
 * @param onError is told of a failed call; its events stay waiting and go out again
 */
export function snsPublisher(
  client: SNSClient,
  topicArn: string,
  onError: (error: unknown) => void,
): EventPublisher {
  return new BatchPublisher(
    async (entries) => {
      const { Successful = [] } = await client.send(
        new PublishBatchCommand({
          TopicArn: topicArn,
          PublishBatchRequestEntries: entries.map(({ data }, index) => ({
            Id: String(index),
            Message: data,
          })),
        }),
      );
      const taken = new Set(Successful.map(({ Id }) => Id));
      return entries.map((_, index) => taken.has(String(index)));
    },
    onError,
    largestBatch.topic,
  );
}

/** Collects entries for a moment and puts them on a stream together; what is refused goes again with the next. */
class BatchPublisher implements EventPublisher {
  readonly #put: (entries: readonly StreamEntry[]) => Promise<readonly boolean[]>;
  readonly #onError: (error: unknown) => void;
  readonly #largest: number;
  #queue: StreamEntry[] = [];
  #inFlight: readonly StreamEntry[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> = Promise.resolve();

  /**
   * @param put puts entries on a stream and answers, in their order, which of them it took
   * @param largest most entries that it is given at once
   */
  constructor(
    put: (entries: readonly StreamEntry[]) => Promise<readonly boolean[]>,
    onError: (error: unknown) => void,
    largest = largestBatch.stream,
  ) {
    this.#put = put;
    this.#onError = onError;
    this.#largest = largest;
  }

  publish(entry: StreamEntry): void {
    this.#queue.push(entry);
    this.#schedule();
  }

  get waiting(): number {
    return this.#queue.length + this.#inFlight.length;
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#sending;
    await this.#send();
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#sending = this.#sending.then(() => this.#send());
    }, lingerMilliseconds);
  }

  async #send(): Promise<void> {
    const entries = this.#queue.splice(0, this.#largest);
    if (entries.length === 0) return;
    this.#inFlight = entries;
    try {
      const areTaken = await this.#put(entries);
      for (const [index, entry] of entries.entries()) if (areTaken[index] === true) entry.onPublished();
      this.#queue.unshift(...entries.filter((_, index) => areTaken[index] !== true));
    } catch (error) {
      this.#queue.unshift(...entries);
      this.#onError(error);
    }
    this.#inFlight = [];
    if (this.#queue.length > 0) this.#schedule();
  }
}
