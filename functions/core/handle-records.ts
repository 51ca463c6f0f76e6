/**
 * What happens to a batch of stream records, whatever stream they come from: every record gets an answer,
 * and none harms another (design rule 10).
 */
import pMap from "p-map";
import { type DeliveryEvent, parseDeliveryEvent } from "./delivery-event.ts";
import { UnreadableMessageError } from "./errors.ts";
import { decodeRecord } from "./event-records.ts";
import {
  type EventHandling,
  type HandledEvent,
  handleDeliveryEvent,
  itemKeysOf,
} from "./handle-delivery-event.ts";
import type { Message } from "./message.ts";
import type { QueueEntry, RetryQueue } from "./retry-queue.ts";
import { errorName, eventMetrics, type Telemetry } from "./telemetry.ts";

/** One record of a stream. */
export interface StreamRecord {
  /** The stream's own id of the record, e.g. a sequence number. */
  readonly id: string;
  readonly data: Uint8Array;
}

/**
 * What became of a record. `handled`: everything in it was dealt with. `malformed`: it can never be handled.
 * `failed`: something was out of reach; handle it again.
 */
export interface RecordResult {
  readonly id: string;
  readonly result: "handled" | "malformed" | "failed";
  /** Why a record is malformed or has failed; quotes nothing of it. */
  readonly problem?: string;
  /** What became of the SMS events in the record, in order. */
  readonly events: readonly HandledEvent[];
}

/** What handling records needs. */
export interface RecordHandling extends EventHandling {
  readonly queue: RetryQueue;
  readonly telemetry: Telemetry;
}

/** How many messages are handled at once: enough to hide the table's latency, too few to throttle it. */
const concurrency = 50;

/** One event on its way through the batch. */
interface EventInBatch {
  readonly recordIndex: number;
  readonly event: DeliveryEvent;
  handled?: HandledEvent;
  failure?: unknown;
}

/**
 * Handles records and answers each exactly once, in their order. Never rejects.
 *
 * Events of one message are handled one after the other in their order, different messages at the same time.
 * Wake-ups go out together at the end; a record whose wake-up did not get onto the queue has failed, and
 * handling it again repeats only the wake-up.
 */
export async function handleRecords(
  records: readonly StreamRecord[],
  handling: RecordHandling,
): Promise<RecordResult[]> {
  const problems = new Map<number, string>();
  const events = records.flatMap((record, recordIndex) => {
    const parsed = parseRecord(record.data, handling.telemetry);
    if (parsed.problem !== undefined) problems.set(recordIndex, parsed.problem);
    return parsed.events.map((event): EventInBatch => ({ recordIndex, event }));
  });

  const known = await readKnown(events, handling);
  await pMap(
    groupByMessage(events),
    async (group) => {
      for (const [index, item] of group.entries()) {
        // After the first event of a group the item read for the batch is old: read it anew.
        await handle(item, handling, index === 0 ? known : undefined);
      }
    },
    { concurrency },
  );
  await putEntries(events, handling.queue);

  const eventsOf = Map.groupBy(events, ({ recordIndex }) => recordIndex);
  return records.map((record, index) =>
    answer(record, index, problems.get(index), eventsOf.get(index) ?? [], handling.telemetry),
  );
}

/** The SMS events of a record; with a problem where the record, or one value in it, is malformed. */
function parseRecord(
  data: Uint8Array,
  telemetry: Telemetry,
): { readonly events: DeliveryEvent[]; readonly problem?: string } {
  const decoded = decodeRecord(data);
  if (decoded.type === "malformed") return { events: [], problem: decoded.problem };
  const events: DeliveryEvent[] = [];
  let problem: string | undefined;
  for (const value of decoded.values) {
    const parsed = parseDeliveryEvent(value);
    if (parsed.type === "sms") events.push(parsed.event);
    else if (parsed.type === "not-sms") telemetry.count("NotSms");
    else problem = parsed.problem;
  }
  return { events, ...(problem !== undefined && { problem }) };
}

/** One eventually consistent read for the whole batch; where it fails each event reads for itself. */
async function readKnown(
  events: readonly EventInBatch[],
  { store, telemetry }: RecordHandling,
): Promise<Map<string, Message>> {
  const keys = new Set(events.flatMap(({ event }) => itemKeysOf(event)));
  if (keys.size === 0) return new Map();
  try {
    return await store.readMany([...keys]);
  } catch (error) {
    telemetry.warn("The batch read failed; every event reads its own item.", { error: errorName(error) });
    return new Map();
  }
}

function groupByMessage(events: readonly EventInBatch[]): EventInBatch[][] {
  const groups = Map.groupBy(events, ({ event }) => itemKeysOf(event)[0]);
  return [...groups.values()];
}

async function handle(
  item: EventInBatch,
  handling: RecordHandling,
  known: Map<string, Message> | undefined,
): Promise<void> {
  const [key] = itemKeysOf(item.event);
  try {
    const message = key === undefined ? undefined : known?.get(key);
    item.handled = await handleDeliveryEvent(item.event, handling, message);
  } catch (error) {
    item.failure = error;
  }
}

async function putEntries(events: readonly EventInBatch[], queue: RetryQueue): Promise<void> {
  const waiting: { item: EventInBatch; entry: QueueEntry }[] = [];
  for (const item of events) {
    if (item.handled?.entry !== undefined) waiting.push({ item, entry: item.handled.entry });
  }
  if (waiting.length === 0) return;
  const areQueued = await queue.put(waiting.map(({ entry }) => entry));
  for (const [index, { item }] of waiting.entries()) {
    if (areQueued[index] !== true) item.failure = new Error("not queued");
  }
}

function answer(
  record: StreamRecord,
  position: number,
  problem: string | undefined,
  events: readonly EventInBatch[],
  telemetry: Telemetry,
): RecordResult {
  const handled = events.flatMap((item) => (item.handled === undefined ? [] : [item.handled]));
  for (const item of events) {
    if (item.handled !== undefined && item.failure === undefined) report(item.handled, telemetry);
  }

  const failed = events.find((item) => item.failure !== undefined);
  if (failed !== undefined && !(failed.failure instanceof UnreadableMessageError)) {
    telemetry.count("EventFailed");
    telemetry.error("An event could not be handled now; its record comes again.", {
      record_id: record.id,
      position,
      error: errorName(failed.failure),
    });
    return { id: record.id, result: "failed", problem: errorName(failed.failure), events: handled };
  }
  const unreadable = failed === undefined ? problem : "unreadable item";
  if (unreadable !== undefined) {
    telemetry.count("RecordMalformed");
    telemetry.warn("A malformed record was set aside.", {
      record_id: record.id,
      position,
      reason: unreadable,
    });
    return { id: record.id, result: "malformed", problem: unreadable, events: handled };
  }
  return { id: record.id, result: "handled", events: handled };
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
  if (handled.unrecognisedStatus !== undefined) {
    telemetry.count("StatusUnrecognised");
    telemetry.warn("An event has a status that this version does not know; it is not retried.", {
      ...fields,
      status: handled.unrecognisedStatus,
    });
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
