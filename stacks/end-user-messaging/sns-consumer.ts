/** The event source of a configuration set: a function that reads the queue behind its topic. */
import { timeoutSecondsOf } from "../../functions/contract/environment.ts";
import { Construct, LambdaEventSourceMapping } from "../cdktf.ts";
import { endUserMessagingAlone, retrySettings } from "../inputs/settings.ts";
import { allOf } from "../shared/access.ts";
import { mayReceive } from "../shared/encrypted-queue.ts";
import type { EventsBucket } from "../shared/events-bucket.ts";
import type { RetryEngine } from "../shared/retry-engine.ts";
import { type EngineProps, SmsFunction } from "../shared/sms-function.ts";
import type { EndUserMessagingStackInputs } from "./end-user-messaging-inputs.ts";
import { batchingWindowSeconds, type EventQueue } from "./event-queue.ts";

/** What the consumer reads and what it feeds. */
export interface SnsConsumerProps extends EngineProps {
  readonly inputs: EndUserMessagingStackInputs;
  readonly events: EventQueue;
  /** Keeps what can never be handled. */
  readonly bucket: EventsBucket;
  readonly engine: RetryEngine;
}

/**
 * The function `consume-sns` and its event source mapping, without a filter: what reaches the queue was chosen by the
 * destination's event types, and a filter on the body deletes what it does not match, an SNS envelope for one.
 */
export class SnsConsumer extends Construct {
  readonly lambda: SmsFunction<"consume-sns">;
  readonly mapping: LambdaEventSourceMapping;

  constructor(scope: Construct, { engine, events, bucket, ...props }: SnsConsumerProps) {
    super(scope, "sns-consumer");
    this.lambda = new SmsFunction(this, "consume-sns", {
      ...props,
      memoryMegabytes: 512,
      timeoutSeconds: timeoutSecondsOf["consume-sns"],
      access: allOf(
        engine.table.access("GetItem", "BatchGetItem", "UpdateItem"),
        engine.queue.sending,
        bucket.keepingMalformed,
        retrySettings(props.inputs),
        endUserMessagingAlone(),
      ),
      statements: [mayReceive("ReceiveEvents", events.queue)],
    });
    this.mapping = new LambdaEventSourceMapping(this, "aws_lambda_event_source_mapping.consume_sns", {
      eventSourceArn: events.queue.arn,
      functionName: this.lambda.arn,
      // One look-up in the table serves a batch; a second of waiting is nothing beside a retry's delay.
      batchSize: 100,
      maximumBatchingWindowInSeconds: batchingWindowSeconds,
      functionResponseTypes: ["ReportBatchItemFailures"],
      // A thousand events a second, which is more than the origination identities send.
      scalingConfig: { maximumConcurrency: 10 },
      dependsOn: this.lambda.permissions,
    });
  }
}
