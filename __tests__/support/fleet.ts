/**
 * The resend workers of a deployment on a virtual clock: the real core on a plain map, a queue without mercy, and a
 * service that takes everything. Made for very many messages; what can go wrong in between is the simulation's.
 */
import type { Random } from "../../functions/core/clock.ts";
import type { DeliveryEvent } from "../../functions/core/events/delivery-event.ts";
import type { Attempt, DeliveryGuarantee, Message } from "../../functions/core/message/message.ts";
import type {
  AttemptChange,
  Change,
  Clause,
  MessageStore,
} from "../../functions/core/message/message-store.ts";
import type { RetryPolicy } from "../../functions/core/message/retry-policy.ts";
import type { MetricName } from "../../functions/core/observability/telemetry.ts";
import { handleDeliveryEvent } from "../../functions/core/processing/handle-delivery-event.ts";
import { handleQueueMessages } from "../../functions/core/processing/handle-queue-messages.ts";
import type { QueueEntry } from "../../functions/core/queue/retry-queue.ts";
import { steadyRateLimiter } from "../../functions/core/sending/rate-limiter.ts";
import type { SendRequest, SendResult } from "../../functions/core/sending/sms-sender.ts";
import { scriptedSender } from "./scripted-sender.ts";
import { virtualTime } from "./virtual-time.ts";

/** A deployment, and what a test needs of it. */
export interface FleetOptions {
  readonly startsAt: number;
  readonly policy: RetryPolicy;
  readonly maxSendsPerSecond: number;
  readonly workers: number;
  readonly batchSize: number;
  /** Numbers in [0, 1). */
  readonly chance: () => number;
  /** @default "at-least-once" */
  readonly guarantee?: DeliveryGuarantee;
  /** What the service answers instead of taking a send; undefined = it takes it. @default it takes everything */
  readonly refusal?: (now: number) => SendResult | undefined;
  /** What the carrier says of a send, after `eventAfterSeconds`; undefined = nothing is worth telling. */
  readonly carrier: (request: SendRequest, now: number) => DeliveryEvent | undefined;
}

/** How long after a send its event comes. */
const eventAfterSeconds = 5;

/** What an invocation takes besides its sends: the poll, the claims, the answers. */
const overheadSeconds = 0.1;

/** Time that an invocation has for sends, as in `functions/resend/resend-function.ts`. */
const sendSeconds = 18;

/** The fleet; see the module's comment. */
export function fleet(options: FleetOptions) {
  const { guarantee = "at-least-once" } = options;
  const { startsAt, policy, workers, maxSendsPerSecond, batchSize, chance, carrier } = options;
  const time = virtualTime(startsAt);
  const items = new Map<string, Message>();
  const counts = new Map<MetricName, number>();
  const sends: { readonly at: number; readonly request: SendRequest }[] = [];
  const waiting = new Map<number, string[]>();
  const due: string[] = [];
  let taken = 0;
  let lastDue = Math.floor(startsAt);
  let ids = 0;

  const store = plainStore(items);
  const random: Random = { next: chance, id: () => `id-${++ids}` };
  const queue = {
    put: async (entries: readonly QueueEntry[]) => {
      for (const { message, dueAt } of entries) {
        const second = Math.max(lastDue + 1, Math.ceil(dueAt));
        const bucket = waiting.get(second);
        const body = JSON.stringify(message);
        if (bucket === undefined) waiting.set(second, [body]);
        else bucket.push(body);
      }
      return entries.map(() => true);
    },
  };
  const telemetry = {
    count: (metric: MetricName, value = 1) => void counts.set(metric, (counts.get(metric) ?? 0) + value),
    info: () => {},
    warn: () => {},
    error: () => {},
  };
  const events = { store, policy, recordsEveryDelivery: false, clock: time, random };
  const isEmpty = (): boolean => waiting.size === 0 && due.length === taken;

  /** Handles an event as the event consumer does. */
  async function handle(event: DeliveryEvent): Promise<void> {
    const { entry } = await handleDeliveryEvent(event, events, undefined);
    if (entry !== undefined) await queue.put([entry]);
  }

  function receive(): { id: string; body: string }[] {
    for (; lastDue < Math.floor(time.now()); lastDue += 1) {
      const bucket = waiting.get(lastDue + 1);
      waiting.delete(lastDue + 1);
      for (const body of bucket ?? []) due.push(body);
    }
    const batch = due.slice(taken, taken + batchSize).map((body, index) => ({ id: String(index), body }));
    taken += batch.length;
    return batch;
  }

  const sender = scriptedSender({
    otherwise(request) {
      const refused = options.refusal?.(time.now());
      if (refused !== undefined) return refused;
      sends.push({ at: time.now(), request });
      const event = carrier(request, time.now());
      if (event !== undefined) {
        pendingEvents += 1;
        void time.sleep(eventAfterSeconds).then(async () => {
          await handle(event);
          pendingEvents -= 1;
        });
      }
      return { kind: "accepted", messageId: `sms-${sends.length}` };
    },
  });
  let pendingEvents = 0;
  let isFed = false;

  async function worker(): Promise<void> {
    while (!(isFed && isEmpty() && pendingEvents === 0)) {
      const batch = receive();
      if (batch.length === 0) {
        await time.sleep(1);
        continue;
      }
      const rateLimiter = steadyRateLimiter(maxSendsPerSecond / workers, time, time.now() + sendSeconds);
      const resend = { store, sender, rateLimiter, policy, guarantee, clock: time, random };
      await handleQueueMessages(batch, { resend, events, queue, telemetry });
      await time.sleep(overheadSeconds);
    }
  }

  return {
    items,
    counts,
    sends,
    now: time.now,
    handle,
    isEmpty,
    /** Runs the workers until the queue is empty; meanwhile `feed` brings events second by second. */
    async run(seconds: number, feed: (second: number) => Promise<void>): Promise<void> {
      const feeding = (async () => {
        for (let second = 0; second < seconds; second += 1) {
          await feed(second);
          await time.sleep(1);
        }
        isFed = true;
      })();
      await Promise.all([feeding, ...Array.from({ length: workers }, worker), time.run()]);
    },
  };
}

