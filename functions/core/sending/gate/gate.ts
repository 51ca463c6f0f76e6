/**
 * The shared limit on sends of one origination identity: what its item holds, and the decision about a batch of
 * messages that want to leave. Pure; `send-gate.ts` brings it to the table. ADR 10 has the reasons.
 *
 * A message gets the time at which it leaves, or is deferred and takes part again later. Nothing is claimed before.
 */
import { type Allowance, allowance, type Breaker, openBreaker } from "./breaker.ts";
import { emptyLane, handedOver, type Lane, type LaneRate, planStarts, rateOfLane } from "./send-times.ts";

/** An operator's stop. */
export interface Pause {
  /** Epoch seconds; absent = until somebody resumes. */
  readonly until?: number;
  /** Epoch seconds. */
  readonly since: number;
  /** Who paused: the name of the caller's AWS identity. */
  readonly by: string;
  readonly reason?: string;
}

const daySeconds = 86_400;
const hourSeconds = 3_600;

/**
 * Whether somebody should be reminded of a pause: of one without an end, in the first hour of each of its days, so that
 * an alarm on it goes off once a day.
 */
export function isReminderDue({ since, until }: Pause, now: number): boolean {
  return until === undefined && Math.max(0, now - since) % daySeconds < hourSeconds;
}

/** What holds for all lanes of a gate; stands in the item of lane 0. */
export interface GateState {
  readonly breaker: Breaker;
  readonly pause?: Pause;
  /** The lowest rate that a deployment of the last minute has named, in parts per second. */
  readonly rate?: number;
  /** Epoch seconds until which {@link rate} binds the others. */
  readonly rateUntil?: number;
}

/** One lane, and how much waits for it. */
export interface LaneState {
  readonly lane: Lane;
  /**
   * Gate times at which everything would have left that waits for this lane and is at least so urgent, by
   * {@link urgencySeconds}; the last is for everything. An estimate.
   */
  readonly backlogUntil: readonly number[];
}

/** A gate that nobody has used. */
export const newGate: GateState = { breaker: openBreaker };

/** A lane that nobody has used. */
export const newLane: LaneState = { lane: emptyLane, backlogUntil: [] };

/** A message that wants to leave. */
export interface PermitRequest {
  /** Message parts, at least 1. */
  readonly parts: number;
  /** Epoch seconds after which it is useless; absent = never. */
  readonly deadline?: number;
  /** The application's own send: it goes before all retries. @default false */
  readonly isFirstSend?: boolean;
  /** How urgent it was when a gate deferred it, so that it stands in the backlog; absent = it was not deferred. */
  readonly waitsAs?: number;
}

/** Why a message does not leave now. */
export type GateReason = "no-capacity" | "breaker-closed" | "paused";

/** When a message leaves, or when it should ask again; epoch seconds, the first in gate time. */
export type GateDecision =
  | { readonly kind: "start"; readonly at: number; readonly isProbe: boolean }
  | {
      readonly kind: "defer";
      readonly until: number;
      readonly reason: GateReason;
      /** Where an operator has stopped the sends. */
      readonly pause?: Pause;
      /** How urgent it was when it was counted among what waits; absent = it was not. */
      readonly waitsAs?: number;
    };

/** The decisions on a batch, in its order, and what to keep where they differ from what was. */
export interface Reservation {
  readonly decisions: readonly GateDecision[];
  readonly lane: LaneState;
  readonly gate: GateState;
}

/** What a worker knows about the time by the gate's reference: it is not before the one and not after the other. */
export interface GateTime {
  readonly earliest: number;
  readonly latest: number;
}

/** Circumstances of a reservation. */
export interface ReservationContext {
  readonly time: GateTime;
  /** The worker's own rate for this identity, parts per second, > 0. */
  readonly rate: number;
  readonly laneNumber: number;
  /** How long a worker's own calls for a message take together, in seconds. */
  readonly callSeconds: number;
  /** How long before its time a message is to be claimed, in seconds; nothing leaves sooner. @default 0 */
  readonly leadSeconds?: number;
  /** A number in [0, 1) for each call: spreads what is deferred. */
  readonly random: () => number;
}

