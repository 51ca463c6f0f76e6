/** Counts and logs what became of an event, a retry message and a receipt check. */
import type { SmsService } from "../events/statuses.ts";
import type { Reason } from "../message/decision.ts";
import type { ReceiptCheck, RetryMessage } from "../queue/queue-messages.ts";
import {
  type EventOutcome,
  eventMetrics,
  type ReceiptCheckOutcome,
  type RetryMessageOutcome,
  receiptCheckMetrics,
  retryMessageMetrics,
} from "./outcomes.ts";
import type { Telemetry } from "./telemetry.ts";

/** What became of an event. */
export interface EventResult {
  readonly outcome: EventOutcome;
  readonly reason: Reason | "no-item" | "unreadable-item" | "unknown-item-status";
  /** Set where the status is none that this version knows, in a form that may be logged. */
  readonly unrecognizedStatus?: string;
  /** Where the item cannot be read: the names of the attributes that are wrong. */
  readonly unreadableAttributes?: readonly string[];
  readonly applicationMessageId?: string;
  readonly attempt?: number;
}

/** Outcomes that are counted and not logged: successes and repetitions. */
const quietOutcomes: ReadonlySet<EventOutcome> = new Set([
  "absorbed",
  "in-progress",
  "delivered-at-once",
  "unknown-message",
  "waiting",
]);

/** Counts an event's outcome, and logs what changed a message or needs somebody's eye. */
export function reportEvent(handled: EventResult, telemetry: Telemetry): void {
  const { outcome, reason, applicationMessageId, attempt, unrecognizedStatus, unreadableAttributes } =
    handled;
  telemetry.count(eventMetrics[outcome]);
  const fields = {
    ...(applicationMessageId !== undefined && { application_message_id: applicationMessageId }),
    ...(attempt !== undefined && { attempt }),
    outcome,
    reason,
  };
  if (unrecognizedStatus !== undefined) {
    telemetry.count("StatusUnrecognized");
    telemetry.warn(
      "An event has a status or a type that this version does not know, so it is not retried; look for a newer version.",
      {
        ...fields,
        status: unrecognizedStatus,
      },
    );
  } else if (outcome === "item-unreadable") {
    telemetry.error(
      "An item cannot be read, so its message is not sent again; correct the attributes and what writes them.",
      {
        ...fields,
        ...(unreadableAttributes !== undefined && { attributes: unreadableAttributes }),
      },
    );
  } else if (outcome === "item-status-unknown") {
    telemetry.warn(
      "An item has a status that this version does not know, so it is left alone; deploy the version that wrote it.",
      fields,
    );
  } else if (outcome === "orphaned") {
    telemetry.warn(
      "An event has no item in the table and was counted as an orphan; look when and where its item is written.",
      fields,
    );
  } else if (!quietOutcomes.has(outcome)) {
    telemetry.info("A delivery event changed a message.", fields);
  }
}

/** What became of a record of a stream. */
export interface RecordReport {
  readonly id: string;
  /** Where the record stood in its batch, from 0. */
  readonly position: number;
  readonly result: "handled" | "malformed" | "failed";
  /** Whether the record itself can be read; else what is wrong may be an item that it is about. */
  readonly isReadable: boolean;
  readonly problem?: string;
}

/** Counts and logs a record that failed or cannot be read. */
export function reportRecord(
  { id, position, result, isReadable, problem = "" }: RecordReport,
  telemetry: Telemetry,
): void {
  if (result === "failed") {
    telemetry.count("EventFailed");
    telemetry.error(
      "An event could not be handled now, so its record comes again; if that goes on, remove the cause.",
      {
        record_id: id,
        position,
        error: problem,
      },
    );
  } else if (!isReadable) {
    telemetry.count("RecordMalformed");
    telemetry.warn("A malformed record was quarantined; look at what writes it to the stream.", {
      record_id: id,
      position,
      reason: problem,
    });
  }
}

