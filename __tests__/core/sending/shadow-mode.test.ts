/** Shadow mode: what would be sent is decided, written down and counted; nothing leaves, now or later. */
import type { Message } from "../../../functions/core/message/message.ts";
import type { RetryMessage } from "../../../functions/core/queue/queue-messages.ts";
import { failureEvent, sentMessage, startOfTest, successEvent } from "../../support/messages.ts";
import { gateOf } from "../../support/open-gate.ts";
import { world } from "../../support/world.ts";

const retryMessage: RetryMessage = {
  kind: "retry-message",
  application_message_id: "order-4711",
  attempt: 1,
};

/** Nobody who sends nothing may take a time from those who do. */
const nobodysGate = gateOf(() => {
  throw new Error("The gate was asked.");
});

/** A world in shadow mode in which the retry of the one message has been counted. */
async function shadowed(item: Partial<Message> = {}) {
  const it = world([sentMessage(item)], { isShadow: true, gate: nobodysGate });
  await it.event(failureEvent());
  await it.drain();
  return it;
}

describe("in shadow mode", () => {
  test("a retry goes its whole way, by queue and delay, and is written down instead of sent", async () => {
    const it = await shadowed({ message_body: "x".repeat(161) });

    expect(it.sends).toEqual([]);
    expect(it.message()).toEqual({
      ...sentMessage({ message_body: "x".repeat(161) }),
      status_reason: "shadow-mode",
      attempts: {
        "0": {
          ...sentMessage().attempts?.["0"],
          outcome: "UNREACHABLE",
          outcome_at: startOfTest + 10,
          retry_scheduled_at: startOfTest + 10,
          shadowed_at: startOfTest + 70,
          shadow_parts: 2,
        },
      },
    });
    expect(it.clock.now()).toBe(startOfTest + 70);
  });

  test("the same failure again counts nothing twice", async () => {
    const it = await shadowed();
    const before = structuredClone(it.message());

    expect(await it.event(failureEvent())).toMatchObject({ outcome: "absorbed", reason: "shadow-mode" });
    expect(await it.retryMessage(retryMessage)).toMatchObject({
      outcome: "absorbed",
      reason: "already-sent",
    });
    expect(it.message()).toEqual(before);
    expect(it.queue).toEqual([]);
  });

  test("a delivery while the retry waits is seen: the retry does not count", async () => {
    const it = world([sentMessage()], { isShadow: true, gate: nobodysGate });
    await it.event(failureEvent());
    await it.event(successEvent());
    await it.drain();

    expect(it.message()).toMatchObject({ status: "DELIVERED" });
    expect(it.message().attempts?.["0"]).not.toHaveProperty("shadowed_at");
  });

  test("a delivery after it is written down: the retry would have come besides it", async () => {
    const it = await shadowed();
    await it.event(successEvent());

    expect(it.message()).toMatchObject({
      status: "DELIVERED",
      attempts: { "0": { outcome: "DELIVERED", shadowed_at: startOfTest + 70 } },
    });
  });

  test("a permanent failure and an opt-out end the message as ever", async () => {
    const rejected = await shadowed();
    await rejected.event(failureEvent({ status: "INVALID" }));
    expect(rejected.message()).toMatchObject({ status: "REJECTED", status_reason: "INVALID" });

    const optedOut = await shadowed();
    await optedOut.event(failureEvent({ kind: "opt-out", status: "OPTOUT" }));
    expect(optedOut.message()).toMatchObject({ status: "OPTED_OUT" });
  });

  test("what is past its deadline, or too long, is no retry that would have been sent", async () => {
    const late = world([sentMessage({ deadline: startOfTest + 5 })], { isShadow: true });
    expect(await late.event(failureEvent())).toMatchObject({ outcome: "expired" });

    const long = world(
      [
        sentMessage({
          status: "RETRY_SCHEDULED",
          next_attempt_at: startOfTest,
          message_body: "x".repeat(1_601),
        }),
      ],
      { isShadow: true },
    );
    expect(await long.retryMessage(retryMessage)).toMatchObject({ outcome: "rejected" });
  });

  test("a send that was begun before waits for the end of shadow mode, and is not lost", async () => {
    const first = sentMessage({ status: "SENDING", attempts: { "0": {} }, claim_expires_at: startOfTest });
    const it = world([first], { isShadow: true, gate: nobodysGate });
    const now = it.clock.now();

    expect(await it.retryMessage({ ...retryMessage, attempt: 0 })).toEqual({
      outcome: "not-due",
      reason: "shadow-mode",
      entry: { message: { ...retryMessage, attempt: 0 }, dueAt: now + 60 },
    });
    expect(it.message()).toEqual(first);
  });

  test("receipts that time out are counted as retries, and looked at no more", async () => {
    const it = world([sentMessage()], {
      isShadow: true,
      gate: nobodysGate,
      policy: { receiptTimeoutSeconds: 600 },
    });
    it.queue.push({
      message: { kind: "receipt-check", application_message_id: "order-4711", attempt: 0 },
      dueAt: startOfTest + 600,
    });
    await it.drain();

    expect(it.message()).toMatchObject({
      status: "SENT",
      status_reason: "shadow-mode",
      attempts: { "0": { outcome: "NO_RECEIPT", shadow_parts: 1 } },
    });
    expect(
      await it.retryMessage({ kind: "receipt-check", application_message_id: "order-4711", attempt: 0 }),
    ).toMatchObject({ outcome: "absorbed", reason: "already-sent" });
  });
});

describe("after shadow mode", () => {
  test("nothing that was counted is sent, however often its events come again", async () => {
    const { store } = await shadowed();
    const it = world([store.items.get("order-4711") as unknown as Message]);

    for (const status of ["UNREACHABLE", "UNKNOWN", "TTL_EXPIRED"]) {
      expect(await it.event(failureEvent({ status }))).toMatchObject({ outcome: "absorbed" });
    }
    await it.retryMessage(retryMessage);
    await it.drain();

    expect(it.sends).toEqual([]);
    expect(it.message()).toMatchObject({ status: "SENT", status_reason: "shadow-mode", retry_count: 0 });
  });

  test("what was still waiting is sent in its time", async () => {
    const waiting = sentMessage({ status: "RETRY_SCHEDULED", next_attempt_at: startOfTest + 60 });
    const it = world([waiting]);
    it.queue.push({ message: retryMessage, dueAt: startOfTest + 60 });
    await it.drain();

    expect(it.sends).toHaveLength(1);
  });
});
