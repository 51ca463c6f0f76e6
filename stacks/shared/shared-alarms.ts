/** What an operator must hear of in every stack: of the queue, the table, the sends and the functions behind them. */
import type { FunctionName } from "../../functions/contract/environment.ts";
import type { MetricName } from "../../functions/core/observability/telemetry.ts";
import type { Construct } from "../cdktf.ts";
import type { SharedInputs } from "../inputs/inputs.ts";
import { Alarms } from "./alarms.ts";
import type { EventArchive } from "./event-archive.ts";
import type { RetryEngine } from "./retry-engine.ts";

/** What the alarms of every stack watch. */
export interface SharedAlarmsProps {
  readonly inputs: SharedInputs;
  readonly engine: RetryEngine;
}

/** A function as an alarm names it. */
export interface WatchedFunction {
  readonly node: { readonly id: string };
  readonly functionName: string;
}

/**
 * The alarms of a stack, with one for each way in which a message could be lost or late behind the event source. A stack
 * adds those on its event source.
 */
export function sharedAlarms(scope: Construct, { inputs, engine }: SharedAlarmsProps): Alarms {
  const alarms = new Alarms(scope, inputs);
  watchQueue(alarms, engine);
  watchSchedules(alarms, engine.queue.scheduleGroupName);
  watchTable(alarms, engine, inputs);
  for (const lambda of [engine.resend, engine.produce]) watchFunction(alarms, lambda);
  watchOrphans(alarms, "resend");
  watchSends(alarms);
  watchGates(alarms);
  return alarms;
}

// What produce meets at a gate goes to the retry queue, so the worker meets it too.
function watchGates(alarms: Alarms): void {
  alarms.watchOwnMetric("send_breaker_closed", "SendBreakerClosed", "resend", {
    severity: "page",
    description:
      "The SMS service has failed several times in a row, so nothing is sent by an identity but a probe now and then; npx sms-retry gate shows which.",
  });
  alarms.watchOwnMetric("send_paused_without_end", "SendPausedWithoutEnd", "resend", {
    severity: "ticket",
    description:
      "Somebody has paused the sends without an end, and messages wait; npx sms-retry gate shows who. It is counted in the first hour of each day of the pause alone, so that this alarm comes once a day.",
  });
}

function watchSends(alarms: Alarms): void {
  alarms.watchOwnMetric("send_blocked", "SendBlocked", "resend", {
    severity: "page",
    description: "The SMS service refuses every send: look at quota, permissions and origination identity.",
  });
  const own = (metric: MetricName) => alarms.ownMetric(metric, "resend");
  alarms.watchTogether("sends_only_deferred", {
    severity: "page",
    description:
      "For half an hour retries were tried and the SMS service took none: each was put off or its outcome stayed unknown; look at the reasons in the log of resend.",
    periodMinutes: 15,
    periods: 2,
    sums: {
      deferred: own("SendDeferred"),
      unconfirmed: own("SendUnconfirmed"),
      sent: own("RetrySent"),
      repeated: own("PossibleDuplicate"),
    },
    expression:
      "IF(FILL(deferred, 0) + FILL(unconfirmed, 0) > 0 AND FILL(sent, 0) + FILL(repeated, 0) == 0, 1, 0)",
  });
  alarms.watchOwnMetric("retry_late", "RetryLate", "resend", {
    severity: "page",
    description:
      "Retries have been due for more than half an hour and wait to be sent: is the ceiling too low, or a gate closed? npx sms-retry gate shows both.",
  });
  alarms.watch("possible_duplicates", {
    severity: "ticket",
    description:
      "Messages were sent once more because the outcome of their send was lost, so recipients may have got them twice; delivery_guarantee at-most-once would not.",
    ...own("PossibleDuplicate"),
    statistic: "Sum",
    periodMinutes: 60,
    above: 10,
  });
}

