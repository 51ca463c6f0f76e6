/** Messages and records for tests whose clock is the machine's: the built bundles ask nobody else for the time. */
import { pinpointRecord, sentMessage } from "./messages.ts";

/** An item as the producer leaves it after a send a minute ago. */
export function recentlySent(id: string, changes: Record<string, unknown> = {}): Record<string, unknown> {
  const sentAt = Math.floor(Date.now() / 1000) - 60;
  // Tests send events of any id about it: the item must not know the id of its first send.
  const { pinpoint_message_id: _, ...message } = sentMessage();
  return {
    ...message,
    application_message_id: id,
    created_at: sentAt,
    deadline: sentAt + 86_400,
    expires_at: sentAt + 5 * 86_400,
    attempts: { "0": { claim_id: "claim-0", claimed_at: sentAt, sent_at: sentAt } },
    ...changes,
  };
}

/** The Pinpoint event that attempt `attempt` of a message has failed just now. */
export function failureRecord(
  id: string,
  attempt = 0,
  attributes: Record<string, unknown> = {},
): Record<string, unknown> {
  return pinpointRecord({
    event_timestamp: Date.now(),
    attributes: {
      message_id: `${id}-attempt-${attempt}`,
      customer_context: JSON.stringify({ application_message_id: id, retry_attempt: String(attempt) }),
      ...attributes,
    },
  });
}
