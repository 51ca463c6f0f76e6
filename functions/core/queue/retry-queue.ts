/** The port to the retry queue. */
import type { QueueMessage } from "./queue-messages.ts";

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
