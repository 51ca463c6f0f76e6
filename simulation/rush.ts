/** How the ceiling is kept and used when much is due at once: the real gate, store and worker on a virtual clock. */

import { settingDefaults } from "../functions/contract/environment.ts";
import { partsOf } from "../functions/core/message/message-parts.ts";
import { retryPolicyOf } from "../functions/settings.ts";
import { mostPartsWithin } from "../local/fullest-time.ts";
import { seededChance } from "../local/seeded-chance.ts";
import { failureOf, messageOf } from "./failed-message.ts";
import { fleet } from "./fleet.ts";

const startsAt = 1_800_000_000;

/** Long enough for everything to leave. */
const usefulSeconds = 86_400;

/** A body of so many parts. */
const bodyOf = (parts: number): string => (parts === 1 ? "493817" : "x".repeat(153 * (parts - 1) + 1));

/** What is sent. */
export interface RushOptions {
  /** The ceiling, in parts per second. */
  readonly rate: number;
  /** Of each message. */
  readonly parts: number;
  /** How long the service takes to answer. */
  readonly latencySeconds: number;
  /** @default as many as take eighty seconds, but 100 to 4 000 */
  readonly messages?: number;
}

/** What came of it. */
export interface RushResult {
  readonly messages: number;
  readonly sent: number;
  /** The most parts in any half-open second; one message alone counts as no more than the ceiling. */
  readonly peak: number;
  /** The share that was used of what is possible with whole messages. */
  readonly share: number;
  /** Write units of the gates' table for each message. */
  readonly writes: number;
  /** Billed time of the workers for each second that their own calls took. */
  readonly billed: number;
}

/** Messages that are all due at once leave through the real gate, store and worker, by workers whose clocks are wrong. */
export async function rush(options: RushOptions): Promise<RushResult> {
  const { rate, parts, latencySeconds } = options;
  const { messages = Math.min(4_000, Math.max(100, Math.ceil((rate / parts) * 80))) } = options;
  const policy = retryPolicyOf({
    ...settingDefaults,
    RETRY_DELAYS_SECONDS: [0],
    RETRYABLE_STATUSES: new Set<string>(settingDefaults.RETRYABLE_STATUSES),
  });
  const { run, handle, items, sends, gateUnits, billed } = fleet({
    startsAt,
    policy,
    maxSendsPerSecond: rate,
    chance: seededChance(rate * parts, "ceiling"),
    clockSkews: [-1, 0.3, 1],
    latencySeconds,
    carrier: () => undefined,
  });
  await run(1, async () => {
    for (let number = 0; number < messages; number += 1) {
      const id = `m-${number}`;
      items.set(id, messageOf(id, startsAt, usefulSeconds, bodyOf(parts)));
      await handle(failureOf(id, 0, startsAt));
    }
  });
  const departures = sends
    .map(({ at, request }) => ({ at, parts: partsOf(request.body) }))
    .sort((one, other) => one.at - other.at);
  // The last fifth is not enough to go on at the ceiling.
  const busy = departures.slice(0, Math.ceil(departures.length * 0.8));
  const seconds = (busy.at(-1)?.at ?? 0) - (busy[0]?.at ?? 0);
  const best = Math.max(parts * Math.floor(rate / parts), Math.min(rate, parts));
  return {
    messages,
    sent: sends.length,
    peak: mostPartsWithin(1, departures, rate),
    share: ((busy.length - 1) * parts) / seconds / Math.min(best, rate),
    writes: gateUnits.write / messages,
    billed: billed.seconds / billed.calls,
  };
}

/** What the table of all ceilings is made of. */
const tableOf = {
  rates: [0.5, 1, 3, 5, 7, 10, 15, 25, 95, 100, 1_000],
  parts: [1, 3, 11],
  latencies: [0.01, 0.1, 0.25, 0.6],
};

/** Measures every ceiling with messages of several lengths, at several latencies; each row as soon as it is there. */
export async function* rushes(): AsyncGenerator<RushOptions & RushResult> {
  for (const rate of tableOf.rates) {
    for (const parts of tableOf.parts) {
      for (const latencySeconds of tableOf.latencies) {
        const options = { rate, parts, latencySeconds };
        yield { ...options, ...(await rush(options)) };
      }
    }
  }
}