/** What became of a retry message. */
export interface RetryMessageResult {
  readonly outcome: RetryMessageOutcome;
  readonly reason: string;
  /** How many entries of the context the service had no room for; absent = none. */
  readonly contextLeftOut?: number;
  /** What has taken the send; absent = nothing has. */
  readonly service?: SmsService;
  /** How many parts would have been sent in shadow mode. */
  readonly shadowParts?: number;
  /** Whose sends wait until an operator removes the reason; absent = nobody's. */
  readonly blocks?: "all" | "some";
  /** Whether an operator's pause without an end is the reason, and it is time to say so again. */
  readonly remindsOfPause?: boolean;
  /** Whether the retry was due so long ago that somebody should hear of it. */
  readonly isLate?: boolean;
}

/** Counts a retry message's outcome, and logs it unless nothing was done. */
export function reportRetryMessage(
  { application_message_id, attempt }: RetryMessage,
  { outcome, reason, isLate, service, blocks, remindsOfPause, ...sent }: RetryMessageResult,
  telemetry: Telemetry,
): void {
  const { contextLeftOut, shadowParts } = sent;
  telemetry.count(retryMessageMetrics[outcome]);
  if (isLate === true) telemetry.count("RetryLate");
  if (outcome === "not-due") countClosedGate(reason, remindsOfPause, telemetry);
  if (contextLeftOut !== undefined) telemetry.count("ContextLeftOut", contextLeftOut);
  if (shadowParts !== undefined) telemetry.count("ShadowParts", shadowParts);
  if (service !== undefined) countAccepted(service, telemetry);
  if (blocks !== undefined) telemetry.count(blocks === "all" ? "SendBlocked" : "SendBlockedForSome");
  const fields = { application_message_id, attempt, outcome, reason };
  if (outcome === "sent-again" || outcome === "unconfirmed" || outcome === "awaiting-receipt") {
    telemetry.warn("The outcome of a send was lost; the delivery guarantee decides what follows.", fields);
  } else if (outcome !== "absorbed" && outcome !== "not-due") {
    telemetry.info("A retry message was handled.", fields);
  }
}

/**
 * Counts a send that a service has taken: of one by End User Messaging no event comes where its configuration set is
 * missing, which only the two counts together show.
 */
export function countAccepted(service: SmsService, telemetry: Pick<Telemetry, "count">): void {
  if (service === "end-user-messaging") telemetry.count("EndUserMessagingSent");
}

/**
 * Counts a send that waits because nothing leaves by its gate. Only more than may go at once is no event.
 *
 * @param remindsOfPause see {@link RetryMessageResult.remindsOfPause}
 */
export function countClosedGate(
  reason: string,
  remindsOfPause: boolean | undefined,
  telemetry: Pick<Telemetry, "count">,
): void {
  if (reason === "breaker-closed") telemetry.count("SendBreakerClosed");
  if (reason === "paused") telemetry.count("SendPaused");
  if (remindsOfPause === true) telemetry.count("SendPausedWithoutEnd");
}

/** What became of a receipt check. */
export interface ReceiptCheckResult {
  readonly outcome: ReceiptCheckOutcome;
  readonly reason: string;
  /** Whether an attempt was found to have no receipt. */
  readonly foundNone?: boolean;
}

/** Counts a receipt check's outcome, and logs each attempt that was found to have no receipt. */
export function reportReceiptCheck(
  { application_message_id, attempt }: ReceiptCheck,
  { outcome, reason, foundNone }: ReceiptCheckResult,
  telemetry: Telemetry,
): void {
  telemetry.count(receiptCheckMetrics[outcome]);
  if (foundNone !== true) return;
  telemetry.count("NoReceipt");
  telemetry.warn("No event of an attempt has come in time; the delivery guarantee decides what follows.", {
    application_message_id,
    attempt,
    outcome,
    reason,
  });
}
