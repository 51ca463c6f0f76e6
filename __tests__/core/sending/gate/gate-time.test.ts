/** What a worker learns late: of the time while its batch leaves, of a pause while it reads. */
import { dynamodbGateStore } from "../../../../functions/adapters/dynamodb/dynamodb-gate-store.ts";
import type { GateClock, GateStore } from "../../../../functions/core/sending/gate/gate-store.ts";
import { sendGate } from "../../../../functions/core/sending/gate/send-gate.ts";
import { tableModel } from "../../../../local/dynamodb/table-model.ts";
import { virtualTime } from "../../../support/virtual-time.ts";

const start = 1_800_000_000;

function worker({ gateClock, readSeconds = 0 }: { gateClock?: GateClock; readSeconds?: number }) {
  const time = virtualTime(start);
  const random = { next: () => 0.5 };
  const table = tableModel({ key: "gate", now: time.now });
  const real = dynamodbGateStore(table.client, "send-gates", time, random);
  let seconds = readSeconds;
  const store: GateStore = {
    ...real,
    async read(identity, lanes) {
      const items = await real.read(identity, lanes);
      const answersAfter = seconds;
      seconds = 0;
      await time.sleep(answersAfter);
      return items;
    },
  };
  const exact: GateClock = {
    now: () => ({ earliest: time.now(), latest: time.now() }),
    sharpen: async () => {},
  };
  const gate = sendGate({
    store,
    gateClock: gateClock ?? exact,
    clock: time,
    random,
    rateOf: () => 10,
    until: start + 100,
  });
  return { time, table, gate };
}

test("what is learned of the time while a batch leaves does not move its sends closer together", async () => {
  // Until half a second has gone the worker takes the time for up to a second earlier than it is.
  let isSharp = false;
  const { time, gate } = worker({
    gateClock: {
      now: () => ({ earliest: time.now() - (isSharp ? 0 : 1), latest: time.now() }),
      sharpen: async () => {},
    },
  });
  time.at(start + 1.35, () => {
    isSharp = true;
  });

  const departures = Array.from({ length: 10 }, async () => {
    const permit = await gate.acquire("SHOP", { parts: 1 });
    const isInTime = permit.kind === "permit" && (await permit.departs());
    return { isInTime, at: Number((time.now() - start).toFixed(3)) };
  });
  await time.run();

  const [first, ...others] = await Promise.all(departures);
  expect(first?.isInTime).toBe(true);
  expect(first?.at).toBeLessThan(1.35);
  const evenly = others.map((_, index) => ((first?.at ?? 0) + 0.102 * (index + 1)).toFixed(3));
  expect(others).toEqual(evenly.map((at) => ({ isInTime: true, at: Number(at) })));
});

test.each([
  ["long: a pause that came meanwhile is seen", 0.9, "no-permit"],
  ["as short as usual: what was read holds", 0.7, "permit"],
])("the gate's item was read so %s", async (_what, readSeconds, kind) => {
  const { time, table, gate } = worker({ readSeconds });
  time.at(start + 0.5, () =>
    table.put({ gate: "*", version: 1, paused_since: start, paused_by: "operator" }),
  );

  const answer = gate.acquire("SHOP", { parts: 1 });
  await time.run();

  expect((await answer).kind).toBe(kind);
});
