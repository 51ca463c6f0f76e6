/** A batch out of the retry queue: what has to come again, what follows, and what an operator sees of it. */

import { UnreadableMessageError } from "../../../functions/core/errors.ts";
import type { DeliveryEvent } from "../../../functions/core/events/delivery-event.ts";
import { eventKinds } from "../../../functions/core/events/statuses.ts";
import type { Message } from "../../../functions/core/message/message.ts";
import type { RetryPolicy } from "../../../functions/core/message/retry-policy.ts";
import { handleQueueMessages } from "../../../functions/core/processing/handle-queue-messages.ts";
import type { QueueMessage } from "../../../functions/core/queue/queue-messages.ts";
import { readQueueMessage } from "../../../functions/core/queue/queue-messages.ts";
import type { QueueEntry } from "../../../functions/core/queue/retry-queue.ts";
import type { GateReason } from "../../../functions/core/sending/gate/gate.ts";
import type { SendGate } from "../../../functions/core/sending/gate/send-gate.ts";
import { claimLeaseSeconds } from "../../../functions/core/sending/send-attempt.ts";
import type { DeferReason, SendResult } from "../../../functions/core/sending/sms-sender.ts";
import { failureEvent, retryPolicy, sentMessage, startOfTest } from "../../support/messages.ts";
import { closedGate, openGate } from "../../support/open-gate.ts";
import { recordedTelemetry } from "../../support/recorded-telemetry.ts";
import { routingBy, scriptedSender } from "../../support/scripted-sender.ts";
import { type StoreOnModel, storeOnModel } from "../../support/store-on-model.ts";

const now = startOfTest + 70;
const due = (changes: Partial<Message> = {}) =>
  sentMessage({ status: "RETRY_SCHEDULED", next_attempt_at: now, ...changes });
const claimed = (until: number, changes: Partial<Message> = {}) =>
  sentMessage({ status: "SENDING", retry_count: 1, claim_expires_at: until, ...changes });
const retryMessage = (id = "order-4711") =>
  JSON.stringify({ kind: "retry-message", application_message_id: id, attempt: 1 });
const receiptCheck = (attempt = 1) =>
  JSON.stringify({ kind: "receipt-check", application_message_id: "order-4711", attempt });
const waitingEvent = (secondsAgo: number) =>
  JSON.stringify({ kind: "waiting-event", first_seen_at: now - secondsAgo, event: failureEvent() });

/** Handles queue messages over these items; the service gives one answer to all. */
async function handle(
  bodies: readonly string[],
  items: Message[],
  options: {
    answer?: SendResult;
    takes?: (entry: QueueEntry) => boolean;
    guarantee?: "at-least-once" | "at-most-once";
    isShadow?: boolean;
    gate?: SendGate;
    send?: () => Promise<SendResult>;
    policy?: Partial<RetryPolicy>;
    /** When the batch is handled, epoch seconds. */
    at?: number;
    /** Breaks the store, or looks at it. */
    touch?: (store: StoreOnModel) => void;
  } = {},
) {
  const { answer = { kind: "accepted", messageId: "msg-1" }, takes = () => true } = options;
  const telemetry = recordedTelemetry();
  const store = storeOnModel(...items);
  options.touch?.(store);
  const policy = retryPolicy(options.policy);
  const puts: QueueEntry[][] = [];
  const sender = scriptedSender({ otherwise: options.send ?? answer });
  const shared = {
    store,
    clock: { now: () => options.at ?? now, sleep: () => new Promise<void>(setImmediate) },
    random: { next: () => 0.5, id: () => "claim-1" },
  };
  const redelivered = await handleQueueMessages(
    bodies.map((body, index) => ({ id: `m${index}`, body })),
    {
      resend: {
        ...shared,
        routing: routingBy(sender),
        gate: options.gate ?? openGate,
        policy,
        guarantee: options.guarantee ?? "at-least-once",
        isShadow: options.isShadow ?? false,
      },
      events: { ...shared, policy, recordsEveryDelivery: false, smsServices: new Set() },
      queue: {
        async put(entries) {
          puts.push([...entries]);
          return entries.map(takes);
        },
      },
      telemetry,
    },
  );
  return { redelivered, puts, sends: sender.sends, store, counts: telemetry.counts, lines: telemetry.lines };
}

