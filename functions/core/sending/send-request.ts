/** What a send carries: all of it from the item (docs/protocol.md). Every send of ours is made here, first or retry. */

import { type OriginationIdentity, originationOf } from "../events/origination.ts";
import { sendContext } from "../events/send-context.ts";
import type { Message } from "../message/message.ts";
import type { SendRequest } from "./sms-sender.ts";

/**
 * The send of attempt `attempt`, from the item alone; `undefined` where it has no body or no number.
 *
 * @param replacement origination identity that stands in for the item's; absent = the item's
 */
export function sendRequestOf(
  message: Message,
  attempt: number,
  replacement?: string,
): SendRequest | undefined {
  const { message_body: body, destination_number: destinationNumber } = message;
  if (body === undefined || destinationNumber === undefined) return undefined;
  return {
    destinationNumber,
    body,
    messageType: message.message_type ?? "TRANSACTIONAL",
    ...(replacement === undefined ? identityOf(message) : originationOf(replacement)),
    ...(message.keyword !== undefined && { keyword: message.keyword }),
    ...(message.entity_id !== undefined && { entityId: message.entity_id }),
    ...(message.template_id !== undefined && { templateId: message.template_id }),
    ...(message.configuration_set_name !== undefined && {
      configurationSetName: message.configuration_set_name,
    }),
    ...(message.destination_country_parameters !== undefined && {
      destinationCountryParameters: message.destination_country_parameters,
    }),
    ...(message.max_price !== undefined && { maxPrice: message.max_price }),
    ...(message.protect_configuration_id !== undefined && {
      protectConfigurationId: message.protect_configuration_id,
    }),
    ...(message.message_feedback_enabled !== undefined && {
      messageFeedbackEnabled: message.message_feedback_enabled,
    }),
    context: sendContext(message.application_message_id, attempt, message.context),
  };
}

/** The identity in an item: a sender id may stand under either name. */
function identityOf({ origination_number, sender_id }: Message): OriginationIdentity {
  return {
    ...(origination_number !== undefined && originationOf(origination_number)),
    ...(sender_id !== undefined && { senderId: sender_id }),
  };
}
