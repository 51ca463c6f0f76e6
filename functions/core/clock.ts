/** Where the core gets time, chance and waiting from; tests and the simulation pass their own. */
export interface Clock {
  /** Now, in epoch seconds with a fraction. */
  now(): number;
  /** Resolves after this many seconds, or at once when the signal is aborted. Never rejects. */
  sleep(seconds: number, signal?: AbortSignal): Promise<void>;
}

/** Source of chance. */
export interface Random {
  /** A number in [0, 1), evenly distributed. */
  next(): number;
  /** An id that nobody else has. */
  id(): string;
}
