import fc from "fast-check";
import { allowsAttempt, backOffUntil, deadlineOf, dueAt } from "../../functions/core/retry-policy.ts";
import { partsOf, steadyPace } from "../../functions/core/send-pace.ts";
import { failureEvent, retryPolicy, sentMessage, startOfTest } from "../support/messages.ts";

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const delays = fc.array(fc.integer({ min: 0, max: 86_400 }), { minLength: 1, maxLength: 6 });

describe("the delay before a retry", () => {
  test("is never in the past and never longer than configured, whatever chance says", () => {
    fc.assert(
      fc.property(delays, fc.integer({ min: 1, max: 20 }), chance, (retryDelaysSeconds, attempt, luck) => {
        const due = dueAt(retryPolicy({ retryDelaysSeconds }), attempt, startOfTest, luck);
        const longest = retryDelaysSeconds[Math.min(attempt, retryDelaysSeconds.length) - 1] as number;
        expect(due).toBeGreaterThanOrEqual(startOfTest);
        expect(due).toBeLessThanOrEqual(startOfTest + longest);
        expect(Number.isInteger(due)).toBe(true);
      }),
    );
  });

  test("is the first delay for retry 1, and the last for every retry beyond the list", () => {
    const at = (attempt: number) =>
      dueAt(retryPolicy(), attempt, startOfTest, 1 - Number.EPSILON) - startOfTest;
    expect([1, 2, 3, 4, 9].map(at)).toEqual([60, 300, 900, 900, 900]);
  });

  test("fault 32: jitter spreads retries over the whole delay", () => {
    const at = (luck: number) => dueAt(retryPolicy(), 2, startOfTest, luck) - startOfTest;
    expect([0, 0.25, 0.5, 0.75].map(at)).toEqual([0, 75, 150, 225]);
  });

  test("of 0 seconds means at once", () => {
    expect(dueAt(retryPolicy({ retryDelaysSeconds: [0] }), 1, startOfTest, 0.99)).toBe(startOfTest);
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

describe("the pace of sends", () => {
  function clockAt(now: number) {
    return {
      now: () => now,
      sleep: async (seconds: number) => {
        now += seconds;
      },
    };
  }

  test("never lets more parts go in any stretch of time than the rate allows, plus one message", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0.5, max: 50, noNaN: true }),
        fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 2, maxLength: 30 }),
        async (rate, lengths) => {
          const clock = clockAt(0);
          const pace = steadyPace(rate, clock);
          const sent: { at: number; parts: number }[] = [];
          for (const length of lengths) {
            const body = "x".repeat(length);
            expect(await pace.wait(body, Number.POSITIVE_INFINITY)).toBe(true);
            sent.push({ at: clock.now(), parts: partsOf(body) });
          }
          for (const [from, first] of sent.entries()) {
            let parts = 0;
            for (const { at, parts: more } of sent.slice(from)) {
              expect(parts).toBeLessThanOrEqual((at - first.at) * rate + 1e-6);
              parts += more;
            }
          }
        },
      ),
    );
  });

  test("does not wait for a turn that would come too late, and keeps no place for it", async () => {
    const clock = clockAt(100);
    const pace = steadyPace(0.1, clock);
    expect(await pace.wait("x", 102)).toBe(true);
    expect(await pace.wait("x", 105)).toBe(false);
    expect(await pace.wait("x", 120)).toBe(true);
    expect(clock.now()).toBeCloseTo(111);
  });

  test("fault 29: a message of several parts counts as its parts", () => {
    expect(partsOf("")).toBe(1);
    expect(partsOf("x".repeat(160))).toBe(1);
    expect(partsOf("x".repeat(161))).toBe(2);
    expect(partsOf("é".repeat(160))).toBe(1);
    expect(partsOf("[".repeat(81))).toBe(2);
    expect(partsOf("ж".repeat(70))).toBe(1);
    expect(partsOf("ж".repeat(71))).toBe(2);
  });
});
