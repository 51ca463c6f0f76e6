/** The ceiling on sends: one worker's line, and many workers that come and go. */
import fc from "fast-check";
import { steadyPace } from "../../functions/core/send-pace.ts";
import { type VirtualTime, virtualTime } from "../support/virtual-time.ts";

/** A body of this many GSM-7 parts. */
const bodyOf = (parts: number): string => "x".repeat(parts === 1 ? 160 : parts * 153);

interface Departure {
  readonly at: number;
  readonly parts: number;
}

/**
 * Runs invocations one after the other, as one of the places of an event source mapping does; each handles its
 * messages at once. The execution environment is always another one: nothing is remembered.
 */
async function runPlace(
  time: VirtualTime,
  partsPerSecond: number,
  invocations: readonly { readonly idle: number; readonly messages: readonly number[] }[],
  departed: (departure: Departure) => void,
): Promise<void> {
  for (const { idle, messages } of invocations) {
    await time.sleep(idle);
    const pace = steadyPace(partsPerSecond, time, time.now() + 18);
    await Promise.all(
      messages.map(async (parts) => {
        const place = await pace.queueUp();
        if (place === undefined) return;
        // The claim takes a while; a part of the claims is refused.
        await time.sleep((parts % 3) / 50);
        if (parts < 0) return place.leave();
        if (await place.turn(bodyOf(parts))) departed({ at: time.now(), parts });
        else place.leave();
      }),
    );
  }
}

const invocations = (mostParts: number) =>
  fc.array(
    fc.record({
      idle: fc.double({ min: 0, max: 3, noNaN: true }),
      // Minus one stands for a message whose claim is refused.
      messages: fc.array(fc.oneof(fc.integer({ min: 1, max: mostParts }), fc.constant(-1)), {
        maxLength: 10,
      }),
    }),
    { minLength: 1, maxLength: 8 },
  );

/** The most parts that depart in any stretch of time beyond what the rate allows, less the stretch's first message. */
function excessOf(departures: readonly Departure[], partsPerSecond: number): number {
  let excess = 0;
  let sum = 0;
  let least = Number.POSITIVE_INFINITY;
  for (const { at, parts } of departures) {
    sum += parts;
    const ahead = sum - at * partsPerSecond;
    least = Math.min(least, ahead);
    excess = Math.max(excess, ahead - least);
  }
  return excess;
}

describe("the ceiling on sends", () => {
  test("holds over all workers: in any stretch of T seconds T times the rate, plus one message per worker", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 1.2, max: 200, noNaN: true }),
        fc.array(invocations(10), { minLength: 2, maxLength: 4 }),
        async (rate, places) => {
          const time = virtualTime(1_000);
          const departures: Departure[] = [];
          const share = rate / places.length;
          const cheapEnough = Math.max(1, Math.floor(share * 0.95 * 18));
          const runs = places.map((place) => {
            const affordable = place.map(({ idle, messages }) => ({
              idle,
              messages: messages.map((parts) => Math.min(parts, cheapEnough)),
            }));
            return runPlace(time, share, affordable, (departure) => departures.push(departure));
          });
          await Promise.all([...runs, time.run()]);
          const longest = Math.max(0, ...departures.map(({ parts }) => parts));
          // The first message of a stretch is free in each place; excessOf leaves one of them out already.
          expect(excessOf(departures, rate)).toBeLessThanOrEqual((places.length - 1) * longest + 1e-3);
        },
      ),
      { numRuns: 100 },
    );
  });

  test("holds for one worker to the message, whatever comes before and after", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0.6, max: 100, noNaN: true }),
        invocations(10),
        async (share, place) => {
          const time = virtualTime(1_000);
          const departures: Departure[] = [];
          await Promise.all([
            runPlace(time, share, place, (departure) => departures.push(departure)),
            time.run(),
          ]);
          expect(excessOf(departures, share)).toBeLessThanOrEqual(1e-3);
        },
      ),
    );
  });

  test("holds although every invocation runs in a new execution environment", async () => {
    const time = virtualTime(0);
    const departures: Departure[] = [];
    const churn = Array.from({ length: 60 }, () => ({ idle: 0, messages: [1] }));
    await Promise.all([runPlace(time, 2, churn, (departure) => departures.push(departure)), time.run()]);
    expect(departures).toHaveLength(60);
    expect(time.now()).toBeGreaterThan(30);
  });

  test("is used: full batches go out at more than nine tenths of it", async () => {
    const time = virtualTime(0);
    const departures: Departure[] = [];
    const busy = Array.from({ length: 20 }, () => ({ idle: 0.01, messages: Array(10).fill(1) as number[] }));
    await Promise.all([runPlace(time, 5, busy, (departure) => departures.push(departure)), time.run()]);
    expect(departures).toHaveLength(200);
    expect(200 / time.now()).toBeGreaterThan(5 * 0.9);
  });
});

