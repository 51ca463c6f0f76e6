/** The protocol at its edges: the very second, the missing field, the write that comes in between. */

import { ContentionError } from "../../functions/core/errors.ts";
import { awaitReceipt, recordSentLate } from "../../functions/core/message/attempt-changes.ts";
import type { Message } from "../../functions/core/message/message.ts";
import { endSequence } from "../../functions/core/message/message-changes.ts";
import { decideRetryMessage } from "../../functions/core/message/retry-message-decision.ts";
import type { SendResult } from "../../functions/core/sending/sms-sender.ts";
import { failureEvent, sentMessage, startOfTest, successEvent } from "../support/messages.ts";
import { closedGate, gateOf, permitFor } from "../support/open-gate.ts";
import { storeOnModel } from "../support/store-on-model.ts";
import { type World, world } from "../support/world.ts";

const retryMessage = { kind: "retry-message", application_message_id: "order-4711", attempt: 1 } as const;
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

/** A gate that keeps what was asked of it; `comes` runs while a permit is waited for. */
function recordedGate(comes: () => void = () => {}, isInTime = true) {
  const log: string[] = [];
  const gate = gateOf((_identity, { parts }) => {
    log.push(`permit of ${parts}`);
    comes();
    return permitFor(parts, {
      async departs() {
        log.push("departs");
        return isInTime;
      },
      report: (isServiceWorking) => void log.push(isServiceWorking ? "works" : "fails"),
    });
  });
  return { gate, log };
}

/** Runs `then` each time that a change has moved the item to `status`. */
function afterMoveTo(status: Message["status"], { store }: World, then: () => void): void {
  const { change } = store;
  store.change = async (id, given) => {
    const result = await change(id, given);
    if (result.applied && given.set.status === status) then();
    return result;
  };
}

