/** The permit that one message holds from its wait to its departure. */
import { isBodyTooLong, partsOf } from "../message/message-parts.ts";
import type { Permit, RateLimiter } from "./rate-limiter.ts";

/** The permit of one message: taken once, however often its claim is tried, and released if it does not go. */
export class HeldPermit {
  readonly #rateLimiter: RateLimiter;
  #permit: Permit | undefined;
  #body: string | undefined;

  constructor(rateLimiter: RateLimiter) {
    this.#rateLimiter = rateLimiter;
  }

  /** Waits for the permit of a body; false where none comes in time. */
  async take(body: string): Promise<boolean> {
    if (this.#permit !== undefined && this.covers(body)) return true;
    this.release();
    this.#permit = await this.#rateLimiter.acquire(partsOf(body));
    this.#body = body;
    return this.#permit !== undefined;
  }

  /** Whether the permit is long enough for a body. */
  covers(body: string): boolean {
    if (body === this.#body) return true;
    return !isBodyTooLong(body) && partsOf(body) <= partsOf(this.#body ?? "");
  }

  /** The message goes out now. */
  depart(): void {
    this.#permit?.depart();
  }

  /** Gives back what has not departed; may be called twice. */
  release(): void {
    this.#permit?.release();
    this.#permit = undefined;
  }
}
