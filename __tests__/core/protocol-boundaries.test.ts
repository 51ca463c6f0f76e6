/** The protocol at its edges: the very second, the missing field, the write that comes in between. */
import { cancelMessage } from "../../functions/core/cancel-message.ts";
import { ContentionError } from "../../functions/core/errors.ts";
import type { Message } from "../../functions/core/message.ts";
import { awaitEvents, endSeries } from "../../functions/core/message-changes.ts";
import type { SendResult } from "../../functions/core/sms-sender.ts";
import { decideWakeUp } from "../../functions/core/wake-up-decision.ts";
import { inMemoryMessageStore } from "../support/in-memory-message-store.ts";
import { failureEvent, sentMessage, startOfTest, successEvent } from "../support/messages.ts";
import { type World, world } from "../support/world.ts";

const wakeUp = { kind: "wake-up", application_message_id: "order-4711", attempt: 1 } as const;
/** The worlds' clock when they begin. */
const now = startOfTest + 10;
const due = (changes: Partial<Message> = {}) =>
  sentMessage({ status: "RETRY_SCHEDULED", next_attempt_at: now, ...changes });

/** The item without some of its attributes. */
function without(message: Message, ...attributes: (keyof Message)[]): Message {
  const rest = { ...message };
  for (const attribute of attributes) delete rest[attribute];
  return rest;
}

/** Writes to the item past the protocol, as an application may. */
function write({ store }: World, changes: Partial<Message>): void {
  store.items.set("order-4711", { ...store.items.get("order-4711"), ...changes });
}

/** Lets every change be refused, as if somebody else always came first; counts them. */
function contended({ store }: World): { changes: number } {
  const counted = { changes: 0 };
  store.change = async (id) => {
    counted.changes += 1;
    const current = await store.read(id);
    return { applied: false, current };
  };
  return counted;
}

describe("a wake-up", () => {
  test("of an item without a deadline is sent without one", async () => {
    const small = world([without(due(), "deadline", "expires_at")]);
    expect(await small.wakeUp(wakeUp)).toEqual({ outcome: "sent", reason: "due" });
    expect(small.sends).toHaveLength(1);
    expect(small.sends[0]).not.toHaveProperty("secondsLeft");
  });

  test("goes out by the item's sender id, as a notice where the item says nothing else", async () => {
    const small = world([without({ ...due(), sender_id: "SHOP" }, "origination_number", "message_type")]);
    await small.wakeUp(wakeUp);
    expect(small.sends).toMatchObject([{ senderId: "SHOP", messageType: "TRANSACTIONAL" }]);
    expect(small.message().attempts?.["1"]).toMatchObject({ origination: "SHOP" });
  });

  test.each([["message_body"], ["destination_number"]] as const)(
    "of an item whose %s was taken away ends the series",
    async (attribute) => {
      const small = world([without(due(), attribute)]);
      expect(await small.wakeUp(wakeUp)).toEqual({ outcome: "rejected", reason: "nothing-to-send" });
      expect(small.message()).toMatchObject({ status: "REJECTED", status_reason: "nothing-to-send" });
      expect(small.sends).toEqual([]);
    },
  );

  test("claims again where the item has become due between the refusal and the look at it", async () => {
    const small = world([due()]);
    const { change } = small.store;
    let isFirst = true;
    small.store.change = async (id, given) => {
      if (!isFirst) return change(id, given);
      isFirst = false;
      return { applied: false, current: await small.store.read(id) };
    };
    expect(await small.wakeUp(wakeUp)).toEqual({ outcome: "sent", reason: "due" });
    expect(small.message().attempts?.["1"]).not.toHaveProperty("possible_duplicate");
  });

  test("gives up after six decisions", async () => {
    const small = world([due()]);
    const counted = contended(small);
    await expect(small.wakeUp(wakeUp)).rejects.toThrow(ContentionError);
    expect(counted.changes).toBe(6);
    expect(small.sends).toEqual([]);
  });

  test("that the service puts off after the message was cancelled has nothing to come back for", async () => {
    const throttledAfterCancel = (): SendResult => {
      write(small, { status: "CANCELLED" });
      return { kind: "deferred", reason: "throttled" };
    };
    const small: World = world([due()], { answers: [throttledAfterCancel] });
    expect(await small.wakeUp(wakeUp)).toEqual({ outcome: "absorbed", reason: "superseded-attempt" });
  });

  test("whose pause ends at the deadline expires now", async () => {
    const atLimit: SendResult = { kind: "deferred", reason: "spend-limit" };
    const small = world([due({ deadline: now + 900 })], { answers: [atLimit] });
    expect(await small.wakeUp(wakeUp)).toEqual({ outcome: "expired", reason: "deadline" });

    const longer = world([due({ deadline: now + 901 })], { answers: [atLimit] });
    expect(await longer.wakeUp(wakeUp)).toMatchObject({ outcome: "deferred", entry: { dueAt: now + 900 } });
  });

  test.each([
    [40, "sent"],
    [41, "deferred"],
  ] as const)("whose turn comes %i s into its lease is %s: twenty must be left", async (seconds, outcome) => {
    const small: World = world([due()], {
      pace: {
        queueUp: async () => ({
          turn: async () => {
            small.clock.advance(seconds);
            return true;
          },
          leave: () => {},
        }),
      },
    });
    expect(await small.wakeUp(wakeUp)).toMatchObject({ outcome });
  });

  test("whose turn comes at the deadline is not sent", async () => {
    const small: World = world([due({ deadline: now + 10 })], {
      pace: {
        queueUp: async () => ({
          turn: async () => {
            small.clock.advance(10);
            return true;
          },
          leave: () => {},
        }),
      },
    });
    expect(await small.wakeUp(wakeUp)).toEqual({ outcome: "expired", reason: "deadline" });
    expect(small.sends).toEqual([]);
  });

  test("of an attempt before the one that is being sent is dropped", () => {
    const sending = sentMessage({ status: "SENDING", retry_count: 2, claim_expires_at: now + 60 });
    expect(decideWakeUp(sending, 1, now, "at-least-once")).toEqual({
      action: "drop",
      reason: "already-sent",
    });
  });

  test("of an item without any record of attempts decides by its lease", () => {
    const sending = without(
      sentMessage({ status: "SENDING", retry_count: 1, claim_expires_at: now }),
      "attempts",
    );
    expect(decideWakeUp(sending, 1, now, "at-least-once")).toMatchObject({ action: "claim-again" });
  });

  test("records the id of an attempt that was overtaken with that attempt alone", async () => {
    const overtaken = (): SendResult => {
      write(small, { status: "SENT", retry_count: 2, pinpoint_message_id: "msg-2" });
      return { kind: "accepted", messageId: "msg-1" };
    };
    const small: World = world([due()], { answers: [overtaken] });
    await small.wakeUp(wakeUp);
    expect(small.message()).toMatchObject({
      pinpoint_message_id: "msg-2",
      attempts: { "1": { message_id: "msg-1" } },
    });
  });
});

