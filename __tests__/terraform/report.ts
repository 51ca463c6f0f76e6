/** What a person reads of a run: one line for each step, and what Terraform said where it failed. */

/** Counts and prints steps. */
export interface Report {
  /**
   * Runs a step of a stack and prints its line.
   *
   * @throws StepFailedError after the failure has been printed
   */
  step<T>(stack: string, name: string, action: () => Promise<T>): Promise<T>;
  /** Prints the closing line; whether every step passed. */
  close(): boolean;
}

/** A step has failed, and what came of it is printed: the steps that build on it cannot be run. */
export class StepFailedError extends Error {
  override readonly name = "StepFailedError";
}

/** A report that writes lines. */
export function reportTo(write: (line: string) => void): Report {
  let passed = 0;
  let failed = 0;
  const began = Date.now();
  return {
    async step(stack, name, action) {
      const started = Date.now();
      const line = (verdict: string) =>
        write(`${verdict} ${stack.padEnd(28)}  ${name.padEnd(34)} ${seconds(Date.now() - started)}`);
      try {
        const result = await action();
        passed += 1;
        line("ok    ");
        return result;
      } catch (error) {
        failed += 1;
        line("FAILED");
        const text = error instanceof Error ? error.message : String(error);
        write(`\n${stack}: the step "${name}" failed.\n${text.replace(/^/gm, "    ")}\n`);
        throw new StepFailedError(`${stack}: ${name}`, { cause: error });
      }
    },
    close() {
      write(`${passed} passed, ${failed} failed (${seconds(Date.now() - began).trim()})`);
      return failed === 0;
    },
  };
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`.padStart(8);
}
