/**
 * The resend workers of a deployment on a virtual clock: the real core and store, a queue without mercy, and a
 * service that takes everything. Made for very many messages; what can go wrong in between is the simulation's.
 */
import type { Random } from "../../functions/core/clock.ts";
import type { DeliveryEvent } from "../../functions/core/events/delivery-event.ts";
import type { DeliveryGuarantee, Message } from "../../functions/core/message/message.ts";
import type { RetryPolicy } from "../../functions/core/message/retry-policy.ts";
import type { MetricName } from "../../functions/core/observability/telemetry.ts";
import { handleDeliveryEvent } from "../../functions/core/processing/handle-delivery-event.ts";
import { handleQueueMessages } from "../../functions/core/processing/handle-queue-messages.ts";
import type { QueueEntry } from "../../functions/core/queue/retry-queue.ts";
import { steadyRateLimiter } from "../../functions/core/sending/rate-limiter.ts";
import type { SendRequest, SendResult } from "../../functions/core/sending/sms-sender.ts";
import { scriptedSender } from "./scripted-sender.ts";
import { storeOnModel } from "./store-on-model.ts";
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
  const counts = new Map<MetricName, number>();
  const sends: { readonly at: number; readonly request: SendRequest }[] = [];
  const waiting = new Map<number, string[]>();
  const due: string[] = [];
  let taken = 0;
  let lastDue = Math.floor(startsAt);
  let ids = 0;

  const store = storeOnModel();
  // Nobody writes anything else into this table.
  const items = store.items as Map<string, unknown> as Map<string, Message>;
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
