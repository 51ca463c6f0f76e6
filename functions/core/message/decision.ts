/**
 * What to do about a delivery event: the decision table of the product.
 *
 * The first row that fits wins; `*` fits everything, `open` is `SENDING`, `SENT` or `RETRY_SCHEDULED`, `over`
 * is every other status. A test reads this table and compares it with the code for every combination.
 *
 * | event | status | attempt | content | retries | time | action | reason |
 * |---|---|---|---|---|---|---|---|
 * | in-progress | * | * | * | * | * | ignore | in-progress |
 * | unrecognized-type | * | * | * | * | * | ignore | unrecognized-type |
 * | * | * | foreign | * | * | * | ignore | foreign-event |
 * | delivered | DELIVERED | * | * | * | * | ignore | sequence-over |
 * | delivered | OPTED_OUT | * | * | * | * | ignore | sequence-over |
 * | delivered | CANCELLED | * | * | * | * | ignore | sequence-over |
 * | delivered | SENT | only | * | * | * | note-delivery | delivered-at-once |
 * | delivered | RETRY_SCHEDULED | * | * | * | * | deliver | delivered |
 * | delivered | open | earlier | * | * | * | deliver-marked | late-delivery |
 * | delivered | open | * | * | * | * | deliver | delivered |
 * | delivered | over | * | * | * | * | deliver | late-delivery |
 * | * | over | * | * | * | * | ignore | sequence-over |
 * | opted-out | * | * | * | * | * | opt-out | opted-out |
 * | * | * | unknown | * | * | * | ignore | unknown-attempt |
 * | * | * | earlier | * | * | * | ignore | superseded-attempt |
 * | permanent | * | * | * | * | * | reject | permanent-failure |
 * | unrecognized | RETRY_SCHEDULED | * | * | * | * | ignore | unrecognized-status |
 * | unrecognized | * | * | * | * | * | reject | unrecognized-status |
 * | retryable | RETRY_SCHEDULED | * | * | * | * | retry-message | already-scheduled |
 * | retryable | * | * | * | shadowed | * | ignore | shadow-mode |
 * | retryable | * | * | * | off | * | note-failure | retries-off |
 * | retryable | * | * | * | none | * | exhaust | retries-exhausted |
 * | retryable | * | * | missing | * | * | reject | nothing-to-send |
 * | retryable | * | * | too-long | * | * | reject | body-too-long |
 * | retryable | * | * | * | * | unknown | expire | age-unknown |
 * | retryable | * | * | * | * | over | expire | deadline |
 * | retryable | * | * | * | * | * | schedule | retryable-failure |
 *
 * Columns: **attempt** is the event's attempt seen from the item: `only` (attempt 0, no retry claimed yet),
 * `latest` (the last retry), `earlier`, `unknown` (the item knows of no such attempt yet), or `foreign` (the event
 * names the message, but is about a send that is none of its attempts). **content**: `missing` where the item
 * holds no body or no number is known, `too-long` where no service takes the body. **retries**: `off` where the
 * deployment has `max_retries = 0`, `none` where no retry is left, `shadowed` where the retry has been counted in shadow
 * mode, so that it is not sent later either. **time**: `over` after the deadline, `unknown`
 * for an `UNKNOWN` of a message whose age nobody knows: the service says `UNKNOWN` by itself 72 hours after a send.
 */
import type { EventClass } from "../events/classification.ts";
import { isFinal, type MessageStatus } from "./message.ts";

/** The event's attempt seen from the item; see the table above. */
export const attemptPositions = ["only", "latest", "earlier", "unknown", "foreign"] as const;

/** See {@link attemptPositions}. */
export type AttemptPosition = (typeof attemptPositions)[number];

/** All that a decision rests on. */
export interface Facts {
  readonly event: EventClass;
  readonly status: MessageStatus;
  readonly attempt: AttemptPosition;
  readonly content: "sendable" | "missing" | "too-long";
  readonly retries: "left" | "none" | "off" | "shadowed";
  readonly time: "left" | "over" | "unknown";
}

