/** Many simulated runs from consecutive seeds, their sums, and for a failing one its seed and the shrunk sequence of its steps. */

import { simulateBacklog } from "../../simulation/backlog.ts";
import { type BreakName, breaks } from "../../simulation/breaks.ts";
import { seededChoices } from "../../simulation/choices.ts";
import { simulateManyRaces, simulateRaces } from "../../simulation/races.ts";
import { rushes } from "../../simulation/rush.ts";
import { explain, simulateMany, type Totals } from "../../simulation/simulate-many.ts";
import { type RunOptions, simulate } from "../../simulation/simulated-run.ts";
import type { Fault } from "../../simulation/virtual-world.ts";
import { UserError } from "../user-error.ts";

/** What the user asked for. */
export interface SimulationRequest {
  readonly runs: number;
  /** Replay this one alone. */
  readonly seed?: number;
  /** First seed. */
  readonly from: number;
  /** Races instead of runs. */
  readonly races?: number;
  /** Instead of all else: how many messages fail while a carrier is down. */
  readonly backlog?: number;
  /** With `backlog`: how long the outage lasts. */
  readonly outageSeconds: number;
  /** With `backlog`: the ceiling, in messages of one part. */
  readonly sendsPerSecond: number;
  /** Instead of all else: a table of how well ceilings are kept and used. */
  readonly ceilings?: boolean;
  readonly break?: BreakName;
}

/** Rates at which races are run, in parts per second. */
const raceRates = [0.2, 1, 10];

/**
 * Simulates, and prints what came of it.
 *
 * @throws UserError if a rule was violated
 */
export async function simulateAsAsked({
  runs,
  seed,
  from,
  races,
  backlog,
  ...request
}: SimulationRequest): Promise<void> {
  const options = optionsOf(request);
  if (request.ceilings === true) await measureCeilings();
  else if (backlog !== undefined) await pileUp(backlog, request);
  else if (races !== undefined) await race(races, options);
  else if (seed !== undefined) await replay(seed, options);
  else await runMany({ from, runs, ...request });
}

async function replay(seed: number, options: RunOptions): Promise<void> {
  const { violations, trace } = await simulate(seededChoices(seed), { ...options, keepsTrace: true });
  if (violations.length > 0) {
    console.log(await explain(seed, options));
    throw new UserError(`Seed ${seed} violates the protocol; follow the steps above.`);
  }
  console.log([...trace, "No violation."].join("\n"));
}

async function runMany({
  from,
  runs,
  ...request
}: Pick<SimulationRequest, "from" | "runs" | "break">): Promise<void> {
  const options = optionsOf(request);
  const startedAt = performance.now();
  const showProgress = process.stderr.isTTY === true;
  const { totals, failure } = await simulateMany(from, runs, options, (soFar) => {
    if (showProgress && soFar.runs % 100 === 0) process.stderr.write(`\r${soFar.runs} of ${runs} runs`);
  });
  if (showProgress) process.stderr.write("\r\u001b[K");
  printTotals(totals, (performance.now() - startedAt) / 1000);
  if (failure === undefined) {
    console.log("No violation.");
    return;
  }
  console.log(await explain(failure.seed, options));
  const replaying = [`--seed ${failure.seed}`, ...(request.break ? [`--break ${request.break}`] : [])];
  throw new UserError(
    `Seed ${failure.seed} violates the protocol; replay it with: npx sms-retry simulate ${replaying.join(" ")}`,
  );
}

function optionsOf(request: Pick<SimulationRequest, "break">): RunOptions {
  return request.break === undefined ? {} : breaks[request.break];
}

function printTotals(totals: Totals, seconds: number): void {
  const sum = (...faults: Fault[]): number =>
    faults.reduce((total, fault) => total + (totals.injected.get(fault) ?? 0), 0);
  const rows: [string, string | number][] = [
    ["runs", totals.runs],
    ["steps", totals.steps],
    ["runs without faults", totals.runsWithoutFaults],
    ["messages", totals.messages],
    ["sends", totals.sends],
    ["possible duplicates, marked", totals.possibleDuplicates],
    ["kills injected", sum("kill-before", "kill-after")],
    ["duplicates injected", sum("duplicate-delivery", "repeated-by-the-sdk", "re-invocation")],
    ["late and reordered injected", sum("late-delivery", "slow", "freeze", "stale-read")],
    ["lost answers injected", sum("lost-answer")],
    ["throttles injected", sum("throttle")],
    ["calls in an outage", sum("outage")],
    ["workers with a wrong clock", sum("clock-skew")],
    ["seconds", seconds.toFixed(1)],
  ];
  for (const [name, value] of rows) console.log(`${name.padEnd(30)}${String(value).padStart(12)}`);
}

/** A carrier's outage at many times the ceiling. */
async function measureCeilings(): Promise<void> {
  console.log("| ceiling | parts | latency | messages | peak in a second | share used | writes | billed |");
  console.log("|---|---|---|---|---|---|---|---|");
  let isKept = true;
  for await (const { rate, parts, latencySeconds, messages, sent, peak, share, writes, billed } of rushes()) {
    const cells = [
      rate,
      parts,
      `${latencySeconds * 1000} ms`,
      messages,
      peak,
      `${(share * 100).toFixed(1)} %`,
    ];
    console.log(`| ${[...cells, writes.toFixed(3), billed.toFixed(2)].join(" | ")} |`);
    isKept &&= sent === messages && peak <= rate;
  }
  if (!isKept) throw new UserError("A ceiling was exceeded or a message did not leave; see the table above.");
}

async function pileUp(
  failures: number,
  { outageSeconds, sendsPerSecond: rate }: Pick<SimulationRequest, "outageSeconds" | "sendsPerSecond">,
): Promise<void> {
  const { statuses, ...result } = await simulateBacklog({
    failures,
    outageSeconds,
    maxSendsPerSecond: rate,
    passwordSeconds: 300,
    noticeSeconds: 7_200,
  });
  for (const [name, value] of Object.entries({ ...result, ...statuses })) {
    console.log(`${name.padEnd(24)}${typeof value === "number" ? Number(value.toFixed(3)) : value}`);
  }
  if (result.peakPerSecond > rate || result.withoutReason > 0) {
    throw new UserError(
      "The ceiling was exceeded or a message ended without a reason; see the figures above.",
    );
  }
}

async function race(races: number, options: RunOptions): Promise<void> {
  for (const rate of raceRates) {
    const { failure, ...totals } = await simulateManyRaces(races, rate, options);
    console.log(
      `${rate} a second: ${totals.races} races in ${totals.runs} runs; in ${totals.sent} the retry was claimed first and sent`,
    );
    if (failure === undefined) continue;
    const { trace } = await simulateRaces(seededChoices(failure.seed), rate, {
      ...options,
      keepsTrace: true,
    });
    console.log([...failure.violations, ...trace].join("\n"));
    throw new UserError(
      `Run ${failure.seed} of the races at ${rate} a second violates the protocol; follow the steps above.`,
    );
  }
  console.log("No violation.");
}
