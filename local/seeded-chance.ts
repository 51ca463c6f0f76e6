/** Chance that can be repeated: the same seed and key give the same numbers, whatever runs in between. */

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
  let state = hash(`${seed}/${key.join("/")}`);
  // mulberry32: small, fast and even enough for scripts; nothing here is a secret.
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
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

/** FNV-1a over the text's UTF-16 units. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return value;
}
