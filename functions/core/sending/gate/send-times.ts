/**
 * When messages may leave: the arithmetic of one lane of a gate. Pure; ADR 10 has the reasons.
 *
 * Two rules hold for every start, whoever made the starts before it:
 *
 * 1. It keeps its distance (the generic cell rate algorithm): a message of `p` parts occupies the lane for `p` parts'
 *    worth of time, so that sends are even and not in bursts.
 * 2. No window is too full: in the `windowSeconds` that end with it, at most `partsPerWindow` parts start, or one
 *    message alone where it has more parts than that. By rule 1 alone a message of several parts that begins at the
 *    end of a second would reach over it.
 */

/** One message that leaves. */
export interface Start {
  /** Gate time, epoch seconds. */
  readonly at: number;
  /** Message parts, at least 1. */
  readonly parts: number;
}

/** What of the past a lane has to know. */
export interface Lane {
  /** Gate time from which the lane is free, epoch seconds. */
  readonly nextFreeAt: number;
  /**
   * The starts that a window which ends after {@link nextFreeAt} can still hold, oldest first. Each at the latest time
   * at which it may leave, whatever its worker does not know of the time: see {@link handedOver}.
   */
  readonly recent: readonly Start[];
}

/** A lane that nobody has used. */
export const emptyLane: Lane = { nextFreeAt: 0, recent: [] };

/** What a lane lets through. */
export interface LaneRate {
  /** A whole number, at least 1. */
  readonly partsPerWindow: number;
  readonly windowSeconds: number;
}

/**
 * How much longer than a second a window is taken for: messages that leave a second apart do not arrive a second
 * apart. It costs as much of the ceiling.
 */
export const windowStretch = 1.02;

/**
 * The most parts per second of one lane. With more, its item, which holds the starts of a second, would take more than
 * four write units, and the batches of a second would often meet at it.
 */
const partsPerSecondOfLane = 500;

/** How many lanes a gate has at a rate in parts per second. */
export function laneCount(rate: number): number {
  return Math.max(1, Math.ceil(Math.floor(rate) / partsPerSecondOfLane));
}

/**
 * What one lane lets through. The lanes together let no more than the rate through in any second; a rate below 1
 * lets one part through in `1 / rate` seconds.
 *
 * @param rate parts per second, > 0; from 1 on its fraction is not used: no second would have room for it
 * @param share how much of the rate goes now, > 0; the number of lanes stays as it is. @default 1
 */
export function rateOfLane(rate: number, lane: number, share = 1): LaneRate {
  const goes = rate * share;
  const lanes = laneCount(rate);
  const whole = Math.max(1, Math.floor(goes));
  return {
    partsPerWindow: Math.floor(whole / lanes) + (lane < whole % lanes ? 1 : 0),
    windowSeconds: windowStretch / Math.min(1, goes),
  };
}

/** A start after these, and the lane with it. */
function nextStart(
  lane: Lane,
  rate: LaneRate,
  earliest: number,
  parts: number,
): { start: Start; lane: Lane } {
  const { partsPerWindow, windowSeconds } = rate;
  const from = Math.max(earliest, lane.nextFreeAt);
  let [at, last, between, largest] = [from, lane.nextFreeAt, 0, parts];
  for (const before of lane.recent.toReversed()) {
    between += before.parts;
    last = Math.max(last, before.at);
    largest = Math.max(largest, before.parts);
    // The two may not be in one window where it has no room for both, and what is between them.
    if (between + parts > partsPerWindow) at = Math.max(at, clearOf(before, between, rate));
  }
  // More than a window's parts, each of which fits into one, have gone at a higher rate only. That is no debt: a window
  // behind the last of them there is room again.
  const latest = largest > partsPerWindow ? Number.POSITIVE_INFINITY : Math.max(from, last + windowSeconds);
  at = roundedUp(Math.min(at, latest));
  const start = { at, parts };
  const nextFreeAt = roundedUp(at + (parts * windowSeconds) / partsPerWindow);
  return { start, lane: { nextFreeAt, recent: [...lane.recent, start] } };
}

/** When a start is a window behind another; where it and what follows it fill more than one, as much further behind. */
function clearOf({ at }: Start, partsFromIt: number, { partsPerWindow, windowSeconds }: LaneRate): number {
  return at + windowSeconds * Math.max(1, partsFromIt / partsPerWindow);
}

/** Times are kept in tenths of a millisecond; rounded up, so that no distance gets shorter. */
function roundedUp(seconds: number): number {
  // A double holds epoch seconds to a quarter of a microsecond: what is round already stays as it is.
  return Math.ceil(seconds * 1e4 - 1e-2) / 1e4;
}

/** Starts for messages, in the order given, and the lane behind the last of them. */
export interface Plan {
  readonly starts: readonly Start[];
  readonly lane: Lane;
}

/**
 * Gives messages their starts, as many as a worker can wait for.
 *
 * @param earliest gate time before which nothing starts, epoch seconds
 * @param parts of each message, in the order in which they go
 * @param isAcceptable whether a worker may wait so long, in seconds after `earliest`, for the last of `count` messages
 */
export function planStarts(
  lane: Lane,
  rate: LaneRate,
  earliest: number,
  parts: readonly number[],
  isAcceptable: (waitSeconds: number, count: number) => boolean,
): Plan {
  const starts: Start[] = [];
  let [current, accepted] = [lane, lane];
  let acceptedCount = 0;
  for (const [index, count] of parts.entries()) {
    const next = nextStart(current, rate, earliest, count);
    starts.push(next.start);
    current = next.lane;
    // The wait for more messages may be acceptable where that for fewer is not.
    if (isAcceptable(next.start.at - earliest, index + 1)) [accepted, acceptedCount] = [current, index + 1];
  }
  return { starts: starts.slice(0, acceptedCount), lane: accepted };
}

/**
 * The lane as the next worker must see it: the new starts moved by what the clocks may differ, and without what no
 * later start has to keep clear of any more.
 *
 * The distance to the next start stays as it is. For starts less than a second apart nothing but the window is promised,
 * and for those that are further apart, the moved starts keep the window clear and the distance does the rest: so the
 * clocks cost their difference once in a window, however many batches share it.
 *
 * @param count how many starts at the end are new
 * @param lateBy how late the sends may be that the plan's author makes, by the reference of all, in seconds
 */
export function handedOver(
  { nextFreeAt, recent }: Lane,
  rate: LaneRate,
  { count, lateBy }: { readonly count: number; readonly lateBy: number },
): Lane {
  const firstNew = recent.length - count;
  const moved = recent.map((start, index) =>
    index < firstNew ? start : { ...start, at: roundedUp(start.at + lateBy) },
  );
  let [first, partsFromIt] = [moved.length, 0];
  for (let index = moved.length - 1; index >= 0; index -= 1) {
    const start = moved[index] as Start;
    partsFromIt += start.parts;
    const isFilled = partsFromIt - start.parts >= rate.partsPerWindow;
    // What is a window before a start of the same batch is as late as that, and no nearer to what comes.
    if (isFilled && index >= firstNew) continue;
    if (clearOf(start, partsFromIt, rate) > nextFreeAt) first = index;
  }
  return { nextFreeAt, recent: moved.slice(first) };
}
