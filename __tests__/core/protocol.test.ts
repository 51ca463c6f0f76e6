/**
 * The protocol, fault by fault: the real core in a small world (`../support/world.ts`) that kills, repeats
 * and reorders. Numbers are those of the list of faults in `docs/faults.md`.
 */
import type { QueueMessage } from "../../functions/core/queue/queue-messages.ts";
import type { SendResult } from "../../functions/core/sending/sms-sender.ts";
import { failureEvent, sentMessage, startOfTest, successEvent } from "../support/messages.ts";
import { closedGate, gateOf, permitFor } from "../support/open-gate.ts";
import { world } from "../support/world.ts";

const throttled: SendResult = { kind: "deferred", reason: "throttled" };
const retryMessage = { kind: "retry-message", application_message_id: "order-4711", attempt: 1 } as const;

/** The failure event of retry number `attempt` of the default message. */
const failureOfRetry = (attempt: number, status = "UNREACHABLE") =>
  failureEvent({ attempt, status, messageId: `msg-${attempt}` });

describe("a failed message", () => {
  test("is sent again after its delay, with the table's number and body and its retry tag", async () => {
    const { event, drain, sends, message, clock } = world([sentMessage()]);

    const handled = await event(failureEvent());
    expect(handled).toMatchObject({ outcome: "retry-scheduled", reason: "retryable-failure" });
    expect(message()).toMatchObject({
      status: "RETRY_SCHEDULED",
      status_reason: "UNREACHABLE",
      next_attempt_at: startOfTest + 70,
      attempts: { "0": { outcome: "UNREACHABLE", message_id: "msg-0" } },
    });
    await drain();

    expect(clock.now()).toBe(startOfTest + 70);
    expect(sends).toEqual([
      {
        secondsLeft: 86_400 - 70,
        destinationNumber: "+447700900123",
        body: "Your code is 493817. It is valid for 10 minutes.",
        messageType: "TRANSACTIONAL",
        originationNumber: "+447700900999",
        context: { application_message_id: "order-4711", retry_attempt: "1" },
      },
    ]);
    expect(message()).toMatchObject({
      status: "SENT",
      retry_count: 1,
      pinpoint_message_id: "msg-1",
      attempts: { "1": { message_id: "msg-1", origination: "+447700900999", sent_at: startOfTest + 70 } },
    });
    expect(message()).not.toHaveProperty("claim_expires_at");
  });

  test("goes the whole way: failed, retried, failed, retried, failed, retried, exhausted", async () => {
    const { event, drain, sends, message } = world([sentMessage()]);
    for (let attempt = 0; attempt <= 3; attempt += 1) {
      await event(failureOfRetry(attempt));
      await drain();
    }
    expect(sends.map(({ context }) => context.retry_attempt)).toEqual(["1", "2", "3"]);
    expect(message()).toMatchObject({ status: "EXHAUSTED", all_retries_failed: true, retry_count: 3 });
  });

  test("goes out by the deployment's origination identity, a sender id told by its letters", async () => {
    const byNumber = world([sentMessage()], { origination: "+447700900555" });
    await byNumber.event(failureEvent());
    await byNumber.drain();
    expect(byNumber.sends[0]).toMatchObject({ originationNumber: "+447700900555" });

    const bySender = world([sentMessage()], { origination: "MYBANK" });
    await bySender.event(failureEvent());
    await bySender.drain();
    expect(bySender.sends[0]).toMatchObject({ senderId: "MYBANK" });
    expect(bySender.sends[0]).not.toHaveProperty("originationNumber");
    expect(bySender.message().attempts?.["1"]).toMatchObject({ origination: "MYBANK" });
  });

  test("written by the application alone (id, body) is completed from its failure and retried", async () => {
    const item = { application_message_id: "msg-0", message_body: "Your order is on its way." };
    const { event, drain, sends, message } = world([item]);
    const { applicationMessageId: _, attempt: __, ...withoutContext } = failureEvent();

    await event(withoutContext);
    expect(message("msg-0")).toMatchObject({
      destination_number: "+447700900123",
      deadline: startOfTest + 5 + 86_400,
      expires_at: startOfTest + 5 + 5 * 86_400,
      retry_count: 0,
    });
    await drain();
    expect(sends).toHaveLength(1);
    expect(sends[0]).toMatchObject({ body: item.message_body, context: { retry_attempt: "1" } });
  });

  test("without a body in its item is rejected with that reason", async () => {
    const { message_body: _, ...withoutBody } = sentMessage();
    const { event, message, queue } = world([withoutBody]);
    expect(await event(failureEvent())).toMatchObject({ outcome: "rejected", reason: "nothing-to-send" });
    expect(message()).toMatchObject({ status: "REJECTED", status_reason: "nothing-to-send" });
    expect(queue).toEqual([]);
  });
});

