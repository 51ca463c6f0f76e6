/** The real clock and real chance: the only place that asks the machine for either. */
import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import type { Clock, Random } from "../core/clock.ts";

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now() / 1000,
  async sleep(seconds, signal) {
    // An abort rejects the timer's promise, and only that does.
    await setTimeout(seconds * 1000, undefined, signal === undefined ? {} : { signal }).catch(() => {});
  },
};

/** The machine's chance. */
export const systemRandom: Random = {
  next: () => Math.random(),
  id: () => randomUUID(),
};
