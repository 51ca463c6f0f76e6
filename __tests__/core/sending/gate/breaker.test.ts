import {
  afterFailure,
  afterSuccess,
  allowance,
  type Breaker,
  openBreaker,
} from "../../../../functions/core/sending/gate/breaker.ts";

/** The breaker after failures at these times, each a probe where it was closed. */
function failing(...times: readonly number[]): Breaker {
  return times.reduce((breaker, at) => afterFailure(breaker, at, breaker.closedSince !== 0), openBreaker);
}

describe("a breaker", () => {
  test("closes after three failures in a row, for five seconds", () => {
    expect(allowance(failing(100, 101), 101)).toEqual({ kind: "open", shareOfRate: 1 });
    expect(allowance(failing(100, 101, 102), 102)).toEqual({ kind: "closed", until: 107 });
  });

  test("counts from nothing after a success", () => {
    const again = afterFailure(afterSuccess(failing(100, 101), 102), 103, false);
    expect(allowance(again, 103)).toEqual({ kind: "open", shareOfRate: 1 });
  });

  test("stays closed longer after each failed probe, up to five minutes", () => {
    let breaker = failing(1_000, 1_000, 1_000);
    const probes: number[] = [];
    for (let now = 1_000; now < 2_800; now += 1) {
      if (allowance(breaker, now).kind !== "probe") continue;
      probes.push(now - 1_000);
      breaker = afterFailure(breaker, now, true);
    }
    expect(probes).toEqual([5, 15, 45, 135, 405, 705, 1_005, 1_305, 1_605]);
  });

  test("counts its failed probes as well", () => {
    expect(failing(100, 101, 102, 107).failures).toBe(4);
  });

  test("lets one probe through; a worker that dies with it holds it for half a minute", () => {
    const probing = allowance(failing(100, 100, 100), 105);
    if (probing.kind !== "probe") throw new Error("No probe was allowed.");
    expect(allowance(probing.breaker, 134)).toEqual({ kind: "closed", until: 135 });
    expect(allowance(probing.breaker, 135)).toMatchObject({ kind: "probe" });
  });

  test("does not wait longer for what was under way when it closed", () => {
    const closed = failing(100, 100, 100);
    expect(afterFailure(closed, 104, false)).toBe(closed);
  });

  test("is moved by no answer from before its last change: no success opens it, no failure counts", () => {
    const closed = failing(100, 100, 100);
    expect(afterSuccess(closed, 99.9)).toBe(closed);
    expect(afterSuccess(closed, 100)).toEqual({ ...openBreaker, openedAt: 100 });
    const opened = afterSuccess(closed, 106);
    expect(afterFailure(opened, 105.9, false)).toBe(opened);
    expect(afterFailure(opened, 106, false).failures).toBe(1);
  });

  test("opens gradually after a success: from a tenth of the rate to all of it in a minute", () => {
    const opened = afterSuccess(failing(100, 100, 100), 110);
    const shares = [110, 116, 140, 170, 500].map((at) => allowance(opened, at));
    expect(shares).toEqual([0.1, 0.1, 0.5, 1, 1].map((shareOfRate) => ({ kind: "open", shareOfRate })));
  });

  test("at rest is the same object after a success, so that nothing is written", () => {
    expect(afterSuccess(openBreaker, 100)).toBe(openBreaker);
  });
});
