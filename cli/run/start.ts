/** Runs the whole system on this machine and shows what became of every message. */
import type { SmsService } from "../../functions/contract/environment.ts";
import { EmulatorError } from "../../local/emulators/start-emulators.ts";
import { type EventSource, eventSourcesOf } from "../../local/event-source.ts";
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
import { serveSimulator } from "./serve-simulator.ts";

/** What the user asked for. */
export interface RunRequest {
  readonly messages: number;
  /** Messages produced per second. */
  readonly rate: number;
  readonly seed: number;
  readonly maxRetries: number;
  /** Name or file. */
  readonly scenario: string;
  /** What the messages are sent by. */
  readonly service: SmsService;
  /** @default the first of the service's event sources */
  readonly via?: EventSource;
  readonly fault?: FaultName;
  /** Where the SMS simulator is served, and nothing else is run. */
  readonly port?: number;
  readonly json?: boolean;
}

/** What the user is told of the other service at the end. */
const serviceNotes: Readonly<Record<SmsService, string>> = {
  pinpoint:
    "Sent by Amazon Pinpoint; npm start -- --service end-user-messaging sends by AWS End User Messaging.",
  "end-user-messaging":
    "Sent by AWS End User Messaging; npm start -- --service pinpoint sends by Amazon Pinpoint.",
};

/** Different problems that are shown; a broken run repeats one of them without end. */
const shownProblems = 20;

/**
 * Runs and prints the summary, or serves the simulator.
 *
 * @throws UsageError for a scenario that is none, or an event source that the service does not have; UserError if something
 * did not hold, or an emulator failed
 */
export async function start(request: RunRequest, signal: AbortSignal): Promise<void> {
  const { port } = request;
  try {
    await (port === undefined ? runAndReport(request, signal) : serveSimulator({ ...request, port }, signal));
  } catch (error) {
    if (error instanceof InvalidScenarioError) throw new UsageError(error.message, { cause: error });
    if (error instanceof EmulatorError) throw new UserError(error.message, { cause: error });
    throw error;
  }
}

async function runAndReport(request: RunRequest, signal: AbortSignal): Promise<void> {
  const via = eventSourceOf(request);
  const { summary, rows, ledger } = await runToItsEnd({ ...request, via }, signal);
  print(
    summary,
    request.json,
    () => `\n${reportText({ summary, rows })}\n${serviceNotes[request.service]}\n`,
  );
  const found = violations(summary, request.maxRetries, countStuck(rows, ledger));
  if (found.length > 0) throw new UserError(found.join("\n"));
}

/** @throws UsageError for one that the service does not put events into */
function eventSourceOf({ service, via }: Pick<RunRequest, "service" | "via">): EventSource {
  const possible = eventSourcesOf[service];
  if (via === undefined) return possible[0];
  if (possible.includes(via)) return via;
  throw new UsageError(`--via must be one of ${possible.join(", ")} with --service ${service}; got ${via}.`);
}

async function runToItsEnd(
  { scenario: scenarioName, json: _, ...options }: RunRequest & { readonly via: EventSource },
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
      onDeployed: (endpoints) => {
        endAnnouncement = announceLocalRun(endpoints);
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
