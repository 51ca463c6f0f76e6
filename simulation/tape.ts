/**
 * Every decision of a simulated run, in order: drawn from a seed, or played from a tape. A tape can be cut and
 * smoothed, which is how a failing run is made small.
 */

/** A source of decisions. 0 is always the harmless one: nothing dies, nothing is late. */
export interface Tape {
  /** A whole number from 0 to `choices` - 1. */
  choose(choices: number): number;
  /** Whether something happens that happens `percent` times in a hundred; never, where the tape is at its end. */
  happens(percent: number): boolean;
  /** What has been drawn so far. */
  readonly drawn: readonly number[];
}

const range = 2 ** 16;

/** A tape that draws from a seed: the same seed, the same run. */
export function seededTape(seed: number): Tape {
  let state = Math.imul(seed + 1, 0x9e3779b1);
  return tape(() => {
    // mulberry32: small and even enough; nothing here is a secret.
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % range;
  });
}

/** A tape that plays these numbers, and then only harmless ones. */
export function playedTape(numbers: readonly number[]): Tape {
  let position = 0;
  return tape(() => numbers[position++] ?? 0);
}

function tape(next: () => number): Tape {
  const drawn: number[] = [];
  const draw = (): number => {
    const value = next();
    drawn.push(value);
    return value;
  };
  return {
    drawn,
    choose: (choices) => Math.floor((draw() / range) * choices),
    // High numbers are the harmful ones, so that a smaller tape is a more harmless one.
    happens: (percent) => draw() >= range * (1 - percent / 100),
  };
}
