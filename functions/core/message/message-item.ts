/** Reads an item of the table as a {@link Message}: the table is open to the application, so nothing is sure. */
import * as v from "valibot";
import { UnknownItemStatusError, UnreadableMessageError } from "../errors.ts";
import { isRecord } from "../events/send-context.ts";
import {
  latestSecond,
  type Message,
  messageItem,
  messageStatuses,
  type TimeAttribute,
  timeAttributes,
} from "./message.ts";

/**
 * The message in an item. A `null` attribute (DynamoDB's NULL) counts as absent, and so it does in every clause of a
 * change. Times that an application wrote in milliseconds or as text are read as what they say, and stand in
 * {@link Message.timesAsWritten} as they are.
 *
 * @throws UnknownItemStatusError if the item has a status that this version does not know
 * @throws UnreadableMessageError naming the attributes that have a wrong type or value
 */
export function readMessageItem(attributes: Record<string, unknown>): Message {
  const present = withoutNulls(attributes);
  if (isRecord(present.attempts)) present.attempts = withoutNulls(present.attempts);
  const { status } = present;
  // A newer version may have changed more than the status: nothing else of the item is looked at.
  if (typeof status === "string" && !isKnownStatus(status)) throw new UnknownItemStatusError();

  if (Array.isArray(present.attempts)) throw new UnreadableMessageError(["attempts"]);
  const timesAsWritten = readTimes(present);
  const parsed = v.safeParse(messageItem, present);
  if (!parsed.success) {
    const paths = parsed.issues.map((issue) => v.getDotPath(issue)?.split(".")[0] ?? "item");
    throw new UnreadableMessageError([...new Set(paths)]);
  }
  return withoutUndefined({ ...parsed.output, timesAsWritten }) as Message;
}

function isKnownStatus(status: string): boolean {
  return (messageStatuses as readonly string[]).includes(status);
}

/** The own entries of a map that have a value. */
function withoutNulls(map: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(map).filter(([, value]) => value !== null));
}

/** Puts epoch seconds where an application wrote a time otherwise; gives what it wrote. */
function readTimes(attributes: Record<string, unknown>): Message["timesAsWritten"] {
  const asWritten: Partial<Record<TimeAttribute, number | string>> = {};
  for (const name of timeAttributes) {
    const value = attributes[name];
    const written = typeof value === "bigint" ? Number(value) : value;
    if (typeof written !== "number" && typeof written !== "string") continue;
    const seconds = secondsIn(written);
    if (seconds === undefined || seconds === written) continue;
    attributes[name] = seconds;
    asWritten[name] = written;
  }
  return Object.keys(asWritten).length > 0 ? asWritten : undefined;
}

/** From here on a number is a time in milliseconds: as seconds it would lie in the year 5138. */
const leastMilliseconds = latestSecond + 1;

/**
 * The epoch seconds that a time says. A number from 10¹¹ on is in milliseconds; one beyond every date in either unit
 * says "never", which is the latest second. A text is a time only where it has ten digits (seconds) or thirteen
 * (milliseconds) before its point, as both have from 2001 to 2286; a date such as `20261124` must not be taken for a
 * time in 1970.
 */
function secondsIn(time: number | string): number | undefined {
  if (typeof time === "string") {
    return /^(?:\d{10}|\d{13})(?:\.\d{1,9})?$/.test(time) ? secondsIn(Number(time)) : undefined;
  }
  return time < leastMilliseconds ? time : Math.min(Math.floor(time / 1_000), latestSecond);
}

/** Takes out keys whose value is undefined, which validation leaves behind where it fell back. */
function withoutUndefined(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, entry]) => entry !== undefined)
      .map(([key, entry]) => [key, withoutUndefined(entry)]),
  );
}
