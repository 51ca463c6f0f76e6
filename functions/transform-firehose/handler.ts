/**
 * The event consumer in a Firehose stream's transformation: parse, call the core, answer every record. The
 * archive never depends on the retry path: whatever fails here, the records go on.
 */
import type {
  FirehoseTransformationEvent,
  FirehoseTransformationHandler,
  FirehoseTransformationResult,
} from "aws-lambda";
import { awsEventHandling } from "../adapters/event-handling.ts";
import { powertoolsTelemetry } from "../adapters/powertools-telemetry.ts";
import { systemClock } from "../adapters/system-clock.ts";
import { answerTransformation } from "../core/answer-transformation.ts";
import { SmsRetryError } from "../core/errors.ts";
import { handleRecords, type RecordHandling, type RecordResult } from "../core/handle-records.ts";
import { errorName } from "../core/telemetry.ts";
import { readSettings, versionOf } from "../settings.ts";

const telemetry = powertoolsTelemetry(versionOf());
const setUp = trySetUp();

/** What the function works with, or why it can only hand records back. */
type SetUp =
  | {
      readonly isReady: true;
      readonly handling: Omit<RecordHandling, "endsAt">;
      readonly dropsRetriedEvents: boolean;
    }
  | { readonly isReady: false; readonly problem: unknown };

/** Never throws: a function that fails at its start puts the owner's records under `processing-failed/`. */
function trySetUp(): SetUp {
  try {
    const settings = readSettings("transform-firehose");
    return {
      isReady: true,
      handling: {
        ...awsEventHandling(settings, telemetry),
        // Firehose takes "Ok" for the last word: a failed event has to come back by the queue.
        queuesFailedEvents: true,
      },
      dropsRetriedEvents: settings.FIREHOSE_DROP_RETRIED_EVENTS,
    };
  } catch (problem) {
    return { isReady: false, problem };
  }
}

/** What answering may take; the rest of the function's time is for the events. */
const answerReserveSeconds = 5;

/** Transforms a batch of Firehose records: watches them, and hands them back as they came. */
export const handler: FirehoseTransformationHandler = async (event, context) => {
  try {
    if (!setUp.isReady) reportProblem(setUp.problem, event.records.length);
    const endsAt = systemClock.now() + context.getRemainingTimeInMillis() / 1000 - answerReserveSeconds;
    const results = setUp.isReady ? await watch(event, { ...setUp.handling, endsAt }) : [];
    const dropsRetriedEvents = setUp.isReady && setUp.dropsRetriedEvents;
    const records = answerTransformation(event.records, results, { dropsRetriedEvents });
    return { records } satisfies FirehoseTransformationResult;
  } finally {
    telemetry.publish();
  }
};

/** Tells of records that go on unseen because a setting is wrong. Texts of errors that are not ours stay unsaid. */
function reportProblem(problem: unknown, count: number): void {
  telemetry.count("SettingsInvalid", count);
  telemetry.error("A batch was archived without having been looked at: the function is not set up.", {
    error: errorName(problem),
    count,
    ...(problem instanceof SmsRetryError && { reason: problem.message }),
  });
}

/** The results of the records; none where even that fails, because the archive must not. */
async function watch(
  { records }: FirehoseTransformationEvent,
  handling: RecordHandling,
): Promise<readonly RecordResult[]> {
  try {
    const decoded = records.map(({ recordId, data }) => ({
      id: recordId,
      data: Buffer.from(data, "base64"),
    }));
    return await handleRecords(decoded, handling);
  } catch (error) {
    telemetry.count("EventFailed", records.length);
    telemetry.error("A batch was archived without having been looked at.", {
      error: errorName(error),
      count: records.length,
    });
    return [];
  }
}
