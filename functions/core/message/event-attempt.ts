/** Which message an event is about, and which of its attempts. */
import type { DeliveryEvent } from "../events/delivery-event.ts";
import type { AttemptPosition } from "./decision.ts";
import { latestAttemptOf, type Message } from "./message.ts";

/** The key under which an event's item stands: the context's id, else the service's message id, if it has any. */
export function itemKeyOf(event: DeliveryEvent): string | undefined {
  return event.applicationMessageId ?? event.messageId;
}

/**
 * The number of the event's attempt: its retry tag, else the attempt with its id, else the first send. Every retry
 * that we send is tagged, so an event without a tag is about the application's own send.
 *
 * @returns `undefined` where it is about a send that is none of the message's: it has no tag, and its id is not the
 *   one that the first send is known to have
 */
export function attemptOf(event: DeliveryEvent, message: Message): number | undefined {
  if (event.attempt !== undefined) return event.attempt;
  const { messageId } = event;
  if (messageId === undefined) return 0;
  for (const [number, attempt] of Object.entries(message.attempts ?? {})) {
    if (attempt.message_id === messageId) return Number(number);
  }
  if (messageId === message.pinpoint_message_id) return latestAttemptOf(message);
  // The ids that the item tells are none of the event's.
  return firstMessageIdOf(message) === undefined ? 0 : undefined;
}

/** The service's id of the first send, where the item tells it. */
function firstMessageIdOf(message: Message): string | undefined {
  const first = message.attempts?.["0"]?.message_id;
  if (first !== undefined) return first;
  return latestAttemptOf(message) === 0 ? message.pinpoint_message_id : undefined;
}

/** The event's attempt seen from the item, as the decision table names it. */
export function positionOf(event: DeliveryEvent, message: Message): AttemptPosition {
  const attempt = attemptOf(event, message);
  if (attempt === undefined) return "foreign";
  const latest = latestAttemptOf(message);
  if (attempt > latest) return "unknown";
  if (attempt < latest) return "earlier";
  return attempt === 0 ? "only" : "latest";
}
