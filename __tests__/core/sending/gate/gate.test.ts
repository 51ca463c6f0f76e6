import fc from "fast-check";
import { failuresToClose, openBreaker } from "../../../../functions/core/sending/gate/breaker.ts";
import {
  type GateState,
  type LaneState,
  laneFor,
  newGate,
  newLane,
  type PermitRequest,
  type ReservationContext,
  rateHoldSeconds,
  reserve,
} from "../../../../functions/core/sending/gate/gate.ts";
import { emptyLane, laneCount } from "../../../../functions/core/sending/gate/send-times.ts";

const now = 1_800_000_000;

function context(changed: Partial<ReservationContext> = {}): ReservationContext {
  return {
    time: { earliest: now, latest: now },
    rate: 10,
    laneNumber: 0,
    callSeconds: 0.15,
    random: () => 0.5,
    ...changed,
  };
}

const one: PermitRequest = { parts: 1 };

function kinds(requests: readonly PermitRequest[], gate = newGate, lane = newLane, given = context()) {
  return reserve(gate, lane, requests, given).decisions.map((decision) =>
    decision.kind === "start" ? Number((decision.at - now).toFixed(3)) : decision.reason,
  );
}

/** A lane for which so many seconds of messages wait, some of them urgent: with a minute left or less. */
function waitedFor(seconds: number, urgent = 0): LaneState {
  const urgentUntil = urgent === 0 ? 0 : now + urgent;
  return {
    lane: { nextFreeAt: now + 5, recent: [] },
    backlogUntil: [0, 0, 0, urgentUntil, urgentUntil, urgentUntil, urgentUntil, now + seconds],
  };
}

describe("a batch at a free gate", () => {
  test("leaves evenly", () => {
    expect(kinds([one, one, one])).toEqual([0, 0.102, 0.204]);
  });

  test("goes by the nearest deadline, first sends before all", () => {
    const requests = [
      one,
      { parts: 1, deadline: now + 60 },
      { parts: 1, deadline: now + 30 },
      { parts: 1, isFirstSend: true },
    ];
    expect(kinds(requests)).toEqual([0.306, 0.204, 0.102, 0]);
  });

  test("goes by its deadlines after its first sends, in whatever order it asks", () => {
    expect(
      kinds([
        { parts: 1, isFirstSend: true },
        { parts: 1, deadline: now + 30 },
      ]),
    ).toEqual([0, 0.102]);
    expect(
      kinds([
        { parts: 1, deadline: now + 30 },
        { parts: 1, isFirstSend: true },
      ]),
    ).toEqual([0.102, 0]);
  });

  test("leaves no sooner than it can be claimed", () => {
    expect(kinds([one, one], newGate, newLane, context({ leadSeconds: 0.2 }))).toEqual([0.2, 0.302]);
  });

  test("is answered in its own order, one decision for each, whatever it asks", () => {
    const requests = fc.array(
      fc.record({
        parts: fc.integer({ min: 1, max: 24 }),
        deadline: fc.option(fc.integer({ min: now + 1, max: now + 100_000 }), { nil: undefined }),
        waitsAs: fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined }),
      }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(
        requests,
        fc.constantFrom(0.2, 1, 10, 500),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (all, rate, chance) => {
          const given = all.map(({ deadline, waitsAs, parts }) => ({
            parts,
            ...(deadline !== undefined && { deadline }),
            ...(waitsAs !== undefined && { waitsAs }),
          }));
          const { decisions } = reserve(newGate, newLane, given, context({ rate, random: () => chance }));
          expect(decisions).toHaveLength(given.length);
          for (const [index, decision] of decisions.entries()) {
            const deadline = given[index]?.deadline ?? Number.POSITIVE_INFINITY;
            if (decision.kind === "start") expect(decision.at).toBeLessThanOrEqual(now + 3);
            else expect(decision.until).toBeLessThanOrEqual(Math.max(deadline - 3, now + 1));
            if (decision.kind === "defer") expect(decision.until).toBeGreaterThanOrEqual(now);
            if (decision.kind === "defer") expect(decision.until).toBeLessThanOrEqual(now + 900);
          }
        },
      ),
    );
  });
});

