/**
 * What happens to one delivery event: find its message, decide, write the decision with one conditional
 * update, and say which retry message has to go out. Sends nothing.
 */

import type { Clock, Random } from "../clock.ts";
import { ContentionError, UnknownItemStatusError, UnreadableMessageError } from "../errors.ts";
import { canonicalStatus, classify, type EventClass, loggableStatus } from "../events/classification.ts";
import type { DeliveryEvent } from "../events/delivery-event.ts";
import { sendFactsOf } from "../message/completion.ts";
import { type AttemptPosition, type Decision, decide, type Facts, type Reason } from "../message/decision.ts";
import {
  isFinal,
  isGone,
  latestAttemptOf,
  type Message,
  retriesOffReason,
  statusOf,
} from "../message/message.ts";
import { type AttemptOutcome, endSequence, noteFailure, scheduleRetry } from "../message/message-changes.ts";
import { isBodyTooLong } from "../message/message-parts.ts";
import type { Change, MessageStore } from "../message/message-store.ts";
import { allowsAttempt, deadlineOf, dueAt, type RetryPolicy } from "../message/retry-policy.ts";
import type { EventOutcome } from "../observability/outcomes.ts";
import type { QueueEntry } from "../queue/retry-queue.ts";
import { receiptDueAt } from "../sending/receipt-check.ts";

/** What handling an event needs. */
export interface EventDependencies {
  readonly store: MessageStore;
  readonly policy: RetryPolicy;
  /** Whether to write the delivery of a message that was never in a retry sequence (`track_deliveries = "all"`). */
  readonly recordsEveryDelivery: boolean;
  readonly clock: Clock;
  readonly random: Random;
}

/** The result of handling one event. */
export interface HandledEvent {
  readonly outcome: EventOutcome;
  readonly reason: Reason | "no-item" | "unreadable-item" | "unknown-item-status";
  /** Set where the status is none that this version knows, in a form that may be logged. */
  readonly unrecognizedStatus?: string;
  /** Where the item cannot be read: the names of the attributes that are wrong. */
  readonly unreadableAttributes?: readonly string[];
  readonly applicationMessageId?: string;
  readonly attempt?: number;
  /** Whether the event is a failure that a retry answers, now or when the event came before. */
  readonly isRetried?: boolean;
  /** What has to be put on the retry queue; until it is there the event is not handled. */
  readonly entry?: QueueEntry;
}

/** How often a decision is made again because the item changed meanwhile. */
const maxDecisions = 6;

/** How long an event waits for its item (design rule 9), and the first wait. */
const itemWait = { longestSeconds: 300, firstSeconds: 5 };

/** The key under which an event's item stands: the context's id, else the service's message id, if it has any. */
export function itemKeyOf(event: DeliveryEvent): string | undefined {
  return event.applicationMessageId ?? event.messageId;
}

/**
 * Handles one event. The same event again changes nothing; it may only repeat a retry message.
 *
 * @param known the item where the caller has read it already, possibly an old version of it
 * @param firstSeenAt when the event was first seen without an item, where it has been waiting
 * @throws ContentionError if the item changed under every decision; any error of the store, of which
 *   {@link outcomeOfItem} tells those that lie in the item and will not pass
 */
