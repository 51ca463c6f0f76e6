/** What a benchmark tells: JSON for programs, a table for people, the difference to the baseline, and the page of the docs. */
import { arch, availableParallelism, loadavg } from "node:os";
import { type Figures, type MeasureName, measures, type Summary, summaryOf, units } from "./measures.ts";

/** What a run was on; nothing that names the machine. */
export interface Circumstances {
  /** ISO day. */
  readonly day: string;
  readonly node: string;
  readonly architecture: string;
  readonly cores: number;
  /** Processes that wanted to run in the minute before; more than the cores, and times on the clock are too long. */
  readonly load: number;
  /** How often each figure was taken. */
  readonly runs: number;
  /** What each call of the stub takes. */
  readonly latencyMs: number;
}

/** The result of a benchmark. */
export interface Result {
  readonly on: Circumstances;
  /** By contestant, by measure. */
  readonly figures: Readonly<Record<string, Readonly<Partial<Record<MeasureName, Summary>>>>>;
}

const names = Object.keys(measures) as MeasureName[];

/** What this process runs on. */
export function circumstances(runs: number, latencyMs: number, now: Date): Circumstances {
  return {
    day: now.toISOString().slice(0, 10),
    node: process.version,
    architecture: arch(),
    cores: availableParallelism(),
    load: Math.round(loadavg()[0] ?? 0),
    runs,
    latencyMs,
  };
}

/** The summaries of what was taken of one contestant, run by run. */
export function summaries(runs: readonly Figures[]): Partial<Record<MeasureName, Summary>> {
  const found: Partial<Record<MeasureName, Summary>> = {};
  for (const name of names) {
    const values = runs.flatMap((figures) => figures[name] ?? []);
    if (values.length === 0) continue;
    const { median, spread } = summaryOf(values);
    found[name] = { median: rounded(median), spread: Math.round(spread * 100) / 100 };
  }
  return found;
}

/** Three digits say enough, and make a diff of two results readable. */
function rounded(value: number): number {
  return Number(value.toPrecision(value >= 1_000 ? 4 : 3));
}

/** The figures as a table of Markdown: a column for each contestant, and for each but the first its ratio to the first. */
export function table({ figures }: Result): string {
  const contestants = Object.keys(figures);
  const [first = ""] = contestants;
  const header = contestants.flatMap((name, index) =>
    index === 0 ? [name, "spread"] : [name, "spread", `${name} / ${first}`],
  );
  const rows = names.flatMap((name) => {
    const cells = contestants.flatMap((contestant, index) => {
      const summary = figures[contestant]?.[name];
      const own =
        summary === undefined ? ["", ""] : [`${summary.median}`, `${Math.round(summary.spread * 100)} %`];
      const base = figures[first]?.[name]?.median;
      if (index === 0) return own;
      return [...own, summary === undefined || !base ? "" : `${(summary.median / base).toFixed(2)} ×`];
    });
    return cells.every((cell) => cell === "") ? [] : [[measures[name].text, measures[name].unit, ...cells]];
  });
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const all = [["measure", "in", ...header], ["measure", "in", ...header].map(() => "---"), ...rows];
  return `${all.map(line).join("\n")}\n`;
}

/** The page of the docs, from the baseline alone, so that it is the same wherever it is generated. */
export function page(baseline: Result): string {
  const { day, node, architecture, cores, load, runs, latencyMs } = baseline.on;
  return `# Performance

What the functions cost to run, measured by \`npm run bench\` ([how](../benchmark/README.md)). This page is written by
\`npm run docs\` from [the baseline](../benchmark/baseline.json): ${day}, Node ${node.slice(1)}, ${architecture}, ${cores} cores, a load of ${load} when it
began. Above the number of cores, other work kept the machine busy, and what is timed on the clock (failures a
second, the Firehose batch) would be better without it; CPU hardly changes. Each figure is the median of ${runs}, the spread
is the largest less the smallest, by the median. Each AWS call of the stub takes ${latencyMs} ms. On another machine compare CPU
with the yardstick of both; counts hardly differ.

${table(baseline)}
Capacity is counted by DynamoDB's rules on the model that the simulation runs on: a write unit is a KiB, a read unit 4 KiB,
half of it for a read that may be old. A message with three retries has a body of 160 characters and fails four times. CPU is
that of the whole process, Node's own start of about 30 ms included in a cold start.
`;
}

/** One measure that is worse than the baseline allows. */
export interface Regression {
  readonly name: MeasureName;
  readonly before: number;
  readonly now: number;
  /** How much worse, 0.5 = half as much again; of a time after division by the yardsticks. */
  readonly by: number;
}

/** Where the first contestant of a result is worse than that of the baseline, by more than each measure allows. */
export function regressions(result: Result, baseline: Result): Regression[] {
  const [now = {}, before = {}] = [result, baseline].map(({ figures }) => Object.values(figures)[0]);
  const slowdown = (now.yardstick_ms?.median ?? 1) / (before.yardstick_ms?.median ?? 1);
  return names.flatMap((name) => {
    const [is, was] = [now[name]?.median, before[name]?.median];
    if (name === "yardstick_ms" || is === undefined || was === undefined) return [];
    const { better, kind } = measures[name];
    const { tolerance, isMachineBound } = units[kind];
    const machine = isMachineBound ? slowdown : 1;
    const ratio = better === "lower" ? is / (was * machine) : was / machine / is;
    const by = was === 0 ? is : ratio - 1;
    return by > tolerance ? [{ name, before: was, now: is, by }] : [];
  });
}
