/** Records that no SMS service sends, drawn by chance from a seed; the test that finds something prints it. */
import { gzipSync } from "node:zlib";
import type { Chance } from "../../local/seeded-chance.ts";
import { failureRecord } from "./recent-messages.ts";

/** A record and what it must lead to. */
export interface HostileRecord {
  readonly kind: string;
  readonly data: Buffer;
}

/** Items of the table that are not as they should be; records of the kinds of that name are about them. */
export const hostileItems: readonly Record<string, unknown>[] = [
  { application_message_id: "bad-item", message_body: 7, deadline: "soon", attempts: [] },
  { application_message_id: "newer-item", status: "PAUSED", attempts: { first: 1 } },
];

/** What a kind is made from. */
interface Material {
  /** A whole number below `limit`. */
  readonly below: (limit: number) => number;
  readonly pick: <T>(values: readonly T[]) => T;
  /** The id of a message that good records are about. */
  readonly goodId: string;
  /** An id that nobody has. */
  readonly strangerId: string;
  /** Most bytes of a large record. */
  readonly largest: number;
}

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/** Values of every JSON type, and numbers that JavaScript cannot hold, as JSON texts. */
const oddTexts = [
  "null",
  "true",
  "-0",
  "0.5",
  "1e400",
  "-1e400",
  "9".repeat(400),
  '""',
  '"\\u0000"',
  '"\\ud800"',
  '"\\uffff"',
  '"0x1"',
  '"1e0"',
  '" 1"',
  `"${"1".repeat(8_192)}"`,
  "[]",
  "[1]",
  "[[[[1]]]]",
  "{}",
  '{"valueOf":1}',
  '{"__proto__":{"application_message_id":"x","retry_attempt":1}}',
  '{"constructor":{"prototype":{}}}',
];

