import { SendTiming } from "../../../../functions/core/sending/gate/send-timing.ts";

/** What a worker has learned of calls and claims of these lengths. */
function learned(calls: readonly number[], claims: readonly number[] = []): SendTiming {
  const timing = new SendTiming();
  for (const seconds of calls) timing.observeCalls(seconds);
  for (const seconds of claims) timing.observeClaim(seconds);
  return timing;
}

test("the length of a worker's calls goes an eighth of the way to each new one", () => {
  expect(learned([]).callSeconds).toBe(0.15);
  expect(learned([0.95]).callSeconds).toBeCloseTo(0.25, 9);
  expect(learned([0.95, 0.05]).callSeconds).toBeCloseTo(0.225, 9);
  expect(learned(Array(100).fill(0.4)).callSeconds).toBeCloseTo(0.4, 4);
});

describe("the lead before a message's time", () => {
  const leadAfter = (...claims: number[]): number => learned([], claims).leadSeconds;

  test("is at once half as long again as a claim that took too long", () => {
    expect(leadAfter()).toBe(0.2);
    expect(leadAfter(0.2)).toBeCloseTo(0.3, 9);
  });

  test("gets shorter by a sixteenth of the way with each claim that took less", () => {
    expect(leadAfter(0.08)).toBeCloseTo(0.2 - 0.08 / 16, 9);
    expect(leadAfter(0.08, 0.08)).toBeCloseTo(0.195 - 0.075 / 16, 9);
  });

  test("stays within 0.04 and 0.5 seconds, whatever the claims", () => {
    expect(leadAfter(60)).toBe(0.5);
    expect(leadAfter(...Array(200).fill(0))).toBeCloseTo(0.04, 4);
    expect(leadAfter(...Array(200).fill(0))).toBeGreaterThanOrEqual(0.04);
  });
});