describe("a turn", () => {
  /** Lets messages of a batch queue up, and tells what became of each. */
  async function batch(partsPerSecond: number, seconds: number, messages: readonly number[]) {
    const time = virtualTime(100);
    const pace = steadyPace(partsPerSecond / 0.95, time, 100 + seconds);
    const outcomes: string[] = [];
    await Promise.all([
      ...messages.map(async (parts, index) => {
        const place = await pace.queueUp();
        if (place === undefined) {
          outcomes[index] = "no place";
          return;
        }
        if (parts < 0) {
          place.leave();
          outcomes[index] = "left";
        } else if (await place.turn(bodyOf(parts))) {
          outcomes[index] = `sent at ${Math.round(time.now() - 100)}`;
        } else {
          place.leave();
          outcomes[index] = "too late";
        }
      }),
      time.run(),
    ]);
    return outcomes;
  }

  test("comes after the message's own parts are paid for", async () => {
    expect(await batch(1, 18, [1, 3, 1])).toEqual(["sent at 1", "sent at 4", "sent at 5"]);
  });

  test("that would come too late is refused before anything is claimed", async () => {
    expect(await batch(0.25, 18, [1, 1, 1, 1, 1, 1])).toEqual([
      "sent at 4",
      "sent at 8",
      "sent at 12",
      "sent at 16",
      "no place",
      "no place",
    ]);
  });

  test("of a long message that would come too late is refused, and the others have theirs", async () => {
    expect(await batch(1, 18, [1, 17, 17, 1])).toEqual(["sent at 1", "sent at 18", "too late", "no place"]);
    expect(await batch(1, 18, [5, 14, 5])).toEqual(["sent at 5", "too late", "sent at 10"]);
  });

  test("of a message that costs more than all the time there is comes at the end of it", async () => {
    expect(await batch(0.25, 18, [10])).toEqual(["sent at 18"]);
    expect(await batch(0.25, 18, [1, 10, 1])).toEqual(["sent at 4", "too late", "sent at 8"]);
  });

  test("that is not needed goes to the next one", async () => {
    expect(await batch(1, 18, [-1, -1, 1, -1, 1])).toEqual([
      "left",
      "left",
      "sent at 1",
      "left",
      "sent at 2",
    ]);
  });

  test("is not shortened by one before it that came late", async () => {
    const time = virtualTime(100);
    let isFirst = true;
    const sleepy = {
      now: time.now,
      sleep: async (seconds: number) => {
        await time.sleep(isFirst ? seconds + 5 : seconds);
        isFirst = false;
      },
    };
    const pace = steadyPace(1 / 0.95, sleepy, 118);
    const departures: number[] = [];
    const send = async () => {
      const place = await pace.queueUp();
      if (await place?.turn("x")) departures.push(Number((time.now() - 100).toFixed(3)));
    };
    await Promise.all([send(), send(), time.run()]);
    expect(departures).toEqual([6, 7]);
  });

  test.each([
    [1, "is taken"],
    [1.5, "is refused"],
  ])("that comes %f s after the end %s", async (seconds, outcome) => {
    const time = virtualTime(100);
    const sleepy = { now: time.now, sleep: () => time.sleep(18 + seconds) };
    const pace = steadyPace(1 / 0.95, sleepy, 118);
    const turn = async () => (await pace.queueUp())?.turn("x");
    const [isInTime] = await Promise.all([turn(), time.run()]);
    expect(isInTime).toBe(outcome === "is taken");
  });

  test("is not to be had at the end, nor after it", async () => {
    expect(await steadyPace(1, virtualTime(118), 118).queueUp()).toBeUndefined();
    expect(await steadyPace(1, virtualTime(119), 118).queueUp()).toBeUndefined();
  });

  test("is there again for whoever comes after those who left, however often they say so", async () => {
    const time = virtualTime(100);
    const pace = steadyPace(0.25 / 0.95, time, 118);
    for (let invocation = 0; invocation < 20; invocation += 1) {
      const place = await pace.queueUp();
      for (let times = 0; times < 3; times += 1) place?.leave();
    }
    const outcomes: (boolean | undefined)[] = [];
    const send = async () => {
      const place = await pace.queueUp();
      outcomes.push(await place?.turn("x"));
    };
    await Promise.all([...Array.from({ length: 6 }, send), time.run()]);
    expect(outcomes.filter((isInTime) => isInTime === true)).toHaveLength(4);
    expect(outcomes.filter((isInTime) => isInTime === undefined)).toHaveLength(2);
  });
});
