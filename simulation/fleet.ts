/**
 * The resend workers of a deployment on a virtual clock: the real core and store, a queue without mercy, and a
 * service that takes everything. Made for very many messages; what can go wrong in between is the simulation's.
 */

import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { dynamodbGateStore } from "../functions/adapters/dynamodb/dynamodb-gate-store.ts";
import { dynamodbMessageStore } from "../functions/adapters/dynamodb/dynamodb-message-store.ts";
import { TableClock } from "../functions/adapters/dynamodb/table-clock.ts";
import { senderMappingFor } from "../functions/contract/sender-scaling.ts";
import type { Clock, Random } from "../functions/core/clock.ts";
import type { DeliveryEvent } from "../functions/core/events/delivery-event.ts";
import type { DeliveryGuarantee, Message } from "../functions/core/message/message.ts";
import type { RetryPolicy } from "../functions/core/message/retry-policy.ts";
import type { MetricName } from "../functions/core/observability/telemetry.ts";
import { handleDeliveryEvent } from "../functions/core/processing/handle-delivery-event.ts";
import { handleQueueMessages } from "../functions/core/processing/handle-queue-messages.ts";
import type { QueueEntry } from "../functions/core/queue/retry-queue.ts";
import type { GateStore } from "../functions/core/sending/gate/gate-store.ts";
import { sendGate } from "../functions/core/sending/gate/send-gate.ts";
import { SendTiming } from "../functions/core/sending/gate/send-timing.ts";
import type { Routing } from "../functions/core/sending/route.ts";
import type { SendRequest, SendResult, SmsSender } from "../functions/core/sending/sms-sender.ts";
import { tableModel } from "../local/dynamodb/table-model.ts";
import { type VirtualClock, virtualClock } from "../local/virtual-clock.ts";

