/** What every table of gates does under the real store: on the emulator, and on the model that all other tests use. */
import {
  allGatesKey,
  dynamodbGateStore,
  gateItemSchema,
} from "../../functions/adapters/dynamodb/dynamodb-gate-store.ts";
import { openBreaker } from "../../functions/core/sending/gate/breaker.ts";
import { newGate, newLane } from "../../functions/core/sending/gate/gate.ts";
import type { GateItem, GateStore, StoredGateItem } from "../../functions/core/sending/gate/gate-store.ts";
import type { Item } from "../../local/dynamodb/expressions.ts";
import { startOfTest as now } from "../support/messages.ts";

/** A store, and its table to look into and to write past it. */
export interface GateTable {
  readonly store: GateStore;
  put(item: Item): Promise<void>;
  get(key: string): Promise<Item | undefined>;
}

const absent: StoredGateItem = { version: 0, lane: newLane, gate: newGate };

/** A lane in use, and what stands beside it in the item of lane 0. */
const used: GateItem = {
  lane: {
    lane: {
      nextFreeAt: now + 1.3061,
      recent: [
        { at: now + 0.2857, parts: 11 },
        { at: now + 1.2041, parts: 1 },
      ],
    },
    backlogUntil: [0, now + 5.5, now + 61.0204],
  },
  gate: {
    breaker: {
      failures: 3,
      closedUntil: now + 5,
      probeUntil: now + 30,
      closedSince: now,
      openedAt: now - 60,
    },
    rate: 12.5,
    rateUntil: now + 60,
  },
};

const pauseOf = (by: string, until?: number): Item => ({
  paused_since: now,
  paused_by: by,
  ...(until !== undefined && { paused_until: until }),
});

