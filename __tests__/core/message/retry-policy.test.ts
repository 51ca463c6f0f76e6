import fc from "fast-check";
import {
  allowsAttempt,
  backOffUntil,
  deadlineOf,
  delayBefore,
  dueAt,
  operatorBackOffUntil,
} from "../../../functions/core/message/retry-policy.ts";
import { failureEvent, retryPolicy, sentMessage, startOfTest } from "../../support/messages.ts";

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const delays = fc.array(fc.integer({ min: 0, max: 86_400 }), { minLength: 1, maxLength: 6 });

/** A deadline that shortens no delay. */
const farAway = startOfTest + 10 * 86_400;
const highest = 1 - Number.EPSILON;

describe("the delay before a retry", () => {
  test("is never in the past and never longer than configured, whatever chance says", () => {
    fc.assert(
      fc.property(delays, fc.integer({ min: 1, max: 20 }), chance, (retryDelaysSeconds, attempt, luck) => {
        const due = dueAt(retryPolicy({ retryDelaysSeconds }), {
          attempt,
          now: startOfTest,
          deadline: farAway,
          chance: luck,
        });
        const longest = retryDelaysSeconds[Math.min(attempt, retryDelaysSeconds.length) - 1] as number;
        expect(due).toBeGreaterThanOrEqual(startOfTest);
        expect(due).toBeLessThanOrEqual(startOfTest + longest);
        expect(Number.isInteger(due)).toBe(true);
      }),
    );
  });

  test("is the first delay for retry 1, and the last for every retry beyond the list", () => {
    const at = (attempt: number) =>
      dueAt(retryPolicy(), { attempt, now: startOfTest, deadline: farAway, chance: highest }) - startOfTest;
    expect([1, 2, 3, 4, 9].map(at)).toEqual([60, 300, 900, 900, 900]);
    expect([1, 2, 3, 4, 9].map((attempt) => delayBefore(retryPolicy(), attempt))).toEqual([
      60, 300, 900, 900, 900,
    ]);
  });

  test("fault 32: jitter spreads retries over the whole delay", () => {
    const at = (luck: number) =>
      dueAt(retryPolicy(), { attempt: 2, now: startOfTest, deadline: farAway, chance: luck }) - startOfTest;
    expect([0, 0.25, 0.5, 0.75].map(at)).toEqual([0, 75, 150, 225]);
  });

  test("of 0 seconds means at once", () => {
    const now = startOfTest + 0.7;
    expect(
      dueAt(retryPolicy({ retryDelaysSeconds: [0] }), { attempt: 1, now, deadline: farAway, chance: 0.99 }),
    ).toBe(startOfTest);
  });
});

describe("fault 64: near the deadline the delay is drawn from the time that is left", () => {
  /** The longest wait of retry 3, whose delay is 900 s, with so much left. */
  const longestWith = (left: number) =>
    dueAt(retryPolicy(), { attempt: 3, now: startOfTest, deadline: startOfTest + left, chance: highest }) -
    startOfTest;

  test("less what the send needs, or half of it where that is more", () => {
    expect([2_000, 911, 910, 909, 100, 30, 21, 20, 19, 10, 4].map(longestWith)).toEqual([
      900, 900, 900, 899, 90, 20, 11, 10, 10, 5, 2,
    ]);
  });

  test("is used up: 30 s before the end a third of the chances lie in each third of the wait", () => {
    const at = (luck: number) =>
      dueAt(retryPolicy(), { attempt: 3, now: startOfTest, deadline: startOfTest + 30, chance: luck }) -
      startOfTest;
    expect([0, 1 / 3, 2 / 3, highest].map(at)).toEqual([0, 7, 14, 20]);
  });

  test("so that no failure before the deadline expires by chance, whenever it comes", () => {
    const moment = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    const left = fc.double({ min: 0.001, max: 2_000, noNaN: true });
    fc.assert(
      fc.property(delays, moment, left, chance, (retryDelaysSeconds, fraction, rest, luck) => {
        const now = startOfTest + fraction;
        const due = dueAt(retryPolicy({ retryDelaysSeconds }), {
          attempt: 1,
          now,
          deadline: now + rest,
          chance: luck,
        });
        expect(due).toBeLessThan(now + rest);
        expect(due).toBeGreaterThanOrEqual(Math.floor(now));
        if (rest >= 2 && retryDelaysSeconds[0] !== 0) expect(due).toBeGreaterThanOrEqual(now);
      }),
      { numRuns: 500 },
    );
  });

  test.each([0, -1, -900])("with %i s left is none: the retry is due now", (left) => {
    expect(
      dueAt(retryPolicy(), {
        attempt: 3,
        now: startOfTest + 0.5,
        deadline: startOfTest + 0.5 + left,
        chance: highest,
      }),
    ).toBe(startOfTest);
  });
});

