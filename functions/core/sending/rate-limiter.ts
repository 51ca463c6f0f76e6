/**
 * Keeps one worker's share of `max_sends_per_second`, counted in message parts.
 *
 * At most `SENDER_CONCURRENCY` invocations run at once, and each makes its own limiter when it begins. Everything
 * that a message costs is waited for **before** it leaves, and only time of the same invocation counts. So it
 * does not matter in which execution environment an invocation runs, how many of them there are, or how often
 * they are replaced: the waits of all invocations that follow each other in one of those places never overlap.
 */
import type { Clock } from "../clock.ts";

/** Gives messages their permits, first come, first served. */
export interface RateLimiter {
  /**
   * Resolves when a message of so many parts may go out.
   *
   * @returns undefined where no permit comes in the time that is left: leave the message for another invocation
   */
  acquire(parts: number): Promise<Permit | undefined>;
}

/** A permit. While it is held nobody else gets one; whoever has it departs or releases it. */
export interface Permit {
  /** The message goes out now: the next permit keeps its distance from this moment. */
  depart(): void;
  /** The message does not go: its time is the next one's. After {@link depart} it does nothing. */
  release(): void;
}

/** The way to the service takes now longer, now shorter; messages sent a second apart may arrive closer. */
const evenness = 0.95;

/** Differences of epoch seconds are exact only so far. */
const roundingSeconds = 1e-6;

/** A permit at the very end may come so much late; whoever says when the end is keeps more in reserve. */
const latenessSeconds = 1;

/**
 * A rate limiter without bursts: between the departure before, or the start of the invocation, and a message lies the
 * time that the message's parts cost. In any stretch of time that is at most the rate plus one message.
 *
 * A message that costs more than an invocation's whole time has to wait for no more than that, first in line:
 * it would never be sent otherwise. With two workers of 18 s those are messages of more parts than 8.5 times
 * `max_sends_per_second`; they alone can exceed the rate.
 *
 * @param partsPerSecond this worker's share, > 0
 * @param until epoch seconds after which no message may go out
 */
export function steadyRateLimiter(partsPerSecond: number, clock: Clock, until: number): RateLimiter {
  const startedAt = clock.now();
  const rate = partsPerSecond * evenness;
  let departedAt = startedAt;
  let line: Promise<void> = Promise.resolve();

  /** Waits for the moment of a message of this cost; false where it comes too late. */
  async function waitFor(cost: number): Promise<boolean> {
    if (clock.now() >= until) return false;
    const turnAt = departedAt + cost;
    if (turnAt > until + roundingSeconds) return false;
    // A timer may fire a little early.
    for (let rest = turnAt - clock.now(); rest > roundingSeconds; rest = turnAt - clock.now()) {
      await clock.sleep(rest);
    }
    return clock.now() <= until + latenessSeconds;
  }

  return {
    async acquire(parts) {
      const before = line;
      const { promise, resolve: next } = Promise.withResolvers<void>();
      line = promise;
      await before;
      if (!(await waitFor(Math.min(parts / rate, until - startedAt)))) {
        next();
        return undefined;
      }
      return {
        depart() {
          departedAt = clock.now();
          next();
        },
        release: next,
      };
    },
  };
}
