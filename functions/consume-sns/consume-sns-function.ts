/**
 * The event consumer on the queue behind an SNS topic, where a configuration set of End User Messaging sends its events:
 * reads the queue messages, calls the core, answers with those to hand over again.
 */
import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import { batchConsumer, type ConsumerPorts } from "../adapters/batch-consumer.ts";
import type { InvocationContext } from "../adapters/outside.ts";
import type { Settings } from "../settings.ts";

/**
 * The consumer: handles a batch of queue messages, each an event as it is or in the envelope of SNS; answers with the ids
 * of those to hand over again. The queue deletes the others: what nobody can read has been kept by then.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export function consumeSnsFunction(
  settings: Settings<"consume-sns">,
  ports: ConsumerPorts,
): (event: SQSEvent, context: InvocationContext) => Promise<SQSBatchResponse> {
  const consume = batchConsumer(settings, ports);
  return ({ Records }, context) =>
    consume(
      Records.map(({ messageId: id, body }) => ({ id, itemIdentifier: id, data: Buffer.from(body) })),
      context,
    );
}
