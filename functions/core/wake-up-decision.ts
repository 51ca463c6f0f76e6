/**
 * What to do about a wake-up whose claim was refused.
 *
 * A wake-up carries no authority (design rule 3): it only points at an item. Most refusals are normal: the
 * queue delivers twice, early and late, and the series may have ended meanwhile.
 *
 * | item | action | reason |
 * |---|---|---|
 * | missing, or past `expires_at` | drop | message-gone |
 * | series over | drop | series-over |
 * | `RETRY_SCHEDULED` for another attempt | drop | superseded-attempt |
 * | `RETRY_SCHEDULED`, deadline passed | expire | deadline |
 * | `RETRY_SCHEDULED`, not due yet | postpone to `next_attempt_at` | not-due |
 * | `RETRY_SCHEDULED`, due | claim | due |
 * | `SENDING` this attempt, lease holds | postpone to `claim_expires_at` | being-sent |
 * | `SENDING` this attempt, lease over, deadline passed | expire | deadline |
 * | `SENDING` this attempt, lease over, at-least-once, first time | claim-again | lease-over |
 * | `SENDING` this attempt, lease over, otherwise | give-up | outcome-unknown |
 * | anything else | drop | already-sent |
 */
import {
  type DeliveryGuarantee,
  isFinal,
  isGone,
  latestAttemptOf,
  type Message,
  statusOf,
} from "./message.ts";

/** What to do about a wake-up; `until` is in epoch seconds. */
export type WakeUpDecision =
  | {
      readonly action: "drop";
      readonly reason: "message-gone" | "series-over" | "superseded-attempt" | "already-sent";
    }
  | { readonly action: "expire"; readonly reason: "deadline" }
  | { readonly action: "postpone"; readonly reason: "not-due" | "being-sent"; readonly until: number }
  | { readonly action: "claim"; readonly reason: "due" }
  | { readonly action: "claim-again"; readonly reason: "lease-over" }
  | { readonly action: "give-up"; readonly reason: "outcome-unknown" };

/**
 * Decides by the table above.
 *
 * @param message the item as the refused claim found it; `undefined` where there is none
 * @param attempt the attempt that the wake-up names
 * @param guarantee the deployment's guarantee; the item's own overrides it
 */
export function decideWakeUp(
  message: Message | undefined,
  attempt: number,
  now: number,
  guarantee: DeliveryGuarantee,
): WakeUpDecision {
  if (message === undefined || isGone(message, now)) return { action: "drop", reason: "message-gone" };
  const status = statusOf(message);
  if (isFinal(status)) return { action: "drop", reason: "series-over" };
  const isPastDeadline = message.deadline !== undefined && message.deadline <= now;

  if (status === "RETRY_SCHEDULED") {
    if (attempt !== latestAttemptOf(message) + 1) return { action: "drop", reason: "superseded-attempt" };
    if (isPastDeadline) return { action: "expire", reason: "deadline" };
    const dueAt = message.next_attempt_at ?? now;
    return dueAt > now
      ? { action: "postpone", reason: "not-due", until: dueAt }
      : { action: "claim", reason: "due" };
  }

  if (status === "SENDING" && attempt === latestAttemptOf(message)) {
    const leaseEndsAt = message.claim_expires_at ?? now;
    if (leaseEndsAt > now) return { action: "postpone", reason: "being-sent", until: leaseEndsAt };
    if (isPastDeadline) return { action: "expire", reason: "deadline" };
    const wasRepeated = message.attempts?.[attempt]?.possible_duplicate === true;
    const mayRepeat = (message.delivery_guarantee ?? guarantee) === "at-least-once" && !wasRepeated;
    return mayRepeat
      ? { action: "claim-again", reason: "lease-over" }
      : { action: "give-up", reason: "outcome-unknown" };
  }

  return { action: "drop", reason: "already-sent" };
}