function nested(depth: number, kind: "list" | "object"): string {
  return kind === "list"
    ? "[".repeat(depth) + "]".repeat(depth)
    : `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
}

/** An event's text with one field given as JSON text: what `JSON.stringify` cannot write. */
function eventWith(field: string, text: string, id: string): string {
  const inContext = field === "retry_attempt" || field === "application_message_id";
  const context = inContext
    ? `{"application_message_id":${JSON.stringify(id)},"${field}":${text}}`
    : JSON.stringify({ application_message_id: id, retry_attempt: "0" });
  const attributes = `{"message_id":${JSON.stringify(`${id}-0`)},"record_status":"UNREACHABLE","destination_phone_number":"+447700900123","customer_context":${context}${
    inContext || field === "event_type" || field === "event_timestamp" ? "" : `,"${field}":${text}`
  }}`;
  const top =
    field === "event_type" || field === "event_timestamp" || field === "attributes"
      ? `,"${field}":${text}`
      : "";
  return `{"event_type":"_SMS.FAILURE","event_timestamp":${Date.now()},"attributes":${attributes}${top}}`;
}

const fields = [
  "event_type",
  "event_timestamp",
  "attributes",
  "customer_context",
  "message_id",
  "record_status",
  "destination_phone_number",
  "message_type",
  "retry_attempt",
  "application_message_id",
] as const;

const foreignProject = { application: { app_id: "fedcba9876543210fedcba9876543210", sdk: {} } };

/** How each kind of record is made. */
const kinds: Readonly<Record<string, (material: Material) => Buffer>> = {
  "random bytes": ({ below }) => Buffer.from(Array.from({ length: below(300) }, () => below(256))),
  "a truncated event": ({ below, strangerId }) => {
    const whole = json(failureRecord(strangerId));
    return whole.subarray(0, 1 + below(whole.length - 1));
  },
  "an event with one byte changed": ({ below, strangerId }) => {
    const whole = json(failureRecord(strangerId));
    whole[below(whole.length)] = below(256);
    return whole;
  },
  "JSON that is no event": ({ pick }) => Buffer.from(pick(oddTexts)),
  "an odd value in an event": ({ pick, strangerId }) =>
    Buffer.from(eventWith(pick(fields), pick(oddTexts), strangerId)),
  "a deeply nested value": ({ below, pick }) =>
    Buffer.from(nested(1 + below(20_000), pick(["list", "object"]))),
  "a deeply nested field": ({ below, pick, strangerId }) =>
    Buffer.from(eventWith(pick(fields), nested(1 + below(20_000), pick(["list", "object"])), strangerId)),
  "a deeply nested context as text": ({ below, pick, strangerId }) =>
    Buffer.from(
      eventWith(
        "customer_context",
        JSON.stringify(nested(1 + below(20_000), pick(["list", "object"]))),
        strangerId,
      ),
    ),
  "brackets that do not match": ({ below, pick }) =>
    Buffer.from(pick(["[", "{", '{"a":', "}", "]", '"', "\\"]).repeat(1 + below(9_000))),
  "a large field": ({ below, largest, pick, strangerId }) =>
    Buffer.from(
      eventWith(
        pick(fields),
        JSON.stringify(pick(["x", "A_", "€", "1"]).repeat(1 + below(largest / 4))),
        strangerId,
      ),
    ),
  "a thousand values": ({ below, pick }) =>
    Buffer.from(pick(["{}", '{"event_type":"_email.x"}', '{"a":1}\n']).repeat(1 + below(1_000))),
  "twenty copies of an event": ({ strangerId }) => {
    const event = json(failureRecord(strangerId));
    return Buffer.concat(Array.from({ length: 20 }, () => event));
  },
  "a context that is text in text in text": ({ strangerId, below }) => {
    let context: unknown = { application_message_id: strangerId, retry_attempt: "0" };
    for (let times = 2 + below(6); times > 0; times -= 1) context = JSON.stringify(context);
    return json(failureRecord(strangerId, 0, { customer_context: context }));
  },
  "keys given twice": ({ strangerId }) =>
    Buffer.from(`{"event_type":7,"attributes":[],${JSON.stringify(failureRecord(strangerId)).slice(1)}`),
  "a list of events": ({ strangerId }) => json([failureRecord(strangerId)]),
  "another encoding": ({ pick, strangerId }) => {
    const text = JSON.stringify(failureRecord(strangerId));
    return pick([
      Buffer.from(text, "utf16le"),
      gzipSync(text),
      Buffer.from(Buffer.from(text).toString("base64")),
    ]);
  },
  "another channel": ({ pick }) =>
    json({ event_type: pick(["_email.delivered", "_campaign.send", "_session.start"]) }),
  // Each would end or move the message of a good record, if it were taken for ours.
  "another project's event with our ids": ({ goodId, pick }) =>
    json({
      ...failureRecord(goodId, 0, { record_status: pick(["DELIVERED", "OPTOUT", "BLOCKED", "UNREACHABLE"]) }),
      event_type: pick(["_SMS.SUCCESS", "_SMS.OPTOUT", "_SMS.FAILURE"]),
      ...foreignProject,
    }),
  "an event in progress with our ids": ({ goodId }) =>
    json({ ...failureRecord(goodId), event_type: "_SMS.BUFFERED" }),
  "an event of an unreadable item": () => json(failureRecord("bad-item")),
  "an event of a newer version's item": () => json(failureRecord("newer-item")),
};

/**
 * A record of a kind that chance picks. None of them is a reason to change the message `goodId`.
 *
 * @param largest most bytes of a record, about
 */
export function hostileRecord(chance: Chance, goodId: string, largest = 200_000): HostileRecord {
  const below = (limit: number): number => Math.floor(chance() * limit);
  const pick = <T>(values: readonly T[]): T => values[below(values.length)] as T;
  const kind = pick(Object.keys(kinds));
  // A few strangers, so that events of one come together.
  const strangerId = `stranger-${below(20)}`;
  return { kind, data: kinds[kind]?.({ below, pick, goodId, strangerId, largest }) ?? Buffer.alloc(0) };
}
