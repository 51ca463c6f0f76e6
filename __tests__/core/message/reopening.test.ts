/** What becomes of a resend: the table in the docs of reopening.ts, and what may happen between its read and its write. */
import { ContentionError } from "../../../functions/core/errors.ts";
import { highestMaxRetries } from "../../../functions/core/events/send-context.ts";
import { isFinal, type Message, messageStatuses } from "../../../functions/core/message/message.ts";
import { longestBodyCharacters } from "../../../functions/core/message/message-parts.ts";
import type { MessageStore } from "../../../functions/core/message/message-store.ts";
import { decideReopening, type Reopened, reopenMessage } from "../../../functions/core/message/reopening.ts";
import { failureEvent, retryPolicy, sentMessage, startOfTest, successEvent } from "../../support/messages.ts";
import { writtenAfter } from "../../support/store-on-model.ts";
import { type World, type WorldOptions, world } from "../../support/world.ts";
import { cellInWords, combinations, differences, documentedRows } from "../documented-table.ts";

const policy = retryPolicy();
const now = startOfTest + 3_600;
const tooLong = "x".repeat(longestBodyCharacters + 1);
const bodies = { none: undefined, short: "Your code is 493817.", "too long": tooLong, empty: "" } as const;

const everyCombination = combinations({
  item: ["missing", "past expires_at", "there"],
  status: [undefined, ...messageStatuses],
  reason: ["UNREACHABLE", "retries-off", "shadow-mode"],
  wasResent: [true, false],
  age: ["unknown", "deadline left", "deadline passed", "created", "created long ago"],
  latest: [0, highestMaxRetries],
  hasNumber: [true, false],
  stored: ["none", "short", "too long"],
  given: ["none", "short", "too long", "empty"],
});
type Facts = (typeof everyCombination)[number];

const is =
  (...statuses: Facts["status"][]) =>
  ({ status }: Facts) =>
    statuses.includes(status);
const isPassed = ({ age }: Facts) => age === "deadline passed" || age === "created long ago";

/** What the words of the table mean. */
const words: Record<string, (facts: Facts) => boolean> = {
  missing: ({ item }) => item === "missing",
  "past expires_at": ({ item }) => item === "past expires_at",
  DELIVERED: is("DELIVERED"),
  OPTED_OUT: is("OPTED_OUT"),
  CANCELLED: is("CANCELLED"),
  RETRY_SCHEDULED: is("RETRY_SCHEDULED"),
  "resent before": ({ wasResent }) => wasResent,
  "not claimed since": ({ wasResent }) => wasResent,
  open: ({ status }) => status === undefined || !isFinal(status),
  "not one whose failure is not retried": ({ status, reason }) =>
    !((status ?? "SENT") === "SENT" && reason !== "UNREACHABLE"),
  "no time that tells its age": ({ age }) => age === "unknown",
  "deadline passed": isPassed,
  "the highest attempt was made": ({ latest }) => latest === highestMaxRetries,
  "no number": ({ hasNumber }) => !hasNumber,
  "a body": ({ stored }) => stored !== "none",
  "another one is given": ({ given }) => given !== "none",
  "no body": ({ stored }) => stored === "none",
  "none is given": ({ given }) => given === "none" || given === "empty",
  "body too long": ({ stored, given }) => stored === "too long" || given === "too long",
  "anything else": () => true,
};

function itemOf({
  item,
  status,
  reason,
  wasResent,
  age,
  latest,
  hasNumber,
  stored,
}: Facts): Message | undefined {
  if (item === "missing") return undefined;
  const { status: _, deadline: __, created_at: ___, ...rest } = sentMessage();
  const { message_body: ____, destination_number: _____, ...bare } = rest;
  const body = bodies[stored];
  return {
    ...bare,
    status_reason: reason,
    retry_count: latest,
    expires_at: item === "there" ? now + 1 : now,
    ...(status !== undefined && { status }),
    ...(age === "deadline left" && { deadline: now + 1 }),
    ...(age === "deadline passed" && { deadline: now }),
    ...(age === "created" && { created_at: now - 86_400 + 1 }),
    ...(age === "created long ago" && { created_at: now - 86_400 }),
    ...(hasNumber && { destination_number: "+447700900123" }),
    ...(body !== undefined && { message_body: body }),
    attempts: { [latest]: wasResent ? { resent_at: now - 1, resend_reason: "again" } : {} },
  };
}