/** A deployment, and what a test needs of it. */
export interface FleetOptions {
  readonly startsAt: number;
  /** @default a clock that begins at `startsAt` */
  readonly time?: VirtualClock;
  readonly policy: RetryPolicy;
  readonly maxSendsPerSecond: number;
  /** Most at once. @default as the stacks work it out from the ceiling */
  readonly workers?: number;
  /** Most messages of a batch. @default likewise */
  readonly batchSize?: number;
  /** How far the workers' clocks are off, in seconds; the workers take turns. @default [0] */
  readonly clockSkews?: readonly number[];
  /** How long the service takes to answer, in seconds. @default 0.1 */
  readonly latencySeconds?: number;
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

/** What the poll and the start of an invocation take, before its billed time begins. */
const pollSeconds = 0.02;

/** How long a call of a table takes, and one of the queue. */
const tableSeconds = 0.008;
const queueSeconds = 0.01;

/** How often a poller looks whether something is there, in seconds; the pollers take turns by chance. */
const lookSeconds = { least: 0.02, spread: 0.06 } as const;

/** The queue's messages lie in buckets by when they become visible: so many in a second. */
const bucketsPerSecond = 100;

/** Time that an invocation has for sends, as in `functions/resend/resend-function.ts`. */
const sendSeconds = 18;

/** The fleet; see the module's comment. */
export function fleet(options: FleetOptions) {
  const { guarantee = "at-least-once" } = options;
  const {
    startsAt,
    policy,
    maxSendsPerSecond,
    chance,
    carrier,
    clockSkews = [0],
    latencySeconds = 0.1,
  } = options;
  const mapping = senderMappingFor(maxSendsPerSecond);
  const { workers = mapping.concurrency, batchSize = mapping.batchSize } = options;
  const { batchingWindowSeconds: windowSeconds } = mapping;
  const time = options.time ?? virtualClock(startsAt);
  const counts = new Map<MetricName, number>();
  const sends: { readonly at: number; readonly request: SendRequest }[] = [];
  const waiting = new Map<number, string[]>();
  const due: string[] = [];
  let taken = 0;
  let lastDue = Math.floor(startsAt * bucketsPerSecond);
  let ids = 0;

  const random: Random = { next: chance, id: () => `id-${++ids}` };
  const table = tableModel({ key: "application_message_id", now: time.now });
  const store = dynamodbMessageStore(table.client, "message-state", time, random);
  // Nobody writes anything else into this table.
  const items = table.items as Map<string, unknown> as Map<string, Message>;
  /** Puts entries on the queue as the adapter does: SQS delays by whole seconds from the call on. */
  function put(entries: readonly QueueEntry[], now: number): void {
    for (const { message, dueAt } of entries) {
      const visibleAt = time.now() + Math.max(0, Math.ceil(dueAt - now));
      const number = Math.max(lastDue + 1, Math.ceil(visibleAt * bucketsPerSecond));
      const bucket = waiting.get(number);
      const body = JSON.stringify(message);
      if (bucket === undefined) waiting.set(number, [body]);
      else bucket.push(body);
    }
  }
  const telemetry = {
    count: (metric: MetricName, value = 1) => void counts.set(metric, (counts.get(metric) ?? 0) + value),
    info: () => {},
    warn: () => {},
    error: () => {},
  };
  const events = {
    store,
    policy,
    recordsEveryDelivery: false,
    smsServices: new Set<never>(),
    clock: time,
    random,
  };
  // What a worker calls takes time, and counts.
  const timed = async <Result>(seconds: number, call: () => Promise<Result>): Promise<Result> => {
    billed.calls += seconds;
    await time.sleep(seconds);
    return call();
  };
  const timedClient = {
    send: (command: never) => timed(tableSeconds, () => table.client.send(command)),
  } as unknown as DynamoDBDocumentClient;
  const workerStore = dynamodbMessageStore(timedClient, "message-state", time, random);
  const isEmpty = (): boolean => waiting.size === 0 && due.length === taken;

  /** Handles an event as the event consumer does. */
  async function handle(event: DeliveryEvent): Promise<void> {
    const { entry } = await handleDeliveryEvent(event, events, undefined);
    if (entry !== undefined) put([entry], time.now());
  }

  function receive(most = batchSize): { id: string; body: string }[] {
    for (; lastDue < Math.floor(time.now() * bucketsPerSecond); lastDue += 1) {
      const bucket = waiting.get(lastDue + 1);
      waiting.delete(lastDue + 1);
      for (const body of bucket ?? []) due.push(body);
    }
    const batch = due.slice(taken, taken + most).map((body, index) => ({ id: String(taken + index), body }));
    taken += batch.length;
    return batch;
  }

  const gates = tableModel({
    key: "gate",
    now: time.now,
    onCall: ({ readUnits, writeUnits }) => {
      gateUnits.read += readUnits;
      gateUnits.write += writeUnits;
    },
  });
  const gateUnits = { read: 0, write: 0 };
  const billed = { seconds: 0, calls: 0 };

  const sender: SmsSender = {
    leastSecondsLeft: 0,
    async send(request) {
      const at = time.now();
      const refused = options.refusal?.(at);
      if (refused === undefined) sends.push({ at, request });
      billed.calls += latencySeconds;
      await time.sleep(latencySeconds);
      if (refused !== undefined) return refused;
      const event = carrier(request, at);
      if (event !== undefined) {
        pendingEvents += 1;
        void time.sleep(eventAfterSeconds).then(async () => {
          await handle(event);
          pendingEvents -= 1;
        });
      }
      return { kind: "accepted", messageId: `sms-${sends.length}` };
    },
  };

  const routing: Routing = { senders: { pinpoint: sender }, smsService: "pinpoint", identities: [] };

  /** A store whose calls take time, and whose answers tell a worker the table's time. */
  function gateStoreOf(clock: Clock, tableClock: TableClock): GateStore {
    const gateStore = dynamodbGateStore(gates.client, "send-gates", clock, random);
    const told = async <Result>(call: () => Promise<Result>): Promise<Result> => {
      const sentAt = clock.now();
      await time.sleep(tableSeconds / 2);
      const result = await call();
      const date = new Date(Math.floor(time.now()) * 1000).toUTCString();
      await time.sleep(tableSeconds / 2);
      billed.calls += tableSeconds;
      tableClock.observe(date, sentAt, clock.now());
      return result;
    };
    return {
      read: (...asked) => told(() => gateStore.read(...asked)),
      write: (identity, lane, before, after) => told(() => gateStore.write(identity, lane, before, after)),
    };
  }

  let pendingEvents = 0;
  let isFed = false;

  async function worker(number: number): Promise<void> {
    const skew = clockSkews[number % clockSkews.length] ?? 0;
    const clock: Clock = { now: () => time.now() + skew, sleep: time.sleep };
    const tableClock = new TableClock(clock);
    const gateStore = gateStoreOf(clock, tableClock);
    const timing = new SendTiming();
    const queue = {
      put: (entries: readonly QueueEntry[]) =>
        timed(queueSeconds, async () => {
          put(entries, clock.now());
          return entries.map(() => true);
        }),
    };
    while (!(isFed && isEmpty() && pendingEvents === 0)) {
      const batch = receive();
      if (batch.length === 0) {
        await time.sleep(lookSeconds.least + chance() * lookSeconds.spread);
        continue;
      }
      for (const until = time.now() + windowSeconds; batch.length < batchSize && time.now() < until; ) {
        await time.sleep(0.1);
        batch.push(...receive(batchSize - batch.length));
      }
      await time.sleep(pollSeconds);
      const startedAt = time.now();
      const gate = sendGate({
        store: gateStore,
        gateClock: tableClock,
        timing,
        clock,
        random,
        rateOf: () => maxSendsPerSecond,
        until: clock.now() + sendSeconds,
      });
      const resend = { store: workerStore, routing, gate, policy, guarantee, clock, random };
      await handleQueueMessages(batch, { resend, events, queue, telemetry });
      await gate.settle();
      billed.seconds += time.now() - startedAt;
    }
  }

  return {
    items,
    counts,
    sends,
    /** What the gates' table was asked for, in its units. */
    gateUnits,
    /** The time of all invocations, and that of their calls, one after the other. */
    billed,
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
      await Promise.all([
        feeding,
        ...Array.from({ length: workers }, (_, number) => worker(number)),
        time.run(),
      ]);
    },
  };
}