describe("events and order", () => {
  test("fault 1: the same failure twice, one after the other, leads to one send", async () => {
    const { event, drain, sends } = world([sentMessage()]);
    await event(failureEvent());
    expect(await event(failureEvent())).toMatchObject({ outcome: "absorbed", reason: "already-scheduled" });
    await drain();
    expect(await event(failureEvent())).toMatchObject({ outcome: "absorbed", reason: "superseded-attempt" });
    await drain();
    expect(sends).toHaveLength(1);
  });

  test("fault 2: the same failure in 100 invocations at once leads to one send", async () => {
    const { event, drain, sends } = world([sentMessage()]);
    const handled = await Promise.all(Array.from({ length: 100 }, () => event(failureEvent())));
    expect(handled.filter(({ outcome }) => outcome === "retry-scheduled")).toHaveLength(1);
    await drain();
    expect(sends).toHaveLength(1);
  });

  test("fault 3: the failure of attempt 1 after that of attempt 2 claims nothing", async () => {
    const { event, drain, sends, message, queue } = world([sentMessage()]);
    await event(failureEvent());
    await drain();
    await event(failureOfRetry(1));
    await drain();
    await event(failureOfRetry(2));
    const before = structuredClone(message());
    queue.length = 0;

    expect(await event(failureOfRetry(1))).toMatchObject({
      outcome: "absorbed",
      reason: "superseded-attempt",
    });
    expect(message()).toEqual(before);
    expect(queue).toEqual([]);
    expect(sends).toHaveLength(2);
  });

  test("fault 4: a success of attempt 0 cancels the retry that waits", async () => {
    const { event, drain, sends, message } = world([sentMessage()]);
    await event(failureEvent());
    expect(await event(successEvent())).toMatchObject({ outcome: "delivered" });
    await drain();
    expect(sends).toEqual([]);
    expect(message()).toMatchObject({ status: "DELIVERED", status_reason: "DELIVERED" });
    expect(message()).not.toHaveProperty("next_attempt_at");
  });

  test("fault 5: a success of attempt 0 after attempt 1 went out ends the sequence and marks it", async () => {
    const { event, drain, sends, message } = world([sentMessage()]);
    await event(failureEvent());
    await drain();
    expect(await event(successEvent())).toMatchObject({ outcome: "delivered", reason: "late-delivery" });
    // The later of the two is the one too many.
    expect(message()).toMatchObject({ status: "DELIVERED", attempts: { "1": { possible_duplicate: true } } });
    expect(message().attempts?.["0"]).not.toHaveProperty("possible_duplicate");
    await event(failureOfRetry(1));
    await drain();
    expect(sends).toHaveLength(1);
  });

  test("fault 6: a failure after the success of the same attempt is absorbed", async () => {
    const inSequence = world([sentMessage()]);
    await inSequence.event(failureEvent());
    await inSequence.drain();
    await inSequence.event(successEvent({ attempt: 1, messageId: "msg-1" }));
    expect(await inSequence.event(failureOfRetry(1))).toMatchObject({
      outcome: "absorbed",
      reason: "sequence-over",
    });
    expect(inSequence.message().status).toBe("DELIVERED");

    const tracked = world([sentMessage()], { recordsEveryDelivery: true });
    expect(await tracked.event(successEvent())).toMatchObject({ outcome: "delivered-at-once" });
    expect(await tracked.event(failureEvent())).toMatchObject({ outcome: "absorbed" });
    expect(tracked.message().status).toBe("DELIVERED");
  });

  test("a delivery at once costs no write unless every delivery is tracked", async () => {
    const { event, message } = world([sentMessage()]);
    expect(await event(successEvent())).toMatchObject({ outcome: "delivered-at-once" });
    expect(message()).toEqual(sentMessage());
  });

  test("fault 7: events in progress change nothing", async () => {
    const { event, message } = world([sentMessage()]);
    expect(await event(failureEvent({ kind: "in-progress" }))).toMatchObject({ outcome: "in-progress" });
    expect(message()).toEqual(sentMessage());
  });

  test("fault 9: an event before its item waits, and is handled when the item is there", async () => {
    const { event, drain, sends, store, queue, clock } = world([]);
    expect(await event(failureEvent())).toMatchObject({ outcome: "waiting" });
    expect(queue[0]).toMatchObject({ message: { kind: "waiting-event" }, dueAt: startOfTest + 15 });
    store.items.set("order-4711", { ...sentMessage() });
    await drain();
    expect(sends).toHaveLength(1);
    expect(clock.now()).toBe(startOfTest + 75);
  });

  test("fault 9: an event whose item never comes is an orphan after five minutes, not before", async () => {
    const { event, retryMessage, queue, clock } = world([]);
    await event(failureEvent());
    const outcomes: string[] = [];
    for (let entry = queue.shift(); entry !== undefined; entry = queue.shift()) {
      clock.advance(entry.dueAt - clock.now());
      outcomes.push((await retryMessage(entry.message)).outcome);
    }
    expect(outcomes.at(-1)).toBe("orphaned");
    expect(new Set(outcomes.slice(0, -1))).toEqual(new Set(["waiting"]));
    expect(clock.now()).toBe(startOfTest + 10 + 300);
    expect(outcomes.length).toBeLessThan(10);
  });

  test("fault 10: an UNKNOWN after 72 hours sends no one-time password", async () => {
    const { event, message, queue, clock } = world([sentMessage({ deadline: startOfTest + 600 })]);
    clock.advance(72 * 3_600);
    expect(await event(failureEvent({ status: "UNKNOWN" }))).toMatchObject({
      outcome: "expired",
      reason: "deadline",
    });
    expect(message()).toMatchObject({ status: "EXPIRED", status_reason: "deadline" });
    expect(queue).toEqual([]);
  });

  test("fault 11: without a context the service's message id finds the item, or it is an orphan", async () => {
    const { event } = world([sentMessage({ application_message_id: "msg-0" })]);
    const { applicationMessageId: _, attempt: __, ...bare } = failureEvent();
    expect(await event(bare)).toMatchObject({ outcome: "retry-scheduled", applicationMessageId: "msg-0" });

    const { messageId: ___, ...nameless } = bare;
    expect(await event(nameless)).toMatchObject({ outcome: "orphaned", reason: "no-item" });
  });

  test("fault 13 and 15: an unknown status is not retried, and told only if it is a name", async () => {
    const named = world([sentMessage()]);
    expect(await named.event(failureEvent({ status: "TELEPORTED" }))).toMatchObject({
      outcome: "rejected",
      reason: "unrecognized-status",
      unrecognizedStatus: "TELEPORTED",
    });
    const free = world([sentMessage()]);
    const text = "Failed to send to +447700900123 because phoneNumber provided is empty or null.";
    expect(await free.event(failureEvent({ status: text }))).toMatchObject({
      unrecognizedStatus: "FREE_TEXT",
    });
    expect(free.message()).toMatchObject({ status: "REJECTED", status_reason: "FREE_TEXT" });
    expect(free.queue).toEqual([]);
  });

  test("fault 13: an event of a type that nobody knows is reported by it, and the message goes on", async () => {
    const it = world([sentMessage()]);
    expect(await it.event(failureEvent({ kind: "unrecognized", status: "RERATED" }))).toEqual({
      outcome: "absorbed",
      reason: "unrecognized-type",
      unrecognizedStatus: "RERATED",
      applicationMessageId: "order-4711",
      attempt: 0,
    });
    expect(it.message()).toEqual(sentMessage());
    expect(await it.event(failureEvent())).toMatchObject({ outcome: "retry-scheduled" });
  });

  test.each(["INVALID", "INVALID_MESSAGE", "BLOCKED", "CARRIER_BLOCKED", "SPAM", "MAX_PRICE_EXCEEDED"])(
    "a failure by %s is not retried",
    async (status) => {
      const { event, message, queue } = world([sentMessage()]);
      expect(await event(failureEvent({ status }))).toMatchObject({ outcome: "rejected" });
      expect(message()).toMatchObject({ status: "REJECTED", status_reason: status });
      expect(queue).toEqual([]);
    },
  );

  test("fault 25: an opt-out while a retry waits means no send", async () => {
    const { event, drain, sends, message } = world([sentMessage()]);
    await event(failureEvent());
    await event(failureEvent({ kind: "opt-out", status: "OPTOUT" }));
    await drain();
    expect(sends).toEqual([]);
    expect(message().status).toBe("OPTED_OUT");
  });

  test("a late success corrects EXHAUSTED, EXPIRED and REJECTED", async () => {
    for (const status of ["EXHAUSTED", "EXPIRED", "REJECTED"] as const) {
      const { event, message } = world([sentMessage({ status, all_retries_failed: status === "EXHAUSTED" })]);
      expect(await event(successEvent())).toMatchObject({ outcome: "delivered", reason: "late-delivery" });
      expect(message()).toMatchObject({ status: "DELIVERED", all_retries_failed: false });
    }
  });
});