test("the table in the docs of reopening.ts is equal to the code for every combination of facts", () => {
  const rows = documentedRows("reopening.ts").map(([cell = "", action, reason]) => ({
    fits: cellInWords(cell, words),
    action,
    reason,
  }));
  const reached = new Set<unknown>();
  const byTable = (facts: Facts) => {
    const row = rows.find(({ fits }) => fits(facts));
    reached.add(row);
    return { action: row?.action, reason: row?.reason };
  };
  const byCode = (facts: Facts) => {
    const body = bodies[facts.given];
    return decideReopening(itemOf(facts), { now, policy, ...(body !== undefined && { body }) });
  };

  expect(differences(everyCombination, byTable, byCode)).toEqual([]);
  expect(rows.filter((row) => !reached.has(row))).toEqual([]);
});

const body = "Your code is 493817.";
const reason = "the carrier is back";
const id = "order-4711";

interface ResendOptions {
  readonly store?: MessageStore;
  /** null = none is given. */
  readonly text?: string | null;
}

/** Resends the world's message as an operator does, and puts the retry message on the queue. */
async function resend(it: World, { store = it.store, text = body }: ResendOptions = {}): Promise<Reopened> {
  const request = { id, reason, ...(text !== null && { body: text }) };
  const reopened = await reopenMessage(request, { store, clock: it.clock, policy });
  if (reopened.kind !== "refused") {
    const message = { kind: "retry-message", application_message_id: id, attempt: reopened.attempt } as const;
    it.queue.push({ message, dueAt: reopened.dueAt });
  }
  return reopened;
}

const failureOf = (attempt: number) => failureEvent({ attempt, messageId: `msg-${attempt}` });

/** A world whose message has ended because its last retry failed. */
async function exhausted(options: WorldOptions = {}): Promise<World> {
  const it = world([sentMessage()], { policy: { maxRetries: 1 }, ...options });
  await it.event(failureEvent());
  await it.drain();
  await it.event(failureOf(1));
  return it;
}

