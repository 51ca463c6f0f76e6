/**
 * The gate as the functions use it: a message asks for a permit, claims its attempt, and leaves at the permit's time.
 *
 * All messages of a batch that ask at the same moment share one write (ADR 10). What gets no permit is deferred; no
 * worker sleeps longer than its batch takes to leave.
 */
import type { Clock, Random } from "../../clock.ts";
import { afterFailure, afterSuccess, type Breaker, withoutProbe } from "./breaker.ts";
import {
  effectiveRate,
  type GateDecision,
  type GateReason,
  laneFor,
  type Pause,
  type PermitRequest,
  reserve,
} from "./gate.ts";
import type { GateClock, GateStore, StoredGateItem } from "./gate-store.ts";
import { laneCount } from "./send-times.ts";
import { SendTiming } from "./send-timing.ts";

/** What a gate needs. */
export interface SendGateDependencies {
  readonly store: GateStore;
  readonly gateClock: GateClock;
  readonly clock: Clock;
  readonly random: Pick<Random, "next">;
  /** Parts per second of an identity, > 0; `undefined` where the deployment sends nothing at all. */
  readonly rateOf: (identity: string) => number | undefined;
  /** What is known of the worker's own calls. @default nothing */
  readonly timing?: SendTiming;
  /** No permit is for a time after it, epoch seconds of `clock`. */
  readonly until: number;
}

/** A message leaves at a time of its own. Who has a permit calls {@link departs} and then {@link report}. */
export interface Permit {
  readonly kind: "permit";
  /** How many message parts it is for. */
  readonly parts: number;
  /**
   * Resolves at the permit's time.
   *
   * @returns false where it is too late for it, or the service has failed meanwhile: the message must not leave
   */
  departs(): Promise<boolean>;
  /** What came of the call: whether the service answered as one does that works. */
  report(isServiceWorking: boolean): void;
}

/** No permit now. */
export interface NoPermit {
  readonly kind: "no-permit";
  readonly reason: GateReason;
  /** When to ask again, epoch seconds. */
  readonly until: number;
  /** Where an operator has paused the sends; absent where the deployment's settings have. */
  readonly pause?: Pause;
  /** To be given with the next request: see {@link PermitRequest.waitsAs}. */
  readonly waitsAs?: number;
}

/** Gives permits. */
export interface SendGate {
  /**
   * Resolves when the message's attempt is to be claimed, shortly before it leaves, or at once where it must not.
   *
   * @param identity the origination identity that the message leaves by
   * @throws any error of the store
   */
  acquire(identity: string, request: PermitRequest): Promise<Permit | NoPermit>;
  /** Writes down what the reports mean for the breakers. Never rejects: a breaker is no reason to fail a batch. */
  settle(): Promise<void>;
}

/** The identity of messages for which the service chooses one. */
export const anyIdentity = "any";

/** A message may leave so much after its time; the windows are as much longer than a second. */
const latenessSeconds = 0.02;

/** How often a write is tried on top of what others have written. What gets none of them is deferred. */
const maxWrites = 8;

/**
 * What was read longer ago, in seconds, is read again: a pause may have come. Together with the longest wait for the time
 * of a send it is less than four seconds; within five no worker starts a send. So the read may not be an old one.
 */
const freshSeconds = 0.8;

interface Asking {
  readonly request: PermitRequest;
  readonly resolve: (answer: Permit | NoPermit) => void;
  readonly reject: (error: unknown) => void;
}

/** What was decided for a batch. */
interface Decided {
  readonly decisions: readonly GateDecision[];
  /**
   * By how much the worker's clock is taken to be ahead of the gate's. It stays the same for the whole batch, whatever
   * is learned of the time meanwhile: else what is known better would move its sends closer together.
   */
  readonly lag: number;
}

/** What came of the calls of one identity. */
interface Reports {
  /** The breaker as this worker sees it. */
  breaker: Breaker;
  /** Whether a report has changed it. */
  isNews: boolean;
  /** Until when this worker has the probe; absent where it has none, or knows what came of it. */
  probeUntil?: number | undefined;
  readonly list: { readonly isServiceWorking: boolean; readonly isProbe: boolean; readonly at: number }[];
}