/** The store's contract without copies: nobody else changes what is handed out. */
function plainStore(items: Map<string, Message>): MessageStore {
  return {
    readMany: async (ids) =>
      new Map(ids.flatMap((id) => (items.has(id) ? [[id, items.get(id) as Message]] : []))),
    read: async (id) => items.get(id),
    create: async (message) => {
      items.set(message.application_message_id, message);
      return true;
    },
    change: async (id, change) => {
      const current = items.get(id);
      if (current === undefined || !holds(change, current)) return { applied: false, current };
      const message = changed(change, current);
      items.set(id, message);
      return { applied: true, message };
    },
  };
}

function holds({ require }: Change, item: Message): boolean {
  for (const name in require) if (!clauseHolds(require[name] as Clause, item)) return false;
  return true;
}

function clauseHolds(clause: Clause, item: Message): boolean {
  const value = valueAt(clause.path, item);
  switch (clause.is) {
    case "present":
      return value !== undefined;
    case "absent":
      return value === undefined;
    case "equal":
      return value === clause.value;
    case "other-than":
      return value !== clause.value;
    case "at-most":
      return value === undefined ? clause.orAbsent === true : Number(value) <= clause.value;
    case "more-than":
      return value === undefined ? clause.orAbsent === true : Number(value) > clause.value;
  }
}

function valueAt(path: Clause["path"], item: Message): unknown {
  if (!path.startsWith("attempts.")) return item[path as keyof Message];
  const [, number = "", field] = path.split(".");
  const record = item.attempts?.[number];
  return field === undefined ? record : record?.[field as keyof Attempt];
}

function changed({ set, remove = [], attempts = [] }: Change, item: Message): Message {
  const message: Record<string, unknown> = { ...item, ...set };
  for (const attribute of remove) delete message[attribute];
  if (attempts.length > 0) {
    const records: Record<string, Attempt> = { ...item.attempts };
    for (const attempt of attempts) changeRecord(attempt, records);
    message.attempts = records;
  }
  return message as unknown as Message;
}

function changeRecord(attempt: AttemptChange, records: Record<string, Attempt>): void {
  switch (attempt.how) {
    case "map":
      Object.assign(records, attempt.records);
      break;
    case "record":
      records[attempt.number] = attempt.set;
      break;
    case "remove":
      delete records[attempt.number];
      break;
    case "fields": {
      const record: Record<string, unknown> = { ...records[attempt.number], ...attempt.set };
      for (const field of attempt.remove ?? []) delete record[field];
      records[attempt.number] = record as Attempt;
      break;
    }
  }
}