/**
 * What to do. `retry-message` repeats a retry message that may have been lost; `note-delivery` writes only where every
 * delivery is tracked or the message waits for a receipt; `deliver-marked` also marks a possible duplicate;
 * `note-failure` writes down a failure and ends nothing.
 */
export type Action =
  | "ignore"
  | "note-delivery"
  | "deliver"
  | "deliver-marked"
  | "opt-out"
  | "reject"
  | "note-failure"
  | "exhaust"
  | "expire"
  | "schedule"
  | "retry-message";

/** Why; stands in the log, and in the item as `status_reason` where the event's status says less. */
export type Reason =
  | "in-progress"
  | "unrecognized-type"
  | "foreign-event"
  | "sequence-over"
  | "delivered-at-once"
  | "delivered"
  | "late-delivery"
  | "opted-out"
  | "unknown-attempt"
  | "superseded-attempt"
  | "permanent-failure"
  | "unrecognized-status"
  | "already-scheduled"
  | "retries-exhausted"
  | "retries-off"
  | "shadow-mode"
  | "nothing-to-send"
  | "body-too-long"
  | "age-unknown"
  | "deadline"
  | "retryable-failure";

/** An action and its reason. */
export interface Decision {
  readonly action: Action;
  readonly reason: Reason;
}

/** Decides by the table above. Pure: the same facts give the same decision. */
export function decide(facts: Facts): Decision {
  if (facts.event === "in-progress") return { action: "ignore", reason: "in-progress" };
  if (facts.event === "unrecognized-type") return { action: "ignore", reason: "unrecognized-type" };
  if (facts.attempt === "foreign") return { action: "ignore", reason: "foreign-event" };
  if (facts.event === "delivered") return decideDelivery(facts);
  if (isFinal(facts.status)) return { action: "ignore", reason: "sequence-over" };
  if (facts.event === "opted-out") return { action: "opt-out", reason: "opted-out" };
  return decideFailure(facts);
}

function decideDelivery({ status, attempt }: Facts): Decision {
  switch (status) {
    case "DELIVERED":
    case "OPTED_OUT":
    case "CANCELLED":
      return { action: "ignore", reason: "sequence-over" };
    case "EXHAUSTED":
    case "EXPIRED":
    case "REJECTED":
      return { action: "deliver", reason: "late-delivery" };
    case "RETRY_SCHEDULED":
      return { action: "deliver", reason: "delivered" };
    case "SENT":
    case "SENDING":
      if (attempt === "earlier") return { action: "deliver-marked", reason: "late-delivery" };
      return status === "SENT" && attempt === "only"
        ? { action: "note-delivery", reason: "delivered-at-once" }
        : { action: "deliver", reason: "delivered" };
  }
}

function decideFailure(facts: Facts): Decision {
  if (facts.attempt === "unknown") return { action: "ignore", reason: "unknown-attempt" };
  if (facts.attempt === "earlier") return { action: "ignore", reason: "superseded-attempt" };
  if (facts.event === "permanent") return { action: "reject", reason: "permanent-failure" };

  const isScheduled = facts.status === "RETRY_SCHEDULED";
  if (facts.event === "unrecognized") {
    return { action: isScheduled ? "ignore" : "reject", reason: "unrecognized-status" };
  }
  if (isScheduled) return { action: "retry-message", reason: "already-scheduled" };
  if (facts.retries === "shadowed") return { action: "ignore", reason: "shadow-mode" };
  if (facts.retries === "off") return { action: "note-failure", reason: "retries-off" };
  if (facts.retries === "none") return { action: "exhaust", reason: "retries-exhausted" };
  if (facts.content === "missing") return { action: "reject", reason: "nothing-to-send" };
  if (facts.content === "too-long") return { action: "reject", reason: "body-too-long" };
  if (facts.time === "unknown") return { action: "expire", reason: "age-unknown" };
  if (facts.time === "over") return { action: "expire", reason: "deadline" };
  return { action: "schedule", reason: "retryable-failure" };
}
