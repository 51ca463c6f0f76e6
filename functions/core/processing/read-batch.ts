/** The read at the start of a batch. */
import type { Message } from "../message/message.ts";
import type { MessageStore } from "../message/message-store.ts";
import { errorName, type Telemetry } from "../observability/telemetry.ts";

/**
 * The items of a whole batch by id, in one eventually consistent read, so possibly old, and `undefined` for an id that
 * has none. Never rejects: where it fails nothing is known of any id, and each part of the batch reads its own item.
 *
 * @param part what the batch consists of, for the log line
 */
export async function readBatch(
  ids: readonly string[],
  part: "event" | "message",
  { store, telemetry }: { readonly store: MessageStore; readonly telemetry: Telemetry },
): Promise<ReadonlyMap<string, Message | undefined>> {
  if (ids.length === 0) return new Map();
  try {
    return await store.readMany(ids);
  } catch (error) {
    telemetry.warn(`The batch read failed; every ${part} reads its own item.`, { error: errorName(error) });
    return new Map();
  }
}
