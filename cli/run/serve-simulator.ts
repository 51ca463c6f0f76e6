/** The SMS simulator alone, on a port: for the tests of other applications. */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { accountId } from "../../local/aws-clients.ts";
import { applicationId } from "../../local/deployment.ts";
import { seededChance } from "../../local/seeded-chance.ts";
import { scriptedCarrier } from "../../local/sms-service/carrier.ts";
import type { EventPublisher } from "../../local/sms-service/event-stream.ts";
import { loadScenario, type MessageScript, type Scenario } from "../../local/sms-service/scenario.ts";
import { type ServedSmsService, serveSmsService } from "../../local/sms-service/serve-sms-service.ts";
import { awsSimulatorNumbers } from "../../local/sms-service/simulator-numbers.ts";
import { UserError } from "../user-error.ts";

/** What the user asked for. */
export interface SimulatorRequest {
  readonly port: number;
  readonly seed: number;
  /** Name or file. */
  readonly scenario: string;
}

/**
 * Serves until the signal aborts, and rejects with its reason then. Each delivery event is written to stdout as the service
 * writes it, a line each: what Pinpoint puts on the event stream of its project, and End User Messaging on the destinations
 * of the configuration set that a send names. As on AWS there is none without an event stream or a configuration set.
 *
 * @throws InvalidScenarioError for a scenario that is none; UserError where the port is not free
 */
export async function serveSimulator(
  { port, seed, scenario: name }: SimulatorRequest,
  signal: AbortSignal,
): Promise<void> {
  const scenario = await loadScenario(name);
  const simulator = await serve(scenario, { port, seed });
  try {
    process.stderr.write(
      `The SMS simulator answers at ${simulator.endpoint}, until Ctrl-C: give it to the AWS SDK as ` +
        `AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2 or AWS_ENDPOINT_URL_PINPOINT (its project is ${applicationId}).\n`,
    );
    if (!signal.aborted) await once(signal, "abort");
    signal.throwIfAborted();
  } finally {
    await simulator.close();
  }
}

async function serve(
  scenario: Scenario,
  { port, seed }: Pick<SimulatorRequest, "port" | "seed">,
): Promise<ServedSmsService> {
  const scripts = { get: (destination: string) => scriptOf(destination, scenario.messages, seed) };
  try {
    return await serveSmsService({
      applicationId,
      accountId,
      carrier: scriptedCarrier(scenario, seed, scripts, awsSimulatorNumbers),
      publisherOf: () => toStdout,
      now: Date.now,
      id: randomUUID,
      port,
    });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EADDRINUSE") throw cause;
    throw new UserError(`The port ${port} is in use; end what uses it, or give another one with --port.`, {
      cause,
    });
  }
}

/** The script of a number: the same for the same seed, and among many numbers each as often as its share says. */
function scriptOf(
  destination: string,
  scripts: readonly MessageScript[],
  seed: number,
): MessageScript | undefined {
  let left = seededChance(seed, "script", destination)();
  return scripts.find(({ share }) => {
    left -= share;
    return left < 0;
  });
}

const toStdout: EventPublisher = {
  publish({ data, onPublished }) {
    process.stdout.write(`${data}\n`);
    onPublished();
  },
  waiting: 0,
  async close() {},
};
