/** Waits for what comes a moment later, e.g. the line that a function has written when it answers. */
import { setTimeout } from "node:timers/promises";

/** Repeats an assertion until it holds; after two seconds it must. */
export async function eventually(assertion: () => void): Promise<void> {
  const end = performance.now() + 2_000;
  while (performance.now() < end) {
    try {
      assertion();
      return;
    } catch {
      await setTimeout(20);
    }
  }
  assertion();
}