describe("a worker waits no longer than twice its calls, or about as long as a message takes", () => {
  test.each([
    ["one message, three tenths of a second", 10, 0.3, 1, ["start"]],
    ["one message, more than that", 10, 0.301, 1, ["no-capacity"]],
    ["one message, half a second where it takes that long itself", 1, 0.5, 1, ["start"]],
    ["one message, more than half a second", 1, 0.501, 1, ["no-capacity"]],
    ["ten messages, as their calls take that long", 10, 0.5, 10, Array.from({ length: 10 }, () => "start")],
  ])("%s", (_what, rate, seconds, count, expected) => {
    const busy: LaneState = { ...newLane, lane: { nextFreeAt: now + seconds, recent: [] } };
    const { decisions } = reserve(newGate, busy, Array(count).fill(one), context({ rate }));
    expect(decisions.map((decision) => (decision.kind === "start" ? "start" : decision.reason))).toEqual(
      expected,
    );
  });

  test("one message of several parts behind others, as long as it takes itself", () => {
    const busy: LaneState = { ...newLane, lane: { nextFreeAt: now + 0.25, recent: [] } };
    const requests = [{ parts: 1, deadline: now + 100 }, { parts: 4 }];
    // The second would leave 0.36 s from now: more than three tenths of a second, less than four parts and a bit take.
    expect(kinds(requests, newGate, busy, context({ callSeconds: 0.01 }))).toEqual([0.25, 0.352]);
    expect(kinds([requests[0] ?? one, one], newGate, busy, context({ callSeconds: 0.01 }))).toEqual([
      0.25,
      "no-capacity",
    ]);
  });

  test("and never so long that it would miss a pause", () => {
    const given = context({ callSeconds: 60 });
    const { decisions } = reserve(newGate, newLane, Array(100).fill(one), given);
    const starts = decisions.flatMap((decision) => (decision.kind === "start" ? [decision.at - now] : []));
    expect(Math.max(...starts)).toBeLessThanOrEqual(3);
    expect(starts.length).toBe(30);
  });
});

test("a message that waits exactly as long as it may does wait", () => {
  const busy: LaneState = { ...newLane, lane: { nextFreeAt: now + 0.25, recent: [] } };
  expect(kinds([one], newGate, busy, context({ callSeconds: 0.125 }))).toEqual([0.25]);
});

/** A lane that is taken for the next minute. */
const taken: LaneState = { ...newLane, lane: { nextFreeAt: now + 60, recent: [] } };

/** What becomes of one message for which there is no room. */
function deferred(request: Partial<PermitRequest> = {}, given: Partial<ReservationContext> = {}) {
  const [decision] = reserve(newGate, taken, [{ parts: 1, ...request }], context(given)).decisions;
  if (decision?.kind !== "defer") throw new Error("It was not deferred.");
  return decision;
}

test.each<[Partial<PermitRequest>, number]>([
  [{ isFirstSend: true }, 0],
  [{ deadline: now + 10 }, 0],
  [{ deadline: now + 11 }, 1],
  [{ deadline: now + 30 }, 2],
  [{ deadline: now + 31 }, 3],
  [{ deadline: now + 900 }, 6],
  [{ deadline: now + 901 }, 7],
  [{}, 7],
])("the urgency of a deferred message %j is %d", (request, waitsAs) => {
  expect(deferred(request).waitsAs).toBe(waitsAs);
});

test.each([
  [3, now + 1],
  [4, now + 1],
  [4.5, now + 1.5],
])("a message with %d seconds left comes again in time for its last chance", (left, until) => {
  const busy: LaneState = { ...taken, backlogUntil: Array(8).fill(now + 500) };
  const [decision] = reserve(
    newGate,
    busy,
    [{ parts: 1, deadline: now + left }],
    context({ random: () => 0.999 }),
  ).decisions;
  expect(decision).toMatchObject({ kind: "defer", until });
});