describe("send and record", () => {
  test("fault 16: a worker that dies after its claim, before the send: one send after the lease", async () => {
    const {
      event,
      retryMessage: handle,
      sends,
      message,
      queue,
      clock,
    } = world([sentMessage()], {
      answers: [
        () => {
          sends.pop();
          throw new Error("the worker died before the request was written");
        },
      ],
    });
    await event(failureEvent());
    clock.advance(60);
    await expect(handle(retryMessage)).rejects.toThrow("died");
    expect(message()).toMatchObject({ status: "SENDING", retry_count: 1 });

    // The queue hands the retry message over again while the lease holds: it waits, and nothing is sent.
    queue.length = 0;
    expect(await handle(retryMessage)).toMatchObject({ outcome: "not-due", reason: "being-sent" });
    expect(sends).toEqual([]);
    clock.advance(60);
    expect(await handle(retryMessage)).toMatchObject({ outcome: "sent-again" });
    expect(sends).toHaveLength(1);
    expect(message()).toMatchObject({ status: "SENT", retry_count: 1 });
  });

  /** A world whose first worker dies after the service took the message, before it could record that. */
  async function diedAfterTheSend(guarantee: "at-least-once" | "at-most-once") {
    const dead = () => {
      throw new Error("the worker died after the send");
    };
    const it = world([sentMessage()], { guarantee, answers: [dead] });
    await it.event(failureEvent());
    it.queue.length = 0;
    it.clock.advance(60);
    await expect(it.retryMessage(retryMessage)).rejects.toThrow("died");
    it.clock.advance(61);
    return it;
  }

  test("fault 17: at-least-once, death after the send: one more send, marked", async () => {
    const { retryMessage: handle, sends, message } = await diedAfterTheSend("at-least-once");
    expect(await handle(retryMessage)).toMatchObject({ outcome: "sent-again" });
    expect(sends).toHaveLength(2);
    expect(message()).toMatchObject({ status: "SENT", attempts: { "1": { possible_duplicate: true } } });
    expect(await handle(retryMessage)).toMatchObject({ outcome: "absorbed" });
    expect(sends).toHaveLength(2);
  });

  test("fault 17: at-most-once, death after the send: none, and the events still tell", async () => {
    const { retryMessage: handle, sends, message, event } = await diedAfterTheSend("at-most-once");
    expect(await handle(retryMessage)).toMatchObject({ outcome: "awaiting-receipt" });
    expect(sends).toHaveLength(1);
    expect(message()).toMatchObject({
      status: "SENT",
      status_reason: "outcome-unknown",
      attempts: { "1": { outcome: "UNCONFIRMED" } },
    });
    await event(successEvent({ attempt: 1, messageId: "msg-1" }));
    expect(message().status).toBe("DELIVERED");
  });

  test("fault 17: a second death is not followed by a third send until the receipt check", async () => {
    const dead = () => {
      throw new Error("died");
    };
    const {
      event,
      retryMessage: handle,
      clock,
      sends,
      queue,
    } = world([sentMessage()], { answers: [dead, dead] });
    await event(failureEvent());
    queue.length = 0;
    for (let round = 0; round < 2; round += 1) {
      clock.advance(61);
      await expect(handle(retryMessage)).rejects.toThrow("died");
    }
    clock.advance(61);
    expect(await handle(retryMessage)).toMatchObject({ outcome: "awaiting-receipt" });
    expect(sends).toHaveLength(2);
    expect(queue.at(-1)).toMatchObject({ message: { kind: "receipt-check", attempt: 1 } });
  });

  test("fault 18: a lost answer waits for the lease, then counts like a death after the send", async () => {
    const lost: SendResult = { kind: "unconfirmed", reason: "TimeoutError" };
    const once = world([sentMessage()], { guarantee: "at-most-once", answers: [lost] });
    await once.event(failureEvent());
    await once.drain();
    expect(once.sends).toHaveLength(1);
    expect(once.message()).toMatchObject({ status: "EXHAUSTED", status_reason: "NO_RECEIPT" });

    const least = world([sentMessage()], { answers: [lost] });
    await least.event(failureEvent());
    await least.drain();
    expect(least.sends).toHaveLength(2);
    expect(least.message()).toMatchObject({
      status: "SENT",
      attempts: { "1": { possible_duplicate: true } },
    });
    expect(least.clock.now()).toBeGreaterThanOrEqual(startOfTest + 70 + 60);
  });

  test("an event that comes before the send is recorded is kept, and so is the service's id", async () => {
    const {
      event,
      retryMessage: handle,
      message,
      sends,
      queue,
      clock,
    } = world([sentMessage()], {
      answers: [
        async () => {
          await event(failureOfRetry(1));
          return { kind: "accepted", messageId: "msg-1" };
        },
      ],
    });
    await event(failureEvent());
    clock.advance(60);
    queue.length = 0;
    expect(await handle(retryMessage)).toMatchObject({ outcome: "sent" });
    expect(message()).toMatchObject({
      status: "RETRY_SCHEDULED",
      retry_count: 1,
      pinpoint_message_id: "msg-1",
      attempts: { "1": { message_id: "msg-1", outcome: "UNREACHABLE" } },
    });
    expect(queue).toHaveLength(1);
    expect(sends).toHaveLength(1);
  });

  test("fault 19: an answer of THROTTLED uses up no retry and comes again with back-off", async () => {
    const { event, drain, sends, message, clock } = world([sentMessage()], {
      answers: [throttled, { kind: "deferred", reason: "temporary-failure" }, throttled],
    });
    await event(failureEvent());
    await drain();
    expect(sends).toHaveLength(4);
    expect(new Set(sends.map(({ context }) => context.retry_attempt))).toEqual(new Set(["1"]));
    expect(message()).toMatchObject({ status: "SENT", retry_count: 1 });
    expect(clock.now()).toBe(startOfTest + 70 + 1 + 2 + 4);
    expect(message().attempts?.["1"]).not.toHaveProperty("possible_duplicate");
  });

  test("fault 20: refusals of the service in its answer end the retry sequence", async () => {
    const refused = world([sentMessage()], {
      answers: [{ kind: "refused", reason: "PERMANENT_FAILURE", optedOut: false }],
    });
    await refused.event(failureEvent());
    await refused.drain();
    expect(refused.message()).toMatchObject({ status: "REJECTED", status_reason: "PERMANENT_FAILURE" });

    const optedOut = world([sentMessage()], {
      answers: [{ kind: "refused", reason: "OPT_OUT", optedOut: true }],
    });
    await optedOut.event(failureEvent());
    await optedOut.drain();
    expect(optedOut.message()).toMatchObject({ status: "OPTED_OUT", status_reason: "OPT_OUT" });
  });

  test("fault 21: throttled for ten minutes, it backs off, uses no retry and keeps the deadline", async () => {
    const outage = startOfTest + 70 + 600;
    const { event, drain, sends, message, clock } = world([sentMessage()], {
      answers: Array.from({ length: 100 }, () => () => {
        return clock.now() < outage ? throttled : ({ kind: "accepted", messageId: "msg-1" } as const);
      }),
    });
    await event(failureEvent());
    await drain();
    expect(message()).toMatchObject({ status: "SENT", retry_count: 1 });
    expect(sends.length).toBeLessThan(15);

    const late = world([sentMessage({ deadline: startOfTest + 300 })], {
      answers: Array.from({ length: 100 }, () => throttled),
    });
    await late.event(failureEvent());
    await late.drain();
    expect(late.message()).toMatchObject({ status: "EXPIRED", status_reason: "deadline", retry_count: 0 });
    expect(late.clock.now()).toBeLessThan(startOfTest + 300);
  });

  test("a throttled repetition of an attempt stays marked and is repeated only once", async () => {
    const dead = () => {
      throw new Error("died");
    };
    const {
      event,
      retryMessage: handle,
      drain,
      clock,
      sends,
      queue,
      message,
    } = world([sentMessage()], {
      answers: [dead, throttled],
    });
    await event(failureEvent());
    queue.length = 0;
    clock.advance(61);
    await expect(handle(retryMessage)).rejects.toThrow("died");
    clock.advance(61);
    expect(await handle(retryMessage)).toMatchObject({ outcome: "deferred" });
    await drain();
    // The dead one's, the throttled one, and the one that was taken.
    expect(sends).toHaveLength(3);
    expect(message()).toMatchObject({ status: "SENT", attempts: { "1": { possible_duplicate: true } } });
  });

  test("a claim that was deferred while the answer was lost still has its retry message", async () => {
    const { event, drain, sends, store, message } = world([sentMessage()], { answers: [throttled] });
    await event(failureEvent());
    const change = store.change;
    store.change = async (id, given) => {
      const result = await change(id, given);
      // The SDK repeats the write whose answer was lost, and it is refused by its own effect.
      return given.attempts?.[0]?.how === "remove" ? change(id, given) : result;
    };
    await drain();
    expect(sends).toHaveLength(2);
    expect(message()).toMatchObject({ status: "SENT", retry_count: 1 });
  });

  test("fault 26: a retry message after the deadline sends nothing", async () => {
    const {
      event,
      retryMessage: handle,
      sends,
      message,
      clock,
    } = world([sentMessage({ deadline: startOfTest + 100 })]);
    await event(failureEvent());
    expect(message().status).toBe("RETRY_SCHEDULED");
    clock.advance(200);
    expect(await handle(retryMessage)).toMatchObject({ outcome: "expired", reason: "deadline" });
    expect(sends).toEqual([]);
    expect(message()).toMatchObject({ status: "EXPIRED", status_reason: "deadline" });
  });

  test("fault 26: the deadline is looked at once more right before the send", async () => {
    const {
      event,
      retryMessage: handle,
      sends,
      message,
      clock,
      store,
    } = world([sentMessage({ deadline: startOfTest + 100 })]);
    await event(failureEvent());
    clock.advance(60);
    const change = store.change;
    store.change = async (id, given) => {
      const result = await change(id, given);
      clock.advance(40);
      return result;
    };
    expect(await handle(retryMessage)).toMatchObject({ outcome: "expired" });
    expect(sends).toEqual([]);
    expect(message()).toMatchObject({ status: "EXPIRED", retry_count: 0 });
  });

  test("a worker that was paused until its lease is nearly over does not send", async () => {
    const { event, retryMessage: handle, sends, message, clock, store } = world([sentMessage()]);
    await event(failureEvent());
    clock.advance(60);
    const change = store.change;
    store.change = async (id, given) => {
      const result = await change(id, given);
      if (given.set.status === "SENDING") clock.advance(45);
      return result;
    };
    expect(await handle(retryMessage)).toMatchObject({ outcome: "deferred", reason: "lease-nearly-over" });
    expect(sends).toEqual([]);
    expect(message()).toMatchObject({ status: "RETRY_SCHEDULED", retry_count: 0 });
  });

  test.each([1, 2, 3, 7])("fault 28: max_retries %i means exactly that many retries", async (maxRetries) => {
    const { event, drain, sends, message } = world([sentMessage()], { policy: { maxRetries } });
    for (let attempt = 0; attempt <= maxRetries + 2; attempt += 1) {
      await event(failureOfRetry(attempt));
      await drain();
    }
    expect(sends).toHaveLength(maxRetries);
    expect(message()).toMatchObject({
      status: "EXHAUSTED",
      all_retries_failed: true,
      retry_count: maxRetries,
    });
  });

  test("fault 28: max_retries 0 sends and exhausts nothing, and the item says retries are off", async () => {
    const { event, drain, sends, message, queue } = world([sentMessage()], { policy: { maxRetries: 0 } });
    expect(await event(failureEvent())).toMatchObject({ outcome: "retries-off", reason: "retries-off" });
    await drain();
    expect(sends).toEqual([]);
    expect(message()).toMatchObject({
      status: "SENT",
      status_reason: "retries-off",
      all_retries_failed: false,
      attempts: { "0": { outcome: "UNREACHABLE" } },
    });
    const before = structuredClone(message());
    expect(await event(failureEvent())).toMatchObject({ outcome: "absorbed" });
    expect(message()).toEqual(before);
    expect(queue).toEqual([]);

    const later = world([message()]);
    expect(await later.event(failureEvent())).toMatchObject({ outcome: "retry-scheduled" });
    await event(successEvent());
    expect(message()).toMatchObject({ status: "DELIVERED", status_reason: "DELIVERED" });
  });

  test("a retry message that gets no permit writes nothing, uses up nothing and comes again", async () => {
    const gate = closedGate("no-capacity", startOfTest + 73.25, 5);
    const { event, retryMessage: handle, sends, message, clock, queue } = world([sentMessage()], { gate });
    await event(failureEvent());
    clock.advance(60);
    queue.length = 0;
    const before = structuredClone(message());
    expect(await handle(retryMessage)).toMatchObject({ outcome: "not-due", reason: "no-capacity" });
    expect(queue).toEqual([{ message: { ...retryMessage, waits_as: 5 }, dueAt: startOfTest + 73.25 }]);
    expect(message()).toEqual(before);
    expect(sends).toEqual([]);
  });

  test("a retry is late by its own item, however often it went back to the queue", async () => {
    const gate = closedGate("no-capacity", startOfTest + 73.25, 5);
    const { event, retryMessage: handle, message, clock } = world([sentMessage()], { gate });
    await event(failureEvent());
    const due = Number(message().next_attempt_at);

    clock.advance(due - 1 - clock.now());
    expect(await handle(retryMessage)).not.toHaveProperty("isLate");
    clock.advance(1_801);
    expect(await handle(retryMessage)).not.toHaveProperty("isLate");
    clock.advance(1);
    expect(await handle(retryMessage)).toMatchObject({ outcome: "not-due", isLate: true });
  });

  test("a text that became longer while it waited for its permit defers the attempt", async () => {
    const steps: string[] = [];
    const gate = gateOf((_identity, { parts }) => {
      steps.push(`${parts} part(s)`);
      store.items.set("order-4711", { ...store.items.get("order-4711"), message_body: "x".repeat(400) });
      return permitFor(parts, {
        async departs() {
          steps.push("departs");
          return true;
        },
        report: () => void steps.push("reports"),
      });
    });
    const {
      event,
      retryMessage: handle,
      sends,
      message,
      clock,
      store,
      drain,
    } = world([sentMessage()], { gate });
    await event(failureEvent());
    clock.advance(60);
    expect(await handle(retryMessage)).toMatchObject({ outcome: "deferred", reason: "permit-missed" });
    expect(message()).toMatchObject({ status: "RETRY_SCHEDULED", retry_count: 0 });
    expect(sends).toEqual([]);
    await drain();
    expect(steps).toEqual(["1 part(s)", "3 part(s)", "departs", "reports"]);
    expect(sends).toHaveLength(1);
  });

  test("fault 70: what ends while its retry waits for its permit is not sent", async () => {
    for (const ends of ["cancelled", "delivered", "opted-out"] as const) {
      const gate = gateOf(async (_identity, { parts }) => {
        if (ends === "cancelled") await cancel();
        if (ends === "delivered") await event(successEvent());
        if (ends === "opted-out") await event(failureEvent({ kind: "opt-out", status: "OPTOUT" }));
        return permitFor(parts);
      });
      const { event, drain, sends, cancel, message } = world([sentMessage()], { gate });
      await event(failureEvent());
      await drain();
      expect(sends).toEqual([]);
      expect(message().status).toBe(ends === "opted-out" ? "OPTED_OUT" : ends.toUpperCase());
    }
  });

  test("between a claim and its send lies no call but the send", async () => {
    const calls: string[] = [];
    const { event, drain, store } = world([sentMessage()], {
      gate: gateOf((_identity, { parts }) => {
        calls.push("permit");
        return permitFor(parts, {
          async departs() {
            calls.push("departs");
            return true;
          },
        });
      }),
      answers: [
        () => {
          calls.push("send");
          return { kind: "accepted", messageId: "msg-1" };
        },
      ],
    });
    await event(failureEvent());
    for (const method of ["read", "readMany", "create", "change"] as const) {
      const original = store[method] as (...given: unknown[]) => unknown;
      Object.assign(store, {
        [method]: (...given: unknown[]) => {
          calls.push(method);
          return original(...given);
        },
      });
    }
    await drain();
    expect(calls).toEqual(["read", "permit", "change", "departs", "send", "change"]);
  });

  test("fault 30: a message that the application cancels while a retry waits is not sent", async () => {
    const { event, drain, sends, cancel, message } = world([sentMessage()]);
    await event(failureEvent());
    expect(await cancel()).toEqual({
      application_message_id: "order-4711",
      status: "CANCELLED",
    });
    await drain();
    expect(sends).toEqual([]);
    expect(message()).toMatchObject({ status: "CANCELLED", status_reason: "cancelled" });
    expect(message()).not.toHaveProperty("next_attempt_at");
  });

  test("a cancellation leaves an ended retry sequence and a missing message as they are", async () => {
    const { store, cancel, message } = world([sentMessage({ status: "DELIVERED" })]);
    expect(await cancel()).toMatchObject({
      status: "DELIVERED",
    });
    expect(await cancel("nobody")).toEqual({
      application_message_id: "nobody",
    });
    expect(message().status).toBe("DELIVERED");
    expect(store.items.size).toBe(1);
  });

  test("a cancellation that meets another write looks again", async () => {
    const { event, store, cancel, message } = world([sentMessage()]);
    const { change } = store;
    let meets = true;
    store.change = async (id, given) => {
      if (meets) {
        meets = false;
        await event(failureEvent());
      }
      return change(id, given);
    };
    await cancel();
    expect(message().status).toBe("CANCELLED");
  });

  test("fault 27: under 5 s before the deadline nothing is sent by a service that asks for them", async () => {
    for (const [secondsLeft, sends] of [
      [4, 0],
      [5, 1],
    ] as const) {
      const it = world([sentMessage()], { leastSecondsLeft: 5 });
      await it.event(failureEvent());
      const item = { ...it.store.items.get("order-4711"), deadline: startOfTest + 70 + secondsLeft };
      it.store.items.set("order-4711", item);
      await it.drain();
      expect(it.sends.map((send) => send.secondsLeft)).toEqual(sends === 0 ? [] : [5]);
      expect(it.message()).toMatchObject(sends === 0 ? { status: "EXPIRED", retry_count: 0 } : {});
    }
  });

  test("fault 23: at the spend limit sends pause, no retry is used up, and the deadline is kept", async () => {
    const { event, drain, sends, message, clock } = world([sentMessage()], {
      answers: Array.from({ length: 4 }, () => ({
        kind: "deferred" as const,
        reason: "spend-limit" as const,
      })),
    });
    await event(failureEvent());
    await drain();
    expect(sends).toHaveLength(5);
    expect(clock.now()).toBe(startOfTest + 70 + 4 * 900);
    expect(message()).toMatchObject({ status: "SENT", retry_count: 1 });
  });
});

