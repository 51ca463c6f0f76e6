/** A time at which a batch must have its answer, whatever is still under way then. */
import type { Clock } from "../clock.ts";

/** The time that a piece of work has. */
export interface TimeLimit {
  /** Whether the time is over: nothing new is to be begun. */
  isOver(): boolean;
  /** What the work gives, or `undefined` once the time is over. The work goes on, and nobody looks at it any more. */
  within<T>(work: Promise<T>): Promise<T | undefined>;
}

/**
 * Does work that has time until `until`, in epoch seconds. The work must end by itself when its limit is over.
 *
 * @throws what the work throws
 */
export async function inTime<T>(
  until: number,
  clock: Clock,
  work: (limit: TimeLimit) => Promise<T>,
): Promise<T> {
  const end = new AbortController();
  let isOver = false;
  const timeIsOver = clock.sleep(Math.max(0, until - clock.now()), end.signal).then(() => {
    isOver = true;
    return undefined;
  });
  try {
    return await work({
      isOver: () => isOver,
      within: (each) => Promise.race([each, timeIsOver]),
    });
  } finally {
    end.abort();
  }
}
