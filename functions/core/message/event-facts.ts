/** The facts of an event and its item on which the decision rests; one column of the decision table each. */
import type { EventClass } from "../events/classification.ts";
import type { DeliveryEvent } from "../events/delivery-event.ts";
import { statusFacts } from "../events/statuses.ts";
import type { Facts } from "./decision.ts";
import { attemptOf, positionOf } from "./event-attempt.ts";
import { type Message, shadowModeReason, statusOf } from "./message.ts";
import { isBodyTooLong } from "./message-parts.ts";
import { allowsAttempt, deadlineOf, type RetryPolicy } from "./retry-policy.ts";

/** An event, and the item that it is about, at the moment of the decision. */
export interface EventOfMessage {
  readonly event: DeliveryEvent;
  readonly eventClass: EventClass;
  readonly message: Message;
  /** Epoch seconds. */
  readonly now: number;
}

/** The facts for {@link decide}. */
export function factsOf({ event, eventClass, message, now }: EventOfMessage, policy: RetryPolicy): Facts {
  return {
    event: eventClass,
    status: statusOf(message),
    attempt: positionOf(event, message),
    content: contentOf(event, message),
    retries: retriesOf(policy, message, (attemptOf(event, message) ?? 0) + 1),
    time: timeOf(event, message, policy, now),
  };
}

function contentOf(event: DeliveryEvent, message: Message): Facts["content"] {
  const { message_body: body } = message;
  if (body === undefined || (message.destination_number ?? event.destinationNumber) === undefined) {
    return "missing";
  }
  return isBodyTooLong(body) ? "too-long" : "sendable";
}

function retriesOf(policy: RetryPolicy, message: Message, next: number): Facts["retries"] {
  if (message.status_reason === shadowModeReason) return "shadowed";
  if (policy.maxRetries === 0) return "off";
  return allowsAttempt(policy, next, message) ? "left" : "none";
}

/**
 * `UNKNOWN` is also what the service says by itself 72 hours after a send. Where neither our record nor the event
 * tells when the message was sent, it may be that one.
 *
 * @see https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-format.html
 */
function timeOf(event: DeliveryEvent, message: Message, policy: RetryPolicy, now: number): Facts["time"] {
  const isAgeKnown =
    message.deadline !== undefined || message.created_at !== undefined || event.requestedAt !== undefined;
  if (!isAgeKnown && statusFacts(event.status)?.isSaidAfter72Hours) return "unknown";
  return now < deadlineOf(message, event, policy, now) ? "left" : "over";
}
