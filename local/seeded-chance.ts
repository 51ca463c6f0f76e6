/** Chance that can be repeated: the same seed and key give the same numbers, whatever runs in between. */
import { createHash } from "node:crypto";
import { uniformFloat32 } from "pure-rand/distribution/uniformFloat32";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** A source of numbers in [0, 1), evenly distributed. */
export type Chance = () => number;

/**
 * A source of chance for one decision or a short row of them.
 *
 * A source of its own for each key (a message, an attempt) keeps scripted input the same when calls arrive in
 * another order, as they do in every run with real processes.
 *
 * @param key what the decision is about, e.g. `"events", messageId, attempt`
 */
export function seededChance(seed: number, ...key: readonly (string | number)[]): Chance {
  const hash = createHash("sha256")
    .update(`${seed}/${key.join("/")}`)
    .digest();
  const generator = xoroshiro128plus(hash.readInt32LE());
  // The first numbers of this generator are the seed's own bits.
  generator.jump();
  return () => uniformFloat32(generator);
}

/** A number between `least` and `most`. */
export function between([least, most]: readonly [number, number], chance: Chance): number {
  return least + (most - least) * chance();
}

/** The items in another order; the list given stays as it is. */
export function shuffled<T>(items: readonly T[], chance: Chance): T[] {
  return items
    .map((item) => ({ item, rank: chance() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}
