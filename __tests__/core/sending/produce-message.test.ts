/** The producer: the permit first, then the item, the send and the record; never twice for one id. */
import { SendDeferredError } from "../../../functions/core/errors.ts";
import type { Message } from "../../../functions/core/message/message.ts";
import type { RetryPolicy } from "../../../functions/core/message/retry-policy.ts";
import type { QueueEntry } from "../../../functions/core/queue/retry-queue.ts";
import type { SendGate } from "../../../functions/core/sending/gate/send-gate.ts";
import { type ProduceRequest, produceMessage } from "../../../functions/core/sending/produce-message.ts";
import { claimLeaseSeconds } from "../../../functions/core/sending/send-attempt.ts";
import type { SendRequest, SendResult } from "../../../functions/core/sending/sms-sender.ts";
import { retryPolicy, startOfTest } from "../../support/messages.ts";
import { closedGate, gateOf, openGate, permitFor } from "../../support/open-gate.ts";
import { recordedTelemetry } from "../../support/recorded-telemetry.ts";
import { routingBy, type ScriptedAnswer, scriptedSender } from "../../support/scripted-sender.ts";
import { storeOnModel } from "../../support/store-on-model.ts";
import { virtualTime } from "../../support/virtual-time.ts";
import { world } from "../../support/world.ts";

const accepted: SendResult = { kind: "accepted", messageId: "msg-0" };
const throttled: SendResult = { kind: "deferred", reason: "throttled" };
const request: ProduceRequest = {
  applicationMessageId: "order-4711",
  destinationNumber: "+447700900123",
  body: "Your code is 493817.",
  messageType: "TRANSACTIONAL",
  validitySeconds: 600,
};

/** What the service is asked for {@link request} at the start of the test. */
const plainSend: SendRequest = {
  destinationNumber: "+447700900123",
  body: "Your code is 493817.",
  messageType: "TRANSACTIONAL",
  secondsLeft: 599.5,
  context: { application_message_id: "order-4711", retry_attempt: "0" },
};

/** An application with a table; the service answers as told, then it accepts. The clock stands between seconds. */
function application(
  answers: readonly ScriptedAnswer[] = [],
  options: {
    guarantee?: "at-least-once" | "at-most-once";
    leastSecondsLeft?: number;
    gate?: SendGate;
    policy?: Partial<RetryPolicy>;
    /** Whether the queue takes what is put on it. */
    queueTakes?: boolean;
  } = {},
) {
  const store = storeOnModel();
  const sender = scriptedSender({ ...options, answers, otherwise: accepted });
  const queued: QueueEntry[] = [];
  const clock = virtualTime(startOfTest + 0.5);
  let ids = 0;
  const producing = {
    store,
    routing: routingBy(sender),
    gate: options.gate ?? openGate,
    guarantee: options.guarantee ?? ("at-least-once" as const),
    queue: {
      async put(entries: readonly QueueEntry[]) {
        queued.push(...entries);
        return entries.map(() => options.queueTakes ?? true);
      },
    },
    policy: retryPolicy(options.policy),
    telemetry: recordedTelemetry(),
    clock,
    random: { next: () => 0.5, id: () => `id-${++ids}` },
  };
  return {
    store,
    sends: sender.sends,
    queued,
    producing,
    produce: (changes: Partial<ProduceRequest> = {}) => produceMessage({ ...request, ...changes }, producing),
    advance: clock.advance,
    message: (id = "order-4711") => store.items.get(id) as unknown as Message,
  };
}

/** What brings the first send to the resend worker. */
const firstSend = (dueAt: number): QueueEntry => ({
  message: { kind: "retry-message", application_message_id: "order-4711", attempt: 0 },
  dueAt,
});

/** An answer that never comes: the producer is killed while it waits. */
const dies = (): never => {
  throw new Error("The function was killed.");
};

