/**
 * Which row of which decision table lies behind a step of a message, as far as its item tells: the tables are those in the
 * docs of `decision.ts`, `retry-message-decision.ts` and `receipt-check.ts`, and an answer of the service is no table's.
 *
 * The rules are not written twice. What was done stands in the item; of the facts under which {@link decide} does just
 * that, the first gives the row.
 */
import type { EventClass } from "../events/classification.ts";
import { type StatusClass, statusFacts } from "../events/statuses.ts";
import { type Action, type Decision, decide, type Facts } from "../message/decision.ts";
import {
  type Attempt,
  isFinal,
  latestAttemptOf,
  type Message,
  type MessageStatus,
  noReceiptOutcome,
  retriesOffReason,
  statusOf,
  unconfirmedOutcome,
} from "../message/message.ts";
import type { RetryMessageDecision } from "../message/retry-message-decision.ts";
import type { ReceiptDecision } from "../sending/receipt-check.ts";

/** A row of a decision table, by its last two columns. */
export type DecidedRow =
  | { readonly table: "event"; readonly action: Action; readonly reason: Decision["reason"] }
  | RowOf<"retry-message", RetryMessageDecision>
  | RowOf<"receipt-check", ReceiptDecision>
  /** What the service answered to a send; or that there was nothing to send. */
  | { readonly table: "send"; readonly action: "reject" | "opt-out"; readonly reason: string };

type RowOf<Table, Decided extends { readonly action: string; readonly reason: string }> = {
  readonly table: Table;
  readonly action: Decided["action"];
  readonly reason: Decided["reason"];
};

/** Whether an attempt's outcome is what ended the message. */
export function isEndOf(message: Message, attempt: number, record: Attempt): boolean {
  if (!isFinal(statusOf(message)) || record.outcome === undefined) return false;
  return message.ended_at === undefined
    ? attempt === latestAttemptOf(message)
    : record.outcome_at === message.ended_at;
}

/** The row by which an attempt was claimed; a first send of the producer's is claimed by none. */
export function rowOfClaim(attempt: number, { repeats = 0 }: Attempt): DecidedRow | undefined {
  if (repeats > 0) return { table: "retry-message", action: "claim-again", reason: "lease-over" };
  return attempt === 0 ? undefined : { table: "retry-message", action: "claim", reason: "due" };
}

/** The row that followed from an attempt's outcome; `undefined` where nothing did, or another attempt's came first. */
export function rowOfOutcome(message: Message, attempt: number, record: Attempt): DecidedRow | undefined {
  const { outcome } = record;
  if (outcome === undefined) return undefined;
  if (outcome === unconfirmedOutcome) {
    return { table: "retry-message", action: "await-receipt", reason: "outcome-unknown" };
  }
  const isEnd = isEndOf(message, attempt, record);
  if (isEnd && statusFacts(outcome)?.class === "delivered") return rowOfDelivery(message, attempt, record);
  const action = isEnd ? endActions[statusOf(message)] : actionBefore(message, attempt, record);
  if (action === undefined) return undefined;
  if (outcome === noReceiptOutcome) return rowOfNoReceipt(message, action);
  if (isEnd && isAnswer(record)) {
    return { table: "send", action: action === "opt-out" ? "opt-out" : "reject", reason: outcome };
  }
  return rowOfEvent(action, outcome, message.status_reason);
}

/** The row by which a message ended that no attempt's outcome ended. */
export function rowOfEnd({ status, status_reason }: Message): DecidedRow | undefined {
  if (status === "EXPIRED") return { table: "retry-message", action: "expire", reason: "deadline" };
  if (status !== "REJECTED") return undefined;
  if (status_reason === "body-too-long") {
    return { table: "retry-message", action: "reject", reason: "body-too-long" };
  }
  return { table: "send", action: "reject", reason: status_reason ?? "nothing-to-send" };
}

