/** An outage of a carrier, at a part of its size: the real gate and protocol on a virtual clock. */
import type { SendRequest } from "../../functions/core/sending/sms-sender.ts";
import { seededChance } from "../../local/seeded-chance.ts";
import { type FleetOptions, fleet } from "../../simulation/fleet.ts";
import { failureEvent, retryPolicy, sentMessage, startOfTest } from "../support/messages.ts";
import { virtualTime } from "../support/virtual-time.ts";

jest.setTimeout(120_000);

// A sixth of the time, and a fiftieth of 500 failures a second against a ceiling of 10: the same fifty times too much. The
// whole size is the simulation's: `npx sms-retry simulate --backlog`.
const failuresPerSecond = 10;
const outageSeconds = 300;
const cap = 0.2;
/** How long a message is of use. */
const usefulSeconds = 900;

// The parts of a body are counted character by character: a third of the time of 18 000 longer ones.
const shortBody = { message_body: "493817" };

/** The failure of an attempt of a message, as the carrier's outage makes it. */
const failureOf = (id: string, attempt: number, at: number) =>
  failureEvent({
    applicationMessageId: id,
    attempt,
    messageId: `sms-${id}-${attempt}`,
    status: "CARRIER_UNREACHABLE",
    occurredAt: at,
  });

/** A deployment at its defaults, with this ceiling. */
function deployment(changes: Partial<FleetOptions> = {}) {
  return fleet({
    startsAt: startOfTest,
    time: virtualTime(startOfTest),
    policy: retryPolicy(),
    maxSendsPerSecond: cap,
    workers: 2,
    batchSize: 10,
    chance: seededChance(1, "fleet"),
    carrier: () => undefined,
    ...changes,
  });
}

/** The most sends in any so many seconds, and in any stretch at all beyond what the ceiling allows. */
function peaksOf(sends: readonly { readonly at: number }[], perSecond: number, seconds = 1) {
  let most = 0;
  let beyond = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let last = 0, first = 0; last < sends.length; last += 1) {
    const { at } = sends[last] as { at: number };
    while ((sends[first] as { at: number }).at <= at - seconds) first += 1;
    most = Math.max(most, last - first + 1);
    const ahead = last - at * perSecond;
    least = Math.min(least, ahead);
    beyond = Math.max(beyond, ahead - least);
  }
  return { most, beyond };
}

test("fault 31: after an outage no second exceeds the ceiling, and the useless expire unsent", async () => {
  const endsAt = startOfTest + outageSeconds;
  const carrier = ({ context }: SendRequest, now: number) =>
    now < endsAt ? failureOf(context.application_message_id, Number(context.retry_attempt), now) : undefined;
  const { run, handle, items, sends, isEmpty, now } = deployment({ carrier });

  await run(outageSeconds, async (second) => {
    const at = startOfTest + second;
    for (let number = 0; number < failuresPerSecond; number += 1) {
      const id = `${second}-${number}`;
      const deadline = at + usefulSeconds;
      items.set(id, sentMessage({ ...shortBody, application_message_id: id, deadline, created_at: at }));
      await handle(failureOf(id, 0, at));
    }
  });

  expect(isEmpty()).toBe(true);
  expect(items.size).toBe(failuresPerSecond * outageSeconds);
  // A part every five seconds, whichever worker sends it.
  const { most, beyond } = peaksOf(sends, cap, 5);
  expect(most).toBe(1);
  expect(beyond).toBeLessThanOrEqual(1);
  const late = sends.filter(
    ({ at, request }) => at >= (items.get(request.context.application_message_id)?.deadline ?? 0),
  );
  expect(late).toEqual([]);
  // Every message sent its retries or has a reason for what it did not send.
  const statuses = Map.groupBy(items.values(), ({ status }) => status);
  const ended = ["SENT", "EXPIRED", "EXHAUSTED"].map((status) => statuses.get(status as "SENT")?.length ?? 0);
  expect(ended.reduce((sum, count) => sum + count)).toBe(items.size);
  expect(statuses.get("EXPIRED")?.every((message) => message.status_reason === "deadline")).toBe(true);
  // Fifty times too much leaves nobody idle: from the first retry to the last deadline the ceiling is used.
  const busySeconds = outageSeconds + usefulSeconds - 60;
  expect(sends.length).toBeGreaterThan(cap * busySeconds * 0.95);
  expect(now()).toBeLessThan(endsAt + 2 * usefulSeconds);
});

test("fault 32: retries that are all due at once go out at the ceiling, one after the other", async () => {
  const { run, handle, items, sends } = deployment({
    policy: retryPolicy({ retryDelaysSeconds: [0] }),
    maxSendsPerSecond: 50,
    workers: 5,
  });

  await run(1, async () => {
    for (let number = 0; number < 3_000; number += 1) {
      const id = `m-${number}`;
      items.set(id, sentMessage({ ...shortBody, application_message_id: id }));
      await handle(failureOf(id, 0, startOfTest));
    }
  });

  expect(sends).toHaveLength(3_000);
  expect(new Set(sends.map(({ request }) => request.context.application_message_id)).size).toBe(3_000);
  const { most, beyond } = peaksOf(sends, 50);
  expect(most).toBeLessThanOrEqual(50);
  expect(beyond).toBeLessThanOrEqual(4);
});

test("fault 32: jitter lets retries of one moment fall due all over their delay", async () => {
  const { run, handle, items, sends } = deployment({ maxSendsPerSecond: 200, workers: 20 });

  await run(1, async () => {
    for (let number = 0; number < 3_000; number += 1) {
      const id = `m-${number}`;
      items.set(id, sentMessage({ ...shortBody, application_message_id: id }));
      await handle(failureOf(id, 0, startOfTest));
    }
  });

  const perTenSeconds = Map.groupBy(sends, ({ at }) => Math.floor((at - startOfTest) / 10));
  const counts = [...perTenSeconds.values()].map(({ length }) => length).slice(0, 6);
  expect(Math.min(...counts)).toBeGreaterThan(350);
  expect(Math.max(...counts)).toBeLessThan(650);
});
