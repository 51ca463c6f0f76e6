/**
 * What happens to a batch of stream records, whatever stream they come from: every record gets an answer,
 * and none harms another (rule 10).
 */
import pMap from "p-map";
import type { DeliveryEvent } from "../events/delivery-event.ts";
import { itemKeyOf } from "../message/event-attempt.ts";
import type { Message } from "../message/message.ts";
import { reportEvent, reportRecord } from "../observability/reports.ts";
import { errorName, type Telemetry } from "../observability/telemetry.ts";
import type { QueueEntry, RetryQueue } from "../queue/retry-queue.ts";
import {
  aboutEvent,
  type EventDependencies,
  type HandledEvent,
  handleDeliveryEvent,
  looksAtItem,
  outcomeOfItem,
} from "./handle-delivery-event.ts";
import { readBatch } from "./read-batch.ts";
import {
  type ParseDependencies,
  type ParsedRecord,
  parseRecord,
  type StreamRecord,
} from "./stream-record.ts";
import { inTime, type TimeLimit } from "./time-limit.ts";

/**
 * What became of a record. `handled`: everything in it was dealt with. `malformed`: it, or an item that it is about,
 * cannot be read; handling it again changes nothing. `failed`: something was out of reach; handle it again.
 */
export interface RecordResult {
  readonly id: string;
  readonly result: "handled" | "malformed" | "failed";
  /** Why a record is malformed or has failed; quotes nothing of it. */
  readonly problem?: string;
  /** What became of the SMS events in the record, in order. */
  readonly events: readonly HandledEvent[];
  /** Whether the record holds anything besides those events. */
  readonly holdsOthers: boolean;
}

/** What handling records needs. */
export interface RecordDependencies extends EventDependencies, ParseDependencies {
  readonly queue: RetryQueue;
  readonly telemetry: Telemetry;
  /**
   * Epoch seconds at which there must be an answer: what has not ended by then has failed. What was begun may
   * still take effect, which the protocol allows for.
   */
  readonly endsAt: number;
  /**
   * Whether the stream will not hand a failed record over again: then an event that fails is put on the retry
   * queue, to be looked at again from there.
   */
  readonly queuesFailedEvents?: boolean;
}

/** When an event that failed is looked at again, where the queue has to bring it back. */
const failedEventWaitSeconds = 30;

/** What is left for the retry messages when the time for the events is over. */
const queueReserveSeconds = 5;

/** How often retry messages are put on the queue where nothing else repeats them; the pauses grow by a second. */
const queueTries = 4;

/** How many messages are handled at once: enough to hide the table's latency, too few to throttle it. */
const concurrency = 50;

/** One event of a batch. */
interface EventInBatch {
  readonly recordIndex: number;
  readonly event: DeliveryEvent;
}

/** What became of an event; with a failure it has to be handled again. */
interface SettledEvent extends EventInBatch {
  readonly handled?: HandledEvent;
  /** Class of the error; `OutOfTime` where the event did not end in time, `NotQueued` where its entry did not. */
  readonly failure?: string;
}

/**
 * Handles records and answers each exactly once, in their order. Never rejects.
 *
 * Events of one message are handled one after the other in their order, different messages at the same time.
 * Retry messages go out together at the end; a record whose retry message did not get onto the queue has failed, and
 * handling it again repeats only the retry message.
 */
export async function handleRecords(
  records: readonly StreamRecord[],
  handling: RecordDependencies,
): Promise<RecordResult[]> {
  const { clock, endsAt, telemetry } = handling;
  const parsed = records.map((record) => ({ id: record.id, ...parseRecord(record, handling) }));
  const events = parsed.flatMap((record, recordIndex) =>
    record.events.map((event): EventInBatch => ({ recordIndex, event })),
  );

  const settled = await inTime(endsAt - queueReserveSeconds, clock, (limit) =>
    handleEvents(events, handling, limit),
  );
  const ended = await inTime(endsAt, clock, (limit) => queueEntries(settled, handling, limit));

  const byRecord = Map.groupBy(ended, ({ recordIndex }) => recordIndex);
  return parsed.map((record, position) => {
    const ofRecord = byRecord.get(position) ?? [];
    for (const { handled, failure } of ofRecord) {
      if (handled !== undefined && failure === undefined) reportEvent(handled, telemetry);
    }
    const result = resultOf(record, ofRecord);
    reportRecord({ ...result, position, isReadable: record.problem === undefined }, telemetry);
    return result;
  });
}

/** What became of the events, in their order. */
async function handleEvents(
  events: readonly EventInBatch[],
  handling: RecordDependencies,
  limit: TimeLimit,
): Promise<SettledEvent[]> {
  const keys = new Set(
    events.flatMap(({ event }) => (looksAtItem(event, handling.policy) ? (itemKeyOf(event) ?? []) : [])),
  );
  const known = await limit.within(readBatch([...keys], "event", handling));
  const groups = Map.groupBy(events, ({ event }) => itemKeyOf(event));
  const settled = await pMap(
    groups,
    async ([key, group]) => {
      const isRead = key !== undefined && known?.has(key) === true;
      return handleInOrder(group, isRead ? (known.get(key) ?? "absent") : undefined, handling, limit);
    },
    { concurrency },
  );
  const settledOf = new Map(settled.flat());
  return events.map((event) => settledOf.get(event) ?? { ...event, failure: "OutOfTime" });
}