/**
 * Seconds that a message has left, by which it is the more urgent the earlier it stands; what has more left, or no
 * deadline, is the least urgent. A first send is among the most urgent.
 */
export const urgencySeconds = [10, 20, 30, 60, 120, 300, 900] as const;

/** A rate binds other deployments for so long after its last use: longer than an invocation lives. */
export const rateHoldSeconds = 60;

/** The longest that a paused message waits before it asks again, in seconds: about as long as the pause has lasted. */
function longestPausedWait({ since }: Pause, now: number): number {
  return Math.min(60, Math.max(4, now - since));
}

/** No send is reserved further ahead, in seconds: a pause must be seen within five. */
const horizonSeconds = 3;

/**
 * A worker waits so long at least for a time, in seconds: as long as a message and a bit occupies the lane, in these bounds.
 * Else, at low rates, nobody would be there when the lane becomes free.
 */
const leastPatience = { least: 0.3, most: 0.5, messages: 1.2 } as const;

/**
 * How long a worker waits for the last of so many messages: as long again as their calls take, which it waits for anyway.
 *
 * @param secondsOfOne how long a message occupies the lane
 */
function patienceSeconds(secondsOfOne: number, callSeconds: number, count: number): number {
  const { least, most, messages } = leastPatience;
  const atLeast = Math.min(Math.max(messages * secondsOfOne, least), most);
  return Math.min(Math.max(2 * callSeconds * count, atLeast), horizonSeconds);
}

/** How long a lane that urgent messages wait for must have been idle until others may use it, in seconds. */
const idleSeconds = 0.3;

/** What is deferred comes again after so many seconds at the latest: as long as SQS can delay. */
const longestDeferralSeconds = 900;

/** How long before its deadline a deferred message comes at the latest, in seconds: its last chance. */
const lastChanceSeconds = 3;

/** The rate that binds a worker: its own, or a lower one that another deployment has named. */
export function effectiveRate(gate: GateState, own: number, now: number): number {
  return gate.rate !== undefined && (gate.rateUntil ?? 0) > now ? Math.min(own, gate.rate) : own;
}

/** The gate after a worker of this rate has used it; the same object where there is nothing to keep. */
function withRate(gate: GateState, own: number, now: number): GateState {
  const bound = effectiveRate(gate, own, now);
  const isHeld = gate.rate === own && (gate.rateUntil ?? 0) > now + rateHoldSeconds / 2;
  return bound < own || isHeld ? gate : { ...gate, rate: own, rateUntil: now + rateHoldSeconds };
}

/** How urgent a message is: its place among {@link urgencySeconds}. */
function urgencyOf({ deadline = Number.POSITIVE_INFINITY, isFirstSend }: PermitRequest, now: number): number {
  if (isFirstSend === true) return 0;
  const level = urgencySeconds.findIndex((seconds) => deadline - now <= seconds);
  return level < 0 ? urgencySeconds.length : level;
}

/**
 * Until when everything of an urgency, and what is more urgent, keeps the lane busy; no longer than it has left: then it
 * has gone, or is useless. 0 for an urgency of -1: nothing is more urgent than the most urgent.
 */
function busyUntil({ backlogUntil }: LaneState, urgency: number, now: number): number {
  return Math.min(backlogUntil[urgency] ?? 0, now + (urgencySeconds[urgency] ?? Number.POSITIVE_INFINITY));
}

/** The order in which messages go: first sends, then by the nearest deadline. */
function byPrecedence(a: PermitRequest, b: PermitRequest): number {
  const first = Number(b.isFirstSend === true) - Number(a.isFirstSend === true);
  return first !== 0 ? first : (a.deadline ?? Infinity) - (b.deadline ?? Infinity);
}