const lost = "The outcome of a send was lost; the delivery guarantee decides what follows.";
const handled = "A retry message was handled.";

describe("a retry message is counted by its outcome, and logged without number and text", () => {
  const deferred = (reason: DeferReason): SendResult => ({
    kind: "deferred",
    reason,
  });
  const waits = (reason: GateReason) => ({ gate: closedGate(reason, now + 5) });
  type Row = [
    outcome: string,
    reason: string,
    counts: Record<string, number>,
    line: ["info" | "warn", string] | undefined,
    items: Message[],
    options?: Parameters<typeof handle>[2],
  ];
  test.each<Row>([
    ["sent", "due", { RetrySent: 1 }, ["info", handled], [due()]],
    [
      "shadowed",
      "shadow-mode",
      { RetryShadowed: 1, ShadowParts: 2 },
      ["info", handled],
      [due({ message_body: "x".repeat(161) })],
      { isShadow: true },
    ],
    [
      "sent",
      "due",
      { RetrySent: 1, EndUserMessagingSent: 1 },
      ["info", handled],
      [due({ sms_service: "end-user-messaging" })],
    ],
    [
      "sent-again",
      "outcome-unknown",
      { PossibleDuplicate: 1 },
      ["warn", lost],
      [claimed(now, { attempts: { "0": {}, "1": { claim_id: "claim-0" } } })],
    ],
    [
      "unconfirmed",
      "timeout",
      { SendUnconfirmed: 1 },
      ["warn", lost],
      [due()],
      { answer: { kind: "unconfirmed", reason: "timeout" } },
    ],
    [
      "awaiting-receipt",
      "outcome-unknown",
      { OutcomeUnknown: 1 },
      ["warn", lost],
      [claimed(now)],
      { guarantee: "at-most-once" },
    ],
    [
      "deferred",
      "throttled",
      { SendDeferred: 1 },
      ["info", handled],
      [due()],
      { answer: deferred("throttled") },
    ],
    [
      "deferred",
      "not-allowed",
      { SendDeferred: 1, SendBlocked: 1 },
      ["info", handled],
      [due()],
      { answer: deferred("not-allowed") },
    ],
    [
      "deferred",
      "spend-limit",
      { SendDeferred: 1, SendBlocked: 1 },
      ["info", handled],
      [due()],
      { answer: deferred("spend-limit") },
    ],
    [
      "deferred",
      "not-allowed:RESOURCE_NOT_ACTIVE",
      { SendDeferred: 1, SendBlocked: 1 },
      ["info", handled],
      [due()],
      { answer: deferred("not-allowed:RESOURCE_NOT_ACTIVE") },
    ],
    ...["identity-not-allowed:SENDER_ID_NOT_SUPPORTED", "destination-not-allowed:COUNTRY_NOT_ENABLED"].map(
      (reason): Row => [
        "deferred",
        reason,
        { SendDeferred: 1, SendBlockedForSome: 1 },
        ["info", handled],
        [due()],
        { answer: deferred(reason as DeferReason) },
      ],
    ),
    [
      "deferred",
      "unreachable",
      { SendDeferred: 1 },
      ["info", handled],
      [due()],
      { answer: deferred("unreachable") },
    ],
    [
      "opted-out",
      "OPT_OUT",
      { RecipientOptedOut: 1 },
      ["info", handled],
      [due()],
      { answer: { kind: "refused", optedOut: true, reason: "OPT_OUT" } },
    ],
    [
      "rejected",
      "body-too-long",
      { MessageRejected: 1 },
      ["info", handled],
      [due({ message_body: "x".repeat(1_601) })],
    ],
    ["expired", "deadline", { MessageExpired: 1 }, ["info", handled], [due({ deadline: now })]],
    ["not-due", "not-due", { RetryMessageNotDue: 1 }, undefined, [due({ next_attempt_at: now + 1 })]],
    ["not-due", "no-capacity", { RetryMessageNotDue: 1 }, undefined, [due()], waits("no-capacity")],
    [
      "not-due",
      "breaker-closed",
      { RetryMessageNotDue: 1, SendBreakerClosed: 1 },
      undefined,
      [due()],
      waits("breaker-closed"),
    ],
    ["not-due", "paused", { RetryMessageNotDue: 1, SendPaused: 1 }, undefined, [due()], waits("paused")],
    ["absorbed", "already-sent", { RetryMessageAbsorbed: 1 }, undefined, [sentMessage()]],
    ["absorbed", "message-gone", { RetryMessageAbsorbed: 1 }, undefined, []],
  ])("%s (%s)", async (...[outcome, reason, counts, line, items, options]: Row) => {
    const result = await handle([retryMessage()], items, options);

    expect(result.counts).toEqual(counts);
    const fields = { application_message_id: "order-4711", attempt: 1, outcome, reason };
    expect(result.lines).toEqual(line === undefined ? [] : [[...line, fields]]);
    expect(result.redelivered).toEqual([]);
  });
});

