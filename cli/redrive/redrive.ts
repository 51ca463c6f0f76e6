/**
 * `npm run redrive`: puts dead letters, or the retry messages of overdue messages, onto their queue; without `--yes`
 * it only counts them.
 */
import { Presets, SingleBar } from "cli-progress";
import { InspectionError } from "./inspect/inspection-error.ts";
import {
  type CommandLine,
  type DeadLetterTask,
  helpText,
  lookedAtByDefault,
  type OverdueTask,
  parseCommandLine,
  UsageError,
} from "./redrive/command-line.ts";
import { walk } from "./redrive/dead-letters.ts";
import { factsOf, tableClient } from "./redrive/message-table.ts";
import { queueOverdue } from "./redrive/overdue-messages.ts";
import { countOf, nameOf, sourceOf, sqsClient, urlOf } from "./redrive/queues.ts";
import { type DeadLetterReport, deadLetterText, type OverdueReport, overdueText } from "./redrive/report.ts";

const exitCodes = { success: 0, failure: 1, usage: 2 } as const;

async function main(given: readonly string[]): Promise<number> {
  try {
    const commandLine = parseCommandLine(given);
    const { help, json, task } = commandLine;
    if (help || task === undefined) {
      process.stdout.write(helpText);
      return exitCodes.success;
    }
    const [report, text] =
      task.kind === "overdue"
        ? await told(redriveOverdue(commandLine, task), overdueText)
        : await told(redriveDeadLetters(commandLine, task), deadLetterText);
    process.stdout.write(json ? `${JSON.stringify(report)}\n` : text);
    return report.refused === 0 ? exitCodes.success : exitCodes.failure;
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof InspectionError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return error instanceof UsageError ? exitCodes.usage : exitCodes.failure;
  }
}

async function told<Report>(
  work: Promise<Report>,
  textOf: (report: Report) => string,
): Promise<[Report, string]> {
  const report = await work;
  return [report, textOf(report)];
}

async function redriveDeadLetters(
  { max, yes }: CommandLine,
  { queue, to }: DeadLetterTask,
): Promise<DeadLetterReport> {
  const sqs = sqsClient();
  const deadLetterUrl = await urlOf(sqs, queue);
  const targetUrl = to === undefined ? await sourceOf(sqs, queue, deadLetterUrl) : await urlOf(sqs, to);
  const waiting = await countOf(sqs, deadLetterUrl);
  const most = max ?? (yes ? Number.POSITIVE_INFINITY : lookedAtByDefault);
  const bar = progressBar(Math.min(waiting, most), "{bar} {value}/{total} messages");
  try {
    const tally = await walk({
      sqs,
      deadLetterUrl,
      ...(yes && { targetUrl }),
      most,
      now: Date.now,
      onProgress: (seen) => bar?.update(seen),
    });
    return { queue, to: nameOf(targetUrl), dryRun: !yes, waiting, ...tally };
  } finally {
    bar?.stop();
  }
}

async function redriveOverdue(
  { max, yes }: CommandLine,
  { table: tableName, to, readUnits }: OverdueTask,
): Promise<OverdueReport> {
  const [sqs, table] = [sqsClient(), tableClient()];
  const facts = await factsOf(table, tableName);
  const targetUrl = await urlOf(sqs, to);
  const waiting = await countOf(sqs, targetUrl);
  const bar = progressBar(facts.itemCount, "{bar} {value}/{total} items, {found} overdue");
  try {
    const tally = await queueOverdue({
      table,
      tableName,
      readUnits: readUnits ?? facts.readUnits,
      sqs,
      ...(yes && { targetUrl }),
      most: max ?? Number.POSITIVE_INFINITY,
      now: Date.now,
      onProgress(scanned, found) {
        // DynamoDB's count is hours old.
        if (scanned > facts.itemCount) bar?.setTotal(scanned);
        bar?.update(scanned, { found });
      },
    });
    return { table: tableName, to, dryRun: !yes, waiting, ...tally };
  } finally {
    bar?.stop();
  }
}

/** A bar where somebody watches. */
function progressBar(total: number, format: string): SingleBar | undefined {
  if (!process.stderr.isTTY || total === 0) return undefined;
  const bar = new SingleBar(
    { stream: process.stderr, format, barsize: 40, gracefulExit: true },
    Presets.shades_classic,
  );
  bar.start(total, 0, { found: 0 });
  return bar;
}

process.exitCode = await main(process.argv.slice(2));
