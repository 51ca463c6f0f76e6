/**
 * The writes of the protocol (design section 5), each a pure function from what is known to a conditional
 * change. Two kinds of condition exist:
 *
 * - A change that was **decided from an item** requires that the item still stands where it stood
 *   ({@link samePosition}); otherwise the decision is made again from the item as it is.
 * - A **claim** is made without a read: its clauses say all that must hold.
 */

import { completionOf, type SendFacts } from "./completion.ts";
import {
  type Attempt,
  expiresAtOf,
  type FinalStatus,
  latestAttemptOf,
  latestSecond,
  type Message,
  noReceiptOutcome,
  outcomeUnknownReason,
  retriesOffReason,
  type TimeAttribute,
  timeAttributes,
  unconfirmedOutcome,
} from "./message.ts";
import type { AttemptChange, Change, Clause, SettableAttributes } from "./message-store.ts";

/** Attributes that together say where a message stands in the protocol; every transition changes one. */
const position = ["status", "retry_count", "next_attempt_at", "claim_expires_at"] as const;

/** Clauses that hold while nobody has moved the message since it was read. */
function samePosition(message: Message): Record<string, Clause> {
  const clauses: Record<string, Clause> = {
    exists: { path: "application_message_id", is: "present" },
  };
  for (const path of position) {
    const value = message[path];
    clauses[`same_${path}`] = value === undefined ? { path, is: "absent" } : { path, is: "equal", value };
  }
  return clauses;
}

/** Sets fields of attempts' records, whether the item has the records, only the map, or neither. */
function attemptFields(
  message: Message,
  sets: Readonly<Record<number, Attempt>>,
): { readonly attempts: readonly AttemptChange[]; readonly clauses: Record<string, Clause> } {
  const { attempts } = message;
  if (attempts === undefined) {
    return {
      attempts: [{ how: "map", records: sets }],
      clauses: { hasNoAttempts: { path: "attempts", is: "absent" } },
    };
  }
  const clauses: Record<string, Clause> = {};
  const changes = Object.entries(sets).map(([key, set]): AttemptChange => {
    const number = Number(key);
    const path = `attempts.${number}` as const;
    const hasRecord = attempts[number] !== undefined;
    if (!hasRecord) clauses.hasAttempts = { path: "attempts", is: "present" };
    clauses[`${hasRecord ? "hasRecord" : "hasNoRecord"}${number}`] = {
      path,
      is: hasRecord ? "present" : "absent",
    };
    return { number, how: hasRecord ? "fields" : "record", set };
  });
  return { attempts: changes, clauses };
}

/** What an event or an API answer says about an attempt. */
export interface AttemptOutcome {
  readonly attempt: number;
  readonly outcome: string;
  readonly at: number;
  readonly messageId?: string;
}

function outcomeFields({ outcome, at, messageId }: AttemptOutcome): Attempt {
  return {
    outcome,
    outcome_at: Math.floor(at),
    ...(messageId !== undefined && { message_id: messageId }),
  };
}

/** Puts epoch seconds where the application wrote a time otherwise, unless it has written another one meanwhile. */
function inSeconds(message: Message): { clauses: Record<string, Clause>; set: SettableAttributes } {
  const clauses: Record<string, Clause> = {};
  const set: Partial<Record<TimeAttribute, number>> = {};
  for (const path of timeAttributes) {
    const written = message.timesAsWritten?.[path];
    const seconds = message[path];
    if (written === undefined || seconds === undefined) continue;
    set[path] = seconds;
    // A number that is no safe integer may have lost digits on its way, and would never be equal.
    clauses[`asWritten_${path}`] =
      typeof written === "string" || Number.isSafeInteger(written)
        ? { path, is: "equal", value: written }
        : { path, is: "more-than", value: latestSecond };
  }
  return { clauses, set };
}

/** Schedules the attempt after the failed one (rule 2) and completes an item that the application wrote. */
export function scheduleRetry(
  message: Message,
  failed: AttemptOutcome,
  /** What the event tells of the send is used only where the item lacks it (rule 3). */
  retry: { readonly dueAt: number; readonly deadline: number } & SendFacts,
): Change {
  const records = attemptFields(message, {
    [failed.attempt]: { ...outcomeFields(failed), retry_scheduled_at: Math.floor(failed.at) },
  });
  const times = inSeconds(message);
  return {
    require: { ...samePosition(message), ...records.clauses, ...times.clauses },
    set: {
      ...times.set,
      status: "RETRY_SCHEDULED",
      status_reason: failed.outcome,
      retry_count: latestAttemptOf(message),
      next_attempt_at: retry.dueAt,
      ...(message.deadline === undefined && { deadline: retry.deadline }),
      ...(message.expires_at === undefined && { expires_at: expiresAtOf(retry.deadline) }),
      ...completionOf(message, failed.attempt, retry),
    },
    remove: ["claim_expires_at"],
    attempts: records.attempts,
  };
}

