/**
 * Reads what an event source brings as a delivery event. The event formats are told apart by their keys: Pinpoint
 * writes `event_type`, End User Messaging `eventType`.
 */
import type { ParsedEvent } from "./delivery-event.ts";
import { parseEndUserMessagingEvent } from "./end-user-messaging-event.ts";
import { parsePinpointEvent } from "./pinpoint-event.ts";
import { isRecord } from "./send-context.ts";

/**
 * Reads one parsed JSON value as a delivery event. Never throws.
 *
 * Email, campaign, journey, voice and media events are `not-sms`; RCS events are about a message that could be an SMS; a value that is no event of either
 * event format is `malformed`, with a problem that quotes nothing of it.
 */
export function parseDeliveryEvent(value: unknown): ParsedEvent {
  if (!isRecord(value)) return { type: "malformed", problem: "not a JSON object" };
  if ("event_type" in value) return parsePinpointEvent(value);
  if ("eventType" in value) return parseEndUserMessagingEvent(value);
  return { type: "malformed", problem: "neither event_type nor eventType" };
}