/** The lane's estimates without the time in which nobody used it: what did not come was not there. */
function withoutIdleTime(state: LaneState, now: number): LaneState {
  const idle = Math.max(0, now - state.lane.nextFreeAt);
  return { ...state, backlogUntil: state.backlogUntil.map((until) => Math.max(now, until - idle)) };
}

/**
 * Decides when the messages of a batch leave.
 *
 * @param requests in any order; the decisions come in the same
 */
export function reserve(
  gate: GateState,
  lane: LaneState,
  requests: readonly PermitRequest[],
  context: ReservationContext,
): Reservation {
  const { time, random } = context;
  const now = time.latest;
  const { pause } = gate;
  if (pause !== undefined && now < (pause.until ?? Infinity)) {
    return refused(gate, lane, requests, { reason: "paused", pause }, () =>
      Math.min(pause.until ?? Infinity, now + longestPausedWait(pause, now) * (0.25 + 0.75 * random())),
    );
  }
  const allowed = allowance(gate.breaker, now);
  if (allowed.kind === "closed") {
    return refused(gate, lane, requests, { reason: "breaker-closed" }, () => allowed.until + 5 * random());
  }
  return planned(withRate(gate, context.rate, now), lane, requests, context, allowed);
}

function refused(
  gate: GateState,
  lane: LaneState,
  requests: readonly PermitRequest[],
  why: { readonly reason: GateReason; readonly pause?: Pause },
  until: () => number,
): Reservation {
  const decisions = requests.map(({ waitsAs }): GateDecision => {
    return { kind: "defer", until: until(), ...why, ...(waitsAs !== undefined && { waitsAs }) };
  });
  return { gate, lane, decisions };
}

function planned(
  gate: GateState,
  given: LaneState,
  requests: readonly PermitRequest[],
  context: ReservationContext,
  allowed: Exclude<Allowance, { kind: "closed" }>,
): Reservation {
  const { time, laneNumber, random, callSeconds } = context;
  const now = time.latest;
  const share = allowed.kind === "open" ? allowed.shareOfRate : 1;
  const rate = rateOfLane(effectiveRate(gate, context.rate, now), laneNumber, share);
  const isIdle = now - given.lane.nextFreeAt > Math.max(idleSeconds, 3 * secondsOf(1, rate));

  const order = requests
    .map((request, index) => ({ request, index }))
    .sort((a, b) => byPrecedence(a.request, b.request));
  // While something more urgent waits, a message leaves the lane to it.
  const mayGo = order.filter(
    ({ request }) => isIdle || busyUntil(given, urgencyOf(request, now) - 1, now) <= now,
  );
  const candidates = allowed.kind === "probe" ? mayGo.slice(0, 1) : mayGo;
  const parts = candidates.map(({ request }) => request.parts);
  const plan = planStarts(
    given.lane,
    rate,
    now + (context.leadSeconds ?? 0),
    parts,
    (wait, count) => wait <= patienceSeconds(secondsOf(parts[count - 1] ?? 1, rate), callSeconds, count),
  );

  const decisions: GateDecision[] = [];
  let state = plan.starts.length === 0 ? given : withoutIdleTime(given, now);
  for (const [position, start] of plan.starts.entries()) {
    const candidate = candidates[position];
    if (candidate === undefined) break;
    decisions[candidate.index] = { kind: "start", at: start.at, isProbe: allowed.kind === "probe" };
    // It takes the time of one that waits.
    state = withWaiting(state, candidate.request, rate, now, true);
  }
  for (const { request, index } of order) {
    if (decisions[index] !== undefined) continue;
    state = withWaiting(state, request, rate, now, false);
    const until =
      allowed.kind === "probe" ? now + 5 + 5 * random() : comesAgainAt(state, request, rate, context);
    decisions[index] = {
      kind: "defer",
      until,
      reason: allowed.kind === "probe" ? "breaker-closed" : "no-capacity",
      waitsAs: Math.min(urgencyOf(request, now), request.waitsAs ?? Number.POSITIVE_INFINITY),
    };
  }
  const lateBy = time.latest - time.earliest;
  return {
    decisions,
    lane:
      plan.starts.length === 0
        ? state
        : { ...state, lane: handedOver(plan.lane, rate, { count: plan.starts.length, lateBy }) },
    gate: allowed.kind === "probe" && plan.starts.length > 0 ? { ...gate, breaker: allowed.breaker } : gate,
  };
}

