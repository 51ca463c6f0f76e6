import fc from "fast-check";
import {
  emptyLane,
  handedOver,
  type Lane,
  type LaneRate,
  laneCount,
  planStarts,
  rateOfLane,
  type Start,
} from "../../../../functions/core/sending/gate/send-times.ts";

const rates = fc.oneof(
  fc.constantFrom(0.2, 0.5, 1, 3, 5, 7, 10, 15, 25, 95, 100, 1_000, 4_000),
  fc.integer({ min: 1, max: 4_000 }),
);
const parts = fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, fc.integer({ min: 1, max: 24 }));

/** A worker that takes a batch: when it asks, and how late its sends are by the time that all share. */
const batchOf = (uncertainty: fc.Arbitrary<number>) =>
  fc.record({
    idleSeconds: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 3, noNaN: true })),
    uncertainty,
    lateness: fc.double({ min: 0, max: 1, noNaN: true }),
    parts: fc.array(parts, { minLength: 1, maxLength: 30 }),
  });

const batches = fc.array(batchOf(fc.constantFrom(0, 0.01, 0.05, 0.5, 2)), { minLength: 1, maxLength: 12 });

/** When the messages of these batches leave one lane, by the time that all share. */
function departuresOf(given: readonly Batch[], rate: LaneRate): Start[] {
  const left: Start[] = [];
  let lane: Lane = emptyLane;
  let now = 1_800_000_000;
  for (const { idleSeconds, uncertainty, lateness, parts } of given) {
    now += idleSeconds;
    const plan = planStarts(lane, rate, now, parts, anyWait);
    // Of what may leave late after its time, the windows have room for a fiftieth of a second.
    left.push(...plan.starts.map((start) => ({ ...start, at: start.at + lateness * (uncertainty + 0.02) })));
    lane = handedOver(plan.lane, rate, { count: plan.starts.length, lateBy: uncertainty });
  }
  return left.sort((one, other) => one.at - other.at);
}

type Batch = typeof batches extends fc.Arbitrary<readonly (infer One)[]> ? One : never;

const anyWait = (): boolean => true;

/** The most parts that start in any second; one message alone counts as no more than the ceiling. */
function peakOf(starts: readonly Start[], ceiling: number): number {
  const sorted = [...starts].sort((a, b) => a.at - b.at);
  return Math.max(
    0,
    ...sorted.map((first, index) => {
      let held = 0;
      for (const [behind, { at, parts }] of sorted.slice(index).entries()) {
        // A double holds epoch seconds to a quarter of a microsecond.
        if (at >= first.at + 1 - 1e-5) break;
        held = behind === 0 ? Math.min(parts, ceiling) : held + parts;
      }
      return held;
    }),
  );
}

