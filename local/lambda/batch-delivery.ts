/**
 * How Lambda delivers a batch of stream records to a function, over and over until it is done with it.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
 */
import type { InvocationResult } from "./execution-environment.ts";

/** A record as the rules need it. */
export interface SequencedRecord {
  readonly sequenceNumber: string;
  /** When it came to the stream, epoch seconds. */
  readonly arrivedAt: number;
}

/** The settings of the event source mapping that decide about failures, in Lambda's words. */
export interface FailureSettings {
  readonly reportBatchItemFailures: boolean;
  readonly bisectBatchOnFunctionError: boolean;
  /** Retries after the first try; -1 = for ever. */
  readonly maximumRetryAttempts: number;
  /** Records older than this are given up; -1 = never. */
  readonly maximumRecordAgeInSeconds: number;
}

/** Why records were given up, in Lambda's words. */
export type DiscardCondition = "RetryAttemptsExhausted" | "RecordAgeExceeded";

/** What delivering needs. */
export interface BatchDelivery<Entry extends SequencedRecord> {
  invoke(records: readonly Entry[]): Promise<InvocationResult>;
  /** Hands records that are given up to the on-failure destination. */
  discard(
    records: readonly Entry[],
    condition: DiscardCondition,
    invokeCount: number,
    result: InvocationResult | undefined,
  ): Promise<void>;
  /** Epoch seconds. */
  now(): number;
  /** Waits before try number `attempt` + 1. */
  backOff(attempt: number): Promise<void>;
}

/**
 * Delivers records until each was handled or given up. Records keep their order.
 *
 * - Partial failure: the lowest reported sequence number is the checkpoint; what comes before it is done,
 *   everything from it on comes again. Bisection then splits at that number, so that one bad record costs its
 *   predecessors nothing. A split is not a try.
 * - A thrown error, or a report with an empty or unknown number, fails the whole batch; bisection then halves
 *   it.
 * - Where the first record of the batch is the reported one there is nothing to split: that is a failed try of
 *   the same batch.
 */
export async function deliverBatch<Entry extends SequencedRecord>(
  records: readonly Entry[],
  settings: FailureSettings,
  delivery: BatchDelivery<Entry>,
): Promise<void> {
  let batch = records;
  let result: InvocationResult | undefined;
  for (let tries = 0; batch.length > 0; ) {
    const { tooOld, young } = byAge(batch, settings, delivery.now());
    if (tooOld.length > 0) await delivery.discard(tooOld, "RecordAgeExceeded", tries, result);
    if (young.length === 0) return;
    batch = young;

    result = await delivery.invoke(batch);
    tries += 1;
    const failedFrom = firstFailure(result, batch, settings);
    if (failedFrom === batch.length) return;
    if (failedFrom > 0) {
      // What comes before the checkpoint is done; the rest is a new batch.
      batch = batch.slice(failedFrom);
      tries = 0;
      await delivery.backOff(1);
      continue;
    }
    await delivery.backOff(tries);
    if (settings.bisectBatchOnFunctionError && batch.length > 1 && isWholeFailure(result, batch, settings)) {
      const middle = Math.ceil(batch.length / 2);
      await deliverBatch(batch.slice(0, middle), settings, delivery);
      await deliverBatch(batch.slice(middle), settings, delivery);
      return;
    }
    if (settings.maximumRetryAttempts !== -1 && tries > settings.maximumRetryAttempts) {
      await delivery.discard(batch, "RetryAttemptsExhausted", tries, result);
      return;
    }
  }
}

function byAge<Entry extends SequencedRecord>(
  batch: readonly Entry[],
  { maximumRecordAgeInSeconds: most }: FailureSettings,
  now: number,
): { readonly tooOld: readonly Entry[]; readonly young: readonly Entry[] } {
  const isTooOld = ({ arrivedAt }: Entry) => most !== -1 && arrivedAt < now - most;
  return { tooOld: batch.filter(isTooOld), young: batch.filter((record) => !isTooOld(record)) };
}

/** Position of the first record that has to come again; the batch's length where all is done. */
function firstFailure(
  result: InvocationResult,
  batch: readonly SequencedRecord[],
  settings: FailureSettings,
): number {
  const reported = reportedPositions(result, batch, settings);
  if (reported === "all") return 0;
  return Math.min(batch.length, ...reported);
}

function isWholeFailure(
  result: InvocationResult,
  batch: readonly SequencedRecord[],
  settings: FailureSettings,
): boolean {
  return reportedPositions(result, batch, settings) === "all";
}

function reportedPositions(
  result: InvocationResult,
  batch: readonly SequencedRecord[],
  settings: FailureSettings,
): number[] | "all" {
  if (!result.ok) return "all";
  if (!settings.reportBatchItemFailures) return [];
  const failed = reportedItems(result.payload);
  if (failed === "all") return "all";
  const positions = failed.map((item) => batch.findIndex(({ sequenceNumber }) => sequenceNumber === item));
  return positions.includes(-1) ? "all" : positions;
}

/**
 * The identifiers in a function's partial batch response; none = everything was handled. `all` where the
 * response is malformed, which Lambda takes for a failure of the whole batch.
 */
export function reportedItems(payload: unknown): string[] | "all" {
  if (payload === null || payload === undefined) return [];
  if (typeof payload !== "object" || !("batchItemFailures" in payload)) return [];
  const { batchItemFailures: failures } = payload;
  if (failures === null || failures === undefined) return [];
  if (!Array.isArray(failures)) return "all";
  const items = failures.map((failure: unknown) =>
    typeof failure === "object" && failure !== null && "itemIdentifier" in failure
      ? failure.itemIdentifier
      : undefined,
  );
  return items.every((item) => typeof item === "string" && item !== "") ? (items as string[]) : "all";
}