/** What an event does that ends a message in a state. */
const endActions: Readonly<Partial<Record<MessageStatus, Action>>> = {
  EXHAUSTED: "exhaust",
  EXPIRED: "expire",
  REJECTED: "reject",
  OPTED_OUT: "opt-out",
};

/** What was done about an outcome that ended nothing. */
function actionBefore(message: Message, attempt: number, record: Attempt): Action | undefined {
  if (record.retry_scheduled_at !== undefined) return "schedule";
  const isNoted = attempt === latestAttemptOf(message) && message.status_reason === retriesOffReason;
  return isNoted ? "note-failure" : undefined;
}

/** Whether an outcome is the service's answer to a send: an event would have told the service's id. */
function isAnswer({ claim_id, message_id }: Attempt): boolean {
  return claim_id !== undefined && message_id === undefined;
}

function positionOf(message: Message, attempt: number): Facts["attempt"] {
  if (attempt < latestAttemptOf(message)) return "earlier";
  return attempt === 0 ? "only" : "latest";
}

function rowOfDelivery(message: Message, attempt: number, record: Attempt): DecidedRow {
  const wasScheduled = attempt === latestAttemptOf(message) && record.retry_scheduled_at !== undefined;
  const facts: Facts = {
    event: "delivered",
    status: message.corrected_from ?? (wasScheduled ? "RETRY_SCHEDULED" : "SENT"),
    attempt: positionOf(message, attempt),
    content: "sendable",
    retries: "left",
    time: "left",
  };
  return { table: "event", ...decide(facts) };
}

function rowOfNoReceipt({ status_reason }: Message, action: Action): DecidedRow | undefined {
  const table = "receipt-check";
  switch (action) {
    case "schedule":
    case "expire":
    case "exhaust":
      return { table, action, reason: noReceiptOutcome };
    case "note-failure":
      return { table, action: "note", reason: retriesOffReason };
    case "reject":
      return status_reason === "nothing-to-send" ? { table, action, reason: status_reason } : undefined;
    default:
      return undefined;
  }
}

/** What an outcome may have been taken for: the deployment's `retryable_statuses` are not known here. */
const possibleClasses: Readonly<Record<StatusClass | "unlisted", readonly EventClass[]>> = {
  delivered: [],
  "in-progress": [],
  retryable: ["retryable", "permanent"],
  "retryable-if-named": ["permanent", "retryable"],
  permanent: ["permanent"],
  "opted-out": ["opted-out"],
  unlisted: ["unrecognized", "retryable"],
};

/** Reasons that stand in the item in place of the event's status. */
const writtenReasons: ReadonlySet<string> = new Set<Decision["reason"]>([
  "nothing-to-send",
  "body-too-long",
  "deadline",
  "age-unknown",
]);

/** The row of the decision table that does this about a failure with this outcome. */
function rowOfEvent(
  action: Action,
  outcome: string,
  statusReason: string | undefined,
): DecidedRow | undefined {
  const fits = (decided: Decision): boolean => {
    if (decided.action !== action) return false;
    if (action === "schedule") return true;
    const isWritten = statusReason !== undefined && writtenReasons.has(statusReason);
    return isWritten ? decided.reason === statusReason : !writtenReasons.has(decided.reason);
  };
  const found = possibleFacts(outcome).map(decide).find(fits);
  return found === undefined ? undefined : { table: "event", ...found };
}

/** What was done about a failure was done while its attempt was the latest, and nothing was scheduled. */
function possibleFacts(outcome: string): Facts[] {
  const classes = possibleClasses[statusFacts(outcome)?.class ?? "unlisted"];
  return classes.flatMap((event) =>
    (["left", "none", "off"] as const).flatMap((retries) =>
      (["sendable", "missing", "too-long"] as const).flatMap((content) =>
        (["left", "over", "unknown"] as const).map(
          (time): Facts => ({ event, status: "SENT", attempt: "latest", content, retries, time }),
        ),
      ),
    ),
  );
}
