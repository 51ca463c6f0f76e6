/**
 * The receipt check: what to do about an attempt of which no event has come (docs/protocol.md).
 *
 * It looks at attempts of unknown outcome (the answer was lost, or the worker died), and with
 * `receipt_timeout_seconds` above 0 also at accepted ones. An event that comes later still corrects the state.
 *
 * | item | action | reason |
 * |---|---|---|
 * | missing, or past `expires_at` | drop | message-gone |
 * | sequence over | drop | sequence-over |
 * | `RETRY_SCHEDULED`, this attempt is the latest, without a receipt | requeue its retry message | already-scheduled |
 * | `RETRY_SCHEDULED`, or another attempt is the latest | drop | superseded-attempt |
 * | `SENDING` | resend: as its retry message | being-sent |
 * | accepted, and no receipt time-out or nobody knows when; or failed, and retries are off or only counted | drop | already-sent |
 * | not due yet | defer to the due time | not-due |
 * | deadline passed | expire | NO_RECEIPT |
 * | `max_retries` is 0 | note | retries-off |
 * | at-most-once | exhaust | NO_RECEIPT |
 * | a retry is left, nothing to send | reject | nothing-to-send |
 * | a retry is left | schedule | NO_RECEIPT |
 * | accepted, no retry left | exhaust | NO_RECEIPT |
 * | unknown outcome, no retry left | repeat | NO_RECEIPT |
 */
import type { Clock } from "../clock.ts";
import { ContentionError } from "../errors.ts";
import { repeatAttempt } from "../message/attempt-changes.ts";
import {
  type DeliveryGuarantee,
  isFinal,
  isGone,
  isNotRetried,
  isUnconfirmed,
  latestAttemptOf,
  type Message,
  noReceiptOutcome,
  retriesOffReason,
  statusOf,
} from "../message/message.ts";
import { endSequence, noteFailure, scheduleRetry } from "../message/message-changes.ts";
import type { Change, MessageStore } from "../message/message-store.ts";
import { allowsAttempt, delayBefore, type RetryPolicy, retryNumberOf } from "../message/retry-policy.ts";
import type { ReceiptCheckOutcome } from "../observability/outcomes.ts";
import type { ReceiptCheckResult } from "../observability/reports.ts";
import type { ReceiptCheck } from "../queue/queue-messages.ts";
import type { QueueEntry } from "../queue/retry-queue.ts";

/** What a receipt check needs. */
export interface ReceiptCheckDependencies {
  readonly store: MessageStore;
  readonly policy: RetryPolicy;
  readonly guarantee: DeliveryGuarantee;
  readonly clock: Pick<Clock, "now">;
}

/** The result of one receipt check. */
export interface HandledReceiptCheck extends ReceiptCheckResult {
  /** What has to be put on the retry queue; until it is there the check is not handled. */
  readonly entry?: QueueEntry;
}

/** Shortest wait for the event of an attempt of unknown outcome: a claim's lease. */
export const shortestReceiptWaitSeconds = 60;

/**
 * When the receipt check of the latest attempt is due; `undefined` where there is nothing to check.
 *
 * An attempt of unknown outcome waits as long as the next retry would, and twice as long after each repetition: an
 * outage that goes on is met ever more rarely. Near the deadline it waits for half of the time that is left, so that
 * there is a try in it; where that is shorter than the wait before, for the last moment that is early enough.
 */
export function receiptDueAt(message: Message, policy: RetryPolicy): number | undefined {
  const attempt = latestAttemptOf(message);
  const record = message.attempts?.[attempt];
  const { deadline = Number.POSITIVE_INFINITY } = message;
  if (isUnconfirmed(message)) {
    const since = record?.outcome_at ?? 0;
    const doublings = Math.max(0, (record?.repeats ?? 0) - 1);
    const wait =
      Math.max(shortestReceiptWaitSeconds, delayBefore(policy, retryNumberOf(message, attempt + 1))) *
      2 ** doublings;
    return Math.ceil(since + inTimeFor(wait, deadline - since, doublings === 0));
  }
  if (policy.receiptTimeoutSeconds === 0 || record?.sent_at === undefined) return undefined;
  return Math.ceil(
    Math.min(record.sent_at + policy.receiptTimeoutSeconds, Math.max(record.sent_at, deadline)),
  );
}

