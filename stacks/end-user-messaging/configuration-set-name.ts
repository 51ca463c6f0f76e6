/** Which configuration set the messages are sent with, whoever made it. */
import { type Construct, TerraformLocal } from "../cdktf.ts";
import { type Place, reference } from "../shared/sms-retry-stack.ts";
import type { EndUserMessagingStackInputs } from "./end-user-messaging-inputs.ts";

/** A configuration set as everything around it sees it, before it exists. */
export interface ConfigurationSetName {
  readonly name: string;
  /** The same as HCL. */
  readonly hcl: string;
  /** Made of the name: a plan shows what refers to it. */
  readonly arn: string;
}

/** The user's set, or the one that is created: `local.configuration_set_name`. */
export function configurationSetName(
  scope: Construct,
  {
    inputs: { configurationSetName: given, namePrefix },
    place,
  }: { readonly inputs: EndUserMessagingStackInputs; readonly place: Place },
): ConfigurationSetName {
  new TerraformLocal(
    scope,
    "local.configuration_set_name",
    reference(`coalesce(${given.hcl}, format("%s-sms", ${namePrefix.hcl}))`),
  );
  const hcl = "local.configuration_set_name";
  const name = reference(hcl);
  return { name, hcl, arn: place.arn("sms-voice", `configuration-set/${name}`) };
}
