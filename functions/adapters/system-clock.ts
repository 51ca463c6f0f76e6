/** The real clock and real chance: the only place that asks the machine for either. */
import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import type { Clock, Random } from "../core/clock.ts";

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now() / 1000,
  sleep: (seconds) => setTimeout(seconds * 1000),
};

/** The machine's chance. */
export const systemRandom: Random = {
  next: () => Math.random(),
  id: () => randomUUID(),
};
