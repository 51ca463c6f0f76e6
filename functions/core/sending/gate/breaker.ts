/**
 * Stops the sends of a gate while the SMS service does not take any: a circuit breaker that all workers share.
 *
 * | state | what happens | next |
 * |---|---|---|
 * | open | messages go; failures in a row are counted, a success sets the count to 0 | closed after {@link failuresToClose} |
 * | closed | nothing goes until `closedUntil` | then one probe |
 * | probe out | one message is under way, nothing else goes | success: open; failure: closed, three times as long |
 * | opening | for a minute after a success the rate grows from a tenth to the whole | open |
 *
 * "Closed" and "open" are a gate's: closed lets nothing through.
 */

/** What a gate keeps about its breaker; times in epoch seconds. */
export interface Breaker {
  /** Failed calls in a row. */
  readonly failures: number;
  /** Nothing goes before; 0 = the breaker is open. */
  readonly closedUntil: number;
  /** A probe is under way until then at the latest; 0 = none. */
  readonly probeUntil: number;
  /** Since when it has been closed without a success; 0 = it is open. */
  readonly closedSince: number;
  /** When a success last opened it; 0 = never. */
  readonly openedAt: number;
}

/** A breaker that has seen no failure. */
export const openBreaker: Breaker = {
  failures: 0,
  closedUntil: 0,
  probeUntil: 0,
  closedSince: 0,
  openedAt: 0,
};

/** So many failed calls in a row close the breaker: one or two are everyday. */
export const failuresToClose = 3;

/** How long it stays closed at first, and at most, in seconds. */
const closedSeconds = { first: 5, longest: 300, growth: 3 } as const;

/** A probe whose worker died is given up after so long: a worker lives no longer. */
const probeSeconds = 30;

/** How long the rate grows after the breaker has opened. */
const openingSeconds = 60;

/** What the breaker allows: everything at a share of the rate, one probe, or nothing before a time. */
export type Allowance =
  | { readonly kind: "open"; readonly shareOfRate: number }
  | { readonly kind: "probe"; readonly breaker: Breaker }
  | { readonly kind: "closed"; readonly until: number };

/** What may go now. Whoever takes the probe must keep the `breaker` of the answer, or another takes it as well. */
export function allowance(breaker: Breaker, now: number): Allowance {
  if (breaker.closedSince === 0) {
    // One that never closed opened at 0, long ago.
    const opening = (now - breaker.openedAt) / openingSeconds;
    return { kind: "open", shareOfRate: Math.min(1, Math.max(0.1, opening)) };
  }
  const until = Math.max(breaker.closedUntil, breaker.probeUntil);
  if (now < until) return { kind: "closed", until };
  return { kind: "probe", breaker: { ...breaker, probeUntil: now + probeSeconds } };
}

/**
 * The breaker after a call that the service answered as one does that works.
 *
 * @param now when the answer came; one from before the breaker closed does not open it
 */
export function afterSuccess(breaker: Breaker, now: number): Breaker {
  if (now < breaker.closedSince) return breaker;
  if (breaker.closedSince === 0) return breaker.failures === 0 ? breaker : { ...breaker, failures: 0 };
  return { ...openBreaker, openedAt: now };
}

/**
 * The breaker after a call that failed: no connection, no answer, a 5xx, or "not allowed".
 *
 * @param now when that was known; what failed before the breaker opened is no news
 */
export function afterFailure(breaker: Breaker, now: number, isProbe: boolean): Breaker {
  if (breaker.closedSince !== 0) {
    // What was under way when it closed says nothing new.
    if (!isProbe) return breaker;
    const lasted = Math.max(now - breaker.closedSince, closedSeconds.first);
    const seconds = Math.min(lasted * closedSeconds.growth - lasted, closedSeconds.longest);
    return { ...breaker, failures: breaker.failures + 1, closedUntil: now + seconds, probeUntil: 0 };
  }
  if (now < breaker.openedAt) return breaker;
  const failures = breaker.failures + 1;
  if (failures < failuresToClose) return { ...breaker, failures };
  return {
    failures,
    closedUntil: now + closedSeconds.first,
    probeUntil: 0,
    closedSince: now,
    openedAt: breaker.openedAt,
  };
}

/** The breaker where its probe, known by its end, has not left after all: the next one may go at once. */
export function withoutProbe(breaker: Breaker, probeUntil: number): Breaker {
  return breaker.probeUntil === probeUntil ? { ...breaker, probeUntil: 0 } : breaker;
}
