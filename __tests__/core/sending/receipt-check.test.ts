/** When an attempt without an event is looked at, and what becomes of it: the table in the docs of receipt-check.ts. */
import fc from "fast-check";
import { ContentionError } from "../../../functions/core/errors.ts";
import {
  type Attempt,
  isFinal,
  type Message,
  messageStatuses,
} from "../../../functions/core/message/message.ts";
import {
  checkReceipt,
  decideReceiptCheck,
  receiptCheckEntry,
  receiptDueAt,
} from "../../../functions/core/sending/receipt-check.ts";
import { retryPolicy, sentMessage, startOfTest } from "../../support/messages.ts";
import { storeOnModel } from "../../support/store-on-model.ts";
import { cellInWords, combinations, differences, documentedRows } from "../documented-table.ts";

const now = startOfTest;
const attempt = 2;
/** A deadline too far away to shorten a wait. */
const farAway = now + 86_400;

/** A message whose attempt 2 was claimed 60 s before `since` and is of unknown outcome from then on. */
const unconfirmed = (since: number, changes: Partial<Message> = {}, record: Attempt = {}) =>
  sentMessage({
    status: "SENT",
    status_reason: "outcome-unknown",
    retry_count: attempt,
    deadline: farAway,
    attempts: {
      "0": {},
      [attempt]: { claim_id: "claim-2", outcome: "UNCONFIRMED", outcome_at: since, ...record },
    },
    ...changes,
  });

/** A message whose attempt 2 the service has taken at `sentAt`. */
const accepted = (sentAt: number, changes: Partial<Message> = {}) =>
  sentMessage({
    status: "SENT",
    retry_count: attempt,
    deadline: farAway,
    attempts: { "0": {}, [attempt]: { claim_id: "claim-2", sent_at: sentAt, message_id: "msg-2" } },
    ...changes,
  });

describe("the receipt check of an attempt of unknown outcome is due", () => {
  const waitOf = (message: Message, policy: Parameters<typeof retryPolicy>[0] = {}) =>
    (receiptDueAt(message, retryPolicy(policy)) ?? Number.NaN) - now;

  test("when its next retry would be, at the earliest after a claim's lease", () => {
    const delays = { retryDelaysSeconds: [0, 30, 300, 900] };
    const of = (latest: number) =>
      waitOf(
        sentMessage({
          retry_count: latest,
          deadline: farAway,
          attempts: { [latest]: { outcome: "UNCONFIRMED", outcome_at: now } },
        }),
        delays,
      );
    expect([0, 1, 2, 3, 7].map(of)).toEqual([60, 60, 300, 900, 900]);
  });

  test("twice as long after each repetition but the first", () => {
    const of = (repeats: number) => waitOf(unconfirmed(now, {}, { repeats }));
    expect([0, 1, 2, 3, 4, 5].map(of)).toEqual([900, 900, 1_800, 3_600, 7_200, 14_400]);
  });

  test("in the middle of what is left, near the deadline, but never before a lease is over", () => {
    const of = (left: number) => waitOf(unconfirmed(now, { deadline: now + left }));
    expect([1_801, 1_800, 1_799, 600, 121, 120, 119, 60, 0, -10].map(of)).toEqual([
      900, 900, 900, 300, 61, 60, 60, 60, 60, 60,
    ]);
  });

  test("in the middle also after a repetition, where that is no shorter than the wait before", () => {
    const of = (left: number) => waitOf(unconfirmed(now, { deadline: now + left }, { repeats: 2 }));
    expect([3_601, 3_600, 3_598, 2_000, 1_800, 1_798].map(of)).toEqual([
      1_800, 1_800, 1_799, 1_000, 900, 1_678,
    ]);
  });

  test("also without a deadline, and where the table does not say since when", () => {
    const { deadline: _, ...endless } = unconfirmed(now);
    expect(waitOf(endless)).toBe(900);
    expect(
      receiptDueAt(
        sentMessage({ deadline: farAway, attempts: { "0": { outcome: "UNCONFIRMED" } } }),
        retryPolicy(),
      ),
    ).toBe(60);
  });

  test("whether receipts have a time-out or not: the same", () => {
    expect(waitOf(unconfirmed(now), { receiptTimeoutSeconds: 5 })).toBe(900);
  });

  test("before the deadline, so that there is a try in it, wherever two leases are left", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 121, max: 604_800 }),
        fc.nat(20),
        fc.integer({ min: 0, max: 86_400 }),
        (left, repeats, delay) => {
          const message = unconfirmed(now, { deadline: now + left }, { repeats });
          const wait = waitOf(message, { retryDelaysSeconds: [delay] });
          expect(wait).toBeGreaterThanOrEqual(60);
          expect(wait).toBeLessThanOrEqual(Math.max(Math.ceil(left / 2), left - 120));
          expect(Number.isInteger(wait)).toBe(true);
        },
      ),
    );
  });
});

