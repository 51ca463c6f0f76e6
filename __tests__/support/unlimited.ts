/** A rate limiter that lets every message go at once. */
import type { RateLimiter } from "../../functions/core/sending/rate-limiter.ts";

/** Every send has its permit at once. */
export const unlimited: RateLimiter = {
  acquire: async () => ({ depart() {}, release() {} }),
};
