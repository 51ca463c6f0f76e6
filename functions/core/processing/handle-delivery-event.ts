/**
 * What happens to one delivery event: find its message, decide, write the decision with one conditional
 * update, and say which retry message has to go out. Sends nothing.
 */
import type { Clock, Random } from "../clock.ts";
import { ContentionError, UnknownItemStatusError, UnreadableMessageError } from "../errors.ts";
import { classify, type EventClass, loggableStatus } from "../events/classification.ts";
import type { DeliveryEvent } from "../events/delivery-event.ts";
import type { SmsService } from "../events/statuses.ts";
import { decide } from "../message/decision.ts";
import { attemptOf, itemKeyOf, positionOf } from "../message/event-attempt.ts";
import { type EventOfMessage, factsOf } from "../message/event-facts.ts";
import {
  isFinal,
  isGone,
  isReopenable,
  type Message,
  type MessageStatus,
  statusOf,
} from "../message/message.ts";
import type { Change, MessageStore } from "../message/message-store.ts";
import type { RetryPolicy } from "../message/retry-policy.ts";
import type { EventResult } from "../observability/reports.ts";
import type { QueueEntry } from "../queue/retry-queue.ts";
import { stepOf } from "./decision-step.ts";

/** What handling an event needs. */
export interface EventDependencies {
  readonly store: MessageStore;
  readonly policy: RetryPolicy;
  /** Whether to write the delivery of a message that was never in a retry sequence (`track_deliveries = "all"`). */
  readonly recordsEveryDelivery: boolean;
  /** The services that the deployment can send by. */
  readonly smsServices: ReadonlySet<SmsService>;
  readonly clock: Clock;
  readonly random: Random;
}

/** The result of handling one event. */
export interface HandledEvent extends EventResult {
  /** Whether the event is a failure that a retry answers, now or when the event came before. */
  readonly isRetried?: boolean;
  /** What has to be put on the retry queue; until it is there the event is not handled. */
  readonly entry?: QueueEntry;
}

/** How often a decision is made again because the item changed meanwhile. */
const maxDecisions = 6;

/** How long an event waits for its item (rule 9), and the first wait. */
const itemWait = { longestSeconds: 300, firstSeconds: 5 };

/** Whether what becomes of an event depends on its item; one that says nothing yet, or nothing known, needs no read. */
export function looksAtItem(
  event: DeliveryEvent,
  { retryableStatuses }: Pick<RetryPolicy, "retryableStatuses">,
): boolean {
  const eventClass = classify(event, retryableStatuses);
  return eventClass !== "in-progress" && eventClass !== "unrecognized-type";
}

/**
 * Whether an event without an item, by a read that may be old, can be left at that: the delivery of a send that carries
 * no tag of ours. Most are of messages that were never in the table, and a delivery does not wait for its item either.
 * One with a tag has an item.
 */
function needsNoItem(
  event: DeliveryEvent,
  eventClass: EventClass,
  { recordsEveryDelivery }: EventDependencies,
): boolean {
  return eventClass === "delivered" && event.attempt === undefined && !recordsEveryDelivery;
}

/**
 * Handles one event. The same event again changes nothing; it may only repeat a retry message.
 *
 * @param known the item where the caller has read it already, possibly an old version of it; `absent` where such a read
 *   found none
 * @param firstSeenAt when the event was first seen without an item, where it has been waiting
 * @throws ContentionError if the item changed under every decision; any error of the store, of which
 *   {@link outcomeOfItem} tells those that lie in the item and will not pass
 */
export async function handleDeliveryEvent(
  event: DeliveryEvent,
  handling: EventDependencies,
  known?: Message | "absent",
  firstSeenAt?: number,
): Promise<HandledEvent> {
  const eventClass = classify(event, handling.policy.retryableStatuses);
  if (eventClass === "in-progress") return { outcome: "in-progress", reason: "in-progress" };
  const isUnrecognized = eventClass === "unrecognized" || eventClass === "unrecognized-type";
  const unrecognized = isUnrecognized ? { unrecognizedStatus: loggableStatus(event.status) } : {};
  // It may say that all is well: the message goes on, and what its later events say is done.
  if (eventClass === "unrecognized-type") {
    return { outcome: "absorbed", reason: "unrecognized-type", ...namedBy(event), ...unrecognized };
  }

  if (known === "absent" && needsNoItem(event, eventClass, handling)) {
    return { ...namedBy(event), outcome: "unknown-message", reason: "no-item" };
  }

  // An absent item and an attempt that the item does not know may both be an old read: look again.
  let message = known === "absent" ? undefined : known;
  if (message === undefined || mayBeOlder(message, event)) message = await find(event, handling);
  for (let decisions = 0; decisions < maxDecisions; decisions += 1) {
    const now = handling.clock.now();
    if (message === undefined || isGone(message, now)) {
      // A delivery that would not be written down anyway does not wait for its item.
      const waits = eventClass !== "delivered" || handling.recordsEveryDelivery;
      return { ...withoutItem(event, { now, firstSeenAt, waits }), ...unrecognized };
    }
    const decided = decideFor({ event, eventClass, message, now }, handling);
    if (decided.change === undefined) {
      // Nothing is written, so nothing would tell that the item has moved on: a retry may be scheduled by now.
      if (message === known && mayBeWrittenNow(eventClass, statusOf(message))) {
        message = await find(event, handling);
        continue;
      }
      return { ...decided.handled, ...unrecognized };
    }
    const result = await handling.store.change(message.application_message_id, decided.change);
    if (result.applied) return { ...decided.handled, ...unrecognized };
    message = result.current;
  }
  throw new ContentionError(maxDecisions);
}

