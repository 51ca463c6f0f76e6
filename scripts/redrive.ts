/** `npm run redrive`: puts dead letters back onto their queue; without `--yes` it only counts them. */
import { Presets, SingleBar } from "cli-progress";
import { InspectionError } from "./inspect/inspection-error.ts";
import {
  type CommandLine,
  helpText,
  lookedAtByDefault,
  parseCommandLine,
  UsageError,
} from "./redrive/command-line.ts";
import { type Tally, walk } from "./redrive/dead-letters.ts";
import { countOf, nameOf, sourceOf, sqsClient, urlOf } from "./redrive/queues.ts";

const exitCodes = { success: 0, failure: 1, usage: 2 } as const;

/** What was found and done; `--json` prints it. */
interface Report extends Tally {
  readonly queue: string;
  readonly to: string;
  readonly dryRun: boolean;
  /** About how many dead letters there were. */
  readonly waiting: number;
}

async function main(given: readonly string[]): Promise<number> {
  try {
    const commandLine = parseCommandLine(given);
    if (commandLine.help || commandLine.queue === undefined) {
      process.stdout.write(helpText);
      return exitCodes.success;
    }
    const report = await redrive(commandLine, commandLine.queue);
    process.stdout.write(commandLine.json ? `${JSON.stringify(report)}\n` : reportText(report));
    return report.refused === 0 ? exitCodes.success : exitCodes.failure;
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof InspectionError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return error instanceof UsageError ? exitCodes.usage : exitCodes.failure;
  }
}

async function redrive({ to, max, yes }: CommandLine, queue: string): Promise<Report> {
  const sqs = sqsClient();
  const deadLetterUrl = await urlOf(sqs, queue);
  const targetUrl = to === undefined ? await sourceOf(sqs, queue, deadLetterUrl) : await urlOf(sqs, to);
  const waiting = await countOf(sqs, deadLetterUrl);
  const most = max ?? (yes ? Number.POSITIVE_INFINITY : lookedAtByDefault);
  const bar = progressBar(Math.min(waiting, most));
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

/** A bar where somebody watches. */
function progressBar(total: number): SingleBar | undefined {
  if (!process.stderr.isTTY || total === 0) return undefined;
  const bar = new SingleBar(
    { stream: process.stderr, format: "{bar} {value}/{total} messages", barsize: 40, gracefulExit: true },
    Presets.shades_classic,
  );
  bar.start(total, 0);
  return bar;
}

function reportText(report: Report): string {
  const { queue, to, dryRun, waiting, seen, oldestAgeSeconds, moved, doubled, refused } = report;
  const total = seen.wakeUps + seen.waitingEvents + seen.unreadable;
  const lines = [
    `${queue} holds about ${waiting} messages of ${to}; ${total} were looked at:`,
    `  ${seen.wakeUps} wake-ups`,
    `  ${seen.waitingEvents} waiting events`,
    `  ${seen.unreadable} unreadable, which stay`,
    ...(total === 0 ? [] : [`The oldest is ${ageText(oldestAgeSeconds)} old.`]),
  ];
  if (dryRun) {
    lines.push(
      seen.wakeUps + seen.waitingEvents === 0
        ? "There is nothing to put back."
        : "Nothing was changed; --yes puts them back.",
    );
  } else {
    lines.push(`${moved + doubled} were put back onto ${to}.`);
    if (doubled > 0)
      lines.push(`${doubled} of them could not be deleted and will do nothing the second time.`);
    if (refused > 0) lines.push(`${refused} were not taken by ${to} and are still here; run it again.`);
  }
  return `${lines.join("\n")}\n`;
}

function ageText(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} minutes`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} hours` : `${Math.round(seconds / 86_400)} days`;
}

process.exitCode = await main(process.argv.slice(2));