/** The last try before a deadline starts so early that it can still be claimed and sent. */
const lastTrySeconds = 2 * shortestReceiptWaitSeconds;

/** A wait that leaves time for a try before the deadline; see {@link receiptDueAt}. */
function inTimeFor(wait: number, left: number, isFirst: boolean): number {
  const half = Math.max(shortestReceiptWaitSeconds, left / 2);
  // Half of the time, unless that were shorter than the wait before.
  return isFirst || half >= wait / 2 ? Math.min(wait, half) : Math.max(half, left - lastTrySeconds);
}

/** The entry of the receipt check of the latest attempt, where it has one. */
export function receiptCheckEntry(message: Message, policy: RetryPolicy): QueueEntry | undefined {
  const dueAt = receiptDueAt(message, policy);
  if (dueAt === undefined) return undefined;
  const { application_message_id } = message;
  const check = { kind: "receipt-check", application_message_id, attempt: latestAttemptOf(message) } as const;
  return { message: check, dueAt };
}

/** What to do; `until` is in epoch seconds. */
export type ReceiptDecision =
  | {
      readonly action: "drop";
      readonly reason: "message-gone" | "sequence-over" | "superseded-attempt" | "already-sent";
    }
  /** The check scheduled the retry before, and its retry message may have been lost on its way to the queue. */
  | { readonly action: "requeue"; readonly reason: "already-scheduled"; readonly dueAt: number }
  | { readonly action: "resend"; readonly reason: "being-sent" }
  | { readonly action: "defer"; readonly reason: "not-due"; readonly until: number }
  | { readonly action: "note"; readonly reason: typeof retriesOffReason }
  | { readonly action: "reject"; readonly reason: "nothing-to-send" }
  | {
      readonly action: "expire" | "exhaust" | "schedule" | "repeat";
      readonly reason: typeof noReceiptOutcome;
    };

/** Decides by the table above. */
export function decideReceiptCheck(
  message: Message | undefined,
  attempt: number,
  now: number,
  { policy, guarantee }: Pick<ReceiptCheckDependencies, "policy" | "guarantee">,
): ReceiptDecision {
  if (message === undefined || isGone(message, now)) return { action: "drop", reason: "message-gone" };
  const status = statusOf(message);
  if (isFinal(status)) return { action: "drop", reason: "sequence-over" };
  if (attempt !== latestAttemptOf(message)) return { action: "drop", reason: "superseded-attempt" };
  if (status === "RETRY_SCHEDULED") {
    return message.attempts?.[attempt]?.outcome === noReceiptOutcome
      ? { action: "requeue", reason: "already-scheduled", dueAt: message.next_attempt_at ?? Math.floor(now) }
      : { action: "drop", reason: "superseded-attempt" };
  }
  if (status === "SENDING") return { action: "resend", reason: "being-sent" };
  const dueAt = receiptDueAt(message, policy);
  if (dueAt === undefined || isNotRetried(message)) {
    return { action: "drop", reason: "already-sent" };
  }
  if (dueAt > now) return { action: "defer", reason: "not-due", until: dueAt };

  const reason = noReceiptOutcome;
  if (message.deadline !== undefined && message.deadline <= now) return { action: "expire", reason };
  if (policy.maxRetries === 0) return { action: "note", reason: retriesOffReason };
  if ((message.delivery_guarantee ?? guarantee) === "at-most-once") return { action: "exhaust", reason };
  if (allowsAttempt(policy, attempt + 1, message)) {
    const isSendable = message.message_body !== undefined && message.destination_number !== undefined;
    return isSendable ? { action: "schedule", reason } : { action: "reject", reason: "nothing-to-send" };
  }
  return { action: isUnconfirmed(message) ? "repeat" : "exhaust", reason };
}

