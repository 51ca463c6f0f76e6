/**
 * The context that goes with a send and comes back with each of its events: it ties an event to its message
 * and attempt even where our own record of the send was lost.
 */
import type { DeliveryEvent } from "./delivery-event.ts";

/** The context of a send: at most five short text entries, the limit of End User Messaging. */
export interface SendContext {
  readonly application_message_id: string;
  /** The retry tag: number of the attempt, `"0"` = the application's own send. */
  readonly retry_attempt: string;
}

/** The context to send attempt `attempt` of a message with. */
export function sendContext(applicationMessageId: string, attempt: number): SendContext {
  return { application_message_id: applicationMessageId, retry_attempt: String(attempt) };
}

/**
 * Longest id or other text of an event that is looked at, in bytes: the longest key of a DynamoDB table. A longer
 * one cannot be ours, and would be refused by the table and the queue again and again.
 */
export const longestTextBytes = 2_048;

/** Whether a value is a JSON object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Reads the context of a send out of an event: the id of the message and the retry tag. Accepts an object
 * or its JSON text (AWS documents no wire form for v1) and tolerates anything else.
 */
export function readContext(context: unknown): Pick<DeliveryEvent, "applicationMessageId" | "attempt"> {
  const fields = typeof context === "string" ? parseJson(context) : context;
  if (!isRecord(fields)) return {};
  const id = fields.application_message_id;
  const attempt = Number(fields.retry_attempt ?? Number.NaN);
  return {
    ...(typeof id === "string" && id !== "" && Buffer.byteLength(id) <= longestTextBytes
      ? { applicationMessageId: id }
      : {}),
    ...(Number.isInteger(attempt) && attempt >= 0 ? { attempt } : {}),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
