/**
 * The context that goes with a send and comes back with each of its events: it ties an event to its message
 * and attempt even where our own record of the send was lost.
 */
import type { DeliveryEvent } from "./delivery-event.ts";
import { highestMaxRetries } from "./retry-policy.ts";

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
 * or its JSON text (AWS documents no wire form for v1). Never throws: anything else is as good as absent.
 *
 * The id is a text that can be a key of the table: not empty, and {@link isReadableText}. The retry tag is an
 * attempt that a deployment can have: a whole number from 0 to {@link highestMaxRetries}, or its decimal text.
 */
export function readContext(context: unknown): Pick<DeliveryEvent, "applicationMessageId" | "attempt"> {
  const fields = typeof context === "string" ? parseJson(context) : context;
  if (!isRecord(fields)) return {};
  const { application_message_id: id, retry_attempt: tag } = fields;
  const attempt = attemptIn(tag);
  return {
    ...(typeof id === "string" && id !== "" && isReadableText(id) && { applicationMessageId: id }),
    ...(attempt !== undefined && { attempt }),
  };
}

/**
 * Whether a text of an event is looked at: it is short enough, and it has a UTF-8 form. DynamoDB refuses a key with
 * half a character (a lone surrogate), and with it the read of the whole batch.
 */
export function isReadableText(text: string): boolean {
  return Buffer.byteLength(text) <= longestTextBytes && text.isWellFormed();
}

const highestTag = String(highestMaxRetries);

/** The attempt that a retry tag names. Only numbers and short texts are looked at: nothing else is cheap to convert. */
function attemptIn(tag: unknown): number | undefined {
  const isText = typeof tag === "string" && tag.length <= highestTag.length;
  if (!isText && typeof tag !== "number") return undefined;
  const attempt = Number(tag);
  if (!Number.isInteger(attempt) || attempt < 0 || attempt > highestMaxRetries) return undefined;
  if (isText && String(attempt) !== tag) return undefined;
  // JSON knows a zero below zero.
  return Math.abs(attempt);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