describe("a message", () => {
  test("is in the table before the service is asked, and completed after", async () => {
    let atSend: Message | undefined;
    const { produce, sends, queued, message } = application([
      () => {
        atSend = structuredClone(message());
        return accepted;
      },
    ]);

    expect(await produce()).toEqual({
      application_message_id: "order-4711",
      pinpoint_message_id: "msg-0",
      status: "SENT",
    });

    expect(atSend).toEqual({
      application_message_id: "order-4711",
      message_body: "Your code is 493817.",
      sms_service: "pinpoint",
      destination_number: "+447700900123",
      message_type: "TRANSACTIONAL",
      status: "SENDING",
      retry_count: 0,
      all_retries_failed: false,
      deadline: startOfTest + 600,
      expires_at: startOfTest + 600 + 4 * 86_400,
      created_at: startOfTest,
      claim_expires_at: startOfTest + claimLeaseSeconds + 1,
      attempts: { "0": { claim_id: "id-1", claimed_at: startOfTest } },
    });
    expect(sends).toEqual([plainSend]);
    const { claim_expires_at: _, ...kept } = atSend as Message;
    expect(message()).toEqual({
      ...kept,
      status: "SENT",
      pinpoint_message_id: "msg-0",
      attempts: {
        "0": { claim_id: "id-1", claimed_at: startOfTest, sent_at: startOfTest, message_id: "msg-0" },
      },
    });
    expect(queued).toEqual([]);
  });

  test("is looked at when its receipt is overdue, where receipts have a time-out", async () => {
    const { produce, queued } = application([], { policy: { receiptTimeoutSeconds: 300 } });

    expect(await produce()).toMatchObject({ status: "SENT" });

    expect(queued).toEqual([
      {
        message: { kind: "receipt-check", application_message_id: "order-4711", attempt: 0 },
        dueAt: startOfTest + 300,
      },
    ]);
  });

  test("that the service took counts as sent, whether its receipt check is queued or not", async () => {
    const { produce } = application([], { policy: { receiptTimeoutSeconds: 300 }, queueTakes: false });

    expect(await produce()).toMatchObject({ status: "SENT" });
  });

  test("goes out, and is kept, with all that the request says", async () => {
    const { produce, sends, message } = application();

    await produce({
      messageType: "PROMOTIONAL",
      originationNumber: "+447700900999",
      senderId: "SHOP",
      deadline: startOfTest + 300,
      deliveryGuarantee: "at-most-once",
    });

    expect(sends).toEqual([
      {
        ...plainSend,
        messageType: "PROMOTIONAL",
        originationNumber: "+447700900999",
        senderId: "SHOP",
        secondsLeft: 299.5,
      },
    ]);
    expect(message()).toMatchObject({
      message_type: "PROMOTIONAL",
      origination_number: "+447700900999",
      sender_id: "SHOP",
      deadline: startOfTest + 300,
      expires_at: startOfTest + 300 + 4 * 86_400,
      delivery_guarantee: "at-most-once",
    });
  });

  test("carries, and is kept with, what else the request says", async () => {
    const { produce, sends, message } = application();
    const carried = { context: { shop: "berlin" }, keyword: "SHOP", entity_id: "11", template_id: "12" };

    await produce({ carried });

    expect(sends).toEqual([
      {
        ...plainSend,
        keyword: "SHOP",
        entityId: "11",
        templateId: "12",
        context: { ...plainSend.context, shop: "berlin" },
      },
    ]);
    expect(message()).toMatchObject(carried);
  });

  test("tells how many entries of its context the service had no room for", async () => {
    const { produce } = application([{ ...accepted, contextLeftOut: 2 }]);
    expect(await produce()).toEqual({
      application_message_id: "order-4711",
      pinpoint_message_id: "msg-0",
      status: "SENT",
      context_left_out: 2,
    });
  });

  test.each<[string, SendResult | typeof dies, number]>([
    ["was deferred", throttled, 0],
    ["died half-way", dies, claimLeaseSeconds + 1],
  ])(
    "whose first send %s goes out as it is stored, whatever the second request says",
    async (_what, first, wait) => {
      const { produce, sends, advance } = application([first]);
      const carried = { context: { shop: "berlin" }, entity_id: "11" };
      await produce({ carried, senderId: "SHOP" }).catch(() => undefined);
      advance(wait);

      await produce({
        body: "Another text.",
        destinationNumber: "+447700900666",
        messageType: "PROMOTIONAL",
        senderId: "OTHER",
        originationNumber: "+447700900667",
        carried: { context: { shop: "ulm" }, keyword: "OTHER" },
      });

      expect(sends).toHaveLength(2);
      expect({ ...sends[1], secondsLeft: 0 }).toEqual({ ...sends[0], secondsLeft: 0 });
    },
  );

  test("that somebody left half-written has nothing to send and has ended", async () => {
    const { produce, sends, message, store } = application();
    store.items.set("order-4711", {
      application_message_id: "order-4711",
      status: "SENDING",
      retry_count: 0,
      attempts: { "0": {} },
    });

    const produced = await produce();

    expect(produced).toEqual({ application_message_id: "order-4711", status: "REJECTED" });
    expect(sends).toEqual([]);
    expect(message()).toMatchObject({ status: "REJECTED", status_reason: "nothing-to-send" });
  });

  test("without an id gets a new one", async () => {
    const { producing, message } = application();
    const { applicationMessageId: _, ...withoutId } = request;

    const { application_message_id: id } = await produceMessage(withoutId, producing);

    expect(id).toMatch(/^id-\d$/);
    expect(message(id)).toMatchObject({ status: "SENT" });
  });

  test("past its deadline, or too near to it for the service, is not sent", async () => {
    const late = application();
    expect(await late.produce({ deadline: startOfTest })).toEqual({
      application_message_id: "order-4711",
      status: "EXPIRED",
    });
    expect(late.sends).toEqual([]);
    expect(late.message()).toMatchObject({ status: "EXPIRED", status_reason: "deadline" });

    const near = application([], { leastSecondsLeft: 5 });
    expect(await near.produce({ deadline: startOfTest + 5 })).toMatchObject({ status: "EXPIRED" });
    expect(near.sends).toEqual([]);
  });

  test.each([
    [false, "REJECTED"],
    [true, "OPTED_OUT"],
  ] as const)(
    "refused by the service (opted out: %s) has ended and is not sent again",
    async (optedOut, status) => {
      const { produce, sends, message } = application([
        { kind: "refused", optedOut, reason: "no-such-number" },
      ]);

      const results = [await produce(), await produce()];

      expect(results).toEqual(Array(2).fill({ application_message_id: "order-4711", status }));
      expect(sends).toHaveLength(1);
      expect(message()).toMatchObject({
        status,
        status_reason: "no-such-number",
        attempts: { "0": { outcome: "no-such-number", outcome_at: startOfTest } },
      });
    },
  );

  test("whose event was handled before its send was recorded gets the service's id all the same", async () => {
    const { produce, message, store } = application([
      () => {
        store.items.set("order-4711", { ...message(), status: "DELIVERED" });
        return accepted;
      },
    ]);

    expect(await produce()).toMatchObject({ pinpoint_message_id: "msg-0" });
    expect(message()).toMatchObject({
      status: "DELIVERED",
      pinpoint_message_id: "msg-0",
      attempts: { "0": { message_id: "msg-0", sent_at: startOfTest } },
    });
  });

  test("that is gone when its send is recorded stays gone", async () => {
    const { produce, store } = application([
      () => {
        store.items.clear();
        return accepted;
      },
    ]);

    expect(await produce()).toMatchObject({ status: "SENT" });
    expect(store.items.size).toBe(0);
  });
});

