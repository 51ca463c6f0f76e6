/**
 * What happens to a batch of stream records, whatever stream they come from: every record gets an answer,
 * and none harms another (design rule 10).
 */
import pMap from "p-map";
import type { Clock } from "../clock.ts";
import type { DeliveryEvent } from "../events/delivery-event.ts";
import { decodeRecord } from "../events/event-records.ts";
import { parseDeliveryEvent } from "../events/parse-delivery-event.ts";
import type { Message } from "../message/message.ts";
import { errorName, eventMetrics, type Telemetry } from "../observability/telemetry.ts";
import type { QueueEntry, RetryQueue } from "../queue/retry-queue.ts";
import {
  type EventDependencies,
  type HandledEvent,
  handleDeliveryEvent,
  itemKeyOf,
  outcomeOfItem,
} from "./handle-delivery-event.ts";
import { readBatch } from "./read-batch.ts";

/** One record of a stream. */
export interface StreamRecord {
  /** The stream's own id of the record, e.g. a sequence number. */
  readonly id: string;
  readonly data: Uint8Array;
  /** Why the record cannot be read, where its wrapping tells already; then `data` is what came. */
  readonly problem?: string;
}

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
export interface RecordDependencies extends EventDependencies {
  readonly queue: RetryQueue;
  readonly telemetry: Telemetry;
  /**
   * The Pinpoint project (application) whose events are ours. Those of another one on the same stream are counted and
   * left alone, whatever ids they carry; an event that names no project is ours.
   * @default - the events of every project are ours
   */
  readonly pinpointApplicationId?: string;
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

/** Stands for an event that did not end in time. */
class OutOfTime extends Error {
  override readonly name = "OutOfTime";
}

/** How many messages are handled at once: enough to hide the table's latency, too few to throttle it. */
const concurrency = 50;

/** One event on its way through the batch. */
interface EventInBatch {
  readonly recordIndex: number;
  readonly event: DeliveryEvent;
  /** Set when the time for the events is over: an outcome that comes later is not looked at any more. */
  isTooLate: boolean;
  handled?: HandledEvent;
  failure?: unknown;
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
  const parsed = records.map((record) => parseSafely(record, handling));
  const events = parsed.flatMap((record, recordIndex) =>
    record.events.map(
      (event): EventInBatch => ({ recordIndex, event, isTooLate: false, failure: new OutOfTime() }),
    ),
  );

  const { clock, endsAt } = handling;
  await inTime(handleAll(events, handling), endsAt - queueReserveSeconds, clock);
  for (const item of events) item.isTooLate = true;
  await inTime(putEntries(events, handling), endsAt, clock);

