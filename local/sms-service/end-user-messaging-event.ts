/**
 * Delivery events in End User Messaging's (v2) format, in the full shape of real ones.
 *
 * @see https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-format.html
 */
import type { PinpointEventFacts } from "./pinpoint-event.ts";

/** What an event says about a send. */
export interface EndUserMessagingEventFacts
  extends Omit<PinpointEventFacts, "applicationId" | "accountId" | "requestId" | "arrivedAt"> {
  readonly encoding: "GSM" | "Unicode";
  /** When the send was requested, epoch milliseconds. */
  readonly requestedAt: number;
}

/** Price and carrier fee of one message part to the US in the example of AWS's page, in dollars. */
export const pricePerPart = { total: 0.00581, carrierFee: 0.003 };

/** The type of an event, by the service's word for what became of the message. */
export function eventTypeOf(status: string): string {
  return `TEXT_${status}`;
}

/** The event as the object that the service writes as JSON. */
export function endUserMessagingEvent(facts: EndUserMessagingEventFacts): object {
  return {
    eventType: eventTypeOf(facts.status),
    eventVersion: "1.0",
    eventTimestamp: facts.occurredAt,
    // SUCCESSFUL may mean either: accepted by a carrier that still reports, or all that there will be.
    isFinal: facts.kind !== "buffered",
    originationPhoneNumber: facts.origination,
    destinationPhoneNumber: facts.destination,
    isoCountryCode: "US",
    mcc: "310",
    mnc: "260",
    messageId: facts.messageId,
    messageRequestTimestamp: facts.requestedAt,
    messageEncoding: facts.encoding,
    messageType: facts.messageType,
    messageStatus: facts.status,
    messageStatusDescription: `The message is ${facts.status}.`,
    ...(facts.context !== undefined && { context: facts.context }),
    totalMessageParts: facts.messageParts,
    totalMessagePrice: pricePerPart.total * facts.messageParts,
    totalCarrierFee: pricePerPart.carrierFee * facts.messageParts,
  };
}
