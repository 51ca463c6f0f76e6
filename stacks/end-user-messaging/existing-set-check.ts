/** The plan's own look at a configuration set that the user has: whether its events come here. */
import { type Construct, DataAwsCloudcontrolapiResource, Token } from "../cdktf.ts";
import { Check } from "../shared/check.ts";
import { configurationSetType } from "./configuration-set-schema.ts";
import type { EventDestinationsProps } from "./event-destinations.ts";

/**
 * Reads the set, so that a plan fails for one that does not exist; and `check.event_destination`, which warns while no
 * destination leads to the topic. The read stands outside the check: inside, every plan would count it as a change.
 */
export function existingSetCheck(
  scope: Construct,
  { inputs, events }: Pick<EventDestinationsProps, "inputs" | "events">,
): void {
  const { configurationSetName: given } = inputs;
  new DataAwsCloudcontrolapiResource(scope, "data.aws_cloudcontrolapi_resource.configuration_set", {
    count: Token.asNumber(given.ifNull("0", "1")),
    typeName: configurationSetType,
    identifier: given.text,
  });
  const set = "jsondecode(one(data.aws_cloudcontrolapi_resource.configuration_set[*].properties))";
  const leadsHere = `try(destination.Enabled && destination.SnsDestination.TopicArn == "${events.topicArn}", false)`;
  new Check(scope, "event_destination", {
    assertions: [
      {
        condition:
          `${given.hcl} == null || ` +
          `try(anytrue([for destination in ${set}.EventDestinations : ${leadsHere}]), false)`,
        message: `format("The configuration set %s sends no events to this stack, so no failure is seen; add the destination that the output event_destination_hcl or event_destination_commands shows.", coalesce(${given.hcl}, "of this stack"))`,
      },
    ],
  });
}
