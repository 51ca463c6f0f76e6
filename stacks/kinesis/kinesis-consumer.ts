/** The event source of a Kinesis stream. */
import { timeoutSecondsOf } from "../../functions/contract/environment.ts";
import { eventFilterPatterns } from "../../functions/contract/event-filter.ts";
import { mostRecordAgeSeconds } from "../../functions/contract/redelivery.ts";
import { Construct, LambdaEventSourceMapping } from "../cdktf.ts";
import type { KinesisInputs } from "../inputs/inputs.ts";
import { projectSetting, retrySettings } from "../inputs/settings.ts";
import { allOf } from "../shared/access.ts";
import { type EventStream, mayDecryptStream } from "../shared/event-stream.ts";
import type { EventsBucket } from "../shared/events-bucket.ts";
import type { RetryEngine } from "../shared/retry-engine.ts";
import { type EngineProps, SmsFunction } from "../shared/sms-function.ts";
import { FirstApplyTime } from "./first-apply-time.ts";

/** What the consumer reads and what it feeds. */
export interface KinesisConsumerProps extends EngineProps {
  readonly inputs: KinesisInputs;
  readonly stream: EventStream;
  /** Keeps what can never be handled. */
  readonly bucket: EventsBucket;
  readonly engine: RetryEngine;
}

/**
 * The function `consume-kinesis` and its event source mapping: only events that can change a state, from the first
 * apply on, in batches whose bad records are isolated and kept in the events bucket.
 */
export class KinesisConsumer extends Construct {
  readonly lambda: SmsFunction<"consume-kinesis">;
  readonly mapping: LambdaEventSourceMapping;

  constructor(scope: Construct, options: KinesisConsumerProps) {
    super(scope, "kinesis-consumer");
    this.lambda = this.#lambda(options);
    this.mapping = this.#mapping(options);
  }

  #lambda({ engine, stream, bucket, ...props }: KinesisConsumerProps): SmsFunction<"consume-kinesis"> {
    return new SmsFunction(this, "consume-kinesis", {
      ...props,
      // A full share of a processor costs no more here: batches end sooner.
      memoryMegabytes: 512,
      timeoutSeconds: timeoutSecondsOf["consume-kinesis"],
      access: allOf(
        engine.table.access("GetItem", "BatchGetItem", "UpdateItem"),
        engine.queue.sending,
        bucket.keepingMalformed,
        retrySettings(props.inputs),
        projectSetting(props.inputs),
      ),
      statements: [
        {
          // ListStreams, which the documentation lists too, serves only the console.
          Sid: "ReadStream",
          Action: [
            "kinesis:DescribeStream",
            "kinesis:DescribeStreamSummary",
            "kinesis:GetRecords",
            "kinesis:GetShardIterator",
            "kinesis:ListShards",
          ],
          Resource: stream.arn,
        },
        ...bucket.keepingFailedBatches,
      ],
    });
  }

  #mapping({ bucket, inputs, stream }: KinesisConsumerProps): LambdaEventSourceMapping {
    const streamKey = mayDecryptStream(this, "consume_kinesis", this.lambda.roleName, stream);
    const readFrom = new FirstApplyTime(this, "terraform_data.stream_read_from");
    return new LambdaEventSourceMapping(this, "aws_lambda_event_source_mapping.consume_kinesis", {
      eventSourceArn: stream.arn,
      functionName: this.lambda.arn,
      // A first deployment must not send again what failed before it, and LATEST would skip what comes while the
      // mapping is made, for up to 90 seconds, whenever it is made. See docs/decisions/0005-where-reading-starts.md.
      startingPosition: "AT_TIMESTAMP",
      startingPositionTimestamp: readFrom.time,
      filterCriteria: { filter: filterPatterns(inputs).map((pattern) => ({ pattern })) },
      batchSize: 500,
      maximumBatchingWindowInSeconds: 5,
      parallelizationFactor: inputs.consumerConcurrency.number,
      functionResponseTypes: ["ReportBatchItemFailures"],
      bisectBatchOnFunctionError: true,
      // A table that is down for hours costs no event: only its age ends the tries of a batch. What is wrong with
      // a record itself never gets this far: the function keeps it in the bucket and goes on.
      maximumRetryAttempts: -1,
      maximumRecordAgeInSeconds: mostRecordAgeSeconds,
      destinationConfig: { onFailure: { destinationArn: bucket.arn } },
      // Without these metrics nobody sees a record that Lambda gave up.
      metricsConfig: { metrics: ["EventCount"] },
      dependsOn: [...this.lambda.permissions, ...streamKey],
    });
  }
}

/** The filter patterns, each chosen by Terraform when it knows the inputs. */
function filterPatterns({ trackDeliveries, pinpointApplicationId }: KinesisInputs): string[] {
  // Within the text of an HCL literal, this is where Terraform puts the id: hexadecimal digits, no quotes.
  const project = `\${${pinpointApplicationId.hcl}}`;
  const withoutSuccesses = eventFilterPatterns("none", project);
  const withSuccesses = eventFilterPatterns("all", project);
  return withSuccesses.map((pattern, index) => {
    // A JSON text's JSON is its HCL literal: besides the reference the patterns hold neither ${ nor %{.
    const [without, otherwise] = [JSON.stringify(withoutSuccesses[index]), JSON.stringify(pattern)];
    return `\${${trackDeliveries.hcl} == "none" ? ${without} : ${otherwise}}`;
  });
}