describe("the same id again", () => {
  test("sends nothing and tells what became of the message", async () => {
    const { produce, sends } = application();

    expect(await produce({ body: "Another text." })).toEqual(await produce());
    expect(sends).toHaveLength(1);
  });

  test("while the first send is under way sends nothing", async () => {
    const again: unknown[] = [];
    const { produce, sends } = application([
      async () => {
        again.push(await produce());
        return accepted;
      },
    ]);

    await produce();

    expect(again).toEqual([{ application_message_id: "order-4711", status: "SENDING" }]);
    expect(sends).toHaveLength(1);
  });

  test.each(["open", "closed"])(
    "while a dead producer's lease holds is left to the resend worker for its end (gate %s)",
    async (gate) => {
      const { produce, producing, sends, queued, advance } = application([dies]);
      await expect(produce()).rejects.toThrow("killed");
      expect(queued).toEqual([]);
      advance(10);

      const gates = { open: openGate, closed: closedGate("no-capacity", startOfTest + 12) };
      const again = { ...producing, gate: gates[gate as keyof typeof gates] };

      expect(await produceMessage(request, again)).toMatchObject({ status: "SENDING" });
      // Nobody else would send it: the application has been told that it is under way.
      expect(queued).toEqual([firstSend(startOfTest + claimLeaseSeconds + 1)]);
      expect(sends).toHaveLength(1);
    },
  );

  test("after the service was busy sends once more, under a claim of its own", async () => {
    const { produce, sends, queued, message } = application([throttled]);

    await expect(produce()).rejects.toThrow(
      'The SMS service did not take the message now (throttled); invoke again with application_message_id "order-4711".',
    );
    expect(message()).toMatchObject({ status: "SENDING", status_reason: "throttled" });
    expect(message().attempts?.["0"]).toEqual({});

    expect(await produce()).toMatchObject({ status: "SENT" });
    expect(sends).toHaveLength(2);
    expect(message().attempts?.["0"]).toEqual({
      claim_id: expect.stringMatching(/^id-/),
      claimed_at: startOfTest,
      sent_at: startOfTest,
      message_id: "msg-0",
    });
    expect(queued).toEqual([]);
  });

  test("at the spend limit does not end before its deadline, and asks the service each time", async () => {
    const limit: SendResult = { kind: "deferred", reason: "spend-limit" };
    const { produce, sends, message, advance } = application([limit, limit]);

    await expect(produce()).rejects.toThrow("(spend-limit)");
    await expect(produce()).rejects.toThrow("(spend-limit)");
    expect(message()).toMatchObject({ status: "SENDING", attempts: { "0": {} } });
    advance(599);

    expect(await produce()).toMatchObject({ status: "SENT" });
    expect(sends).toHaveLength(3);
  });

  test("after the producer died sends nothing until its lease is over, then once more and marked", async () => {
    const { produce, sends, queued, message, advance } = application([dies]);
    await expect(produce()).rejects.toThrow("killed");

    advance(claimLeaseSeconds - 1);
    expect(await produce()).toEqual({ application_message_id: "order-4711", status: "SENDING" });
    expect(sends).toHaveLength(1);
    // Nobody may ever ask again: the resend worker looks after the lease.
    expect(queued).toEqual([firstSend(startOfTest + claimLeaseSeconds + 1)]);
    advance(1.5);
    expect(await produce()).toMatchObject({ status: "SENT" });

    expect(sends).toHaveLength(2);
    expect(message().attempts?.["0"]).toMatchObject({
      possible_duplicate: true,
      repeats: 1,
      claimed_at: startOfTest + claimLeaseSeconds + 1,
    });
  });

  test("after it died twice sends no third time and leaves the message to the resend worker", async () => {
    const { produce, sends, queued, message, advance } = application([dies, dies]);
    await expect(produce()).rejects.toThrow("killed");
    advance(claimLeaseSeconds + 1);
    await expect(produce()).rejects.toThrow("killed");
    advance(claimLeaseSeconds + 1);

    expect(await produce()).toEqual({ application_message_id: "order-4711", status: "SENDING" });
    expect(sends).toHaveLength(2);
    expect(queued).toEqual([firstSend(startOfTest + 0.5 + 2 * (claimLeaseSeconds + 1))]);
    expect(message()).toMatchObject({ status: "SENDING", attempts: { "0": { repeats: 1 } } });
  });

  test.each([
    ["the deployment", { guarantee: "at-most-once" as const }, {}],
    ["the message itself", {}, { deliveryGuarantee: "at-most-once" as const }],
  ])("after it died sends nothing where %s forbids a second send", async (_whose, options, changes) => {
    const { produce, sends, queued, advance } = application([dies], options);
    await expect(produce(changes)).rejects.toThrow("killed");
    advance(claimLeaseSeconds + 1);

    expect(await produce(changes)).toEqual({ application_message_id: "order-4711", status: "SENDING" });
    expect(sends).toHaveLength(1);
    expect(queued).toEqual([firstSend(startOfTest + 1.5 + claimLeaseSeconds)]);
  });

  test("after its deadline sends nothing and leaves its end to the resend worker", async () => {
    const { produce, sends, queued, advance } = application([dies]);
    await expect(produce({ validitySeconds: 300 })).rejects.toThrow("killed");
    advance(300);

    expect(await produce()).toMatchObject({ status: "SENDING" });
    expect(sends).toHaveLength(1);
    expect(queued).toEqual([firstSend(startOfTest + 300.5)]);
  });

  test("after a repeated send met a busy service keeps its mark", async () => {
    const { produce, sends, message, advance } = application([dies, throttled]);
    await expect(produce()).rejects.toThrow("killed");
    advance(claimLeaseSeconds + 1);
    await expect(produce()).rejects.toThrow("throttled");
    expect(message().attempts?.["0"]).toEqual({ possible_duplicate: true, repeats: 0 });
    advance(1);

    expect(await produce()).toMatchObject({ status: "SENT" });
    expect(sends).toHaveLength(3);
    expect(message().attempts?.["0"]).toMatchObject({ possible_duplicate: true, repeats: 1 });
  });

  test("twice at once, after its lease, sends once more", async () => {
    const { produce, sends, advance } = application([dies]);
    await expect(produce()).rejects.toThrow("killed");
    advance(claimLeaseSeconds + 1);

    const statuses = (await Promise.all([produce(), produce()])).map(({ status }) => status);

    expect(sends).toHaveLength(2);
    expect(statuses.filter((status) => status === "SENT" || status === "SENDING")).toHaveLength(2);
  });

  test("of a message that has been retried since is left to its retries", async () => {
    const { produce, sends, store, message } = application();
    await produce();
    store.items.set("order-4711", { ...message(), status: "SENDING", retry_count: 1, claim_expires_at: 0 });

    expect(await produce()).toMatchObject({ status: "SENDING" });
    expect(sends).toHaveLength(1);
  });

  test("of a message that the application wrote itself sends nothing", async () => {
    const { produce, sends, store } = application();
    store.items.set("order-4711", { application_message_id: "order-4711", message_body: "Hello." });

    expect(await produce()).toEqual({ application_message_id: "order-4711", status: "SENT" });
    expect(sends).toEqual([]);
  });

  test("of a message that is gone when it is looked at sends nothing", async () => {
    const { producing, sends } = application();
    const store = { ...producing.store, create: async () => false };

    expect(await produceMessage(request, { ...producing, store })).toEqual({
      application_message_id: "order-4711",
      status: "SENDING",
    });
    expect(sends).toEqual([]);
  });
});

