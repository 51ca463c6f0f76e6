/** What an operator must hear of. */
import type { FunctionName } from "../../functions/contract/environment.ts";
import type { MetricName } from "../../functions/core/observability/telemetry.ts";
import { CloudwatchMetricAlarm, type CloudwatchMetricAlarmConfig, Construct, Token } from "../cdktf.ts";
import type { SharedInputs } from "../inputs/inputs.ts";
import { Check } from "./check.ts";
import type { EventArchive } from "./event-archive.ts";
import type { RetryEngine } from "./retry-engine.ts";

/** What the alarms of every stack watch. */
export interface AlarmsOptions {
  readonly inputs: SharedInputs;
  readonly engine: RetryEngine;
}

/** One metric, and the value that is too much or too little. */
export type Watch = {
  /** Sentence for the person who is woken. */
  readonly description: string;
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly statistic: "Sum" | "Maximum" | "Minimum";
  /**
   * Minutes that are looked at together.
   * @default 5
   */
  readonly periodMinutes?: number;
} & (
  | {
      /** The alarm fires above this value. */
      readonly above: number;
    }
  | {
      /** The alarm fires below this value. */
      readonly below: number;
    }
);

/** One metric among several. */
export interface CountedMetric {
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** Several metrics that only together say that something is wrong. */
export interface WatchTogether {
  /** Sentence for the person who is woken. */
  readonly description: string;
  /** Minutes that are looked at together. */
  readonly periodMinutes: number;
  /** The sums of metrics, by the names that they have in the expression. */
  readonly sums: Readonly<Record<string, CountedMetric>>;
  /** Metric math; the alarm fires above 0. */
  readonly expression: string;
  /**
   * How many periods in a row.
   * @default 1
   */
  readonly periods?: number;
  /**
   * HCL of whether there is such an alarm; its address then ends with an index.
   * @default - there is
   */
  readonly onCondition?: string;
}

/** A function as an alarm names it. */
export interface WatchedFunction {
  readonly node: { readonly id: string };
  readonly functionName: string;
}

/**
 * One alarm for each event source which a message could be lost or late. They notify `alarm_topic_arn`, also when the
 * trouble is over; silence of a metric counts as health.
 *
 * Those on the queue and on the functions behind it are here from the start; a stack adds those on its event source.
 */
export class Alarms extends Construct {
  /** Namespace of the functions' own metrics. */
  readonly namespace: string;
  readonly #inputs: SharedInputs;

  constructor(scope: Construct, { inputs, engine }: AlarmsOptions) {
    super(scope, "alarms");
    this.#inputs = inputs;
    this.#somebodyIsTold();
    this.namespace = inputs.namePrefix.text;
    this.#queue(engine);
    this.#table(engine);
    for (const lambda of [engine.resend, engine.produce]) this.watchFunction(lambda);
    this.watchOrphans("resend");
    this.watchOwnMetric(
      "send_blocked",
      "SendBlocked",
      "resend",
      "The SMS service refuses every send: look at quota, permissions and origination identity.",
    );
    this.#gates();
  }

  #somebodyIsTold(): void {
    new Check(this, "alarm_topic", {
      assertions: [
        {
          condition: `${this.#inputs.alarmTopicArn.hcl} != null`,
          message:
            '"The alarms notify nobody, because alarm_topic_arn is null; give it the ARN of an SNS topic that somebody reads."',
        },
      ],
    });
  }