describe("where more is due than may go", () => {
  test("what is deferred comes again while the backlog lasts, a little more than may go", () => {
    const spread = (chance: number): number => {
      const { decisions } = reserve(
        newGate,
        waitedFor(1_000),
        [{ ...one, waitsAs: 7 }],
        context({ random: () => chance }),
      );
      return decisions[0]?.kind === "defer" ? decisions[0].until - now : Number.NaN;
    };
    expect(spread(0)).toBe(0);
    // Half as many again ask as may go, and a little more.
    expect(spread(0.9999)).toBeCloseTo(653.5, 0);
  });

  test("what is hardly of use any more comes within a second, the rest within two or more", () => {
    const spread = (left: number) => deferred({ deadline: now + left }, { random: () => 0.999 }).until - now;
    expect(spread(60)).toBeCloseTo(0.999, 3);
    expect(spread(61)).toBeCloseTo(1.998, 3);
  });

  test("a message comes at half of its time at the latest: it may have become more urgent", () => {
    const lane = { ...taken, backlogUntil: Array(8).fill(now + 50_000) };
    const [decision] = reserve(
      newGate,
      lane,
      [{ parts: 1, deadline: now + 1_000, waitsAs: 0 }],
      context({ random: () => 1 }),
    ).decisions;
    expect(decision).toMatchObject({ kind: "defer", until: now + 500 });
  });

  test.each([
    [10, 1.53],
    // A worker waits for half a second, in which three and some more ask; a message takes a second.
    [1, 7.62],
    [0.2, 16],
  ])("at a rate of %d, %d messages ask for each that goes", (rate, asking) => {
    const lane = { ...taken, backlogUntil: [...Array(7).fill(0), now + 100] };
    const always = context({ rate, random: () => 1 });
    const [decision] = reserve(newGate, lane, [{ parts: 1, waitsAs: 7 }], always).decisions;
    expect(decision?.kind === "defer" ? 100 / (decision.until - now) : 0).toBeCloseTo(asking, 2);
  });

  test("a message is counted once, however often it is deferred", () => {
    const first = reserve(newGate, waitedFor(100), [one], context()).lane;
    expect(first.backlogUntil.at(-1)).toBeCloseTo(now + 100.102, 3);
    expect(first.backlogUntil.slice(0, 7)).toEqual(Array(7).fill(0));
    const again = reserve(newGate, first, [{ ...one, waitsAs: 7 }], context());
    expect(again.lane).toBe(first);
  });

  test("time in which nobody came is taken off: what did not come was not there", () => {
    const idle: LaneState = {
      lane: { nextFreeAt: now - 40, recent: [] },
      backlogUntil: [0, 0, 0, 0, 0, 0, now + 10, now + 100],
    };
    const { lane } = reserve(newGate, idle, [{ ...one, waitsAs: 7 }], context());
    expect(lane.backlogUntil).toEqual([...Array(7).fill(now), now + 60]);
  });

  test("what is urgent goes, and the rest waits for it", () => {
    const urgent = { parts: 1, deadline: now + 60 };
    const lane = { ...waitedFor(500, 20), lane: { nextFreeAt: now, recent: [] } };
    expect(kinds([one, urgent, one], newGate, lane)).toEqual(["no-capacity", 0, "no-capacity"]);
  });

  test("what has become more urgent since it was counted is counted there as well, once", () => {
    const request = { parts: 1, deadline: now + 100, waitsAs: 7 };
    const { lane, decisions } = reserve(newGate, waitedFor(500), [request], context());
    expect(lane.backlogUntil.map((until) => Math.max(0, until - now).toFixed(1))).toEqual([
      "0.0",
      "0.0",
      "0.0",
      "0.0",
      "0.1",
      "0.1",
      "0.1",
      "500.0",
    ]);
    expect(decisions).toMatchObject([{ kind: "defer", waitsAs: 4 }]);
    expect(reserve(newGate, lane, [{ ...request, waitsAs: 4 }], context()).lane).toBe(lane);
  });

  test("an urgent backlog is believed no longer than its messages are of use", () => {
    const lane = {
      ...newLane,
      backlogUntil: Array(8).fill(now + 500),
    };
    const { decisions } = reserve(
      newGate,
      lane,
      [{ parts: 1, deadline: now + 50 }],
      context({ random: () => 1 }),
    );
    expect(decisions).toMatchObject([{ kind: "start" }]);
    const busy = { ...lane, lane: { nextFreeAt: now + 9, recent: [] } };
    const [decision] = reserve(
      newGate,
      busy,
      [{ parts: 1, deadline: now + 28 }],
      context({ random: () => 1 }),
    ).decisions;
    // Thirty seconds at most, by what asks: half as many again as may go, and of what is so urgent three times as many.
    expect(decision).toMatchObject({ kind: "defer", until: expect.closeTo(now + 30 / (3 * 1.53), 1) });
  });

  test("the rest goes where nothing urgent waits any more, to the moment", () => {
    const lane = { ...waitedFor(0, 0.001), lane: { nextFreeAt: now, recent: [] } };
    expect(kinds([one], newGate, lane)).toEqual(["no-capacity"]);
    const over = { ...lane, backlogUntil: lane.backlogUntil.map(() => now) };
    expect(kinds([one], newGate, over)).toEqual([0]);
  });

  test("the rest goes at a low rate only when nothing has come for three messages' time", () => {
    const idleFor = (seconds: number): LaneState => ({
      ...waitedFor(1_000, 1_000),
      lane: { nextFreeAt: now - seconds, recent: [] },
    });
    const slow = context({ rate: 1 });
    expect(kinds([one], newGate, idleFor(3), slow)).toEqual(["no-capacity"]);
    expect(kinds([one], newGate, idleFor(3.1), slow)).toEqual([0]);
  });

  test("what goes at once is counted where others wait, and else is not", () => {
    const until = (waiting: number) => {
      const lane: LaneState = {
        lane: { nextFreeAt: now, recent: [] },
        backlogUntil: [0, 0, 0, 0, 0, 0, 0, now + waiting],
      };
      return Number(
        ((reserve(newGate, lane, [one], context()).lane.backlogUntil.at(-1) ?? 0) - now).toFixed(3),
      );
    };
    expect(until(10)).toBe(10.102);
    expect(until(0)).toBe(0);
  });

  test("the rest goes as soon as nothing urgent comes", () => {
    const lane = { ...waitedFor(500, 20), lane: { nextFreeAt: now - 0.5, recent: [] } };
    expect(kinds([one], newGate, lane)).toEqual([0]);
  });
});

