/**
 * What happens to each message, as a plan without a clock: the service plays it in the time that it is given, real
 * or virtual.
 */
import { type EventStatus, eventStatuses, statusClasses } from "../../functions/core/events/statuses.ts";
import { between, seededChance, shuffled } from "../seeded-chance.ts";
import type { ApiAnswer, AttemptOutcome, MessageScript, Scenario } from "./scenario.ts";
import type { SmsRequest } from "./sms-request.ts";

/** One attempt as the service sees it. */
export interface HandOver {
  readonly request: SmsRequest;
  /** Number of the attempt; 0 = the application's own send. */
  readonly attempt: number;
  /** How many calls of this attempt came before this one. */
  readonly earlierCalls: number;
  /** Seconds since the first call of the run. */
  readonly elapsedSeconds: number;
}

/** An event that the service will emit about an attempt, and when. */
export interface PlannedEvent {
  readonly kind: "buffered" | "success" | "failure" | "opt-out";
  /** The service's word for it: a `record_status`. */
  readonly status: string;
  /** When it happens, in seconds after the hand-over. */
  readonly afterSeconds: number;
  /** When each copy is put on the stream, in seconds after the hand-over; empty = the event is lost. */
  readonly copiesAfterSeconds: readonly number[];
  /** How far the clock that stamps the event is ahead, in seconds. @default 0 */
  readonly clockErrorSeconds?: number;
  /** Whether the event comes without the retry tag of its send. @default false */
  readonly isUntagged?: boolean;
}

/** An error of the call's API by its own name, where no {@link ApiAnswer} says it; nothing of the call is taken. */
export interface ErrorAnswer {
  readonly status: number;
  /** In the service model, e.g. `ConflictException`. */
  readonly name: string;
  /** What its body has beside the message, e.g. `Reason`. */
  readonly fields?: object;
}

/** What the service does with a call. */
export interface CarrierPlan {
  /** What the caller is told; absent = accepted. */
  readonly answer?: ApiAnswer | ErrorAnswer;
  /**
   * What becomes of the message: one of `attemptOutcomes`, or a word that AWS has not listed; absent = the service
   * did not take it.
   */
  readonly outcome?: string;
  readonly events: readonly PlannedEvent[];
}

/** Decides about every hand-over of a run. */
export interface Carrier {
  /** What happens to a call; the same hand-over always gets the same plan. */
  plan(handOver: HandOver): CarrierPlan;
}

/** What an AWS simulator number does; such messages never reach a carrier, so no outage touches them. */
export interface SimulatorNumbers {
  readonly success: ReadonlySet<string>;
  readonly failure: ReadonlySet<string>;
  /** The status that failure numbers end with; AWS documents none. */
  readonly failureStatus: AttemptOutcome;
}

/** Time from the hand-over to the `_SMS.BUFFERED` event, in seconds. */
const bufferedAfterSeconds = 0.05;

/**
 * A carrier that plays a scenario.
 *
 * @param scripts the script of a destination number; without one its messages are delivered at once
 */
export function scriptedCarrier(
  scenario: Pick<Scenario, "carrier_delay_seconds" | "events" | "outages">,
  seed: number,
  scripts: Pick<ReadonlyMap<string, MessageScript>, "get">,
  simulatorNumbers: SimulatorNumbers,
): Carrier {
  return {
    plan({ request: { destination }, attempt, earlierCalls, elapsedSeconds }) {
      const script = scripts.get(destination);
      const answer = script?.api_answers?.[attempt]?.[earlierCalls];
      const answered = answer === undefined ? {} : { answer };
      if (answer !== undefined && answer !== "HANG") return { ...answered, events: [] };

      const outcome =
        simulatorOutcome(destination, simulatorNumbers) ??
        outageOutcome(scenario, elapsedSeconds) ??
        script?.outcomes[Math.min(attempt, script.outcomes.length - 1)] ??
        "DELIVERED";
      const events = planEvents(outcome, scenario, seed, `${destination}/${attempt}/${earlierCalls}`);
      return { ...answered, outcome, events };
    },
  };
}

function simulatorOutcome(destination: string, numbers: SimulatorNumbers): AttemptOutcome | undefined {
  if (numbers.success.has(destination)) return "DELIVERED";
  return numbers.failure.has(destination) ? numbers.failureStatus : undefined;
}

function outageOutcome({ outages }: Pick<Scenario, "outages">, elapsed: number): AttemptOutcome | undefined {
  return outages.find(({ from_seconds, until_seconds }) => from_seconds <= elapsed && elapsed < until_seconds)
    ?.outcome;
}

function planEvents(
  outcome: AttemptOutcome,
  scenario: Pick<Scenario, "carrier_delay_seconds" | "events">,
  seed: number,
  key: string,
): PlannedEvent[] {
  const { events: noise } = scenario;
  const chance = seededChance(seed, "events", key);
  const finalAfter = bufferedAfterSeconds + between(scenario.carrier_delay_seconds, chance);
  const isReordered = chance() < noise.reordered;
  const bufferedAfter = isReordered ? finalAfter + bufferedAfterSeconds : bufferedAfterSeconds;
  const isLost = chance() < noise.lost;

  const copies = (after: number): number[] => {
    const isDelayed = chance() < noise.delayed;
    const first = after + (isDelayed ? between(noise.delay_seconds, chance) : 0);
    const isDoubled = chance() < noise.doubled;
    return isDoubled ? [first, first + between(noise.delay_seconds, chance)] : [first];
  };
  // "A message can be SUCCESSFUL or PENDING when it is buffered"; both occur.
  const buffered: PlannedEvent = {
    kind: "buffered",
    status: chance() < 0.5 ? "PENDING" : "SUCCESSFUL",
    afterSeconds: bufferedAfterSeconds,
    copiesAfterSeconds: copies(bufferedAfter),
  };
  if (outcome === "SILENCE") return [buffered];
  const final: PlannedEvent = {
    kind: kindOf(outcome),
    status: outcome,
    afterSeconds: finalAfter,
    copiesAfterSeconds: isLost ? [] : copies(finalAfter),
  };
  return [buffered, final];
}

function kindOf(outcome: EventStatus): PlannedEvent["kind"] {
  const { kind } = statusClasses[eventStatuses[outcome].class];
  return kind === "in-progress" ? "buffered" : kind;
}

/**
 * Hands the scripts of a scenario out to `count` messages: as many to each as its share says (the largest
 * remainders round up), in an order that only the seed decides.
 */
export function assignScripts(
  scripts: readonly MessageScript[],
  count: number,
  seed: number,
): MessageScript[] {
  const exact = scripts.map((script) => ({ script, wanted: script.share * count }));
  const counts = new Map(exact.map(({ script, wanted }) => [script, Math.floor(wanted)]));
  let left = count - [...counts.values()].reduce((sum, given) => sum + given, 0);
  const byRemainder = exact.toSorted((a, b) => (b.wanted % 1) - (a.wanted % 1));
  for (const { script } of byRemainder) {
    if (left === 0) break;
    counts.set(script, (counts.get(script) ?? 0) + 1);
    left -= 1;
  }
  const assigned = [...counts].flatMap(([script, given]) => Array<MessageScript>(given).fill(script));
  return shuffled(assigned, seededChance(seed, "scripts"));
}
