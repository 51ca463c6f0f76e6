/**
 * How the retry queue calls the resend function, by the sum of the ceilings of all origination identities, in message parts
 * a second. The gate keeps the ceiling, whatever stands here; these numbers only say that what may leave finds a worker in
 * time, and that one write to the gate serves many messages. What was measured is in ADR 10.
 */

/** The stacks work with these numbers in HCL, the simulation and the tests by the functions below. */
export const senderScaling = {
  /** Above so many parts a second messages are collected, and for each so many there are workers. */
  partsPerStep: 100,
  /** SQS hands over ten at once anyway. */
  batchSize: 10,
  /** Lambda takes more than ten only with a window of a second. */
  collected: { batchSize: 100, windowSeconds: 1 },
  /** While some wait for their time and send, others must be there to ask. Lambda begins with five pollers anyway. */
  workersPerStep: 5,
  /** The most that Lambda allows. */
  mostWorkers: 1_000,
} as const;

/** The settings of an event source mapping. */
export interface SenderMapping {
  readonly batchSize: number;
  readonly batchingWindowSeconds: number;
  /** Lambda's `MaximumConcurrency`. */
  readonly concurrency: number;
}

/** The mapping of the retry queue. */
export function senderMappingFor(partsPerSecond: number): SenderMapping {
  const { partsPerStep, batchSize, collected, workersPerStep, mostWorkers } = senderScaling;
  const isCollected = partsPerSecond > partsPerStep;
  const steps = Math.max(1, Math.ceil(partsPerSecond / partsPerStep));
  return {
    batchSize: isCollected ? collected.batchSize : batchSize,
    batchingWindowSeconds: isCollected ? collected.windowSeconds : 0,
    concurrency: Math.min(mostWorkers, workersPerStep * steps),
  };
}