describe("a message that the gate does not let through now", () => {
  const comesAt = startOfTest + 20;
  const answer = { application_message_id: "order-4711", status: "SENDING" };
  const waiting = firstSend(comesAt);

  test.each(["no-capacity", "breaker-closed", "paused"] as const)(
    "(%s) is left to the resend worker: written as a deferred first send, and queued",
    async (reason) => {
      const gate = closedGate(reason, comesAt - 0.7);
      const { produce, sends, queued, message, producing } = application([], { gate });

      expect(await produce({ senderId: "SHOP" })).toEqual(answer);

      expect(sends).toEqual([]);
      expect(message()).toEqual({
        application_message_id: "order-4711",
        message_body: "Your code is 493817.",
        sms_service: "pinpoint",
        destination_number: "+447700900123",
        message_type: "TRANSACTIONAL",
        sender_id: "SHOP",
        status: "SENDING",
        retry_count: 0,
        all_retries_failed: false,
        deadline: startOfTest + 600,
        expires_at: startOfTest + 600 + 4 * 86_400,
        created_at: startOfTest,
        claim_expires_at: comesAt,
        attempts: { "0": {} },
      });
      expect(queued).toEqual([waiting]);
      expect(producing.telemetry.counts).toEqual(
        { "no-capacity": {}, "breaker-closed": { SendBreakerClosed: 1 }, paused: { SendPaused: 1 } }[reason],
      );
    },
  );

  test("is sent once by the resend worker when its time comes, and not before", async () => {
    const { produce, message, producing } = application([], { gate: closedGate("paused", comesAt) });
    await produce();
    const it = world([message()]);

    const { message: retryMessage } = waiting;
    expect(await it.retryMessage(retryMessage)).toMatchObject({ outcome: "not-due", reason: "being-sent" });
    await it.retryMessage(retryMessage);
    await it.drain();

    expect(it.clock.now()).toBe(comesAt);
    expect(it.sends).toEqual([{ ...plainSend, secondsLeft: 580 }]);
    expect(it.message()).toMatchObject({ status: "SENT", retry_count: 0, pinpoint_message_id: "msg-1" });
    expect(it.message().attempts?.["0"]).not.toHaveProperty("possible_duplicate");
    expect(producing.telemetry.counts).toEqual({ SendPaused: 1 });
  });

  test("and whose id comes again meanwhile is answered alike, and stays as it is", async () => {
    const { produce, sends, queued, message } = application([], { gate: closedGate("paused", comesAt) });
    await produce();
    const before = structuredClone(message());

    expect(await produce({ body: "Another text." })).toEqual(answer);

    expect(sends).toEqual([]);
    expect(message()).toEqual(before);
    // The first entry may be lost; two of them send no more than one.
    expect(queued).toEqual([waiting, waiting]);
  });

  test("and does not get onto the queue is told as not taken; the same id again makes up for it", async () => {
    const gate = closedGate("no-capacity", comesAt);
    const { produce, sends, producing } = application([], { gate, queueTakes: false });

    await expect(produce()).rejects.toThrow(SendDeferredError);
    await expect(produce()).rejects.toThrow("(no-capacity)");
    expect(sends).toEqual([]);

    expect(await produceMessage(request, { ...producing, gate: openGate })).toEqual(answer);
    producing.clock.advance(20);
    expect(await produceMessage(request, { ...producing, gate: openGate })).toMatchObject({ status: "SENT" });
    expect(sends).toHaveLength(1);
  });

  test.each([
    ["that was sent", { status: "SENT", pinpoint_message_id: "msg-0" }],
    ["that has ended", { status: "EXPIRED" }],
    ["that is being retried", { status: "SENDING", retry_count: 1 }],
  ] as const)("%s already is answered as it is, and nothing is queued", async (_what, item) => {
    const { produce, store, queued, message } = application([], { gate: closedGate("paused", comesAt) });
    const existing = { application_message_id: "order-4711", retry_count: 0, ...item };
    store.items.set("order-4711", existing);

    expect(await produce()).toEqual({
      application_message_id: "order-4711",
      status: item.status,
      ...("pinpoint_message_id" in item && { pinpoint_message_id: "msg-0" }),
    });
    expect(queued).toEqual([]);
    expect(message()).toEqual(existing);
  });

  test("that was sent already has its receipt check queued again: its producer may have died", async () => {
    const policy = { receiptTimeoutSeconds: 300 };
    const { produce, producing, queued } = application([], { policy });
    await produce();
    const [check] = queued.splice(0);

    const again = await produceMessage(request, { ...producing, gate: closedGate("paused", comesAt) });

    expect(again.status).toBe("SENT");
    expect(queued).toEqual([check]);
    expect(check?.message.kind).toBe("receipt-check");
  });

  test("that has ended since has no receipt check queued", async () => {
    const { produce, store, message, queued } = application([], { policy: { receiptTimeoutSeconds: 300 } });
    await produce();
    store.items.set("order-4711", { ...message(), status: "DELIVERED" });
    queued.length = 0;

    expect((await produce()).status).toBe("DELIVERED");
    expect(queued).toEqual([]);
  });

  test("and whose producer died is left to the resend worker as well", async () => {
    const { produce, producing, queued, advance } = application([dies]);
    await expect(produce()).rejects.toThrow("killed");
    advance(claimLeaseSeconds + 1);

    const gate = closedGate("paused", comesAt);
    expect(await produceMessage(request, { ...producing, gate })).toEqual(answer);

    expect(queued).toEqual([waiting]);
  });

  test.each([
    ["to the second when its lease ends is left with the gate's time", 0.5, comesAt],
    [
      "before its lease ends is left with the lease's",
      0.49,
      Math.ceil(startOfTest + 0.5 + claimLeaseSeconds),
    ],
  ])("and whose producer died, %s", async (_what, later, dueAt) => {
    const { produce, producing, queued, advance } = application([dies]);
    await expect(produce()).rejects.toThrow("killed");
    advance(claimLeaseSeconds + later);

    await produceMessage(request, { ...producing, gate: closedGate("paused", comesAt) });

    expect(queued).toEqual([firstSend(dueAt)]);
  });

  test("comes with what it waits as, where the gate counts it", async () => {
    const { produce, queued } = application([], { gate: closedGate("no-capacity", comesAt, 0) });

    await produce();

    expect(queued).toEqual([{ ...waiting, message: { ...waiting.message, waits_as: 0 } }]);
  });

  test("because its claim took too long is given back, and left to the resend worker", async () => {
    const gate = gateOf((_identity, { parts }) => permitFor(parts, { departs: async () => false }));
    const { produce, producing, sends, queued, message } = application([], { gate });

    expect(await produce()).toEqual(answer);

    expect(sends).toEqual([]);
    expect(queued).toEqual([firstSend(startOfTest + 0.5)]);
    expect(message()).toMatchObject({ status_reason: "permit-missed", attempts: { "0": {} } });
    const noQueue = application([], { gate, queueTakes: false });
    await expect(noQueue.produce()).rejects.toThrow("(permit-missed)");
    producing.clock.advance(1);
    expect(await produceMessage(request, { ...producing, gate: openGate })).toMatchObject({ status: "SENT" });
  });
});

