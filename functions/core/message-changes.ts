/**
 * The writes of the protocol (design section 5), each a pure function from what is known to a conditional
 * change. Two kinds of condition exist:
 *
 * - A change that was **decided from an item** requires that the item still stands where it stood
 *   ({@link samePosition}); otherwise the decision is made again from the item as it is.
 * - A **claim** is made without a read: its clauses say all that must hold.
 */
import {
  type Attempt,
  type FinalStatus,
  keptAfterDeadlineSeconds,
  latestAttemptOf,
  latestSecond,
  type Message,
  type TimeAttribute,
  timeAttributes,
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

/** Sets fields of an attempt's record, whether the item has the record, the map, or neither. */
function attemptFields(
  message: Message,
  number: number,
  set: Attempt,
): { attempt: AttemptChange; clause: Record<string, Clause> } {
  const record: `attempts.${number}` = `attempts.${number}`;
  if (message.attempts === undefined) {
    return {
      attempt: { number, how: "map", set },
      clause: { hasNoAttempts: { path: "attempts", is: "absent" } },
    };
  }
  return message.attempts[number] === undefined
    ? {
        attempt: { number, how: "record", set },
        clause: {
          hasAttempts: { path: "attempts", is: "present" },
          hasNoRecord: { path: record, is: "absent" },
        },
      }
    : { attempt: { number, how: "fields", set }, clause: { hasRecord: { path: record, is: "present" } } };
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
  retry: {
    readonly dueAt: number;
    readonly deadline: number;
    /** The event's number and type: used only where the item has none (rule 3). */
    readonly destinationNumber?: string;
    readonly messageType?: Message["message_type"];
  },
): Change {
  const record = attemptFields(message, failed.attempt, {
    ...outcomeFields(failed),
    retry_scheduled_at: Math.floor(failed.at),
  });
  const times = inSeconds(message);
  return {
    require: { ...samePosition(message), ...record.clause, ...times.clauses },
    set: {
      ...times.set,
      status: "RETRY_SCHEDULED",
      status_reason: failed.outcome,
      retry_count: latestAttemptOf(message),
      next_attempt_at: retry.dueAt,
      ...(message.deadline === undefined && { deadline: retry.deadline }),
      ...(message.expires_at === undefined && { expires_at: retry.deadline + keptAfterDeadlineSeconds }),
      ...(message.destination_number === undefined &&
        retry.destinationNumber !== undefined && { destination_number: retry.destinationNumber }),
      ...(message.message_type === undefined &&
        retry.messageType !== undefined && { message_type: retry.messageType }),
    },
    remove: ["claim_expires_at"],
    attempt: record.attempt,
  };
}

/** Ends the series, or corrects its end to `DELIVERED` (rules 4 and 5). */
export function endSeries(
  message: Message,
  status: FinalStatus,
  reason: string,
  last?: AttemptOutcome & { readonly possibleDuplicate?: boolean },
): Change {
  const record =
    last === undefined
      ? undefined
      : attemptFields(message, last.attempt, {
          ...outcomeFields(last),
          ...(last.possibleDuplicate === true && { possible_duplicate: true }),
        });
  return {
    require: { ...samePosition(message), ...record?.clause },
    set: {
      status,
      status_reason: reason,
      ...(status === "EXHAUSTED" && { all_retries_failed: true }),
      ...(status === "DELIVERED" && message.all_retries_failed === true && { all_retries_failed: false }),
    },
    remove: ["next_attempt_at", "claim_expires_at"],
    ...(record !== undefined && { attempt: record.attempt }),
  };
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

/** Claims a due attempt (rule 1): only the writer of this change sends it. */
export function claimAttempt({ attempt, claimId, now, until }: Claim): Change {
  return {
    require: {
      isScheduled: { path: "status", is: "equal", value: "RETRY_SCHEDULED" },
      isNextAttempt: { path: "retry_count", is: "equal", value: attempt - 1 },
      isDue: { path: "next_attempt_at", is: "at-most", value: now },
      isBeforeDeadline: { path: "deadline", is: "more-than", value: now, orAbsent: true },
      isNotGone: { path: "expires_at", is: "more-than", value: now, orAbsent: true },
      hasAttempts: { path: "attempts", is: "present" },
    },
    set: { status: "SENDING", retry_count: attempt, claim_expires_at: until },
    remove: ["next_attempt_at"],
    attempt: { number: attempt, how: "record", set: { claim_id: claimId, claimed_at: Math.floor(now) } },
  };
}

/** Claims an attempt of a worker taken for dead (rule 8) and marks that it may now be sent twice. */
export function claimAgain(message: Message, { attempt, claimId, now, until }: Claim): Change {
  const record = attemptFields(message, attempt, {
    claim_id: claimId,
    claimed_at: Math.floor(now),
    possible_duplicate: true,
  });
  return {
    require: { ...samePosition(message), ...record.clause },
    set: { status: "SENDING", claim_expires_at: until },
    attempt: record.attempt,
  };
}

/** Records that the service accepted a claimed attempt. */
export function recordSent(
  message: Message,
  attempt: number,
  sent: { readonly at: number; readonly messageId: string; readonly origination?: string },
): Change {
  const record = attemptFields(message, attempt, {
    sent_at: Math.floor(sent.at),
    message_id: sent.messageId,
    ...(sent.origination !== undefined && { origination: sent.origination }),
  });
  return {
    require: { ...samePosition(message), ...record.clause },
    set: { status: "SENT", pinpoint_message_id: sent.messageId },
    remove: ["claim_expires_at"],
    attempt: record.attempt,
  };
}

/** Adds the service's id to an attempt whose message has moved on before the send could be recorded. */
export function recordSentLate(
  message: Message,
  attempt: number,
  sent: { readonly at: number; readonly messageId: string },
): Change {
  const record = attemptFields(message, attempt, {
    sent_at: Math.floor(sent.at),
    message_id: sent.messageId,
  });
  return {
    require: { exists: { path: "application_message_id", is: "present" }, ...record.clause },
    set: latestAttemptOf(message) === attempt ? { pinpoint_message_id: sent.messageId } : {},
    attempt: record.attempt,
  };
}

/**
 * Gives a claim back: the service certainly did not take the attempt, so it is not used up (rule 7).
 *
 * A repeated claim ({@link claimAgain}) is different: the worker before may have sent the attempt. It keeps
 * its number, and its lease ends when the next try is due.
 */
export function giveBack(message: Message, attempt: number, dueAt: number, reason: string): Change {
  if (isRepeated(message, attempt)) {
    const record = attemptFields(message, attempt, { possible_duplicate: false });
    return {
      require: { ...samePosition(message), ...record.clause },
      set: { status: "SENDING", status_reason: reason, claim_expires_at: dueAt },
      attempt: record.attempt,
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
    attempt: { number: attempt, how: "remove", set: {} },
  };
}

/**
 * Gives the producer's first send back: the service did not take it, and the same request may come again. A
 * repeated claim stays one, as in {@link giveBack}.
 */
export function releaseFirstSend(message: Message, now: number, reason: string): Change {
  const isAgain = isRepeated(message, 0);
  return {
    require: samePosition(message),
    set: { status_reason: reason, claim_expires_at: Math.floor(now) },
    // A record without a claim says that nobody has handed the message over.
    attempt: isAgain
      ? { number: 0, how: "fields", set: { possible_duplicate: false } }
      : { number: 0, how: "record", set: {} },
  };
}

/** Claims a first send that was given back. */
export function claimFirstSend(message: Message, { claimId, now, until }: Claim): Change {
  return {
    require: samePosition(message),
    set: { claim_expires_at: until },
    attempt: { number: 0, how: "record", set: { claim_id: claimId, claimed_at: Math.floor(now) } },
  };
}

/** Ends a message whose claimed attempt the service did not take and whose next try would be too late. */
export function expireUnsent(message: Message, attempt: number): Change {
  if (isRepeated(message, attempt)) return endSeries(message, "EXPIRED", "deadline");
  return {
    require: samePosition(message),
    set: { status: "EXPIRED", status_reason: "deadline", retry_count: attempt - 1 },
    remove: ["claim_expires_at"],
    attempt: { number: attempt, how: "remove", set: {} },
  };
}

function isRepeated(message: Message, attempt: number): boolean {
  return message.attempts?.[attempt]?.possible_duplicate === true;
}

/** Notes that the outcome of a claimed attempt is unknown and waits for its events (rule 8). */
export function awaitEvents(message: Message, attempt: number, at: number): Change {
  const record = attemptFields(message, attempt, outcomeFields({ attempt, outcome: "UNCONFIRMED", at }));
  return {
    require: { ...samePosition(message), ...record.clause },
    set: { status: "SENT", status_reason: "outcome-unknown" },
    remove: ["claim_expires_at"],
    attempt: record.attempt,
  };
}
