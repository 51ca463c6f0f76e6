/** A pace that lets every message go at once. */
import type { SendPace } from "../../functions/core/sending/send-pace.ts";

/** Every send has its turn at once. */
export const unpaced: SendPace = {
  turn: async () => ({ depart() {}, release() {} }),
};