describe("a first send asks the gate", () => {
  test("before it is written: for its parts, ahead of retries, by its identity and deadline", async () => {
    const asked: unknown[] = [];
    const gate = gateOf((identity, permitRequest) => {
      asked.push([identity, permitRequest, store.items.size]);
      return permitFor(permitRequest.parts);
    });
    const { produce, store } = application([], { gate });

    await produce({ originationNumber: "+447700900999", body: "x".repeat(400), validitySeconds: 300 });
    store.items.clear();
    await produce({ senderId: "SHOP" });
    store.items.clear();
    await produce();

    const others = { isFirstSend: true, deadline: startOfTest + 600 };
    expect(asked).toEqual([
      ["+447700900999", { ...others, parts: 3, deadline: startOfTest + 300 }, 0],
      ["SHOP", { ...others, parts: 1 }, 0],
      ["any", { ...others, parts: 1 }, 0],
    ]);
  });
});

describe("a first send that is taken over", () => {
  test("asks the gate again for the text that is stored, which may be longer than the new one", async () => {
    const asked: number[] = [];
    const gate = gateOf((_identity, { parts }) => {
      asked.push(parts);
      return permitFor(parts);
    });
    const { produce, sends } = application([throttled], { gate });
    await expect(produce({ body: "x".repeat(400) })).rejects.toThrow("throttled");

    await produce();

    expect(asked).toEqual([3, 1, 3]);
    expect(sends.map(({ body }) => body.length)).toEqual([400, 400]);
  });

  test.each([
    ["whose body no service takes", { message_body: "x".repeat(1_601) }],
    ["whose lease holds", { claim_expires_at: startOfTest + 60 }],
  ])("and %s, asks no gate for it and leaves it to the resend worker", async (_what, changes) => {
    const asked: number[] = [];
    const gate = gateOf((_identity, { parts }) => {
      asked.push(parts);
      return permitFor(parts);
    });
    const { produce, store, message, sends, queued } = application([throttled], { gate });
    await expect(produce({ body: "x".repeat(400) })).rejects.toThrow("throttled");
    store.items.set("order-4711", { ...message(), ...changes });

    expect(await produce()).toMatchObject({ status: "SENDING" });

    expect(asked).toEqual([3, 1]);
    expect([sends.length, queued.length]).toEqual([1, 1]);
  });

  test("waits where the gate lets only the shorter text through now", async () => {
    const { produce, producing, sends, queued } = application([throttled]);
    await expect(produce({ body: "x".repeat(400) })).rejects.toThrow("throttled");
    const gate = gateOf((_identity, { parts }) =>
      parts === 1 ? permitFor(parts) : { kind: "no-permit", reason: "no-capacity", until: startOfTest + 20 },
    );

    expect(await produceMessage(request, { ...producing, gate })).toMatchObject({ status: "SENDING" });

    expect(sends).toHaveLength(1);
    expect(queued).toEqual([firstSend(startOfTest + 20)]);
  });
});