function watchQueue(alarms: Alarms, { queue }: RetryEngine): void {
  alarms.watch("retry_dead_letters", {
    severity: "page",
    description:
      "Retries were given up after hours of errors; look at the dead-letter queue and the log of resend.",
    namespace: "AWS/SQS",
    metric: "ApproximateNumberOfMessagesVisible",
    dimensions: { QueueName: queue.deadLetterName },
    statistic: "Maximum",
    above: 0,
    silence: queueIsSilent,
  });
  alarms.watch("retry_queue_age", {
    severity: "page",
    description:
      "Retry messages lie on the queue for more than half an hour: no worker takes them; look at errors and throttles of resend.",
    namespace: "AWS/SQS",
    metric: "ApproximateAgeOfOldestMessage",
    dimensions: { QueueName: queue.queueName },
    statistic: "Maximum",
    above: 1800,
    silence: queueIsSilent,
  });
  // A message reaches the dead-letter queue only after hours, and SQS leaves what was received three times out of the age above.
  alarms.watchOwnMetric("retry_message_failed", "RetryMessageFailed", "resend", {
    severity: "page",
    description:
      "Retries are late because something is out of reach, and are tried again for hours; look at the log of resend.",
  });
}

/**
 * SQS says nothing of a queue that nobody has used for six hours, whatever lies in it.
 *
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
 */
export const queueIsSilent = "as before";

function watchSchedules(alarms: Alarms, scheduleGroupName: string): void {
  const dimensions = { ScheduleGroup: scheduleGroupName };
  alarms.watch("retry_schedule_errors", {
    severity: "page",
    description:
      "EventBridge Scheduler could not put retries on the retry queue and tries for a day; look at its role and at the queue.",
    namespace: "AWS/Scheduler",
    metric: "TargetErrorCount",
    dimensions,
    statistic: "Sum",
    above: 0,
  });
  alarms.watch("retry_schedule_dropped", {
    severity: "page",
    description:
      "EventBridge Scheduler gave up putting retries on the retry queue; they are in the dead-letter queue, or npx sms-retry redrive --overdue finds them.",
    namespace: "AWS/Scheduler",
    metric: "InvocationDroppedCount",
    dimensions,
    statistic: "Sum",
    above: 0,
  });
}

function watchTable(alarms: Alarms, { table }: RetryEngine, { tableCapacity }: SharedInputs): void {
  const ofTable = (metric: string) => ({
    namespace: "AWS/DynamoDB",
    metric,
    dimensions: { TableName: table.tableName },
  });
  alarms.watchTogether("message_table_throttled", {
    severity: "page",
    description:
      "DynamoDB refuses calls on the message-state table because there are too many, so events and retries are late; raise table_capacity, or look at the account's limits.",
    periodMinutes: 5,
    sums: { reads: ofTable("ReadThrottleEvents"), writes: ofTable("WriteThrottleEvents") },
    expression: "FILL(reads, 0) + FILL(writes, 0)",
    above: 0,
    // A table that is paid per request refuses some calls while it grows.
    periods: 3,
  });
  const perPeriod = (kind: "read" | "write") => `\${try(${tableCapacity.hcl}.${kind}_units, 1) * 300}`;
  alarms.watchTogether("message_table_capacity", {
    severity: "ticket",
    description:
      "The message-state table uses more than four fifths of its provisioned capacity, in per cent; raise table_capacity before DynamoDB refuses calls.",
    periodMinutes: 5,
    sums: { reads: ofTable("ConsumedReadCapacityUnits"), writes: ofTable("ConsumedWriteCapacityUnits") },
    expression: `100 * MAX([FILL(reads, 0) / ${perPeriod("read")}, FILL(writes, 0) / ${perPeriod("write")}])`,
    above: 80,
    periods: 3,
    onCondition: `${tableCapacity.hcl} != null`,
  });
}

/** Adds the alarms on invocations of a function that failed, or were not begun: `<function>_errors` and `_throttles`. */
export function watchFunction(alarms: Alarms, { node, functionName }: WatchedFunction): void {
  const name = node.id.replaceAll("-", "_");
  const ofFunction = (metric: string) => ({
    namespace: "AWS/Lambda",
    metric,
    dimensions: { FunctionName: functionName },
    statistic: "Sum" as const,
    above: 0,
  });
  alarms.watch(`${name}_errors`, {
    severity: "page",
    description: `The function ${node.id} failed; look at its log.`,
    ...ofFunction("Errors"),
  });
  alarms.watch(`${name}_throttles`, {
    severity: "page",
    description: `Lambda did not start ${node.id}; raise the account's concurrency, or what reserved_concurrency gives the function.`,
    ...ofFunction("Throttles"),
  });
}

