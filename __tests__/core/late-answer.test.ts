/** Answers that come after somebody else went on, and receipt checks that got lost on their way to the queue. */

import type { QueueEntry } from "../../functions/core/queue/retry-queue.ts";
import { produceMessage } from "../../functions/core/sending/produce-message.ts";
import { failureEvent, retryPolicy, sentMessage, startOfTest } from "../support/messages.ts";
import { openGate } from "../support/open-gate.ts";
import { routingBy, scriptedSender } from "../support/scripted-sender.ts";
import { storeOnModel } from "../support/store-on-model.ts";
import { world } from "../support/world.ts";

const retryMessage = { kind: "retry-message", application_message_id: "order-4711", attempt: 1 } as const;

describe("a worker that stands still while it sends", () => {
  test.each(["at-least-once", "at-most-once"] as const)(
    "and learns late that the service took the attempt: nobody takes it for lost (%s)",
    async (guarantee) => {
      const it = world([sentMessage()], {
        guarantee,
        answers: [
          async () => {
            // Others come after its lease: one repeats the attempt where that is allowed, and loses its answer.
            it.clock.advance(200);
            await it.retryMessage(retryMessage);
            it.clock.advance(100);
            await it.retryMessage(retryMessage);
            return { kind: "accepted", messageId: "msg-late" };
          },
          { kind: "unconfirmed", reason: "TimeoutError" },
        ],
      });
      await it.event(failureEvent());
      it.queue.length = 0;
      it.clock.advance(61);
      await it.retryMessage(retryMessage);
      expect(it.queue).toContainEqual(
        expect.objectContaining({ message: { ...retryMessage, kind: "receipt-check" } }),
      );
      const sends = guarantee === "at-least-once" ? 2 : 1;

      await it.drain();

      expect(it.sends.map(({ context }) => context.retry_attempt)).toEqual(Array(sends).fill("1"));
      expect(it.message()).toMatchObject({
        status: "SENT",
        retry_count: 1,
        attempts: { "1": { message_id: "msg-late" } },
      });
    },
  );
});

describe("a receipt check that did not get onto the queue", () => {
  const check = { kind: "receipt-check", application_message_id: "order-4711", attempt: 1 } as const;

  test("is put there again by the retry message, which comes again", async () => {
    const it = world([sentMessage()], { policy: { receiptTimeoutSeconds: 600 } });
    await it.event(failureEvent());
    it.queue.length = 0;
    it.clock.advance(61);
    await it.retryMessage(retryMessage);
    const entry: QueueEntry = { message: check, dueAt: startOfTest + 71 + 600 };
    expect(it.queue.splice(0)).toEqual([entry]);

    expect(await it.retryMessage(retryMessage)).toEqual({
      outcome: "absorbed",
      reason: "already-sent",
      entry,
    });
    expect(it.sends).toHaveLength(1);
  });

  test("is put there again by the producer's next invocation", async () => {
    const store = storeOnModel();
    const puts: (readonly QueueEntry[])[] = [];
    const sender = scriptedSender();
    const produce = (receiptTimeoutSeconds: number, id = "order-4711") =>
      produceMessage(
        {
          applicationMessageId: id,
          destinationNumber: "+447700900123",
          body: "Your code is 493817.",
          messageType: "TRANSACTIONAL",
          validitySeconds: 3_600,
        },
        {
          store,
          routing: routingBy(sender),
          gate: openGate,
          guarantee: "at-least-once",
          queue: {
            put: async (entries) => {
              puts.push(entries);
              return entries.map(() => false);
            },
          },
          policy: retryPolicy({ receiptTimeoutSeconds }),
          telemetry: { count() {} },
          clock: { now: () => startOfTest, sleep: async () => {} },
          random: { next: () => 0.5, id: () => "id" },
        },
      );
    const entry = { message: { ...check, attempt: 0 }, dueAt: startOfTest + 600 };
    await produce(600);
    expect(await produce(600)).toMatchObject({ status: "SENT" });
    expect(puts).toEqual([[entry], [entry]]);

    await produce(0, "order-4712");
    await produce(0, "order-4712");
    expect(puts).toHaveLength(2);
  });
});
