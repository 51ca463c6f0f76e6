/** A message of the application whose first send has failed, and the events that say so. */
import type { DeliveryEvent } from "../functions/core/events/delivery-event.ts";
import type { Message } from "../functions/core/message/message.ts";

/**
 * Its item, as the application wrote it.
 *
 * @param at when it was sent, epoch seconds
 * @param usefulSeconds how long it is of use
 * @param body default: of one part
 */
export function messageOf(id: string, at: number, usefulSeconds: number, body = "493817"): Message {
  return {
    application_message_id: id,
    message_body: body,
    destination_number: "+447700900123",
    message_type: "TRANSACTIONAL",
    origination_number: "+447700900999",
    pinpoint_message_id: `sms-${id}`,
    status: "SENT",
    retry_count: 0,
    all_retries_failed: false,
    deadline: at + usefulSeconds,
    created_at: at,
  };
}

/** The event of a failed attempt; its number, and when it failed, epoch seconds. */
export function failureOf(id: string, attempt: number, at: number): DeliveryEvent {
  return {
    format: "pinpoint",
    kind: "failure",
    status: "CARRIER_UNREACHABLE",
    messageId: `sms-${id}`,
    applicationMessageId: id,
    attempt,
    destinationNumber: "+447700900123",
    messageType: "TRANSACTIONAL",
    occurredAt: at,
  };
}