describe("an ended message that is resent", () => {
  test("leaves at once as its next attempt, and keeps the reason", async () => {
    const it = await exhausted();

    const reopened = await resend(it);

    expect(reopened).toMatchObject({ kind: "reopened", attempt: 2, dueAt: Math.floor(it.clock.now()) });
    await it.drain();
    expect(it.sends.map(({ context }) => context.retry_attempt)).toEqual(["1", "2"]);
    expect(it.sends[1]?.body).toBe(body);
    expect(it.message()).toMatchObject({
      status: "SENT",
      retry_count: 2,
      all_retries_failed: false,
      attempts: { "1": { resend_reason: reason, resent_at: Math.floor(it.clock.now()) } },
    });
    expect(it.message()).not.toHaveProperty("ended_at");
  });

  test("has as many retries as any other, with delays and identities from the first on", async () => {
    const options = {
      policy: { maxRetries: 2, retryDelaysSeconds: [60, 300] },
      routing: { identities: ["+447700900551", "+447700900552"] },
    };
    const it = world([sentMessage()], options);
    for (const attempt of [0, 1, 2]) {
      await it.event(failureOf(attempt));
      await it.drain();
    }
    expect(it.message()).toMatchObject({ status: "EXHAUSTED", retry_count: 2 });

    await resend(it);
    await it.drain();
    const resentAt = it.clock.now();
    await it.event(failureOf(3));
    // The resend was the first of the new sequence: now comes the second, after the second delay.
    expect(it.message()).toMatchObject({ status: "RETRY_SCHEDULED", next_attempt_at: resentAt + 300 });
    await it.drain();
    await it.event(failureOf(4));

    expect(it.message()).toMatchObject({ status: "EXHAUSTED", retry_count: 4, all_retries_failed: true });
    expect(it.message()).not.toHaveProperty("message_body");
    expect(it.sends.map(({ originationNumber }) => originationNumber?.slice(-1))).toEqual([
      "1",
      "2",
      "1",
      "2",
    ]);
  });

  test("has no retry beyond the highest number that an event can name", async () => {
    const { message_body: _, ...ended } = sentMessage({
      status: "EXHAUSTED",
      retry_count: highestMaxRetries - 1,
    });
    const it = world([{ ...ended, attempts: {} }]);
    await resend(it);
    await it.drain();
    await it.event(failureOf(highestMaxRetries));
    expect(it.message()).toMatchObject({ status: "EXHAUSTED", retry_count: highestMaxRetries });
  });

  test.each([
    ["retries are off", { policy: { maxRetries: 0 } }, "retries-off"],
    ["the deployment only counts", { isShadow: true }, "shadow-mode"],
  ])("is not sent where %s", async (_why, options, status_reason) => {
    const it = world([sentMessage({ status: "EXHAUSTED" })], options);
    await resend(it, { text: null });
    await it.drain();
    expect(it.sends).toEqual([]);
    expect(it.message()).toMatchObject({ status: "SENT", status_reason });
  });

  test("is resent again after its new retry sequence has ended", async () => {
    const it = await exhausted();
    await resend(it);
    await it.drain();
    await it.event(failureOf(2));

    expect(await resend(it)).toMatchObject({ kind: "reopened", attempt: 3 });
    await it.drain();
    expect(it.sends).toHaveLength(3);
    expect(it.message().attempts).toMatchObject({
      "1": { resend_reason: reason },
      "2": { resend_reason: reason },
    });
  });

  test("is marked as a possible duplicate after an attempt without a receipt", async () => {
    const answers = [{ kind: "unconfirmed", reason: "time-out" }] as const;
    const it = world([sentMessage()], { guarantee: "at-most-once", answers });
    await it.event(failureEvent());
    await it.drain();
    expect(it.message()).toMatchObject({ status: "EXHAUSTED", status_reason: "NO_RECEIPT" });

    await resend(it);
    await it.drain();

    expect(it.message().attempts?.["2"]).toMatchObject({ possible_duplicate: true });
  });

  test("sends what the item holds where its failure was only noted, whatever unit its times have", async () => {
    const it = world([sentMessage({ deadline: (startOfTest + 7_200) * 1_000 })], {
      policy: { maxRetries: 0 },
    });
    await it.event(failureEvent());
    expect(it.message()).toMatchObject({ status: "SENT", status_reason: "retries-off" });

    const later = world([it.message()]);
    expect(await resend(later, { text: null })).toMatchObject({ kind: "reopened", attempt: 1 });
    await later.drain();
    expect(later.sends).toHaveLength(1);
    expect(later.message()).toMatchObject({ status: "SENT", deadline: startOfTest + 7_200 });
  });

  test("ends again where the service says that the recipient has opted out", async () => {
    const it = await exhausted({
      answers: [
        { kind: "accepted", messageId: "msg-1" },
        { kind: "refused", reason: "OPT_OUT", optedOut: true },
      ],
    });
    await resend(it);
    await it.drain();
    expect(it.message().status).toBe("OPTED_OUT");
    expect(await resend(it)).toMatchObject({ kind: "refused", reason: "opted-out" });
  });
});