describe("a retry message", () => {
  test("of an item without a deadline is sent without one", async () => {
    const small = world([without(due(), "deadline", "expires_at")]);
    expect(await small.retryMessage(retryMessage)).toEqual({
      outcome: "sent",
      reason: "due",
      service: "pinpoint",
    });
    expect(small.sends).toHaveLength(1);
    expect(small.sends[0]).not.toHaveProperty("secondsLeft");
  });

  test("goes out by the item's sender id, as a notice where the item says nothing else", async () => {
    const small = world([without({ ...due(), sender_id: "SHOP" }, "origination_number", "message_type")]);
    await small.retryMessage(retryMessage);
    expect(small.sends).toMatchObject([{ senderId: "SHOP", messageType: "TRANSACTIONAL" }]);
    expect(small.message().attempts?.["1"]).toMatchObject({ origination: "SHOP" });
  });

  test.each([["message_body"], ["destination_number"]] as const)(
    "of an item whose %s was taken away ends the retry sequence",
    async (attribute) => {
      const { gate, log } = recordedGate();
      const small = world([without(due(), attribute)], { gate });
      expect(await small.retryMessage(retryMessage)).toEqual({
        outcome: "rejected",
        reason: "nothing-to-send",
      });
      expect(log).toEqual([]);
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
    expect(await small.retryMessage(retryMessage)).toEqual({
      outcome: "sent",
      reason: "due",
      service: "pinpoint",
    });
    expect(small.message().attempts?.["1"]).not.toHaveProperty("possible_duplicate");
  });

  test("gives up after six decisions", async () => {
    const small = world([due()]);
    const counted = contended(small);
    await expect(small.retryMessage(retryMessage)).rejects.toThrow(ContentionError);
    expect(counted.changes).toBe(6);
    expect(small.sends).toEqual([]);
  });

  test("that the service defers after the message was cancelled has nothing to come back for", async () => {
    const throttledAfterCancel = (): SendResult => {
      write(small, { status: "CANCELLED" });
      return { kind: "deferred", reason: "throttled" };
    };
    const small: World = world([due()], { answers: [throttledAfterCancel] });
    expect(await small.retryMessage(retryMessage)).toEqual({
      outcome: "absorbed",
      reason: "superseded-attempt",
    });
  });

  test("whose pause ends at the deadline expires now", async () => {
    const atLimit: SendResult = { kind: "deferred", reason: "spend-limit" };
    const small = world([due({ deadline: now + 10 })], { answers: [atLimit] });
    expect(await small.retryMessage(retryMessage)).toEqual({ outcome: "expired", reason: "deadline" });

    const longer = world([due({ deadline: now + 911 })], { answers: [atLimit] });
    expect(await longer.retryMessage(retryMessage)).toMatchObject({
      outcome: "deferred",
      entry: { dueAt: now + 900 },
    });
  });

  test.each([
    [40, "sent", 1],
    [41, "deferred", 0],
  ] as const)(
    "whose worker is paused for %i s after its claim is %s: twenty must be left",
    async (seconds, outcome, sends) => {
      const small = world([due()]);
      afterMoveTo("SENDING", small, () => small.clock.advance(seconds));
      expect(await small.retryMessage(retryMessage)).toMatchObject({ outcome });
      expect(small.sends).toHaveLength(sends);
    },
  );

  test("has its whole lease after its permit, however long that took", async () => {
    const { gate } = recordedGate(() => small.clock.advance(18));
    const small: World = world([due()], { gate });
    let claimed: Message | undefined;
    afterMoveTo("SENDING", small, () => {
      claimed = structuredClone(small.message());
    });
    expect(await small.retryMessage(retryMessage)).toMatchObject({ outcome: "sent" });
    expect(claimed).toMatchObject({
      claim_expires_at: now + 18 + 60,
      attempts: { "1": { claimed_at: now + 18 } },
    });
  });

  test("whose permit comes at the deadline is neither claimed nor sent", async () => {
    const { gate, log } = recordedGate(() => small.clock.advance(10));
    const small: World = world([due({ deadline: now + 10 })], { gate });
    expect(await small.retryMessage(retryMessage)).toEqual({ outcome: "expired", reason: "deadline" });
    expect(small.sends).toEqual([]);
    expect(small.message()).toMatchObject({ status: "EXPIRED", retry_count: 0 });
    expect(log).toEqual(["permit of 1"]);
  });

  test("whose deadline passes between its claim and its send is not sent and not used up", async () => {
    const { gate, log } = recordedGate();
    const small = world([due({ deadline: now + 10 })], { gate });
    afterMoveTo("SENDING", small, () => small.clock.advance(10));
    expect(await small.retryMessage(retryMessage)).toEqual({ outcome: "expired", reason: "deadline" });
    expect(small.sends).toEqual([]);
    expect(small.message()).toMatchObject({ status: "EXPIRED", retry_count: 0 });
    expect(small.message().attempts).not.toHaveProperty("1");
    // It waits for its time and looks at the clock after.
    expect(log).toEqual(["permit of 1", "departs"]);
  });

  test.each(["CANCELLED", "DELIVERED", "OPTED_OUT"] as const)(
    "fault 70: of a message that became %s while it waited claims and sends nothing",
    async (status) => {
      const { gate, log } = recordedGate(() => write(small, { status }));
      const small: World = world([due()], { gate });
      expect(await small.retryMessage(retryMessage)).toEqual({
        outcome: "absorbed",
        reason: "sequence-over",
      });
      expect(small.sends).toEqual([]);
      expect(small.message()).toMatchObject({ status, retry_count: 0 });
      expect(log).toEqual(["permit of 1"]);
    },
  );

  test("departs once, when it is sent, and before the service is asked", async () => {
    const { gate, log } = recordedGate();
    const answer = (): SendResult => {
      log.push("send");
      return { kind: "accepted", messageId: "msg-1" };
    };
    const small = world([due({ message_body: "x".repeat(400) })], { gate, answers: [answer] });
    await small.retryMessage(retryMessage);
    expect(log).toEqual(["permit of 3", "departs", "send", "works"]);
  });

  test("takes one permit, however often its claim is refused", async () => {
    const { gate, log } = recordedGate();
    const small = world([due()], { gate });
    const { change } = small.store;
    let refusals = 3;
    small.store.change = async (id, given) => {
      refusals -= 1;
      return refusals < 0 ? change(id, given) : { applied: false, current: await small.store.read(id) };
    };
    expect(await small.retryMessage(retryMessage)).toEqual({
      outcome: "sent",
      reason: "due",
      service: "pinpoint",
    });
    expect(log).toEqual(["permit of 1", "departs", "works"]);
  });

  test("takes another permit where its text has grown until it can be claimed", async () => {
    const { gate, log } = recordedGate();
    const small = world([due()], { gate });
    const { change } = small.store;
    let isFirst = true;
    small.store.change = async (id, given) => {
      if (!isFirst) return change(id, given);
      isFirst = false;
      write(small, { message_body: "x".repeat(400) });
      return { applied: false, current: await small.store.read(id) };
    };
    expect(await small.retryMessage(retryMessage)).toMatchObject({ outcome: "sent" });
    expect(log).toEqual(["permit of 1", "permit of 3", "departs", "works"]);
  });

  test.each([
    ["grown beyond its permit", "x".repeat(400), "deferred", ["permit of 1"]],
    ["grown beyond what any service takes", "x".repeat(1_601), "deferred", ["permit of 1"]],
    ["changed within its permit", "Your code is 118274.", "sent", ["permit of 1", "departs", "works"]],
  ])(
    "whose text has %s when it is claimed: the rest is as it says",
    async (_what, body, outcome, permits) => {
      const { gate, log } = recordedGate();
      const small = world([due({ message_body: body })], { gate });
      expect(await small.retryMessage(retryMessage, { known: due() })).toMatchObject({ outcome });
      expect(small.sends.map((send) => send.body)).toEqual(outcome === "sent" ? [body] : []);
      expect(log).toEqual(permits);
    },
  );

  test("fault 66: with a body that no service takes is rejected without permit and claim", async () => {
    const { gate, log } = recordedGate();
    const small = world([due({ message_body: "[".repeat(100_000) })], { gate });
    expect(await small.retryMessage(retryMessage)).toEqual({ outcome: "rejected", reason: "body-too-long" });
    expect(small.message()).toMatchObject({
      status: "REJECTED",
      status_reason: "body-too-long",
      retry_count: 0,
    });
    expect(log).toEqual([]);
    expect(small.sends).toEqual([]);
  });

  test("that gets no permit claims nothing and comes again when the gate says, deferred no more", async () => {
    const small = world([due()], { gate: closedGate("breaker-closed", now + 7) });
    const before = structuredClone(small.message());
    expect(await small.retryMessage({ ...retryMessage, deferrals: 7 })).toEqual({
      outcome: "not-due",
      reason: "breaker-closed",
      entry: { message: { ...retryMessage, deferrals: 7 }, dueAt: now + 7 },
    });
    expect(small.message()).toEqual(before);
  });

  test.each<[string, string | undefined, Partial<Message>, string]>([
    ["the deployment's", "+447700900500", { sender_id: "SHOP" }, "+447700900500"],
    ["the item's number", undefined, { sender_id: "SHOP" }, "+447700900999"],
    ["the item's sender id", undefined, { origination_number: null as never, sender_id: "SHOP" }, "SHOP"],
    ["none, so that the service chooses", undefined, { origination_number: null as never }, "any"],
  ])("asks the gate of its origination: %s", async (_whose, origination, item, expected) => {
    const asked: string[] = [];
    const gate = gateOf((identity, { parts }) => {
      asked.push(identity);
      return permitFor(parts);
    });
    const small = world([due(item)], { gate, ...(origination !== undefined && { origination }) });

    await small.retryMessage(retryMessage);

    expect(asked).toEqual([expected]);
    expect(small.message().attempts?.["1"]?.origination ?? "any").toBe(expected);
  });

  test("asks with its deadline, says what it waits as, and a first send that it is one", async () => {
    const asked: unknown[] = [];
    const gate = gateOf((_identity, request) => {
      asked.push(request);
      return asked.length === 1
        ? { kind: "no-permit", reason: "no-capacity", until: now + 3, waitsAs: 3 }
        : permitFor(request.parts);
    });
    const first = due({
      application_message_id: "order-4712",
      status: "SENDING",
      attempts: { "0": {} },
      claim_expires_at: now,
    });
    const small = world([due({ deadline: now + 300 }), without(first, "deadline")], { gate });

    await small.retryMessage(retryMessage);
    await small.drain();
    await small.retryMessage({ ...retryMessage, application_message_id: "order-4712", attempt: 0 });

    const asks = { parts: 1, isFirstSend: false, deadline: now + 300 };
    expect(asked).toEqual([asks, { ...asks, waitsAs: 3 }, { parts: 1, isFirstSend: true }]);
    expect(small.sends).toHaveLength(2);
    expect(small.clock.now()).toBe(now + 3);
  });

  test("that missed its permit's time is not sent and not used up, and comes again", async () => {
    const { gate, log } = recordedGate(() => {}, false);
    const small = world([due()], { gate });

    expect(await small.retryMessage(retryMessage)).toMatchObject({
      outcome: "deferred",
      reason: "permit-missed",
      entry: { message: { ...retryMessage, deferrals: 1 } },
    });

    expect(small.sends).toEqual([]);
    expect(small.message()).toMatchObject({ status: "RETRY_SCHEDULED", retry_count: 0 });
    expect(small.message().attempts).not.toHaveProperty("1");
    expect(log).toEqual(["permit of 1", "departs"]);
  });

  test.each<[SendResult, "works" | "fails"]>([
    [{ kind: "accepted", messageId: "msg-1" }, "works"],
    [{ kind: "refused", reason: "INVALID", optedOut: false }, "works"],
    [{ kind: "refused", reason: "OPT_OUT", optedOut: true }, "works"],
    [{ kind: "deferred", reason: "throttled" }, "works"],
    [{ kind: "deferred", reason: "unreachable" }, "fails"],
    [{ kind: "deferred", reason: "temporary-failure" }, "fails"],
    [{ kind: "deferred", reason: "not-allowed" }, "fails"],
    [{ kind: "deferred", reason: "not-allowed:AccessDeniedException" }, "fails"],
    [{ kind: "deferred", reason: "spend-limit" }, "fails"],
    [{ kind: "unconfirmed", reason: "TimeoutError" }, "fails"],
  ])("tells the gate what the answer %j says of the service: it %s", async (answer, report) => {
    const { gate, log } = recordedGate();

    await world([due()], { gate, answers: [answer] }).retryMessage(retryMessage);

    expect(log).toEqual(["permit of 1", "departs", report]);
  });

  test("does not depart where the table fails", async () => {
    const { gate, log } = recordedGate();
    const small = world([due()], { gate });
    small.store.change = async () => {
      throw new Error("The table is out of reach.");
    };
    await expect(small.retryMessage(retryMessage)).rejects.toThrow("out of reach");
    expect(log).toEqual(["permit of 1"]);
  });

  test("of an attempt that follows one without a receipt marks it before it is sent, and says so", async () => {
    const attempts = { "0": { message_id: "msg-0", outcome: "NO_RECEIPT" } };
    const small = world([due({ attempts })]);
    let claimed: Message | undefined;
    afterMoveTo("SENDING", small, () => {
      claimed = structuredClone(small.message());
    });
    expect(await small.retryMessage(retryMessage)).toEqual({
      outcome: "sent-again",
      service: "pinpoint",
      reason: "outcome-unknown",
    });
    expect(claimed?.attempts).toMatchObject({ "1": { possible_duplicate: true } });
    expect(claimed?.attempts?.["0"]).not.toHaveProperty("possible_duplicate");
  });

  test("decided from a read older than the missing receipt marks the attempt all the same", async () => {
    const small = world([due({ attempts: { "0": { message_id: "msg-0", outcome: "NO_RECEIPT" } } })]);
    await small.retryMessage(retryMessage, { known: due() });
    expect(small.sends).toHaveLength(1);
    expect(small.message().attempts).toMatchObject({ "1": { possible_duplicate: true } });
  });

  test("of a message whose outcome is unknown puts its receipt check on the queue again", async () => {
    const item = sentMessage({
      retry_count: 1,
      attempts: { "0": {}, "1": { claim_id: "claim-1", outcome: "UNCONFIRMED", outcome_at: now } },
    });
    expect(await world([item]).retryMessage(retryMessage)).toEqual({
      outcome: "absorbed",
      reason: "outcome-unknown",
      entry: {
        message: { kind: "receipt-check", application_message_id: "order-4711", attempt: 1 },
        dueAt: now + 300,
      },
    });
  });

  test("of an attempt before the one that is being sent is dropped", () => {
    const sending = sentMessage({ status: "SENDING", retry_count: 2, claim_expires_at: now + 60 });
    expect(decideRetryMessage(sending, { attempt: 1, now, guarantee: "at-least-once" })).toEqual({
      action: "drop",
      reason: "already-sent",
    });
  });

  test("of an item without any record of attempts decides by its lease", () => {
    const sending = without(
      sentMessage({ status: "SENDING", retry_count: 1, claim_expires_at: now }),
      "attempts",
    );
    expect(decideRetryMessage(sending, { attempt: 1, now, guarantee: "at-least-once" })).toMatchObject({
      action: "claim-again",
    });
  });

  test("records the id of an attempt that was overtaken with that attempt alone", async () => {
    const overtaken = (): SendResult => {
      write(small, { status: "SENT", retry_count: 2, pinpoint_message_id: "msg-2" });
      return { kind: "accepted", messageId: "msg-1" };
    };
    const small: World = world([due()], { answers: [overtaken] });
    await small.retryMessage(retryMessage);
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
  const successOnly = { kind: "success", status: "DELIVERED" } as const;
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
    ["that may be the first send's, of which none is known", "msg-9", retried({ attempts: {} }), 0],
  ])("without a retry tag belongs to the attempt of its id: one %s", async (_whose, id, item, attempt) => {
    const handled = await world([item]).event(untagged(id));
    expect(handled).toMatchObject({ attempt });
    expect(handled.outcome).not.toBe("foreign");
  });

  test.each<[string, Message]>([
    ["its record", retried()],
    ["the item, before any retry", sentMessage({ attempts: {} })],
    ["the record of a retry that waits", due()],
  ])("without a tag, and with an id that is not the first send's by %s, is foreign", async (_whose, item) => {
    const small = world([item]);
    const before = structuredClone(small.message());
    for (const event of [untagged("msg-9"), { ...untagged("msg-9"), ...successOnly }]) {
      expect(await small.event(event)).toMatchObject({ outcome: "foreign", reason: "foreign-event" });
    }
    expect(small.message()).toEqual(before);
    expect(small.queue).toEqual([]);
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
      "A message changed under 6 decisions in a row; the event or retry message is tried again later.",
    );
    expect(counted.changes).toBe(6);
  });

  test("fault 64: 30 s before the deadline is retried in the time that is left", async () => {
    // Chance is at its highest: the retry comes as late as it may.
    const late = world([sentMessage({ deadline: now + 30 })]);
    expect(await late.event(failureEvent())).toMatchObject({
      outcome: "retry-scheduled",
      entry: { dueAt: now + 20 },
    });
    expect(late.message()).toMatchObject({ next_attempt_at: now + 20 });
  });

  test("at the very deadline ends the retry sequence, a second before does not", async () => {
    const over = world([sentMessage({ deadline: now })]);
    expect(await over.event(failureEvent())).toMatchObject({ outcome: "expired", reason: "deadline" });

    const inTime = world([sentMessage({ deadline: now + 1 })]);
    expect(await inTime.event(failureEvent())).toMatchObject({
      outcome: "retry-scheduled",
      entry: { dueAt: now },
    });
  });

  describe("of the status UNKNOWN", () => {
    const unknown = failureEvent({ status: "UNKNOWN" });
    const ageless = without(sentMessage(), "deadline", "created_at");
    test.each<[string, Message, typeof unknown, string, string]>([
      ["that nobody knows the age of is not sent", ageless, unknown, "expired", "age-unknown"],
      [
        "with a creation is retried",
        { ...ageless, created_at: startOfTest },
        unknown,
        "retry-scheduled",
        "retryable-failure",
      ],
      [
        "with a deadline is retried",
        { ...ageless, deadline: now + 600 },
        unknown,
        "retry-scheduled",
        "retryable-failure",
      ],
      [
        "that says when it was asked for is retried",
        ageless,
        { ...unknown, requestedAt: startOfTest },
        "retry-scheduled",
        "retryable-failure",
      ],
      [
        "72 hours after it was asked for is not sent",
        ageless,
        { ...unknown, requestedAt: now - 72 * 3_600 },
        "expired",
        "deadline",
      ],
    ])("%s", async (_what, item, event, outcome, reason) => {
      const small = world([item]);
      expect(await small.event(event)).toMatchObject({ outcome, reason });
      if (outcome === "expired") {
        expect(small.message()).toMatchObject({ status: "EXPIRED", status_reason: reason });
      }
    });

    test("is the only one that needs an age", async () => {
      expect(await world([ageless]).event(failureEvent())).toMatchObject({ outcome: "retry-scheduled" });
    });
  });

  test("fault 66: of a body that no service takes ends the retry sequence and schedules nothing", async () => {
    const small = world([sentMessage({ message_body: "[".repeat(100_000) })]);
    expect(await small.event(failureEvent())).toMatchObject({ outcome: "rejected", reason: "body-too-long" });
    expect(small.message()).toMatchObject({ status: "REJECTED", status_reason: "body-too-long" });
    expect(small.queue).toEqual([]);
  });

  test("fault 69: of a delivery is decided by the item as it is, not as a batch read it", async () => {
    const small = world([sentMessage()]);
    const asItWas = structuredClone(small.message());
    await small.event(failureEvent());
    expect(await small.event(successEvent(), { known: asItWas })).toMatchObject({ outcome: "delivered" });
    expect(small.message()).toMatchObject({ status: "DELIVERED" });
    await small.drain();
    expect(small.sends).toEqual([]);
  });

  test("where retries are off notes the failure once, and ends nothing", async () => {
    const small = world([sentMessage()], { policy: { maxRetries: 0 } });
    expect(await small.event(failureEvent())).toMatchObject({
      outcome: "retries-off",
      reason: "retries-off",
    });
    expect(small.message()).toMatchObject({
      status: "SENT",
      status_reason: "retries-off",
      all_retries_failed: false,
      attempts: { "0": { outcome: "UNREACHABLE", outcome_at: now } },
    });
    const before = structuredClone(small.message());
    small.clock.advance(5);
    expect(await small.event(failureEvent())).toMatchObject({ outcome: "absorbed", reason: "retries-off" });
    expect(small.message()).toEqual(before);
    expect(small.queue).toEqual([]);

    expect(await small.event(failureEvent({ status: "CARRIER_UNREACHABLE" }))).toMatchObject({
      outcome: "retries-off",
    });
  });

  test("of a delivery at once is written down where a receipt check waits for it", async () => {
    const waits = world([sentMessage()], { policy: { receiptTimeoutSeconds: 60 } });
    expect(await waits.event(successEvent())).toMatchObject({ outcome: "delivered-at-once" });
    expect(waits.message()).toMatchObject({ status: "DELIVERED" });

    const without = world([sentMessage()]);
    expect(await without.event(successEvent())).toMatchObject({ outcome: "delivered-at-once" });
    expect(without.message()).toMatchObject({ status: "SENT" });
  });

  test("of an earlier attempt's delivery marks the later attempt, not its own", async () => {
    const small = world([retried()]);
    await small.event(successEvent());
    expect(small.message()).toMatchObject({
      status: "DELIVERED",
      attempts: { "0": { outcome: "DELIVERED" }, "1": { possible_duplicate: true } },
    });
    expect(small.message().attempts?.["0"]).not.toHaveProperty("possible_duplicate");
    expect(small.message().attempts?.["1"]).not.toHaveProperty("outcome");
  });

  test("with no number in it, of an item without one, ends the retry sequence", async () => {
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
  await expect(small.cancel()).rejects.toThrow(ContentionError);
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
    const store = storeOnModel({ ...read, ...meanwhile });
    for (const change of [
      endSequence(read, { status: "REJECTED", reason: "BLOCKED", at: now, keptSeconds: 60 }, last),
      awaitReceipt(read, 1, now),
    ]) {
      expect(await store.change("order-4711", change)).toMatchObject({ applied: false });
    }
  });

  test("takes back that all retries failed only for a delivery, and only where it was said", () => {
    const failed = sentMessage({ status: "EXHAUSTED", all_retries_failed: true });
    expect(
      endSequence(failed, { status: "DELIVERED", reason: "DELIVERED", at: now, keptSeconds: 60 }).set,
    ).toMatchObject({ all_retries_failed: false });
    expect(
      endSequence(failed, { status: "REJECTED", reason: "BLOCKED", at: now, keptSeconds: 60 }).set,
    ).not.toHaveProperty("all_retries_failed");
    expect(
      endSequence(sentMessage(), { status: "DELIVERED", reason: "DELIVERED", at: now, keptSeconds: 60 }).set,
    ).not.toHaveProperty("all_retries_failed");
  });
});

