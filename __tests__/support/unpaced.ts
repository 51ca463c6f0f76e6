/** A pace for tests that are not about the pace. */
import type { SendPace } from "../../functions/core/send-pace.ts";

/** Gives every send its turn at once. */
export const unpaced: SendPace = {
  queueUp: async () => ({ turn: async () => true, leave: () => {} }),
};
