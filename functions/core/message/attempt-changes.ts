/**
 * The writes about one attempt (docs/protocol.md): it is claimed, recorded, deferred or given up. Each is a pure
 * function from what is known to one conditional change. Two kinds of condition exist:
 *
 * - A change that was **decided from an item** requires that the item still stands where it stood; otherwise the
 *   decision is made again from the item as it is.
 * - A **claim** is made without a read: its clauses say all that must hold.
 */
import { attemptFields, type Ending, endOfData, outcomeFields, samePosition } from "./change-parts.ts";
import {
  type Attempt,
  latestAttemptOf,
  type Message,
  mayHaveBeenSent,
  noReceiptOutcome,
  outcomeUnknownReason,
  unconfirmedOutcome,
  wasRepeated,
} from "./message.ts";
import { endSequence } from "./message-changes.ts";
import type { AttemptChange, Change } from "./message-store.ts";

/** A worker's claim of one attempt. */
export interface Claim {
  readonly attempt: number;
  readonly claimId: string;
  /** Epoch seconds, with a fraction. */
  readonly now: number;
  /** When the claim's lease is over; whole epoch seconds. */
  readonly until: number;
}

/** A claim of a scheduled attempt. */
export interface FirstClaim extends Claim {
  /** Whether the attempt before ended as `NO_RECEIPT`. @default false */
  readonly followsNoReceipt?: boolean;
}

/**
 * Claims a due attempt (rule 1): only the writer of this change sends it.
 *
 * An attempt that follows one without a receipt may arrive besides it: it can be claimed only as a possible
 * duplicate, so that the mark is there before the send.
 */
export function claimAttempt({ attempt, claimId, now, until, followsNoReceipt = false }: FirstClaim): Change {
  return {
    require: {
      isScheduled: { path: "status", is: "equal", value: "RETRY_SCHEDULED" },
      isNextAttempt: { path: "retry_count", is: "equal", value: attempt - 1 },
      isDue: { path: "next_attempt_at", is: "at-most", value: now, orAbsent: true },
      isBeforeDeadline: { path: "deadline", is: "more-than", value: now, orAbsent: true },
      isNotGone: { path: "expires_at", is: "more-than", value: now, orAbsent: true },
      hasAttempts: { path: "attempts", is: "present" },
      ...(!followsNoReceipt && {
        hasReceiptBefore: {
          path: `attempts.${attempt - 1}.outcome` as const,
          is: "other-than" as const,
          value: noReceiptOutcome,
        },
      }),
    },
    set: { status: "SENDING", retry_count: attempt, claim_expires_at: until },
    remove: ["next_attempt_at"],
    attempts: [
      {
        number: attempt,
        how: "record",
        set: {
          claim_id: claimId,
          claimed_at: Math.floor(now),
          ...(followsNoReceipt && { possible_duplicate: true }),
        },
      },
    ],
  };
}

/**
 * Claims an attempt that is being sent, after its lease: of a worker taken for dead, of one that did not get the
 * answer (rule 8), or of one that deferred it. Where it may have been sent it is marked.
 */
export function claimAgain(message: Message, { attempt, claimId, now, until }: Claim): Change {
  const before = message.attempts?.[attempt];
  const isRepeat = mayHaveBeenSent(before);
  const records = attemptFields(message, {
    [attempt]: {
      claim_id: claimId,
      claimed_at: Math.floor(now),
      ...(isRepeat && { possible_duplicate: true, repeats: (before?.repeats ?? 0) + 1 }),
    },
  });
  return {
    require: { ...samePosition(message), ...records.clauses },
    set: { status: "SENDING", claim_expires_at: until },
    attempts: records.attempts,
  };
}

/** What the service answered to an attempt that it took. */
export interface Sent {
  readonly at: number;
  readonly messageId: string;
  readonly origination?: string;
}

function sentFields({ at, messageId, origination }: Sent): Attempt {
  return {
    sent_at: Math.floor(at),
    message_id: messageId,
    ...(origination !== undefined && { origination }),
  };
}

/** Records that the service accepted a claimed attempt. */
export function recordSent(message: Message, attempt: number, sent: Sent): Change {
  const records = attemptFields(message, { [attempt]: sentFields(sent) });
  return {
    require: { ...samePosition(message), ...records.clauses },
    set: { status: "SENT", pinpoint_message_id: sent.messageId },
    remove: ["claim_expires_at", "status_reason"],
    // The worker before may have left "unconfirmed" there; now an id of the service says more.
    attempts: records.attempts.map(withoutOutcome),
  };
}

