/** Runs of the whole pipeline for tests: real bundles on emulators, as `npm start` runs them. */
import { randomUUID } from "node:crypto";
import {
  type EmulatorSettings,
  type Emulators,
  startEmulators,
} from "../../local/emulators/start-emulators.ts";
import { scriptedMessages } from "../../local/produce-messages.ts";
import { type RunOptions, type RunResult, run } from "../../local/run.ts";
import { parseScenario, type Scenario } from "../../local/sms-service/scenario.ts";
import { type Outcome, outcomeOf } from "../../local/summary.ts";
import { currentBundles } from "./bundle-folder.ts";

/** The result of a run, and the sentences about what went wrong in it. */
export type PipelineRun = RunResult & { readonly problems: readonly string[] };

/**
 * Starts emulators for the tests of a file, and stops them after the last one. What a test has not waited for, because
 * its time was over, is stopped before the next one begins.
 *
 * @returns runs a scenario; with 40 messages, 50 a second, by way of Kinesis unless `changed` says otherwise
 */
export function pipeline(
  settings: EmulatorSettings = {},
): (scenario: Scenario, changed?: Partial<RunOptions>) => Promise<PipelineRun> {
  let emulators: Emulators;
  let bundleFolder: string;
  let interruption = new AbortController();
  const runs = new Set<Promise<unknown>>();
  beforeAll(async () => {
    bundleFolder = await currentBundles();
    emulators = await startEmulators(undefined, settings);
  });
  afterEach(async () => {
    interruption.abort();
    await Promise.allSettled(runs);
    runs.clear();
    interruption = new AbortController();
  });
  afterAll(() => emulators?.stop());

  return (scenario, changed = {}) => {
    const problems: string[] = [];
    const running = run({
      scenario,
      scenarioName: "test",
      messages: 40,
      rate: 50,
      seed: 1,
      maxRetries: 3,
      service: "pinpoint",
      via: "kinesis",
      bundleFolder,
      shared: { emulators, resourcePrefix: `run-${randomUUID().slice(0, 8)}` },
      onProgress: () => {},
      onProblem: (problem) => problems.push(problem),
      signal: interruption.signal,
      ...changed,
    });
    runs.add(running);
    return running.then((result) => ({ ...result, problems }));
  };
}

/** A scenario of a test, as a file would hold it but for the description. */
export function scenarioOf(scenario: object): Scenario {
  return parseScenario(JSON.stringify({ description: "A test.", ...scenario }), "test");
}

/** How often the service took each attempt of a message, e.g. `m-1/2` → 1. */
export function sendsOfAttempts({ ledger }: RunResult): Map<string, number> {
  const sends = Map.groupBy(
    ledger.sends,
    ({ applicationMessageId, attempt }) => `${applicationMessageId}/${attempt}`,
  );
  return new Map([...sends].map(([key, { length }]) => [key, length]));
}

/** How each message of a run ended, by its id. */
export function outcomesOf({ rows, ledger }: Pick<RunResult, "rows" | "ledger">): Record<string, Outcome> {
  const sends = ledger.sendsByMessage();
  return Object.fromEntries(
    rows.map((row) => [
      row.application_message_id,
      outcomeOf(row, sends.get(row.application_message_id) ?? []),
    ]),
  );
}

/** How each message of a run with three retries and the seed 1 has to end by its script, whatever sends it. */
export function outcomesByScript(scenario: Scenario, messages: number): Record<string, Outcome> {
  return Object.fromEntries(
    scriptedMessages(scenario, messages, 1).map(({ id, script }) => [id, outcomeByScript(script)]),
  );
}

function outcomeByScript(script: Scenario["messages"][number]): Outcome {
  const { outcomes, api_answers: answers = [], validity_seconds: validity } = script;
  const last = outcomes.at(-1) ?? "";
  if (answers.flat().includes("OPT_OUT") || last === "OPTOUT") return "optedOut";
  if (answers.flat().includes("PERMANENT_FAILURE") || ["BLOCKED", "INVALID"].includes(last))
    return "rejected";
  if (validity !== undefined) return "expired";
  if (last !== "DELIVERED" && last !== "SUCCESSFUL") return "exhausted";
  return outcomes.length === 1 ? "deliveredAtOnce" : "recovered";
}
