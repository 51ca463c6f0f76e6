/**
 * How the retry queue calls the resend function, by the sum of the ceilings of all origination identities, in message parts
 * a second. The gate keeps the ceiling, whatever stands here; these numbers only say that what may leave finds a worker in
 * time, and that one write to the gate serves many messages. What was measured is in ADR 10.
 */

/** The stacks work with these numbers in HCL, the simulation and the tests by the functions below. */
export const senderScaling = {
  /** Above so many parts a second messages are collected. */
  collectedAbove: 100,
  /**
   * While some wait for their time and send, others must be there to ask: a batch of ten takes 0.8 s where the service takes
   * half a second. Lambda begins with five pollers anyway.
   */
  single: { batchSize: 10, windowSeconds: 0, leastWorkers: 5, partsPerWorker: 8 },
  /** Lambda takes more than ten only with a window of a second. */
  collected: { batchSize: 100, windowSeconds: 1, partsPerWorker: 20 },
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
  const { collectedAbove, single, collected, mostWorkers } = senderScaling;
  const { batchSize, windowSeconds, partsPerWorker } = partsPerSecond > collectedAbove ? collected : single;
  const workers = Math.max(single.leastWorkers, Math.ceil(partsPerSecond / partsPerWorker));
  return {
    batchSize,
    batchingWindowSeconds: windowSeconds,
    concurrency: Math.min(mostWorkers, workers),
  };
}