function secondsOf(parts: number, rate: LaneRate): number {
  return (parts * rate.windowSeconds) / rate.partsPerWindow;
}

/**
 * The estimates with one message more, in those for its urgency and less; one that has become more urgent since it was
 * counted is added to those that have not counted it. One that goes at once counts only where others wait.
 */
function withWaiting(
  state: LaneState,
  request: PermitRequest,
  rate: LaneRate,
  now: number,
  goesAtOnce: boolean,
): LaneState {
  const urgency = urgencyOf(request, now);
  const countedFrom = request.waitsAs ?? urgencySeconds.length + 1;
  if (urgency >= countedFrom) return state;
  const backlogUntil = [...urgencySeconds, Number.POSITIVE_INFINITY].map((_, level) => {
    const until = state.backlogUntil[level] ?? 0;
    const isCounted = level < urgency || level >= countedFrom;
    if (isCounted || (goesAtOnce && until <= now)) return until;
    const longest = now + (urgencySeconds[level] ?? Number.POSITIVE_INFINITY);
    return Math.min(Math.max(until, now) + secondsOf(request.parts, rate), longest);
  });
  return { ...state, backlogUntil };
}

/**
 * When a deferred message asks again: spread over the time that takes what is at least as urgent, so that more ask than
 * may go, and no later than at half of its time, when it may have become more urgent.
 */
function comesAgainAt(
  state: LaneState,
  request: PermitRequest,
  rate: LaneRate,
  { time, random, callSeconds }: ReservationContext,
): number {
  const now = time.latest;
  const backlogSeconds = busyUntil(state, urgencyOf(request, now), now) - now;
  const left = (request.deadline ?? Number.POSITIVE_INFINITY) - now;
  const eagerness = left <= eager.secondsLeft ? eager : calm;
  const asking = eagerness.times * askersForOne(secondsOf(request.parts, rate), callSeconds);
  const spread = Math.min(
    Math.max(backlogSeconds / asking, eagerness.leastSpread),
    longestDeferralSeconds,
    Math.max(left / 2, 2),
  );
  const until = now + random() * spread;
  return Math.min(until, Math.max(now + left - lastChanceSeconds, now + 1));
}

/**
 * What is hardly of use any more asks so much more often, and is spread over so many seconds at least: a time that it misses is
 * gone. With less, one password in twelve comes too late where as many are due as may go, with this one in twenty.
 */
const eager = { secondsLeft: 60, times: 3, leastSpread: 1 } as const;
const calm = { times: 1, leastSpread: 2 } as const;

/** At least, and at most, so many messages ask for each that may go. */
const askers = { least: 1.5, most: 16 } as const;

/**
 * How many messages have to ask for each that goes. They come by chance, and each waits only so long; where a message
 * occupies the lane for longer than that, so many must come in this time that hardly ever none does. The lane is then
 * idle for a hundredth of its time or two.
 */
function askersForOne(secondsOfOne: number, callSeconds: number): number {
  const patience = patienceSeconds(secondsOfOne, callSeconds, 1);
  const inPatience = 3 + 1.5 * Math.min(1, patience / secondsOfOne);
  return Math.min(Math.max((inPatience * secondsOfOne) / patience, askers.least), askers.most);
}

/** Which lane a worker takes: the one that is free first, and of those that are free now, one by a number in [0, 1). */
export function laneFor(lanes: readonly LaneState[], now: number, chance: number): number {
  const freeAt = lanes.map(({ lane }) => Math.max(lane.nextFreeAt, now));
  const first = Math.min(...freeAt);
  const candidates = freeAt.flatMap((at, index) => (at === first ? [index] : []));
  return candidates[Math.floor(chance * candidates.length)] ?? 0;
}
