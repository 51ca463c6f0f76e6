/**
 * Operators, events and workers at one message at the same time: every call of the table waits for its turn, and the
 * turns come in any order.
 */
import * as fc from "fast-check";
import { withdrawMessage } from "../../../functions/core/message/cancel-message.ts";
import { isFinal, type MessageStatus, statusOf } from "../../../functions/core/message/message.ts";
import { reopenMessage } from "../../../functions/core/message/reopening.ts";
import { failureEvent, retryPolicy, sentMessage, successEvent } from "../../support/messages.ts";
import { type World, world } from "../../support/world.ts";

const id = "order-4711";
const policy = retryPolicy();

/** What may happen at once to a message whose first retry has failed for good. */
const happenings = {
  async resend(it: World) {
    const { store, clock } = it;
    const reopened = await reopenMessage({ id, reason: "again", body: "Hello." }, { store, clock, policy });
    if (reopened.kind === "refused") return;
    const { attempt, dueAt } = reopened;
    it.queue.push({ message: { kind: "retry-message", application_message_id: id, attempt }, dueAt });
    await work(it, attempt);
  },
  async cancel(it: World) {
    await withdrawMessage(id, { store: it.store, clock: it.clock, policy }, "a wrong text");
  },
  failure: (it: World) => it.event(failureEvent({ attempt: 1, messageId: "msg-1" })),
  failureOfResend: (it: World) => it.event(failureEvent({ attempt: 2, messageId: "msg-2" })),
  delivery: (it: World) => it.event(successEvent({ attempt: 1, messageId: "msg-1" })),
  optOut: (it: World) =>
    it.event(failureEvent({ attempt: 1, messageId: "msg-1", kind: "opt-out", status: "OPTOUT" })),
  worker: (it: World) => work(it, 2),
  laterWorker: (it: World) => work(it, 3),
};
type Happening = keyof typeof happenings;

const work = (it: World, attempt: number) =>
  it.retryMessage({ kind: "retry-message", application_message_id: id, attempt });

/** A world whose message has ended because its last retry failed. */
function endedWorld(): World {
  const { message_body: _, ...sent } = sentMessage();
  const attempts = {
    "0": { claim_id: "c0", message_id: "msg-0", outcome: "UNREACHABLE" },
    "1": { claim_id: "c1", message_id: "msg-1", outcome: "UNREACHABLE" },
  };
  const ended = { status: "EXHAUSTED", retry_count: 1, pinpoint_message_id: "msg-1", attempts } as const;
  return world([{ ...sent, ...ended }]);
}

/** Lets every answer of the table wait for its turn, so that it is old when it comes; notes the ways between states. */
function inTurns(it: World, turns: fc.Scheduler): string[] {
  const ways: string[] = [];
  const { read, change } = it.store;
  it.store.read = turns.scheduleFunction(read);
  it.store.change = turns.scheduleFunction(async (key, what) => {
    const before = statusOf(it.message());
    const result = await change(key, what);
    const after = statusOf(it.message());
    if (before !== after) ways.push(`${before} to ${after}`);
    return result;
  });
  return ways;
}

/** Ways that lead out of an end, or to a send, and may be taken. */
const allowed: ReadonlySet<string> = new Set([
  "EXHAUSTED to RETRY_SCHEDULED",
  "EXHAUSTED to DELIVERED",
  "RETRY_SCHEDULED to SENDING",
]);

const isWatched = (way: string) => {
  const [before = "", after = ""] = way.split(" to ");
  return isFinal(before as MessageStatus) || after === "SENDING";
};

test("in no order is an attempt sent twice, or after an end that is for good", async () => {
  const chosen = fc.array(fc.constantFrom(...(Object.keys(happenings) as Happening[])), {
    minLength: 2,
    maxLength: 7,
  });
  const seen = { sends: 0, refusals: 0 };
  const once = async (turns: fc.Scheduler, names: readonly Happening[]) => {
    const it = endedWorld();
    const ways = inTurns(it, turns);

    await turns.waitFor(Promise.all(["resend" as const, ...names].map((name) => happenings[name](it))));
    await turns.waitFor(it.drain());

    const sent = it.sends.map(({ context }) => context.retry_attempt);
    seen.sends += sent.length;
    if (sent.length === 0) seen.refusals += 1;
    expect(ways.filter((way) => isWatched(way) && !allowed.has(way))).toEqual([]);
    expect(sent).toEqual([...new Set(sent)]);
    expect(sent).toHaveLength(ways.filter((way) => way.endsWith("to SENDING")).length);
    // A resend that was taken was sent, or its message has ended.
    expect(["SENDING", "RETRY_SCHEDULED"]).not.toContain(statusOf(it.message()));
  };

  await fc.assert(fc.asyncProperty(fc.scheduler(), chosen, once), { numRuns: 300, seed: 14 });

  expect(seen.sends).toBeGreaterThan(100);
  expect(seen.refusals).toBeGreaterThan(15);
});
