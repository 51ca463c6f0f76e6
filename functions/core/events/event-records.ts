/** Reads the bytes of a stream record as the JSON values in it. */
import { isRecord } from "./send-context.ts";

/** The bytes of a record, and why they are not those that were meant, where that is known. */
export interface RecordBytes {
  readonly data: Uint8Array;
  readonly problem?: string;
}

/**
 * The bytes of a record from its base64 text, as Kinesis and Firehose hand it to a function. Never throws: of what is
 * no base64 it gives the text itself, with the problem.
 */
export function fromBase64(text: unknown): RecordBytes {
  if (typeof text !== "string") return { data: new Uint8Array(), problem: "no data" };
  const data = Buffer.from(text, "base64");
  // Node skips what is no base64; only a text that comes out again was one.
  return data.toString("base64") === text ? { data } : { data: Buffer.from(text), problem: "not base64" };
}

/** The values of a record in order, or why it holds none. */
export type DecodedRecord =
  | { readonly type: "values"; readonly values: readonly unknown[] }
  | { readonly type: "malformed"; readonly problem: string };

/**
 * Decodes a record: UTF-8, then one JSON value or several, joined by line breaks or by nothing at all, as
 * producers and Firehose write them. Never throws; a record that is not entirely readable is malformed.
 */
export function decodeRecord(data: Uint8Array): DecodedRecord {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(data);
  } catch {
    return { type: "malformed", problem: "not UTF-8" };
  }
  if (text.trim() === "") return { type: "malformed", problem: "empty" };
  const single = parse(text);
  if (single !== undefined) return { type: "values", values: [single] };

  const values: unknown[] = [];
  for (const part of splitObjects(text)) {
    const value = parse(part);
    if (value === undefined) return { type: "malformed", problem: "not JSON" };
    values.push(value);
  }
  return { type: "values", values };
}

/**
 * What a value carries that is an envelope of SNS, as bytes: its `Message`. `undefined` for every other value.
 *
 * A subscription with raw delivery has no envelope; one that somebody made without it has.
 *
 * @see https://docs.aws.amazon.com/sns/latest/dg/sns-large-payload-raw-message-delivery.html
 */
export function carriedBySns(value: unknown): Uint8Array | undefined {
  if (!isRecord(value) || value.Type !== "Notification" || typeof value.Message !== "string")
    return undefined;
  return Buffer.from(value.Message);
}

/** JSON has no `undefined`, so that says "unreadable" without an exception. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Splits a text after each brace that closes an object of the top level; the rest is the last part. */
function* splitObjects(text: string): Generator<string> {
  let depth = 0;
  let start = 0;
  let isInText = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (isInText) {
      if (character === "\\") index += 1;
      else if (character === '"') isInText = false;
    } else if (character === '"') isInText = true;
    else if (character === "{") depth += 1;
    else if (character === "}") {
      depth -= 1;
      if (depth === 0) {
        yield text.slice(start, index + 1);
        start = index + 1;
      }
    }
  }
  if (text.slice(start).trim() !== "") yield text.slice(start);
}