describe("an attempt of unknown outcome", () => {
  const lost: SendResult = { kind: "unconfirmed", reason: "TimeoutError" };

  /** A service that loses answers until a moment, and accepts from then on. */
  const lostUntil = (end: number, now: () => number) =>
    Array.from({ length: 200 }, (_, index) => (): SendResult => {
      return now() < end ? lost : { kind: "accepted", messageId: `late-${index}` };
    });

  test("fault 58: at-least-once goes on with the next attempt, marked, after its usual delay", async () => {
    const it = world([sentMessage()], { answers: [lost, lost] });
    await it.event(failureEvent());
    await it.drain();
    expect(it.sends.map(({ context }) => context.retry_attempt)).toEqual(["1", "1", "2"]);
    // Due at 70, again after the lease, and the check 300 s after that lease: the delay before attempt 2.
    expect(it.clock.now()).toBe(startOfTest + 70 + 60 + 60 + 300);
    expect(it.message()).toMatchObject({
      status: "SENT",
      retry_count: 2,
      attempts: {
        "1": { outcome: "NO_RECEIPT", possible_duplicate: true },
        "2": { possible_duplicate: true, message_id: "msg-3" },
      },
    });
  });

  test("fault 58: where no retry is left, at-least-once repeats the last attempt ever more rarely", async () => {
    const answers: SendResult[] = Array.from({ length: 6 }, () => lost);
    const it = world([sentMessage()], { answers, policy: { maxRetries: 1 } });
    await it.event(failureEvent());
    const at: number[] = [];
    const { push } = it.sends;
    it.sends.push = (...sent) => {
      at.push(it.clock.now() - startOfTest);
      return push.apply(it.sends, sent);
    };
    await it.drain();
    expect(new Set(it.sends.map(({ context }) => context.retry_attempt))).toEqual(new Set(["1"]));
    expect(at).toEqual([70, 130, 490, 1_150, 2_410, 4_870, 9_730]);
    expect(it.message()).toMatchObject({ status: "SENT", attempts: { "1": { possible_duplicate: true } } });
    expect(it.message().attempts?.["1"]).not.toHaveProperty("outcome");
  });

  test("fault 58: an outage that outlives the deadline ends with that reason", async () => {
    const answers: SendResult[] = Array.from({ length: 50 }, () => lost);
    const it = world([sentMessage({ deadline: startOfTest + 900 })], { answers });
    await it.event(failureEvent());
    await it.drain();
    expect(it.message()).toMatchObject({ status: "EXPIRED" });
    expect(it.clock.now()).toBeGreaterThanOrEqual(startOfTest + 900);
    expect(it.clock.now()).toBeLessThan(startOfTest + 1_100);
  });

  test.each([30, 60, 120, 300, 900, 3 * 3_600])(
    "fault 58: an outage of %i s loses no attempt, whichever it meets",
    async (seconds) => {
      for (const latest of [0, 1, 2]) {
        const item = sentMessage({ retry_count: latest });
        let now = () => 0;
        const it = world([item], { answers: lostUntil(startOfTest + 10 + seconds, () => now()) });
        now = it.clock.now;
        await it.event(failureOfRetry(latest));
        await it.drain();
        expect(it.message().status).toBe("SENT");
        expect(it.message().pinpoint_message_id).toMatch(/^late-/);
      }
    },
  );

  test("at-most-once never sends such an attempt again, and says so in the end", async () => {
    const it = world([sentMessage()], { answers: [lost], guarantee: "at-most-once" });
    await it.event(failureEvent());
    await it.drain();
    expect(it.sends).toHaveLength(1);
    expect(it.message()).toMatchObject({
      status: "EXHAUSTED",
      status_reason: "NO_RECEIPT",
      attempts: { "1": { outcome: "NO_RECEIPT" } },
    });
    await it.event(successEvent({ attempt: 1, messageId: "msg-1" }));
    expect(it.message().status).toBe("DELIVERED");
  });

  test("an event that comes before the check decides, and the check finds nothing to do", async () => {
    const it = world([sentMessage()], { answers: [lost], guarantee: "at-most-once" });
    await it.event(failureEvent());
    it.clock.advance(60);
    it.queue.length = 0;
    await it.retryMessage(retryMessage);
    it.clock.advance(61);
    await it.retryMessage(retryMessage);
    const check = it.queue.at(-1)?.message;
    expect(check).toMatchObject({ kind: "receipt-check", attempt: 1 });
    await it.event(failureOfRetry(1));
    expect(it.message().status).toBe("RETRY_SCHEDULED");
    it.clock.advance(301);
    expect(await it.retryMessage(check as QueueMessage)).toMatchObject({ outcome: "absorbed" });
    await it.drain();
    expect(it.sends.map(({ context }) => context.retry_attempt)).toEqual(["1", "2"]);
  });

  test("a worker that learns late of its accepted attempt says so, and the check does nothing", async () => {
    const it = world([sentMessage()], {
      guarantee: "at-most-once",
      answers: [
        async () => {
          // Paused for longer than its lease: meanwhile the attempt counts as one of unknown outcome.
          it.clock.advance(120);
          expect(await it.retryMessage(retryMessage)).toMatchObject({ outcome: "awaiting-receipt" });
          return { kind: "accepted", messageId: "msg-1" };
        },
      ],
    });
    await it.event(failureEvent());
    await it.drain();
    expect(it.message()).toMatchObject({ status: "SENT", attempts: { "1": { message_id: "msg-1" } } });
    expect(it.message().attempts?.["1"]).not.toHaveProperty("outcome");
    expect(it.sends).toHaveLength(1);
  });

  test("the check is repeated when the worker died before it was on the queue", async () => {
    const it = world([sentMessage()], { answers: [lost], guarantee: "at-most-once" });
    await it.event(failureEvent());
    it.clock.advance(60);
    await it.retryMessage(retryMessage);
    it.clock.advance(61);
    await it.retryMessage(retryMessage);
    it.queue.length = 0;
    expect(await it.retryMessage(retryMessage)).toMatchObject({
      outcome: "absorbed",
      reason: "outcome-unknown",
    });
    expect(it.queue).toMatchObject([{ message: { kind: "receipt-check" }, dueAt: startOfTest + 131 + 300 }]);
  });

  test("a forged or early check sends nothing", async () => {
    const check = { kind: "receipt-check", application_message_id: "order-4711", attempt: 0 } as const;
    const it = world([sentMessage()]);
    expect(await it.retryMessage(check)).toMatchObject({ outcome: "absorbed", reason: "already-sent" });
    expect(await it.retryMessage({ ...check, application_message_id: "nobody" })).toMatchObject({
      reason: "message-gone",
    });
    await it.event(failureEvent());
    expect(await it.retryMessage(check)).toMatchObject({ reason: "superseded-attempt" });
    expect(it.sends).toEqual([]);
  });

  test("fault 61: an accepted attempt without a receipt is followed by the next, in time", async () => {
    const policy = { receiptTimeoutSeconds: 600 };
    const it = world([sentMessage()], { policy });
    await it.event(failureEvent());
    await it.drain();
    // 70 + 600, 600, 600: and the last has no retry left.
    expect(it.sends.map(({ context }) => context.retry_attempt)).toEqual(["1", "2", "3"]);
    expect(it.clock.now()).toBe(startOfTest + 70 + 3 * 600);
    expect(it.message()).toMatchObject({
      status: "EXHAUSTED",
      status_reason: "NO_RECEIPT",
      attempts: { "2": { possible_duplicate: true }, "3": { possible_duplicate: true } },
    });
    expect(it.message().attempts?.["1"]).not.toHaveProperty("possible_duplicate");

    const inTime = world([sentMessage()], { policy });
    const answer = inTime.event(successEvent());
    expect(await answer).toMatchObject({ outcome: "delivered-at-once" });
    // The delivery is written down although deliveries are not tracked: the check would take it for lost.
    expect(inTime.message().status).toBe("DELIVERED");
  });

  test("fault 61: at the deadline a message without a receipt has expired", async () => {
    const item = sentMessage({ deadline: startOfTest + 300 });
    const it = world([item], { policy: { receiptTimeoutSeconds: 600 } });
    await it.event(failureEvent());
    await it.drain();
    expect(it.sends).toHaveLength(1);
    expect(it.message()).toMatchObject({ status: "EXPIRED", status_reason: "NO_RECEIPT" });
    expect(it.clock.now()).toBe(startOfTest + 300);
  });
});