test("an outage of a whole day costs few tries: no wait gets shorter, save the last two", () => {
  const policy = retryPolicy({ retryDelaysSeconds: [60, 300, 900], maxRetries: 0 });
  const waits: number[] = [];
  const deadline = now + 86_400;
  for (let at = now, repeats = 1; at < deadline; repeats += 1) {
    const due = receiptDueAt(unconfirmed(at, { deadline }, { repeats }), policy) ?? 0;
    waits.push(due - at);
    at = due + 60;
  }
  expect(waits.length).toBeLessThan(12);
  const growing = waits.slice(0, -2);
  expect(growing.toSorted((a, b) => a - b)).toEqual(growing);
});

describe("the receipt check of an accepted attempt", () => {
  const dueOf = (message: Message, receiptTimeoutSeconds: number) =>
    receiptDueAt(message, retryPolicy({ receiptTimeoutSeconds }));

  test("is due when its receipt is overdue, at the latest at the deadline, never before the send", () => {
    expect(dueOf(accepted(now), 3_600)).toBe(now + 3_600);
    expect(dueOf(accepted(now, { deadline: now + 3_599 }), 3_600)).toBe(now + 3_599);
    expect(dueOf(accepted(now, { deadline: now - 5 }), 3_600)).toBe(now);
    const { deadline: _, ...endless } = accepted(now);
    expect(dueOf(endless, 3_600)).toBe(now + 3_600);
  });

  test("is none where receipts have no time-out, or nobody knows when it was sent", () => {
    expect(dueOf(accepted(now), 0)).toBeUndefined();
    expect(dueOf(sentMessage({ attempts: { "0": { message_id: "msg-0" } } }), 60)).toBeUndefined();
    const { attempts: _, ...byTheApplication } = sentMessage();
    expect(dueOf(byTheApplication, 60)).toBeUndefined();
  });

  test("goes onto the queue as a pointer to the latest attempt", () => {
    expect(receiptCheckEntry(accepted(now), retryPolicy({ receiptTimeoutSeconds: 60 }))).toEqual({
      message: { kind: "receipt-check", application_message_id: "order-4711", attempt },
      dueAt: now + 60,
    });
    expect(receiptCheckEntry(accepted(now), retryPolicy())).toBeUndefined();
    expect(receiptCheckEntry(sentMessage({ attempts: {} }), retryPolicy())).toBeUndefined();
  });
});

const everyCombination = combinations({
  item: ["missing", "past expires_at", "there"],
  status: [undefined, ...messageStatuses],
  latest: [1, 2, 3],
  outcome: ["accepted", "accepted, nobody knows when", "unknown", "none came"],
  receiptTimeout: [0, 60],
  notRetried: [undefined, "retries-off", "shadow-mode"],
  time: ["not due", "due", "deadline passed", "due, no deadline"],
  content: ["sendable", "no body", "no number"],
  maxRetries: [0, 2, 3],
  guarantee: ["at-least-once", "at-most-once"],
  own: [undefined, "at-least-once", "at-most-once"],
});
type Facts = (typeof everyCombination)[number];

