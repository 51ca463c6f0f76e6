/** Runs the whole system on this machine and shows what became of every message. */
import { EmulatorError } from "../../local/emulators/start-emulators.ts";
import type { EventSource } from "../../local/event-source.ts";
import type { FaultName } from "../../local/faults.ts";
import { progressDisplay } from "../../local/progress.ts";
import { reportText } from "../../local/report.ts";
import { type RunResult, run } from "../../local/run.ts";
import { InvalidScenarioError, loadScenario } from "../../local/sms-service/scenario.ts";
import { countStuck, violations } from "../../local/summary.ts";
import { bundledFunctions } from "../bundled-functions.ts";
import { unlessInterrupted } from "../interruption.ts";
import { announceLocalRun } from "../local-run.ts";
import { print } from "../options.ts";
import { UsageError, UserError } from "../user-error.ts";

/** What the user asked for. */
export interface RunRequest {
  readonly messages: number;
  /** Messages produced per second. */
  readonly rate: number;
  readonly seed: number;
  readonly maxRetries: number;
  /** Name or file. */
  readonly scenario: string;
  readonly via: EventSource;
  readonly fault?: FaultName;
  readonly json?: boolean;
}

/** Different problems that are shown; a broken run repeats one of them without end. */
const shownProblems = 20;

/**
 * Runs, and prints the summary.
 *
 * @throws UsageError for a scenario that is none; UserError if something did not hold, or an emulator failed
 */
export async function start(request: RunRequest, signal: AbortSignal): Promise<void> {
  try {
    const { summary, rows, ledger } = await runToItsEnd(request, signal);
    print(summary, request.json, () => `\n${reportText({ summary, rows })}`);
    const found = violations(summary, request.maxRetries, countStuck(rows, ledger));
    if (found.length > 0) throw new UserError(found.join("\n"));
  } catch (error) {
    if (error instanceof InvalidScenarioError) throw new UsageError(error.message, { cause: error });
    if (error instanceof EmulatorError) throw new UserError(error.message, { cause: error });
    throw error;
  }
}

async function runToItsEnd(
  { scenario: scenarioName, json: _, ...options }: RunRequest,
  signal: AbortSignal,
): Promise<RunResult> {
  const scenario = await loadScenario(scenarioName);
  const bundleFolder = await unlessInterrupted(signal, bundledFunctions());
  const display = progressDisplay(options.messages, process.stderr);
  const problems = new Map<string, number>();
  let endAnnouncement = () => {};
  try {
    return await run({
      scenario,
      scenarioName,
      ...options,
      bundleFolder,
      onDeployed: ({ dynamodb }) => {
        endAnnouncement = announceLocalRun(dynamodb);
      },
      onProgress: display.show,
      onProblem: (problem) => {
        const times = (problems.get(problem) ?? 0) + 1;
        problems.set(problem, times);
        if (times === 1 && problems.size <= shownProblems) display.note(problem);
      },
      signal,
    });
  } finally {
    endAnnouncement();
    display.end();
  }
}