  const eventsOf = Map.groupBy(events, ({ recordIndex }) => recordIndex);
  return records.map((record, index) =>
    answer(record, index, parsed[index] ?? noEvents, eventsOf.get(index) ?? [], handling.telemetry),
  );
}

/** Resolves with the work or at a time, whichever comes first. The work must not reject. */
async function inTime(work: Promise<void>, until: number, clock: Clock): Promise<void> {
  const patience = new AbortController();
  const timeIsOver = clock.sleep(Math.max(0, until - clock.now()), patience.signal);
  await Promise.race([work, timeIsOver]);
  patience.abort();
}

async function handleAll(events: readonly EventInBatch[], handling: RecordDependencies): Promise<void> {
  const keys = new Set(events.flatMap(({ event }) => itemKeyOf(event) ?? []));
  const known = await readBatch([...keys], "event", handling);
  await pMap(
    groupByMessage(events),
    async (group) => {
      for (const [index, item] of group.entries()) {
        if (item.isTooLate) return;
        // After the first event of a group the item read for the batch is old: read it anew.
        await handle(item, handling, index === 0 ? known : undefined);
      }
    },
    { concurrency },
  );
}

/** What stands in a record. */
interface ParsedRecord {
  readonly events: readonly DeliveryEvent[];
  readonly holdsOthers: boolean;
  /** Set where the record, or one value in it, is malformed. */
  readonly problem?: string;
}

const noEvents: ParsedRecord = { events: [], holdsOthers: false };

/** Parses behind an error boundary: whatever a record does to the parser, the batch goes on without it. */
function parseSafely(record: StreamRecord, handling: RecordDependencies): ParsedRecord {
  try {
    return parseRecord(record, handling);
  } catch (error) {
    return { ...noEvents, holdsOthers: true, problem: `not readable: ${errorName(error)}` };
  }
}

function parseRecord(
  { data, problem: unreadable }: StreamRecord,
  { telemetry, pinpointApplicationId: ours }: RecordDependencies,
): ParsedRecord {
  if (unreadable !== undefined) return { ...noEvents, holdsOthers: true, problem: unreadable };
  const decoded = decodeRecord(data);
  if (decoded.type === "malformed") return { ...noEvents, holdsOthers: true, problem: decoded.problem };
  const events: DeliveryEvent[] = [];
  let problem: string | undefined;
  for (const value of decoded.values) {
    const parsed = parseDeliveryEvent(value);
    if (parsed.type === "malformed") problem = parsed.problem;
    else if (parsed.type === "not-sms") telemetry.count("NotSms");
    else if (ours !== undefined && (parsed.pinpointApplicationId ?? ours) !== ours) {
      telemetry.count("ForeignEvent");
    } else events.push(parsed.event);
  }
  return {
    events,
    holdsOthers: events.length < decoded.values.length,
    ...(problem !== undefined && { problem }),
  };
}

function groupByMessage(events: readonly EventInBatch[]): EventInBatch[][] {
  const groups = Map.groupBy(events, ({ event }) => itemKeyOf(event));
  return [...groups.values()];
}

async function handle(
  item: EventInBatch,
  handling: RecordDependencies,
  known: ReadonlyMap<string, Message> | undefined,
): Promise<void> {
  const key = itemKeyOf(item.event);
  try {
    const message = key === undefined ? undefined : known?.get(key);
    const handled = await handleDeliveryEvent(item.event, handling, message);
    if (item.isTooLate) return;
    item.handled = handled;
    item.failure = undefined;
  } catch (error) {
    if (item.isTooLate) return;
    const { attempt } = item.event;
    const handled = outcomeOfItem(error, {
      ...(key !== undefined && { applicationMessageId: key }),
      ...(attempt !== undefined && { attempt }),
    });
    if (handled !== undefined) item.handled = handled;
    item.failure = handled === undefined ? error : undefined;
  }
}

/** A message for the queue, and the events that wait for it to be there. */
interface Waiting {
  readonly entry: QueueEntry;
  readonly items: EventInBatch[];
}

async function putEntries(events: readonly EventInBatch[], handling: RecordDependencies): Promise<void> {
  const waiting = entriesOf(events, handling);
  for (const item of waiting.flatMap(({ items }) => items)) item.failure ??= new NotQueued();
  // A stream that hands failed records over again repeats their retry messages; for others this is the only chance.
  const tries = handling.queuesFailedEvents === true ? queueTries : 1;
  for (let number = 1, rest = waiting; rest.length > 0; number += 1) {
    const areQueued = await handling.queue.put(rest.map(({ entry }) => entry));
    for (const [index, { items }] of rest.entries()) {
      if (areQueued[index] !== true) continue;
      for (const item of items) if (item.failure instanceof NotQueued) item.failure = undefined;
    }
    rest = rest.filter((_, index) => areQueued[index] !== true);
    // After the answer nothing new is begun: an environment is frozen then, and thawed in another batch.
    if (number >= tries || handling.clock.now() + number >= handling.endsAt) return;
    if (rest.length > 0) await handling.clock.sleep(number);
  }
}

/** What has to go onto the queue, each message once: a record may hold the same event a thousand times. */
function entriesOf(events: readonly EventInBatch[], handling: RecordDependencies): Waiting[] {
  const byMessage = new Map<string, Waiting>();
  for (const item of events) {
    const entry = item.failure === undefined ? item.handled?.entry : failedEventEntry(item, handling);
    if (entry === undefined) continue;
    const { message } = entry;
    const key = JSON.stringify(message.kind === "waiting-event" ? message.event : message);
    const same = byMessage.get(key);
    if (same === undefined) byMessage.set(key, { entry, items: [item] });
    else same.items.push(item);
  }
  return [...byMessage.values()];
}

/** How often retry messages are put on the queue where nothing else repeats them; the pauses grow by a second. */
const queueTries = 4;

/** Stands for an event whose entry did not get onto the retry queue. */
class NotQueued extends Error {
  override readonly name = "NotQueued";
}

/** How a failed event comes back where its stream will not bring it: as one that waits for its item. */
function failedEventEntry(item: EventInBatch, handling: RecordDependencies): QueueEntry | undefined {
  if (handling.queuesFailedEvents !== true) return undefined;
  const now = handling.clock.now();
  return {
    message: { kind: "waiting-event", event: item.event, first_seen_at: now },
    dueAt: now + failedEventWaitSeconds,
  };
}

function answer(
  record: StreamRecord,
  position: number,
  { problem, holdsOthers }: ParsedRecord,
  events: readonly EventInBatch[],
  telemetry: Telemetry,
): RecordResult {
  const handled = events.flatMap((item) => (item.handled === undefined ? [] : [item.handled]));
  for (const item of events) {
    if (item.handled !== undefined && item.failure === undefined) report(item.handled, telemetry);
  }

  const failed = events.find((item) => item.failure !== undefined);
  if (failed !== undefined) {
    telemetry.count("EventFailed");
    telemetry.error("An event could not be handled now; its record comes again.", {
      record_id: record.id,
      position,
      error: errorName(failed.failure),
    });
    return {
      id: record.id,
      result: "failed",
      problem: errorName(failed.failure),
      events: handled,
      holdsOthers,
    };
  }
  if (problem !== undefined) {
    telemetry.count("RecordMalformed");
    telemetry.warn("A malformed record was quarantined.", {
      record_id: record.id,
      position,
      reason: problem,
    });
    return { id: record.id, result: "malformed", problem, events: handled, holdsOthers };
  }
  // The record is good, and counted as what it is. It is kept for the day on which its item has been corrected.
  if (handled.some(({ outcome }) => outcome === "item-unreadable")) {
    return { id: record.id, result: "malformed", problem: "unreadable item", events: handled, holdsOthers };
  }
  return { id: record.id, result: "handled", events: handled, holdsOthers };
}

/** Counts an outcome, and logs what changed a message. Successes and repetitions are only counted. */
export function report(handled: HandledEvent, telemetry: Telemetry): void {
  telemetry.count(eventMetrics[handled.outcome]);
  const fields = {
    ...(handled.applicationMessageId !== undefined && {
      application_message_id: handled.applicationMessageId,
    }),
    ...(handled.attempt !== undefined && { attempt: handled.attempt }),
    outcome: handled.outcome,
    reason: handled.reason,
  };
  if (handled.unrecognizedStatus !== undefined) {
    telemetry.count("StatusUnrecognized");
    telemetry.warn("An event has a status that this version does not know; it is not retried.", {
      ...fields,
      status: handled.unrecognizedStatus,
    });
  } else if (handled.outcome === "item-unreadable") {
    telemetry.error("An item cannot be read, so its message is not sent again.", {
      ...fields,
      ...(handled.unreadableAttributes !== undefined && { attributes: handled.unreadableAttributes }),
    });
  } else if (handled.outcome === "item-status-unknown") {
    telemetry.warn("An item has a status that this version does not know; it is left alone.", fields);
  } else if (handled.outcome === "orphaned") {
    telemetry.warn("An event has no item in the table and was counted as an orphan.", fields);
  } else if (!quietOutcomes.has(handled.outcome)) {
    telemetry.info("A delivery event changed a message.", fields);
  }
}

const quietOutcomes: ReadonlySet<HandledEvent["outcome"]> = new Set([
  "absorbed",
  "in-progress",
  "delivered-at-once",
  "unknown-message",
  "waiting",
]);
