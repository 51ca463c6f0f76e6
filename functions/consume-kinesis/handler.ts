/**
 * The event consumer on a Kinesis data stream: parse, call the core, answer with the records to hand over
 * again.
 */
import type { KinesisStreamEvent, KinesisStreamHandler } from "aws-lambda";
import { documentClient, s3PutObject, schedulerClient, sqsClient } from "../adapters/aws-clients.ts";
import { dynamodbMessageStore } from "../adapters/dynamodb-message-store.ts";
import { powertoolsTelemetry } from "../adapters/powertools-telemetry.ts";
import { s3FailureDestination } from "../adapters/s3-failure-destination.ts";
import { sqsRetryQueue } from "../adapters/sqs-retry-queue.ts";
import { systemClock, systemRandom } from "../adapters/system-clock.ts";
import { handleRecords, type StreamRecord } from "../core/handle-records.ts";
import { setAside } from "../core/set-aside.ts";
import { hasOwnEndpoint, readSettings, retryPolicyOf } from "../settings.ts";

const settings = readSettings("consume-kinesis");
const telemetry = powertoolsTelemetry(settings.SMS_RETRY_VERSION);
const failures = s3FailureDestination(s3PutObject(hasOwnEndpoint("s3")), settings.FAILURE_BUCKET_NAME);
const handling = {
  store: dynamodbMessageStore(documentClient(), settings.MESSAGE_TABLE_NAME, systemClock, systemRandom),
  queue: sqsRetryQueue(
    { sqs: sqsClient(), scheduler: schedulerClient },
    {
      queueUrl: settings.RETRY_QUEUE_URL,
      queueArn: settings.RETRY_QUEUE_ARN,
      scheduleGroupName: settings.SCHEDULE_GROUP_NAME,
      schedulerRoleArn: settings.SCHEDULER_ROLE_ARN,
    },
    systemClock,
    telemetry,
  ),
  policy: retryPolicyOf(settings),
  recordsEveryDelivery: settings.TRACK_DELIVERIES === "all",
  clock: systemClock,
  random: systemRandom,
  telemetry,
};

/**
 * Handles a batch of Kinesis records; answers with the sequence numbers of those to hand over again.
 *
 * Lambda takes the lowest as its checkpoint and hands over everything from there on once more, so records
 * that were handled come again: the protocol absorbs them.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
 */
export const handler: KinesisStreamHandler = async (event) => {
  try {
    const records = event.Records.map(toStreamRecord);
    const results = await setAside(await handleRecords(records, handling), records, failures, telemetry);
    return {
      batchItemFailures: results.flatMap(({ result }, index) =>
        result === "failed" ? [{ itemIdentifier: event.Records[index]?.kinesis.sequenceNumber ?? "" }] : [],
      ),
    };
  } finally {
    telemetry.publish();
  }
};

function toStreamRecord({ eventID, kinesis }: KinesisStreamEvent["Records"][number]): StreamRecord {
  return { id: eventID, data: Buffer.from(kinesis.data, "base64") };
}
