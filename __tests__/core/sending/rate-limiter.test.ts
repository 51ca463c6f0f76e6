/** The ceiling on sends: one worker's line, and many workers that come and go. No test waits for real time. */
import fc from "fast-check";
import {
  type Permit,
  type RateLimiter,
  steadyRateLimiter,
} from "../../../functions/core/sending/rate-limiter.ts";
import type { VirtualClock } from "../../../local/virtual-clock.ts";
import { virtualTime } from "../../support/virtual-time.ts";

/** How long an invocation may send. */
const sendSeconds = 18;

interface Departure {
  readonly at: number;
  readonly parts: number;
}

/** A message of a batch: what it costs, how long its claim takes, and whether the claim succeeds. */
interface Sending {
  readonly parts: number;
  readonly holdSeconds: number;
  readonly isClaimed: boolean;
}

interface Invocation {
  readonly idle: number;
  readonly messages: readonly Sending[];
}

const quick = (parts: number): Sending => ({ parts, holdSeconds: 0, isClaimed: true });

/** Gets a permit, holds it while the message is claimed, and departs or releases it. */
async function send(
  { parts, holdSeconds, isClaimed }: Sending,
  rateLimiter: RateLimiter,
  time: VirtualClock,
  departed: (departure: Departure) => void,
): Promise<void> {
  const permit = await rateLimiter.acquire(parts);
  if (permit === undefined) return;
  if (holdSeconds > 0) await time.sleep(holdSeconds);
  if (isClaimed) {
    permit.depart();
    departed({ at: time.now(), parts });
  }
  // As the resend worker does at last, whatever came before.
  permit.release();
}

/**
 * Runs invocations one after the other, as one of the places of an event source mapping does; each handles its
 * messages at once. The execution environment is always another one: nothing is remembered.
 */
async function runPlace(
  time: VirtualClock,
  partsPerSecond: number,
  invocations: readonly Invocation[],
  departed: (departure: Departure) => void,
): Promise<void> {
  for (const { idle, messages } of invocations) {
    await time.sleep(idle);
    const rateLimiter = steadyRateLimiter(partsPerSecond, time, time.now() + sendSeconds);
    await Promise.all(messages.map((message) => send(message, rateLimiter, time, departed)));
  }
}

/** From 0.2 to 4 000 parts a second, as likely between 1 and 10 as between 100 and 1 000. */
const rates = fc.double({ min: 0, max: 1, noNaN: true }).map((share) => 0.2 * 20_000 ** share);

/** A claim is quick, but may take as long as all permits of a batch together. */
const holdSeconds = fc.oneof(
  { weight: 4, arbitrary: fc.double({ min: 0, max: 0.05, noNaN: true }) },
  { weight: 1, arbitrary: fc.double({ min: 0, max: 3, noNaN: true }) },
  { weight: 1, arbitrary: fc.constant(0) },
);

const invocations = (mostParts: number) =>
  fc.array(
    fc.record({
      idle: fc.double({ min: 0, max: 3, noNaN: true }),
      messages: fc.array(
        fc.record({
          parts: fc.integer({ min: 1, max: mostParts }),
          holdSeconds,
          isClaimed: fc.integer({ min: 0, max: 4 }).map((luck) => luck > 0),
        }),
        { maxLength: 8 },
      ),
    }),
    { minLength: 1, maxLength: 5 },
  );