describe("a paused gate", () => {
  const pause = { since: now - 10, by: "operator" };

  test("lets nothing through, takes no time and writes nothing", () => {
    const gate: GateState = { ...newGate, pause };
    const answer = reserve(gate, newLane, [one, one], context());
    expect(answer.decisions).toEqual([
      { kind: "defer", until: now + 6.25, reason: "paused", pause },
      { kind: "defer", until: now + 6.25, reason: "paused", pause },
    ]);
    expect(answer.gate).toBe(gate);
    expect(answer.lane).toBe(newLane);
  });

  test.each([
    [0, 2.5],
    [4, 2.5],
    [20, 12.5],
    [60, 37.5],
    [7_200, 37.5],
  ])("of %d s is asked again after %d s: as long as it lasted, at most a minute", (seconds, wait) => {
    const gate = { ...newGate, pause: { since: now - seconds, by: "operator" } };
    expect(reserve(gate, newLane, [one], context()).decisions).toMatchObject([{ until: now + wait }]);
  });

  test("is over at its end, and what waits comes then", () => {
    expect(kinds([one], { ...newGate, pause: { ...pause, until: now } })).toEqual([0]);
    const ending = { ...pause, until: now + 5 };
    const soon = reserve({ ...newGate, pause: ending }, newLane, [one], context());
    expect(soon.decisions).toEqual([{ kind: "defer", until: now + 5, reason: "paused", pause: ending }]);
  });
});