  // What produce meets at a gate goes to the retry queue, so the worker meets it too.
  #gates(): void {
    this.watchOwnMetric(
      "send_breaker_closed",
      "SendBreakerClosed",
      "resend",
      "The SMS service has failed several times in a row, so nothing is sent by an identity but a probe now and then; npx sms-retry gate shows which.",
    );
    this.watchOwnMetric(
      "send_paused_without_end",
      "SendPausedWithoutEnd",
      "resend",
      "Somebody has paused the sends without an end, and messages wait; npx sms-retry gate shows who. It is counted in the first hour of each day of the pause alone, so that this alarm comes once a day.",
    );
  }

  #queue({ queue }: RetryEngine): void {
    this.watch("retry_dead_letters", {
      description:
        "Retries were given up after hours of errors; look at the dead-letter queue and the log of resend.",
      namespace: "AWS/SQS",
      metric: "ApproximateNumberOfMessagesVisible",
      dimensions: { QueueName: queue.deadLetterName },
      statistic: "Maximum",
      above: 0,
    });
    this.watch("retry_queue_age", {
      description:
        "Retry messages lie on the queue for more than half an hour: no worker takes them; look at errors and throttles of resend.",
      namespace: "AWS/SQS",
      metric: "ApproximateAgeOfOldestMessage",
      dimensions: { QueueName: queue.queueName },
      statistic: "Maximum",
      above: 1800,
    });
    // A message reaches the dead-letter queue only after hours, and SQS leaves what was received three times out of the age above.
    this.watchOwnMetric(
      "retry_message_failed",
      "RetryMessageFailed",
      "resend",
      "Retries are late because something is out of reach, and are tried again for hours; look at the log of resend.",
    );
    this.#schedules(queue.scheduleGroupName);
  }

  #table({ table }: RetryEngine): void {
    const ofTable = (metric: string) => ({
      namespace: "AWS/DynamoDB",
      metric,
      dimensions: { TableName: table.tableName },
    });
    this.watchTogether("message_table_throttled", {
      description:
        "DynamoDB refuses calls on the message-state table because there are too many, so events and retries are late; raise table_capacity, or look at the account's limits.",
      periodMinutes: 5,
      sums: { reads: ofTable("ReadThrottleEvents"), writes: ofTable("WriteThrottleEvents") },
      expression: "FILL(reads, 0) + FILL(writes, 0)",
      // A table that is paid per request refuses some calls while it grows.
      periods: 3,
    });
  }

  #schedules(scheduleGroupName: string): void {
    const dimensions = { ScheduleGroup: scheduleGroupName };
    this.watch("retry_schedule_errors", {
      description:
        "EventBridge Scheduler could not put retries on the retry queue and tries for a day; look at its role and at the queue.",
      namespace: "AWS/Scheduler",
      metric: "TargetErrorCount",
      dimensions,
      statistic: "Sum",
      above: 0,
    });
    this.watch("retry_schedule_dropped", {
      description:
        "EventBridge Scheduler gave up putting retries on the retry queue; they are in the dead-letter queue, or npx sms-retry redrive --overdue finds them.",
      namespace: "AWS/Scheduler",
      metric: "InvocationDroppedCount",
      dimensions,
      statistic: "Sum",
      above: 0,
    });
  }

  /** Adds the alarms on invocations of a function that failed, or were not begun: `<function>_errors` and `_throttles`. */
  watchFunction({ node, functionName }: WatchedFunction): void {
    const name = node.id.replaceAll("-", "_");
    const ofFunction = (metric: string) => ({
      namespace: "AWS/Lambda",
      metric,
      dimensions: { FunctionName: functionName },
      statistic: "Sum" as const,
      above: 0,
    });
    this.watch(`${name}_errors`, {
      description: `The function ${node.id} failed; look at its log.`,
      ...ofFunction("Errors"),
    });
    this.watch(`${name}_throttles`, {
      description: `Lambda did not start ${node.id}; raise the account's concurrency, or what reserved_concurrency gives the function.`,
      ...ofFunction("Throttles"),
    });
  }

  /** Adds the alarm on events whose message is not in the table: `<function>_event_orphaned`. */
  watchOrphans(service: FunctionName): void {
    this.watchOwnMetric(`${service.replaceAll("-", "_")}_event_orphaned`, "EventOrphaned", service, orphaned);
  }

  /**
   * Adds the alarms on items that the function which sees the events cannot use: `item_unreadable` and
   * `item_status_unknown`. What `resend` cannot read ends in the dead-letter queue, which has its own alarm.
   */
  watchItems(service: FunctionName): void {
    this.watchOwnMetric(
      "item_unreadable",
      "ItemUnreadable",
      service,
      "An item of the table cannot be read, so its message is not sent again; its id and the attributes are in the log.",
    );
    this.watchOwnMetric(
      "item_status_unknown",
      "ItemStatusUnknown",
      service,
      "An item of the table has a status that this version does not know and is left alone; its id is in the log.",
    );
  }

  /**
   * Adds the alarm on sends that an operator has to make possible for some recipients or countries:
   * `send_blocked_for_some`. End User Messaging alone says so of single sends.
   */
  watchBlockedForSome(): void {
    this.watchOwnMetric(
      "send_blocked_for_some",
      "SendBlockedForSome",
      "resend",
      "The SMS service refuses sends to some recipients or countries for a reason that you can remove, and they wait until their deadlines; the reason is in the log of resend.",
    );
  }

  /** Adds an alarm that fires as soon as a function counts something that should not happen. */
  watchOwnMetric(name: string, metric: MetricName, service: FunctionName, description: string): void {
    this.watch(name, {
      description,
      namespace: this.namespace,
      metric,
      dimensions: { service },
      statistic: "Sum",
      above: 0,
    });
  }

  /** Adds the alarm on an archive that is late: `event_archive_freshness`. */
  watchArchive({ deliveryStream }: EventArchive): void {
    this.watch("event_archive_freshness", {
      description: "The archive is more than half an hour behind the stream.",
      namespace: "AWS/Firehose",
      metric: "DeliveryToS3.DataFreshness",
      dimensions: { DeliveryStreamName: deliveryStream.name },
      statistic: "Maximum",
      above: 1800,
    });
  }

  /** Adds an alarm, `aws_cloudwatch_metric_alarm.<name>`. */
  watch(name: string, watch: Watch): void {
    this.#alarm(name, watch.description, {
      namespace: watch.namespace,
      metricName: watch.metric,
      dimensions: watch.dimensions,
      statistic: watch.statistic,
      period: (watch.periodMinutes ?? 5) * 60,
      ...("above" in watch
        ? { comparisonOperator: "GreaterThanThreshold", threshold: watch.above }
        : { comparisonOperator: "LessThanThreshold", threshold: watch.below }),
    });
  }

  /** Adds an alarm that fires where metric math over several metrics is above 0. */
  watchTogether(
    name: string,
    { description, periodMinutes, sums, expression, periods = 1, onCondition }: WatchTogether,
  ): void {
    const period = periodMinutes * 60;
    this.#alarm(name, description, {
      ...(onCondition !== undefined && { count: Token.asNumber(`\${${onCondition} ? 1 : 0}`) }),
      metricQuery: [
        // With a period of its own: CloudWatch takes the expression's from the metrics otherwise, which may all be silent.
        { id: "verdict", label: name.replaceAll("_", " "), expression, period, returnData: true },
        ...Object.entries(sums).map(([id, { namespace, metric: metricName, dimensions }]) => ({
          id,
          metric: { namespace, metricName, dimensions, stat: "Sum", period },
        })),
      ],
      evaluationPeriods: periods,
      comparisonOperator: "GreaterThanThreshold",
      threshold: 0,
    });
  }

  #alarm(
    name: string,
    alarmDescription: string,
    config: Partial<CloudwatchMetricAlarmConfig> & Pick<CloudwatchMetricAlarmConfig, "comparisonOperator">,
  ): void {
    // compact() drops the null of an input that was not given.
    const actions = Token.asList(`\${compact([${this.#inputs.alarmTopicArn.hcl}])}`);
    new CloudwatchMetricAlarm(this, `aws_cloudwatch_metric_alarm.${name}`, {
      alarmName: `${this.#inputs.namePrefix.text}-${name.replaceAll("_", "-")}`,
      alarmDescription,
      evaluationPeriods: 1,
      treatMissingData: "notBreaching",
      alarmActions: actions,
      okActions: actions,
      ...config,
    });
  }
}

const orphaned = "A failed message is not in the table, so it cannot be sent again.";
