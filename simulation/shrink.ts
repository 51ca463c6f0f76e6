/** Makes a failing run small: the shortest and most harmless tape that still fails. */
import { playedTape } from "./tape.ts";

/**
 * Shrinks a tape by cutting its end and by making stretches of it harmless, as long as the run still fails.
 *
 * @param fails whether the run of a tape fails
 * @param mostRuns how many runs it may cost
 * @returns the numbers of the smallest tape found
 */
export async function shrinkTape(
  numbers: readonly number[],
  fails: (tape: ReturnType<typeof playedTape>) => Promise<boolean>,
  mostRuns = 2_000,
): Promise<readonly number[]> {
  let best = [...numbers];
  let runs = 0;
  const accept = async (candidate: number[]): Promise<boolean> => {
    if (runs++ >= mostRuns || !(await fails(playedTape(candidate)))) return false;
    best = candidate;
    return true;
  };

  for (let length = Math.floor(best.length / 2); length >= 1; length = Math.floor(length / 2)) {
    while (best.length > length && (await accept(best.slice(0, best.length - length))));
  }
  for (let size = Math.max(1, best.length >> 1); size >= 1; size >>= 1) {
    for (let from = 0; from < best.length; from += size) {
      const stretch = best.slice(from, from + size);
      if (stretch.every((number) => number === 0)) continue;
      await accept([...best.slice(0, from), ...stretch.map(() => 0), ...best.slice(from + size)]);
    }
  }
  return best;
}
