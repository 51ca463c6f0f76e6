/**
 * What to do about a retry message, by the item that it points at.
 *
 * A retry message carries no authority (rule 3). Most that lead to no send are normal: the queue delivers twice,
 * early and late, and the retry sequence may have ended meanwhile.
 *
 * | item | action | reason |
 * |---|---|---|
 * | missing, or past `expires_at` | drop | message-gone |
 * | sequence over | drop | sequence-over |
 * | `RETRY_SCHEDULED` for another attempt | drop | superseded-attempt |
 * | `RETRY_SCHEDULED`, `max_retries` is 0 | unschedule | retries-off |
 * | `RETRY_SCHEDULED`, deadline passed | expire | deadline |
 * | `RETRY_SCHEDULED`, not due yet | defer to `next_attempt_at` | not-due |
 * | `RETRY_SCHEDULED`, due, body too long | reject | body-too-long |
 * | `RETRY_SCHEDULED`, due, shadow mode | shadow | shadow-mode |
 * | `RETRY_SCHEDULED`, due, times not in seconds | correct-times | times-as-written |
 * | `RETRY_SCHEDULED`, due | claim | due |
 * | `SENDING` this attempt, lease holds | defer to `claim_expires_at` | being-sent |
 * | `SENDING` this attempt, lease over, deadline passed | expire | deadline |
 * | `SENDING` this attempt, lease over, at-most-once, perhaps sent before | await-receipt | outcome-unknown |
 * | `SENDING` this attempt, lease over, not deferred by its last worker, repeated before | await-receipt | outcome-unknown |
 * | `SENDING` this attempt, lease over, body too long | reject | body-too-long |
 * | `SENDING` this attempt, lease over, shadow mode | defer by 60 s | shadow-mode |
 * | `SENDING` this attempt, lease over, deferred by its last worker | claim-again | due |
 * | `SENDING` this attempt, lease over | claim-again | lease-over |
 * | `SENT` this attempt, and nobody knows whether it was sent | check-receipt | outcome-unknown |
 * | anything else | drop | already-sent |
 */
import {
  type DeliveryGuarantee,
  isFinal,
  isGone,
  isTooLate,
  isUnconfirmed,
  latestAttemptOf,
  type Message,
  mayHaveBeenSent,
  retriesOffReason,
  shadowModeReason,
  statusOf,
  wasRepeated,
} from "./message.ts";
import { isBodyTooLong } from "./message-parts.ts";

/** What to do about a retry message; `until` is in epoch seconds. */
export type RetryMessageDecision =
  | {
      readonly action: "drop";
      readonly reason: "message-gone" | "sequence-over" | "superseded-attempt" | "already-sent";
    }
  | { readonly action: "unschedule"; readonly reason: typeof retriesOffReason }
  | { readonly action: "expire"; readonly reason: "deadline" }
  | {
      readonly action: "defer";
      readonly reason: "not-due" | "being-sent" | typeof shadowModeReason;
      readonly until: number;
    }
  /** The retry is counted and not sent. */
  | { readonly action: "shadow"; readonly reason: typeof shadowModeReason }
  /** No service takes it. */
  | { readonly action: "reject"; readonly reason: "body-too-long" }
  /** A claim compares times in the table, so what the application wrote must be seconds first. */
  | { readonly action: "correct-times"; readonly reason: "times-as-written" }
  | { readonly action: "claim"; readonly reason: "due" }
  | { readonly action: "claim-again"; readonly reason: "lease-over" | "due" }
  /** Neither send nor end: its events, or the receipt check, will tell. */
  | { readonly action: "await-receipt"; readonly reason: "outcome-unknown" }
  /** The receipt check may have been lost on its way to the queue. */
  | { readonly action: "check-receipt"; readonly reason: "outcome-unknown" };

/** What a decision rests on besides the item. */
export interface RetryMessageFacts {
  /** The attempt that the retry message names. */
  readonly attempt: number;
  /** Epoch seconds. */
  readonly now: number;
  /** The deployment's guarantee; the item's own overrides it. */
  readonly guarantee: DeliveryGuarantee;
  /** What the service asks for until the deadline; with less, the deadline counts as passed. @default 0 */
  readonly leastSecondsLeft?: number;
  /** Whether the deployment has `max_retries = 0` by now. @default false */
  readonly areRetriesOff?: boolean;
  /** Whether the deployment sends nothing and only counts retries. @default false */
  readonly isShadow?: boolean;
}

/** How long a send that was begun before shadow mode waits for its end, in seconds: it cannot be counted as a retry. */
const shadowWaitSeconds = 60;

/**
 * Decides by the table above.
 *
 * @param message the item; `undefined` where there is none
 */
export function decideRetryMessage(
  message: Message | undefined,
  facts: RetryMessageFacts,
): RetryMessageDecision {
  const { attempt, now } = facts;
  if (message === undefined || isGone(message, now)) return { action: "drop", reason: "message-gone" };
  const status = statusOf(message);
  if (isFinal(status)) return { action: "drop", reason: "sequence-over" };
  if (status === "RETRY_SCHEDULED") return decideScheduled(message, facts);
  if (attempt === latestAttemptOf(message)) {
    if (status === "SENDING") return decideClaimed(message, facts);
    if (isUnconfirmed(message)) return { action: "check-receipt", reason: "outcome-unknown" };
  }
  return { action: "drop", reason: "already-sent" };
}

function decideScheduled(message: Message, facts: RetryMessageFacts): RetryMessageDecision {
  const { attempt, now, leastSecondsLeft = 0, areRetriesOff = false, isShadow = false } = facts;
  if (attempt !== latestAttemptOf(message) + 1) return { action: "drop", reason: "superseded-attempt" };
  if (areRetriesOff) return { action: "unschedule", reason: retriesOffReason };
  if (isTooLate(message, now, leastSecondsLeft)) return { action: "expire", reason: "deadline" };
  const dueAt = message.next_attempt_at ?? now;
  if (dueAt > now) return { action: "defer", reason: "not-due", until: dueAt };
  if (hasTooLongBody(message)) return { action: "reject", reason: "body-too-long" };
  if (isShadow) return { action: "shadow", reason: shadowModeReason };
  if (message.timesAsWritten !== undefined) return { action: "correct-times", reason: "times-as-written" };
  return { action: "claim", reason: "due" };
}

function decideClaimed(message: Message, facts: RetryMessageFacts): RetryMessageDecision {
  const { attempt, now, leastSecondsLeft = 0 } = facts;
  const leaseEndsAt = message.claim_expires_at ?? now;
  if (leaseEndsAt > now) return { action: "defer", reason: "being-sent", until: leaseEndsAt };
  if (isTooLate(message, now, leastSecondsLeft)) return { action: "expire", reason: "deadline" };
  const record = message.attempts?.[attempt];
  const guarantee = message.delivery_guarantee ?? facts.guarantee;
  const isDeferred = record !== undefined && record.claim_id === undefined;
  if (guarantee === "at-most-once" && mayHaveBeenSent(record)) {
    return { action: "await-receipt", reason: "outcome-unknown" };
  }
  if (!isDeferred && wasRepeated(record)) return { action: "await-receipt", reason: "outcome-unknown" };
  if (hasTooLongBody(message)) return { action: "reject", reason: "body-too-long" };
  if (facts.isShadow === true) {
    return { action: "defer", reason: shadowModeReason, until: now + shadowWaitSeconds };
  }
  return { action: "claim-again", reason: isDeferred ? "due" : "lease-over" };
}

function hasTooLongBody({ message_body }: Message): boolean {
  return message_body !== undefined && isBodyTooLong(message_body);
}
