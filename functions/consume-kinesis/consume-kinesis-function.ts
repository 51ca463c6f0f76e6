/**
 * The event consumer on a Kinesis data stream: parse, call the core, answer with the records to hand over
 * again.
 */
import type { KinesisStreamBatchResponse, KinesisStreamEvent } from "aws-lambda";
import { type EventPorts, eventHandling, eventPorts } from "../adapters/event-handling.ts";
import type { EventOutside, InvocationContext, Outside } from "../adapters/outside.ts";
import { s3FailureDestination } from "../adapters/s3/s3-failure-destination.ts";
import { fromBase64 } from "../core/events/event-records.ts";
import type { FailureDestination } from "../core/processing/failure-destination.ts";
import { handleRecords } from "../core/processing/handle-records.ts";
import { quarantine } from "../core/processing/quarantine.ts";
import type { Settings } from "../settings.ts";

/** The ports of the core that the consumer goes through. */
export interface ConsumeKinesisPorts extends EventPorts {
  readonly failures: FailureDestination;
}

/** The ports on AWS's clients. */
export function consumeKinesisPorts(
  settings: Settings<"consume-kinesis">,
  outside: EventOutside & Pick<Outside, "putObject">,
): ConsumeKinesisPorts {
  return {
    ...eventPorts(settings, outside),
    failures: s3FailureDestination(outside.putObject, settings.FAILURE_BUCKET_NAME),
  };
}

/** What keeping malformed records and answering may take; the rest of the function's time is for the events. */
const answerReserveSeconds = 10;

/**
 * The consumer: handles a batch of Kinesis records; answers with the sequence numbers of those to hand over
 * again.
 *
 * Lambda takes the lowest as its checkpoint and hands over everything from there on once more, so records
 * that were handled come again: the protocol absorbs them.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
 */
export function consumeKinesisFunction(
  settings: Settings<"consume-kinesis">,
  ports: ConsumeKinesisPorts,
): (event: KinesisStreamEvent, context: InvocationContext) => Promise<KinesisStreamBatchResponse> {
  const { clock, telemetry, failures } = ports;
  const handling = eventHandling(settings, ports);
  return async (event, context) => {
    try {
      const endsAt = clock.now() + context.getRemainingTimeInMillis() / 1000 - answerReserveSeconds;
      const records = event.Records.map(({ eventID: id, kinesis }) => ({ id, ...fromBase64(kinesis.data) }));
      const results = await quarantine(
        await handleRecords(records, { ...handling, endsAt }),
        records,
        failures,
        telemetry,
      );
      return {
        batchItemFailures: results.flatMap(({ result }, index) =>
          result === "failed" ? [{ itemIdentifier: event.Records[index]?.kinesis.sequenceNumber ?? "" }] : [],
        ),
      };
    } finally {
      telemetry.publish();
    }
  };
}
