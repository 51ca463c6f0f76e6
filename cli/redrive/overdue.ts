/**
 * Which messages wait for a retry message that is nowhere. Nothing in the table says whether one is on a queue; it
 * says when it was due, and by then plus an hour a queue that works has brought it.
 */
import { isGone, latestAttemptOf, outcomeUnknownReason } from "../../functions/core/message/message.ts";
import { readMessageItem } from "../../functions/core/message/message-item.ts";
import type { ReceiptCheck, RetryMessage } from "../../functions/core/queue/queue-messages.ts";
import type { TableQuestion } from "../message-table.ts";

/** What a message waits for. */
export type Waiting = "retry" | "send" | "receipt";

/** A message of the retry queue that points at an attempt. */
export type AttemptPointer = Pick<RetryMessage | ReceiptCheck, "kind" | "application_message_id" | "attempt">;

/** A message that waits in vain. */
export interface OverdueMessage {
  readonly waitsFor: Waiting;
  /** What has to be on the queue for it to go on. */
  readonly pointer: AttemptPointer;
  /** How long ago that was due. */
  readonly overdueSeconds: number;
  /** Whether it can only end as expired. */
  readonly isPastDeadline: boolean;
}

/** How long after its time a retry message may still be on its way: a queue that is read is never that late. */
export const patienceSeconds = 3_600;

/** How long an attempt of unknown outcome is left alone before its receipt check is taken for due. */
export const receiptCheckSeconds = 900;

/** Attributes that {@link overdueOf} reads. Bodies and numbers of recipients are not among them. */
export const attributesRead = [
  "application_message_id",
  "status",
  "status_reason",
  "retry_count",
  "next_attempt_at",
  "claim_expires_at",
  "deadline",
  "expires_at",
  "attempts",
] as const;

/**
 * Which items may be overdue, as far as DynamoDB can tell.
 *
 * @param now epoch milliseconds
 */
export function overdueQuestion(now: () => number): TableQuestion {
  return {
    attributes: attributesRead,
    filter:
      "(#status = :scheduled AND #next_attempt_at <= :latest) OR (#status = :sending AND #claim_expires_at <= :latest) " +
      "OR (#status = :sent AND #status_reason = :unknown)",
    values: () => ({
      ":scheduled": "RETRY_SCHEDULED",
      ":sending": "SENDING",
      ":sent": "SENT",
      ":unknown": outcomeUnknownReason,
      ":latest": now() / 1_000 - patienceSeconds,
    }),
  };
}

/**
 * Whether a message waits in vain, by its item.
 *
 * @param item the {@link attributesRead} of an item
 * @param now epoch seconds
 * @throws UnreadableMessageError if the item cannot be read
 */
export function overdueOf(item: Record<string, unknown>, now: number): OverdueMessage | undefined {
  const message = readMessageItem(item);
  const { application_message_id, status, deadline = Number.POSITIVE_INFINITY } = message;
  if (isGone(message, now)) return undefined;
  const latest = latestAttemptOf(message);
  const found = (
    waitsFor: Waiting,
    dueAt: number | undefined,
    kind: AttemptPointer["kind"],
    attempt: number,
  ): OverdueMessage | undefined =>
    dueAt === undefined || dueAt + patienceSeconds > now
      ? undefined
      : {
          waitsFor,
          pointer: { kind, application_message_id, attempt },
          overdueSeconds: Math.round(now - dueAt),
          isPastDeadline: deadline <= now,
        };
  if (status === "RETRY_SCHEDULED")
    return found("retry", message.next_attempt_at, "retry-message", latest + 1);
  if (status === "SENDING") return found("send", message.claim_expires_at, "retry-message", latest);
  if (status !== "SENT" || message.status_reason !== outcomeUnknownReason) return undefined;
  const endedAt = message.attempts?.[latest]?.outcome_at;
  const checkedAt = endedAt === undefined ? undefined : endedAt + receiptCheckSeconds;
  return found("receipt", checkedAt, "receipt-check", latest);
}
