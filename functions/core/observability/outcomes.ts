/** What can become of an event, a retry message and a receipt check: each outcome has its metric. */

/** What became of an event; each is a metric, see `telemetry.ts`. */
export type EventOutcome =
  | "retry-scheduled"
  | "exhausted"
  | "expired"
  /** Failed, and the deployment has retries switched off. */
  | "retries-off"
  | "rejected"
  | "opted-out"
  | "delivered"
  | "delivered-at-once"
  /** Changed nothing: a repetition, a stale event, or one after the end of the retry sequence. */
  | "absorbed"
  /** About a send that is no attempt of the message. */
  | "foreign"
  /** Says nothing yet. */
  | "in-progress"
  /** Its item is not there yet; looked at again later. */
  | "waiting"
  /** Its item never came. */
  | "orphaned"
  /** A delivery without an item: nothing to correct. */
  | "unknown-message"
  /** Its item cannot be read; see {@link outcomeOfItem}. */
  | "item-unreadable"
  /** A newer version wrote its item, which is left alone; see {@link outcomeOfItem}. */
  | "item-status-unknown";

/** What became of a retry message; each is a metric, see `telemetry.ts`. */
export type RetryMessageOutcome =
  | "sent"
  /** Sent once more after its outcome stayed unknown; the recipient may get it twice. */
  | "sent-again"
  /** The outcome of the send is unknown. */
  | "unconfirmed"
  /** The service did not take it now. */
  | "deferred"
  | "rejected"
  | "opted-out"
  | "expired"
  /** Not sent, because the deployment has switched retries off. */
  | "retries-off"
  /** Too early, no permit in this worker's time, or another worker is sending: comes again. */
  | "not-due"
  /** Nothing to do: done already, ended, or gone. */
  | "absorbed"
  /** Perhaps sent, and not sent again now: the receipt check decides. */
  | "awaiting-receipt";

/** What became of a receipt check; each is a metric, see `telemetry.ts`. */
export type ReceiptCheckOutcome =
  /** The next attempt is scheduled. */
  | "retry-scheduled"
  /** The same attempt is due once more. */
  | "repeat-due"
  | "exhausted"
  | "expired"
  | "rejected"
  | "retries-off"
  | "not-due"
  | "absorbed";
