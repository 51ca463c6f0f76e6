/** The port to the retry queue, and what travels through it. */
import type { DeliveryEvent } from "../events/delivery-event.ts";

/** "Attempt n of this message is due": a pointer to an item, without authority, number or body. */
export interface RetryMessage {
  readonly kind: "retry-message";
  readonly application_message_id: string;
  /** The attempt that is due; 0 only where the outcome of the producer's first send is unknown. */
  readonly attempt: number;
  /** How often the service has put this attempt off; only lengthens the back-off. */
  readonly deferrals?: number;
}

/** An event that came before its item (design rule 9): it waits a while and is looked at again. */
export interface WaitingEvent {
  readonly kind: "waiting-event";
  readonly event: DeliveryEvent;
  /** When the event was first seen without an item, epoch seconds. */
  readonly first_seen_at: number;
}

/** "Look whether attempt n got an event" (design 11.1): a pointer as {@link RetryMessage} is. */
export interface ReceiptCheck {
  readonly kind: "receipt-check";
  readonly application_message_id: string;
  readonly attempt: number;
}

/** What every message of the queue may carry besides. */
interface MayBeFailing {
  /** Since when it could not be handled because something was out of reach, epoch seconds; absent while it is not. */
  readonly failing_since?: number;
}

/** What travels through the retry queue. */
export type QueueMessage = (RetryMessage | WaitingEvent | ReceiptCheck) & MayBeFailing;

/** A message for the queue and when it shall come out. */
export interface QueueEntry {
  readonly message: QueueMessage;
  /** Epoch seconds; the past means at once. */
  readonly dueAt: number;
}

/** The queue that brings messages back after a delay, at least once, in any order. */
export interface RetryQueue {
  /**
   * Puts entries on the queue, however many and however far ahead.
   *
   * @returns one flag an entry, in order: false where this entry is not on the queue and has to be put there
   *   again; never rejects for reasons of the service
   */
  put(entries: readonly QueueEntry[]): Promise<boolean[]>;
}