describe("input that harms only itself", () => {
  test("fault 66: a body of 100 000 characters is rejected before any claim, in no time", async () => {
    const body = "€".repeat(100_000);
    const atSchedule = world([sentMessage({ message_body: body })]);
    expect(await atSchedule.event(failureEvent())).toMatchObject({
      outcome: "rejected",
      reason: "body-too-long",
    });

    const permits: number[] = [];
    const gate = gateOf((_identity, { parts }) => {
      permits.push(parts);
      return permitFor(parts);
    });
    const atSend = world([sentMessage()], { gate });
    await atSend.event(failureEvent());
    atSend.store.items.set("order-4711", { ...atSend.message(), message_body: body });
    atSend.clock.advance(60);
    expect(await atSend.retryMessage(retryMessage)).toMatchObject({
      outcome: "rejected",
      reason: "body-too-long",
    });
    expect(atSend.message()).toMatchObject({ status: "REJECTED", status_reason: "body-too-long" });
    expect(atSend.message().attempts).not.toHaveProperty("1");
    expect(permits).toEqual([]);
    expect(atSend.sends).toEqual([]);
  });

  test("fault 68: an untagged event about another send under the same id is foreign", async () => {
    const { attempt: _, ...untagged } = failureEvent();
    const it = world([sentMessage()]);
    const foreign = { ...untagged, messageId: "msg-of-another-application" };
    expect(await it.event(foreign)).toMatchObject({ outcome: "foreign", reason: "foreign-event" });
    expect(await it.event({ ...foreign, kind: "success", status: "DELIVERED" })).toMatchObject({
      outcome: "foreign",
    });
    expect(await it.event({ ...foreign, kind: "opt-out", status: "OPTOUT" })).toMatchObject({
      outcome: "foreign",
    });
    expect(it.message()).toEqual(sentMessage());
    expect(await it.event(untagged)).toMatchObject({ outcome: "retry-scheduled" });

    // The application's own item does not tell the id of its send: the first event does.
    const own = world([{ application_message_id: "order-4711", message_body: "Your order is on its way." }]);
    expect(await own.event(untagged)).toMatchObject({ outcome: "retry-scheduled" });
    expect(await own.event(foreign)).toMatchObject({ outcome: "foreign" });
  });
});