/** What the words of the table mean. */
const words: Record<string, (facts: Facts) => boolean> = {
  missing: ({ item }) => item === "missing",
  "past expires_at": ({ item }) => item === "past expires_at",
  "sequence over": ({ status }) => status !== undefined && isFinal(status),
  RETRY_SCHEDULED: ({ status }) => status === "RETRY_SCHEDULED",
  "another attempt is the latest": ({ latest }) => latest !== attempt,
  "this attempt is the latest": ({ latest }) => latest === attempt,
  "without a receipt": ({ outcome }) => outcome === "none came",
  SENDING: ({ status }) => status === "SENDING",
  accepted: ({ outcome }) => outcome !== "unknown",
  "unknown outcome": ({ outcome }) => outcome === "unknown",
  "no receipt time-out or nobody knows when": ({ receiptTimeout, outcome }) =>
    receiptTimeout === 0 || outcome === "accepted, nobody knows when" || outcome === "none came",
  // Only a failure leaves that reason.
  failed: ({ notRetried }) => notRetried !== undefined,
  "retries are off or only counted": ({ notRetried }) => notRetried !== undefined,
  "not due yet": ({ time }) => time === "not due",
  "deadline passed": ({ time }) => time === "deadline passed",
  "at-most-once": ({ guarantee, own }) => (own ?? guarantee) === "at-most-once",
  "max_retries is 0": ({ maxRetries }) => maxRetries === 0,
  "a retry is left": ({ maxRetries }) => attempt < maxRetries,
  "no retry left": ({ maxRetries }) => attempt >= maxRetries,
  "nothing to send": ({ content }) => content !== "sendable",
};

/** Seconds ago that the attempt was sent, or its outcome became unknown: its check is due since now, or not yet. */
const agoOf = ({ time }: Facts) => (time === "not due" ? 59 : 60);

function recordOf(outcome: Facts["outcome"], since: number): Attempt {
  switch (outcome) {
    case "accepted":
      return { claim_id: "claim-2", sent_at: since, message_id: "msg-2" };
    case "accepted, nobody knows when":
      return { message_id: "msg-2" };
    case "unknown":
      return { claim_id: "claim-2", outcome: "UNCONFIRMED", outcome_at: since };
    case "none came":
      return { claim_id: "claim-2", outcome: "NO_RECEIPT", outcome_at: since };
  }
}

function itemOf(facts: Facts): Message | undefined {
  if (facts.item === "missing") return undefined;
  const since = now - agoOf(facts);
  const { deadline: _, message_body: body, destination_number: number, status: __, ...bare } = sentMessage();
  return {
    ...bare,
    ...(facts.content !== "no body" && { message_body: body }),
    ...(facts.content !== "no number" && { destination_number: number }),
    ...(facts.status !== undefined && { status: facts.status }),
    ...(facts.notRetried !== undefined && { status_reason: facts.notRetried }),
    ...(facts.own !== undefined && { delivery_guarantee: facts.own }),
    ...(facts.time === "deadline passed" && { deadline: now }),
    ...((facts.time === "due" || facts.time === "not due") && { deadline: now + 61 }),
    retry_count: facts.latest,
    expires_at: facts.item === "there" ? now + 1 : now,
    attempts: {
      "0": {},
      [facts.latest]: recordOf(facts.outcome, since),
    },
  };
}

const policyOf = ({ maxRetries, receiptTimeout }: Facts) =>
  retryPolicy({ maxRetries, receiptTimeoutSeconds: receiptTimeout, retryDelaysSeconds: [60] });

describe("the table in the docs of receipt-check.ts", () => {
  const rows = documentedRows("receipt-check.ts").map(([item = "", action = "", reason]) => ({
    item,
    action,
    reason,
    fits: cellInWords(item, words),
  }));
  const rowOf = (facts: Facts) => rows.find(({ fits }) => fits(facts));

  test("is equal to the code for every combination, to the second of a deferral", () => {
    const differing = differences(
      everyCombination,
      (facts) => {
        const { action: text = "", reason } = rowOf(facts) ?? {};
        const action = /^[a-z]+/.exec(text)?.[0];
        return { action, reason, until: action === "defer" ? now + 1 : undefined };
      },
      (facts) => {
        const { guarantee } = facts;
        return decideReceiptCheck(itemOf(facts), attempt, now, { policy: policyOf(facts), guarantee });
      },
    );
    expect(differing.slice(0, 3)).toEqual([]);
  });

  test("has no row that no combination reaches", () => {
    const reached = new Set(everyCombination.map(rowOf));
    expect(rows.flatMap((row) => (reached.has(row) ? [] : [row.item]))).toEqual([]);
  });

  test("says of an attempt that nobody knows the time of that it was sent already", () => {
    const policy = retryPolicy({ receiptTimeoutSeconds: 60 });
    const item = { application_message_id: "order-4711", message_body: "Your order is on its way." };
    expect(decideReceiptCheck(item, 0, now, { policy, guarantee: "at-least-once" })).toEqual({
      action: "drop",
      reason: "already-sent",
    });
  });
});

