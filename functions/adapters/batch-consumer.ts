/**
 * What the consumers of Kinesis and of the queue behind SNS share: handle a batch, keep what nobody can read, and name
 * the records to hand over again. Each of them only knows how its records are read and what Lambda calls them.
 */

import type { FailureDestination } from "../core/processing/failure-destination.ts";
import { handleRecords } from "../core/processing/handle-records.ts";
import { quarantine } from "../core/processing/quarantine.ts";
import type { StreamRecord } from "../core/processing/stream-record.ts";
import { type EventPorts, type EventSettings, eventHandling, eventPorts } from "./event-handling.ts";
import type { EventOutside, InvocationContext, Outside } from "./outside.ts";
import { s3FailureDestination } from "./s3/s3-failure-destination.ts";

/** The ports of the core that a consumer goes through. */
export interface ConsumerPorts extends EventPorts {
  readonly failures: FailureDestination;
}

/** The ports on AWS's clients. */
export function consumerPorts(
  settings: EventSettings & { readonly FAILURE_BUCKET_NAME: string },
  outside: EventOutside & Pick<Outside, "putObject">,
): ConsumerPorts {
  return {
    ...eventPorts(settings, outside),
    failures: s3FailureDestination(outside.putObject, settings.FAILURE_BUCKET_NAME),
  };
}

/** A record of a batch. */
export interface BatchRecord extends StreamRecord {
  /** What the answer calls the record where it is to be handed over again. */
  readonly itemIdentifier: string;
}

/** The answer of a consumer, as Lambda's event source mappings read it. */
export interface BatchAnswer {
  batchItemFailures: { itemIdentifier: string }[];
}

/** What keeping malformed records and answering may take; the rest of the function's time is for the events. */
const answerReserveSeconds = 10;

/** Handles a batch, and answers with the records to hand over again; publishes the metrics, whatever happens. */
export function batchConsumer(
  settings: EventSettings,
  ports: ConsumerPorts,
): (batch: readonly BatchRecord[], context: InvocationContext) => Promise<BatchAnswer> {
  const { clock, telemetry, failures } = ports;
  const handling = eventHandling(settings, ports);
  return async (batch, context) => {
    try {
      const endsAt = clock.now() + context.getRemainingTimeInMillis() / 1000 - answerReserveSeconds;
      const handled = await handleRecords(batch, { ...handling, endsAt });
      const results = await quarantine(handled, batch, failures, telemetry);
      return {
        batchItemFailures: results.flatMap(({ result }, index) =>
          result === "failed" ? [{ itemIdentifier: batch[index]?.itemIdentifier ?? "" }] : [],
        ),
      };
    } finally {
      telemetry.publish();
    }
  };
}