describe("a lost answer", () => {
  test("fault 60: of the service: resend has the message after the lease, and the claim stands", async () => {
    const { produce, sends, queued, message } = application([{ kind: "unconfirmed", reason: "timeout" }]);

    const results = [await produce(), await produce()];

    expect(results).toEqual(Array(2).fill({ application_message_id: "order-4711", status: "SENDING" }));
    expect(sends).toHaveLength(1);
    const leaseEndsAt = startOfTest + claimLeaseSeconds + 1;
    // The same id again cannot know whether the first entry got there; two of them send no more than one.
    expect(queued).toEqual([firstSend(leaseEndsAt), firstSend(leaseEndsAt)]);
    expect(message()).toMatchObject({
      status: "SENDING",
      claim_expires_at: leaseEndsAt,
      attempts: { "0": { claim_id: "id-1", claimed_at: startOfTest } },
    });
  });

  test("of the service, and no queue: the same id again sends once more after the lease", async () => {
    const lost: SendResult = { kind: "unconfirmed", reason: "timeout" };
    const { produce, sends, advance } = application([lost], { queueTakes: false });

    expect(await produce()).toMatchObject({ status: "SENDING" });
    advance(claimLeaseSeconds + 1);

    expect(await produce()).toMatchObject({ status: "SENT" });
    expect(sends).toHaveLength(2);
  });

  test("of the table: the producer knows its own item again and sends", async () => {
    const { producing, sends } = application();
    const store = {
      ...producing.store,
      // Written, not answered; the SDK's own repetition is refused.
      create: async (message: Message) => {
        await producing.store.create(message);
        return false;
      },
    };

    expect(await produceMessage(request, { ...producing, store })).toMatchObject({ status: "SENT" });
    expect(sends).toHaveLength(1);
  });
});

