/** The ceiling over all workers, whatever their clocks: the real gate, store and worker on a virtual clock. */
import { partsOf } from "../../../../functions/core/message/message-parts.ts";
import { seededChance } from "../../../../local/seeded-chance.ts";
import { fleet } from "../../../../simulation/fleet.ts";
import { failureEvent, retryPolicy, sentMessage, startOfTest } from "../../../support/messages.ts";

jest.setTimeout(120_000);

/** A body of so many parts. */
const bodyOf = (parts: number): string => (parts === 1 ? "493817" : "x".repeat(153 * (parts - 1) + 1));

/** What came of many messages that were all due at once. */
async function rushOf(rate: number, parts: number, latencySeconds: number, messages: number) {
  const { run, handle, items, sends, gateUnits, billed } = fleet({
    startsAt: startOfTest,
    policy: retryPolicy({ retryDelaysSeconds: [0], messageValiditySeconds: 86_400 }),
    maxSendsPerSecond: rate,
    chance: seededChance(rate * parts, "ceiling"),
    clockSkews: [-1, 0.3, 1],
    latencySeconds,
    carrier: () => undefined,
  });
  await run(1, async () => {
    for (let number = 0; number < messages; number += 1) {
      const id = `m-${number}`;
      items.set(id, sentMessage({ application_message_id: id, message_body: bodyOf(parts) }));
      await handle(failureEvent({ applicationMessageId: id, occurredAt: startOfTest }));
    }
  });
  const departures = sends.map(({ at, request }) => ({ at, parts: partsOf(request.body) }));
  // The last fifth is not enough to go on at the ceiling.
  const busy = departures.slice(0, Math.ceil(departures.length * 0.8));
  const seconds = (busy.at(-1)?.at ?? 0) - (busy[0]?.at ?? 0);
  const best = Math.max(parts * Math.floor(rate / parts), Math.min(rate, parts));
  return {
    sent: sends.length,
    peak: peakOf(departures, rate),
    share: ((busy.length - 1) * parts) / seconds / Math.min(best, rate),
    writes: gateUnits.write / messages,
    billed: billed.seconds / billed.calls,
  };
}

/** The most parts in any half-open second; one message alone counts as no more than the ceiling. */
function peakOf(
  departures: readonly { readonly at: number; readonly parts: number }[],
  ceiling: number,
): number {
  const sorted = [...departures].sort((a, b) => a.at - b.at);
  let [first, held, peak] = [0, 0, 0];
  for (const [index, { at, parts }] of sorted.entries()) {
    held += parts;
    for (
      let oldest = sorted[first];
      oldest !== undefined && oldest.at <= at - 1 + 1e-6;
      oldest = sorted[first]
    ) {
      held -= oldest.parts;
      first += 1;
    }
    peak = Math.max(peak, first === index ? Math.min(held, ceiling) : held);
  }
  return peak;
}

const rates = (process.env.GATE_RATES ?? "1,10,150").split(",").map(Number);
const cells = rates.flatMap((rate) => [1, 3, 11].map((parts) => ({ rate, parts })));

test.each(cells)("of $rate a second holds for messages of $parts parts", async ({ rate, parts }) => {
  const rows: string[] = [];
  for (const latency of process.env.GATE_RATES ? [0.01, 0.1, 0.25, 0.6] : [0.1]) {
    const messages = Math.min(4000, Math.max(100, Math.ceil((rate / parts) * 80)));
    const { sent, peak, share, writes, billed } = await rushOf(rate, parts, latency, messages);
    rows.push(
      `${rate} ${parts} ${latency} n ${messages} peak ${peak} share ${share.toFixed(3)} writes ${writes.toFixed(3)} billed ${billed.toFixed(2)}`,
    );
    expect(sent).toBe(messages);
    expect(peak).toBeLessThanOrEqual(Math.max(1, rate));
  }
  process.stderr.write(`${rows.join("\n")}\n`);
});
