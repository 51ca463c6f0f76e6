/** What an operator must hear of where events come from a Kinesis stream. */
import type { Construct } from "../cdktf.ts";
import { Alarms, type AlarmsOptions } from "../shared/alarms.ts";
import type { EventArchive } from "../shared/event-archive.ts";
import type { KinesisConsumer } from "./kinesis-consumer.ts";

/** What these alarms watch besides the shared ones. */
export interface KinesisAlarmsOptions extends AlarmsOptions {
  readonly consumer: KinesisConsumer;
  readonly archive: EventArchive;
}

/** The shared alarms, and those on the consumer of the stream and on the archive. */
export function kinesisAlarms(
  scope: Construct,
  { consumer, archive, ...shared }: KinesisAlarmsOptions,
): Alarms {
  const alarms = new Alarms(scope, shared);
  alarms.watchFunction(consumer.lambda);
  watchStream(alarms, consumer);
  alarms.watchArchive(archive);
  alarms.watchOwnMetric(
    "record_malformed",
    "RecordMalformed",
    "consume-kinesis",
    "A record that the mapping's filter let through was no delivery event; a copy is in the events bucket under malformed/.",
  );
  alarms.watchItems("consume-kinesis");
  alarms.watchOrphans("consume-kinesis");
  return alarms;
}

function watchStream(alarms: Alarms, { lambda, mapping }: KinesisConsumer): void {
  alarms.watch("consume_kinesis_iterator_age", {
    description:
      "Events are read more than five minutes late; raise consumer_concurrency or look at the errors.",
    namespace: "AWS/Lambda",
    metric: "IteratorAge",
    dimensions: { FunctionName: lambda.functionName },
    statistic: "Maximum",
    above: 300_000,
  });
  alarms.watch("consume_kinesis_given_up", {
    description: "Lambda gave up a batch of events and kept it in the events bucket under aws/lambda/.",
    namespace: "AWS/Lambda",
    metric: "OnFailureDestinationDeliveredEventCount",
    dimensions: { EventSourceMappingUUID: mapping.uuid },
    statistic: "Sum",
    above: 0,
  });
  alarms.watch("consume_kinesis_dropped", {
    description: "Lambda dropped events and could not keep them in the events bucket; the archive has them.",
    namespace: "AWS/Lambda",
    metric: "DroppedEventCount",
    dimensions: { EventSourceMappingUUID: mapping.uuid },
    statistic: "Sum",
    above: 0,
  });
}
