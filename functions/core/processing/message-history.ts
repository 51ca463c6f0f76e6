/**
 * What happened to a message, and what happens next, told from its item: for an operator who asks where an SMS is, and an
 * application that asks where its message stands. Neither body nor number is in it.
 */
import { statusFacts } from "../events/statuses.ts";
import {
  type Attempt,
  type DeliveryGuarantee,
  isFinal,
  isGone,
  isNotRetried,
  isReopenable,
  isUnconfirmed,
  latestAttemptOf,
  type Message,
  type MessageStatus,
  noReceiptOutcome,
  statusOf,
  unconfirmedOutcome,
} from "../message/message.ts";
import { decideRetryMessage, type RetryMessageDecision } from "../message/retry-message-decision.ts";
import { type DecidedRow, isEndOf, rowOfClaim, rowOfEnd, rowOfOutcome } from "./decided-row.ts";

/** One thing that happened; times are epoch seconds. */
export interface HistoryStep {
  readonly kind:
    | "created"
    | "claimed"
    | "accepted"
    | "outcome"
    | "shadowed"
    | "resent"
    | "ended"
    | "not-retried";
  /** Absent where nobody has noted it. */
  readonly at?: number;
  readonly attempt?: number;
  /** A sentence. */
  readonly text: string;
  /** The row of a decision table behind it; absent where none is. */
  readonly row?: DecidedRow;
}

/** What happens next. */
export interface NextStep {
  /** A sentence. */
  readonly text: string;
  /** When, at the earliest; epoch seconds; absent where nobody can know. */
  readonly at?: number;
  /** What the retry message will be decided by, if nothing else happens before. */
  readonly row?: DecidedRow;
}

/** A message as it is told; in the words of the table, times in epoch seconds. */
export interface MessageHistory {
  readonly application_message_id: string;
  readonly status: MessageStatus;
  readonly status_reason?: string;
  /** Number of the latest attempt. */
  readonly retry_count: number;
  readonly created_at?: number;
  readonly deadline?: number;
  readonly next_attempt_at?: number;
  readonly ended_at?: number;
  readonly expires_at?: number;
  /** Whether nothing will be sent any more, save by an operator. */
  readonly is_over: boolean;
  readonly steps: readonly HistoryStep[];
  readonly next: NextStep;
}

/** What a history rests on besides the item. */
export interface HistoryFacts {
  /** Epoch seconds. */
  readonly now: number;
  /** The deployment's guarantee; the item's own overrides it. */
  readonly guarantee: DeliveryGuarantee;
}

/** The history of a message. Pure: the same item and time give the same. */
export function historyOf(message: Message, facts: HistoryFacts): MessageHistory {
  const { status_reason, created_at, deadline, next_attempt_at, ended_at, expires_at } = message;
  const status = statusOf(message);
  return {
    application_message_id: message.application_message_id,
    status,
    ...(status_reason !== undefined && { status_reason }),
    retry_count: latestAttemptOf(message),
    ...(created_at !== undefined && { created_at }),
    ...(deadline !== undefined && { deadline }),
    ...(next_attempt_at !== undefined && { next_attempt_at }),
    ...(ended_at !== undefined && { ended_at }),
    ...(expires_at !== undefined && { expires_at }),
    is_over: isFinal(status) || (status === "SENT" && isNotRetried(message)) || isGone(message, facts.now),
    steps: stepsOf(message),
    next: nextOf(message, facts),
  };
}

/** When a message ended; where its item does not say, when its latest attempt did. */
export function endedAtOf(message: Message): number | undefined {
  if (!isFinal(statusOf(message))) return undefined;
  return message.ended_at ?? message.attempts?.[latestAttemptOf(message)]?.outcome_at;
}

/** In the order of time; what has none stays where it belongs. */
function stepsOf(message: Message): HistoryStep[] {
  const { created_at } = message;
  // Keys that are numbers come in their order.
  const attempts = Object.entries(message.attempts ?? {}).map(
    ([key, record]) => [Number(key), record] as const,
  );
  const steps: HistoryStep[] = [
    ...(created_at === undefined
      ? []
      : [{ kind: "created" as const, at: created_at, text: "The message was created." }]),
    ...attempts.flatMap(([attempt, record]) => stepsOfAttempt(message, attempt, record)),
    ...endOf(message),
  ];
  let latest = Number.NEGATIVE_INFINITY;
  const timed = steps.map((step) => {
    latest = step.at ?? latest;
    return { step, at: latest };
  });
  return timed.sort((a, b) => a.at - b.at || 0).map(({ step }) => step);
}

function stepsOfAttempt(message: Message, attempt: number, record: Attempt): HistoryStep[] {
  const { claimed_at, sent_at, message_id, origination, shadowed_at, resent_at, resend_reason } = record;
  const steps: HistoryStep[] = [];
  const add = (kind: HistoryStep["kind"], at: number | undefined, text: string, row?: DecidedRow) => {
    steps.push({
      kind,
      attempt,
      text,
      ...(at !== undefined && { at }),
      ...(row !== undefined && { row }),
    });
  };
  if (claimed_at !== undefined)
    add("claimed", claimed_at, claimText(attempt, record), rowOfClaim(attempt, record));
  if (sent_at !== undefined) {
    const from = origination === undefined ? "" : `, from ${origination}`;
    add(
      "accepted",
      sent_at,
      `The service took attempt ${attempt} as ${message_id ?? "an unknown id"}${from}.`,
    );
  }
  if (record.outcome !== undefined) {
    const row = isEndOf(message, attempt, record) ? undefined : rowOfOutcome(message, attempt, record);
    add("outcome", record.outcome_at, outcomeText(attempt, record.outcome, record), row);
  }
  if (shadowed_at !== undefined) {
    const row = { table: "retry-message", action: "shadow", reason: "shadow-mode" } as const;
    add("shadowed", shadowed_at, `Retry ${attempt + 1} was counted and not sent: shadow mode.`, row);
  }
  if (resent_at !== undefined) {
    add(
      "resent",
      resent_at,
      `An operator began a new retry sequence: ${resend_reason ?? "no reason given"}.`,
    );
  }
  return steps;
}

