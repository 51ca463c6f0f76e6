/** Puts together what every function that handles delivery events needs, from its settings. */
import type { EventHandling } from "../core/handle-delivery-event.ts";
import type { RetryQueue } from "../core/retry-queue.ts";
import type { Telemetry } from "../core/telemetry.ts";
import { retryPolicyOf, type Settings } from "../settings.ts";
import { documentClient, schedulerClient, sqsClient } from "./aws-clients.ts";
import { dynamodbMessageStore } from "./dynamodb-message-store.ts";
import { sqsRetryQueue } from "./sqs-retry-queue.ts";
import { systemClock, systemRandom } from "./system-clock.ts";

/** The settings that all functions share that handle delivery events. */
type EventSettings = Pick<
  Settings<"resend">,
  keyof Settings<"resend"> & keyof Settings<"consume-kinesis"> & keyof Settings<"transform-firehose">
>;

/** The core's event handling on DynamoDB, SQS and Scheduler, with the machine's clock. */
export function awsEventHandling(
  settings: EventSettings,
  telemetry: Telemetry,
): EventHandling & { readonly queue: RetryQueue; readonly telemetry: Telemetry } {
  return {
    store: dynamodbMessageStore(documentClient(), settings.MESSAGE_TABLE_NAME, systemClock, systemRandom),
    queue: sqsRetryQueue(
      { sqs: sqsClient(), scheduler: schedulerClient },
      {
        queueUrl: settings.RETRY_QUEUE_URL,
        queueArn: settings.RETRY_QUEUE_ARN,
        scheduleGroupName: settings.SCHEDULE_GROUP_NAME,
        schedulerRoleArn: settings.SCHEDULER_ROLE_ARN,
        deadLetterQueueArn: settings.RETRY_DEAD_LETTER_QUEUE_ARN,
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
}
