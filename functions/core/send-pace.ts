/**
 * Keeps one worker's share of `max_sends_per_second`, counted in message parts.
 *
 * At most `SENDER_CONCURRENCY` invocations run at once, and each makes its own pace when it begins. Everything
 * that a message costs is waited for **before** it leaves, and only time of the same invocation counts. So it
 * does not matter in which execution environment an invocation runs, how many of them there are, or how often
 * they are replaced: the waits of all invocations that follow each other in one of those places never overlap.
 */
import type { Clock } from "./clock.ts";
import { partsOf } from "./message-parts.ts";

/** The line in which messages wait for their turn. */
export interface SendPace {
  /**
   * Resolves when it is time to get a message ready, which is shortly before its turn: first come, first served.
   * Nothing is known of the message yet; it counts as one part until {@link Place.turn} says more.
   *
   * @returns undefined where no turn comes in the time that is left: leave the message for another invocation
   */
  queueUp(): Promise<Place | undefined>;
}

/** A place in the line. Whoever has one ends by a turn or leaves. */
export interface Place {
  /**
   * Resolves when a message with this body may go out: now, not later.
   *
   * @returns false at once where the turn would come too late: the message must not go out
   */
  turn(body: string): Promise<boolean>;
  /** Makes room for the next one, who takes the turn over; after a turn it does nothing. */
  leave(): void;
}

/** The way to the service takes now longer, now shorter; messages sent a second apart may arrive closer. */
const evenness = 0.95;

/** How long a message may wait ready, i.e. claimed, for its turn: enough for a slow claim. */
const readySeconds = 0.5;

/** Differences of epoch seconds are exact only so far. */
const roundingSeconds = 1e-6;

/** A turn at the very end may come so much late; whoever says when the end is keeps more in reserve. */
const latenessSeconds = 1;

/**
 * A pace without bursts: between the departure before, or the start of the invocation, and a message lies the
 * time that the message's parts cost. In any stretch of time that is at most the rate plus one message.
 *
 * A message that costs more than an invocation's whole time has to wait for no more than that, first in line:
 * it would never be sent otherwise. With two workers of 18 s those are messages of more parts than 8.5 times
 * `max_sends_per_second`; they alone can exceed the rate.
 *
 * @param partsPerSecond this worker's share, > 0
 * @param until epoch seconds after which no message may go out
 */
export function steadyPace(partsPerSecond: number, clock: Clock, until: number): SendPace {
  const startedAt = clock.now();
  const rate = partsPerSecond * evenness;
  const mostReady = 1 + Math.ceil(rate * readySeconds);
  const waiting: (() => void)[] = [];
  let ready = 0;
  let departedAt = startedAt;
  let gate: Promise<unknown> = Promise.resolve();

  const costOf = (parts: number): number => Math.min(parts / rate, until - startedAt);
  const isTooLate = (turnAt: number): boolean => turnAt > until + roundingSeconds;

  function makeRoom(): void {
    const next = waiting.shift();
    // The place goes from hand to hand, so that nobody slips in between.
    if (next === undefined) ready -= 1;
    else next();
  }

  async function depart(parts: number): Promise<boolean> {
    const turnAt = departedAt + costOf(parts);
    if (isTooLate(turnAt)) return false;
    // A timer may fire a little early.
    for (let rest = turnAt - clock.now(); rest > roundingSeconds; rest = turnAt - clock.now()) {
      await clock.sleep(rest);
    }
    // A turn that comes late does not shorten the way to the next one.
    departedAt = Math.max(turnAt, clock.now());
    return departedAt <= until + latenessSeconds;
  }

  return {
    async queueUp() {
      if (ready < mostReady) ready += 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      if (clock.now() >= until || isTooLate(departedAt + (ready - 1) / rate + costOf(1))) {
        makeRoom();
        return undefined;
      }
      let isInLine = true;
      const leave = () => {
        if (isInLine) makeRoom();
        isInLine = false;
      };
      return {
        leave,
        async turn(body) {
          const departure = gate.then(() => depart(partsOf(body)));
          gate = departure;
          const isInTime = await departure;
          if (isInTime) leave();
          return isInTime;
        },
      };
    },
  };
}