describe("an event that waits for its item", () => {
  test("is handled when the item is there, and its retry goes onto the queue", async () => {
    const { puts, counts, lines, redelivered, store } = await handle([waitingEvent(10)], [sentMessage()]);

    expect(counts).toEqual({ RetryScheduled: 1 });
    expect(lines).toEqual([
      [
        "info",
        "A delivery event changed a message.",
        {
          application_message_id: "order-4711",
          attempt: 0,
          outcome: "retry-scheduled",
          reason: "retryable-failure",
        },
      ],
    ]);
    expect(puts).toEqual([
      [
        {
          message: { kind: "retry-message", application_message_id: "order-4711", attempt: 1 },
          dueAt: store.items.get("order-4711")?.next_attempt_at,
        },
      ],
    ]);
    expect(redelivered).toEqual([]);
  });

  test("waits on, and is an orphan after five minutes", async () => {
    const waits = await handle([waitingEvent(299)], []);
    expect(waits.counts).toEqual({ EventWaiting: 1 });
    expect(waits.puts).toMatchObject([[{ dueAt: now + 1 }]]);
    expect(waits.lines).toEqual([]);

    const orphan = await handle([waitingEvent(300)], []);
    expect(orphan.counts).toEqual({ EventOrphaned: 1 });
    expect(orphan.puts).toEqual([]);
    expect(orphan.lines).toEqual([
      [
        "warn",
        "An event has no item in the table and was counted as an orphan; look when and where its item is written.",
        { application_message_id: "order-4711", attempt: 0, outcome: "orphaned", reason: "no-item" },
      ],
    ]);
  });
});

