/** The right to send SMS through End User Messaging, and from which identities. */
import { type Construct, TerraformLocal } from "../cdktf.ts";
import type { IdentityInputs } from "../inputs/configuration-set-inputs.ts";
import type { EndUserMessagingInputs } from "../inputs/end-user-messaging-inputs.ts";
import type { SharedInputs } from "../inputs/inputs.ts";
import { endUserMessagingAlone, endUserMessagingSettings, originationSettings } from "../inputs/settings.ts";
import type { HclList, Statement } from "./access.ts";
import type { Sending } from "./retry-engine.ts";
import type { Place } from "./sms-retry-stack.ts";

/** From what is sent. */
export interface EndUserMessagingSendingProps {
  readonly inputs: SharedInputs & EndUserMessagingInputs & IdentityInputs;
  readonly place: Place;
  /** The configuration set that sends name. */
  readonly configurationSet: { readonly name: string; readonly arn: string };
}

/** Lets a function send with the v2 API alone: from the named identities, and with one configuration set. */
export function endUserMessagingSending(scope: Construct, props: EndUserMessagingSendingProps): Sending {
  const { inputs, configurationSet } = props;
  return {
    statements: [mayUseEndUserMessaging(scope, props)],
    environment: {
      ...endUserMessagingAlone().environment,
      CONFIGURATION_SET_NAME: configurationSet.name,
      ...originationSettings(inputs).environment,
      ...endUserMessagingSettings(inputs).environment,
    },
  };
}

/**
 * The statement that lets a role send from the identities that the inputs name, with one configuration set and the protect
 * configuration of the inputs. The list stands in `local.sms_voice_resources`.
 *
 * An ARN or an id is named exactly. The ARN of a number holds the id and not the number, and that of a sender id also a
 * country, so these become all numbers of the account in this region, and the sender id in every country; the input
 * `origination_identity_arns` narrows them.
 *
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_pinpoint-sms-voice-v2.html
 */
export function mayUseEndUserMessaging(scope: Construct, props: EndUserMessagingSendingProps): Statement {
  return {
    Sid: "SendTextMessage",
    Action: "sms-voice:SendTextMessage",
    Resource: identities(scope, props),
  };
}

function identities(
  scope: Construct,
  { inputs, place, configurationSet }: EndUserMessagingSendingProps,
): HclList {
  const {
    originationIdentityArns: given,
    originationIdentities,
    originationNumber,
    protectConfigurationId,
  } = inputs;
  const arn = (resource: string) => `"${place.arn("sms-voice", resource)}"`;
  const everyIdentity = [arn("phone-number/*"), arn("pool/*"), arn("sender-id/*")];
  const named =
    `[for identity in concat(${originationIdentities.hcl}, [${originationNumber.hcl}]) : ` +
    "identity if identity != null]";
  const derived =
    `[for identity in ${named} : startswith(identity, "arn:") ? identity : ` +
    `startswith(identity, "pool-") ? format(${arn("pool/%s")}, identity) : ` +
    `startswith(identity, "phone-") ? format(${arn("phone-number/%s")}, identity) : ` +
    `can(regex("^[+]?[0-9]+$", identity)) ? ${arn("phone-number/*")} : format(${arn("sender-id/%s/*")}, identity)]`;
  // null, or nothing at all, sends from the identity of the first send, which only the message knows.
  const isOpen = `length(${named}) == 0 || anytrue([for identity in ${originationIdentities.hcl} : identity == null])`;
  const protection =
    `[for id in [${protectConfigurationId.hcl}] : ` +
    `startswith(id, "arn:") ? id : format(${arn("protect-configuration/%s")}, id) if id != null]`;
  const chosen =
    `length(${given.hcl}) > 0 ? ${given.hcl} : ` +
    `concat(${derived}, ${isOpen} ? [${everyIdentity.join(", ")}] : [])`;
  new TerraformLocal(
    scope,
    "local.sms_voice_resources",
    `\${distinct(concat(["${configurationSet.arn}"], ${protection}, ${chosen}))}`,
  );
  return { hcl: "local.sms_voice_resources" };
}
