/** The port to logs and metrics. Its types keep message bodies and phone numbers out by construction. */
import type {
  EventOutcome,
  eventMetrics,
  ReceiptCheckOutcome,
  RetryMessageOutcome,
  receiptCheckMetrics,
  retryMessageMetrics,
} from "./outcomes.ts";

/** Every metric of the project; CloudWatch namespace = the stack's `name_prefix`, dimension `service`. */
export type MetricName =
  | (typeof eventMetrics)[EventOutcome]
  | (typeof retryMessageMetrics)[RetryMessageOutcome]
  | (typeof receiptCheckMetrics)[ReceiptCheckOutcome]
  | (typeof otherMetrics)[number];

/** The metrics that count no outcome. `docs/operations.md` explains every metric. */
export const otherMetrics = [
  "RecordMalformed",
  "EventFailed",
  "NotSms",
  "ForeignEvent",
  "StatusUnrecognized",
  "RetryMessageFailed",
  "RetryMessageMalformed",
  "RetryLate",
  "SendBlocked",
  "SendBlockedForSome",
  "SendBreakerClosed",
  "SendPaused",
  "SendPausedWithoutEnd",
  "NoReceipt",
  "RetryMessageNotQueued",
  "SettingsInvalid",
  "Produced",
  "ContextLeftOut",
  "EndUserMessagingSent",
  "EndUserMessagingEvent",
  "ShadowParts",
] as const;

/** What a log line may hold: ids, words of ours and counts; never a number, a body or an error's text. */
export interface LogFields {
  readonly application_message_id?: string;
  readonly attempt?: number;
  readonly outcome?: string;
  readonly reason?: string;
  /** Class of an error; its text may quote a request. */
  readonly error?: string;
  /** Where a record stood in its batch, from 0. */
  readonly position?: number;
  /** The stream's or the queue's own id of a record. */
  readonly record_id?: string;
  readonly status?: string;
  /** Names of an item's attributes, never their values. */
  readonly attributes?: readonly string[];
  readonly count?: number;
}

/** Logs and metrics. */
export interface Telemetry {
  count(metric: MetricName, value?: number): void;
  info(text: string, fields?: LogFields): void;
  warn(text: string, fields?: LogFields): void;
  error(text: string, fields?: LogFields): void;
}

/** The part of an error that may be logged: its class. Texts of AWS errors can quote numbers. */
export function errorName(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
