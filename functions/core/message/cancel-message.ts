/** How an application withdraws a message: the code was used, or a newer one was sent. */
import type { Clock } from "../clock.ts";
import { ContentionError } from "../errors.ts";
import { isFinal, type MessageStatus, statusOf } from "./message.ts";
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

/** How often a cancellation is tried because the item changed meanwhile. */
const maxDecisions = 6;

/**
 * Cancels a message: no attempt of it is claimed from now on. A send that is under way is not called back.
 *
 * `docs/protocol.md` has the same as one conditional write, for applications without this code.
 *
 * @throws ContentionError if the item changed under every try; any error of the store
 */
export async function cancelMessage(
  id: string,
  { store, clock, policy: { keptSeconds } }: CancelDependencies,
): Promise<CancelledMessage> {
  let message = await store.read(id);
  for (let decisions = 0; decisions < maxDecisions; decisions += 1) {
    if (message === undefined) return { application_message_id: id };
    const status = statusOf(message);
    if (isFinal(status)) return { application_message_id: id, status };
    const end = { status: "CANCELLED", reason: "cancelled", at: clock.now(), keptSeconds } as const;
    const result = await store.change(id, endSequence(message, end));
    if (result.applied) return { application_message_id: id, status: "CANCELLED" };
    message = result.current;
  }
  throw new ContentionError(maxDecisions);
}