function withoutOutcome(change: AttemptChange): AttemptChange {
  return change.how === "fields" ? { ...change, remove: ["outcome", "outcome_at"] } : change;
}

/**
 * Adds the service's id to an attempt whose message has moved on before the send could be recorded. Where it had
 * been given up as of unknown outcome, it is so no more: the answer has come after all, and nobody sends it again.
 */
export function recordSentLate(message: Message, attempt: number, sent: Sent): Change {
  const records = attemptFields(message, { [attempt]: sentFields(sent) });
  const isUnknown = message.attempts?.[attempt]?.outcome === unconfirmedOutcome;
  return {
    require: {
      exists: { path: "application_message_id", is: "present" },
      ...records.clauses,
      ...(isUnknown && {
        isUnknown: { path: `attempts.${attempt}.outcome` as const, is: "equal", value: unconfirmedOutcome },
      }),
    },
    set: latestAttemptOf(message) === attempt ? { pinpoint_message_id: sent.messageId } : {},
    attempts: isUnknown ? records.attempts.map(withoutOutcome) : records.attempts,
  };
}

/**
 * Defers a claimed attempt: the service certainly did not take it, so it is not used up (rule 7).
 *
 * A first send has nothing to go back to, and a repeated one keeps its number, because the worker before may have
 * sent it and its events may come: both stay `SENDING`, without a claim, until the next try is due.
 */
export function defer(message: Message, attempt: number, dueAt: number, reason: string): Change {
  const record = message.attempts?.[attempt];
  if (keepsItsNumber(attempt, record)) {
    const repeats = record?.repeats ?? 0;
    return {
      require: { ...samePosition(message), hasRecord: { path: `attempts.${attempt}`, is: "present" } },
      set: { status: "SENDING", status_reason: reason, claim_expires_at: Math.floor(dueAt) },
      attempts: [
        {
          number: attempt,
          how: "fields",
          set: repeats > 0 ? { repeats: repeats - 1 } : {},
          remove: ["claim_id", "claimed_at"],
        },
      ],
    };
  }
  return {
    require: samePosition(message),
    set: {
      status: "RETRY_SCHEDULED",
      status_reason: reason,
      retry_count: attempt - 1,
      next_attempt_at: dueAt,
    },
    remove: ["claim_expires_at"],
    attempts: [{ number: attempt, how: "remove" }],
  };
}

function keepsItsNumber(attempt: number, record: Attempt | undefined): boolean {
  return attempt === 0 || wasRepeated(record);
}

/** Ends a message whose claimed attempt the service did not take and whose next try would be too late. */
export function expireUnsent(message: Message, attempt: number, ending: Ending): Change {
  if (keepsItsNumber(attempt, message.attempts?.[attempt])) {
    return endSequence(message, { status: "EXPIRED", reason: "deadline", ...ending });
  }
  const data = endOfData(message, ending);
  return {
    require: samePosition(message),
    set: { ...data.set, status: "EXPIRED", status_reason: "deadline", retry_count: attempt - 1 },
    remove: ["claim_expires_at", ...data.remove],
    attempts: [{ number: attempt, how: "remove" }],
  };
}

/** Notes that nobody knows whether a claimed attempt was sent, and waits for its events (rule 8). */
export function awaitReceipt(message: Message, attempt: number, at: number): Change {
  const records = attemptFields(message, {
    [attempt]: outcomeFields({ attempt, outcome: unconfirmedOutcome, at }),
  });
  return {
    require: { ...samePosition(message), ...records.clauses },
    set: { status: "SENT", status_reason: outcomeUnknownReason },
    remove: ["claim_expires_at"],
    attempts: records.attempts,
  };
}

/**
 * Makes an attempt without a receipt due once more, where no retry is left to follow it. Its claim is over, and
 * what may have been sent stays marked.
 */
export function repeatAttempt(message: Message, attempt: number, now: number): Change {
  const claimId = message.attempts?.[attempt]?.claim_id;
  const path = `attempts.${attempt}.claim_id` as const;
  return {
    require: {
      ...samePosition(message),
      hasRecord: { path: `attempts.${attempt}`, is: "present" },
      // While this worker stood still, another may have repeated the attempt: then the item stands where it stood, and the
      // outcome of the new claim is known.
      isOfSameClaim: claimId === undefined ? { path, is: "absent" } : { path, is: "equal", value: claimId },
    },
    set: { status: "SENDING", status_reason: noReceiptOutcome, claim_expires_at: Math.floor(now) },
    attempts: [{ number: attempt, how: "fields", set: {}, remove: ["claim_id", "claimed_at"] }],
  };
}