/** A gate for one invocation. */
export function sendGate(dependencies: SendGateDependencies): SendGate {
  const { store, gateClock, clock, random, rateOf, until, timing = new SendTiming() } = dependencies;
  const asking = new Map<string, Asking[]>();
  const reports = new Map<string, Reports>();

  function permitFor(identity: string, parts: number, leavesAt: number, isProbe: boolean): Permit {
    const seen = reports.get(identity);
    const claimsAt = clock.now();
    let [claimSeconds, leftAt]: [number, number | undefined] = [0, undefined];
    return {
      kind: "permit",
      parts,
      async departs() {
        claimSeconds = clock.now() - claimsAt;
        // What is late already would have had to be claimed so much earlier.
        timing.observeClaim(claimSeconds + Math.max(0, claimsAt + timing.leadSeconds - leavesAt - 0.001));
        if (!isProbe && seen !== undefined && seen.breaker.closedSince !== 0) return false;
        await clock.sleep(Math.max(0, leavesAt - clock.now()));
        leftAt = clock.now();
        return leftAt <= leavesAt + latenessSeconds;
      },
      report(isServiceWorking) {
        // The record of a send takes as long as its claim.
        if (leftAt !== undefined) timing.observeCalls(clock.now() - leftAt + 2 * claimSeconds);
        if (seen === undefined) return;
        if (isProbe) seen.probeUntil = undefined;
        const now = gateClock.now().latest;
        seen.list.push({ isServiceWorking, isProbe, at: now });
        const breaker = after(seen.breaker, isServiceWorking, now, isProbe);
        seen.isNews ||= breaker !== seen.breaker;
        seen.breaker = breaker;
      },
    };
  }

  async function decideAll(identity: string, requests: readonly PermitRequest[]): Promise<Decided> {
    const own = rateOf(identity);
    if (own === undefined) {
      const now = clock.now();
      const until = () => now + 60 + 60 * random.next();
      return { lag: 0, decisions: requests.map(() => ({ kind: "defer", until: until(), reason: "paused" })) };
    }
    await gateClock.sharpen(() => store.read(identity, [0], true));
    let readAt = clock.now();
    let lanes = await readLanes(store, identity, own);
    for (let writes = 0; writes < maxWrites; writes += 1) {
      const now = gateClock.now();
      if (clock.now() - readAt > freshSeconds) {
        readAt = clock.now();
        lanes = await readLanes(store, identity, own);
        continue;
      }
      const lag = clock.now() - now.earliest;
      const [main] = lanes;
      // A lower rate of another deployment: of its lanes only, else the others would let as much through again.
      const usable = lanes.slice(0, laneCount(effectiveRate(main.gate, own, now.latest)));
      const laneNumber = laneFor(
        usable.map(({ lane }) => lane),
        now.latest,
        random.next(),
      );
      const lane = lanes[laneNumber] ?? main;
      const { decisions, ...next } = reserve(main.gate, lane.lane, requests, {
        time: now,
        rate: own,
        laneNumber,
        callSeconds: timing.callSeconds,
        leadSeconds: timing.leadSeconds,
        random: () => random.next(),
      });
      const isEstimate = next.gate === main.gate && decisions.every(({ kind }) => kind === "defer");
      // An estimate is not worth a second write: many that wait would keep those from it that may go.
      if (writes > 0 && isEstimate) return { decisions: uncounted(decisions, requests), lag };
      seeBreaker(identity, next.gate.breaker);
      const isGateSame = next.gate === main.gate;
      const isLaneSame = next.lane === lane.lane;
      if (!isGateSame || (!isLaneSame && laneNumber === 0)) {
        const isAlso = laneNumber === 0;
        const after = { gate: next.gate, lane: isAlso ? next.lane : main.lane };
        const written = await store.write(identity, 0, main, after);
        lanes = [written.stored, ...lanes.slice(1)];
        if (!written.isWritten) continue;
        if (isAlso) return { decisions, lag };
      }
      if (isLaneSame) return { decisions, lag };
      const written = await store.write(identity, laneNumber, lane, { gate: lane.gate, lane: next.lane });
      if (written.isWritten) return { decisions, lag };
      lanes = [lanes[0], ...lanes.slice(1).with(laneNumber - 1, written.stored)];
    }
    const now = gateClock.now().latest;
    const until = () => now + 1 + random.next();
    return { lag: 0, decisions: requests.map((request) => deferred(request, until())) };
  }

  /** What this worker knows of the breaker, unless it knows better by its own calls; of the probe, the gate knows. */
  function seeBreaker(identity: string, breaker: Breaker): void {
    const seen = reports.get(identity);
    if (seen === undefined) reports.set(identity, { breaker, isNews: false, list: [] });
    else seen.breaker = seen.isNews ? { ...seen.breaker, probeUntil: breaker.probeUntil } : breaker;
  }

  async function answerAll(identity: string): Promise<void> {
    // Everything that is asked at this moment takes part in the same write.
    await clock.sleep(0);
    const all = asking.get(identity) ?? [];
    asking.delete(identity);
    try {
      const { decisions, lag } = await decideAll(
        identity,
        all.map(({ request }) => request),
      );
      // A queue that delays by whole seconds brings what was deferred at one moment again at one moment. While the worker
      // waits for its sends anyway, it lets what is deferred go at different ones.
      const lastStart = Math.max(
        ...decisions.map((decision) => (decision.kind === "start" ? decision.at : 0)),
      );
      const spread = Math.min(Math.max(0, lastStart + lag - clock.now()), 1);
      const resolveLater = async (answer: NoPermit, resolve: Asking["resolve"]) => {
        await clock.sleep(spread * random.next());
        resolve(answer);
      };
      for (const [index, { request, resolve }] of all.entries()) {
        const decision = decisions[index];
        if (decision?.kind === "start") void resolveAtClaim(decision, lag, identity, request, resolve);
        else if (decision !== undefined) void resolveLater({ ...decision, kind: "no-permit" }, resolve);
      }
    } catch (error) {
      for (const { reject } of all) reject(error);
    }
  }

  async function resolveAtClaim(
    { at, isProbe }: GateDecision & { readonly kind: "start" },
    lag: number,
    identity: string,
    { parts }: PermitRequest,
    resolve: Asking["resolve"],
  ): Promise<void> {
    const seen = reports.get(identity);
    if (isProbe && seen !== undefined) seen.probeUntil = seen.breaker.probeUntil;
    const wait = at + lag - timing.leadSeconds - clock.now();
    if (clock.now() + wait > until) {
      resolve({ kind: "no-permit", reason: "no-capacity", until: clock.now() + 1 });
      return;
    }
    if (wait > 0) await clock.sleep(wait);
    resolve(permitFor(identity, parts, at + lag, isProbe));
  }

  return {
    acquire(identity, request) {
      return new Promise((resolve, reject) => {
        const others = asking.get(identity);
        if (others !== undefined) {
          others.push({ request, resolve, reject });
          return;
        }
        asking.set(identity, [{ request, resolve, reject }]);
        void answerAll(identity);
      });
    },
    async settle() {
      for (const [identity, seen] of reports) {
        // Successes of a breaker that is at rest change nothing: no read for them.
        if (seen.isNews || seen.probeUntil !== undefined) {
          await settleBreaker(store, identity, seen).catch(() => {});
        }
      }
    },
  };
}

