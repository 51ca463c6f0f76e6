/** A cancellation in every state of a message, and when a worker moves the message between its read and its write. */
import { withdrawMessage } from "../../../functions/core/message/cancel-message.ts";
import { isFinal, type Message, messageStatuses } from "../../../functions/core/message/message.ts";
import type { MessageStore } from "../../../functions/core/message/message-store.ts";
import { failureEvent, retryPolicy, sentMessage, startOfTest, successEvent } from "../../support/messages.ts";
import { storeOnModel, writtenAfter } from "../../support/store-on-model.ts";
import { type World, world } from "../../support/world.ts";

const id = "order-4711";
const reason = "a wrong text";
const clock = { now: () => startOfTest + 100 };
const policy = retryPolicy();

/** What each state has besides. */
const details: Partial<Record<string, Partial<Message>>> = {
  SENDING: { claim_expires_at: startOfTest + 160 },
  RETRY_SCHEDULED: { next_attempt_at: startOfTest + 70 },
};

test.each([undefined, ...messageStatuses.filter((status) => !isFinal(status))])(
  "a message in %s is cancelled, with the operator's reason and without what it waited for",
  async (status) => {
    const { status: _, ...bare } = sentMessage();
    const store = storeOnModel({ ...bare, ...(status !== undefined && { status, ...details[status] }) });

    const withdrawal = await withdrawMessage(id, { store, clock, policy }, reason);

    expect(withdrawal).toMatchObject({ isCancelled: true, before: { application_message_id: id } });
    expect(withdrawal.before?.status).toBe(status);
    const item = store.items.get(id);
    expect(item).toMatchObject({
      status: "CANCELLED",
      status_reason: "cancelled",
      cancelled_reason: reason,
      ended_at: startOfTest + 100,
    });
    for (const gone of ["message_body", "next_attempt_at", "claim_expires_at"]) {
      expect(item).not.toHaveProperty(gone);
    }
  },
);

test.each(messageStatuses.filter(isFinal))("a message that is %s stays as it is", async (status) => {
  const store = storeOnModel(sentMessage({ status }));
  const before = structuredClone(store.items.get(id));

  const withdrawal = await withdrawMessage(id, { store, clock, policy }, reason);

  expect(withdrawal).toMatchObject({ isCancelled: false, before: { status } });
  expect(store.items.get(id)).toEqual(before);
});

test("a message that is not there is not made by a cancellation", async () => {
  const store = storeOnModel();
  expect(await withdrawMessage(id, { store, clock, policy }, reason)).toEqual({ isCancelled: false });
  expect(store.items.get(id)).toBeUndefined();
});

/** A world whose message waits for its retry. */
async function waiting(): Promise<World> {
  const it = world([sentMessage()]);
  await it.event(failureEvent());
  return it;
}

const cancel = (it: World, store: MessageStore) =>
  withdrawMessage(id, { store, clock: it.clock, policy }, reason);

describe("between the read and the write of a cancellation", () => {
  test("a claim whose send goes through ends in a cancelled message that knows of the send", async () => {
    const it = await waiting();

    const withdrawal = await cancel(
      it,
      writtenAfter(it.store, () => it.drain()),
    );

    expect(withdrawal).toMatchObject({ isCancelled: true, before: { status: "SENT", retry_count: 1 } });
    expect(it.sends).toHaveLength(1);
    expect(it.message()).toMatchObject({
      status: "CANCELLED",
      retry_count: 1,
      attempts: { "1": { message_id: "msg-1" } },
    });
  });

  test("a claim whose send is under way is told, and its answer is recorded after the end", async () => {
    let withdrawal: unknown;
    // The service answers once the message is cancelled.
    const it: World = world([sentMessage()], {
      answers: [
        async () => {
          withdrawal = await cancel(it, it.store);
          return { kind: "accepted", messageId: "msg-late" };
        },
      ],
    });
    await it.event(failureEvent());
    await it.drain();

    expect(withdrawal).toMatchObject({ isCancelled: true, before: { status: "SENDING" } });
    expect(it.sends).toHaveLength(1);
    expect(it.message()).toMatchObject({
      status: "CANCELLED",
      attempts: { "1": { message_id: "msg-late" } },
    });
  });

  test("a delivery wins", async () => {
    const it = await waiting();
    const store = writtenAfter(it.store, () => it.event(successEvent()));

    expect(await cancel(it, store)).toMatchObject({ isCancelled: false, before: { status: "DELIVERED" } });
    expect(it.message()).not.toHaveProperty("cancelled_reason");
  });
});

test("a cancellation between a worker's read and its claim stops the send", async () => {
  const it = await waiting();
  const known = structuredClone(it.message());
  it.clock.advance(100);
  await cancel(it, it.store);

  await it.retryMessage({ kind: "retry-message", application_message_id: id, attempt: 1 }, { known });

  expect(it.sends).toEqual([]);
  expect(it.message().status).toBe("CANCELLED");
});
