/** `npm start`: runs the whole system on this machine and shows what became of every message. */
import { join } from "node:path";
import { type CommandLine, helpText, parseCommandLine, UsageError } from "./command-line.ts";
import { MissingBundleError } from "./deployment.ts";
import { EmulatorError } from "./emulators/start-emulators.ts";
import { progressDisplay } from "./progress.ts";
import { reportText } from "./report.ts";
import { run } from "./run.ts";
import { InvalidScenarioError, loadScenario } from "./sms-service/scenario.ts";
import { countStuck, violations } from "./summary.ts";

const exitCodes = { success: 0, failure: 1, usage: 2, interrupted: 130 } as const;

/** Different problems that are shown; a broken run repeats one of them without end. */
const shownProblems = 20;

async function main(given: readonly string[]): Promise<number> {
  let commandLine: CommandLine;
  try {
    commandLine = parseCommandLine(given);
    if (commandLine.help) {
      process.stdout.write(helpText);
      return exitCodes.success;
    }
    const scenario = await loadScenario(commandLine.scenario);
    return await start(commandLine, scenario);
  } catch (error) {
    if (error instanceof UsageError || error instanceof InvalidScenarioError) {
      process.stderr.write(`${error.message}\n`);
      return exitCodes.usage;
    }
    if (error instanceof MissingBundleError || error instanceof EmulatorError) {
      process.stderr.write(`${error.message}\n`);
      return exitCodes.failure;
    }
    throw error;
  }
}

async function start(
  { scenario: scenarioName, json, messages, maxRetries, ...options }: CommandLine,
  scenario: Awaited<ReturnType<typeof loadScenario>>,
): Promise<number> {
  const interruption = new AbortController();
  process.once("SIGINT", () => interruption.abort());
  const display = progressDisplay(messages, process.stderr);
  const problems = new Map<string, number>();
  try {
    const { summary, rows, ledger } = await run({
      scenario,
      scenarioName,
      ...options,
      messages,
      maxRetries,
      bundleFolder: join(import.meta.dirname, "../dist/functions"),
      onProgress: display.show,
      onProblem: (problem) => {
        const times = (problems.get(problem) ?? 0) + 1;
        problems.set(problem, times);
        if (times === 1 && problems.size <= shownProblems) display.note(problem);
      },
      signal: interruption.signal,
    });
    display.end();
    process.stdout.write(json ? `${JSON.stringify(summary)}\n` : `\n${reportText({ summary, rows })}`);
    const found = violations(summary, maxRetries, countStuck(rows, ledger));
    for (const violation of found) process.stderr.write(`${violation}\n`);
    return found.length === 0 ? exitCodes.success : exitCodes.failure;
  } catch (error) {
    display.end();
    if (!interruption.signal.aborted) throw error;
    process.stderr.write("Interrupted.\n");
    return exitCodes.interrupted;
  }
}

process.exitCode = await main(process.argv.slice(2));
