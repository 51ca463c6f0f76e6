/** Puts together what every function that handles delivery events needs, from its settings. */
import type { Clock, Random } from "../core/clock.ts";
import type { MessageStore } from "../core/message/message-store.ts";
import type { EventDependencies } from "../core/processing/handle-delivery-event.ts";
import type { ParseDependencies } from "../core/processing/stream-record.ts";
import type { RetryQueue } from "../core/queue/retry-queue.ts";
import { pinpointProjectOf, retryPolicyOf, type Settings, smsServicesOf } from "../settings.ts";
import { dynamodbMessageStore } from "./dynamodb/dynamodb-message-store.ts";
import type { PublishedTelemetry } from "./log-telemetry.ts";
import type { EventOutside } from "./outside.ts";
import { sqsRetryQueue } from "./sqs/sqs-retry-queue.ts";

/** The settings that all functions share that handle delivery events. */
export type EventSettings = Pick<
  Settings<"resend">,
  keyof Settings<"resend"> &
    keyof Settings<"consume-kinesis"> &
    keyof Settings<"consume-sns"> &
    keyof Settings<"transform-firehose">
>;

/** The ports of the core that handling delivery events goes through. */
export interface EventPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: PublishedTelemetry;
  readonly store: MessageStore;
  readonly queue: RetryQueue;
}

/** The ports on DynamoDB, SQS and Scheduler. */
export function eventPorts(settings: EventSettings, outside: EventOutside): EventPorts {
  const { clock, random, telemetry, table, sqs, scheduler } = outside;
  return {
    clock,
    random,
    telemetry,
    store: dynamodbMessageStore(table, settings.MESSAGE_TABLE_NAME, clock, random),
    queue: sqsRetryQueue(
      { sqs, scheduler },
      {
        queueUrl: settings.RETRY_QUEUE_URL,
        queueArn: settings.RETRY_QUEUE_ARN,
        scheduleGroupName: settings.SCHEDULE_GROUP_NAME,
        schedulerRoleArn: settings.SCHEDULER_ROLE_ARN,
        deadLetterQueueArn: settings.RETRY_DEAD_LETTER_QUEUE_ARN,
      },
      clock,
      telemetry,
    ),
  };
}

/** The core's event handling through these ports, by the deployment's rules. */
export function eventHandling(
  settings: EventSettings,
  { clock, random, telemetry, store, queue }: EventPorts,
): EventDependencies & Pick<EventPorts, "queue" | "telemetry"> & ParseDependencies {
  return {
    ...pinpointProjectOf(settings),
    store,
    queue,
    policy: retryPolicyOf(settings),
    recordsEveryDelivery: settings.TRACK_DELIVERIES === "all",
    smsServices: smsServicesOf(settings),
    clock,
    random,
    telemetry,
  };
}
