/** What can be made to break in the middle of a run. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Deployment } from "./deployment.ts";

/** Names of the faults. */
export const faultNames = ["dynamodb-down"] as const;

/** Name of a fault. */
export type FaultName = (typeof faultNames)[number];

/** What a fault needs to know of its run. */
export interface FaultOptions {
  /** Messages of the run. */
  readonly messages: number;
  readonly signal: AbortSignal;
  /** Is told, in a sentence, when it begins and ends. */
  readonly onProblem: (problem: string) => void;
}

/** Longer than the functions' clients keep trying, so that an outage is felt and not only waited out. */
const outageSeconds = 8;

const lookEveryMilliseconds = 20;

/** Breaks something as soon as half of the messages are on their way, and mends it; resolves when it is whole again. */
export async function playFault(
  name: FaultName,
  { simulator, dynamodb }: Pick<Deployment, "simulator" | "dynamodb">,
  { messages, signal, onProblem }: FaultOptions,
): Promise<void> {
  while (simulator.ledger.calls.length < messages / 2) {
    await sleep(lookEveryMilliseconds, undefined, { signal });
  }
  switch (name) {
    case "dynamodb-down":
      onProblem(`Fault: DynamoDB does not answer for ${outageSeconds} s.`);
      dynamodb.break();
      await sleep(outageSeconds * 1000, undefined, { signal });
      dynamodb.mend();
      onProblem("Fault: DynamoDB is back.");
  }
}
