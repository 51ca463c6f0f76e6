/**
 * The event consumer on the queue behind an SNS topic, where a configuration set of End User Messaging sends its events:
 * parse, call the core, answer with the messages to hand over again.
 */
import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import { type EventPorts, eventHandling, eventPorts } from "../adapters/event-handling.ts";
import type { EventOutside, InvocationContext, Outside } from "../adapters/outside.ts";
import { s3FailureDestination } from "../adapters/s3/s3-failure-destination.ts";
import type { FailureDestination } from "../core/processing/failure-destination.ts";
import { handleRecords } from "../core/processing/handle-records.ts";
import { quarantine } from "../core/processing/quarantine.ts";
import type { Settings } from "../settings.ts";

/** The ports of the core that the consumer goes through. */
export interface ConsumeSnsPorts extends EventPorts {
  readonly failures: FailureDestination;
}

/** The ports on AWS's clients. */
export function consumeSnsPorts(
  settings: Settings<"consume-sns">,
  outside: EventOutside & Pick<Outside, "putObject">,
): ConsumeSnsPorts {
  return {
    ...eventPorts(settings, outside),
    failures: s3FailureDestination(outside.putObject, settings.FAILURE_BUCKET_NAME),
  };
}

/** What keeping malformed records and answering may take; the rest of the function's time is for the events. */
const answerReserveSeconds = 10;

/**
 * The consumer: handles a batch of queue messages, each an event as it is or in the envelope of SNS; answers with the ids
 * of those to hand over again. The queue deletes the others: what nobody can read has been kept by then.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export function consumeSnsFunction(
  settings: Settings<"consume-sns">,
  ports: ConsumeSnsPorts,
): (event: SQSEvent, context: InvocationContext) => Promise<SQSBatchResponse> {
  const { clock, telemetry, failures } = ports;
  const handling = eventHandling(settings, ports);
  return async (event, context) => {
    try {
      const endsAt = clock.now() + context.getRemainingTimeInMillis() / 1000 - answerReserveSeconds;
      const records = event.Records.map(({ messageId, body }) => ({
        id: messageId,
        data: Buffer.from(body),
      }));
      const results = await quarantine(
        await handleRecords(records, { ...handling, endsAt }),
        records,
        failures,
        telemetry,
      );
      return {
        batchItemFailures: results.flatMap(({ id, result }) =>
          result === "failed" ? [{ itemIdentifier: id }] : [],
        ),
      };
    } finally {
      telemetry.publish();
    }
  };
}
