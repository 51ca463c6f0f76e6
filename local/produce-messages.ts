/** The application of a local run: it produces messages at a steady rate, through the `produce` function. */
import { setTimeout as sleep } from "node:timers/promises";
import type { FunctionRuntime } from "./lambda/function-runtime.ts";
import { seededChance } from "./seeded-chance.ts";
import { assignScripts } from "./sms-service/carrier.ts";
import { applicationOrigination, type MessageScript, type Scenario } from "./sms-service/scenario.ts";

/** A message of a run, and what is going to happen to it. */
export interface ScriptedMessage {
  readonly id: string;
  readonly destination: string;
  readonly body: string;
  readonly script: MessageScript;
}

/**
 * How often a message that was not produced is produced again, and the pauses: they double up to the longest and
 * are, together, longer than the minute that a lease lasts.
 */
const again = { times: 64, firstPauseSeconds: 0.25, longestPauseSeconds: 1 };

/** The messages of a run: the same seed and scenario give the same ones. */
export function scriptedMessages(scenario: Scenario, count: number, seed: number): ScriptedMessage[] {
  const codes = seededChance(seed, "codes");
  return assignScripts(scenario.messages, count, seed).map((script, index) => ({
    id: `message-${String(index + 1).padStart(6, "0")}`,
    // No telephone has an area code of 555.
    destination: `+1555${String(index + 1).padStart(7, "0")}`,
    body: `Your code is ${String(Math.floor(codes() * 1_000_000)).padStart(6, "0")}. It is good for one sign-in ✔`,
    script,
  }));
}

/** How messages are produced. */
export interface Production {
  readonly perSecond: number;
  readonly produce: FunctionRuntime;
  /** Ends it early; it then rejects with the signal's reason. */
  readonly signal: AbortSignal;
  /** Is told, in a sentence, of messages that could not be produced at all. */
  readonly onProblem: (problem: string) => void;
}

/**
 * Produces messages; resolves when the service has taken or refused each of them. A message that was not produced for
 * now is produced again with the same id, as an application would.
 */
export async function produceMessages(
  messages: readonly ScriptedMessage[],
  production: Production,
): Promise<void> {
  const { perSecond, signal } = production;
  const startedAt = performance.now();
  const produced: Promise<void>[] = [];
  for (const [index, message] of messages.entries()) {
    const wait = startedAt + (index / perSecond) * 1000 - performance.now();
    if (wait > 0) await sleep(wait, undefined, { signal });
    signal.throwIfAborted();
    produced.push(produceOne(message, production));
  }
  await Promise.all(produced);
}

/** Whether the invocation before died between send and record: once its lease is over, another one decides. */
function isHalfWay(payload: unknown): boolean {
  return (payload as { status?: unknown } | null)?.status === "SENDING";
}

async function produceOne(
  { id, destination, body, script }: ScriptedMessage,
  { produce, signal, onProblem }: Production,
): Promise<void> {
  let lastError = "";
  for (let tries = 0; tries <= again.times && !signal.aborted; tries += 1) {
    const result = await produce.invoke({
      application_message_id: id,
      destination_number: destination,
      message_body: body,
      origination_number: applicationOrigination,
      ...(script.validity_seconds !== undefined && { validity_seconds: script.validity_seconds }),
    });
    if (result.ok && !isHalfWay(result.payload)) return;
    lastError = result.ok ? "what became of its send is not known" : result.error.errorType;
    // Everything else passes, and the same id again sends nothing twice.
    if (lastError === "InvalidRequestError") break;
    const pauseSeconds = Math.min(again.firstPauseSeconds * 2 ** tries, again.longestPauseSeconds);
    await sleep(pauseSeconds * 1000);
  }
  if (!signal.aborted) onProblem(`The message ${id} was not produced: ${lastError}`);
}
