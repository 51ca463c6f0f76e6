/** The right to send through Pinpoint, and where the inputs say so through End User Messaging too. */
import { type Construct, TerraformLocal } from "../cdktf.ts";
import type { IdentityInputs, ServiceInputs } from "../inputs/configuration-set-inputs.ts";
import type { EndUserMessagingInputs } from "../inputs/end-user-messaging-inputs.ts";
import type { PinpointInputs } from "../inputs/inputs.ts";
import { endUserMessagingSettings, originationSettings, serviceSettings } from "../inputs/settings.ts";
import { mayUseEndUserMessaging } from "../shared/end-user-messaging-sending.ts";
import { maySendByPinpoint } from "../shared/pinpoint-sending.ts";
import type { Sending } from "../shared/retry-engine.ts";
import { type Place, reference } from "../shared/sms-retry-stack.ts";

/** What the services are and from what is sent. */
export type BothServicesInputs = PinpointInputs & ServiceInputs & EndUserMessagingInputs & IdentityInputs;

/**
 * Events of both services may come by on one Firehose stream, so both may have to send. Without
 * `sms_service = "end-user-messaging"` nobody has a right to it, and Pinpoint sends everything.
 */
export function bothServices(
  scope: Construct,
  { inputs, place }: { readonly inputs: BothServicesInputs; readonly place: Place },
): Sending {
  const { configurationSetName, pinpointApplicationId, smsService } = inputs;
  // No project has this id: a right to nothing, where none is given. A local, as a policy takes no quotation marks.
  new TerraformLocal(
    scope,
    "local.pinpoint_project",
    reference(`coalesce(${pinpointApplicationId.hcl}, "none")`),
  );
  const project = reference("local.pinpoint_project");
  // A set that is not given is that of a policy that is not made.
  const name = reference(`coalesce(${configurationSetName.hcl}, "none")`);
  const arn = place.arn("sms-voice", `configuration-set/${name}`);
  return {
    statements: [maySendByPinpoint(place, project)],
    environment: {
      ...serviceSettings(inputs).environment,
      ...originationSettings(inputs).environment,
      CONFIGURATION_SET_NAME: configurationSetName.textOrEmpty,
      ...endUserMessagingSettings(inputs).environment,
    },
    onCondition: {
      name: "sms_voice",
      hcl: `${smsService.hcl} == "end-user-messaging"`,
      statement: mayUseEndUserMessaging(scope, { inputs, place, configurationSet: { name, arn } }),
    },
  };
}
