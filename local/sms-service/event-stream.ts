/** Puts delivery events on a Kinesis or a Firehose stream, in batches as the service does. */
import { type KinesisClient, PutRecordsCommand } from "@aws-sdk/client-kinesis";
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

/** Limits of `PutRecords` and `PutRecordBatch`, and how long an event waits for company. */
const batch = { records: 500, lingerMilliseconds: 25 };

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
  return batchPublisher(async (entries) => {
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
  return batchPublisher(async (entries) => {
    const ids = stream.putRecordBatch(entries.map(({ data }) => Buffer.from(data)));
    return ids.map(() => true);
  }, onError);
}

/** @param put puts entries on a stream and answers, in their order, which of them it took */
function batchPublisher(
  put: (entries: readonly StreamEntry[]) => Promise<readonly boolean[]>,
  onError: (error: unknown) => void,
): EventPublisher {
  let queue: StreamEntry[] = [];
  let inFlight: readonly StreamEntry[] = [];
  let timer: NodeJS.Timeout | undefined;
  let sending: Promise<void> = Promise.resolve();

  function schedule(): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      sending = sending.then(send);
    }, batch.lingerMilliseconds);
  }

  async function send(): Promise<void> {
    inFlight = queue.slice(0, batch.records);
    queue = queue.slice(batch.records);
    if (inFlight.length === 0) return;
    try {
      const areTaken = await put(inFlight);
      const refused: StreamEntry[] = [];
      for (const [index, entry] of inFlight.entries()) {
        if (areTaken[index] === true) entry.onPublished();
        else refused.push(entry);
      }
      queue = [...refused, ...queue];
    } catch (error) {
      queue = [...inFlight, ...queue];
      onError(error);
    }
    inFlight = [];
    if (queue.length > 0) schedule();
  }

  return {
    publish(entry) {
      queue.push(entry);
      schedule();
    },
    get waiting() {
      return queue.length + inFlight.length;
    },
    async close() {
      clearTimeout(timer);
      await sending;
      await send();
      clearTimeout(timer);
    },
  };
}
