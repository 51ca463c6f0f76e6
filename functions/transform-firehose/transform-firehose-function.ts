/**
 * The event consumer in a Firehose stream's transformation: parse, call the core, answer every record. The
 * archive never depends on the retry path: whatever fails here, the records go on.
 */
import type { FirehoseTransformationEvent, FirehoseTransformationResult } from "aws-lambda";
import { type EventPorts, eventHandling } from "../adapters/event-handling.ts";
import type { InvocationContext } from "../adapters/outside.ts";
import { SmsRetryError } from "../core/errors.ts";
import { fromBase64 } from "../core/events/event-records.ts";
import { errorName } from "../core/observability/telemetry.ts";
import { answerTransformation } from "../core/processing/answer-transformation.ts";
import {
  handleRecords,
  type RecordDependencies,
  type RecordResult,
} from "../core/processing/handle-records.ts";
import type { Settings } from "../settings.ts";

/** What answering may take; the rest of the function's time is for the events. */
const answerReserveSeconds = 5;

/** The transformation: watches a batch of Firehose records, and hands them back as they came. */
export function transformFirehoseFunction(
  settings: Settings<"transform-firehose">,
  ports: EventPorts,
): (event: FirehoseTransformationEvent, context: InvocationContext) => Promise<FirehoseTransformationResult> {
  const { clock, telemetry } = ports;
  const handling = {
    ...eventHandling(settings, ports),
    // Firehose takes "Ok" for the last word: a failed event has to come back by the queue.
    queuesFailedEvents: true,
  };
  return async (event, context) => {
    try {
      const endsAt = clock.now() + context.getRemainingTimeInMillis() / 1000 - answerReserveSeconds;
      const results = await watch(event, { ...handling, endsAt });
      const records = answerTransformation(event.records, results, {
        // In shadow mode nothing is retried: the failure is the final outcome, which the archive shows.
        dropsRetriedEvents: settings.FIREHOSE_DROP_RETRIED_EVENTS && !settings.SHADOW_MODE,
      });
      return { records };
    } finally {
      telemetry.publish();
    }
  };
}

/**
 * The transformation of a function that is not set up: hands every record back, and tells of them.
 *
 * @param problem why; its text is told where it is ours, texts of other errors stay unsaid
 */
export function archiveUnseen(
  problem: unknown,
  telemetry: EventPorts["telemetry"],
): (event: FirehoseTransformationEvent) => Promise<FirehoseTransformationResult> {
  return async ({ records }) => {
    telemetry.count("SettingsInvalid", records.length);
    telemetry.error(
      "A batch was archived without having been looked at; correct the inputs that the reason names and apply.",
      {
        error: errorName(problem),
        count: records.length,
        ...(problem instanceof SmsRetryError && { reason: problem.message }),
      },
    );
    telemetry.publish();
    return { records: answerTransformation(records, [], { dropsRetriedEvents: false }) };
  };
}

/** The results of the records; none where even that fails, because the archive must not. */
async function watch(
  { records }: FirehoseTransformationEvent,
  handling: RecordDependencies,
): Promise<readonly RecordResult[]> {
  try {
    const decoded = records.map(({ recordId: id, data }) => ({ id, ...fromBase64(data) }));
    return await handleRecords(decoded, handling);
  } catch (error) {
    handling.telemetry.count("EventFailed", records.length);
    handling.telemetry.error(
      "A batch was archived without having been looked at; remove the cause and put its records on the stream again.",
      {
        error: errorName(error),
        count: records.length,
      },
    );
    return [];
  }
}
