/** Every choice of a simulated run, in order: drawn by chance and recorded, so that a failing run can be made small. */
import fc from "fast-check";
import { type Chance, seededChance } from "../local/seeded-chance.ts";

/** A source of choices. 0 is always the harmless one: nothing dies, nothing is late. */
export interface Choices {
  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number;
  /** Whether something happens that happens `percent` times in a hundred; never, where 0 is drawn. */
  happens(percent: number): boolean;
  /** What has been drawn so far: numbers in [0, 1). */
  readonly drawn: readonly number[];
}

/** Choices by chance: the same seed, the same run. */
export function seededChoices(seed: number): Choices {
  return choices(seededChance(seed, "run"));
}

/** These choices, and then only harmless ones. */
export function recordedChoices(drawn: readonly number[]): Choices {
  let position = 0;
  return choices(() => drawn[position++] ?? 0);
}

function choices(chance: Chance): Choices {
  const drawn: number[] = [];
  const draw = (): number => {
    const value = chance();
    drawn.push(value);
    return value;
  };
  return {
    drawn,
    below: (limit) => Math.floor(draw() * limit),
    // High numbers are the harmful ones, so that fewer of them make a more harmless run.
    happens: (percent) => draw() >= 1 - percent / 100,
  };
}

function split(places: readonly number[], from: number): [number[], number[]] {
  return [places.filter((place) => place < from), places.filter((place) => place >= from)];
}

/** Some of the places of choices, which fast-check leaves out by halves, as many at once as it can. */
function someOf(places: readonly number[]): fc.Arbitrary<number[]> {
  if (places.length < 2) return fc.subarray([...places]);
  const [left, right] = [places.slice(0, places.length >> 1), places.slice(places.length >> 1)];
  const both = fc.tuple(someOf(left), someOf(right)).map(
    (halves) => halves.flat(),
    (some) => split(some as number[], right[0] ?? 0),
  );
  return fc.option(both, { nil: [] });
}

/**
 * Lets fast-check make a failing run small: of its choices as few as possible stay, the others become harmless.
 *
 * @param fails whether the run of some choices fails
 * @param mostSeconds how long it may take; the smallest run found until then counts
 * @returns the choices of the smallest run that fails, without harmless ones at the end
 */
export async function shrinkChoices(
  drawn: readonly number[],
  fails: (choices: Choices) => Promise<boolean>,
  mostSeconds = 60,
): Promise<readonly number[]> {
  const places = [...drawn.keys()].filter((place) => drawn[place] !== 0);
  const keep = (length: number, some: readonly number[]): readonly number[] => {
    const kept = new Set(some);
    return drawn.slice(0, length).map((choice, place) => (kept.has(place) ? choice : 0));
  };
  const { counterexample } = await fc.check<[length: number, some: number[]]>(
    fc.asyncProperty(
      // Cuts the end off in a few steps; the halves alone would get there last.
      fc.nat(drawn.length),
      someOf(places),
      async (length, some) => !(await fails(recordedChoices(keep(length, some)))),
    ),
    { examples: [[drawn.length, places]], numRuns: 1, interruptAfterTimeLimit: mostSeconds * 1_000 },
  );
  return counterexample === null ? drawn : keep(...counterexample);
}