describe("the starts that a lane gives to all batches of all workers", () => {
  test("hold the ceiling in every second, whatever the clocks of the workers", () => {
    fc.assert(
      fc.property(rates, batches, (rate, given) => {
        const lanes = laneCount(rate);
        const starts: Start[] = [];
        for (let laneNumber = 0; laneNumber < Math.min(lanes, 3); laneNumber += 1) {
          const laneRate = rateOfLane(rate, laneNumber);
          const left = departuresOf(given, laneRate);
          const ceiling = Math.max(1, laneRate.partsPerWindow);
          expect(peakOf(left, ceiling)).toBeLessThanOrEqual(ceiling);
          starts.push(...left);
        }
        expect(peakOf(starts, Math.max(1, rate))).toBeLessThanOrEqual(Math.max(1, Math.floor(rate)));
      }),
      { numRuns: 300 },
    );
  });

  test("hold it over longer times too: what there is room for, and one message more", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(0.2, 0.5, 1, 3, 7, 10, 25, 150),
        fc.array(batchOf(fc.constantFrom(0, 0.01, 0.05, 0.5, 2)), { minLength: 1, maxLength: 12 }),
        (rate, given) => {
          const left = departuresOf(given, rateOfLane(rate, 0));
          // A rate below 1 lets one part through in so many seconds.
          const [most, unit] = rate < 1 ? [1, 1 / rate] : [rate, 1];
          const tooSoon = left.filter(({ at }, first) => {
            let [all, largest] = [0, 0];
            return left.slice(first).some(({ at: next, parts }) => {
              [all, largest] = [all + parts, Math.max(largest, parts)];
              // A double holds epoch seconds to a quarter of a microsecond.
              return next - at >= unit - 1e-5 && all - largest > (most / unit) * (next - at + 1e-5);
            });
          });
          expect(tooSoon).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });

  test.each([
    [0.5, 1, 0.5],
    [1, 1, 1],
    [10, 1, 10],
    // Three messages of three parts, not three and a third.
    [10, 3, 9],
    [15, 11, 11],
    [25, 11, 22],
    [95, 11, 88],
    [100, 1, 100],
  ])("at %s a second and %s parts use 97 %% of what a second holds: %s", (rate, partsOfOne, best) => {
    const laneRate = rateOfLane(rate, 0);
    const { starts } = planStarts(emptyLane, laneRate, 1_800_000_000, Array(400).fill(partsOfOne), anyWait);
    const seconds = (starts.at(-1)?.at ?? 0) - (starts[0]?.at ?? 0);
    expect((399 * partsOfOne) / seconds / best).toBeGreaterThan(0.97);
    expect((399 * partsOfOne) / seconds / best).toBeLessThanOrEqual(1);
  });

  test("are as many as a worker may wait for, from the first on", () => {
    const plan = planStarts(emptyLane, rateOfLane(1, 0), 100, [1, 1, 1, 1], (wait) => wait <= 2.5);
    expect(plan.starts.map(({ at }) => at)).toEqual([100, 101.02, 102.04]);
    expect(plan.lane.nextFreeAt).toBeCloseTo(103.06, 4);
  });

  test.each([
    [100, 10],
    [500, 5],
    [500, 0.2],
  ])("after a rate of %s in full, one of %s begins when its window is free", (high, low) => {
    const { lane } = planStarts(emptyLane, rateOfLane(high, 0), 1_800_000_000, Array(1_500).fill(1), anyWait);
    const last = lane.recent.at(-1)?.at ?? 0;
    const lower = rateOfLane(low, 0);

    const { starts } = planStarts(lane, lower, 1_800_000_000, [1], anyWait);

    expect((starts[0]?.at ?? 0) - last).toBeGreaterThanOrEqual(lower.windowSeconds);
    expect((starts[0]?.at ?? 0) - last).toBeLessThan(lower.windowSeconds + 0.1);
  });

  test("are none, and nothing is taken, where the first is too long to wait for", () => {
    const busy: Lane = { nextFreeAt: 200, recent: [{ at: 199, parts: 1 }] };
    expect(planStarts(busy, rateOfLane(1, 0), 100, [1], (wait) => wait < 99)).toEqual({
      starts: [],
      lane: busy,
    });
  });
});

test.each([
  [0.2, 1],
  [1, 1],
  [100, 1],
  [500, 1],
  [501, 2],
  [4_000, 8],
])("a rate of %s has %s lanes, which together let its whole parts through", (rate, lanes) => {
  expect(laneCount(rate)).toBe(lanes);
  const all = Array.from({ length: lanes }, (_, lane) => rateOfLane(rate, lane).partsPerWindow);
  expect(all.reduce((sum, one) => sum + one, 0)).toBe(Math.max(1, Math.floor(rate)));
});

describe("a message of more parts than a window holds", () => {
  test("keeps the next away for as long as its parts take, from when it surely has left", () => {
    // Its worker may have been two seconds late.
    const lane: Lane = { nextFreeAt: 103.74, recent: [{ at: 102, parts: 11 }] };
    expect(planStarts(lane, rateOfLane(3, 0), 100, [1], anyWait).starts).toEqual([{ at: 105.74, parts: 1 }]);
  });
});

describe("what the next worker sees of a lane", () => {
  const remaining = (recent: readonly Start[], nextFreeAt: number, count: number, lateBy = 0, rate = 1) =>
    handedOver({ nextFreeAt, recent }, rateOfLane(rate, 0), { count, lateBy }).recent;
  const at = (...times: number[]): Start[] => times.map((time) => ({ at: time, parts: 1 }));

  test("is no start whose window is over when the lane is free again", () => {
    expect(remaining(at(100, 110), 111.02, 1)).toEqual([]);
    expect(remaining(at(100, 110), 111.01, 1)).toEqual(at(110));
  });

  test("is the last of a batch that fills its windows itself, as late as it may be", () => {
    expect(remaining(at(100, 101.02, 102.04), 103.06, 3, 2)).toEqual(at(104.04));
  });

  test("is what others have started, too, where the new starts do not stand for it", () => {
    expect(remaining(at(104.5, 105.02), 106.04, 1, 0.1)).toEqual(at(104.5, 105.12));
  });

  test("is a message of many parts for as long as they take", () => {
    const long = [{ at: 100, parts: 11 }];
    expect(remaining(long, 103.74, 1, 0.5, 3)).toEqual([{ at: 100.5, parts: 11 }]);
    expect(remaining(long, 103.74, 1, 0, 3)).toEqual([]);
  });
});
