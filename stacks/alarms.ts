/** What an operator must hear of. */
import { CloudwatchMetricAlarm } from "@cdktf/provider-aws/lib/cloudwatch-metric-alarm/index.js";
import { Token } from "cdktf";
import { Construct } from "constructs";
import type { FunctionName } from "../functions/environment.ts";
import type { EventArchive } from "./event-archive.ts";
import type { SharedInputs } from "./inputs.ts";
import type { KinesisConsumer } from "./kinesis-consumer.ts";
import type { RetryEngine } from "./retry-engine.ts";

/** What the alarms watch. */
export interface AlarmsOptions {
  readonly inputs: SharedInputs;
  readonly engine: RetryEngine;
  readonly consumer: KinesisConsumer;
  readonly archive: EventArchive;
}

interface Watch {
  /** Sentence for the person who is woken. */
  readonly description: string;
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly statistic: "Sum" | "Maximum";
  /** The alarm fires above this value. */
  readonly above: number;
  /**
   * Minutes that are looked at together.
   * @default 5
   */
  readonly periodMinutes?: number;
}

/**
 * One alarm for each way in which a message could be lost or late. They notify `alarm_topic_arn`, also when the
 * trouble is over; silence of a metric counts as health.
 */
export class Alarms extends Construct {
  readonly #inputs: SharedInputs;

  constructor(scope: Construct, { inputs, engine, consumer, archive }: AlarmsOptions) {
    super(scope, "alarms");
    this.#inputs = inputs;
    this.#queue(engine);
    this.#functions([consumer.lambda, engine.resend, engine.produce]);
    this.#stream(consumer);
    this.#archive(archive);
    this.#ownMetrics();
  }

  #queue({ queue }: RetryEngine): void {
    this.#alarm("retry_dead_letters", {
      description:
        "Retries were given up after five errors; look at the dead-letter queue and the log of resend.",
      namespace: "AWS/SQS",
      metric: "ApproximateNumberOfMessagesVisible",
      dimensions: { QueueName: queue.deadLetterName },
      statistic: "Maximum",
      above: 0,
    });
    this.#alarm("retry_queue_age", {
      description:
        "Retries wait for more than half an hour; more are due than max_sends_per_second lets through.",
      namespace: "AWS/SQS",
      metric: "ApproximateAgeOfOldestMessage",
      dimensions: { QueueName: queue.queueName },
      statistic: "Maximum",
      above: 1800,
    });
  }

  #functions(
    functions: readonly { readonly node: { readonly id: string }; readonly functionName: string }[],
  ): void {
    for (const { node, functionName } of functions)
      this.#alarm(`${node.id.replaceAll("-", "_")}_errors`, {
        description: `The function ${node.id} failed; look at its log.`,
        namespace: "AWS/Lambda",
        metric: "Errors",
        dimensions: { FunctionName: functionName },
        statistic: "Sum",
        above: 0,
      });
  }

  #stream({ lambda, mapping }: KinesisConsumer): void {
    this.#alarm("consume_kinesis_iterator_age", {
      description:
        "Events are read more than five minutes late; raise consumer_concurrency or look at the errors.",
      namespace: "AWS/Lambda",
      metric: "IteratorAge",
      dimensions: { FunctionName: lambda.functionName },
      statistic: "Maximum",
      above: 300_000,
    });
    this.#alarm("consume_kinesis_given_up", {
      description: "Lambda gave up a batch of events and kept it in the events bucket under aws/lambda/.",
      namespace: "AWS/Lambda",
      metric: "OnFailureDestinationDeliveredEventCount",
      dimensions: { EventSourceMappingUUID: mapping.uuid },
      statistic: "Sum",
      above: 0,
    });
    this.#alarm("consume_kinesis_dropped", {
      description:
        "Lambda dropped events and could not keep them in the events bucket; the archive has them.",
      namespace: "AWS/Lambda",
      metric: "DroppedEventCount",
      dimensions: { EventSourceMappingUUID: mapping.uuid },
      statistic: "Sum",
      above: 0,
    });
  }

  #archive({ deliveryStream }: EventArchive): void {
    this.#alarm("event_archive_freshness", {
      description: "The archive is more than half an hour behind the stream.",
      namespace: "AWS/Firehose",
      metric: "DeliveryToS3.DataFreshness",
      dimensions: { DeliveryStreamName: deliveryStream.name },
      statistic: "Maximum",
      above: 1800,
    });
  }

  #ownMetrics(): void {
    this.#ownMetric("record_malformed", "RecordMalformed", "consume-kinesis", {
      description:
        "A record of the stream was no delivery event; a copy is in the events bucket under malformed/.",
    });
    for (const service of ["consume-kinesis", "resend"] as const)
      this.#ownMetric(`${service.replaceAll("-", "_")}_event_orphaned`, "EventOrphaned", service, {
        description: "A failed message is not in the table, so it cannot be sent again.",
      });
    this.#ownMetric("send_blocked", "SendBlocked", "resend", {
      description: "The SMS service refuses every send: look at quota, permissions and origination identity.",
    });
  }

  #ownMetric(
    name: string,
    metric: string,
    service: FunctionName,
    { description }: Pick<Watch, "description">,
  ): void {
    this.#alarm(name, {
      description,
      namespace: this.#inputs.namePrefix.text,
      metric,
      dimensions: { service },
      statistic: "Sum",
      above: 0,
    });
  }

  #alarm(name: string, watch: Watch): void {
    // compact() drops the null of an input that was not given.
    const actions = Token.asList(`\${compact([${this.#inputs.alarmTopicArn.hcl}])}`);
    new CloudwatchMetricAlarm(this, `aws_cloudwatch_metric_alarm.${name}`, {
      alarmName: `${this.#inputs.namePrefix.text}-${name.replaceAll("_", "-")}`,
      alarmDescription: watch.description,
      namespace: watch.namespace,
      metricName: watch.metric,
      dimensions: watch.dimensions,
      statistic: watch.statistic,
      period: (watch.periodMinutes ?? 5) * 60,
      evaluationPeriods: 1,
      comparisonOperator: "GreaterThanThreshold",
      threshold: watch.above,
      treatMissingData: "notBreaching",
      alarmActions: actions,
      okActions: actions,
    });
  }
}
