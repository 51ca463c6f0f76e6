/**
 * The event consumer on a Kinesis data stream: reads the records, calls the core, answers with those to hand over
 * again.
 */
import type { KinesisStreamBatchResponse, KinesisStreamEvent } from "aws-lambda";
import { batchConsumer, type ConsumerPorts } from "../adapters/batch-consumer.ts";
import type { InvocationContext } from "../adapters/outside.ts";
import { fromBase64 } from "../core/events/event-records.ts";
import type { Settings } from "../settings.ts";

/**
 * The consumer: handles a batch of Kinesis records; answers with the sequence numbers of those to hand over
 * again.
 *
 * Lambda takes the lowest as its checkpoint and hands over everything from there on once more, so records
 * that were handled come again: the protocol absorbs them.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
 */
export function consumeKinesisFunction(
  settings: Settings<"consume-kinesis">,
  ports: ConsumerPorts,
): (event: KinesisStreamEvent, context: InvocationContext) => Promise<KinesisStreamBatchResponse> {
  const consume = batchConsumer(settings, ports);
  return ({ Records }, context) =>
    consume(
      Records.map(({ eventID: id, kinesis }) => ({
        id,
        itemIdentifier: kinesis.sequenceNumber,
        ...fromBase64(kinesis.data),
      })),
      context,
    );
}