describe("between the read and the write of a resend", () => {
  test("a late delivery wins, and nothing is sent", async () => {
    const it = await exhausted();
    const store = writtenAfter(it.store, () => it.event(successEvent({ attempt: 1, messageId: "msg-1" })));

    expect(await resend(it, { store })).toMatchObject({ kind: "refused", reason: "delivered" });
    await it.drain();
    expect(it.message()).toMatchObject({ status: "DELIVERED", corrected_from: "EXHAUSTED" });
    expect(it.sends).toHaveLength(1);
  });

  test("another resend leads to one send, and both are told of it", async () => {
    const it = await exhausted();
    const store = writtenAfter(it.store, () => resend(it));

    expect(await resend(it, { store })).toMatchObject({ kind: "already-resent", attempt: 2 });
    await it.drain();
    expect(it.sends.map(({ context }) => context.retry_attempt)).toEqual(["1", "2"]);
  });

  test("another resend and its claim leave nothing to resend", async () => {
    const it = await exhausted();
    const store = writtenAfter(it.store, async () => {
      await resend(it);
      await it.drain();
    });

    expect(await resend(it, { store })).toMatchObject({ kind: "refused", reason: "still-open" });
    expect(it.sends).toHaveLength(2);
  });

  test("another resend, its send and its failure begin a sequence of their own after it", async () => {
    const it = await exhausted();
    const store = writtenAfter(it.store, async () => {
      await resend(it);
      await it.drain();
      await it.event(failureOf(2));
    });

    expect(await resend(it, { store })).toMatchObject({ kind: "reopened", attempt: 3 });
  });
});

describe("a resend that is asked for again", () => {
  test("tells when the attempt is due that the service has deferred meanwhile", async () => {
    const { message_body: _, ...ended } = sentMessage();
    const resent = { resent_at: startOfTest, resend_reason: reason };
    const it = world([
      { ...ended, status: "RETRY_SCHEDULED", next_attempt_at: startOfTest + 500, attempts: { "0": resent } },
    ]);

    expect(await resend(it)).toMatchObject({ kind: "already-resent", attempt: 1, dueAt: startOfTest + 500 });
  });

  test("of an item without records of attempts is decided all the same", async () => {
    const { attempts: _, ...scheduled } = sentMessage({ status: "RETRY_SCHEDULED" });
    for (const item of [scheduled, { ...scheduled, attempts: { "1": {} } }]) {
      expect(await resend(world([item]))).toEqual({ kind: "refused", reason: "still-open" });
    }
  });

  test("is given up where the item changes under every decision", async () => {
    const it = await exhausted();
    let writes = 0;
    const store: MessageStore = {
      ...it.store,
      async change() {
        writes += 1;
        return { applied: false, current: it.message() };
      },
    };

    await expect(resend(it, { store })).rejects.toThrow(ContentionError);
    expect(writes).toBe(6);
  });
});

describe("after a resend", () => {
  test("the failure that ended the message before changes nothing when it comes again", async () => {
    const it = await exhausted();
    await resend(it);

    expect(await it.event(failureOf(1))).toMatchObject({ outcome: "absorbed", reason: "already-scheduled" });
    await it.drain();
    expect(it.sends).toHaveLength(2);
  });

  test("a cancellation is no race: what waits is not sent", async () => {
    const it = await exhausted();
    await resend(it);
    await it.cancel();
    await it.drain();
    expect(it.sends).toHaveLength(1);
    expect(await resend(it)).toMatchObject({ kind: "refused", reason: "cancelled" });
  });

  test("a worker that has read the end from before looks again, and sends", async () => {
    const it = await exhausted();
    const known = structuredClone(it.message());
    const reopened = await resend(it);
    if (reopened.kind !== "reopened") throw new Error(reopened.kind);
    it.queue.length = 0;

    const { attempt } = reopened;
    await it.retryMessage({ kind: "retry-message", application_message_id: id, attempt }, { known });

    expect(it.sends).toHaveLength(2);
  });

  test("an opt-out whose reader has seen the end from before ends the message", async () => {
    const it = await exhausted();
    const known = structuredClone(it.message());
    await resend(it);

    await it.event({ ...failureOf(1), kind: "opt-out", status: "OPTOUT" }, { known });

    expect(it.message().status).toBe("OPTED_OUT");
  });
});
