/** Many simulated runs, and the explanation of one that fails. */

import { recordedChoices, seededChoices, shrinkChoices } from "./choices.ts";
import { type RunOptions, type RunReport, simulate } from "./simulated-run.ts";
import type { Fault } from "./virtual-world.ts";

/** The sums over many runs. */
export interface Totals {
  runs: number;
  steps: number;
  /** Runs in which nothing went wrong, compared with the reference. */
  runsWithoutFaults: number;
  messages: number;
  sends: number;
  possibleDuplicates: number;
  readonly injected: Map<Fault, number>;
}

/** The first failing run among many. */
export interface Failure {
  readonly seed: number;
  readonly report: RunReport;
}

/** Runs consecutive seeds until one fails. */
export async function simulateMany(
  from: number,
  runs: number,
  options: RunOptions = {},
  onRun: (totals: Totals) => void = () => {},
): Promise<{ readonly totals: Totals; readonly failure?: Failure }> {
  const totals: Totals = {
    runs: 0,
    steps: 0,
    runsWithoutFaults: 0,
    messages: 0,
    sends: 0,
    possibleDuplicates: 0,
    injected: new Map(),
  };
  for (let seed = from; seed < from + runs; seed += 1) {
    const report = await simulate(seededChoices(seed), options);
    totals.runs += 1;
    totals.steps += report.steps;
    totals.runsWithoutFaults += report.hasFaults ? 0 : 1;
    totals.messages += report.messages;
    totals.sends += report.sends;
    totals.possibleDuplicates += report.possibleDuplicates;
    for (const [fault, times] of report.injected) {
      totals.injected.set(fault, (totals.injected.get(fault) ?? 0) + times);
    }
    onRun(totals);
    if (report.violations.length > 0) return { totals, failure: { seed, report } };
  }
  return { totals };
}

/** A failing run made small: what is violated, and every step that leads there. */
export async function explain(seed: number, options: RunOptions = {}): Promise<string> {
  const choices = seededChoices(seed);
  const { violations } = await simulate(choices, options);
  if (violations.length === 0) return `Seed ${seed} violates nothing.`;
  const kindOf = (violation: string): string => violation.replaceAll(/[\d.]+/g, "#");
  const kinds = new Set(violations.map(kindOf));
  const smallest = await shrinkChoices(choices.drawn, async (fewer) => {
    const report = await simulate(fewer, options);
    return report.violations.some((violation) => kinds.has(kindOf(violation)));
  });
  const small = await simulate(recordedChoices(smallest), { ...options, keepsTrace: true });
  const harmful = (drawn: readonly number[]): number => drawn.filter((choice) => choice !== 0).length;
  return [
    `Seed ${seed} violates the protocol:`,
    ...violations.map((violation) => `  ${violation}`),
    `Shrunk from ${harmful(choices.drawn)} to ${harmful(smallest)} choices, it violates:`,
    ...small.violations.map((violation) => `  ${violation}`),
    "Steps:",
    ...small.trace.map((line) => `  ${line}`),
  ].join("\n");
}