/**
 * What became of an event, or of a retry message, whose handling ended with this error, where the error lies in the item:
 * handling it again would end the same way. `undefined` for every other error.
 *
 * @param about the item's key and the attempt, for the log
 */
export function outcomeOfItem(
  error: unknown,
  about: Pick<EventResult, "applicationMessageId" | "attempt">,
): HandledEvent | undefined {
  if (error instanceof UnknownItemStatusError) {
    return { ...about, outcome: "item-status-unknown", reason: "unknown-item-status" };
  }
  if (!(error instanceof UnreadableMessageError)) return undefined;
  const { attributes: unreadableAttributes } = error;
  return { ...about, outcome: "item-unreadable", reason: "unreadable-item", unreadableAttributes };
}

/** The key of an event's item and its attempt, as far as the event tells them. */
export function aboutEvent(event: DeliveryEvent): Pick<EventResult, "applicationMessageId" | "attempt"> {
  const key = itemKeyOf(event);
  return { ...namedBy(event), ...(key !== undefined && { applicationMessageId: key }) };
}

/** What an event itself says about its message. */
function namedBy(event: DeliveryEvent): Pick<EventResult, "applicationMessageId" | "attempt"> {
  return {
    ...(event.applicationMessageId !== undefined && { applicationMessageId: event.applicationMessageId }),
    ...(event.attempt !== undefined && { attempt: event.attempt }),
  };
}

/**
 * Whether what an old read leaves alone may have to be written down: a delivery, unless the message has ended, and an
 * opt-out, where an operator may have reopened the end.
 */
function mayBeWrittenNow(eventClass: EventClass, status: MessageStatus): boolean {
  if (eventClass === "delivered") return !isFinal(status);
  return eventClass === "opted-out" && isReopenable(status);
}

/** Whether an event may be about an attempt that is newer than a read of its message: by its tag, or without one. */
function mayBeOlder(message: Message, event: DeliveryEvent): boolean {
  const position = positionOf(event, message);
  if (position === "unknown" || position === "foreign") return true;
  return position === "earlier" && event.attempt === undefined;
}

async function find(event: DeliveryEvent, { store }: EventDependencies): Promise<Message | undefined> {
  const key = itemKeyOf(event);
  return key === undefined ? undefined : store.read(key);
}

/** An event whose item is not there waits for it, until the time for that is over. */
function withoutItem(
  event: DeliveryEvent,
  { now, firstSeenAt = now, waits }: { now: number; firstSeenAt: number | undefined; waits: boolean },
): HandledEvent {
  const about = { ...namedBy(event), reason: "no-item" as const };
  if (!waits) return { ...about, outcome: "unknown-message" };
  const waited = now - firstSeenAt;
  const canBeFound = itemKeyOf(event) !== undefined;
  if (!canBeFound || waited >= itemWait.longestSeconds) return { ...about, outcome: "orphaned" };
  // Waiting as long again as it has waited already: few hops, and a short wait for the usual short race.
  const wait = Math.min(Math.max(itemWait.firstSeconds, waited), itemWait.longestSeconds - waited);
  return {
    ...about,
    outcome: "waiting",
    entry: { message: { kind: "waiting-event", event, first_seen_at: firstSeenAt }, dueAt: now + wait },
  };
}

interface Decided {
  readonly handled: HandledEvent;
  readonly change?: Change;
}

function decideFor(
  known: EventOfMessage,
  { policy, recordsEveryDelivery, smsServices, random }: EventDependencies,
): Decided {
  const { event, eventClass, message, now } = known;
  const attempt = attemptOf(event, message) ?? 0;
  const decision = decide(factsOf(known, policy));
  const { outcome, change, entry } = stepOf(decision, {
    event,
    message,
    attempt,
    now,
    policy,
    recordsEveryDelivery,
    smsServices,
    chance: () => random.next(),
  });
  const wasRetried =
    eventClass === "retryable" && message.attempts?.[attempt]?.retry_scheduled_at !== undefined;
  const handled = {
    outcome,
    reason: decision.reason,
    applicationMessageId: message.application_message_id,
    attempt,
    ...((wasRetried || decision.action === "schedule") && { isRetried: true }),
    ...(entry !== undefined && { entry }),
  };
  return { handled, ...(change !== undefined && { change }) };
}
