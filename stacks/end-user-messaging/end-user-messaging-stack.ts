/** For users who send with AWS End User Messaging: every account of today. */
import type { Construct } from "../cdktf.ts";
import { hclText } from "../inputs/input.ts";
import { archiveOutputs, output, sharedOutputs } from "../inputs/outputs.ts";
import { completeDeployment } from "../shared/deployment.ts";
import { endUserMessagingSending } from "../shared/end-user-messaging-sending.ts";
import { EventArchive } from "../shared/event-archive.ts";
import { EventsBucket } from "../shared/events-bucket.ts";
import { RetryEngine } from "../shared/retry-engine.ts";
import { type Artefacts, SmsRetryStack } from "../shared/sms-retry-stack.ts";
import { ArchiveWriter } from "./archive-writer.ts";
import { ConfigurationSet } from "./configuration-set.ts";
import { type ConfigurationSetName, configurationSetName } from "./configuration-set-name.ts";
import { endUserMessagingAlarms } from "./end-user-messaging-alarms.ts";
import {
  type EndUserMessagingStackInputs,
  endUserMessagingStackInputs,
} from "./end-user-messaging-inputs.ts";
import {
  destinationsAsCommands,
  destinationsAsHcl,
  type EventDestination,
  eventDestinations,
} from "./event-destinations.ts";
import { EventQueue } from "./event-queue.ts";
import { existingSetCheck } from "./existing-set-check.ts";
import { SnsConsumer } from "./sns-consumer.ts";

/**
 * Stack `sms-retry-end-user-messaging`: creates a configuration set, or takes the user's, whose events come through a topic
 * and a queue, and sends with the v2 API.
 */
export class EndUserMessagingStack extends SmsRetryStack {
  constructor(scope: Construct, artefacts: Artefacts) {
    super(scope, "sms-retry-end-user-messaging");
    const inputs = endUserMessagingStackInputs(this);
    const props = { inputs, place: this.place, artefacts };
    const configurationSet = configurationSetName(this, props);

    const sending = endUserMessagingSending(this, { ...props, configurationSet });
    const engine = new RetryEngine(this, { ...props, sending });
    const bucket = new EventsBucket(this, props);
    const events = new EventQueue(this, { ...props, configurationSet });
    const consumer = new SnsConsumer(this, { ...props, events, engine, bucket });
    const archive = new EventArchive(this, { ...props, bucket });
    const writer = new ArchiveWriter(this, { ...props, archive, configurationSet });
    const destinations = { inputs, configurationSet, events, writer };
    new ConfigurationSet(this, destinations);
    existingSetCheck(this, destinations);
    endUserMessagingAlarms(this, { ...props, engine, events, consumer, archive });
    completeDeployment(this, props);
    sharedOutputs(this, { engine, consumer: consumer.lambda });
    archiveOutputs(this, { bucket, archive });
    this.#outputs(events, configurationSet, { inputs, destinations: eventDestinations(destinations) });
  }

  #outputs(
    events: EventQueue,
    configurationSet: ConfigurationSetName,
    {
      inputs,
      destinations,
    }: { readonly inputs: EndUserMessagingStackInputs; readonly destinations: readonly EventDestination[] },
  ): void {
    output(
      this,
      "configuration_set_name",
      configurationSet.name,
      "Name of the configuration set that every send must name, those of your application too.",
    );
    output(
      this,
      "events_topic_arn",
      events.topicArn,
      "ARN of the topic of delivery events, for further subscribers.",
    );
    output(this, "events_queue_url", events.queue.url, "URL of the queue of delivery events.");
    output(
      this,
      "events_dead_letter_queue_url",
      events.deadLetters.url,
      "URL of the queue of delivery events that were given up.",
    );
    const forAGivenSet = (text: string) => inputs.configurationSetName.ifNull("null", hclText(text));
    output(
      this,
      "event_destination_hcl",
      forAGivenSet(destinationsAsHcl(destinations, configurationSet)),
      "The event destinations to add to the configuration set that you gave, as HCL for a provider from 6.48 on; null where the stack made the set.",
    );
    output(
      this,
      "event_destination_commands",
      forAGivenSet(destinationsAsCommands(destinations, configurationSet)),
      "The same as commands of AWS's command line.",
    );
  }
}