describe("what an outsider found", () => {
  const lost: SendResult = { kind: "unconfirmed", reason: "TimeoutError" };

  test("with max_retries 0 no receipt check ends a message, whatever the guarantee", async () => {
    for (const guarantee of ["at-least-once", "at-most-once"] as const) {
      const sending = sentMessage({ status: "SENDING", claim_expires_at: startOfTest + 60 });
      const it = world([sending], { guarantee, policy: { maxRetries: 0 }, answers: [lost, lost, lost] });
      it.queue.push({ message: { ...retryMessage, attempt: 0 }, dueAt: startOfTest + 60 });
      await it.drain();
      expect(it.sends.length).toBe(guarantee === "at-least-once" ? 1 : 0);
      expect(it.message()).toMatchObject({
        status: "SENT",
        status_reason: "retries-off",
        all_retries_failed: false,
      });
    }
  });

  test("a retry that is scheduled when max_retries becomes 0 is not sent", async () => {
    const before = world([sentMessage()]);
    await before.event(failureEvent());
    const it = world([before.message()], { policy: { maxRetries: 0 } });
    it.queue.push({ message: retryMessage, dueAt: startOfTest + 70 });
    await it.drain();
    expect(it.sends).toEqual([]);
    expect(it.message()).toMatchObject({ status: "SENT", status_reason: "retries-off" });
    expect(it.message()).not.toHaveProperty("next_attempt_at");
  });

  test.each([99_999_999_999, Number.MAX_SAFE_INTEGER, 9.22e18])(
    "a deadline that says never, %d, does not make the item look gone",
    async (deadline) => {
      const { expires_at: _, ...message } = sentMessage({ deadline });
      const it = world([message]);
      await it.event(failureEvent());
      await it.drain();
      expect(it.sends).toHaveLength(1);
    },
  );

  test("a time that the application rewrites as text after the retry was scheduled stops nothing", async () => {
    for (const change of [
      { deadline: String(startOfTest + 86_400) },
      { expires_at: String(startOfTest + 5 * 86_400) },
      { next_attempt_at: null },
    ]) {
      const it = world([sentMessage()]);
      await it.event(failureEvent());
      it.store.items.set("order-4711", { ...it.store.items.get("order-4711"), ...change });
      await it.drain();
      expect(it.sends).toHaveLength(1);
    }
  });

  test("a claim of an attempt without a record is marked: nobody knows whether it was sent", async () => {
    const { attempts: _, ...message } = sentMessage({ status: "SENDING", claim_expires_at: startOfTest });
    const it = world([message], {
      answers: [
        () => {
          expect(it.message().attempts?.["0"]).toMatchObject({ possible_duplicate: true });
          return { kind: "accepted", messageId: "msg-1" };
        },
      ],
    });
    await it.retryMessage({ ...retryMessage, attempt: 0 });
    expect(it.sends).toHaveLength(1);
  });

  test("at-most-once sends nothing again that may have left before the guarantee was switched", async () => {
    const attempts = { "0": {}, "1": { possible_duplicate: true, repeats: 0 } };
    const item = sentMessage({ status: "SENDING", retry_count: 1, claim_expires_at: startOfTest, attempts });
    const it = world([item], { guarantee: "at-most-once" });
    expect(await it.retryMessage(retryMessage)).toMatchObject({ outcome: "awaiting-receipt" });
    expect(it.sends).toEqual([]);
    // What was deferred and never handed over may be sent under either guarantee.
    const fresh = world([{ ...item, attempts: { "0": {}, "1": {} } }], { guarantee: "at-most-once" });
    expect(await fresh.retryMessage(retryMessage)).toMatchObject({ outcome: "sent" });
  });

  test("a retry that was sent no longer says why it was scheduled or deferred", async () => {
    const it = world([sentMessage()], { answers: [throttled] });
    await it.event(failureEvent());
    await it.drain();
    expect(it.message().status).toBe("SENT");
    expect(it.message()).not.toHaveProperty("status_reason");
  });
});

