/** The gates in a DynamoDB table of their own: `<prefix>-send-gates`, key `gate` (S). No recipient's data is in it. */
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { BatchGetCommand, type DynamoDBDocumentClient, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import * as v from "valibot";
import type { Clock, Random } from "../../core/clock.ts";
import { PauseUnknownError, UnreadableGateError } from "../../core/errors.ts";
import { type GateState, newGate, newLane, type Pause } from "../../core/sending/gate/gate.ts";
import type { GateItem, GateStore, StoredGateItem } from "../../core/sending/gate/gate-store.ts";
import type { Start } from "../../core/sending/gate/send-times.ts";
import { unmarshallOptions } from "./dynamodb-message-store.ts";

/** A lane that nobody uses leaves the table after so long, in seconds. */
const keptSeconds = 30 * 86_400;

/** How often keys that a throttled table left unprocessed are asked for again. */
const unprocessedTries = 5;

/** No arithmetic of the gate ends with what is infinite, or not above 0 where a rate has to be. */
const number = v.pipe(v.number(), v.finite());
const rate = v.pipe(number, v.gtValue(0));

/**
 * An item as it lies in the table. Times are epoch seconds; 0 = never. An operator's pause is written by
 * `sms-retry pause`, and by nothing here.
 */
export const gateItemSchema = v.object({
  gate: v.string(),
  version: v.optional(number, 0),
  next_free_at: v.optional(number, 0),
  /** Starts before `next_free_at`: pairs of how long before, in tenths of a millisecond, and how many parts. */
  recent_starts: v.optional(v.pipe(v.string(), v.regex(/^(-?\d+:\d+( -?\d+:\d+)*)?$/)), ""),
  /** By urgency, the last for everything. */
  backlog_until: v.optional(v.array(number), []),
  rate: v.optional(rate),
  rate_until: v.optional(number),
  failures: v.optional(number, 0),
  closed_until: v.optional(number, 0),
  closed_since: v.optional(number, 0),
  probe_until: v.optional(number, 0),
  opened_at: v.optional(number, 0),
  paused_since: v.optional(number),
  paused_until: v.optional(number),
  paused_by: v.optional(v.string()),
  pause_reason: v.optional(v.string()),
});

/** The attributes of an item. */
export type StoredAttributes = v.InferOutput<typeof gateItemSchema>;

/** The key of the item whose pause holds for all gates of a table. */
export const allGatesKey = "*";

/** A key has at most 2,048 bytes; a character of an identity takes at most three in UTF-8. */
const longestName = 600;

/**
 * The key of a lane's item; that of lane 0 is the identity alone. An application may name identities that no service
 * knows: none may stop what leaves by others until the service refuses it, so what has a meaning in a key is escaped.
 */
export function gateKey(identity: string, lane: number): string {
  const escaped = identity
    .toWellFormed()
    .replace(/[%#*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
  const name = escaped.slice(0, longestName).toWellFormed() || "%";
  return lane === 0 ? name : `${name}#${lane}`;
}

/**
 * The store of gates.
 *
 * @param client retries throttled calls by itself. A write that it repeats may be refused by its own effect; then the
 *   batch takes a second reservation, and the first one's time goes unused.
 */
export function dynamodbGateStore(
  client: DynamoDBDocumentClient,
  tableName: string,
  { now, sleep }: Clock,
  { next }: Pick<Random, "next">,
): GateStore {
  const table = { client, tableName };
  const pause = (tries: number) => sleep(0.05 * 2 ** tries * (0.5 + next() / 2));
  const read: GateStore["read"] = async (identity, lanes, mayBeOld = false) => {
    const keys = [allGatesKey, ...lanes.map((lane) => gateKey(identity, lane))];
    const { found, unread } = await readItems(table, keys, { isConsistent: !mayBeOld, pause });
    if (unread.has(allGatesKey)) throw new PauseUnknownError();
    // What else was left unprocessed is taken for new: the write on top of it is refused, and its answer has the item.
    const pauseOfAll = found.get(allGatesKey)?.gate.pause;
    return lanes.map((lane) => withPause(found.get(gateKey(identity, lane)) ?? absentItem, pauseOfAll));
  };
  return {
    read,
    async write(identity, lane, before, after) {
      const attributes = attributesOf(after, lane === 0, Math.floor(now()) + keptSeconds);
      try {
        await writeItem(table, gateKey(identity, lane), before.version, attributes);
        return { isWritten: true, stored: { ...after, version: before.version + 1 } };
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
        if (error.Item === undefined) {
          // There is none, or the emulator has left it out.
          const [stored = absentItem] = await read(identity, [lane]);
          return { isWritten: false, stored };
        }
        const { item } = storedItemOf(unmarshall(error.Item, unmarshallOptions()));
        // The pause of all gates is not in this item: what was read of it holds until the next read.
        return { isWritten: false, stored: withPause(item, before.gate.pause) };
      }
    },
  };
}

/** A table, and what it is called with. */
interface Table {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
}

/**
 * The items of these keys that are there, and the keys that were left unprocessed to the end.
 *
 * @param pause waits before what a throttled table left out is asked for again
 */
async function readItems(
  { client, tableName }: Table,
  wanted: readonly string[],
  {
    isConsistent,
    pause,
  }: { readonly isConsistent: boolean; readonly pause: (tries: number) => Promise<void> },
): Promise<{ readonly found: ReadonlyMap<string, StoredGateItem>; readonly unread: ReadonlySet<string> }> {
  const found = new Map<string, StoredGateItem>();
  let keys = wanted.map((gate) => ({ gate }));
  for (let tries = 0; tries < unprocessedTries && keys.length > 0; tries += 1) {
    if (tries > 0) await pause(tries);
    const { Responses, UnprocessedKeys } = await client.send(
      new BatchGetCommand({ RequestItems: { [tableName]: { Keys: keys, ConsistentRead: isConsistent } } }),
    );
    for (const item of Responses?.[tableName] ?? []) {
      const stored = storedItemOf(item);
      found.set(stored.key, stored.item);
    }
    keys = (UnprocessedKeys?.[tableName]?.Keys ?? []) as typeof keys;
  }
  return { found, unread: new Set(keys.map(({ gate }) => gate)) };
}

/** Sets the attributes of an item that has this version, 0 for none yet, and makes it the next version. */
async function writeItem(
  { client, tableName }: Table,
  key: string,
  version: number,
  attributes: Readonly<Record<string, unknown>>,
): Promise<void> {
  const set = Object.entries({ version: version + 1, ...attributes });
  await client.send(
    new UpdateCommand({
      TableName: tableName,
      Key: { gate: key },
      UpdateExpression: `SET ${set.map(([name]) => `#${name} = :${name}`).join(", ")}`,
      ConditionExpression: version === 0 ? "attribute_not_exists(#version)" : "#version = :before",
      ExpressionAttributeNames: Object.fromEntries(set.map(([name]) => [`#${name}`, name])),
      ExpressionAttributeValues: {
        ...(version !== 0 && { ":before": version }),
        ...Object.fromEntries(set.map(([name, value]) => [`:${name}`, value])),
      },
      ReturnValuesOnConditionCheckFailure: "ALL_OLD",
    }),
  );
}

/** The item with the pause of all gates, where that holds longer than its own: one that is over stays in the table. */
function withPause(item: StoredGateItem, ofAll: Pause | undefined): StoredGateItem {
  const own = item.gate.pause;
  if (ofAll === undefined || (own !== undefined && endOf(own) >= endOf(ofAll))) return item;
  return { ...item, gate: { ...item.gate, pause: ofAll } };
}

function endOf({ until = Number.POSITIVE_INFINITY }: Pause): number {
  return until;
}

const absentItem: StoredGateItem = { version: 0, lane: newLane, gate: newGate };

/**
 * An item of the table, read.
 *
 * @throws UnreadableGateError
 */
export function readGateItem(item: Readonly<Record<string, unknown>>): StoredAttributes {
  const { success, issues, output } = v.safeParse(gateItemSchema, item);
  if (success) return output;
  const attributes = [...new Set(issues.map((issue) => String(issue.path?.[0]?.key)))];
  throw new UnreadableGateError(attributes);
}

function storedItemOf(item: Readonly<Record<string, unknown>>): {
  readonly key: string;
  readonly item: StoredGateItem;
} {
  const stored = readGateItem(item);
  const lane = {
    lane: {
      nextFreeAt: stored.next_free_at,
      recent: startsOf(stored.recent_starts, stored.next_free_at),
    },
    backlogUntil: stored.backlog_until,
  };
  return { key: stored.gate, item: { version: stored.version, lane, gate: gateStateOf(stored) } };
}

function gateStateOf(stored: StoredAttributes): GateState {
  const pause = pauseOf(stored);
  return {
    breaker: {
      failures: stored.failures,
      closedUntil: stored.closed_until,
      closedSince: stored.closed_since,
      probeUntil: stored.probe_until,
      openedAt: stored.opened_at,
    },
    ...(stored.rate !== undefined && { rate: stored.rate }),
    ...(stored.rate_until !== undefined && { rateUntil: stored.rate_until }),
    ...(pause !== undefined && { pause }),
  };
}

/** The pause of an item, over or not. Any attribute of one makes it one: somebody may have written it by hand. */
export function pauseOf(stored: StoredAttributes): Pause | undefined {
  const { paused_since: since, paused_until: until, paused_by: by, pause_reason: reason } = stored;
  if ([since, until, by, reason].every((attribute) => attribute === undefined)) return undefined;
  return {
    since: since ?? 0,
    by: by ?? "unknown",
    ...(until !== undefined && { until }),
    ...(reason !== undefined && { reason }),
  };
}

/** What a write sets; the breaker and the rate only where they stand, in the item of lane 0. */
function attributesOf({ lane, gate }: GateItem, isMain: boolean, expiresAt: number): Record<string, unknown> {
  const { nextFreeAt, recent } = lane.lane;
  const { breaker } = gate;
  return {
    next_free_at: nextFreeAt,
    recent_starts: recent.map(({ at, parts }) => `${Math.round((nextFreeAt - at) * 1e4)}:${parts}`).join(" "),
    backlog_until: lane.backlogUntil,
    ...(isMain
      ? {
          failures: breaker.failures,
          closed_until: breaker.closedUntil,
          closed_since: breaker.closedSince,
          probe_until: breaker.probeUntil,
          opened_at: breaker.openedAt,
          ...(gate.rate !== undefined && { rate: gate.rate }),
          ...(gate.rateUntil !== undefined && { rate_until: gate.rateUntil }),
        }
      : // A pause stays until somebody ends it, so the item of lane 0 does not expire.
        { expires_at: expiresAt }),
  };
}

/** The starts that `recent_starts` tells, with their gate times in epoch seconds. */
export function startsOf(text: string, nextFreeAt: number): Start[] {
  if (text === "") return [];
  return text.split(" ").map((pair) => {
    const [before = 0, parts = 1] = pair.split(":").map(Number);
    return { at: nextFreeAt - before / 1e4, parts };
  });
}
