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
 * | `RETRY_SCHEDULED`, due | claim | due |
 * | `SENDING` this attempt, lease holds | defer to `claim_expires_at` | being-sent |
 * | `SENDING` this attempt, lease over, deadline passed | expire | deadline |
 * | `SENDING` this attempt, lease over, deferred by its last worker, certainly not sent before | claim-again | due |
 * | `SENDING` this attempt, lease over, deferred by its last worker, at-least-once | claim-again | due |
 * | `SENDING` this attempt, lease over, at-least-once, first time | claim-again | lease-over |
 * | `SENDING` this attempt, lease over, otherwise | await-receipt | outcome-unknown |
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
  retriesOffReason,
  statusOf,
} from "./message.ts";
import { mayHaveBeenSent, wasRepeated } from "./message-changes.ts";

/** What to do about a retry message; `until` is in epoch seconds. */
export type RetryMessageDecision =
  | {
      readonly action: "drop";
      readonly reason: "message-gone" | "sequence-over" | "superseded-attempt" | "already-sent";
    }
  | { readonly action: "unschedule"; readonly reason: typeof retriesOffReason }
  | { readonly action: "expire"; readonly reason: "deadline" }
  | { readonly action: "defer"; readonly reason: "not-due" | "being-sent"; readonly until: number }
  | { readonly action: "claim"; readonly reason: "due" }
  | { readonly action: "claim-again"; readonly reason: "lease-over" | "due" }
  /** Neither send nor end: its events, or the receipt check, will tell. */
  | { readonly action: "await-receipt"; readonly reason: "outcome-unknown" }
  /** The receipt check may have been lost on its way to the queue. */
  | { readonly action: "check-receipt"; readonly reason: "outcome-unknown" };

/**
 * Decides by the table above.
 *
 * @param message the item; `undefined` where there is none
 * @param attempt the attempt that the retry message names
 * @param guarantee the deployment's guarantee; the item's own overrides it
 * @param limits `leastSecondsLeft`: what the service asks for until the deadline; with less, the deadline counts as
 *   passed. `areRetriesOff`: whether the deployment has `max_retries = 0` by now
 */
export function decideRetryMessage(
  message: Message | undefined,
  attempt: number,
  now: number,
  guarantee: DeliveryGuarantee,
  { leastSecondsLeft = 0, areRetriesOff = false } = {},
): RetryMessageDecision {
  if (message === undefined || isGone(message, now)) return { action: "drop", reason: "message-gone" };
  const status = statusOf(message);
  if (isFinal(status)) return { action: "drop", reason: "sequence-over" };
  const isPastDeadline = isTooLate(message, now, leastSecondsLeft);

  if (status === "RETRY_SCHEDULED") {
    if (attempt !== latestAttemptOf(message) + 1) return { action: "drop", reason: "superseded-attempt" };
    if (areRetriesOff) return { action: "unschedule", reason: retriesOffReason };
    if (isPastDeadline) return { action: "expire", reason: "deadline" };
    const dueAt = message.next_attempt_at ?? now;
    return dueAt > now
      ? { action: "defer", reason: "not-due", until: dueAt }
      : { action: "claim", reason: "due" };
  }

  if (status === "SENDING" && attempt === latestAttemptOf(message)) {
    const leaseEndsAt = message.claim_expires_at ?? now;
    if (leaseEndsAt > now) return { action: "defer", reason: "being-sent", until: leaseEndsAt };
    if (isPastDeadline) return { action: "expire", reason: "deadline" };
    const record = message.attempts?.[attempt];
    const isAtLeastOnce = (message.delivery_guarantee ?? guarantee) === "at-least-once";
    const isDeferred = record !== undefined && record.claim_id === undefined;
    if (isDeferred && (isAtLeastOnce || !mayHaveBeenSent(record))) {
      return { action: "claim-again", reason: "due" };
    }
    return isAtLeastOnce && !wasRepeated(record)
      ? { action: "claim-again", reason: "lease-over" }
      : { action: "await-receipt", reason: "outcome-unknown" };
  }

  if (status === "SENT" && attempt === latestAttemptOf(message) && isUnconfirmed(message)) {
    return { action: "check-receipt", reason: "outcome-unknown" };
  }
  return { action: "drop", reason: "already-sent" };
}
