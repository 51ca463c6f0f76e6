/** For users whose Pinpoint project has no event stream yet. */
import type { Construct } from "constructs";
import { Alarms } from "./alarms.ts";
import { EventArchive } from "./event-archive.ts";
import { sharedInputs } from "./inputs.ts";
import { KinesisConsumer } from "./kinesis-consumer.ts";
import { output, sharedOutputs } from "./outputs.ts";
import { PinpointEventStream } from "./pinpoint-event-stream.ts";
import { RetryEngine } from "./retry-engine.ts";
import { type Artefacts, SmsRetryStack } from "./sms-retry-stack.ts";

/** Stack `sms-retry-new-stream`: creates a Kinesis stream and makes it the event stream of the Pinpoint project. */
export class NewStreamStack extends SmsRetryStack {
  constructor(scope: Construct, artefacts: Artefacts) {
    super(scope, "sms-retry-new-stream");
    const surroundings = { inputs: sharedInputs(this), place: this.place, artefacts };

    const stream = new PinpointEventStream(this, surroundings);
    const engine = new RetryEngine(this, surroundings);
    const consumer = new KinesisConsumer(this, { ...surroundings, stream, engine });
    const archive = new EventArchive(this, { ...surroundings, stream, bucket: engine.bucket });
    stream.fill([consumer.mapping, archive.deliveryStream]);
    new Alarms(this, { ...surroundings, engine, consumer, archive });
    sharedOutputs(this, { engine, consumer, archive });
    output(this, "kinesis_stream_name", stream.streamName, "Name of the Kinesis stream of delivery events.");
    output(this, "kinesis_stream_arn", stream.arn, "ARN of the Kinesis stream of delivery events.");
  }
}