/** Not now, because of the ceiling; the request counts among what waits as it did before. */
function deferred({ waitsAs }: PermitRequest, until: number): GateDecision {
  return { kind: "defer", reason: "no-capacity", until, ...(waitsAs !== undefined && { waitsAs }) };
}

/** The decisions of a batch whose estimate is not written. */
function uncounted(
  decisions: readonly GateDecision[],
  requests: readonly PermitRequest[],
): readonly GateDecision[] {
  return decisions.map((decision, index) => {
    if (decision.kind === "start") return decision;
    const { waitsAs: _, ...answer } = decision;
    const waitsAs = requests[index]?.waitsAs;
    return { ...answer, ...(waitsAs !== undefined && { waitsAs }) };
  });
}

function after(breaker: Breaker, isServiceWorking: boolean, now: number, isProbe: boolean): Breaker {
  return isServiceWorking ? afterSuccess(breaker, now) : afterFailure(breaker, now, isProbe);
}

/** The items of all lanes that a rate has. */
async function readLanes(
  store: GateStore,
  identity: string,
  rate: number,
): Promise<readonly [StoredGateItem, ...StoredGateItem[]]> {
  const [main, ...others] = await store.read(
    identity,
    Array.from({ length: laneCount(rate) }, (_, lane) => lane),
  );
  if (main === undefined) throw new TypeError("The gate's store has answered no item.");
  return [main, ...others];
}

/**
 * Adds a worker's reports to the breaker of all, and gives back a probe that has not left; writes only where that
 * changes it.
 */
async function settleBreaker(
  store: GateStore,
  identity: string,
  { list, probeUntil }: Pick<Reports, "list" | "probeUntil">,
): Promise<void> {
  let [main] = await store.read(identity, [0]);
  for (let writes = 0; writes < maxWrites && main !== undefined; writes += 1) {
    const { gate, lane } = main;
    const reported = list.reduce(
      (state, { isServiceWorking, at, isProbe }) => after(state, isServiceWorking, at, isProbe),
      gate.breaker,
    );
    const breaker = probeUntil === undefined ? reported : withoutProbe(reported, probeUntil);
    if (breaker === gate.breaker) return;
    const written = await store.write(identity, 0, main, { lane, gate: { ...gate, breaker } });
    if (written.isWritten) return;
    main = written.stored;
  }
}
