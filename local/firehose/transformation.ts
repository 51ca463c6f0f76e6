/**
 * A Firehose stream's transformation: hands records to a function and reads what it makes of them.
 *
 * @see https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html
 */
import type { InvocationResult } from "../lambda/execution-environment.ts";
import { type ProcessingFailure, readAnswer, type Verdict } from "./transformation-answer.ts";

/** A record that a stream has taken. */
export interface FirehoseRecord {
  readonly recordId: string;
  readonly data: Uint8Array;
  /** Epoch milliseconds. */
  readonly arrivedAt: number;
}

/** The event that Firehose invokes a transformation with, for records that were put directly. */
export interface TransformationEvent {
  readonly invocationId: string;
  readonly deliveryStreamArn: string;
  readonly region: string;
  readonly records: readonly {
    readonly recordId: string;
    readonly approximateArrivalTimestamp: number;
    /** Base64. */
    readonly data: string;
  }[];
}

/** What a transformation needs. */
export interface TransformationOptions {
  readonly deliveryStreamArn: string;
  readonly region: string;
  /** How often an invocation that failed or timed out is tried again; Firehose's own default is 3. */
  readonly numberOfRetries: number;
  readonly pauseSeconds: number;
  invoke(event: TransformationEvent): Promise<InvocationResult>;
  sleep(seconds: number): Promise<void>;
  /** Epoch milliseconds. */
  now(): number;
  /** Makes invocation ids. */
  id(): string;
}

/** What became of one record, and how. */
export interface TransformedRecord {
  readonly record: FirehoseRecord;
  readonly verdict: Verdict;
  /** Invocations that were tried with it. */
  readonly attemptsMade: number;
  /** When the last of them ended, epoch milliseconds. */
  readonly endedAt: number;
}

/** Lambda's limit of a synchronous invocation, for the request and for the answer. */
export const maxPayloadBytes = 6 * 1024 * 1024;

const functionError: ProcessingFailure = {
  code: "Lambda.FunctionError",
  message: "The Lambda function was successfully invoked but it returned an error result.",
};

/**
 * Transforms records in as many invocations as their size asks for, one after the other, and answers in their
 * order. Never rejects: what cannot be transformed has failed.
 */
export async function transform(
  records: readonly FirehoseRecord[],
  options: TransformationOptions,
): Promise<TransformedRecord[]> {
  const transformed: TransformedRecord[] = [];
  for (const batch of inRequests(records, options)) {
    transformed.push(...(await transformBatch(batch, options)));
  }
  return transformed;
}

async function transformBatch(
  records: readonly FirehoseRecord[],
  options: TransformationOptions,
): Promise<TransformedRecord[]> {
  for (let attemptsMade = 1; ; attemptsMade += 1) {
    const result = await options.invoke(eventOf(records, options));
    const endedAt = options.now();
    const toTransformed = (verdict: Verdict | undefined, index: number): TransformedRecord => ({
      record: records[index] as FirehoseRecord,
      verdict: verdict ?? { type: "failed", failure: functionError },
      attemptsMade,
      endedAt,
    });
    // An answer that is too large never leaves Lambda: for Firehose the function has failed.
    if (result.ok && jsonBytes(result.payload) <= maxPayloadBytes) {
      const ids = records.map(({ recordId }) => recordId);
      return readAnswer(result.payload, ids).map(toTransformed);
    }
    if (attemptsMade > options.numberOfRetries) {
      return records.map((_, index) => toTransformed(undefined, index));
    }
    await options.sleep(options.pauseSeconds);
  }
}

function eventOf(
  records: readonly FirehoseRecord[],
  { deliveryStreamArn, region, id }: TransformationOptions,
): TransformationEvent {
  return { invocationId: id(), deliveryStreamArn, region, records: records.map(toEventRecord) };
}

function toEventRecord({
  recordId,
  arrivedAt,
  data,
}: FirehoseRecord): TransformationEvent["records"][number] {
  return {
    recordId,
    approximateArrivalTimestamp: arrivedAt,
    data: Buffer.from(data).toString("base64"),
  };
}

/** Splits records so that no request is larger than Lambda takes. */
function inRequests(
  records: readonly FirehoseRecord[],
  options: TransformationOptions,
): (readonly FirehoseRecord[])[] {
  const emptyBytes = jsonBytes(eventOf([], options));
  const requests: FirehoseRecord[][] = [[]];
  let bytes = emptyBytes;
  for (const record of records) {
    const size = jsonBytes(toEventRecord(record)) + ",".length;
    if (bytes + size > maxPayloadBytes) {
      requests.push([]);
      bytes = emptyBytes;
    }
    requests.at(-1)?.push(record);
    bytes += size;
  }
  return requests.filter(({ length }) => length > 0);
}

function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? "");
}
