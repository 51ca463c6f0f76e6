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
import { fromBase64 } from "../core/event-records.ts";
import { handleRecords, type RecordResult } from "../core/handle-records.ts";
import { errorName } from "../core/telemetry.ts";
import { readSettings } from "../settings.ts";

const settings = readSettings("transform-firehose");
const telemetry = powertoolsTelemetry(settings.SMS_RETRY_VERSION);
const handling = {
  ...awsEventHandling(settings, telemetry),
  pinpointApplicationId: settings.PINPOINT_APPLICATION_ID,
  // Firehose takes "Ok" for the last word: a failed event has to come back by the queue.
  queuesFailedEvents: true,
};

/** What answering may take; the rest of the function's time is for the events. */
const answerReserveSeconds = 5;

/** Transforms a batch of Firehose records: watches them, and hands them back as they came. */
export const handler: FirehoseTransformationHandler = async (event, context) => {
  try {
    const endsAt = systemClock.now() + context.getRemainingTimeInMillis() / 1000 - answerReserveSeconds;
    const results = await watch(event, endsAt);
    const records = answerTransformation(event.records, results, {
      dropsRetriedEvents: settings.FIREHOSE_DROP_RETRIED_EVENTS,
    });
    return { records } satisfies FirehoseTransformationResult;
  } finally {
    telemetry.publish();
  }
};

/** The results of the records; none where even that fails, because the archive must not. */
async function watch(
  { records }: FirehoseTransformationEvent,
  endsAt: number,
): Promise<readonly RecordResult[]> {
  try {
    const decoded = records.map(({ recordId: id, data }) => ({ id, ...fromBase64(data) }));
    return await handleRecords(decoded, { ...handling, endsAt });
  } catch (error) {
    telemetry.count("EventFailed", records.length);
    telemetry.error("A batch was archived without having been looked at.", {
      error: errorName(error),
      count: records.length,
    });
    return [];
  }
}