describe("a receipt check", () => {
  const lostAttempt = (outcomeAt: number, changes: Partial<Message> = {}) =>
    sentMessage({
      retry_count: 1,
      attempts: { "0": {}, "1": { claim_id: "claim-1", outcome: "UNCONFIRMED", outcome_at: outcomeAt } },
      ...changes,
    });
  const fields = { application_message_id: "order-4711", attempt: 1 };

  test.each<[string, string, Record<string, number>, Message, Partial<RetryPolicy>]>([
    ["retry-scheduled", "NO_RECEIPT", { RetryScheduled: 1 }, lostAttempt(now - 300), {}],
    ["repeat-due", "NO_RECEIPT", { RepeatDue: 1 }, lostAttempt(now - 300), { maxRetries: 1 }],
    ["expired", "NO_RECEIPT", { MessageExpired: 1 }, lostAttempt(now - 300, { deadline: now }), {}],
    [
      "exhausted",
      "NO_RECEIPT",
      { RetriesExhausted: 1 },
      lostAttempt(now - 300, { delivery_guarantee: "at-most-once" }),
      {},
    ],
    [
      "retries-off",
      "retries-off",
      { RetriesOff: 1 },
      lostAttempt(0, { attempts: { "1": { sent_at: now - 60 } } }),
      { maxRetries: 0, receiptTimeoutSeconds: 60 },
    ],
  ])("that finds none is counted, and by its outcome: %s", async (outcome, reason, counts, item, policy) => {
    const result = await handle([receiptCheck()], [item], { policy });

    expect(result.counts).toEqual({ ...counts, NoReceipt: 1 });
    expect(result.lines).toEqual([
      [
        "warn",
        "No event of an attempt has come in time; the delivery guarantee decides what follows.",
        { ...fields, outcome, reason },
      ],
    ]);
    expect(result.redelivered).toEqual([]);
  });

  test.each<[string, Record<string, number>, Message]>([
    ["not due yet", { RetryMessageNotDue: 1 }, lostAttempt(now - 299)],
    ["answered meanwhile", { RetryMessageAbsorbed: 1 }, sentMessage({ status: "DELIVERED" })],
  ])("%s is counted and not logged", async (_what, counts, item) => {
    const result = await handle([receiptCheck()], [item]);

    expect(result.counts).toEqual(counts);
    expect(result.lines).toEqual([]);
  });

  test("that schedules a retry puts its retry message on the queue", async () => {
    const { puts, sends } = await handle([receiptCheck()], [lostAttempt(now - 300)]);

    expect(puts).toEqual([
      [{ message: { kind: "retry-message", application_message_id: "order-4711", attempt: 2 }, dueAt: now }],
    ]);
    expect(sends).toEqual([]);
  });

  test("of an attempt that is being sent does what its retry message would", async () => {
    const item = claimed(now, { attempts: { "0": {}, "1": { claim_id: "claim-0" } } });
    const { counts, sends } = await handle([receiptCheck()], [item]);

    expect(counts).toEqual({ PossibleDuplicate: 1 });
    expect(sends).toHaveLength(1);
  });

  test("goes onto the queue after every send whose receipt has a time-out", async () => {
    const { puts } = await handle([retryMessage()], [due()], { policy: { receiptTimeoutSeconds: 600 } });

    expect(puts).toEqual([[{ message: JSON.parse(receiptCheck()), dueAt: now + 600 }]]);
  });
});

