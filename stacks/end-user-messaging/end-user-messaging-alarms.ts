/** What an operator must hear of where events come from a configuration set of End User Messaging. */
import type { Construct } from "../cdktf.ts";
import type { Alarms } from "../shared/alarms.ts";
import type { EventArchive } from "../shared/event-archive.ts";
import {
  queueIsSilent,
  type SharedAlarmsProps,
  sharedAlarms,
  watchArchive,
  watchBlockedForSome,
  watchFunction,
  watchMessages,
  watchOrphans,
} from "../shared/shared-alarms.ts";
import type { EventQueue } from "./event-queue.ts";
import type { SnsConsumer } from "./sns-consumer.ts";

/** What these alarms watch besides the shared ones. */
export interface EndUserMessagingAlarmsProps extends SharedAlarmsProps {
  readonly events: EventQueue;
  readonly consumer: SnsConsumer;
  readonly archive: EventArchive;
}

/** The shared alarms, and those on the way of the events and on the archive. */
export function endUserMessagingAlarms(
  scope: Construct,
  { events, consumer, archive, ...shared }: EndUserMessagingAlarmsProps,
): Alarms {
  const alarms = sharedAlarms(scope, shared);
  watchFunction(alarms, consumer.lambda);
  watchEvents(alarms, events);
  watchSilence(alarms, events, archive);
  watchArchive(alarms, archive, "what is put");
  alarms.watchOwnMetric("record_malformed", "RecordMalformed", "consume-sns", {
    severity: "ticket",
    description:
      "A message of the topic was no delivery event; a copy is in the events bucket under malformed/.",
  });
  watchBlockedForSome(alarms);
  watchMessages(alarms, "consume-sns");
  watchOrphans(alarms, "consume-sns");
  return alarms;
}

function watchEvents(alarms: Alarms, { topicName, queue, deadLetters }: EventQueue): void {
  alarms.watch("sms_events_dead_letters", {
    severity: "page",
    description:
      "Delivery events were given up after hours of errors, or could not be put on their queue; look at the log of consume-sns and at the queue's policy and key, then put them back.",
    namespace: "AWS/SQS",
    metric: "ApproximateNumberOfMessagesVisible",
    dimensions: { QueueName: deadLetters.queueName },
    statistic: "Maximum",
    above: 0,
    silence: queueIsSilent,
  });
  alarms.watch("sms_events_age", {
    severity: "page",
    description:
      "Delivery events are read more than ten minutes late; look at errors and throttles of consume-sns and at the account's concurrency.",
    namespace: "AWS/SQS",
    metric: "ApproximateAgeOfOldestMessage",
    dimensions: { QueueName: queue.queueName },
    statistic: "Maximum",
    above: 600,
    silence: queueIsSilent,
  });
  alarms.watch("sms_events_not_queued", {
    severity: "page",
    description:
      "SNS could not put delivery events on their queue and goes on trying; look at the queue's policy, and at its key's policy for sns.amazonaws.com.",
    namespace: "AWS/SNS",
    metric: "NumberOfNotificationsFailed",
    dimensions: { TopicName: topicName },
    statistic: "Sum",
    above: 0,
  });
}

/**
 * The likeliest mistake: sends that name no configuration set, or one without these destinations. What the application
 * sends by itself is counted nowhere, so the alarm looks at what the functions send.
 */
function watchSilence(alarms: Alarms, { topicName }: EventQueue, { deliveryStream }: EventArchive): void {
  alarms.watchTogether("sends_without_events", {
    severity: "page",
    description:
      "Messages were sent for an hour and not one delivery event came, so no failure is seen: does the configuration set have its event destinations, and may the service write to the topic and the archive?",
    periodMinutes: 60,
    sums: {
      produced: alarms.ownMetric("Produced", "produce"),
      resent: alarms.ownMetric("RetrySent", "resend"),
      repeated: alarms.ownMetric("PossibleDuplicate", "resend"),
      published: {
        namespace: "AWS/SNS",
        metric: "NumberOfMessagesPublished",
        dimensions: { TopicName: topicName },
      },
      archived: {
        namespace: "AWS/Firehose",
        metric: "IncomingRecords",
        dimensions: { DeliveryStreamName: deliveryStream.name },
      },
    },
    // 1 for an hour with sends and without any event.
    expression:
      "IF(FILL(produced, 0) + FILL(resent, 0) + FILL(repeated, 0) > 0 AND FILL(published, 0) + FILL(archived, 0) == 0, 1, 0)",
  });
}
