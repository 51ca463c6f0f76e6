/** A batch out of the retry queue: what has to come again, what follows, and what an operator sees of it. */
import { handleQueueMessages } from "../../functions/core/handle-queue-messages.ts";
import type { Message } from "../../functions/core/message.ts";
import { readQueueMessage } from "../../functions/core/queue-messages.ts";
import { claimLeaseSeconds } from "../../functions/core/resend-message.ts";
import type { QueueEntry } from "../../functions/core/retry-queue.ts";
import type { SendRequest, SendResult } from "../../functions/core/sms-sender.ts";
import { inMemoryMessageStore } from "../support/in-memory-message-store.ts";
import { failureEvent, retryPolicy, sentMessage, startOfTest } from "../support/messages.ts";
import { recordedTelemetry } from "../support/recorded-telemetry.ts";
import { unpaced } from "../support/unpaced.ts";

const now = startOfTest + 70;
const due = (changes: Partial<Message> = {}) =>
  sentMessage({ status: "RETRY_SCHEDULED", next_attempt_at: now, ...changes });
const claimed = (until: number, changes: Partial<Message> = {}) =>
  sentMessage({ status: "SENDING", retry_count: 1, claim_expires_at: until, ...changes });
const wakeUp = (id = "order-4711") =>
  JSON.stringify({ kind: "wake-up", application_message_id: id, attempt: 1 });
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
    hasTurns?: boolean;
    send?: () => Promise<SendResult>;
  } = {},
) {
  const { answer = { kind: "accepted", messageId: "msg-1" }, takes = () => true } = options;
  const telemetry = recordedTelemetry();
  const store = inMemoryMessageStore(...items);
  const puts: QueueEntry[][] = [];
  const sends: SendRequest[] = [];
  const shared = {
    store,
    clock: { now: () => now, sleep: async () => {} },
    random: { next: () => 0.5, id: () => "claim-1" },
  };
  const redelivered = await handleQueueMessages(
    bodies.map((body, index) => ({ id: `m${index}`, body })),
    {
      resending: {
        ...shared,
        sender: {
          leastSecondsLeft: 0,
          async send(request) {
            sends.push(request);
            return options.send === undefined ? answer : options.send();
          },
        },
        pace: options.hasTurns === false ? { queueUp: async () => undefined } : unpaced,
        guarantee: options.guarantee ?? "at-least-once",
      },
      events: { ...shared, policy: retryPolicy(), recordsEveryDelivery: false },
      queue: {
        async put(entries) {
          puts.push([...entries]);
          return entries.map(takes);
        },
      },
      telemetry,
    },
  );
  return { redelivered, puts, sends, store, counts: telemetry.counts, lines: telemetry.lines };
}

const lost = "The outcome of a send was lost; the delivery guarantee decides what follows.";
const handled = "A wake-up was handled.";

describe("a wake-up is counted by its outcome, and logged without number and text", () => {
  const deferred = (reason: "throttled" | "not-allowed" | "spend-limit"): SendResult => ({
    kind: "deferred",
    reason,
  });
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
    ["sent-again", "lease-over", { PossibleDuplicate: 1 }, ["warn", lost], [claimed(now)]],
    [
      "unconfirmed",
      "timeout",
      { SendUnconfirmed: 1 },
      ["warn", lost],
      [due()],
      { answer: { kind: "unconfirmed", reason: "timeout" } },
    ],
    [
      "given-up",
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
      "rejected",
      "NO_ORIGINATION_IDENTITIES_FOUND",
      { MessageRejected: 1, SendBlocked: 1 },
      ["info", handled],
      [due()],
      { answer: { kind: "refused", optedOut: false, reason: "NO_ORIGINATION_IDENTITIES_FOUND" } },
    ],
    [
      "opted-out",
      "OPT_OUT",
      { RecipientOptedOut: 1 },
      ["info", handled],
      [due()],
      { answer: { kind: "refused", optedOut: true, reason: "OPT_OUT" } },
    ],
    ["expired", "deadline", { MessageExpired: 1 }, ["info", handled], [due({ deadline: now })]],
    ["postponed", "not-due", { WakeUpPostponed: 1 }, undefined, [due({ next_attempt_at: now + 1 })]],
    ["postponed", "no-turn", { WakeUpPostponed: 1 }, undefined, [due()], { hasTurns: false }],
    ["absorbed", "already-sent", { WakeUpAbsorbed: 1 }, undefined, [sentMessage()]],
    ["absorbed", "message-gone", { WakeUpAbsorbed: 1 }, undefined, []],
  ])("%s (%s)", async (...[outcome, reason, counts, line, items, options]: Row) => {
    const result = await handle([wakeUp()], items, options);

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
          message: { kind: "wake-up", application_message_id: "order-4711", attempt: 1 },
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
        "An event has no item in the table and was counted as an orphan.",
        { application_message_id: "order-4711", attempt: 0, outcome: "orphaned", reason: "no-item" },
      ],
    ]);
  });
});