/** Runs the contract. Each test has identities of its own. */
export function gateStoreContract(what: string, table: () => Promise<GateTable>): void {
  describe(`the store of gates on ${what}`, () => {
    let tests = 0;
    let gate: GateTable;
    let identity: string;
    beforeEach(async () => {
      tests += 1;
      identity = `+4477009009${tests}`;
      gate = await table();
      await gate.put({ gate: allGatesKey });
    });

    /** One item as it is read. */
    const readOne = async (lane = 0) => (await gate.store.read(identity, [lane]))[0];

    test("answers a new gate for one that is not there, and writes nothing by that", async () => {
      expect(await gate.store.read(identity, [0, 7])).toEqual([absent, absent]);
      expect(await gate.get(identity)).toBeUndefined();
    });

    test("gives back what was written, to the last tenth of a millisecond", async () => {
      const written = await gate.store.write(identity, 0, absent, used);

      expect(written).toEqual({ isWritten: true, stored: { ...used, version: 1 } });
      const read = await readOne();
      expect(read?.gate).toEqual(used.gate);
      expect(read?.version).toBe(1);
      expect(read?.lane).toMatchObject({ backlogUntil: [0, now + 5.5, now + 61.0204] });
      expect(read?.lane.lane.nextFreeAt).toBe(now + 1.3061);
      const starts = read?.lane.lane.recent ?? [];
      expect(starts.map(({ parts }) => parts)).toEqual([11, 1]);
      // A double holds epoch seconds to a quarter of a microsecond.
      expect(starts.map(({ at }) => Math.round((at - now) * 1e5))).toEqual([28_570, 120_410]);
    });

    test("keeps starts exact however often they are read and written", async () => {
      let item = absent;
      for (let times = 0; times < 20; times += 1) {
        await gate.store.write(identity, 0, item, times === 0 ? used : item);
        item = (await readOne()) ?? absent;
      }

      expect(item.version).toBe(20);
      expect(item.lane.lane.recent.map(({ at }) => Math.round((at - now) * 1e5))).toEqual([28_570, 120_410]);
    });

    test("refuses a write on top of what is not there any more, and hands over what is", async () => {
      const first = await gate.store.write(identity, 0, absent, used);
      const other: GateItem = { lane: newLane, gate: { breaker: openBreaker } };

      const refused = await gate.store.write(identity, 0, absent, other);

      expect(refused).toMatchObject({ isWritten: false, stored: { version: 1, gate: used.gate } });
      expect(refused.stored).toEqual(await readOne());
      expect(await gate.store.write(identity, 0, refused.stored, other)).toMatchObject({ isWritten: true });
      // Nor does what was true before the last write hold.
      expect(await gate.store.write(identity, 0, first.stored, used)).toMatchObject({ isWritten: false });
      expect(await readOne()).toMatchObject({ version: 2, gate: { breaker: openBreaker } });
    });

    test("hands over a new gate where the item has gone meanwhile", async () => {
      const before = { ...used, version: 4 };

      expect(await gate.store.write(identity, 0, before, used)).toEqual({ isWritten: false, stored: absent });
    });

    test("keeps breaker and rate in lane 0 alone; other lanes leave the table in the end", async () => {
      await gate.store.write(identity, 0, absent, used);
      await gate.store.write(identity, 3, absent, used);

      const [main, lane] = [await gate.get(identity), await gate.get(`${identity}#3`)];
      expect(Object.keys(main ?? {}).sort()).toEqual(
        Object.keys(gateItemSchema.entries)
          .filter((name) => !name.startsWith("pause"))
          .sort(),
      );
      expect(Object.keys(lane ?? {}).sort()).toEqual(
        "backlog_until expires_at gate next_free_at recent_starts version".split(" "),
      );
      expect(lane?.expires_at).toBe(now + 30 * 86_400);
      const read = await gate.store.read(identity, [0, 3]);
      expect(read[1]).toEqual({ ...read[0], gate: newGate });
    });

    test("leaves an operator's pause, and what else stands in the item, alone", async () => {
      const pause = { ...pauseOf("alice"), pause_reason: "a wrong text" };
      await gate.put({ gate: identity, version: 6, ...pause, note: "ours" });

      const before = (await readOne()) ?? absent;
      expect(before).toMatchObject({
        version: 6,
        gate: { pause: { since: now, by: "alice", reason: "a wrong text" } },
      });
      expect(before.gate.pause).not.toHaveProperty("until");
      await gate.store.write(identity, 0, before, used);

      expect(await gate.get(identity)).toMatchObject({ version: 7, ...pause, note: "ours", failures: 3 });
    });

    test("reads the pause of all gates with each, and writes it into none", async () => {
      await gate.put({ gate: allGatesKey, version: 1, ...pauseOf("bob", now + 60) });
      const pause = { since: now, by: "bob", until: now + 60 };

      const items = await gate.store.read(identity, [0, 1]);
      expect(items).toEqual(Array(2).fill({ ...absent, gate: { ...newGate, pause } }));

      const written = await gate.store.write(identity, 0, items[0] ?? absent, used);
      expect(written.isWritten).toBe(true);
      expect(await gate.get(identity)).not.toHaveProperty("paused_since");
      // A refusal hands over the gate's own item, and the pause as it was read.
      const refused = await gate.store.write(identity, 0, items[0] ?? absent, used);
      expect(refused.stored.gate).toEqual({ ...used.gate, pause });
    });

    test.each([
      ["the key of a pause of all", () => allGatesKey],
      ["the key of another one's lane", () => `${identity}#1`],
      ["nothing", () => ""],
      ["longer than a key", () => "é".repeat(2_000)],
      ["half a character", () => "SHOP\ud83d"],
    ])("an identity that is %s has a gate of its own, and stops no other", async (_what, name) => {
      await gate.put({ gate: allGatesKey, version: 1, ...pauseOf("bob", now) });
      await gate.store.write(identity, 1, absent, used);

      const [before = used] = await gate.store.read(name(), [0]);
      expect(before).toMatchObject({ version: 0, lane: newLane });
      const written = await gate.store.write(name(), 0, { ...before, version: 0 }, used);

      expect(written.isWritten).toBe(true);
      expect((await gate.store.read(name(), [0, 1])).map(({ version }) => version)).toEqual([1, 0]);
      expect((await readOne(1))?.version).toBe(1);
      expect(await gate.get(allGatesKey)).toMatchObject({ version: 1, paused_by: "bob" });
    });

    test.each([
      ["an end alone", { paused_until: now + 60 }, { since: 0, by: "unknown", until: now + 60 }],
      ["a name alone", { paused_by: "carol" }, { since: 0, by: "carol" }],
    ])("a pause that somebody wrote by hand holds, with %s", async (_what, attributes, pause) => {
      await gate.put({ gate: allGatesKey, ...attributes });

      expect((await readOne())?.gate.pause).toEqual(pause);
    });

    test.each([
      ["of the gate", () => identity, { next_free_at: "soon", rate: 0 }, ["next_free_at", "rate"]],
      ["of the gate", () => identity, { recent_starts: "100:x" }, ["recent_starts"]],
      ["of all gates", () => allGatesKey, { paused_until: "2026-11-25" }, ["paused_until"]],
    ])(
      "an item %s that nobody can read lets nothing through, and says why",
      async (_whose, key, item, names) => {
        await gate.put({ gate: key(), ...item });

        await expect(readOne()).rejects.toMatchObject({ name: "UnreadableGateError", attributes: names });
      },
    );

    test.each<[what: string, all: number | undefined, own: number | undefined, by: string]>([
      ["of all is over, or ends first", now + 1, now + 2, "own"],
      ["of the gate ends first", now + 2, now + 1, "all"],
      ["of the gate has no end", now + 2, undefined, "own"],
      ["of all has no end", undefined, now + 2, "all"],
    ])("of two pauses the longer one holds: that %s", async (_what, all, own, by) => {
      await gate.put({ gate: allGatesKey, version: 1, ...pauseOf("all", all) });
      await gate.put({ gate: identity, version: 1, ...pauseOf("own", own) });

      expect((await readOne())?.gate.pause?.by).toBe(by);
    });
  });
}

/** The store whose time stands still. */
export function gateStoreOf(client: Parameters<typeof dynamodbGateStore>[0]): GateStore {
  return dynamodbGateStore(
    client,
    "send-gates",
    { now: () => now + 0.5, sleep: async () => {} },
    { next: () => 0.5 },
  );
}
