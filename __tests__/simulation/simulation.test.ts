import { breaks } from "../../simulation/breaks.ts";
import { type Choices, seededChoices, shrinkChoices } from "../../simulation/choices.ts";
import { simulateManyRaces } from "../../simulation/races.ts";
import { explain, simulateMany } from "../../simulation/simulate-many.ts";
import { simulate } from "../../simulation/simulated-run.ts";

// Runs of whole worlds: seconds, not milliseconds.
jest.setTimeout(120_000);

describe("the simulation", () => {
  test("finds no violation of the protocol in 1000 runs, and injects every kind of fault", async () => {
    const { totals, failure } = await simulateMany(0, 1_000);
    expect(failure === undefined ? "" : await explain(failure.seed)).toBe("");
    for (const fault of [
      "kill-before",
      "kill-after",
      "freeze",
      "throttle",
      "lost-answer",
      "repeated-by-the-sdk",
      "slow",
      "outage",
      "clock-skew",
      "stale-read",
      "duplicate-delivery",
      "late-delivery",
      "re-invocation",
    ] as const) {
      expect({ fault, isInjected: (totals.injected.get(fault) ?? 0) > 50 }).toEqual({
        fault,
        isInjected: true,
      });
    }
    expect(totals.sends).toBeGreaterThan(2_000);
    expect(totals.possibleDuplicates).toBeGreaterThan(10);
    expect(totals.runsWithoutFaults).toBeGreaterThan(200);
  });

  test("replays a seed step by step", async () => {
    const [first, second] = await Promise.all([
      simulate(seededChoices(7), { keepsTrace: true }),
      simulate(seededChoices(7), { keepsTrace: true }),
    ]);
    expect(first.trace.length).toBeGreaterThan(10);
    expect(second.trace).toEqual(first.trace);
  });

  test("explains a violation by its seed and the shrunk steps", async () => {
    const { failure } = await simulateMany(0, 2_000, breaks["no-conditions"]);
    const text = await explain(failure?.seed ?? 0, breaks["no-conditions"]);
    expect(text).toContain(`Seed ${failure?.seed} violates the protocol:`);
    expect(text).toMatch(/Shrunk from \d+ to \d choices/);
    expect(text).toContain("SMS SERVICE: takes");
  });
});

describe("after CANCELLED, DELIVERED or OPTED_OUT was written, no send starts", () => {
  test.each([0.2, 1, 10])("in 600 races at %s parts per second", async (rate) => {
    const { races, sent, failure } = await simulateManyRaces(600, rate);
    expect(failure).toBeUndefined();
    expect(races).toBeGreaterThanOrEqual(600);
    // Real races: now the end comes first, now the retry.
    expect(sent).toBeGreaterThan(races / 10);
    expect(sent).toBeLessThan((races * 9) / 10);
  });

  test.each(["claim-before-the-permit", "claim-after-the-end"] as const)(
    "and the races show it where the protocol is broken: %s",
    async (name) => {
      const { failure } = await simulateManyRaces(600, 1, breaks[name]);
      expect(failure?.violations).not.toHaveLength(0);
      expect(failure).toBeDefined();
    },
  );
});

describe("shrinking", () => {
  const whole = (numbers: readonly number[]): number[] => numbers.map((number) => number / 2 ** 16);

  test("finds the smallest choices that still fail", async () => {
    const fails = async (choices: Choices) => {
      const drawn = Array.from({ length: 20 }, () => choices.below(2 ** 16));
      return drawn[3] === 77 && (drawn[11] ?? 0) > 5;
    };
    const drawn = [9, 9, 9, 77, 5, 1, 2, 3, 4, 5, 6, 700, 8, 9, 10, 11, 12, 13, 14, 15, 16];
    expect(await shrinkChoices(whole(drawn), fails)).toEqual(whole([0, 0, 0, 77, 0, 0, 0, 0, 0, 0, 0, 700]));
  });

  test("keeps choices that cannot be made smaller", async () => {
    const fails = async (choices: Choices) => choices.below(2 ** 16) === 1;
    expect(await shrinkChoices(whole([1, 2]), fails)).toEqual(whole([1]));
  });

  test("gives back choices of a run that does not fail", async () => {
    expect(await shrinkChoices(whole([0, 1]), async () => false)).toEqual(whole([0, 1]));
  });
});
