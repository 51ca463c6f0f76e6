/** What can become of an event, a retry message and a receipt check, and the metric that counts each outcome. */

/** The outcomes of an event. */
export const eventMetrics = {
  "retry-scheduled": "RetryScheduled",
  exhausted: "RetriesExhausted",
  expired: "MessageExpired",
  /** Failed, and the deployment has retries switched off. */
  "retries-off": "RetriesOff",
  rejected: "MessageRejected",
  "opted-out": "RecipientOptedOut",
  delivered: "SequenceDelivered",
  "delivered-at-once": "DeliveredAtOnce",
  /** Changed nothing: a repetition, a stale event, or one after the end of the retry sequence. */
  absorbed: "EventAbsorbed",
  /** About a send that is no attempt of the message. */
  foreign: "ForeignEvent",
  /** Says nothing yet. */
  "in-progress": "EventInProgress",
  /** Its item is not there yet; looked at again later. */
  waiting: "EventWaiting",
  /** Its item never came. */
  orphaned: "EventOrphaned",
  /** A delivery without an item: nothing to correct. */
  "unknown-message": "DeliveryUnknown",
  /** Its item cannot be read; see `outcomeOfItem`. */
  "item-unreadable": "ItemUnreadable",
  /** A newer version wrote its item, which is left alone; see `outcomeOfItem`. */
  "item-status-unknown": "ItemStatusUnknown",
} as const;

/** What became of an event. */
export type EventOutcome = keyof typeof eventMetrics;

/** The outcomes of a retry message. */
export const retryMessageMetrics = {
  sent: "RetrySent",
  /** Sent once more after its outcome stayed unknown; the recipient may get it twice. */
  "sent-again": "PossibleDuplicate",
  /** The outcome of the send is unknown. */
  unconfirmed: "SendUnconfirmed",
  /** The service did not take it now. */
  deferred: "SendDeferred",
  rejected: "MessageRejected",
  "opted-out": "RecipientOptedOut",
  expired: "MessageExpired",
  /** Not sent, because the deployment has switched retries off. */
  "retries-off": "RetriesOff",
  /** It would have been sent, and in shadow mode is only counted. */
  shadowed: "RetryShadowed",
  /** Too early, no permit in this worker's time, or another worker is sending: comes again. */
  "not-due": "RetryMessageNotDue",
  /** Nothing to do: done already, ended, or gone. */
  absorbed: "RetryMessageAbsorbed",
  /** Perhaps sent, and not sent again now: the receipt check decides. */
  "awaiting-receipt": "OutcomeUnknown",
} as const;

/** What became of a retry message. */
export type RetryMessageOutcome = keyof typeof retryMessageMetrics;

/** The outcomes of a receipt check. */
export const receiptCheckMetrics = {
  /** The next attempt is scheduled. */
  "retry-scheduled": "RetryScheduled",
  /** The same attempt is due once more. */
  "repeat-due": "RepeatDue",
  exhausted: "RetriesExhausted",
  expired: "MessageExpired",
  rejected: "MessageRejected",
  "retries-off": "RetriesOff",
  "not-due": "RetryMessageNotDue",
  absorbed: "RetryMessageAbsorbed",
} as const;

/** What became of a receipt check. */
export type ReceiptCheckOutcome = keyof typeof receiptCheckMetrics;
