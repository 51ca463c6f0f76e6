/**
 * The event consumer on a Kinesis data stream: parse, call the core, answer with the records to hand over
 * again.
 */
import type { KinesisStreamHandler } from "aws-lambda";
import { s3PutObject } from "../adapters/aws-clients.ts";
import { awsEventHandling } from "../adapters/event-handling.ts";
import { powertoolsTelemetry } from "../adapters/powertools-telemetry.ts";
import { s3FailureDestination } from "../adapters/s3-failure-destination.ts";
import { systemClock } from "../adapters/system-clock.ts";
import { fromBase64 } from "../core/event-records.ts";
import { handleRecords } from "../core/handle-records.ts";
import { setAside } from "../core/set-aside.ts";
import { hasOwnEndpoint, readSettings } from "../settings.ts";

const settings = readSettings("consume-kinesis");
const telemetry = powertoolsTelemetry(settings.SMS_RETRY_VERSION);
const failures = s3FailureDestination(s3PutObject(hasOwnEndpoint("s3")), settings.FAILURE_BUCKET_NAME);
const handling = {
  ...awsEventHandling(settings, telemetry),
  pinpointApplicationId: settings.PINPOINT_APPLICATION_ID,
};

/** What keeping malformed records and answering may take; the rest of the function's time is for the events. */
const answerReserveSeconds = 10;

/**
 * Handles a batch of Kinesis records; answers with the sequence numbers of those to hand over again.
 *
 * Lambda takes the lowest as its checkpoint and hands over everything from there on once more, so records
 * that were handled come again: the protocol absorbs them.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
 */
export const handler: KinesisStreamHandler = async (event, context) => {
  try {
    const endsAt = systemClock.now() + context.getRemainingTimeInMillis() / 1000 - answerReserveSeconds;
    const records = event.Records.map(({ eventID: id, kinesis }) => ({ id, ...fromBase64(kinesis.data) }));
    const results = await setAside(
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
