/** Ctrl-C, the same for every command. */

/** How long a command may put in order what it began, in milliseconds. */
const graceMs = 10_000;

/**
 * A signal that aborts at Ctrl-C or when the process is told to end. A command ends by itself then; if it does not
 * within ten seconds, or the user insists, the process ends all the same.
 *
 * @param end ends the process
 */
export function interruption(end: () => void): AbortSignal {
  const controller = new AbortController();
  // Once: the second time the system ends the process.
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => {
      controller.abort();
      setTimeout(end, graceMs).unref();
    });
  }
  return controller.signal;
}

/** The result of work that leaves nothing to put in order; rejects as soon as the signal aborts. */
export function unlessInterrupted<Result>(signal: AbortSignal, work: Promise<Result>): Promise<Result> {
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  return Promise.race([work, aborted]);
}