describe("a retry message whose item was read before", () => {
  /** What becomes of it, and how often the item is read for it. */
  async function handled(known: Message | undefined, current: Message) {
    const small = world([current]);
    let reads = 0;
    const { read } = small.store;
    small.store.read = async (id) => {
      reads += 1;
      return read(id);
    };
    const { outcome } = await small.retryMessage(retryMessage, known === undefined ? {} : { known });
    return { outcome, reads };
  }
  const cancelled = sentMessage({ status: "CANCELLED" });

  test.each<[string, Message | undefined, Message, string, number]>([
    ["is sent without another look where it is due", due(), due(), "sent", 0],
    ["is looked at again where it was not scheduled then", sentMessage(), due(), "sent", 1],
    ["is looked at once more, and not twice, where it is not", sentMessage(), sentMessage(), "absorbed", 1],
    ["is over where it was over: an end stays", cancelled, cancelled, "absorbed", 0],
    ["is looked at once where it was not read before", undefined, sentMessage(), "absorbed", 1],
  ])("%s", async (_what, known, current, outcome, reads) => {
    expect(await handled(known, current)).toEqual({ outcome, reads });
  });
});

describe("with a time-out for receipts", () => {
  const policy = { receiptTimeoutSeconds: 300 };

  test("a retry message of a message that is over queues no receipt check", async () => {
    const small = world([sentMessage({ status: "CANCELLED" })], { policy });

    expect(await small.retryMessage(retryMessage)).toMatchObject({ outcome: "absorbed" });
    expect(small.queue).toEqual([]);
  });

  test("a retry message whose deadline has passed ends the message and queues no receipt check", async () => {
    const small = world([due({ deadline: now - 1 })], { policy });

    expect(await small.retryMessage(retryMessage)).toEqual({ outcome: "expired", reason: "deadline" });
    expect(small.queue).toEqual([]);
  });
});

test("a failure that the item tells already is noted where it does not say that retries are off", async () => {
  const told = sentMessage({
    attempts: { "0": { message_id: "msg-0", outcome: "UNREACHABLE", outcome_at: startOfTest + 5 } },
  });
  const small = world([told], { policy: { maxRetries: 0 } });

  await small.event(failureEvent());

  expect(small.message().status_reason).toBe("retries-off");
});

test("an event's context replaces none that the application wrote", async () => {
  const written = sentMessage({ context: { shop: "berlin" }, attempts: { "0": { message_id: "msg-0" } } });
  const small = world([written]);

  await small.event(failureEvent({ ownContext: { shop: "paris" } }));

  expect(small.message()).toMatchObject({ status: "RETRY_SCHEDULED", context: { shop: "berlin" } });
});

test("what is learned late of an attempt is written only while its outcome is unknown", () => {
  const unknown = sentMessage({ attempts: { "0": { claim_id: "claim-0", outcome: "UNCONFIRMED" } } });
  const { require } = recordSentLate(unknown, 0, { messageId: "msg-0", at: now });

  expect(require).toMatchObject({
    isUnknown: { path: "attempts.0.outcome", is: "equal", value: "UNCONFIRMED" },
  });
});