describe("an event", () => {
  /** The event of an application that gives its id but no retry tag. */
  const untagged = (messageId: string) => {
    const { attempt: _, ...event } = failureEvent({ messageId });
    return event;
  };
  const retried = (changes: Partial<Message> = {}) =>
    sentMessage({
      retry_count: 1,
      pinpoint_message_id: "msg-1",
      attempts: { "0": { message_id: "msg-0" }, "1": { message_id: "msg-1" } },
      ...changes,
    });

  test.each([
    ["that an attempt has", "msg-1", retried(), 1],
    ["of the first send", "msg-0", retried(), 0],
    ["that only the item has", "msg-1", retried({ attempts: {} }), 1],
    ["that nobody knows", "msg-9", retried(), 0],
  ])("without a retry tag belongs to the attempt of its id: one %s", async (_whose, id, item, attempt) => {
    expect(await world([item]).event(untagged(id))).toMatchObject({ attempt });
  });

  test("without tag and id is about the first send", async () => {
    const { messageId: _, ...nameless } = untagged("msg-1");
    expect(await world([retried()]).event(nameless)).toMatchObject({ attempt: 0 });
    const unrecorded = retried({ attempts: { "0": { message_id: "msg-0" }, "1": {} } });
    expect(await world([unrecorded]).event(nameless)).toMatchObject({ attempt: 0 });
  });

  test("of an attempt that was never made changes nothing", async () => {
    const small = world([sentMessage()]);
    const before = structuredClone(small.message());
    expect(await small.event(failureEvent({ attempt: 2, messageId: "msg-2" }))).toMatchObject({
      outcome: "absorbed",
    });
    expect(small.message()).toEqual(before);
  });

  test("gives up after six decisions", async () => {
    const small = world([sentMessage()]);
    const counted = contended(small);
    await expect(small.event(failureEvent())).rejects.toThrow(
      "A message changed under 6 decisions in a row; the event or wake-up is tried again later.",
    );
    expect(counted.changes).toBe(6);
  });

  test("whose retry would come at the deadline ends the series", async () => {
    // Chance is at its highest: the retry comes 60 s after now.
    const late = world([sentMessage({ deadline: now + 60 })]);
    expect(await late.event(failureEvent())).toMatchObject({ outcome: "expired" });

    const inTime = world([sentMessage({ deadline: now + 61 })]);
    expect(await inTime.event(failureEvent())).toMatchObject({ outcome: "retry-scheduled" });
  });

  test("with no number in it, of an item without one, ends the series", async () => {
    const small = world([without(sentMessage(), "destination_number")]);
    const { destinationNumber: _, ...numberless } = failureEvent();
    expect(await small.event(numberless)).toMatchObject({ outcome: "rejected", reason: "nothing-to-send" });
  });

  test("completes an item of the application with number, type and id", async () => {
    const item = { application_message_id: "order-4711", message_body: "Your order is on its way." };
    const small = world([item]);
    await small.event(failureEvent({ messageType: "PROMOTIONAL" }));
    expect(small.message()).toMatchObject({
      destination_number: "+447700900123",
      message_type: "PROMOTIONAL",
      attempts: { "0": { message_id: "msg-0", outcome: "UNREACHABLE" } },
    });

    const bare = world([item]);
    const { messageType: _, messageId: __, ...typeless } = failureEvent();
    await bare.event(typeless);
    expect(bare.message()).toMatchObject({ status: "RETRY_SCHEDULED" });
    expect(bare.message()).not.toHaveProperty("message_type");
  });

  test("leaves the item's own number and type alone", async () => {
    const small = world([sentMessage()]);
    await small.event(failureEvent({ destinationNumber: "+447700900666", messageType: "PROMOTIONAL" }));
    expect(small.message()).toMatchObject({
      destination_number: "+447700900123",
      message_type: "TRANSACTIONAL",
    });
  });

  test("faster than the record of its send takes the claim away", async () => {
    const small = world([
      sentMessage({
        status: "SENDING",
        retry_count: 1,
        claim_expires_at: now + 60,
        attempts: { "0": { message_id: "msg-0" }, "1": { claim_id: "claim-1" } },
      }),
    ]);
    await small.event(failureEvent({ attempt: 1, messageId: "msg-1" }));
    expect(small.message()).toMatchObject({ status: "RETRY_SCHEDULED" });
    expect(small.message()).not.toHaveProperty("claim_expires_at");
  });

  test("says that its message is retried only where it is", async () => {
    const small = world([sentMessage()]);
    expect(await small.event(failureEvent())).toMatchObject({ isRetried: true });
    // The same again: the retry has been scheduled for this very failure.
    expect(await small.event(failureEvent())).toMatchObject({ isRetried: true });

    const cancelled = world([sentMessage({ status: "CANCELLED" })]);
    expect(await cancelled.event(failureEvent())).not.toHaveProperty("isRetried");
  });

  test("of an opt-out or of the last retry says so", async () => {
    const optOut = { ...failureEvent(), kind: "opt-out", status: "OPT_OUT" } as const;
    expect(await world([sentMessage()]).event(optOut)).toMatchObject({ outcome: "opted-out" });
    const last = sentMessage({ retry_count: 3 });
    expect(await world([last]).event(failureEvent({ attempt: 3 }))).toMatchObject({ outcome: "exhausted" });
  });

  test("without an item tells what it knows, and waits", async () => {
    expect(await world([]).event(failureEvent())).toMatchObject({
      outcome: "waiting",
      applicationMessageId: "order-4711",
      attempt: 0,
    });
    const { applicationMessageId: _, attempt: __, ...nameless } = failureEvent();
    const handled = await world([]).event(nameless);
    expect(handled).toMatchObject({ outcome: "waiting" });
    expect(handled).not.toHaveProperty("attempt");
    expect(handled).not.toHaveProperty("applicationMessageId");
  });

  test("of a delivery at once is not marked as a possible duplicate; one of an earlier attempt is", async () => {
    const once = world([sentMessage()], { recordsEveryDelivery: true });
    await once.event(successEvent());
    expect(once.message().attempts?.["0"]).not.toHaveProperty("possible_duplicate");

    const latest = world([retried()]);
    await latest.event(successEvent({ attempt: 1, messageId: "msg-1" }));
    expect(latest.message().attempts?.["1"]).not.toHaveProperty("possible_duplicate");
  });
});

