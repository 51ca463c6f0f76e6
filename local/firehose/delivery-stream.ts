/**
 * An emulator of a Firehose delivery stream that takes records directly, has them transformed by a function
 * and writes them to S3.
 *
 * @see https://docs.aws.amazon.com/firehose/latest/dev/create-destination.html
 */
import { SizeAndTimeBuffer } from "./size-and-time-buffer.ts";
import {
  type FirehoseRecord,
  type TransformationOptions,
  type TransformedRecord,
  transform,
} from "./transformation.ts";

/** Firehose's buffering hints. */
export interface BufferingHints {
  readonly bytes: number;
  readonly intervalSeconds: number;
}

/** What a delivery stream needs. */
export interface DeliveryStreamOptions extends TransformationOptions {
  readonly name: string;
  /** The transformation's function. */
  readonly lambdaArn: string;
  readonly transformationBuffer: BufferingHints;
  readonly deliveryBuffer: BufferingHints;
  /** Writes an object to the destination; a write that rejects is tried again. */
  putObject(key: string, body: Buffer): Promise<void>;
  /** Is told of a write that failed. */
  onError(error: unknown): void;
}

/** A running delivery stream. */
export interface DeliveryStream {
  /**
   * Takes records, as the API `PutRecordBatch` does.
   *
   * @returns their ids, in order
   * @throws InvalidRecordsError for a request that Firehose refuses as a whole
   */
  putRecordBatch(records: readonly Uint8Array[]): string[];
  readonly received: number;
  readonly dropped: number;
  /** Whether everything that was received has been delivered, dropped or quarantined. */
  readonly isIdle: boolean;
  /** Delivers what is on its way without waiting for the buffers; resolves when all of it is written. */
  stop(): Promise<void>;
}

/** A `PutRecordBatch` beyond the limits. */
export class InvalidRecordsError extends Error {
  override readonly name = "InvalidArgumentException";
}

/** Limits of `PutRecordBatch`. */
const limits = { records: 500, requestBytes: 4 * 1024 * 1024, recordBytes: 1_000 * 1024 };

/** Where Firehose writes the records that could not be transformed. */
export const failedPrefix = "processing-failed/";

/** Pause before a write to S3 is tried again. */
const pauseAfterErrorSeconds = 1;

/** Starts a delivery stream. */
export function startDeliveryStream(options: DeliveryStreamOptions): DeliveryStream {
  return new DeliveryStreamEmulator(options);
}

class DeliveryStreamEmulator implements DeliveryStream {
  received = 0;
  dropped = 0;
  readonly #options: DeliveryStreamOptions;
  readonly #untransformed: SizeAndTimeBuffer<FirehoseRecord>;
  readonly #delivered: SizeAndTimeBuffer<Buffer>;
  readonly #failed: SizeAndTimeBuffer<Buffer>;
  readonly #running = new Set<Promise<void>>();
  #written = 0;
  #isStopped = false;

  constructor(options: DeliveryStreamOptions) {
    this.#options = options;
    this.#untransformed = new SizeAndTimeBuffer<FirehoseRecord>({
      ...options.transformationBuffer,
      sleep: options.sleep,
      bytesOf: ({ data }) => data.length,
      flush: (records) => this.#track(this.#transformAll(records)),
    });
    this.#delivered = this.#objectsUnder("");
    this.#failed = this.#objectsUnder(failedPrefix);
  }

  get isIdle(): boolean {
    return this.received === this.dropped + this.#written;
  }

  putRecordBatch(records: readonly Uint8Array[]): string[] {
    check(records);
    const arrivedAt = this.#options.now();
    return records.map((data) => {
      const recordId = this.#options.id();
      this.received += 1;
      this.#untransformed.add({ recordId, data, arrivedAt });
      return recordId;
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const buffer of [this.#untransformed, this.#delivered, this.#failed]) {
      buffer.flush();
      while (this.#running.size > 0) await Promise.all(this.#running);
    }
  }

  /** What is delivered and what has failed go into objects of their own, by the same hints. */
  #objectsUnder(prefix: string): SizeAndTimeBuffer<Buffer> {
    return new SizeAndTimeBuffer<Buffer>({
      ...this.#options.deliveryBuffer,
      sleep: this.#options.sleep,
      bytesOf: ({ length }) => length,
      flush: (records) => this.#track(this.#write(prefix, records)),
    });
  }

  #track(work: Promise<void>): void {
    this.#running.add(work);
    void work.finally(() => this.#running.delete(work));
  }

  async #transformAll(records: readonly FirehoseRecord[]): Promise<void> {
    for (const transformed of await transform(records, this.#options)) {
      const { verdict } = transformed;
      if (verdict.type === "delivered") this.#delivered.add(verdict.data);
      else if (verdict.type === "failed") this.#failed.add(this.#failedLine(transformed));
      else this.dropped += 1;
    }
  }

  #failedLine(transformed: TransformedRecord): Buffer {
    return Buffer.from(failedLine(transformed, this.#options.lambdaArn));
  }

  async #write(prefix: string, records: readonly Buffer[]): Promise<void> {
    if (await writeObject(prefix, records, this.#options, () => this.#isStopped)) {
      this.#written += records.length;
    }
  }
}

/** Writes records into one object, however long it takes; false where it was stopped before. */
async function writeObject(
  prefix: string,
  records: readonly Buffer[],
  { name, now, id, sleep, putObject, onError }: DeliveryStreamOptions,
  isStopped: () => boolean,
): Promise<boolean> {
  const key = objectKey(prefix, name, now(), id());
  const body = Buffer.concat(records);
  for (;;) {
    try {
      await putObject(key, body);
      return true;
    } catch (error) {
      onError(error);
      if (isStopped()) return false;
      await sleep(pauseAfterErrorSeconds);
    }
  }
}

function check(records: readonly Uint8Array[]): void {
  const bytes = records.reduce((sum, { length }) => sum + length, 0);
  if (records.length === 0 || records.length > limits.records) {
    throw new InvalidRecordsError(`A request takes 1 to ${limits.records} records, not ${records.length}.`);
  }
  if (bytes > limits.requestBytes) throw new InvalidRecordsError("A request takes at most 4 MiB.");
  if (records.some(({ length }) => length > limits.recordBytes)) {
    throw new InvalidRecordsError("A record takes at most 1,000 KiB.");
  }
}

/**
 * A failed record as Firehose writes it.
 *
 * @see https://docs.aws.amazon.com/firehose/latest/dev/data-transformation-failure-handling.html
 */
function failedLine(
  { record, verdict, attemptsMade, endedAt }: TransformedRecord,
  lambdaArn: string,
): string {
  const failure = verdict.type === "failed" ? verdict.failure : undefined;
  const line = {
    attemptsMade,
    arrivalTimestamp: record.arrivedAt,
    errorCode: failure?.code,
    errorMessage: failure?.message,
    attemptEndingTimestamp: endedAt,
    rawData: Buffer.from(record.data).toString("base64"),
    lambdaArn,
  };
  return `${JSON.stringify(line)}\n`;
}

/** The version of the stream's configuration, which stands in the name of every object. */
const streamVersion = 1;

/** Key of an object: the hour as folders, then stream, version, time and an id. */
function objectKey(prefix: string, name: string, at: number, id: string): string {
  const time = new Date(at).toISOString().slice(0, 19);
  const hour = time.slice(0, 13).replaceAll(/[-T]/g, "/");
  return `${prefix}${hour}/${name}-${streamVersion}-${time.replaceAll(/[T:]/g, "-")}-${id}`;
}
