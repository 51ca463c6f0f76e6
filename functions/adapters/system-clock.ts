/** The real clock, real chance and real output: the only place that reaches any of them. */
import { randomUUID } from "node:crypto";
import { stderr, stdout } from "node:process";
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

/** Writes a line to the output of the process. */
export function systemOutput(line: string, to: "stdout" | "stderr"): void {
  (to === "stdout" ? stdout : stderr).write(`${line}\n`);
}
