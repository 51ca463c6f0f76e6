/** What an operator must hear of where events come from a Kinesis stream. */
import type { Construct } from "../cdktf.ts";
import type { Alarms } from "../shared/alarms.ts";
import type { EventArchive } from "../shared/event-archive.ts";
import type { EventStream } from "../shared/event-stream.ts";
import {
  type SharedAlarmsProps,
  sharedAlarms,
  watchArchive,
  watchFunction,
  watchMessages,
  watchOrphans,
} from "../shared/shared-alarms.ts";
import type { KinesisConsumer } from "./kinesis-consumer.ts";

/** What these alarms watch besides the shared ones. */
export interface KinesisAlarmsProps extends SharedAlarmsProps {
  readonly stream: EventStream;
  readonly consumer: KinesisConsumer;
  readonly archive: EventArchive;
}

/** The shared alarms, and those on the consumer of the stream and on the archive. */
export function kinesisAlarms(
  scope: Construct,
  { stream, consumer, archive, ...shared }: KinesisAlarmsProps,
): Alarms {
  const alarms = sharedAlarms(scope, shared);
  watchFunction(alarms, consumer.lambda);
  watchConsumer(alarms, consumer);
  watchReading(alarms, stream, { consumer, archive });
  watchArchive(alarms, archive, "a stream");
  alarms.watchOwnMetric("record_malformed", "RecordMalformed", "consume-kinesis", {
    severity: "ticket",
    description:
      "A record that the mapping's filter let through was no delivery event; a copy is in the events bucket under malformed/.",
  });
  watchMessages(alarms, "consume-kinesis");
  watchOrphans(alarms, "consume-kinesis");
  return alarms;
}

function watchConsumer(alarms: Alarms, { lambda, mapping }: KinesisConsumer): void {
  alarms.watch("consume_kinesis_iterator_age", {
    severity: "page",
    description:
      "Events are read more than five minutes late, in milliseconds; raise consumer_concurrency or look at the errors.",
    namespace: "AWS/Lambda",
    metric: "IteratorAge",
    dimensions: { FunctionName: lambda.functionName },
    statistic: "Maximum",
    above: 300_000,
  });
  const ofMapping = (metric: string) => ({
    namespace: "AWS/Lambda",
    metric,
    dimensions: { EventSourceMappingUUID: mapping.uuid },
    statistic: "Sum" as const,
    above: 0,
  });
  alarms.watch("consume_kinesis_given_up", {
    severity: "page",
    description: "Lambda gave up a batch of events and kept it in the events bucket under aws/lambda/.",
    ...ofMapping("OnFailureDestinationDeliveredEventCount"),
  });
  alarms.watch("consume_kinesis_dropped", {
    severity: "page",
    description: "Lambda dropped events and could not keep them in the events bucket; the archive has them.",
    ...ofMapping("DroppedEventCount"),
  });
}

/**
 * A mapping that somebody has disabled, or a role that may not read, is silent: nothing fails where nothing is read.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
 */
function watchReading(
  alarms: Alarms,
  { streamName }: EventStream,
  { consumer, archive }: Pick<KinesisAlarmsProps, "consumer" | "archive">,
): void {
  const neverRead = {
    periodMinutes: 15,
    periods: 2,
    expression: "IF(FILL(put, 0) > 0 AND FILL(read, 0) == 0, 1, 0)",
  };
  const put = {
    namespace: "AWS/Kinesis",
    metric: "IncomingRecords",
    dimensions: { StreamName: streamName },
  };
  alarms.watchTogether("consume_kinesis_not_reading", {
    ...neverRead,
    severity: "page",
    description:
      "The stream gets records and Lambda reads none of them, so no failed message is sent again; is the event source mapping enabled, and may the role read the stream and use its key?",
    sums: {
      put,
      read: {
        namespace: "AWS/Lambda",
        metric: "PolledEventCount",
        dimensions: { EventSourceMappingUUID: consumer.mapping.uuid },
      },
    },
  });
  alarms.watchTogether("event_archive_not_reading", {
    ...neverRead,
    severity: "ticket",
    description:
      "The stream gets records and the archive reads none of them; may its role read the stream and use its key? What it has not read in a day is lost to it.",
    sums: {
      put,
      read: {
        namespace: "AWS/Firehose",
        metric: "DataReadFromKinesisStream.Records",
        dimensions: { DeliveryStreamName: archive.deliveryStream.name },
      },
    },
  });
}