/** How often a check is decided again because the item changed meanwhile. */
const maxDecisions = 6;

/**
 * Handles one receipt check. Early, late, doubled or forged, it does what the item asks for, once.
 *
 * @returns `"resend"` where the attempt is being sent: then the check stands for a retry message of it
 * @throws ContentionError if the item changed under every decision; any error of the store
 */
export async function checkReceipt(
  check: ReceiptCheck,
  checking: ReceiptCheckDependencies,
): Promise<HandledReceiptCheck | "resend"> {
  const { store, clock } = checking;
  const { application_message_id: id, attempt } = check;
  let message = await store.read(id);
  for (let decisions = 0; decisions < maxDecisions; decisions += 1) {
    const now = clock.now();
    const decision = decideReceiptCheck(message, attempt, now, checking);
    if (decision.action === "resend") return "resend";
    if (decision.action === "drop" || message === undefined) {
      return { outcome: "absorbed", reason: decision.reason };
    }
    if (decision.action === "requeue") {
      const { reason, dueAt } = decision;
      return { outcome: "absorbed", reason, entry: retryEntry(check, attempt + 1, dueAt) };
    }
    if (decision.action === "defer") {
      return {
        outcome: "not-due",
        reason: decision.reason,
        entry: { message: check, dueAt: decision.until },
      };
    }
    const result = await store.change(
      id,
      changeFor(decision, message, { attempt, now, policy: checking.policy }),
    );
    if (result.applied) return handled(decision, check, now);
    message = result.current;
  }
  throw new ContentionError(maxDecisions);
}

type Deciding = Exclude<ReceiptDecision, { readonly action: "drop" | "requeue" | "resend" | "defer" }>;

function changeFor(
  { action, reason }: Deciding,
  message: Message,
  { attempt, now, policy }: { attempt: number; now: number; policy: RetryPolicy },
): Change {
  const missing = { attempt, outcome: noReceiptOutcome, at: now };
  const { keptSeconds } = policy;
  const ending = { reason, at: now, keptSeconds };
  switch (action) {
    case "expire":
      return endSequence(message, { status: "EXPIRED", ...ending }, missing);
    case "exhaust":
      return endSequence(message, { status: "EXHAUSTED", ...ending }, missing);
    case "reject":
      return endSequence(message, { status: "REJECTED", ...ending }, missing);
    case "note":
      return noteFailure(message, missing, keptSeconds);
    case "repeat":
      return repeatAttempt(message, attempt, now);
    case "schedule": {
      // The check has waited as long as the retry would have: it is due now.
      const deadline =
        message.deadline ?? Math.floor((message.created_at ?? now) + policy.messageValiditySeconds);
      return scheduleRetry(message, missing, { dueAt: Math.floor(now), deadline, keptSeconds });
    }
  }
}

const outcomes = {
  expire: "expired",
  exhaust: "exhausted",
  reject: "rejected",
  note: "retries-off",
  repeat: "repeat-due",
  schedule: "retry-scheduled",
} as const satisfies Record<Deciding["action"], ReceiptCheckOutcome>;

function handled({ action, reason }: Deciding, check: ReceiptCheck, now: number): HandledReceiptCheck {
  const next = action === "schedule" ? check.attempt + 1 : check.attempt;
  return {
    outcome: outcomes[action],
    reason,
    foundNone: true,
    ...((action === "schedule" || action === "repeat") && {
      entry: retryEntry(check, next, Math.floor(now)),
    }),
  };
}

function retryEntry({ application_message_id }: ReceiptCheck, attempt: number, dueAt: number): QueueEntry {
  return { message: { kind: "retry-message", application_message_id, attempt }, dueAt };
}