describe("a send that the service did not take", () => {
  test.each(["CANCELLED", "DELIVERED"] as const)(
    "and that became %s meanwhile is told as it is",
    async (status) => {
      const { produce, store, message } = application([
        () => {
          store.items.set("order-4711", { ...message(), status });
          return throttled;
        },
      ]);

      expect(await produce()).toEqual({ application_message_id: "order-4711", status });
    },
  );

  test("and whose item is gone is told as not taken", async () => {
    const { produce, store } = application([
      () => {
        store.items.clear();
        return throttled;
      },
    ]);

    await expect(produce()).rejects.toThrow("(superseded)");
    expect(store.items.size).toBe(0);
  });
});

test("a producer that was paused until its lease is nearly over defers its send", async () => {
  const { producing, sends, advance, produce, message } = application();
  const store = {
    ...producing.store,
    create: async (message: Message) => {
      const created = await producing.store.create(message);
      advance(claimLeaseSeconds - 19);
      return created;
    },
  };

  await expect(produceMessage(request, { ...producing, store })).rejects.toThrow("(lease-nearly-over)");
  expect(sends).toEqual([]);
  expect(message()).toMatchObject({ status_reason: "lease-nearly-over", attempts: { "0": {} } });

  await produce();
  expect(sends).toHaveLength(1);
});

test("the producer knows its own claim of a deferred send, whose answer was lost, and sends", async () => {
  const { produce, producing, sends, message } = application([{ kind: "deferred", reason: "throttled" }]);
  await expect(produce()).rejects.toThrow("invoke again");
  const { change } = producing.store;
  producing.store.change = async (id, given) => {
    await change(id, given);
    producing.store.change = change;
    // The SDK repeats the write, and it is refused by its own effect.
    return change(id, given);
  };
  expect(await produce()).toMatchObject({ status: "SENT" });
  expect(sends).toHaveLength(2);
  expect(message().attempts?.["0"]).not.toHaveProperty("possible_duplicate");
});

test("a receipt check that no queue takes is counted", async () => {
  const { produce, producing } = application([], {
    policy: { receiptTimeoutSeconds: 300 },
    queueTakes: false,
  });
  await produce();
  expect(producing.telemetry.counts).toEqual({ RetryMessageNotQueued: 1 });
});