describe("max_retries", () => {
  test("counts retries, not attempts", () => {
    expect([0, 1, 2, 3, 4].map((attempt) => allowsAttempt(retryPolicy({ maxRetries: 3 }), attempt))).toEqual([
      true,
      true,
      true,
      true,
      false,
    ]);
    expect(allowsAttempt(retryPolicy({ maxRetries: 0 }), 1)).toBe(false);
    expect(allowsAttempt(retryPolicy({ maxRetries: 10 }), 10)).toBe(true);
  });

  test("counts from the latest resend on, and never allows more attempts than events can name", () => {
    const resent = { attempts: { "2": { resent_at: 1 }, "5": { resent_at: 2 }, "6": {} } };
    const allowed = [6, 7, 8, 9].filter((attempt) =>
      allowsAttempt(retryPolicy({ maxRetries: 3 }), attempt, resent),
    );
    expect(allowed).toEqual([6, 7, 8]);
    const most = retryPolicy({ maxRetries: 10 });
    expect([10, 11].map((attempt) => allowsAttempt(most, attempt, resent))).toEqual([true, false]);
  });
});

describe("back-off", () => {
  test("always pauses, grows, and never exceeds two minutes", () => {
    fc.assert(
      fc.property(fc.nat(1_000), chance, (deferrals, luck) => {
        const wait = backOffUntil(deferrals, startOfTest, luck) - startOfTest;
        expect(wait).toBeGreaterThanOrEqual(1);
        expect(wait).toBeLessThanOrEqual(120);
      }),
    );
    const highest = [0, 1, 2, 3, 7, 8].map((deferrals) => backOffUntil(deferrals, 0, 0.999));
    expect(highest).toEqual([1, 2, 4, 8, 120, 120]);
  });
});

describe("the deadline", () => {
  const policy = retryPolicy({ messageValiditySeconds: 3_600 });

  test("is the item's own, else its age by our record, else its age since the failure", () => {
    const event = failureEvent();
    const { deadline: _, ...noDeadline } = sentMessage();
    const { created_at: __, ...bare } = noDeadline;
    const now = startOfTest + 100;
    expect(deadlineOf(sentMessage({ deadline: 5 }), event, policy, now)).toBe(5);
    expect(deadlineOf(noDeadline, event, policy, now)).toBe(startOfTest + 3_600);
    expect(deadlineOf(bare, event, policy, now)).toBe(startOfTest + 5 + 3_600);
    expect(deadlineOf(bare, failureEvent({ requestedAt: startOfTest - 7 }), policy, now)).toBe(
      startOfTest - 7 + 3_600,
    );
  });

  test("is never moved into the future by the service's clock", () => {
    const { deadline: _, created_at: __, ...bare } = sentMessage();
    const ahead = failureEvent({ occurredAt: startOfTest + 86_400 });
    expect(deadlineOf(bare, ahead, policy, startOfTest)).toBe(startOfTest + 3_600);
  });
});

describe("what an operator has to mend", () => {
  const waits = (deferrals: number, left = Number.POSITIVE_INFINITY, isSpendLimit = false, luck = highest) =>
    operatorBackOffUntil({ deferrals, isSpendLimit, deadline: startOfTest + left }, startOfTest, luck) -
    startOfTest;

  test("is tried ever more rarely, up to every quarter of an hour, half of it by chance", () => {
    expect([0, 1, 2, 3, 4, 5, 6, 7, 50].map((deferrals) => waits(deferrals))).toEqual([
      10, 20, 40, 80, 160, 320, 640, 900, 900,
    ]);
    expect(waits(7, Number.POSITIVE_INFINITY, false, 0)).toBe(450);
  });

  test("waits half of what is left where its wait would end in the last seconds, to the second", () => {
    expect(waits(0, 910, true)).toBe(455);
    expect(waits(0, 911, true)).toBe(900);
  });

  test("waits a quarter of an hour at once where a spend limit is reached", () => {
    expect([0, 5].map((deferrals) => waits(deferrals, Number.POSITIVE_INFINITY, true, 0))).toEqual([
      900, 900,
    ]);
  });

  test("is tried at half of the time that is left, until too little is left for a try", () => {
    expect([2_000, 911, 909, 600, 100, 30, 20].map((left) => waits(9, left))).toEqual([
      900, 900, 455, 300, 50, 15, 10,
    ]);
    // At the deadline or later: the message expires.
    expect([10, 5].map((left) => waits(9, left))).toEqual([10, 10]);
  });

  test("of a message without a deadline is tried for ever", () => {
    const waiting = { deferrals: 9, isSpendLimit: false, deadline: undefined };
    expect(operatorBackOffUntil(waiting, startOfTest, 0)).toBe(startOfTest + 450);
  });
});