describe("a batch", () => {
  test("asks the queue for nothing where nothing follows", async () => {
    expect((await handle([retryMessage()], [due()])).puts).toEqual([]);
    expect((await handle([], [])).redelivered).toEqual([]);
  });

  test("puts all that follows at once; a message whose entry is not taken comes again, uncounted", async () => {
    const early = (id: string) => due({ application_message_id: id, next_attempt_at: now + 60 });
    const { puts, redelivered, counts } = await handle(
      [retryMessage("a"), retryMessage("gone"), retryMessage("b")],
      [early("a"), early("b")],
      { takes: ({ message }) => message.kind === "retry-message" && message.application_message_id === "b" },
    );

    expect(puts.map((entries) => entries.length)).toEqual([2]);
    expect(redelivered).toEqual(["m0"]);
    expect(counts).toEqual({ RetryMessageAbsorbed: 1, RetryMessageNotDue: 1 });
  });

  test("brings back what cannot be read or handled now, and says which, without its text", async () => {
    const { redelivered, puts, counts, lines } = await handle(["nonsense", retryMessage()], [due()], {
      send: async () => {
        throw Object.assign(new Error("+447700900123 is not reached"), { name: "NetworkingError" });
      },
    });

    expect(redelivered).toEqual(["m0"]);
    // Jitter over the upper half of two seconds; the chance here is in the middle.
    expect(puts).toEqual([
      [{ message: { ...JSON.parse(retryMessage()), failing_since: now }, dueAt: now + 2 }],
    ]);
    expect(counts).toEqual({ RetryMessageMalformed: 1, RetryMessageFailed: 1 });
    expect(lines).toEqual([
      [
        "error",
        "A retry-queue message cannot be read; look at it in the dead-letter queue, where the queue moves it.",
        { record_id: "m0" },
      ],
      [
        "error",
        "A retry-queue message could not be handled now, so it comes again; if that goes on, remove the cause.",
        { record_id: "m1", error: "NetworkingError" },
      ],
    ]);
  });

  test("whose common read fails reads each item, and handles it", async () => {
    const { counts, lines, redelivered } = await handle(
      [retryMessage("a"), retryMessage("b")],
      [due({ application_message_id: "a" }), due({ application_message_id: "b" })],
      {
        touch: (store) => {
          store.readMany = async () => {
            throw Object.assign(new Error("no answer"), { name: "TimeoutError" });
          };
        },
      },
    );

    expect(counts).toEqual({ RetrySent: 2 });
    expect(redelivered).toEqual([]);
    expect(lines[0]).toEqual([
      "warn",
      "The batch read failed; every message reads its own item.",
      { error: "TimeoutError" },
    ]);
  });

  test("reads the items of all its retry messages in one request, and of no other messages", async () => {
    const asked: (readonly string[])[] = [];
    let reads = 0;
    await handle(
      [retryMessage("a"), receiptCheck(), retryMessage("b"), waitingEvent(1), "nonsense"],
      [due({ application_message_id: "a" }), due({ application_message_id: "b" }), sentMessage()],
      {
        touch: (store) => {
          const { readMany, read } = store;
          store.readMany = (ids) => {
            asked.push(ids);
            return readMany(ids);
          };
          store.read = (id) => {
            reads += 1;
            return read(id);
          };
        },
      },
    );

    expect(asked).toEqual([["a", "b"]]);
    expect(reads).toBe(2);
  });

  test("has a hundred messages under way at once, the largest batch, so that they ask together", async () => {
    let underWay = 0;
    let most = 0;
    const ids = Array.from({ length: 125 }, (_, index) => `order-${index}`);
    const { sends } = await handle(
      ids.map(retryMessage),
      ids.map((id) => due({ application_message_id: id })),
      {
        send: async () => {
          underWay += 1;
          most = Math.max(most, underWay);
          await new Promise<void>((resolve) => setImmediate(resolve));
          underWay -= 1;
          return { kind: "accepted", messageId: "msg-1" };
        },
      },
    );
    expect(sends).toHaveLength(125);
    expect(most).toBe(100);
  });

  test("sends once more after a lease that ended this very second, not before", async () => {
    const before = await handle([retryMessage()], [claimed(now + claimLeaseSeconds)]);
    expect(before.sends).toEqual([]);
    expect(before.puts).toMatchObject([[{ dueAt: now + claimLeaseSeconds }]]);
  });
});

/** A store that no call reaches. */
function outOfReach(store: StoreOnModel): void {
  const fails = async (): Promise<never> => {
    throw Object.assign(new Error("connect ETIMEDOUT"), { name: "TimeoutError" });
  };
  Object.assign(store, { read: fails, readMany: fails, create: fails, change: fails });
}

