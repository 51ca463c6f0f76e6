/** Must show of rule 10: bad records harm only themselves, however many and whatever they are. */
import { handleRecords } from "../../functions/core/processing/handle-records.ts";
import type { QueueEntry } from "../../functions/core/queue/retry-queue.ts";
import { seededChance } from "../../local/seeded-chance.ts";
import { hostileItems, hostileRecord } from "../support/hostile-records.ts";
import { retryPolicy, sentMessage, startOfTest } from "../support/messages.ts";
import { failureRecord } from "../support/recent-messages.ts";
import { recordedTelemetry } from "../support/recorded-telemetry.ts";
import { storeOnModel } from "../support/store-on-model.ts";
import { virtualTime } from "../support/virtual-time.ts";

const seed = 9;
/** Ten thousand over both event sources. */
const good = 5_000;
const batchSize = 250;

describe.each([false, true])(
  "bad records among good ones (failed events come back by the queue: %s)",
  (queuesFailedEvents) => {
    test("faults 38, 65, 67 and 68: of 5 000 good records among 5 000 bad ones every one is handled", async () => {
      // Prepare
      const ids = Array.from({ length: good }, (_, n) => `good-${n}`);
      const store = storeOnModel(...ids.map((id) => sentMessage({ application_message_id: id })));
      for (const item of hostileItems) store.items.set(String(item.application_message_id), item);
      const telemetry = recordedTelemetry();
      const queued: QueueEntry[] = [];
      const handling = {
        store,
        policy: retryPolicy(),
        recordsEveryDelivery: false,
        smsServices: new Set<never>(),
        clock: virtualTime(startOfTest + 10),
        endsAt: startOfTest + 60,
        random: { next: () => 0.5, id: () => "id" },
        queue: {
          async put(entries: readonly QueueEntry[]) {
            queued.push(...entries);
            return entries.map(() => true);
          },
        },
        telemetry,
        pinpointApplicationId: "0123456789abcdef0123456789abcdef",
        queuesFailedEvents,
      };
      const kinds = new Map<string, number>();

      // Act
      let goodHandled = 0;
      let others = 0;
      for (let start = 0; start < good; start += batchSize) {
        const records = ids.slice(start, start + batchSize).flatMap((id, n) => {
          const bad = hostileRecord(seededChance(seed, start + n), id);
          kinds.set(bad.kind, (kinds.get(bad.kind) ?? 0) + 1);
          return [
            { id: `bad:${bad.kind}`, data: bad.data },
            { id, data: Buffer.from(JSON.stringify(failureRecord(id))) },
          ];
        });
        const results = await handleRecords(records, handling);
        expect(results.map(({ id }) => id)).toEqual(records.map(({ id }) => id));
        for (const { id, result, events } of results) {
          if (id.startsWith("good-") && result === "handled" && events[0]?.outcome === "retry-scheduled")
            goodHandled += 1;
          if (!id.startsWith("good-")) others += 1;
          expect({ seed, id, result }).not.toMatchObject({ result: "failed" });
        }
      }

      // Assess
      expect([goodHandled, others]).toEqual([good, good]);
      expect(telemetry.counts.RetryScheduled).toBe(good);
      const retryMessages = queued.flatMap(({ message }) =>
        message.kind === "retry-message" ? [message.application_message_id] : [],
      );
      expect(retryMessages.sort()).toEqual([...ids].sort());
      for (const id of ids)
        expect(store.items.get(id)).toMatchObject({ status: "RETRY_SCHEDULED", retry_count: 0 });
      for (const item of hostileItems)
        expect(store.items.get(String(item.application_message_id))).toEqual(item);
      expect(store.items.size).toBe(good + hostileItems.length);
      // The generator makes enough of every kind to mean something.
      expect(Math.min(...kinds.values())).toBeGreaterThan(good / kinds.size / 2);
      for (const metric of [
        "RecordMalformed",
        "ForeignEvent",
        "NotSms",
        "ItemUnreadable",
        "ItemStatusUnknown",
      ] as const) {
        expect({ metric, count: telemetry.counts[metric] }).toEqual({ metric, count: expect.any(Number) });
      }
    });
  },
);
