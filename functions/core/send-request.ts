/**
 * What a send carries, and where it comes from: the item, and what the item lacks from the event that failed
 * (design 11.3). Every send of ours is made here, the producer's first and each retry.
 */
import type { DeliveryEvent } from "./delivery-event.ts";
import type { Message } from "./message.ts";
import type { SettableAttributes } from "./message-store.ts";
import { sendContext } from "./send-context.ts";
import type { SendRequest } from "./sms-sender.ts";

/**
 * The send of attempt `attempt`, from the item alone; `undefined` where it has no body or no number.
 *
 * @param replacement origination number or sender id that stands in for the item's; absent = the item's
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
    context: sendContext(message.application_message_id, attempt, message.context),
  };
}

/** An origination number, a sender id, or both. */
export type OriginationIdentity = Pick<SendRequest, "originationNumber" | "senderId">;

/** Tells a sender id from a phone number or short code: only a sender id has letters. */
export function originationOf(origination: string): OriginationIdentity {
  return /[A-Za-z]/.test(origination) ? { senderId: origination } : { originationNumber: origination };
}

/** The identity in an item: a sender id may stand under either name. */
function identityOf({ origination_number, sender_id }: Message): OriginationIdentity {
  return {
    ...(origination_number !== undefined && originationOf(origination_number)),
    ...(sender_id !== undefined && { senderId: sender_id }),
  };
}

/**
 * What an event may tell of an origination: a phone number, a short code or a sender id, by the limits of End User
 * Messaging. Real events hold sender ids where their key says "phone number".
 */
export const originationPattern = /^(\+?[1-9]\d{1,18}|[A-Za-z0-9_-]{1,11})$/;

/** What an event tells of the send that it is about. */
export type SendFacts = Pick<
  DeliveryEvent,
  "destinationNumber" | "messageType" | "origination" | "ownContext"
>;

/** The part of an event that can complete an item. */
export function sendFactsOf(event: DeliveryEvent): SendFacts {
  const { destinationNumber, messageType, origination, ownContext } = event;
  return {
    ...(destinationNumber !== undefined && { destinationNumber }),
    ...(messageType !== undefined && { messageType }),
    ...(origination !== undefined && { origination }),
    ...(ownContext !== undefined && { ownContext }),
  };
}

/**
 * The attributes that an item lacks and the event of a failed attempt has.
 *
 * An event can be forged by whoever may write to the event stream. It replaces nothing that the item says. What
 * is left to a forger: an item without a number gets theirs, one without a context theirs, and one without an
 * identity is sent from another identity of the account, or refused by the service if it is none. An application
 * that writes all three into the item leaves them nothing. The producer's item lacks at most the identity, where
 * the service chose it.
 */
export function completionOf(
  message: Message,
  failedAttempt: number,
  facts: SendFacts,
): Pick<
  SettableAttributes,
  "destination_number" | "message_type" | "origination_number" | "sender_id" | "context"
> {
  const { destinationNumber, messageType, ownContext } = facts;
  // A retry may have gone out by the deployment's identity; only the first send tells the application's.
  const isIdentityTold = failedAttempt === 0 && facts.origination !== undefined;
  const hasIdentity = message.origination_number !== undefined || message.sender_id !== undefined;
  const { originationNumber, senderId } =
    isIdentityTold && !hasIdentity ? originationOf(facts.origination) : {};
  return {
    ...(message.destination_number === undefined &&
      destinationNumber !== undefined && { destination_number: destinationNumber }),
    ...(message.message_type === undefined && messageType !== undefined && { message_type: messageType }),
    ...(originationNumber !== undefined && { origination_number: originationNumber }),
    ...(senderId !== undefined && { sender_id: senderId }),
    ...(message.context === undefined &&
      !isProduced(message) &&
      ownContext !== undefined && { context: ownContext }),
  };
}

/** Whether the first send was ours: then the item has its whole context, also where that is none. */
function isProduced({ attempts }: Message): boolean {
  return attempts?.[0]?.claim_id !== undefined;
}
