/**
 * What follows from a decision about an event: what it counts as, the one conditional write, and what has to go onto
 * the retry queue. One row for each action of the decision table.
 */
import { loggableStatus } from "../events/classification.ts";
import type { DeliveryEvent } from "../events/delivery-event.ts";
import { canonicalStatus, type SmsService } from "../events/statuses.ts";
import type { AttemptOutcome } from "../message/change-parts.ts";
import { sendFactsOf } from "../message/completion.ts";
import type { Action, Decision } from "../message/decision.ts";
import { type FinalStatus, isNotRetried, type Message, retriesOffReason } from "../message/message.ts";
import { endSequence, noteFailure, scheduleRetry } from "../message/message-changes.ts";
import type { Change } from "../message/message-store.ts";
import { deadlineOf, dueAt, type RetryPolicy, retryNumberOf } from "../message/retry-policy.ts";
import type { EventOutcome } from "../observability/outcomes.ts";
import type { QueueEntry } from "../queue/retry-queue.ts";
import { receiptDueAt } from "../sending/receipt-check.ts";

/** An event, and the message and the attempt that a decision about it was made from. */
export interface DecidedEvent {
  readonly event: DeliveryEvent;
  readonly message: Message;
  readonly attempt: number;
  /** When the decision was made, epoch seconds. */
  readonly now: number;
  readonly policy: RetryPolicy;
  /** See `EventDependencies`, as the next one. */
  readonly recordsEveryDelivery: boolean;
  readonly smsServices: ReadonlySet<SmsService>;
  /** A number in [0, 1) for the delay of a retry; asked for once where one is scheduled. */
  readonly chance: () => number;
}

/** What follows from a decision. */
export interface DecisionStep {
  readonly outcome: EventOutcome;
  /** Absent where nothing is to be written. */
  readonly change?: Change;
  readonly entry?: QueueEntry;
}

/** What follows from this decision about an event. Pure, but for the chance that it asks for. */
export function stepOf(decision: Decision, decided: DecidedEvent): DecisionStep {
  return steps[decision.action](decided, decision);
}

const steps: Readonly<Record<Action, (decided: DecidedEvent, decision: Decision) => DecisionStep>> = {
  ignore: (_, { reason }) => ({ outcome: reason === "foreign-event" ? "foreign" : "absorbed" }),
  "note-delivery": (decided) => ({
    outcome: "delivered-at-once",
    ...(isWrittenDown(decided) && { change: end("DELIVERED", decided) }),
  }),
  deliver: (decided) => ({ outcome: "delivered", change: end("DELIVERED", decided) }),
  // A delivery of an earlier attempt, while a later one is out, means that two may arrive.
  "deliver-marked": (decided) => ({
    outcome: "delivered",
    change: end("DELIVERED", decided, { marksLatest: true }),
  }),
  "opt-out": (decided) => ({ outcome: "opted-out", change: end("OPTED_OUT", decided) }),
  reject: (decided, { reason }) => {
    const isOurs = reason === "nothing-to-send" || reason === "body-too-long";
    return { outcome: "rejected", change: end("REJECTED", decided, isOurs ? { reason } : {}) };
  },
  "note-failure": (decided) =>
    isNoted(decided)
      ? { outcome: "absorbed" }
      : {
          outcome: "retries-off",
          change: noteFailure(decided.message, attemptOutcome(decided), decided.policy.keptSeconds),
        },
  exhaust: (decided) => ({ outcome: "exhausted", change: end("EXHAUSTED", decided) }),
  expire: (decided, { reason }) => ({ outcome: "expired", change: end("EXPIRED", decided, { reason }) }),
  "retry-message": (decided) => ({
    outcome: "absorbed",
    entry: retryEntry(decided, decided.message.next_attempt_at ?? decided.now),
  }),
  schedule: (decided) => {
    const { event, message, attempt, policy, now } = decided;
    const deadline = deadlineOf(message, event, policy, now);
    const nextDueAt = dueAt(policy, {
      attempt: retryNumberOf(message, attempt + 1),
      now,
      deadline,
      chance: decided.chance(),
    });
    const { keptSeconds } = policy;
    const retry = { dueAt: nextDueAt, deadline, keptSeconds, ...sendFactsOf(event, decided.smsServices) };
    return {
      outcome: "retry-scheduled",
      entry: retryEntry(decided, nextDueAt),
      change: scheduleRetry(message, attemptOutcome(decided), retry),
    };
  },
};

/** Ends the retry sequence by the event; the reason is the event's status unless there is another. */
function end(
  status: FinalStatus,
  decided: DecidedEvent,
  { reason, marksLatest = false }: { readonly reason?: string; readonly marksLatest?: boolean } = {},
): Change {
  const last = attemptOutcome(decided);
  const { keptSeconds } = decided.policy;
  return endSequence(
    decided.message,
    { status, reason: reason ?? last.outcome, at: last.at, keptSeconds },
    { ...last, marksLatest },
  );
}

/** What the event says about its attempt. */
function attemptOutcome({ event, attempt, now }: DecidedEvent): AttemptOutcome {
  return {
    attempt,
    outcome: loggableStatus(canonicalStatus(event.status)),
    at: now,
    ...(event.messageId !== undefined && { messageId: event.messageId }),
  };
}

/**
 * Whether a delivery at once is written down. Also where deliveries are not tracked it has to be, if otherwise a
 * receipt check would take the first send for lost, or the item would still say that it has failed.
 */
function isWrittenDown({ message, policy, recordsEveryDelivery }: DecidedEvent): boolean {
  return recordsEveryDelivery || isNotRetried(message) || receiptDueAt(message, policy) !== undefined;
}

/** Whether a failure that is not retried stands in the item already. */
function isNoted(decided: DecidedEvent): boolean {
  const { message, attempt } = decided;
  const noted = message.attempts?.[attempt]?.outcome;
  return message.status_reason === retriesOffReason && noted === attemptOutcome(decided).outcome;
}

/** The retry message of the attempt after the event's. */
function retryEntry({ message, attempt }: DecidedEvent, at: number): QueueEntry {
  const { application_message_id } = message;
  return {
    message: { kind: "retry-message", application_message_id, attempt: attempt + 1 },
    dueAt: at,
  };
}