/** Writes the application's times in epoch seconds, so that a claim can compare them. */
export function correctTimes(message: Message): Change {
  const times = inSeconds(message);
  return { require: { ...samePosition(message), ...times.clauses }, set: times.set };
}

/** Takes a scheduled retry back because retries have been switched off meanwhile; the message does not end by it. */
export function unschedule(message: Message): Change {
  return {
    require: samePosition(message),
    set: { status: "SENT", status_reason: retriesOffReason },
    remove: ["next_attempt_at"],
  };
}

/** Notes a failure that is not retried because retries are off; the message does not end by it. */
export function noteFailure(message: Message, failed: AttemptOutcome): Change {
  const records = attemptFields(message, { [failed.attempt]: outcomeFields(failed) });
  return {
    require: { ...samePosition(message), ...records.clauses },
    set: { status: "SENT", status_reason: retriesOffReason },
    remove: ["claim_expires_at"],
    attempts: records.attempts,
  };
}

/** Ends the retry sequence, or corrects its end to `DELIVERED` (rules 4 and 5). */
export function endSequence(
  message: Message,
  status: FinalStatus,
  reason: string,
  last?: AttemptOutcome & {
    /** Whether the latest attempt is one too many: an earlier one was delivered. */
    readonly marksLatest?: boolean;
  },
): Change {
  const records = last === undefined ? undefined : attemptFields(message, lastFields(message, last));
  return {
    require: { ...samePosition(message), ...records?.clauses },
    set: {
      status,
      status_reason: reason,
      ...(status === "EXHAUSTED" && { all_retries_failed: true }),
      ...(status === "DELIVERED" && message.all_retries_failed === true && { all_retries_failed: false }),
    },
    remove: ["next_attempt_at", "claim_expires_at"],
    ...(records !== undefined && { attempts: records.attempts }),
  };
}

function lastFields(
  message: Message,
  last: AttemptOutcome & { readonly marksLatest?: boolean },
): Record<number, Attempt> {
  const fields: Record<number, Attempt> = { [last.attempt]: outcomeFields(last) };
  if (last.marksLatest !== true) return fields;
  const latest = latestAttemptOf(message);
  return { ...fields, [latest]: { ...fields[latest], possible_duplicate: true } };
}

/** A worker's claim of one attempt. */
export interface Claim {
  readonly attempt: number;
  readonly claimId: string;
  /** Epoch seconds, with a fraction. */
  readonly now: number;
  /** When the claim's lease is over; whole epoch seconds. */
  readonly until: number;
}

/**
 * Claims a due attempt (rule 1): only the writer of this change sends it.
 *
 * An attempt that follows one without a receipt may arrive besides it: it can be claimed only as a possible
 * duplicate, so that the mark is there before the send.
 *
 * @param followsNoReceipt whether the attempt before ended as `NO_RECEIPT`
 */
export function claimAttempt({ attempt, claimId, now, until }: Claim, followsNoReceipt: boolean): Change {
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

/**
 * Whether a record is that of an attempt which some worker may have handed over: claimed by one, or marked. Where
 * there is none, nobody knows.
 */
export function mayHaveBeenSent(record: Attempt | undefined): boolean {
  return (
    record === undefined ||
    record.claim_id !== undefined ||
    record.possible_duplicate === true ||
    record.outcome === unconfirmedOutcome
  );
}

/** Whether an attempt was claimed again after its outcome had stayed unknown. */
export function wasRepeated(record: Attempt | undefined): boolean {
  return (record?.repeats ?? 0) > 0;
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
export function expireUnsent(message: Message, attempt: number): Change {
  if (keepsItsNumber(attempt, message.attempts?.[attempt])) {
    return endSequence(message, "EXPIRED", "deadline");
  }
  return {
    require: samePosition(message),
    set: { status: "EXPIRED", status_reason: "deadline", retry_count: attempt - 1 },
    remove: ["claim_expires_at"],
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
  return {
    require: { ...samePosition(message), hasRecord: { path: `attempts.${attempt}`, is: "present" } },
    set: { status: "SENDING", status_reason: noReceiptOutcome, claim_expires_at: Math.floor(now) },
    attempts: [{ number: attempt, how: "fields", set: {}, remove: ["claim_id", "claimed_at"] }],
  };
}