/** Handles the events of one message, one after the other. */
async function handleInOrder(
  group: readonly EventInBatch[],
  item: Message | "absent" | undefined,
  handling: RecordDependencies,
  limit: TimeLimit,
): Promise<[EventInBatch, SettledEvent][]> {
  const settled: [EventInBatch, SettledEvent][] = [];
  for (const [index, each] of group.entries()) {
    if (limit.isOver()) break;
    // After the first event of a group the item read for the batch is old: read it anew.
    const result = await limit.within(handle(each.event, handling, index === 0 ? item : undefined));
    if (result !== undefined) settled.push([each, { ...each, ...result }]);
  }
  return settled;
}

async function handle(
  event: DeliveryEvent,
  handling: RecordDependencies,
  known: Message | "absent" | undefined,
): Promise<Pick<SettledEvent, "handled" | "failure">> {
  try {
    return { handled: await handleDeliveryEvent(event, handling, known) };
  } catch (error) {
    const handled = outcomeOfItem(error, aboutEvent(event));
    return handled === undefined ? { failure: errorName(error) } : { handled };
  }
}

/** Puts what has to go onto the queue there; an event whose entry does not get there has failed. */
async function queueEntries(
  settled: readonly SettledEvent[],
  handling: RecordDependencies,
  limit: TimeLimit,
): Promise<SettledEvent[]> {
  const all = settled.map((item) => ({ item, waiting: entryOf(item, handling) }));
  // Each message once: a record may hold the same event a thousand times.
  const entries = new Map<string, QueueEntry>();
  for (const { waiting } of all) {
    if (waiting !== undefined && !entries.has(waiting.key)) entries.set(waiting.key, waiting.entry);
  }
  const queued = await putEntries(entries, handling, limit);
  return all.map(({ item, waiting }) =>
    waiting === undefined || queued.has(waiting.key) ? item : { failure: "NotQueued", ...item },
  );
}

/** Puts entries on the queue; returns the keys of those that are there before the time is over. */
async function putEntries(
  entries: ReadonlyMap<string, QueueEntry>,
  { queue, queuesFailedEvents, clock, endsAt }: RecordDependencies,
  limit: TimeLimit,
): Promise<ReadonlySet<string>> {
  // A stream that hands failed records over again repeats their retry messages; for others this is the only chance.
  const tries = queuesFailedEvents === true ? queueTries : 1;
  const queued = new Set<string>();
  for (let number = 1, rest = [...entries]; rest.length > 0; number += 1) {
    const areQueued = await limit.within(queue.put(rest.map(([, entry]) => entry)));
    for (const [index, [key]] of rest.entries()) if (areQueued?.[index] === true) queued.add(key);
    rest = rest.filter(([key]) => !queued.has(key));
    // After the answer nothing new is begun: an environment is frozen then, and thawed in another batch.
    if (rest.length === 0 || number >= tries || clock.now() + number >= endsAt) break;
    await clock.sleep(number);
  }
  return queued;
}

/** What has to go onto the queue for an event, if anything, with a key that is the same for the same message. */
function entryOf(
  { event, handled, failure }: SettledEvent,
  { queuesFailedEvents, clock }: RecordDependencies,
): { readonly key: string; readonly entry: QueueEntry } | undefined {
  if (failure === undefined) {
    const entry = handled?.entry;
    if (entry === undefined) return undefined;
    const { message } = entry;
    return { key: JSON.stringify(message.kind === "waiting-event" ? message.event : message), entry };
  }
  if (queuesFailedEvents !== true) return undefined;
  // Its stream will not bring it back, so it comes back as one that waits for its item.
  const now = clock.now();
  const message = { kind: "waiting-event" as const, event, first_seen_at: now };
  return { key: JSON.stringify(event), entry: { message, dueAt: now + failedEventWaitSeconds } };
}

function resultOf(
  { id, problem, holdsOthers }: ParsedRecord & Pick<StreamRecord, "id">,
  settled: readonly SettledEvent[],
): RecordResult {
  const events = settled.flatMap(({ handled }) => handled ?? []);
  const failure = settled.find((event) => event.failure !== undefined)?.failure;
  if (failure !== undefined) return { id, result: "failed", problem: failure, events, holdsOthers };
  if (problem !== undefined) return { id, result: "malformed", problem, events, holdsOthers };
  // The record is good, and counted as what it is. It is kept for the day on which its item has been corrected.
  if (events.some(({ outcome }) => outcome === "item-unreadable")) {
    return { id, result: "malformed", problem: "unreadable item", events, holdsOthers };
  }
  return { id, result: "handled", events, holdsOthers };
}
