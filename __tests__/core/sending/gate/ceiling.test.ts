/**
 * The ceiling over all workers, whatever their clocks: the real gate, store and worker on a virtual clock. Other ceilings, and
 * how much of them is used at other latencies: `npx sms-retry simulate --ceilings`.
 */
import { rush } from "../../../../simulation/rush.ts";

jest.setTimeout(120_000);

const cells = [1, 10, 150].flatMap((rate) => [1, 3, 11].map((parts) => ({ rate, parts })));

test.each(cells)("of $rate a second holds, and is used, for messages of $parts parts", async (options) => {
  const { messages, sent, peak, share, writes } = await rush({ ...options, latencySeconds: 0.1 });

  expect(sent).toBe(messages);
  expect(peak).toBeLessThanOrEqual(options.rate);
  expect(share).toBeGreaterThanOrEqual(0.95);
  // A batch of a hundred shares its reservation.
  if (options.rate > 100) expect(writes).toBeLessThanOrEqual(0.15);
});
