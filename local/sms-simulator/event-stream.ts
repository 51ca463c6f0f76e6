/** Puts delivery events on a Kinesis stream, in batches as the service does. */
import { type KinesisClient, PutRecordsCommand } from "@aws-sdk/client-kinesis";

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

/** Limits of `PutRecords`, and how long an event waits for company. */
const batch = { records: 500, lingerMilliseconds: 25 };

/**
 * A publisher to one stream. Refused records go out again with the next batch.
 *
 * @param onError is told of a failed call; its events stay waiting and go out again
 */
export function kinesisPublisher(
  client: KinesisClient,
  streamName: string,
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
      const { Records } = await client.send(
        new PutRecordsCommand({
          StreamName: streamName,
          Records: inFlight.map(({ partitionKey, data }) => ({
            PartitionKey: partitionKey,
            Data: Buffer.from(data),
          })),
        }),
      );
      const refused: StreamEntry[] = [];
      for (const [index, entry] of inFlight.entries()) {
        if (Records?.[index]?.SequenceNumber === undefined) refused.push(entry);
        else entry.onPublished();
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