describe("while the table is out of reach", () => {
  test.each([
    ["a retry message", retryMessage()],
    ["a receipt check", receiptCheck()],
    ["a waiting event", waitingEvent(1)],
  ])("fault 62: for two hours, nothing of %s is left to the queue's redelivery", async (_what, body) => {
    const message = JSON.parse(body) as QueueMessage;
    let next: QueueEntry = { message, dueAt: now };
    let rounds = 0;
    for (; next.dueAt < now + 7_200; rounds += 1) {
      const { puts, redelivered, counts } = await handle([JSON.stringify(next.message)], [], {
        at: next.dueAt,
        touch: outOfReach,
      });
      expect([redelivered, counts]).toEqual([[], { RetryMessageFailed: 1 }]);
      const before = next.dueAt;
      next = puts[0]?.[0] as QueueEntry;
      expect(next.message).toEqual({ ...message, failing_since: now });
      // As long again as it has failed, with jitter over the upper half: the chance here is in the middle.
      const longest = Math.min(Math.max(before - now, 2), 60);
      expect(next.dueAt - before).toBe(Math.ceil(longest * 0.75));
    }
    expect(rounds).toBeGreaterThan(160);
    expect(rounds).toBeLessThan(175);
  });

  test("a message that was failing and is handled goes on as if it had never failed", async () => {
    const failing = { ...JSON.parse(retryMessage()), failing_since: now - 7_200 };
    const { puts, counts, redelivered } = await handle(
      [JSON.stringify(failing)],
      [due({ next_attempt_at: now + 60 })],
    );

    expect(puts).toEqual([[{ message: JSON.parse(retryMessage()), dueAt: now + 60 }]]);
    expect(counts).toEqual({ RetryMessageNotDue: 1 });
    expect(redelivered).toEqual([]);
  });

  test.each([
    [2 * 86_400, []],
    [2 * 86_400 + 1, ["m0"]],
  ])("for %i s: only after two days it is for a person to look at", async (seconds, expected) => {
    const failing = { ...JSON.parse(retryMessage()), failing_since: now - seconds };
    const { redelivered, puts } = await handle([JSON.stringify(failing)], [], { touch: outOfReach });

    expect(redelivered).toEqual(expected);
    expect(puts).toHaveLength(expected.length === 0 ? 1 : 0);
  });

  test("and the queue too, the queue's own redelivery brings the message back", async () => {
    const { redelivered, counts } = await handle([retryMessage()], [], {
      touch: outOfReach,
      takes: () => false,
    });

    expect(redelivered).toEqual(["m0"]);
    expect(counts).toEqual({ RetryMessageFailed: 1 });
  });

  test.each([
    [0, 1],
    [20, 15],
    [60, 45],
    [3_600, 45],
  ])(
    "after %i s the wait is as long again, in whole seconds, and at most a minute",
    async (failing, wait) => {
      const message = { ...JSON.parse(retryMessage()), failing_since: now - failing };
      const { puts } = await handle([JSON.stringify(message)], [], { at: now + 0.3, touch: outOfReach });

      expect(puts).toMatchObject([[{ message: { failing_since: now - failing }, dueAt: now + wait + 1 }]]);
    },
  );
});

describe("what no waiting mends is left to the queue's redelivery, which keeps it at last", () => {
  test.each([
    ["UnreadableMessageError", new UnreadableMessageError(["attempts"])],
    ["TypeError", new TypeError("undefined is not a function")],
    ["RangeError", new RangeError("Maximum call stack size exceeded")],
  ])("a %s", async (_name, error) => {
    const { redelivered, puts } = await handle([retryMessage()], [due()], {
      send: async () => {
        throw error;
      },
    });

    expect(redelivered).toEqual(["m0"]);
    expect(puts).toEqual([]);
  });

  test.each([["{"], ["[]"], ["null"], ['{"kind":"retry-message"}'], ["[".repeat(10_000)]])(
    "a body that is no message of this system",
    async (body) => {
      const { redelivered, counts, puts } = await handle([body, retryMessage()], [due()]);

      expect(redelivered).toEqual(["m0"]);
      expect(counts).toEqual({ RetryMessageMalformed: 1, RetrySent: 1 });
      expect(puts).toEqual([]);
    },
  );
});

test("what the service had no room for in the context of a retry is counted", async () => {
  const answer = { kind: "accepted", messageId: "msg-1", contextLeftOut: 2 } as const;
  const { counts, redelivered } = await handle([retryMessage()], [due()], { answer });
  expect(redelivered).toEqual([]);
  expect(counts).toEqual({ RetrySent: 1, ContextLeftOut: 2 });
});