describe("a batch", () => {
  test("asks the queue for nothing where nothing follows", async () => {
    expect((await handle([wakeUp()], [due()])).puts).toEqual([]);
    expect((await handle([], [])).redelivered).toEqual([]);
  });

  test("puts all that follows at once; a message whose entry is not taken comes again, uncounted", async () => {
    const early = (id: string) => due({ application_message_id: id, next_attempt_at: now + 60 });
    const { puts, redelivered, counts } = await handle(
      [wakeUp("a"), wakeUp("gone"), wakeUp("b")],
      [early("a"), early("b")],
      { takes: ({ message }) => message.kind === "wake-up" && message.application_message_id === "b" },
    );

    expect(puts.map((entries) => entries.length)).toEqual([2]);
    expect(redelivered).toEqual(["m0"]);
    expect(counts).toEqual({ WakeUpAbsorbed: 1, WakeUpPostponed: 1 });
  });

  test("brings back what cannot be read or handled now, and says which, without its text", async () => {
    const { redelivered, counts, lines } = await handle(["nonsense", wakeUp()], [due()], {
      send: async () => {
        throw Object.assign(new Error("+447700900123 is not reached"), { name: "NetworkingError" });
      },
    });

    expect(redelivered).toEqual(["m0", "m1"]);
    expect(counts).toEqual({ WakeUpMalformed: 1, WakeUpFailed: 1 });
    expect(lines).toEqual([
      ["error", "A retry-queue message is none of ours; it goes to the dead letters.", { record_id: "m0" }],
      [
        "error",
        "A retry-queue message could not be handled now; it comes again.",
        { record_id: "m1", error: "NetworkingError" },
      ],
    ]);
  });

  test("has at most ten messages under way at once", async () => {
    let underWay = 0;
    let most = 0;
    const ids = Array.from({ length: 25 }, (_, index) => `order-${index}`);
    const { sends } = await handle(
      ids.map(wakeUp),
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
    expect(sends).toHaveLength(25);
    expect(most).toBe(10);
  });

  test("sends once more after a lease that ended this very second, not before", async () => {
    const before = await handle([wakeUp()], [claimed(now + claimLeaseSeconds)]);
    expect(before.sends).toEqual([]);
    expect(before.puts).toMatchObject([[{ dueAt: now + claimLeaseSeconds }]]);
  });
});

describe("messages of the retry queue", () => {
  const everyField = {
    dialect: "end-user-messaging",
    status: "TTL_EXPIRED",
    messageId: "msg-0",
    applicationMessageId: "order-4711",
    attempt: 1,
    destinationNumber: "+447700900123",
    messageType: "PROMOTIONAL",
    occurredAt: startOfTest,
    requestedAt: startOfTest - 1,
  };

  test.each(["in-progress", "success", "failure", "opt-out", "unrecognised"])(
    "hold an event of kind %s with all its fields",
    (kind) => {
      const message = { kind: "waiting-event", first_seen_at: 1.5, event: { ...everyField, kind } };
      expect(readQueueMessage(JSON.stringify(message))).toStrictEqual(message);
    },
  );

  test.each([
    ["of another kind", { kind: "reminder", application_message_id: "a", attempt: 1 }],
    ["for the first send", { kind: "wake-up", application_message_id: "a", attempt: 0 }],
    ["for half an attempt", { kind: "wake-up", application_message_id: "a", attempt: 1.5 }],
    ["without an id", { kind: "wake-up", application_message_id: "", attempt: 1 }],
    [
      "with deferrals below none",
      { kind: "wake-up", application_message_id: "a", attempt: 1, deferrals: -1 },
    ],
    [
      "with an event of another dialect",
      { kind: "waiting-event", first_seen_at: 1, event: { ...everyField, kind: "failure", dialect: "smpp" } },
    ],
    [
      "with an event that has an empty id",
      { kind: "waiting-event", first_seen_at: 1, event: { ...everyField, kind: "failure", messageId: "" } },
    ],
  ])("%s are none of ours", (_what, message) => {
    expect(readQueueMessage(JSON.stringify(message))).toBeUndefined();
  });
});

describe("fault 67: an item that is not as it should be", () => {
  test("and cannot be read is counted with its key; its message goes to the dead letters, its neighbour is sent", async () => {
    const items = [due(), { application_message_id: "u", deadline: "soon" } as unknown as Message];
    const event = failureEvent({ applicationMessageId: "u" });
    const waiting = JSON.stringify({ kind: "waiting-event", first_seen_at: now, event });

    const { redelivered, sends, counts, lines } = await handle([wakeUp("u"), waiting, wakeUp()], items);

    expect(redelivered).toEqual(["m0", "m1"]);
    expect(sends).toHaveLength(1);
    expect(counts).toEqual({ ItemUnreadable: 2, RetrySent: 1 });
    const text = "An item cannot be read, so its message is not sent again.";
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

    const { redelivered, sends, counts, store } = await handle([wakeUp("n"), waiting], [item]);

    expect(redelivered).toEqual([]);
    expect(sends).toEqual([]);
    expect(counts).toEqual({ ItemStatusUnknown: 2 });
    expect(store.items.get("n")).toEqual(item);
  });
});