function claimText(attempt: number, { repeats = 0, possible_duplicate }: Attempt): string {
  const mark = possible_duplicate === true ? ", as a possible duplicate" : "";
  if (repeats > 0) return `Attempt ${attempt} was claimed once more (${repeats} so far)${mark}.`;
  return `A worker claimed attempt ${attempt}${mark}.`;
}

function outcomeText(
  attempt: number,
  outcome: string,
  { retry_scheduled_at, message_id, claim_id }: Attempt,
): string {
  const then = retry_scheduled_at === undefined ? "." : "; a retry was scheduled.";
  if (outcome === unconfirmedOutcome) {
    return `Nobody knows whether attempt ${attempt} was sent: its answer was lost, or its worker died.`;
  }
  if (outcome === noReceiptOutcome) return `No delivery event of attempt ${attempt} came in time${then}`;
  const facts = statusFacts(outcome);
  if (facts === undefined && claim_id !== undefined && message_id === undefined) {
    return `The service refused attempt ${attempt}: ${outcome}${then}`;
  }
  const meaning = facts === undefined ? "" : ` (${facts.meaning})`;
  if (facts?.class === "delivered") return `Attempt ${attempt} was delivered: ${outcome}${meaning}.`;
  return `Attempt ${attempt} failed: ${outcome}${meaning}${then}`;
}

/** What each end says in words. */
const endTexts: Readonly<Partial<Record<MessageStatus, string>>> = {
  DELIVERED: "it was delivered",
  EXHAUSTED: "no retry is left",
  EXPIRED: "its time was over",
  REJECTED: "it cannot be sent",
  OPTED_OUT: "the recipient wants no messages",
  CANCELLED: "it was withdrawn",
};

function endOf(message: Message): HistoryStep[] {
  const status = statusOf(message);
  const { status_reason = "no reason given", corrected_from, cancelled_reason } = message;
  if (!isFinal(status)) {
    return isNotRetried(message) && status_reason !== "shadow-mode"
      ? [{ kind: "not-retried", text: "The failure is not retried: the deployment has max_retries = 0." }]
      : [];
  }
  const at = endedAtOf(message);
  const deciding = Object.entries(message.attempts ?? {}).find(([key, record]) =>
    isEndOf(message, Number(key), record),
  );
  const row =
    deciding === undefined ? rowOfEnd(message) : rowOfOutcome(message, Number(deciding[0]), deciding[1]);
  const before = corrected_from === undefined ? "" : ` It had ended as ${corrected_from} before.`;
  const by = cancelled_reason === undefined ? "" : ` An operator cancelled it: ${cancelled_reason}.`;
  return [
    {
      kind: "ended",
      text: `The message ended as ${status}, ${endTexts[status]} (${status_reason}).${before}${by}`,
      ...(at !== undefined && { at }),
      ...(row !== undefined && { row }),
    },
  ];
}

function nextOf(message: Message, { now, guarantee }: HistoryFacts): NextStep {
  const status = statusOf(message);
  const latest = latestAttemptOf(message);
  if (isGone(message, now)) return { text: "Nothing: its item is past its expires_at." };
  if (isFinal(status)) {
    return {
      text: isReopenable(status)
        ? "Nothing, unless a late delivery corrects the end, or an operator resends it."
        : "Nothing.",
    };
  }
  const waitsForEvent = status === "SENT" && !isUnconfirmed(message);
  if (waitsForEvent && isNotRetried(message)) {
    return { text: "Nothing, unless an operator resends it; a delivery event is still noted." };
  }
  if (waitsForEvent) {
    return {
      text: `The delivery event of attempt ${latest}. A message that is delivered at once stays SENT, unless track_deliveries is "all".`,
    };
  }
  const attempt = status === "RETRY_SCHEDULED" ? latest + 1 : latest;
  const decision = decideRetryMessage(message, { attempt, now, guarantee });
  return {
    text: nextText(decision, attempt),
    ...("until" in decision && { at: decision.until }),
    row: { table: "retry-message", action: decision.action, reason: decision.reason },
  };
}

/** What a retry message that came now would do. */
function nextText({ action, reason }: RetryMessageDecision, attempt: number): string {
  switch (action) {
    case "defer":
      return reason === "being-sent"
        ? `Attempt ${attempt} is being sent, or waits for its next try; until then nobody else takes it.`
        : `Attempt ${attempt} is due then.`;
    case "claim":
    case "correct-times":
      return `Attempt ${attempt} is due: it is sent as soon as its retry message comes and the gate lets it through.`;
    case "claim-again":
      return reason === "due"
        ? `Attempt ${attempt} is tried again as soon as its retry message comes.`
        : `The lease of attempt ${attempt} is over: with at-least-once it is sent once more, marked; with at-most-once its receipt is awaited.`;
    case "expire":
      return "Its deadline has passed: it ends as EXPIRED as soon as its retry message comes.";
    case "reject":
      return "Its body is too long: it ends as REJECTED as soon as its retry message comes.";
    case "await-receipt":
    case "check-receipt":
      return `A receipt check looks for a delivery event of attempt ${attempt}.`;
    case "unschedule":
    case "shadow":
    case "drop":
      return "Nothing.";
  }
}
