/**
 * What an item lacks of its send and the event that failed has (docs/protocol.md): the item comes first, and the event
 * only completes it.
 */
import type { DeliveryEvent } from "../events/delivery-event.ts";
import { originationOf } from "../events/origination.ts";
import type { SmsService } from "../events/statuses.ts";
import type { Message } from "./message.ts";
import type { SettableAttributes } from "./message-store.ts";

/** What an event tells of the send that it is about. */
export type SendFacts = Pick<
  DeliveryEvent,
  "destinationNumber" | "messageType" | "origination" | "ownContext"
> & {
  /** What sent the attempt. */
  readonly smsService?: SmsService;
};

/**
 * The part of an event that can complete an item.
 *
 * @param smsServices the services that the deployment can send by: an item is told no other
 */
export function sendFactsOf(event: DeliveryEvent, smsServices: ReadonlySet<SmsService>): SendFacts {
  const { destinationNumber, messageType, origination, ownContext, format } = event;
  return {
    ...(smsServices.has(format) && { smsService: format }),
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
 * is left to a forger: an item without a number gets theirs, one without a context theirs, one without a service is
 * sent by the other one that the deployment is set up for, and one without an identity is sent from another identity
 * of the account, or refused by the service if it is none. An application that writes all four into the item leaves
 * them nothing. The producer's item lacks at most the identity, where the service chose it.
 */
export function completionOf(
  message: Message,
  failedAttempt: number,
  facts: SendFacts,
): Pick<
  SettableAttributes,
  "destination_number" | "message_type" | "origination_number" | "sender_id" | "context" | "sms_service"
> {
  const { destinationNumber, messageType, ownContext, smsService } = facts;
  // A retry may have gone out by the deployment's identity; only the first send tells the application's.
  const isIdentityTold = failedAttempt === 0 && facts.origination !== undefined;
  const hasIdentity = message.origination_number !== undefined || message.sender_id !== undefined;
  const { originationNumber, senderId } =
    isIdentityTold && !hasIdentity ? originationOf(facts.origination) : {};
  return {
    ...(message.destination_number === undefined &&
      destinationNumber !== undefined && { destination_number: destinationNumber }),
    ...(message.sms_service === undefined && smsService !== undefined && { sms_service: smsService }),
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
