/** For users whose delivery events already go to a Kinesis stream. */
import { type Construct, DataAwsKinesisStream } from "../cdktf.ts";
import { Input } from "../inputs/input.ts";
import { kinesisInputs } from "../inputs/inputs.ts";
import { kinesisOutputs } from "../inputs/outputs.ts";
import { completeDeployment } from "../shared/deployment.ts";
import { EventArchive } from "../shared/event-archive.ts";
import { EventsBucket } from "../shared/events-bucket.ts";
import { pinpointSending } from "../shared/pinpoint-sending.ts";
import { RetryEngine } from "../shared/retry-engine.ts";
import { type Artefacts, reference, SmsRetryStack } from "../shared/sms-retry-stack.ts";
import { kinesisAlarms } from "./kinesis-alarms.ts";
import { KinesisConsumer } from "./kinesis-consumer.ts";

/** Stack `sms-retry-kinesis`: reads an existing Kinesis stream, which it never changes. */
export class KinesisStack extends SmsRetryStack {
  constructor(scope: Construct, artefacts: Artefacts) {
    super(scope, "sms-retry-kinesis");
    const props = { inputs: kinesisInputs(this), place: this.place, artefacts };
    const stream = existingStream(this);

    const engine = new RetryEngine(this, { ...props, sending: pinpointSending(props) });
    const bucket = new EventsBucket(this, props);
    const consumer = new KinesisConsumer(this, { ...props, stream, engine, bucket });
    const archive = new EventArchive(this, { ...props, stream, bucket });
    kinesisAlarms(this, { ...props, engine, stream, consumer, archive });
    completeDeployment(this, props);
    kinesisOutputs(this, { engine, bucket, consumer, archive });
  }
}

function existingStream(scope: Construct) {
  const stream = new Input(scope, "kinesis_stream_arn", {
    type: "string",
    description:
      "ARN of the existing Kinesis data stream to which Pinpoint writes the delivery events, in the region and " +
      "account of the deployment. A plan fails where there is none of that name, so whoever plans needs " +
      "kinesis:DescribeStreamSummary, kinesis:ListShards and kinesis:ListTagsForStream.",
    validation: {
      condition:
        'can(regex("^arn:aws[a-z-]*:kinesis:[a-z0-9-]+:[0-9]{12}:stream/[A-Za-z0-9_.-]+$", var.kinesis_stream_arn))',
      message: "The input kinesis_stream_arn must be the ARN of a Kinesis data stream.",
    },
  });
  const key = new Input(scope, "kinesis_stream_kms_key_arn", {
    type: "string",
    description:
      "ARN of the customer-managed KMS key that encrypts the existing stream, if it has one other than " +
      "kms_key_arn. null for a stream that is not encrypted, or with a key that AWS manages.",
    default: null,
    validation: {
      condition:
        'var.kinesis_stream_kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kinesis_stream_kms_key_arn))',
      message: "The input kinesis_stream_kms_key_arn must be null or the ARN of a KMS key (not of an alias).",
    },
  });
  // Nothing uses it: a plan fails here for a stream that is not there, before anything is made.
  const streamName = reference(`split("/", ${stream.hcl})[1]`);
  new DataAwsKinesisStream(scope, "data.aws_kinesis_stream.events", { name: streamName });
  return { arn: stream.text, streamName, key };
}
