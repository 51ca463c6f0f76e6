/**
 * The writes about a message's retry sequence (docs/protocol.md): it is scheduled, corrected and ended. Each is a pure
 * function from what is known to one conditional change. It was **decided from an item**, so it requires that the item
 * still stands where it stood; otherwise the decision is made again from the item as it is.
 *
 * The writes about one attempt stand in `attempt-changes.ts`.
 */
import {
  type AttemptOutcome,
  attemptFields,
  type Ending,
  endOfData,
  outcomeFields,
  samePosition,
} from "./change-parts.ts";
import { completionOf, type SendFacts } from "./completion.ts";
import {
  type Attempt,
  expiresAtOf,
  type FinalStatus,
  isFinal,
  latestAttemptOf,
  latestSecond,
  type Message,
  resentReason,
  retriesOffReason,
  shadowModeReason,
  statusOf,
  type TimeAttribute,
  timeAttributes,
} from "./message.ts";
import type { Change, Clause, SettableAttributes } from "./message-store.ts";

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
  retry: { readonly dueAt: number; readonly deadline: number; readonly keptSeconds: number } & SendFacts,
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
      ...(message.expires_at === undefined && {
        expires_at: expiresAtOf(retry.deadline, retry.keptSeconds),
      }),
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

/**
 * Writes down that a scheduled retry would be sent now, and sends nothing: shadow mode. The message does not end by it and
 * waits for nothing, so that no retry follows when shadow mode ends.
 *
 * @param attempt the retry that is not sent
 * @param parts how many message parts it has
 */
export function shadowRetry(message: Message, attempt: number, now: number, parts: number): Change {
  const records = attemptFields(message, {
    [attempt - 1]: { shadowed_at: Math.floor(now), shadow_parts: parts },
  });
  return {
    require: { ...samePosition(message), ...records.clauses },
    set: { status: "SENT", status_reason: shadowModeReason },
    remove: ["next_attempt_at"],
    attempts: records.attempts,
  };
}

/**
 * Notes a failure that is not retried because retries are off; the message does not end by it, and keeps its body until
 * its item goes.
 */
export function noteFailure(message: Message, failed: AttemptOutcome, keptSeconds: number): Change {
  const records = attemptFields(message, { [failed.attempt]: outcomeFields(failed) });
  return {
    require: { ...samePosition(message), ...records.clauses },
    set: {
      status: "SENT",
      status_reason: retriesOffReason,
      ...(message.expires_at === undefined && {
        expires_at: expiresAtOf(Math.max(failed.at, message.deadline ?? 0), keptSeconds),
      }),
    },
    remove: ["claim_expires_at"],
    attempts: records.attempts,
  };
}

/** What an operator says of a resend. */
export interface Reopening {
  /** Epoch seconds. */
  readonly now: number;
  readonly reason: string;
  /** When the message becomes useless, epoch seconds. */
  readonly deadline: number;
  readonly keptSeconds: number;
  /** The body anew, where the item holds none any more. */
  readonly body?: string;
}

/**
 * Begins a new retry sequence of a message that has ended: its next attempt is due at once. The item is kept until after
 * the deadline, as one whose retry is scheduled by an event.
 */
export function reopen(message: Message, { now, reason, deadline, keptSeconds, body }: Reopening): Change {
  const latest = latestAttemptOf(message);
  const at = Math.floor(now);
  const records = attemptFields(message, { [latest]: { resent_at: at, resend_reason: reason } });
  const times = inSeconds(message);
  const kept = expiresAtOf(deadline, keptSeconds);
  return {
    require: {
      ...samePosition(message),
      ...records.clauses,
      ...times.clauses,
      body: { path: "message_body", is: body === undefined ? "present" : "absent" },
    },
    set: {
      ...times.set,
      status: "RETRY_SCHEDULED",
      status_reason: resentReason,
      retry_count: latest,
      next_attempt_at: at,
      deadline,
      expires_at: Math.max(message.expires_at ?? kept, kept),
      ...(body !== undefined && { message_body: body }),
      ...(message.all_retries_failed === true && { all_retries_failed: false }),
    },
    remove: ["claim_expires_at", "ended_at"],
    attempts: records.attempts,
  };
}

/** How a message ends. */
export interface SequenceEnd extends Ending {
  readonly status: FinalStatus;
  readonly reason: string;
  /** Why an operator cancels the message; kept in the item. */
  readonly cancelledReason?: string;
}

/** Ends the retry sequence, or corrects its end to `DELIVERED` (rules 4 and 5); the body goes with it. */
export function endSequence(
  message: Message,
  { status, reason, cancelledReason, ...ending }: SequenceEnd,
  last?: AttemptOutcome & {
    /** Whether the latest attempt is one too many: an earlier one was delivered. */
    readonly marksLatest?: boolean;
  },
): Change {
  const records = last === undefined ? undefined : attemptFields(message, lastFields(message, last));
  const data = endOfData(message, ending);
  const before = statusOf(message);
  return {
    require: { ...samePosition(message), ...records?.clauses },
    set: {
      ...data.set,
      status,
      status_reason: reason,
      ...(status === "EXHAUSTED" && { all_retries_failed: true }),
      ...(status === "DELIVERED" && message.all_retries_failed === true && { all_retries_failed: false }),
      ...(isFinal(before) && { corrected_from: before }),
      ...(cancelledReason !== undefined && { cancelled_reason: cancelledReason }),
    },
    remove: ["next_attempt_at", "claim_expires_at", ...data.remove],
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
