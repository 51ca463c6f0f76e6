/** The inputs of the stacks whose messages can be sent by End User Messaging: what a send carries whose item says nothing. */
import {
  attemptValiditySeconds,
  maxPricePattern,
  settingDefaults,
} from "../../functions/contract/environment.ts";
import type { Construct } from "../cdktf.ts";
import { Input } from "./input.ts";

/** The readings of these inputs, by their TypeScript names; see {@link endUserMessagingInputs}. */
export type EndUserMessagingInputs = ReturnType<typeof endUserMessagingInputs>;

/** Declares the inputs. */
export function endUserMessagingInputs(scope: Construct) {
  const { least, most } = attemptValiditySeconds;
  return {
    attemptValiditySeconds: new Input(scope, "attempt_validity_seconds", {
      type: "number",
      description:
        "Seconds for which the service tries to hand one attempt to the carrier (TimeToLive), if the message's deadline " +
        "is no sooner; then it reports that the time is over, and the next retry may follow. With as much as the whole validity " +
        `of a message that report would come too late for a retry. A whole number from ${least} to ${most}.`,
      default: settingDefaults.ATTEMPT_VALIDITY_SECONDS,
      validation: {
        condition:
          `var.attempt_validity_seconds >= ${least} && var.attempt_validity_seconds <= ${most} && ` +
          "floor(var.attempt_validity_seconds) == var.attempt_validity_seconds",
        message: `The input attempt_validity_seconds must be a whole number from ${least} to ${most}.`,
      },
    }),
    maxPrice: new Input(scope, "max_price", {
      type: "string",
      description:
        "Highest price of a message part in US dollars, as a text with a point, such as 0.05. A dearer message is " +
        "refused for good. The item of a message may say otherwise. null sets no limit.",
      default: settingDefaults.MAX_PRICE,
      validation: {
        condition: `var.max_price == null || can(regex("${maxPricePattern.source.replaceAll("\\", "\\\\")}", var.max_price))`,
        message:
          "The input max_price must be null or US dollars with a point and one to five digits behind it, such as 0.05.",
      },
    }),
    protectConfigurationId: new Input(scope, "protect_configuration_id", {
      type: "string",
      description:
        "Id or ARN of the protect configuration that decides which countries are sent to. The item of a message may say " +
        "otherwise. null leaves it to the configuration set and the account.",
      default: settingDefaults.PROTECT_CONFIGURATION_ID,
      validation: {
        condition:
          "var.protect_configuration_id == null || " +
          'can(regex("^[A-Za-z0-9_:/-]{1,256}$", var.protect_configuration_id))',
        message:
          "The input protect_configuration_id must be null or an id or ARN: 1 to 256 letters, digits and any of _:/-.",
      },
    }),
    messageFeedbackEnabled: new Input(scope, "message_feedback_enabled", {
      type: "bool",
      description:
        "Whether your application tells the service which messages had their effect (PutMessageFeedback). It changes the " +
        "service's own metrics, no delivery event; without feedback a message counts as failed there after an hour. The " +
        "item of a message may say otherwise. true or false.",
      default: settingDefaults.MESSAGE_FEEDBACK_ENABLED,
    }),
  };
}