/** The messages without those that cost more than a whole invocation has; these are a case of their own. */
function affordable(place: readonly Invocation[], share: number): Invocation[] {
  const most = Math.max(1, Math.floor(share * 0.95 * sendSeconds));
  return place.map(({ idle, messages }) => ({
    idle,
    messages: messages.map((message) => ({ ...message, parts: Math.min(message.parts, most) })),
  }));
}

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
  test("is measured by a rule that sees a burst, and a send too early", () => {
    expect(
      excessOf(
        [1, 2, 3].map((at) => ({ at, parts: 1 })),
        1,
      ),
    ).toBe(0);
    expect(
      excessOf(
        [1, 2, 2.5].map((at) => ({ at, parts: 1 })),
        1,
      ),
    ).toBe(0.5);
    expect(
      excessOf(
        [
          { at: 1, parts: 1 },
          { at: 2, parts: 5 },
        ],
        1,
      ),
    ).toBe(4);
    expect(
      excessOf(
        [1, 1, 1, 9].map((at) => ({ at, parts: 1 })),
        1,
      ),
    ).toBe(2);
  });

  test("holds over all workers: in any T seconds T times the rate, plus one message per worker", async () => {
    await fc.assert(
      fc.asyncProperty(
        rates,
        fc.array(invocations(10), { minLength: 2, maxLength: 4 }),
        async (rate, all) => {
          // As few workers as there can be where the rate is low: the share of each pays for one part in 18 s.
          const places = rate < 1 ? all.slice(0, 2) : all;
          const time = virtualTime(1_000);
          const departures: Departure[] = [];
          const share = rate / places.length;
          const runs = places.map((place) =>
            runPlace(time, share, affordable(place, share), (departure) => departures.push(departure)),
          );
          await Promise.all([...runs, time.run()]);
          const longest = Math.max(0, ...departures.map(({ parts }) => parts));
          // The first message of a stretch is free in each place; excessOf leaves one of them out already.
          const allowed = (places.length - 1) * longest + rate * 1e-6 + 1e-3;
          expect(excessOf(departures, rate)).toBeLessThanOrEqual(allowed);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("holds for one worker to the message, however long a permit is held", async () => {
    await fc.assert(
      fc.asyncProperty(rates, invocations(10), async (rate, place) => {
        const share = rate / 2;
        const time = virtualTime(1_000);
        const departures: Departure[] = [];
        await Promise.all([
          runPlace(time, share, affordable(place, share), (departure) => departures.push(departure)),
          time.run(),
        ]);
        expect(excessOf(departures, share)).toBeLessThanOrEqual(share * 1e-6 + 1e-3);
      }),
      { numRuns: 150 },
    );
  });

  test("is kept by one permit at a time, first come, first served", async () => {
    await fc.assert(
      fc.asyncProperty(rates, invocations(3), async (rate, [invocation]) => {
        const time = virtualTime(1_000);
        const rateLimiter = steadyRateLimiter(rate / 2, time, time.now() + sendSeconds);
        let held = 0;
        const order: number[] = [];
        const runs = (invocation?.messages ?? []).map(async ({ parts, holdSeconds, isClaimed }, index) => {
          const permit = await rateLimiter.acquire(parts);
          if (permit === undefined) return;
          held += 1;
          order.push(index);
          expect(held).toBe(1);
          await time.sleep(holdSeconds);
          held -= 1;
          if (isClaimed) permit.depart();
          permit.release();
        });
        await Promise.all([...runs, time.run()]);
        expect(order).toEqual([...order].sort((a, b) => a - b));
      }),
      { numRuns: 60 },
    );
  });

  test("holds although every invocation runs in a new execution environment", async () => {
    const time = virtualTime(0);
    const departures: Departure[] = [];
    const churn = Array.from({ length: 60 }, () => ({ idle: 0, messages: [quick(1)] }));
    await Promise.all([runPlace(time, 2, churn, (departure) => departures.push(departure)), time.run()]);
    expect(departures).toHaveLength(60);
    expect(time.now()).toBeGreaterThan(30);
  });

  test("is used: full batches, whose claims take 5 ms, go out at more than nine tenths of it", async () => {
    const time = virtualTime(0);
    const departures: Departure[] = [];
    const claimed = { ...quick(1), holdSeconds: 0.005 };
    const busy = Array.from({ length: 20 }, () => ({ idle: 0.01, messages: Array(10).fill(claimed) }));
    await Promise.all([runPlace(time, 5, busy, (departure) => departures.push(departure)), time.run()]);
    expect(departures).toHaveLength(200);
    expect(200 / time.now()).toBeGreaterThan(5 * 0.9);
  });

  test.each([0.2, 1, 10, 4_000])(
    "of %f per second is used by two workers whose batches fit",
    async (rate) => {
      const time = virtualTime(0);
      const departures: Departure[] = [];
      const size = Math.max(1, Math.min(10, Math.floor(rate * 8)));
      const batches = Array.from({ length: 10 }, () => ({ idle: 0, messages: Array(size).fill(quick(1)) }));
      const run = () => runPlace(time, rate / 2, batches, (departure) => departures.push(departure));
      await Promise.all([run(), run(), time.run()]);
      expect(departures).toHaveLength(20 * size);
      expect(departures.length / time.now()).toBeGreaterThan(rate * 0.94);
      expect(departures.length / time.now()).toBeLessThanOrEqual(rate);
    },
  );
});

describe("a permit", () => {
  /** What a message does with its permit: it departs after so many seconds, or releases it after them. */
  type Use =
    | number
    | { readonly parts: number; readonly departsAfter?: number; readonly releasesAfter?: number };

  /** Lets messages of a batch wait for their permits, and tells what became of each, by the second. */
  async function batch(partsPerSecond: number, seconds: number, messages: readonly Use[]) {
    const time = virtualTime(100);
    const rateLimiter = steadyRateLimiter(partsPerSecond / 0.95, time, 100 + seconds);
    const at = () => Number((time.now() - 100).toFixed(2));
    const outcomes: string[] = [];
    const runs = messages.map(async (message, index) => {
      const use = typeof message === "number" ? { parts: message } : message;
      const permit = await rateLimiter.acquire(use.parts);
      if (permit === undefined) {
        outcomes[index] = "no permit";
        return;
      }
      const came = at();
      await time.sleep(use.departsAfter ?? use.releasesAfter ?? 0);
      if (use.releasesAfter === undefined) permit.depart();
      permit.release();
      outcomes[index] = use.releasesAfter === undefined ? `at ${came}` : `released at ${at()}`;
    });
    await Promise.all([...runs, time.run()]);
    return outcomes;
  }

  test("comes after the message's own parts are paid for", async () => {
    expect(await batch(1, 18, [1, 3, 1])).toEqual(["at 1", "at 4", "at 5"]);
  });

  test("that would come too late is none", async () => {
    expect(await batch(0.25, 18, [1, 1, 1, 1, 1, 1])).toEqual([
      "at 4",
      "at 8",
      "at 12",
      "at 16",
      "no permit",
      "no permit",
    ]);
  });

  test("at the very end is one, later is none", async () => {
    expect(await batch(1, 18, [17, 1])).toEqual(["at 17", "at 18"]);
    expect(await batch(1, 18, [{ parts: 17, departsAfter: 0.01 }, 1])).toEqual(["at 17", "no permit"]);
  });

  test("of a long message that would come too late is none; shorter ones behind it have theirs", async () => {
    expect(await batch(1, 18, [5, 14, 5])).toEqual(["at 5", "no permit", "at 10"]);
    expect(await batch(1, 18, [1, 17, 17, 1])).toEqual(["at 1", "at 18", "no permit", "no permit"]);
  });

  test("of a message that costs more than all the time there is comes at the end of it", async () => {
    expect(await batch(0.25, 18, [10])).toEqual(["at 18"]);
    expect(await batch(0.25, 18, [1, 10, 1])).toEqual(["at 4", "no permit", "at 8"]);
  });

  test("keeps its distance from the departure before, not from the permit before", async () => {
    expect(await batch(1, 18, [{ parts: 1, departsAfter: 2.5 }, 1, 2])).toEqual(["at 1", "at 4.5", "at 6.5"]);
  });

  test("that is released is the next one's, whose wait has passed already", async () => {
    const back = { parts: 1, releasesAfter: 0 };
    expect(await batch(1, 18, [back, back, 1, back, 1])).toEqual([
      "released at 1",
      "released at 1",
      "at 1",
      "released at 2",
      "at 2",
    ]);
    expect(await batch(1, 18, [{ parts: 1, releasesAfter: 0.5 }, 1, 1])).toEqual([
      "released at 1.5",
      "at 1.5",
      "at 2.5",
    ]);
  });

  test("that is released by a long message costs a shorter one nothing more", async () => {
    expect(await batch(1, 18, [{ parts: 5, releasesAfter: 0 }, 2, 1])).toEqual([
      "released at 5",
      "at 5",
      "at 6",
    ]);
    expect(await batch(1, 18, [{ parts: 1, releasesAfter: 0 }, 3])).toEqual(["released at 1", "at 3"]);
  });

  test("is over with its departure: a release after it, however late, moves nobody", async () => {
    const time = virtualTime(100);
    const rateLimiter = steadyRateLimiter(1 / 0.95, time, 118);
    const departures: number[] = [];
    const late: Permit[] = [];
    const one = async () => {
      const permit = await rateLimiter.acquire(1);
      permit?.depart();
      departures.push(Math.round(time.now() - 100));
      if (permit !== undefined) late.push(permit);
      for (const gone of late) gone.release();
    };
    await Promise.all([one(), one(), one(), time.run()]);
    expect(departures).toEqual([1, 2, 3]);
  });

  test("is there for whoever comes after a pause, at once where the time has passed", async () => {
    const time = virtualTime(100);
    const rateLimiter = steadyRateLimiter(1 / 0.95, time, 118);
    const departures: number[] = [];
    const run = async () => {
      for (const pause of [0, 5, 0]) {
        await time.sleep(pause);
        (await rateLimiter.acquire(1))?.depart();
        departures.push(Math.round(time.now() - 100));
      }
    };
    await Promise.all([run(), time.run()]);
    // No time is saved up: the third one waits a whole second again.
    expect(departures).toEqual([1, 6, 7]);
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
    const rateLimiter = steadyRateLimiter(1 / 0.95, sleepy, 118);
    const departures: number[] = [];
    const one = async () => {
      (await rateLimiter.acquire(1))?.depart();
      departures.push(Number((time.now() - 100).toFixed(3)));
    };
    await Promise.all([one(), one(), time.run()]);
    expect(departures).toEqual([6, 7]);
  });

  test("is not early where timers are", async () => {
    const time = virtualTime(100);
    const hasty = { now: time.now, sleep: (seconds: number) => time.sleep(seconds * 0.9) };
    const rateLimiter = steadyRateLimiter(1 / 0.95, hasty, 118);
    await Promise.all([rateLimiter.acquire(2), time.run()]);
    expect(time.now()).toBeCloseTo(102, 5);
  });

  test.each([
    [1, true],
    [1.5, false],
  ])("that comes %f s after the end is one: %s", async (seconds, isTaken) => {
    const time = virtualTime(100);
    const sleepy = { now: time.now, sleep: () => time.sleep(sendSeconds + seconds) };
    const rateLimiter = steadyRateLimiter(1 / 0.95, sleepy, 118);
    const [permit] = await Promise.all([rateLimiter.acquire(1), time.run()]);
    expect(permit !== undefined).toBe(isTaken);
  });

  test("that came too late lets those behind it know", async () => {
    const time = virtualTime(100);
    const sleepy = { now: time.now, sleep: () => time.sleep(sendSeconds + 2) };
    const rateLimiter = steadyRateLimiter(1 / 0.95, sleepy, 118);
    const [first, second] = await Promise.all([rateLimiter.acquire(1), rateLimiter.acquire(1), time.run()]);
    expect([first, second]).toEqual([undefined, undefined]);
  });

  test("is not to be had at the end, nor after it", async () => {
    expect(await steadyRateLimiter(1, virtualTime(118), 118).acquire(1)).toBeUndefined();
    expect(await steadyRateLimiter(1, virtualTime(119), 118).acquire(1)).toBeUndefined();
  });
});
