/** For users whose Pinpoint project has no event stream yet. */
import { type Construct, TerraformResource } from "../cdktf.ts";
import { kinesisInputs } from "../inputs/inputs.ts";
import { kinesisOutputs, output } from "../inputs/outputs.ts";
import { completeDeployment, dependOn, firstAddresses } from "../shared/deployment.ts";
import { EventArchive } from "../shared/event-archive.ts";
import { EventsBucket } from "../shared/events-bucket.ts";
import { pinpointSending } from "../shared/pinpoint-sending.ts";
import { RetryEngine } from "../shared/retry-engine.ts";
import { type Artefacts, SmsRetryStack } from "../shared/sms-retry-stack.ts";
import { kinesisAlarms } from "./kinesis-alarms.ts";
import { KinesisConsumer } from "./kinesis-consumer.ts";
import { PinpointEventStream } from "./pinpoint-event-stream.ts";

/** Stack `sms-retry-new-stream`: creates a Kinesis stream and makes it the event stream of the Pinpoint project. */
export class NewStreamStack extends SmsRetryStack {
  constructor(scope: Construct, artefacts: Artefacts) {
    super(scope, "sms-retry-new-stream");
    const props = { inputs: kinesisInputs(this), place: this.place, artefacts };

    const stream = new PinpointEventStream(this, props);
    const engine = new RetryEngine(this, { ...props, sending: pinpointSending(props) });
    const bucket = new EventsBucket(this, props);
    const consumer = new KinesisConsumer(this, { ...props, stream, engine, bucket });
    const archive = new EventArchive(this, { ...props, stream, bucket });
    const eventStream = stream.fill([archive.deliveryStream]);
    const alarms = kinesisAlarms(this, { ...props, engine, stream, consumer, archive });
    createAfter(eventStream, [engine, consumer, alarms]);
    completeDeployment(this, props);
    kinesisOutputs(this, { engine, bucket, consumer, archive });
    output(this, "kinesis_stream_name", stream.streamName, "Name of the Kinesis stream of delivery events.");
    output(this, "kinesis_stream_arn", stream.arn, "ARN of the Kinesis stream of delivery events.");
  }
}

/**
 * Lets everything of some constructs wait for a resource. A plan cannot ask Pinpoint for a project, neither by a data
 * source nor by Cloud Control: so what fails for one that does not exist comes first, and leaves little behind. The events
 * of that minute are read: the consumer starts before the first apply.
 */
function createAfter(first: TerraformResource, constructs: readonly Construct[]): void {
  for (const element of constructs.flatMap((each) => each.node.findAll()))
    if (TerraformResource.isTerraformResource(element) && !firstAddresses.includes(element.node.id))
      dependOn(element, [first.node.id]);
}
