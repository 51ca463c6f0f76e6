/** Repeats a read-decide-write on a resource that others change too. */
import type { Clock } from "../../core/clock.ts";
import { ControlPlaneError, StreamContentionError } from "../errors.ts";
import { ControlPlaneBusyError } from "./delivery-stream.ts";

/** How often it is tried. Firehose allows five calls a second on a stream's description, for everybody together. */
export const maxTries = 5;

/**
 * Runs `attempt` until it has an outcome, up to {@link maxTries} times, waiting 1, 2, 4 and 8 s between.
 *
 * @param attempt reads anew each time; answers `changed-meanwhile` when it lost against another writer, and may
 *   throw {@link ControlPlaneBusyError}; any other error ends the tries
 * @throws StreamContentionError if no try had an outcome; ControlPlaneError if the last try was not allowed
 */
export async function untilSettled<Outcome extends object>(
  deliveryStreamName: string,
  clock: Pick<Clock, "sleep">,
  attempt: () => Promise<Outcome | "changed-meanwhile">,
): Promise<Outcome> {
  let cause: unknown;
  for (let tries = 1; tries <= maxTries; tries += 1) {
    try {
      const outcome = await attempt();
      if (outcome !== "changed-meanwhile") return outcome;
      cause = undefined;
    } catch (error) {
      if (!(error instanceof ControlPlaneBusyError)) throw error;
      cause = error.cause ?? error;
    }
    if (tries < maxTries) await clock.sleep(2 ** (tries - 1));
  }
  // What was refused to the end is refused: its own text says by whom.
  if (cause instanceof ControlPlaneError) throw cause;
  throw new StreamContentionError(deliveryStreamName, maxTries, cause);
}
