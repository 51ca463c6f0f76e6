/**
 * The context that goes with a send and comes back with each of its events: it ties an event to its message
 * and attempt even where our own record of the send was lost.
 */
import type { DeliveryEvent } from "./delivery-event.ts";

/** The highest `maxRetries` of any deployment, and so the highest number that an attempt can have. */
export const highestMaxRetries = 10;

/** The context of a send: our two entries and the application's own. */
export interface SendContext {
  readonly application_message_id: string;
  /** The retry tag: number of the attempt, `"0"` = the application's own send. */
  readonly retry_attempt: string;
  readonly [key: string]: string;
}

/** The keys of a context that are ours; an application cannot have them for itself. */
export const ourContextKeys: readonly string[] = ["application_message_id", "retry_attempt"];

/** The context to send attempt `attempt` of a message with; `own` are the application's own entries. */
export function sendContext(
  applicationMessageId: string,
  attempt: number,
  own: Readonly<Record<string, string>> = {},
): SendContext {
  return { ...own, application_message_id: applicationMessageId, retry_attempt: String(attempt) };
}

/**
 * Most of an application's own context that is carried, keys and values in UTF-8 together. Pinpoint documents no
 * limit, but an event goes through the queue and its context into the item. Whatever End User Messaging takes
 * (five entries of at most 900 characters) fits.
 */
export const ownContextLimits = { entries: 20, bytes: 16_384 };

/**
 * The application's own entries of a context: an object or its JSON text, from an item or an event. What is no
 * text, is ours, or goes beyond {@link ownContextLimits} is left out; `undefined` where nothing is left. Never
 * throws.
 */
export function readOwnContext(context: unknown): Readonly<Record<string, string>> | undefined {
  const fields = typeof context === "string" ? parseJson(context) : context;
  if (!isRecord(fields)) return undefined;
  const own: [key: string, value: string][] = [];
  let bytes = 0;
  for (const [key, value] of Object.entries(fields)) {
    if (typeof value !== "string" || !isOwnContextKey(key)) continue;
    const size = Buffer.byteLength(key) + Buffer.byteLength(value);
    if (bytes + size > ownContextLimits.bytes) continue;
    bytes += size;
    own.push([key, value]);
    if (own.length === ownContextLimits.entries) break;
  }
  return own.length === 0 ? undefined : Object.fromEntries(own);
}

/**
 * Whether an application may have this key in its context. DynamoDB refuses an item with an empty key in a map,
 * and `__proto__` would change the objects that the SDK copies it into.
 */
export function isOwnContextKey(key: string): boolean {
  return key !== "" && key !== "__proto__" && !ourContextKeys.includes(key);
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
