/**
 * `npm run simulate`: many simulated runs from consecutive seeds, their sums, and for a failing one its seed
 * and the shrunk sequence of its steps.
 */
import { parseArgs } from "node:util";
import { type BreakName, breaks } from "./breaks.ts";
import { seededChoices } from "./choices.ts";
import { simulateManyRaces, simulateRaces } from "./races.ts";
import { explain, simulateMany, type Totals } from "./simulate-many.ts";
import { type RunOptions, simulate } from "./simulated-run.ts";
import type { Fault } from "./virtual-world.ts";

/** Rates at which races are run, in parts per second. */
const raceRates = [0.2, 1, 10];

const usage = `Usage: npm run simulate -- [options]

Runs the real functions on a virtual clock against models of DynamoDB, SQS, Scheduler, Kinesis, Firehose and the
SMS service, injects faults at every step, and checks after each run what must never happen and what must happen. A
quarter of the runs has no faults: there, every send is compared with a reference.

  --runs N      how many runs (default 1000)
  --seed N      replay the run of one seed, with its steps
  --from N      first seed (default 0)
  --races N     race ends of messages against their retries instead, N at each of ${raceRates.join(", ")} sends a second
  --break NAME  break a rule of the protocol on purpose: ${Object.keys(breaks).join(", ")}
  --help        this text
`;

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

async function race(races: number, options: RunOptions): Promise<number> {
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
    console.log([`Run ${failure.seed} violates the protocol:`, ...failure.violations, ...trace].join("\n"));
    return 1;
  }
  console.log("No violation.");
  return 0;
}

function wholeNumber(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  if (!/^\d{1,9}$/.test(text)) throw new TypeError(`--${name} must be a whole number.`);
  return Number(text);
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      runs: { type: "string" },
      seed: { type: "string" },
      from: { type: "string" },
      break: { type: "string" },
      races: { type: "string" },
      help: { type: "boolean" },
    },
  });
  const name = values.break;
  if (name !== undefined && !Object.hasOwn(breaks, name)) {
    throw new TypeError(`--break must be one of ${Object.keys(breaks).join(", ")}.`);
  }
  return {
    isHelp: values.help === true,
    runs: wholeNumber("runs", values.runs, 1_000),
    from: wholeNumber("from", values.from, 0),
    races: values.races === undefined ? undefined : wholeNumber("races", values.races, 0),
    seed: values.seed === undefined ? undefined : wholeNumber("seed", values.seed, 0),
    broken: name === undefined ? {} : breaks[name as BreakName],
  };
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options.isHelp) {
    process.stdout.write(usage);
    return 0;
  }
  if (options.races !== undefined) return race(options.races, options.broken);
  if (options.seed !== undefined) {
    const { violations, trace } = await simulate(seededChoices(options.seed), {
      ...options.broken,
      keepsTrace: true,
    });
    console.log(violations.length > 0 ? await explain(options.seed, options.broken) : trace.join("\n"));
    return violations.length > 0 ? 1 : 0;
  }
  const startedAt = performance.now();
  const showProgress = process.stderr.isTTY === true;
  const { totals, failure } = await simulateMany(options.from, options.runs, options.broken, ({ runs }) => {
    if (showProgress && runs % 100 === 0) process.stderr.write(`\r${runs} of ${options.runs} runs`);
  });
  if (showProgress) process.stderr.write("\r\u001b[K");
  printTotals(totals, (performance.now() - startedAt) / 1000);
  if (failure === undefined) {
    console.log("No violation.");
    return 0;
  }
  console.log(await explain(failure.seed, options.broken));
  console.log(`Replay it with: npm run simulate -- --seed ${failure.seed}`);
  return 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)} See --help.\n`);
  process.exitCode = 2;
}