describe("fault 61: a receipt check that is handled", () => {
  const check = { kind: "receipt-check", application_message_id: "order-4711", attempt } as const;

  /** Handles the check a fraction of a second into `now`. */
  async function handle(
    message: Message | undefined,
    options: {
      policy?: Parameters<typeof retryPolicy>[0];
      guarantee?: "at-least-once" | "at-most-once";
      /** What the first read finds. */
      readBefore?: Message;
    } = {},
  ) {
    const store = message === undefined ? storeOnModel() : storeOnModel(message);
    let before = options.readBefore;
    const read = async (id: string) => {
      const found = before ?? (await store.read(id));
      before = undefined;
      return found;
    };
    const handled = await checkReceipt(check, {
      store: { ...store, read },
      policy: retryPolicy({ receiptTimeoutSeconds: 60, ...options.policy }),
      guarantee: options.guarantee ?? "at-least-once",
      clock: { now: () => now + 0.5 },
    });
    return { handled, item: store.items.get("order-4711") };
  }
  const retryOf = (next: number) => ({
    message: { kind: "retry-message", application_message_id: "order-4711", attempt: next },
    dueAt: now,
  });

  test("schedules the next attempt for now, and its claim marks it", async () => {
    const { handled, item } = await handle(unconfirmed(now - 900));
    expect(handled).toEqual({
      outcome: "retry-scheduled",
      reason: "NO_RECEIPT",
      foundNone: true,
      entry: retryOf(3),
    });
    expect(item).toMatchObject({
      status: "RETRY_SCHEDULED",
      status_reason: "NO_RECEIPT",
      retry_count: 2,
      next_attempt_at: now,
      attempts: { "2": { outcome: "NO_RECEIPT", outcome_at: now, retry_scheduled_at: now } },
    });
  });

  test("that scheduled a retry whose message got lost queues it again, and changes nothing", async () => {
    const { item: scheduled } = await handle(unconfirmed(now - 900));
    const again = await handle({ ...(scheduled as unknown as Message), next_attempt_at: now + 7 });
    expect(again.handled).toEqual({
      outcome: "absorbed",
      reason: "already-scheduled",
      entry: { ...retryOf(3), dueAt: now + 7 },
    });
    expect(again.item).toEqual({ ...scheduled, next_attempt_at: now + 7 });

    const { next_attempt_at: _, ...bare } = scheduled as unknown as Message;
    expect((await handle(bare)).handled).toMatchObject({ entry: { dueAt: now } });
  });

  test("gives a message without a deadline one, from its creation on", async () => {
    const { deadline: _, expires_at: __, ...endless } = accepted(now - 60, { created_at: now - 100 });
    const { item } = await handle(endless);
    expect(item).toMatchObject({ deadline: now - 100 + 86_400, expires_at: now - 100 + 5 * 86_400 });

    const { created_at: ___, ...bare } = endless;
    expect((await handle(bare)).item).toMatchObject({ deadline: now + 86_400 });
  });

  test("of a worker that stood still while another repeated the attempt changes nothing", async () => {
    const repeated = accepted(now - 10);
    const attempts = { "0": {}, [attempt]: { claim_id: "claim-3", sent_at: now - 10, message_id: "msg-3" } };
    const { handled, item } = await handle(
      { ...repeated, attempts },
      { policy: { maxRetries: 2, receiptTimeoutSeconds: 0 }, readBefore: unconfirmed(now - 900) },
    );
    expect(handled).toEqual({ outcome: "absorbed", reason: "already-sent" });
    expect(item).toMatchObject({ status: "SENT", attempts });
  });

  test("makes the last attempt due once more, without its claim", async () => {
    const { handled, item } = await handle(unconfirmed(now - 900), { policy: { maxRetries: 2 } });
    expect(handled).toEqual({
      outcome: "repeat-due",
      reason: "NO_RECEIPT",
      foundNone: true,
      entry: retryOf(2),
    });
    expect(item).toMatchObject({ status: "SENDING", retry_count: 2, claim_expires_at: now });
    expect((item as unknown as Message).attempts?.["2"]).not.toHaveProperty("claim_id");
  });

  test.each<
    [string, Message, Parameters<typeof handle>[1], Record<string, unknown>, Record<string, unknown>]
  >([
    [
      "ends at the deadline",
      accepted(now - 60, { deadline: now }),
      {},
      { outcome: "expired", reason: "NO_RECEIPT" },
      { status: "EXPIRED", status_reason: "NO_RECEIPT" },
    ],
    [
      "ends at most once",
      unconfirmed(now - 900),
      { guarantee: "at-most-once" },
      { outcome: "exhausted", reason: "NO_RECEIPT" },
      { status: "EXHAUSTED", status_reason: "NO_RECEIPT", all_retries_failed: true },
    ],
    [
      "ends after the last retry",
      accepted(now - 60),
      { policy: { maxRetries: 2 } },
      { outcome: "exhausted", reason: "NO_RECEIPT" },
      { status: "EXHAUSTED", status_reason: "NO_RECEIPT", all_retries_failed: true },
    ],
    [
      "does not end where retries are off",
      accepted(now - 60, { all_retries_failed: false }),
      { policy: { maxRetries: 0 } },
      { outcome: "retries-off", reason: "retries-off" },
      { status: "SENT", status_reason: "retries-off", all_retries_failed: false },
    ],
  ])("%s, and notes that no receipt came", async (_what, message, options, result, becomes) => {
    const { handled, item } = await handle(message, options);
    expect(handled).toEqual({ ...result, foundNone: true });
    expect(item).toMatchObject({ ...becomes, attempts: { "2": { outcome: "NO_RECEIPT", outcome_at: now } } });
  });

  test("ends a message that has nothing to send", async () => {
    const { message_body: _, ...empty } = accepted(now - 60);
    const { handled, item } = await handle(empty);
    expect(handled).toEqual({ outcome: "rejected", reason: "nothing-to-send", foundNone: true });
    expect(item).toMatchObject({ status: "REJECTED", status_reason: "nothing-to-send" });
  });

  test("comes again where it is early, and changes nothing", async () => {
    const message = accepted(now - 30);
    const { handled, item } = await handle(message);
    expect(handled).toEqual({
      outcome: "not-due",
      reason: "not-due",
      entry: { message: check, dueAt: now + 30 },
    });
    expect(item).toEqual(message);
  });

  test("stands for a retry message while the attempt is being sent", async () => {
    const sending = accepted(now - 60, { status: "SENDING", claim_expires_at: now + 30 });
    expect((await handle(sending)).handled).toBe("resend");
  });

  test.each([
    ["message-gone", undefined],
    ["sequence-over", accepted(now - 60, { status: "DELIVERED" })],
    ["superseded-attempt", accepted(now - 60, { retry_count: 3 })],
  ])("has nothing to do (%s)", async (reason, message) => {
    const { handled, item } = await handle(message);
    expect(handled).toEqual({ outcome: "absorbed", reason });
    expect(item).toEqual(message);
  });

  test("twice leads to one retry", async () => {
    const store = storeOnModel(unconfirmed(now - 900));
    const checking = {
      store,
      policy: retryPolicy(),
      guarantee: "at-least-once" as const,
      clock: { now: () => now },
    };
    const results = await Promise.all([checkReceipt(check, checking), checkReceipt(check, checking)]);
    const outcomes = results.map((result) => (result === "resend" ? result : result.outcome));
    expect(outcomes.sort()).toEqual(["absorbed", "retry-scheduled"]);
  });

  test("decides again by the item where an event came in between, and gives up after six times", async () => {
    const store = storeOnModel(unconfirmed(now - 900));
    const checking = {
      store,
      policy: retryPolicy(),
      guarantee: "at-least-once" as const,
      clock: { now: () => now },
    };
    const { change } = store;
    store.change = async (id, given) => {
      store.items.set(id, { ...store.items.get(id), status: "DELIVERED" });
      return change(id, given);
    };
    expect(await checkReceipt(check, checking)).toEqual({ outcome: "absorbed", reason: "sequence-over" });

    store.items.set("order-4711", { ...unconfirmed(now - 900) });
    let changes = 0;
    store.change = async (id) => {
      changes += 1;
      return { applied: false, current: await store.read(id) };
    };
    await expect(checkReceipt(check, checking)).rejects.toThrow(ContentionError);
    expect(changes).toBe(6);
  });
});
