/** The event destinations of a configuration set: what the created set gets, and what a user adds to a set of theirs. */
import { archivedEventTypes, matchingEventTypes } from "../../functions/contract/event-destination.ts";
import { reference } from "../shared/sms-retry-stack.ts";
import type { ArchiveWriter } from "./archive-writer.ts";
import type { ConfigurationSetName } from "./configuration-set-name.ts";
import type { EndUserMessagingStackInputs } from "./end-user-messaging-inputs.ts";
import type { EventQueue } from "./event-queue.ts";

/** Where the events go. */
export interface EventDestinationsProps {
  readonly inputs: EndUserMessagingStackInputs;
  readonly configurationSet: ConfigurationSetName;
  readonly events: EventQueue;
  readonly writer: ArchiveWriter;
}

/** One destination. */
export interface EventDestination {
  readonly name: string;
  /** HCL of the list of event types. */
  readonly typesHcl: string;
  /** What names the sink, in the words of CloudFormation and the API. */
  readonly sink: { readonly kind: SinkKind; readonly parameters: Readonly<Record<string, string>> };
}

type SinkKind = "SnsDestination" | "KinesisFirehoseDestination";

/** What can change a message goes to the topic, everything to the archive. */
export function eventDestinations({
  inputs: { trackDeliveries, namePrefix },
  events,
  writer,
}: EventDestinationsProps): EventDestination[] {
  const [without, withSuccesses] = [matchingEventTypes("none"), matchingEventTypes("all")];
  return [
    {
      name: `${reference(namePrefix.hcl)}-events`,
      typesHcl: `${trackDeliveries.hcl} == "none" ? ${JSON.stringify(without)} : ${JSON.stringify(withSuccesses)}`,
      sink: { kind: "SnsDestination", parameters: { TopicArn: events.topicArn } },
    },
    {
      name: `${reference(namePrefix.hcl)}-archive`,
      typesHcl: JSON.stringify(archivedEventTypes),
      sink: {
        kind: "KinesisFirehoseDestination",
        parameters: { DeliveryStreamArn: writer.deliveryStreamArn, IamRoleArn: writer.roleArn },
      },
    },
  ];
}

/** HCL of the destinations as CloudFormation's model of a configuration set has them. */
export function destinationsAsModel(destinations: readonly EventDestination[]): string {
  const objects = destinations.map(
    ({ name, typesHcl, sink }) =>
      `{ EventDestinationName = "${name}", Enabled = true, MatchingEventTypes = ${typesHcl}, ` +
      `${sink.kind} = ${JSON.stringify(sink.parameters)} }`,
  );
  return `[${objects.join(", ")}]`;
}

/** The block and the sink's arguments in the provider's words. */
const blocks: Readonly<Record<SinkKind, string>> = {
  SnsDestination: "sns_destination",
  KinesisFirehoseDestination: "kinesis_firehose_destination",
};

/** Text of the resources that add the destinations, for a provider from 6.48 on. */
export function destinationsAsHcl(
  destinations: readonly EventDestination[],
  configurationSet: ConfigurationSetName,
): string {
  return destinations
    .map(({ typesHcl, name, sink }, index) => {
      const attributes = Object.entries(sink.parameters).map(
        ([key, value]) => `    ${key.replaceAll(/(?<!^)[A-Z]/g, "_$&").toLowerCase()} = "${value}"`,
      );
      return [
        `resource "aws_pinpointsmsvoicev2_event_destination" "${["sms_events", "sms_archive"][index]}" {`,
        `  configuration_set_name = "${configurationSet.name}"`,
        `  event_destination_name = "${name}"`,
        `  matching_event_types   = \${jsonencode(${typesHcl})}`,
        "",
        `  ${blocks[sink.kind]} {`,
        ...attributes,
        "  }",
        "}",
      ].join("\n");
    })
    .join("\n\n");
}

/** The commands of AWS's command line that add the destinations, one a line. */
export function destinationsAsCommands(
  destinations: readonly EventDestination[],
  configurationSet: ConfigurationSetName,
): string {
  const option = { SnsDestination: "sns", KinesisFirehoseDestination: "kinesis-firehose" } as const;
  return destinations
    .map(({ name, typesHcl, sink }) => {
      const parameters = Object.entries(sink.parameters).map(([key, value]) => `${key}=${value}`);
      return (
        `aws pinpoint-sms-voice-v2 create-event-destination --configuration-set-name ${configurationSet.name} ` +
        `--event-destination-name ${name} --matching-event-types \${join(" ", ${typesHcl})} ` +
        `--${option[sink.kind]}-destination ${parameters.join(",")}`
      );
    })
    .join("\n");
}