describe("messages of the retry queue", () => {
  // Every field of the type: a new one does not compile until it has a value here, and then it must come back.
  const everyField: Omit<Required<DeliveryEvent>, "kind"> = {
    format: "end-user-messaging",
    status: "TTL_EXPIRED",
    messageId: "msg-0",
    applicationMessageId: "order-4711",
    attempt: 1,
    destinationNumber: "+447700900123",
    messageType: "PROMOTIONAL",
    origination: "MYBRAND",
    ownContext: { shop: "berlin" },
    occurredAt: startOfTest,
    requestedAt: startOfTest - 1,
  };

  test.each(eventKinds)("hold an event of kind %s with all its fields", (kind) => {
    const message = { kind: "waiting-event", first_seen_at: 1.5, event: { ...everyField, kind } };
    expect(readQueueMessage(JSON.stringify(message))).toStrictEqual(message);
  });

  test.each<QueueMessage>([
    { kind: "retry-message", application_message_id: "a", attempt: 0 },
    {
      kind: "retry-message",
      application_message_id: "a",
      attempt: 5,
      deferrals: 2,
      failing_since: 1_795_435_200.5,
    },
    { kind: "receipt-check", application_message_id: "a", attempt: 0 },
    { kind: "receipt-check", application_message_id: "a", attempt: 3, failing_since: 1_795_435_200 },
  ])("are read as they were written: %j", (message) => {
    expect(readQueueMessage(JSON.stringify(message))).toStrictEqual(message);
  });

  test("keep since when an event is failing", () => {
    const event = { ...everyField, kind: "failure" };
    const message = { kind: "waiting-event", first_seen_at: 1, failing_since: 2, event };
    expect(readQueueMessage(JSON.stringify(message))).toStrictEqual(message);
  });

  test.each([
    ["of another kind", { kind: "reminder", application_message_id: "a", attempt: 1 }],
    ["for an attempt below the first", { kind: "retry-message", application_message_id: "a", attempt: -1 }],
    ["that check half an attempt", { kind: "receipt-check", application_message_id: "a", attempt: 0.5 }],
    ["that check nothing", { kind: "receipt-check", application_message_id: "", attempt: 1 }],
    [
      "failing since a word",
      { kind: "retry-message", application_message_id: "a", attempt: 1, failing_since: "yesterday" },
    ],
    ["for half an attempt", { kind: "retry-message", application_message_id: "a", attempt: 1.5 }],
    ["without an id", { kind: "retry-message", application_message_id: "", attempt: 1 }],
    [
      "with deferrals below none",
      { kind: "retry-message", application_message_id: "a", attempt: 1, deferrals: -1 },
    ],
    [
      "with an event of another event format",
      { kind: "waiting-event", first_seen_at: 1, event: { ...everyField, kind: "failure", format: "smpp" } },
    ],
    [
      "with an event that has an empty id",
      { kind: "waiting-event", first_seen_at: 1, event: { ...everyField, kind: "failure", messageId: "" } },
    ],
  ])("%s are no messages of this system", (_what, message) => {
    expect(readQueueMessage(JSON.stringify(message))).toBeUndefined();
  });
});

describe("fault 67: an item that is not as it should be", () => {
  test("and cannot be read is counted with its key; its message comes again, others are sent", async () => {
    const items = [due(), { application_message_id: "u", deadline: "soon" } as unknown as Message];
    const event = failureEvent({ applicationMessageId: "u" });
    const waiting = JSON.stringify({ kind: "waiting-event", first_seen_at: now, event });

    const { redelivered, sends, counts, lines } = await handle(
      [retryMessage("u"), waiting, retryMessage()],
      items,
    );

    expect(redelivered).toEqual(["m0", "m1"]);
    expect(sends).toHaveLength(1);
    expect(counts).toEqual({ ItemUnreadable: 2, RetrySent: 1 });
    const text =
      "An item cannot be read, so its message is not sent again; correct the attributes and what writes them.";
    const about = { application_message_id: "u", outcome: "item-unreadable", reason: "unreadable-item" };
    expect(lines.filter(([level]) => level === "error")).toEqual([
      ["error", text, { ...about, attempt: 1, attributes: ["deadline"] }],
      ["error", text, { ...about, attempt: 0, attributes: ["deadline"] }],
    ]);
  });

  test("because a newer version wrote it is left alone, counted, and does not come again", async () => {
    const item = { application_message_id: "n", status: "PAUSED" } as unknown as Message;
    const event = failureEvent({ applicationMessageId: "n" });
    const waiting = JSON.stringify({ kind: "waiting-event", first_seen_at: now, event });

    const { redelivered, sends, counts, store } = await handle([retryMessage("n"), waiting], [item]);

    expect(redelivered).toEqual([]);
    expect(sends).toEqual([]);
    expect(counts).toEqual({ ItemStatusUnknown: 2 });
    expect(store.items.get("n")).toEqual(item);
  });
});