describe("order and time", () => {
  test("fault 69: a success is decided on the item as it is, not as the batch read it", async () => {
    const { event, drain, sends, message } = world([sentMessage()]);
    const old = sentMessage();
    await event(failureEvent());
    expect(await event(successEvent(), { known: old })).toMatchObject({ outcome: "delivered" });
    expect(message().status).toBe("DELIVERED");
    await drain();
    expect(sends).toEqual([]);
  });

  test.each([30, 12, 5, 2])(
    "fault 64: a failure %i s before the deadline is retried in time, whatever chance says",
    async (seconds) => {
      for (const chance of [0, 0.25, 0.5, 0.75, 1 - Number.EPSILON]) {
        const item = sentMessage({ deadline: startOfTest + 10 + seconds });
        const { event, drain, sends, message } = world([item], { chance });
        expect(await event(failureEvent())).toMatchObject({ outcome: "retry-scheduled" });
        await drain();
        expect(sends).toHaveLength(1);
        expect(message().status).toBe("SENT");
      }
    },
  );

  test("an UNKNOWN of an item without a time is not sent: it may be the one after 72 hours", async () => {
    const { deadline: _, created_at: __, expires_at: ___, ...timeless } = sentMessage();
    const unknown = failureEvent({ status: "UNKNOWN" });
    const it = world([timeless]);
    expect(await it.event(unknown)).toMatchObject({ outcome: "expired", reason: "age-unknown" });
    expect(it.message()).toMatchObject({ status: "EXPIRED", status_reason: "age-unknown" });
    expect(it.queue).toEqual([]);

    const others = [
      { item: timeless, event: failureEvent() },
      { item: { ...timeless, created_at: startOfTest }, event: unknown },
      { item: { ...timeless, deadline: startOfTest + 600 }, event: unknown },
      { item: timeless, event: { ...unknown, requestedAt: startOfTest } },
    ];
    for (const { item, event } of others) {
      expect(await world([item]).event(event)).toMatchObject({ outcome: "retry-scheduled" });
    }
  });
});

