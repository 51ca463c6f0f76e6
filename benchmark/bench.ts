/**
 * `npm run bench`: measures the built bundles, and other handlers beside them, against one stub of AWS.
 * benchmark/README.md says what and how.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { bundledFunctions } from "../cli/bundled-functions.ts";
import type { LocalFunctionName } from "../local/function-environments.ts";
import { bundles, type Contestant, otherHandler, tables } from "./contestants.ts";
import { type Figures, measures } from "./measures.ts";
import { probes } from "./probes.ts";
import { startStub } from "./processes.ts";
import { circumstances, type Regression, type Result, regressions, summaries, table } from "./report.ts";

const baselinePath = join(import.meta.dirname, "baseline.json");

interface Options {
  readonly runs: number;
  readonly latency: number;
  readonly only?: string;
  readonly against?: string;
  readonly handler?: string;
  readonly export: string;
  readonly as: LocalFunctionName;
  readonly env: Readonly<Record<string, string>>;
  readonly table: string;
  readonly tableKey: string;
  readonly json?: string;
  readonly check?: boolean;
  readonly writeBaseline?: boolean;
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("must be a whole number from 1 to 9999.");
}

function variable(text: string, before: Readonly<Record<string, string>>): Record<string, string> {
  const [, name, value] = /^(\w+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError("must be NAME=VALUE.");
  return { ...before, [name]: value };
}

function program(): Command {
  return new Command("npm run bench --")
    .description("Measures the built functions, and other handlers beside them, against one stub of AWS.")
    .option("--runs <n>", "take each figure so often, contestants by turns", wholeNumber, 5)
    .option("--latency <ms>", "what each call of the stub takes", wholeNumber, 10)
    .option("--only <text>", "take only the probes whose names have this text")
    .option("--against <folder>", "bundles of another commit: its dist/functions")
    .option("--handler <path>", "the module of another handler")
    .option("--export <name>", "the function that it exports", "handler")
    .addOption(
      new Option("--as <function>", "the function of ours whose events it is given")
        .choices(["consume-kinesis", "consume-sns", "transform-firehose", "resend", "produce"])
        .default("consume-kinesis"),
    )
    .option("--env <NAME=VALUE>", "an environment variable of it; may be given again", variable, {})
    .option("--table <name>", "the table that it looks messages up in", tables.messages)
    .option("--table-key <name>", "the partition key of that table", "application_message_id")
    .option("--json <file>", "write the result there as well")
    .option("--check", "exit with 1 where a figure is worse than the baseline allows")
    .option("--write-baseline", "make this result the baseline; then run npm run docs");
}

function contestantsOf(options: Options, folder: string): Contestant[] {
  const { handler, against } = options;
  return [
    bundles("this", folder),
    ...(against === undefined ? [] : [bundles("against", against)]),
    ...(handler === undefined
      ? []
      : [
          otherHandler({
            path: handler,
            exportName: options.export,
            as: options.as,
            environment: options.env,
            itemTable: options.table,
          }),
        ]),
  ];
}

/** Takes every figure so often, the contestants by turns, so that a machine that gets slower does so for all. */
async function measure(options: Options, contestants: readonly Contestant[]): Promise<Result> {
  const { runs, latency, only = "" } = options;
  const on = circumstances(runs, latency, new Date());
  const stub = await startStub(latency, { [tables.gates]: "gate", [options.table]: options.tableKey });
  const taken = new Map(contestants.map(({ name }) => [name, [] as Figures[]]));
  try {
    for (const [name, probe] of Object.entries(probes)) {
      if (!name.includes(only)) continue;
      for (let run = 1; run <= runs; run += 1) {
        process.stderr.write(`\r\u001b[K${name}, ${run} of ${runs}`);
        for (const contestant of contestants)
          taken.get(contestant.name)?.push(await probe({ stub, contestant }));
      }
    }
  } finally {
    process.stderr.write("\r\u001b[K");
    stub.stop();
  }
  const figures = Object.fromEntries([...taken].map(([name, all]) => [name, summaries(all)]));
  return { on, figures };
}

function sentence({ name, before, now, by }: Regression): string {
  const { text, unit } = measures[name];
  return `${text}: ${now} ${unit}, in the baseline ${before} (${Math.round(by * 100)} % worse, this machine's speed allowed for).`;
}

async function main(): Promise<void> {
  const options = program().parse().opts<Options>();
  const result = await measure(options, contestantsOf(options, await bundledFunctions()));
  process.stdout.write(table(result));
  const json = `${JSON.stringify(result, null, 2)}\n`;
  if (options.json !== undefined) await writeFile(options.json, json);
  if (options.writeBaseline === true) await writeFile(baselinePath, json);
  if (options.check !== true) return;
  const found = regressions(result, JSON.parse(await readFile(baselinePath, "utf8")) as Result);
  for (const regression of found) process.stderr.write(`${sentence(regression)}\n`);
  if (found.length > 0) process.exitCode = 1;
}

await main();
