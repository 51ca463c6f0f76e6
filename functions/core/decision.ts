/**
 * What to do about a delivery event: the decision table of the product.
 *
 * The first row that fits wins; `*` fits everything, `open` is `SENDING`, `SENT` or `RETRY_SCHEDULED`, `over`
 * is every other status. A test reads this table and compares it with the code for every combination.
 *
 * | event | status | attempt | sendable | retries left | before deadline | action | reason |
 * |---|---|---|---|---|---|---|---|
 * | in-progress | * | * | * | * | * | ignore | in-progress |
 * | delivered | DELIVERED | * | * | * | * | ignore | series-over |
 * | delivered | OPTED_OUT | * | * | * | * | ignore | series-over |
 * | delivered | CANCELLED | * | * | * | * | ignore | series-over |
 * | delivered | SENT | only | * | * | * | note-delivery | delivered-at-once |
 * | delivered | RETRY_SCHEDULED | * | * | * | * | deliver | delivered |
 * | delivered | open | earlier | * | * | * | deliver-marked | late-delivery |
 * | delivered | open | * | * | * | * | deliver | delivered |
 * | delivered | over | * | * | * | * | deliver | late-delivery |
 * | * | over | * | * | * | * | ignore | series-over |
 * | opted-out | * | * | * | * | * | opt-out | opted-out |
 * | * | * | unknown | * | * | * | ignore | unknown-attempt |
 * | * | * | earlier | * | * | * | ignore | superseded-attempt |
 * | permanent | * | * | * | * | * | reject | permanent-failure |
 * | unrecognised | RETRY_SCHEDULED | * | * | * | * | ignore | unrecognised-status |
 * | unrecognised | * | * | * | * | * | reject | unrecognised-status |
 * | retryable | RETRY_SCHEDULED | * | * | * | * | wake-up | already-scheduled |
 * | retryable | * | * | * | no | * | exhaust | retries-exhausted |
 * | retryable | * | * | no | * | * | reject | nothing-to-send |
 * | retryable | * | * | * | * | no | expire | deadline |
 * | retryable | * | * | * | * | * | schedule | retryable-failure |
 *
 * Columns: **attempt** is the event's attempt seen from the item: `only` (attempt 0, no retry claimed yet),
 * `latest` (the last retry), `earlier`, or `unknown` (the item knows of no such attempt yet). **sendable**:
 * the item holds a body, and a number is known. **before deadline**: the next attempt would fall due before
 * the deadline.
 */
import type { EventClass } from "./classification.ts";
import { isFinal, type MessageStatus } from "./message.ts";

/** The event's attempt seen from the item; see the table above. */
export const attemptPositions = ["only", "latest", "earlier", "unknown"] as const;

/** See {@link attemptPositions}. */
export type AttemptPosition = (typeof attemptPositions)[number];

/** All that a decision rests on. */
export interface Facts {
  readonly event: EventClass;
  readonly status: MessageStatus;
  readonly attempt: AttemptPosition;
  readonly sendable: boolean;
  readonly retriesLeft: boolean;
  readonly beforeDeadline: boolean;
}

/**
 * What to do. `wake-up` repeats a wake-up that may have been lost; `note-delivery` writes only where every
 * delivery is tracked; `deliver-marked` also marks a possible duplicate.
 */
export type Action =
  | "ignore"
  | "note-delivery"
  | "deliver"
  | "deliver-marked"
  | "opt-out"
  | "reject"
  | "exhaust"
  | "expire"
  | "schedule"
  | "wake-up";

/** Why; stands in the log, and in the item as `status_reason` where the event's status says less. */
export type Reason =
  | "in-progress"
  | "series-over"
  | "delivered-at-once"
  | "delivered"
  | "late-delivery"
  | "opted-out"
  | "unknown-attempt"
  | "superseded-attempt"
  | "permanent-failure"
  | "unrecognised-status"
  | "already-scheduled"
  | "retries-exhausted"
  | "nothing-to-send"
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
  if (facts.event === "delivered") return decideDelivery(facts);
  if (isFinal(facts.status)) return { action: "ignore", reason: "series-over" };
  if (facts.event === "opted-out") return { action: "opt-out", reason: "opted-out" };
  return decideFailure(facts);
}

function decideDelivery({ status, attempt }: Facts): Decision {
  switch (status) {
    case "DELIVERED":
    case "OPTED_OUT":
    case "CANCELLED":
      return { action: "ignore", reason: "series-over" };
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
  if (facts.event === "unrecognised") {
    return { action: isScheduled ? "ignore" : "reject", reason: "unrecognised-status" };
  }
  if (isScheduled) return { action: "wake-up", reason: "already-scheduled" };
  if (!facts.retriesLeft) return { action: "exhaust", reason: "retries-exhausted" };
  if (!facts.sendable) return { action: "reject", reason: "nothing-to-send" };
  if (!facts.beforeDeadline) return { action: "expire", reason: "deadline" };
  return { action: "schedule", reason: "retryable-failure" };
}
