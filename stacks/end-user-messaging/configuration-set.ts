/** The configuration set that the stack makes where the user has none. */
import { CloudcontrolapiResource, Construct, Token } from "../cdktf.ts";
import { configurationSetSchema, configurationSetType } from "./configuration-set-schema.ts";
import { destinationsAsModel, type EventDestinationsProps, eventDestinations } from "./event-destinations.ts";

/**
 * The set with its two destinations, as one resource of Cloud Control: provider 5.100 has a resource for the set and none
 * for a destination. The schema is given, so that a plan does not ask CloudFormation for it; the ARNs are made of names, so
 * that a plan shows them.
 *
 * Cloud Control compares nothing but what was asked for: a destination that somebody changed by hand is not seen.
 *
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-smsvoice-configurationset.html
 */
export class ConfigurationSet extends Construct {
  constructor(scope: Construct, props: EventDestinationsProps) {
    super(scope, "configuration-set");
    const { inputs, configurationSet, events, writer } = props;
    const destinations = destinationsAsModel(eventDestinations(props));
    new CloudcontrolapiResource(this, "aws_cloudcontrolapi_resource.configuration_set", {
      count: Token.asNumber(inputs.configurationSetName.ifNull("1", "0")),
      typeName: configurationSetType,
      schema: JSON.stringify(configurationSetSchema),
      desiredState:
        `\${jsonencode({ ConfigurationSetName = ${configurationSet.hcl}, ` +
        `EventDestinations = ${destinations} })}`,
      // What the events go to must be there and let the service in.
      dependsOn: [...events.ready, ...writer.ready],
    });
  }
}