/** Adds the alarm on events whose message is not in the table: `<function>_event_orphaned`. */
export function watchOrphans(alarms: Alarms, service: FunctionName): void {
  alarms.watchOwnMetric(`${service.replaceAll("-", "_")}_event_orphaned`, "EventOrphaned", service, {
    severity: "ticket",
    description: "A failed message is not in the table, so it cannot be sent again.",
  });
}

/**
 * Adds the alarms on what the function that sees the events finds in the table: items that it cannot use
 * (`item_unreadable`, `item_status_unknown`; what `resend` cannot read ends in the dead-letter queue, which has its own
 * alarm), and failures that end too many messages (`messages_lost`).
 */
export function watchMessages(alarms: Alarms, service: FunctionName): void {
  alarms.watchOwnMetric("item_unreadable", "ItemUnreadable", service, {
    severity: "ticket",
    description:
      "An item of the table cannot be read, so its message is not sent again; its id and the attributes are in the log.",
  });
  alarms.watchOwnMetric("item_status_unknown", "ItemStatusUnknown", service, {
    severity: "ticket",
    description:
      "An item of the table has a status that this version does not know and is left alone; its id is in the log.",
  });
  const both = (metric: MetricName) =>
    [alarms.ownMetric(metric, service), alarms.ownMetric(metric, "resend")] as const;
  const [expired, expiredLater] = both("MessageExpired");
  const [rejected, rejectedLater] = both("MessageRejected");
  alarms.watchTogether("messages_lost", {
    severity: "ticket",
    description:
      "Of the failures of an hour, more than half, in per cent, were not retried because the message was useless by then or the service refused it; look at the reasons in the log.",
    periodMinutes: 60,
    sums: {
      expired,
      expired_later: expiredLater,
      rejected,
      rejected_later: rejectedLater,
      scheduled: alarms.ownMetric("RetryScheduled", service),
    },
    expression: `IF(${lost} + FILL(scheduled, 0) < ${leastFailures}, 0, 100 * (${lost}) / (${lost} + FILL(scheduled, 0)))`,
    above: 50,
  });
}

const lost = "FILL(expired, 0) + FILL(expired_later, 0) + FILL(rejected, 0) + FILL(rejected_later, 0)";

/** A share of fewer failures says nothing. */
const leastFailures = 20;

/**
 * Adds the alarm on sends that an operator has to make possible for some recipients or countries:
 * `send_blocked_for_some`. End User Messaging alone says so of single sends.
 */
export function watchBlockedForSome(alarms: Alarms): void {
  alarms.watchOwnMetric("send_blocked_for_some", "SendBlockedForSome", "resend", {
    severity: "ticket",
    description:
      "The SMS service refuses sends to some recipients or countries for a reason that you can remove, and they wait until their deadlines; the reason is in the log of resend.",
  });
}

/**
 * Adds the alarms on an archive that is late, or cannot take what comes: `event_archive_freshness`, and
 * `event_archive_behind` or, where events are put into it directly, `event_archive_refused`.
 *
 * @see https://docs.aws.amazon.com/firehose/latest/dev/monitoring-with-cloudwatch-metrics.html
 */
export function watchArchive(
  alarms: Alarms,
  { deliveryStream }: EventArchive,
  reads: "a stream" | "what is put",
): void {
  const ofArchive = (metric: string) => ({
    namespace: "AWS/Firehose",
    metric,
    dimensions: { DeliveryStreamName: deliveryStream.name },
  });
  alarms.watch("event_archive_freshness", {
    severity: "ticket",
    description: "The archive is more than half an hour behind the stream.",
    ...ofArchive("DeliveryToS3.DataFreshness"),
    statistic: "Maximum",
    above: 1800,
  });
  if (reads === "a stream") {
    alarms.watch("event_archive_behind", {
      severity: "ticket",
      description:
        "The archive reads the stream more than half an hour late, in milliseconds: may its role read the stream and use its key? What it has not read in a day is lost to it.",
      ...ofArchive("KinesisMillisBehindLatest"),
      statistic: "Maximum",
      above: 1_800_000,
    });
    return;
  }
  alarms.watch("event_archive_refused", {
    severity: "ticket",
    description:
      "Firehose refuses events for the archive because there are too many at once; ask AWS for a higher quota of the stream.",
    ...ofArchive("ThrottledRecords"),
    statistic: "Sum",
    above: 0,
  });
}
