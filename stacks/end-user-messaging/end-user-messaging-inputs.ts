/** All inputs of `sms-retry-end-user-messaging`. */
import type { Construct } from "../cdktf.ts";
import { configurationSetInputs, identityInputs } from "../inputs/configuration-set-inputs.ts";
import { endUserMessagingInputs } from "../inputs/end-user-messaging-inputs.ts";
import { archiveInputs, sharedInputs } from "../inputs/inputs.ts";

/** The readings of the inputs, by their TypeScript names. */
export type EndUserMessagingStackInputs = ReturnType<typeof endUserMessagingStackInputs>;

/** Declares them. */
export function endUserMessagingStackInputs(scope: Construct) {
  return {
    ...sharedInputs(scope),
    ...endUserMessagingInputs(scope),
    ...identityInputs(scope),
    ...configurationSetInputs(scope),
    ...archiveInputs(scope),
  };
}
