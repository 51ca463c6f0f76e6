/** How fast a run sent, by the ledger, against the ceiling that its deployment was given. */
import { type Departure, mostPartsWithin } from "./fullest-time.ts";
import type { LedgerCall } from "./sms-service/ledger.ts";

/** How many resend workers may run at once: the least that Lambda can be told. */
export const resendWorkers = 2;

/** Message parts handed to the service, second by second. */
export interface SendRate {
  /** `max_sends_per_second`. */
  readonly cap: number;
  /** The most parts of retries in any second, wherever it begins; one message alone counts as no more than the ceiling. */
  readonly peakPerSecond: number;
  /** The same in three quarters of a second: a busy machine lets what left a second apart arrive closer. */
  readonly peakInShorterTime: number;
  /** Parts of retries in each second, counted from the first send to the last retry. */
  readonly perSecond: readonly number[];
  /** Parts of the application's own sends in the same seconds; nothing holds them back. */
  readonly applicationPerSecond: readonly number[];
}

/** Counts calls second by second, also those that the service refused: it was called all the same. */
export function sendRateOf(calls: readonly LedgerCall[], cap: number): SendRate {
  const startsAt = calls.reduce((earliest, { at }) => Math.min(earliest, at), Number.POSITIVE_INFINITY);
  const secondOf = ({ at }: LedgerCall): number => Math.floor((at - startsAt) / 1_000);
  const retries = calls.filter(({ attempt }) => attempt > 0);
  const seconds = retries.reduce((most, call) => Math.max(most, secondOf(call) + 1), 0);
  const count = (counted: readonly LedgerCall[]): number[] => {
    const perSecond = Array<number>(seconds).fill(0);
    for (const call of counted) {
      const second = secondOf(call);
      if (second < seconds) perSecond[second] = (perSecond[second] ?? 0) + call.parts;
    }
    return perSecond;
  };
  const perSecond = count(retries);
  const departures = retries
    .map(({ at, parts }): Departure => ({ at: at / 1_000, parts }))
    .sort((a, b) => a.at - b.at);
  return {
    cap,
    peakPerSecond: mostPartsWithin(1, departures, cap),
    peakInShorterTime: mostPartsWithin(0.75, departures, cap),
    perSecond,
    applicationPerSecond: count(calls.filter(({ attempt }) => attempt === 0)),
  };
}

/** The seconds as a table, a line a second. */
export function sendRateTable({ cap, peakPerSecond, perSecond, applicationPerSecond }: SendRate): string {
  const widest = Math.max(1, ...perSecond, ...applicationPerSecond);
  const scale = Math.min(1, 40 / widest);
  const lines = perSecond.map((retries, second) => {
    const bar = "█".repeat(Math.ceil(retries * scale));
    const application = String(applicationPerSecond[second] ?? 0);
    return `${String(second).padStart(6)}  ${application.padStart(11)}  ${String(retries).padStart(7)}  ${bar}`.trimEnd();
  });
  return [
    `Message parts sent in each second; retries peak at ${peakPerSecond}, max_sends_per_second is ${cap}`,
    "",
    "second  application  retries",
    ...lines,
  ].join("\n");
}