describe("retry messages without authority", () => {
  test("fault 36: twice, early or 15 minutes late: the claim decides", async () => {
    const { event, retryMessage: handle, sends, clock, queue } = world([sentMessage()]);
    await event(failureEvent());
    queue.length = 0;
    expect(await handle(retryMessage)).toMatchObject({ outcome: "not-due", reason: "not-due" });
    expect(queue).toEqual([{ message: retryMessage, dueAt: startOfTest + 70 }]);
    clock.advance(60 + 900);
    const both = await Promise.all([handle(retryMessage), handle(retryMessage)]);
    expect(both.map(({ outcome }) => outcome).sort()).toEqual(["not-due", "sent"]);
    expect(await handle(retryMessage)).toMatchObject({ outcome: "absorbed", reason: "already-sent" });
    expect(sends).toHaveLength(1);
  });

  test("forged for a message that is not failed, or for a later attempt, it sends nothing", async () => {
    const { retryMessage: handle, event, sends, clock } = world([sentMessage()]);
    expect(await handle(retryMessage)).toMatchObject({ outcome: "absorbed" });
    await event(failureEvent());
    clock.advance(61);
    expect(await handle({ ...retryMessage, attempt: 3 })).toMatchObject({ reason: "superseded-attempt" });
    expect(sends).toEqual([]);
  });

  test("a consumer that dies before it queues the retry message is repaired by the event's copy", async () => {
    const { event, drain, sends, queue } = world([sentMessage()]);
    await event(failureEvent(), { dies: true });
    expect(queue).toEqual([]);
    await event(failureEvent());
    await drain();
    expect(sends).toHaveLength(1);
  });

  test("a worker whose claim was written but not answered knows its own claim", async () => {
    const { event, retryMessage: handle, sends, store, clock } = world([sentMessage()]);
    await event(failureEvent());
    clock.advance(60);
    const change = store.change;
    let lost = false;
    store.change = async (id, given) => {
      const result = await change(id, given);
      if (lost) return result;
      lost = true;
      return change(id, given);
    };
    expect(await handle(retryMessage)).toMatchObject({ outcome: "sent" });
    expect(sends).toHaveLength(1);
  });
});

describe("state, time and identity", () => {
  test("fault 44: a message missing in the table is a reason, not an exception", async () => {
    const { retryMessage: handle, event } = world([]);
    expect(await handle(retryMessage)).toEqual({ outcome: "absorbed", reason: "message-gone" });
    expect(await event(successEvent())).toMatchObject({ outcome: "unknown-message", reason: "no-item" });
  });

  test("fault 45: an item past expires_at is gone for events, claims and late retry messages", async () => {
    const expired = { expires_at: startOfTest + 10 };
    const { event } = world([sentMessage(expired)]);
    expect(await event(failureEvent())).toMatchObject({ outcome: "waiting", reason: "no-item" });

    const scheduled = world([
      sentMessage({ ...expired, status: "RETRY_SCHEDULED", next_attempt_at: startOfTest }),
    ]);
    expect(await scheduled.retryMessage(retryMessage)).toMatchObject({ reason: "message-gone" });
    expect(scheduled.sends).toEqual([]);
  });

  test("fault 46: an old read cannot schedule twice, nor hide an attempt", async () => {
    const { event, drain, sends } = world([sentMessage()]);
    const old = sentMessage();
    await event(failureEvent());
    await drain();
    expect(await event(failureEvent(), { known: old })).toMatchObject({
      outcome: "absorbed",
      reason: "superseded-attempt",
    });
    // The old read knows of no attempt 1: it is read again, consistently.
    expect(await event(failureOfRetry(1), { known: old })).toMatchObject({ outcome: "retry-scheduled" });
    await drain();
    expect(sends).toHaveLength(2);
  });

  test("fault 46: an old read cannot hide the attempt of an event without a tag", async () => {
    const untaggedFailureOf = (attempt: number, messageId: string) => {
      const { attempt: _, ...event } = failureOfRetry(attempt);
      return { ...event, messageId };
    };
    // By an old read the id is another application's, or, where the first send's is not known, the first send's.
    const { pinpoint_message_id: _, ...withoutId } = sentMessage();
    for (const item of [sentMessage(), withoutId]) {
      const { event, drain, message } = world([item], { policy: { maxRetries: 3 } });
      await event(failureEvent());
      await drain();
      await event(failureOfRetry(1));
      const old = structuredClone(message());
      await drain();
      const { message_id } = message().attempts?.[2] ?? {};
      expect(message_id).toBeDefined();

      expect(await event(untaggedFailureOf(2, message_id ?? ""), { known: old })).toMatchObject({
        outcome: "retry-scheduled",
        attempt: 2,
      });
    }
  });

  test("fault 47: emoji, GSM-7 edge characters and line breaks are sent as they were", async () => {
    const body = "Código €12 {[~]}\\^|\n👩‍👩‍👧 \u00a0\u000cé\u0301 end\r\n";
    const { event, drain, sends } = world([sentMessage({ message_body: body })]);
    await event(failureEvent());
    await drain();
    expect(Buffer.from(sends[0]?.body ?? "")).toEqual(Buffer.from(body));
  });

  test("fault 48: the deadline comes from our own record, whatever the service's clock says", async () => {
    for (const skew of [-300, 300]) {
      const { deadline: _, expires_at: __, ...open } = sentMessage();
      const { event, message } = world([open]);
      await event(failureEvent({ occurredAt: startOfTest + 10 + skew }));
      expect(message().deadline).toBe(startOfTest + 86_400);
    }
  });

  test("fault 40: on first deployment, events of the day before send nothing", async () => {
    const item = { application_message_id: "order-4711", message_body: "Your order is on its way." };
    const { event, message, queue } = world([item]);
    await event(failureEvent({ occurredAt: startOfTest - 86_400 }));
    expect(message()).toMatchObject({ status: "EXPIRED", status_reason: "deadline" });
    expect(queue).toEqual([]);
  });

  test("fault 56: a forged event with another number cannot redirect a message", async () => {
    const { event, drain, sends } = world([sentMessage()]);
    await event(failureEvent({ destinationNumber: "+15550001111" }));
    await drain();
    expect(sends[0]).toMatchObject({ destinationNumber: "+447700900123", body: sentMessage().message_body });
  });
});
