/** How an application or an operator withdraws a message: the code was used, a newer one was sent, the text is wrong. */
import type { Clock } from "../clock.ts";
import { ContentionError } from "../errors.ts";
import { isFinal, type Message, type MessageStatus, statusOf } from "./message.ts";
import { endSequence } from "./message-changes.ts";
import type { MessageStore } from "./message-store.ts";
import type { RetryPolicy } from "./retry-policy.ts";

/** What the application gets back. */
export interface CancelledMessage {
  readonly application_message_id: string;
  /** `CANCELLED`, or the status in which the retry sequence had ended before; absent where there is no such message. */
  readonly status?: MessageStatus;
}

/** What cancelling needs. */
export interface CancelDependencies {
  readonly store: MessageStore;
  readonly clock: Pick<Clock, "now">;
  readonly policy: Pick<RetryPolicy, "keptSeconds">;
}

/** What a withdrawal found, and left. */
export interface Withdrawal {
  /** The message as it was before; absent where there is none. */
  readonly before?: Message;
  /** Whether this withdrawal ended it; otherwise it had ended before. */
  readonly isCancelled: boolean;
}

/** How often a cancellation is tried because the item changed meanwhile. */
const maxDecisions = 6;

/**
 * Cancels a message: no attempt of it is claimed from now on. A send that is under way is not called back.
 *
 * `docs/protocol.md` has the same as one conditional write, for applications without this code.
 *
 * @throws ContentionError if the item changed under every try; any error of the store
 */
export async function cancelMessage(id: string, dependencies: CancelDependencies): Promise<CancelledMessage> {
  const { before, isCancelled } = await withdrawMessage(id, dependencies);
  if (before === undefined) return { application_message_id: id };
  return { application_message_id: id, status: isCancelled ? "CANCELLED" : statusOf(before) };
}

/**
 * The same, told more fully: what was withdrawn, in which state.
 *
 * @param reason of the operator; kept in the item
 * @throws ContentionError if the item changed under every try; any error of the store
 */
export async function withdrawMessage(
  id: string,
  { store, clock, policy: { keptSeconds } }: CancelDependencies,
  reason?: string,
): Promise<Withdrawal> {
  let message = await store.read(id);
  for (let decisions = 0; decisions < maxDecisions; decisions += 1) {
    if (message === undefined) return { isCancelled: false };
    if (isFinal(statusOf(message))) return { before: message, isCancelled: false };
    const end = {
      status: "CANCELLED",
      reason: "cancelled",
      at: clock.now(),
      keptSeconds,
      ...(reason !== undefined && { cancelledReason: reason }),
    } as const;
    const result = await store.change(id, endSequence(message, end));
    if (result.applied) return { before: message, isCancelled: true };
    message = result.current;
  }
  throw new ContentionError(maxDecisions);
}
