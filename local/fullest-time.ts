/** How many message parts leave in the fullest time of some length. */

/** A message that left. */
export interface Departure {
  /** Seconds. */
  readonly at: number;
  readonly parts: number;
}

/**
 * The most parts in any time of this length, half open.
 *
 * @param seconds the length
 * @param departures in the order of their times
 * @param ceiling one message alone counts as no more than that; default: as what it is
 */
export function mostPartsWithin(
  seconds: number,
  departures: readonly Departure[],
  ceiling = Number.POSITIVE_INFINITY,
): number {
  let [first, held, peak] = [0, 0, 0];
  for (const [index, { at, parts }] of departures.entries()) {
    held += parts;
    // A double holds epoch seconds to a quarter of a microsecond.
    for (let oldest = departures[first]; oldest !== undefined && oldest.at <= at - seconds + 1e-6; ) {
      held -= oldest.parts;
      first += 1;
      oldest = departures[first];
    }
    peak = Math.max(peak, first === index ? Math.min(held, ceiling) : held);
  }
  return peak;
}