test("a cancellation gives up after six decisions", async () => {
  const small = world([sentMessage()]);
  const counted = contended(small);
  await expect(cancelMessage("order-4711", small)).rejects.toThrow(ContentionError);
  expect(counted.changes).toBe(6);
});

describe("a change", () => {
  const last = { attempt: 1, outcome: "UNREACHABLE", at: now };

  test.each<[string, Message, Partial<Message>]>([
    ["no attempts, when some were written", without(sentMessage(), "attempts"), { attempts: { "0": {} } }],
    [
      "no record of the attempt, when it was written",
      sentMessage(),
      { attempts: { "0": {}, "1": { claim_id: "another" } } },
    ],
    ["attempts, when they are gone", sentMessage({ attempts: { "0": {}, "1": {} } }), { attempts: {} }],
  ])("decided from an item with %s, is refused", async (_what, read, meanwhile) => {
    const store = inMemoryMessageStore({ ...read, ...meanwhile });
    for (const change of [endSeries(read, "REJECTED", "BLOCKED", last), awaitEvents(read, 1, now)]) {
      expect(await store.change("order-4711", change)).toMatchObject({ applied: false });
    }
  });

  test("takes back that all retries failed only for a delivery, and only where it was said", () => {
    const failed = sentMessage({ status: "EXHAUSTED", all_retries_failed: true });
    expect(endSeries(failed, "DELIVERED", "DELIVERED").set).toMatchObject({ all_retries_failed: false });
    expect(endSeries(failed, "REJECTED", "BLOCKED").set).not.toHaveProperty("all_retries_failed");
    expect(endSeries(sentMessage(), "DELIVERED", "DELIVERED").set).not.toHaveProperty("all_retries_failed");
  });
});
