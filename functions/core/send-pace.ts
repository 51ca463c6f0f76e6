/** Keeps one worker's share of `max_sends_per_second`, counted in message parts. */
import { SegmentedMessage } from "sms-segments-calculator";
import type { Clock } from "./clock.ts";

/** Gives sends their turn. */
export interface SendPace {
  /**
   * Resolves when a message with this body may go out. Concurrent callers queue up.
   *
   * @param until epoch seconds; a turn that would come later is not waited for
   * @returns false at once where the turn would come too late: the message must not go out
   */
  wait(body: string, until: number): Promise<boolean>;
}

/** The number of parts that the service bills and counts: GSM-7 160/153 characters, UCS-2 70/67. */
export function partsOf(body: string): number {
  return Math.max(1, new SegmentedMessage(body).segmentsCount);
}

/**
 * A pace without bursts: after a message the next one waits until the message's parts are paid for.
 *
 * @param partsPerSecond this worker's share, > 0
 * @param clock the pace starts now with a debt of one part, so that workers that come and go often cannot
 *   exceed the rate either
 */
export function steadyPace(partsPerSecond: number, clock: Clock): SendPace {
  let freeAt = clock.now() + Math.min(1 / partsPerSecond, 1);
  return {
    async wait(body, until) {
      const now = clock.now();
      const turn = Math.max(freeAt, now);
      if (turn > until) return false;
      freeAt = turn + partsOf(body) / partsPerSecond;
      if (turn > now) await clock.sleep(turn - now);
      return true;
    },
  };
}