export async function handleDeliveryEvent(
  event: DeliveryEvent,
  handling: EventDependencies,
  known?: Message,
  firstSeenAt?: number,
): Promise<HandledEvent> {
  const eventClass = classify(event, handling.policy.retryableStatuses);
  const unrecognized =
    eventClass === "unrecognized" ? { unrecognizedStatus: loggableStatus(event.status) } : {};
  if (eventClass === "in-progress") return { outcome: "in-progress", reason: "in-progress" };

  // An absent item and an attempt that the item does not know may both be an old read: look again.
  let message = known;
  if (message === undefined || positionOf(event, message) === "unknown")
    message = await find(event, handling);
  let isOldRead = message !== undefined && message === known;
  for (let decisions = 0; decisions < maxDecisions; decisions += 1) {
    const now = handling.clock.now();
    if (message === undefined || isGone(message, now)) {
      const hasNothingToCorrect = eventClass === "delivered" && !handling.recordsEveryDelivery;
      return { ...withoutItem(event, hasNothingToCorrect, now, firstSeenAt), ...unrecognized };
    }
    const decided = decideFor(event, eventClass, message, handling, now);
    if (decided.change === undefined) {
      // Nothing is written, so nothing would tell that the item has moved on: a retry may be scheduled by now.
      if (isOldRead && eventClass === "delivered" && !isFinal(statusOf(message))) {
        message = await find(event, handling);
        isOldRead = false;
        continue;
      }
      return { ...decided.handled, ...unrecognized };
    }
    const result = await handling.store.change(message.application_message_id, decided.change);
    if (result.applied) return { ...decided.handled, ...unrecognized };
    message = result.current;
    isOldRead = false;
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
  about: Pick<HandledEvent, "applicationMessageId" | "attempt">,
): HandledEvent | undefined {
  if (error instanceof UnknownItemStatusError) {
    return { ...about, outcome: "item-status-unknown", reason: "unknown-item-status" };
  }
  if (!(error instanceof UnreadableMessageError)) return undefined;
  const { attributes: unreadableAttributes } = error;
  return { ...about, outcome: "item-unreadable", reason: "unreadable-item", unreadableAttributes };
}

async function find(event: DeliveryEvent, { store }: EventDependencies): Promise<Message | undefined> {
  const key = itemKeyOf(event);
  return key === undefined ? undefined : store.read(key);
}

/**
 * The number of the event's attempt: its retry tag, else the attempt with its id, else the first send. Every retry
 * that we send is tagged, so an event without a tag is about the application's own send.
 *
 * @returns `undefined` where it is about a send that is none of the message's: it has no tag, and its id is not the
 *   one that the first send is known to have
 */
function attemptOf(event: DeliveryEvent, message: Message): number | undefined {
  if (event.attempt !== undefined) return event.attempt;
  const { messageId } = event;
  if (messageId === undefined) return 0;
  for (const [number, attempt] of Object.entries(message.attempts ?? {})) {
    if (attempt.message_id === messageId) return Number(number);
  }
  if (messageId === message.pinpoint_message_id) return latestAttemptOf(message);
  const firstId = firstMessageIdOf(message);
  return firstId === undefined || firstId === messageId ? 0 : undefined;
}

/** The service's id of the first send, where the item tells it. */
function firstMessageIdOf(message: Message): string | undefined {
  const first = message.attempts?.["0"]?.message_id;
  if (first !== undefined) return first;
  return latestAttemptOf(message) === 0 ? message.pinpoint_message_id : undefined;
}

function positionOf(event: DeliveryEvent, message: Message): AttemptPosition {
  const attempt = attemptOf(event, message);
  if (attempt === undefined) return "foreign";
  const latest = latestAttemptOf(message);
  if (attempt > latest) return "unknown";
  if (attempt < latest) return "earlier";
  return attempt === 0 ? "only" : "latest";
}

/** An event whose item is not there waits for it, unless it would not be written down anyway. */
function withoutItem(
  event: DeliveryEvent,
  hasNothingToCorrect: boolean,
  now: number,
  firstSeenAt = now,
): HandledEvent {
  const about = {
    ...(event.applicationMessageId !== undefined && { applicationMessageId: event.applicationMessageId }),
    ...(event.attempt !== undefined && { attempt: event.attempt }),
    reason: "no-item" as const,
  };
  if (hasNothingToCorrect) return { ...about, outcome: "unknown-message" };
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
  event: DeliveryEvent,
  eventClass: EventClass,
  message: Message,
  handling: EventDependencies,
  now: number,
): Decided {
  const { policy } = handling;
  const attempt = attemptOf(event, message) ?? 0;
  const deadline = deadlineOf(message, event, policy, now);
  const decision = decide({
    event: eventClass,
    status: statusOf(message),
    attempt: positionOf(event, message),
    content: contentOf(event, message),
    retries: retriesFor(policy, attempt + 1),
    time: timeFor(event, message, deadline, now),
  });
  const outcome: AttemptOutcome = {
    attempt,
    outcome: loggableStatus(canonicalStatus(event.status)),
    at: now,
    ...(event.messageId !== undefined && { messageId: event.messageId }),
  };
  const wasRetried =
    eventClass === "retryable" && message.attempts?.[attempt]?.retry_scheduled_at !== undefined;
  const about = {
    applicationMessageId: message.application_message_id,
    attempt,
    reason: decision.reason,
    ...((wasRetried || decision.action === "schedule") && { isRetried: true }),
  };
  const end = (status: Parameters<typeof endSequence>[1], reason: string): Change =>
    endSequence(message, status, reason, outcome);

  switch (decision.action) {
    case "ignore": {
      const isForeign = decision.reason === "foreign-event";
      return { handled: { ...about, outcome: isForeign ? "foreign" : "absorbed" } };
    }
    case "note-delivery":
      return {
        handled: { ...about, outcome: "delivered-at-once" },
        ...((handling.recordsEveryDelivery || isWrittenDown(message, policy)) && {
          change: end("DELIVERED", outcome.outcome),
        }),
      };
    case "deliver":
    case "deliver-marked":
      return { handled: { ...about, outcome: "delivered" }, change: deliver(message, outcome, decision) };
    case "opt-out":
      return { handled: { ...about, outcome: "opted-out" }, change: end("OPTED_OUT", outcome.outcome) };
    case "reject":
      return { handled: { ...about, outcome: "rejected" }, change: rejected(message, outcome, decision) };
    case "note-failure": {
      const isNoted =
        message.status_reason === retriesOffReason &&
        message.attempts?.[attempt]?.outcome === outcome.outcome;
      return isNoted
        ? { handled: { ...about, outcome: "absorbed" } }
        : { handled: { ...about, outcome: "retries-off" }, change: noteFailure(message, outcome) };
    }
    case "exhaust":
      return { handled: { ...about, outcome: "exhausted" }, change: end("EXHAUSTED", outcome.outcome) };
    case "expire":
      return { handled: { ...about, outcome: "expired" }, change: end("EXPIRED", decision.reason) };
    case "retry-message":
      return {
        handled: {
          ...about,
          outcome: "absorbed",
          entry: retryMessage(message, attempt + 1, message.next_attempt_at ?? now),
        },
      };
    case "schedule": {
      const nextDueAt = dueAt(policy, attempt + 1, now, deadline, handling.random.next());
      return {
        handled: {
          ...about,
          outcome: "retry-scheduled",
          entry: retryMessage(message, attempt + 1, nextDueAt),
        },
        change: scheduleRetry(message, outcome, {
          dueAt: nextDueAt,
          deadline,
          ...sendFactsOf(event),
        }),
      };
    }
  }
}

function contentOf(event: DeliveryEvent, message: Message): Facts["content"] {
  const { message_body: body } = message;
  if (body === undefined || (message.destination_number ?? event.destinationNumber) === undefined) {
    return "missing";
  }
  return isBodyTooLong(body) ? "too-long" : "sendable";
}

function retriesFor(policy: RetryPolicy, attempt: number): Facts["retries"] {
  if (policy.maxRetries === 0) return "off";
  return allowsAttempt(policy, attempt) ? "left" : "none";
}

/**
 * `UNKNOWN` is also what the service says by itself 72 hours after a send. Where neither our record nor the event
 * tells when the message was sent, it may be that one.
 *
 * @see https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-format.html
 */
function timeFor(event: DeliveryEvent, message: Message, deadline: number, now: number): Facts["time"] {
  const isAgeKnown =
    message.deadline !== undefined || message.created_at !== undefined || event.requestedAt !== undefined;
  if (!isAgeKnown && canonicalStatus(event.status) === "UNKNOWN") return "unknown";
  return now < deadline ? "left" : "over";
}

/**
 * Whether a delivery has to be written down although deliveries are not tracked: else a receipt check would take the
 * first send for lost, or the item would still say that it has failed.
 */
function isWrittenDown(message: Message, policy: RetryPolicy): boolean {
  return message.status_reason === retriesOffReason || receiptDueAt(message, policy) !== undefined;
}

function retryMessage(message: Message, attempt: number, at: number): QueueEntry {
  return {
    message: { kind: "retry-message", application_message_id: message.application_message_id, attempt },
    dueAt: at,
  };
}

/** A delivery of an earlier attempt, while a later one is out, means that two may arrive: mark the later. */
function deliver(message: Message, outcome: AttemptOutcome, { action }: Decision): Change {
  return endSequence(message, "DELIVERED", outcome.outcome, {
    ...outcome,
    marksLatest: action === "deliver-marked",
  });
}

function rejected(message: Message, outcome: AttemptOutcome, { reason }: Decision): Change {
  const isOurs = reason === "nothing-to-send" || reason === "body-too-long";
  return endSequence(message, "REJECTED", isOurs ? reason : outcome.outcome, outcome);
}
