/**
 * What happens when much more is due than may go: a carrier is down for everybody, and afterwards one-time passwords and
 * notices wait together. The real core, store and gate, on a virtual clock; faults are the other runs' subject.
 */
import { settingDefaults } from "../functions/contract/environment.ts";
import type { Message } from "../functions/core/message/message.ts";
import { retryPolicyOf } from "../functions/settings.ts";
import { mostPartsWithin } from "../local/fullest-time.ts";
import { seededChance } from "../local/seeded-chance.ts";
import { failureOf, messageOf } from "./failed-message.ts";
import { fleet } from "./fleet.ts";

/** How big it is. */
export interface BacklogOptions {
  /** Messages that fail while the carrier is down, evenly. */
  readonly failures: number;
  readonly outageSeconds: number;
  readonly maxSendsPerSecond: number;
  /** A tenth of the messages are of use for so long, the rest for a day. */
  readonly passwordSeconds: number;
  /** How long the others are of use, in seconds. @default a day */
  readonly noticeSeconds?: number;
  readonly seed?: number;
}

/** What came of it. */
export interface BacklogResult {
  readonly messages: number;
  readonly sends: number;
  /** The most sends in any half-open second. */
  readonly peakPerSecond: number;
  /** The share of the ceiling that was used from a minute after the start until nothing waited any more. */
  readonly shareUsed: number;
  /** Messages by what they ended as; `SENT` is delivered. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Ended without a reason, or not at all. */
  readonly withoutReason: number;
  /** Passwords that were delivered after the outage, and how many the ceiling would have allowed at best. */
  readonly passwordsDelivered: number;
  readonly passwordsPossible: number;
  /** Write units of the gates' table for each message. */
  readonly gateWritesPerMessage: number;
  readonly virtualSeconds: number;
}

const startsAt = 1_800_000_000;

/** Runs it. */
export async function simulateBacklog(options: BacklogOptions): Promise<BacklogResult> {
  const { failures, outageSeconds, maxSendsPerSecond: rate, passwordSeconds, seed = 1 } = options;
  const { noticeSeconds = 86_400 } = options;
  const outageEndsAt = startsAt + outageSeconds;
  const isPassword = (id: string): boolean => id.startsWith("password");
  const policy = retryPolicyOf({
    ...settingDefaults,
    RETRYABLE_STATUSES: new Set<string>(settingDefaults.RETRYABLE_STATUSES),
  });
  const deployment = fleet({
    startsAt,
    policy,
    maxSendsPerSecond: rate,
    chance: seededChance(seed, "backlog"),
    carrier: ({ context }, now) =>
      now < outageEndsAt
        ? failureOf(context.application_message_id, Number(context.retry_attempt), now)
        : undefined,
  });
  const { items, sends, handle, run, now, gateUnits } = deployment;

  const failedBefore = (second: number): number => Math.floor((failures * second) / outageSeconds);
  let waiting: readonly Message[] = [];
  await run(outageSeconds + 1, async (second) => {
    const at = startsAt + second;
    if (second === outageSeconds) {
      waiting = [...items.values()].filter(({ status }) => status === "RETRY_SCHEDULED");
      return;
    }
    for (let number = failedBefore(second); number < failedBefore(second + 1); number += 1) {
      const id = `${number % 10 === 0 ? "password" : "notice"}-${number}`;
      items.set(id, messageOf(id, at, isPassword(id) ? passwordSeconds : noticeSeconds));
      await handle(failureOf(id, 0, at));
    }
  });

  const rows = [...items.values()];
  const wereWaiting = new Set(waiting.map(({ application_message_id: id }) => id));
  const after = sends.filter(
    ({ at, request }) => at >= outageEndsAt && wereWaiting.has(request.context.application_message_id),
  );
  const lastAt = sends.at(-1)?.at ?? startsAt;
  const isOver = ({ status }: Message) => status === "SENT" || status === "EXPIRED" || status === "EXHAUSTED";
  return {
    messages: rows.length,
    sends: sends.length,
    peakPerSecond: mostPartsWithin(
      1,
      sends.map(({ at }) => ({ at, parts: 1 })),
    ),
    shareUsed:
      sends.filter(({ at }) => at > startsAt + 60).length / (rate * Math.max(1, lastAt - startsAt - 60)),
    statuses: Object.fromEntries(
      [...Map.groupBy(rows, ({ status }) => status ?? "none")].map(([status, found]) => [
        status,
        found.length,
      ]),
    ),
    withoutReason: rows.filter(
      (row) => !isOver(row) || (row.status !== "SENT" && row.status_reason === undefined),
    ).length,
    passwordsDelivered: after.filter(({ request }) => isPassword(request.context.application_message_id))
      .length,
    passwordsPossible: possible(
      waiting.filter(({ application_message_id: id }) => isPassword(id)),
      outageEndsAt,
      rate,
    ),
    gateWritesPerMessage: gateUnits.write / rows.length,
    virtualSeconds: Math.round(now() - startsAt),
  };
}

/** How many of these could have left in time at best: each second those that are due, the nearest deadline first. */
function possible(waiting: readonly Message[], from: number, rate: number): number {
  const left = [...waiting].sort((a, b) => (a.deadline ?? 0) - (b.deadline ?? 0));
  let count = 0;
  for (let at = from; left.length > 0; at += 1 / rate) {
    const next = left.findIndex(
      ({ next_attempt_at: dueAt = 0, deadline = 0 }) => dueAt <= at && deadline > at,
    );
    if (next >= 0) {
      left.splice(next, 1);
      count += 1;
    } else if (left.every(({ deadline = 0 }) => deadline <= at)) break;
  }
  return count;
}