describe("a closed gate", () => {
  const breaker = { ...openBreaker, failures: failuresToClose, closedSince: now - 5, closedUntil: now };

  test("is asked again in the five seconds after it; what waits stays counted", () => {
    const gate = { ...newGate, breaker: { ...breaker, closedUntil: now + 1 } };
    const { decisions } = reserve(gate, newLane, [one, { parts: 1, waitsAs: 2 }], context());
    expect(decisions).toEqual([
      { kind: "defer", reason: "breaker-closed", until: now + 3.5 },
      { kind: "defer", reason: "breaker-closed", until: now + 3.5, waitsAs: 2 },
    ]);
  });

  test("puts off what comes beside its probe for five to ten seconds", () => {
    const { decisions } = reserve({ ...newGate, breaker }, newLane, [one, one], context());
    expect(decisions[1]).toMatchObject({ kind: "defer", until: now + 7.5, reason: "breaker-closed" });
  });

  test("keeps its probe where there is no room for it", () => {
    const gate: GateState = { ...newGate, breaker, rate: 10, rateUntil: now + rateHoldSeconds };
    expect(reserve(gate, taken, [one], context()).gate).toBe(gate);
  });

  test("that opens lets so much through as it has opened", () => {
    const opening = { ...newGate, breaker: { ...openBreaker, openedAt: now - 30 } };
    expect(kinds([one, one], opening)).toEqual([0, 0.204]);
  });

  test.each([0.1, 0.25, 0.5])("that opens lets %d of the rate through, over all of its lanes", (share) => {
    const opening = { ...newGate, breaker: { ...openBreaker, openedAt: now - 60 * share } };
    const many = Array.from({ length: 600 }, () => one);
    const lanes = Array.from({ length: laneCount(1_000) }, (_, laneNumber) =>
      reserve(opening, newLane, many, context({ rate: 1_000, laneNumber })),
    );

    const starts = lanes.flatMap(({ decisions }) => decisions.filter(({ kind }) => kind === "start"));
    const inASecond = starts.filter((start) => start.kind === "start" && start.at < now + 1);
    expect(inASecond.length).toBeLessThanOrEqual(1_000 * share);
    expect(inASecond.length).toBeGreaterThan(900 * share);
  });

  test("lets nothing through before its time", () => {
    const gate = { ...newGate, breaker: { ...breaker, closedUntil: now + 1 } };
    expect(kinds([one], gate)).toEqual(["breaker-closed"]);
    expect(reserve(gate, newLane, [one], context()).gate).toBe(gate);
  });

  test("then lets one probe through, and no second one while that is under way", () => {
    const gate: GateState = { ...newGate, breaker };
    const first = reserve(gate, newLane, [one, { parts: 1, deadline: now + 60 }], context());
    expect(first.decisions).toMatchObject([{ reason: "breaker-closed" }, { kind: "start", isProbe: true }]);
    expect(kinds([one], first.gate, first.lane)).toEqual(["breaker-closed"]);
  });
});

describe("the rate", () => {
  test("of a deployment binds the others that name a higher one, for a minute", () => {
    const { gate } = reserve(newGate, newLane, [one], context({ rate: 1 }));
    expect(gate).toMatchObject({ rate: 1, rateUntil: now + rateHoldSeconds });
    expect(kinds([one, one], gate, newLane, context({ rate: 4_000 }))).toEqual([0, "no-capacity"]);
    const later = now + rateHoldSeconds;
    const after = reserve(
      gate,
      newLane,
      [one, one],
      context({ rate: 4_000, time: { earliest: later, latest: later } }),
    );
    expect(after.decisions.map(({ kind }) => kind)).toEqual(["start", "start"]);
    expect(after.gate.rate).toBe(4_000);
  });

  test.each([
    [31, true],
    [30, false],
    [29, false],
  ])("that binds for %d more seconds is left as it is: %s", (seconds, isSame) => {
    const gate: GateState = { ...newGate, rate: 10, rateUntil: now + seconds };
    const after = reserve(gate, newLane, [one], context()).gate;
    expect(after === gate).toBe(isSame);
    expect(after.rateUntil).toBe(now + (isSame ? seconds : rateHoldSeconds));
  });

  test("that is lower binds at once", () => {
    const { gate } = reserve(newGate, newLane, [one], context({ rate: 4_000 }));
    expect(reserve(gate, newLane, [one], context({ rate: 10 })).gate.rate).toBe(10);
  });
});

test("a worker that knows the time less exactly leaves the lane free when its batch surely left", () => {
  const { decisions, lane } = reserve(
    newGate,
    newLane,
    [one],
    context({ time: { earliest: now - 0.3, latest: now } }),
  );
  expect(decisions).toEqual([{ kind: "start", at: now, isProbe: false }]);
  // The next may leave a tenth of a second later; what fills a second, only a second after the batch surely left.
  expect(lane.lane.nextFreeAt).toBeCloseTo(now + 0.102, 3);
  expect(lane.lane.recent).toEqual([{ at: now + 0.3, parts: 1 }]);
});

describe("the lane that a worker takes", () => {
  const laneAt = (nextFreeAt: number): LaneState => ({ ...newLane, lane: { ...emptyLane, nextFreeAt } });
  const chosen = (chance: number, ...freeAt: number[]) =>
    laneFor(
      freeAt.map((seconds) => laneAt(now + seconds)),
      now,
      chance,
    );

  test("is the one that is free first", () => {
    expect([0, 0.99].map((chance) => chosen(chance, 7, 5, 6))).toEqual([1, 1]);
  });

  test("is any of those that are free now, by chance", () => {
    expect([0, 0.4, 0.99].map((chance) => chosen(chance, -1, 3, -9))).toEqual([0, 0, 2]);
  });
});
