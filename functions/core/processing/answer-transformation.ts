/**
 * What a Firehose transformation answers: the archive goes on as if we were not there.
 *
 * @see https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html
 */
import type { RecordResult } from "./handle-records.ts";

/** A record as Firehose hands it over: `data` is base64 and goes back as it came. */
export interface ArchivedRecord {
  readonly recordId: string;
  readonly data: string;
}

/** The answer for one record. */
export interface TransformedRecord extends ArchivedRecord {
  readonly result: "Ok" | "Dropped" | "ProcessingFailed";
}

/** Rules of the answer. */
export interface AnswerRules {
  /** Whether the event of a message that is retried stays out of the archive, as in the blog post. */
  readonly dropsRetriedEvents: boolean;
  /** Most bytes that Lambda lets through. @default the limit of a synchronous answer */
  readonly longestAnswerBytes?: number;
}

/** Lambda's limit is 6 MB (6,291,456 bytes). */
const defaultLongestAnswerBytes = 6 * 1024 * 1024;

/** What stands around the records. */
const envelopeBytes = jsonBytes({ records: [] });

/**
 * Answers every record exactly once, in order, its data untouched. `Ok` for everything, except that a record
 * that holds nothing but failures for which a retry was scheduled is `Dropped` where the rules say so: the
 * archive then shows final outcomes.
 *
 * Firehose hands over at most what fits into an answer. Should it ever not, the records that are too much are
 * `ProcessingFailed`: Firehose keeps their data itself, in `processing-failed/`, and nothing is lost.
 */
export function answerTransformation(
  records: readonly ArchivedRecord[],
  results: readonly RecordResult[],
  { dropsRetriedEvents, longestAnswerBytes = defaultLongestAnswerBytes }: AnswerRules,
): TransformedRecord[] {
  const whole = records.map(
    ({ recordId, data }, index): TransformedRecord => ({
      recordId,
      data,
      result: dropsRetriedEvents && isRetried(results[index]) ? "Dropped" : "Ok",
    }),
  );
  const wholeBytes = whole.map((record) => jsonBytes(record) + separatorBytes);
  if (sum(wholeBytes) + envelopeBytes <= longestAnswerBytes) return whole;

  // Every record must be answered at least like this: what that takes is not to be given away.
  const left = records.map(
    ({ recordId }): TransformedRecord => ({ recordId, data: "", result: "ProcessingFailed" }),
  );
  const leftBytes = left.map((record) => jsonBytes(record) + separatorBytes);
  let bytes = sum(leftBytes) + envelopeBytes;
  return records.map((_, index) => {
    const more = (wholeBytes[index] ?? 0) - (leftBytes[index] ?? 0);
    const record = bytes + more <= longestAnswerBytes ? whole[index] : undefined;
    if (record === undefined) return left[index] as TransformedRecord;
    bytes += more;
    return record;
  });
}

/** The comma between two records. */
const separatorBytes = 1;

function jsonBytes(value: object): number {
  return new TextEncoder().encode(JSON.stringify(value)).length;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Whether a record is about failures alone, each of which has its retry. */
function isRetried(result: RecordResult | undefined): boolean {
  if (result?.result !== "handled" || result.holdsOthers || result.events.length === 0) return false;
  return result.events.every(({ isRetried }) => isRetried === true);
}
