/** Time that passes only when everybody waits for it: hours of many workers in seconds. */
import type { Clock } from "../../functions/core/clock.ts";

/** A clock, and the hand that turns it. */
export interface VirtualTime extends Clock {
  /** Lets time pass from one sleeper to the next until nobody sleeps any more, or the test is over. */
  run(): Promise<void>;
}

let testsBefore = 0;
// The runner of the mutation check knows no hooks; there a test has all the time that it needs.
if (typeof afterEach === "function") {
  afterEach(() => {
    testsBefore += 1;
  });
}

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** A virtual clock that begins at `now`. Sleepers of the same moment wake in the order in which they fell asleep. */
export function virtualTime(now: number): VirtualTime {
  const sleepers: Sleeper[] = [];
  const own = testsBefore;
  return {
    now: () => now,
    sleep: (seconds) =>
      new Promise((wake) => {
        insert(sleepers, { at: now + Math.max(0, seconds), wake });
      }),
    async run() {
      for (;;) {
        // Every reaction of those who are awake, up to their next sleep.
        await new Promise(setImmediate);
        // A test whose time is over goes on in the background, and would take the time of the next ones. Here it
        // waits for ever; an error would only make fast-check look for a shorter one.
        if (testsBefore !== own) await new Promise(() => {});
        const next = sleepers.pop();
        if (next === undefined) return;
        now = Math.max(now, next.at);
        next.wake();
      }
    },
  };
}

/** Keeps the next one to wake at the end; among equals the first to come is nearer to it. */
function insert(sleepers: Sleeper[], sleeper: Sleeper): void {
  let low = 0;
  let high = sleepers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sleepers[middle] as Sleeper).at > sleeper.at) low = middle + 1;
    else high = middle;
  }
  sleepers.splice(low, 0, sleeper);
}
