/** Time that passes only as fast as everybody is done with it: hours of many workers in seconds. */
import type { Clock } from "../functions/core/clock.ts";

/** A clock, and the hand that turns it. */
export interface VirtualClock extends Clock {
  /** Calls this at a time, or as the next thing that happens if that is past. */
  at(time: number, fire: () => void): void;
  /** When the next timer is due; undefined = none is set. */
  next(): number | undefined;
  /** Lets this many seconds pass at once: timers that fall into them fire late, with the next step. */
  advance(seconds: number): void;
  /** Moves to the next timer and fires it. Where none is due until then, moves there and is false. */
  step(until?: number): boolean;
  /** Lets time pass from one timer to the next, and everybody react in between, until none is left until then. */
  run(until?: number): Promise<void>;
}

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
}

/**
 * A clock that begins at `now`, in epoch seconds. Timers of the same moment fire in the order of their making.
 *
 * @param settled resolves when everybody who is awake has come to the next sleep or call; by default after the
 *   microtasks
 */
export function virtualClock(
  now: number,
  settled: () => Promise<unknown> = () => new Promise(setImmediate),
): VirtualClock {
  const timers = timerHeap();
  let order = 0;
  const clock: VirtualClock = {
    now: () => now,
    sleep: (seconds, signal) =>
      new Promise((resolve) => {
        signal?.addEventListener("abort", () => resolve());
        if (signal?.aborted === true) resolve();
        else clock.at(now + seconds, resolve);
      }),
    at: (time, fire) => timers.add({ at: Math.max(time, now), order: order++, fire }),
    next: () => timers.first()?.at,
    advance(seconds) {
      now += seconds;
    },
    step(until = Number.POSITIVE_INFINITY) {
      const first = timers.first();
      const isDue = first !== undefined && first.at <= until;
      if (isDue) timers.removeFirst();
      const time = isDue ? first.at : until;
      if (Number.isFinite(time)) now = Math.max(now, time);
      if (isDue) first.fire();
      return isDue;
    },
    async run(until) {
      do await settled();
      while (clock.step(until));
    },
  };
  return clock;
}

/** A heap of timers, the first to fire on top. */
function timerHeap() {
  const heap: Timer[] = [];
  const isBefore = (one: Timer, other: Timer): boolean =>
    one.at < other.at || (one.at === other.at && one.order < other.order);
  const timerAt = (index: number): Timer => heap[index] as Timer;
  const put = (timer: Timer, index: number): void => {
    heap[index] = timer;
  };

  return {
    first: (): Timer | undefined => heap[0],
    add(timer: Timer): void {
      let index = heap.length;
      for (
        let parent = (index - 1) >> 1;
        index > 0 && isBefore(timer, timerAt(parent));
        parent = (index - 1) >> 1
      ) {
        put(timerAt(parent), index);
        index = parent;
      }
      put(timer, index);
    },
    removeFirst(): void {
      const last = heap.pop();
      if (last === undefined || heap.length === 0) return;
      let index = 0;
      for (;;) {
        let child = 2 * index + 1;
        if (child + 1 < heap.length && isBefore(timerAt(child + 1), timerAt(child))) child += 1;
        if (child >= heap.length || !isBefore(timerAt(child), last)) break;
        put(timerAt(child), index);
        index = child;
      }
      put(last, index);
    },
  };
}
