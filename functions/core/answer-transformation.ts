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
  /** Most bytes that Lambda lets through. @default the limit of a synchronous answer, with a margin */
  readonly longestAnswerBytes?: number;
}

/** Lambda's limit is 6 MB (6,291,556 bytes); the margin is for the envelope. */
const defaultLongestAnswerBytes = 6_290_000;

/** What the keys and quotes of one record take beside its id and its data. */
const envelopeBytes = 64;

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
  let bytes = 0;
  return records.map(({ recordId, data }, index) => {
    const size = envelopeBytes + recordId.length + data.length;
    if (bytes + size > longestAnswerBytes) {
      bytes += envelopeBytes + recordId.length;
      return { recordId, data: "", result: "ProcessingFailed" };
    }
    bytes += size;
    const isDropped = dropsRetriedEvents && isRetried(results[index]);
    return { recordId, data, result: isDropped ? "Dropped" : "Ok" };
  });
}

/** Whether a record is about failures alone, each of which has its retry. */
function isRetried(result: RecordResult | undefined): boolean {
  if (result?.result !== "handled" || result.holdsOthers || result.events.length === 0) return false;
  return result.events.every(({ isRetried }) => isRetried === true);
}
