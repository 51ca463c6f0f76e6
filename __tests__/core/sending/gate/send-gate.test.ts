/** The gate as a worker uses it: the real store on the model of DynamoDB, on a virtual clock. */
import { dynamodbGateStore } from "../../../../functions/adapters/dynamodb/dynamodb-gate-store.ts";
import type { PermitRequest } from "../../../../functions/core/sending/gate/gate.ts";
import type { GateClock, GateStore } from "../../../../functions/core/sending/gate/gate-store.ts";
import {
  type NoPermit,
  type Permit,
  type SendGate,
  sendGate,
} from "../../../../functions/core/sending/gate/send-gate.ts";
import { SendTiming } from "../../../../functions/core/sending/gate/send-timing.ts";
import { tableModel } from "../../../../local/dynamodb/table-model.ts";
import { virtualTime } from "../../../support/virtual-time.ts";

const start = 1_800_000_000;
const one: PermitRequest = { parts: 1 };

interface Options {
  readonly rate?: number | undefined;
  readonly until?: number;
  /** What chance says, in [0, 1). @default 0.5 */
  readonly chance?: () => number;
  readonly gateClock?: Partial<GateClock>;
  /** @default that of a worker that claims without a lead */
  readonly timing?: SendTiming;
  /** What the store answers in place of its items. */
  readonly answers?: Awaited<ReturnType<GateStore["read"]>>;
  /** Runs before each write. */
  readonly beforeWrite?: (identity: string) => void;
}

/** A table of gates, and workers that use it. */
function gates() {
  const time = virtualTime(start);
  const table = tableModel({ key: "gate", now: time.now });
  const calls: string[] = [];

  function worker(options: Options = {}): SendGate {
    const { rate = 10, until = start + 1_000, chance = () => 0.5 } = options;
    const random = { next: chance };
    const real = dynamodbGateStore(table.client, "send-gates", time, random);
    const store: GateStore = {
      async read(identity, lanes, mayBeOld) {
        calls.push(`read ${identity} ${lanes.join(",")}${mayBeOld === true ? " for the time" : ""}`);
        return options.answers ?? real.read(identity, lanes, mayBeOld);
      },
      async write(identity, lane, before, after) {
        options.beforeWrite?.(identity);
        const result = await real.write(identity, lane, before, after);
        calls.push(`${result.isWritten ? "write" : "refused"} ${identity} ${lane}`);
        return result;
      },
    };
    const exact: GateClock = {
      now: () => ({ earliest: time.now(), latest: time.now() }),
      sharpen: async () => {},
      ...options.gateClock,
    };
    const rateOf = () => ("rate" in options ? options.rate : rate);
    const { timing = Object.assign(new SendTiming(), { leadSeconds: 0 }) } = options;
    return sendGate({ store, gateClock: exact, clock: time, random, rateOf, until, timing });
  }

  /** Asks for permits; each comes with the time at which it came, in seconds after the start. */
  async function ask(gate: SendGate, requests: readonly PermitRequest[], identity = "SHOP") {
    const answers = requests.map(async (request) => {
      const answer = await gate.acquire(identity, request);
      return { answer, at: secondsIn(time.now()) };
    });
    await time.run();
    return Promise.all(answers);
  }

  /** Takes a permit at once, or fails. */
  async function permit(gate: SendGate, identity = "SHOP"): Promise<Permit> {
    const [given] = await ask(gate, [one], identity);
    if (given?.answer.kind !== "permit") throw new Error(`No permit: ${JSON.stringify(given?.answer)}`);
    return given.answer;
  }

  /** Waits for a permit's time. */
  async function departs(given: Permit): Promise<readonly [isInTime: boolean, at: number]> {
    const answer = given.departs().then((isInTime) => [isInTime, secondsIn(time.now())] as const);
    await time.run();
    return answer;
  }

  return { time, table, calls, worker, ask, permit, departs };
}

/** Seconds after the start, to a tenth of a millisecond. */
const secondsIn = (time: number): number => Number((time - start).toFixed(4));

/** Another worker has moved the item. */
function moved({ table }: ReturnType<typeof gates>, identity: string): void {
  const item = table.items.get(identity) ?? { gate: identity };
  table.put({ ...item, version: Number(item.version ?? 0) + 1 });
}

describe("a batch", () => {
  test("that asks at one moment shares one read and one write, and leaves evenly", async () => {
    const { calls, worker, ask, departs } = gates();

    const given = await ask(worker(), [one, one, { parts: 2 }, one]);

    expect(calls).toEqual(["read SHOP 0", "write SHOP 0"]);
    // Claims are made 40 ms before their time.
    expect(given.map(({ at }) => at)).toEqual([0, 0.102, 0.204, 0.408]);
    const last = given.at(-1)?.answer as Permit;
    expect([last.kind, last.parts]).toEqual(["permit", 1]);
    expect(await departs(last)).toEqual([true, 0.408]);
  });

  test("of several identities asks the gate of each", async () => {
    const { calls, worker, time } = gates();
    const gate = worker();

    const answers = Promise.all([gate.acquire("SHOP", one), gate.acquire("+447700900999", one)]);
    await time.run();

    expect((await answers).map(({ kind }) => kind)).toEqual(["permit", "permit"]);
    expect([...calls].sort()).toEqual([
      "read +447700900999 0",
      "read SHOP 0",
      "write +447700900999 0",
      "write SHOP 0",
    ]);
  });

  test("of another worker leaves after the first one's", async () => {
    const { worker, ask } = gates();
    await ask(worker(), [one, one]);

    const given = await ask(worker(), [one]);

    expect(given[0]?.at).toBe(0.204);
  });

  test("gets what does not go soon back, with a time and a reason, and counts it among what waits", async () => {
    const { table, worker, ask } = gates();

    const given = await ask(worker({ rate: 1 }), [one, one]);

    expect(given.map(({ answer }) => answer)).toEqual([
      expect.objectContaining({ kind: "permit" }),
      { kind: "no-permit", reason: "no-capacity", until: expect.any(Number), waitsAs: 7 },
    ]);
    const later = given[1]?.answer as NoPermit | undefined;
    expect(secondsIn(later?.until ?? 0)).toBeGreaterThanOrEqual(1);
    const backlog = table.items.get("SHOP")?.backlog_until as number[] | undefined;
    expect(secondsIn(backlog?.at(-1) ?? 0)).toBe(1.02);
  });

  test("is planned anew on top of what another worker has written meanwhile", async () => {
    const all = gates();
    let conflicts = 2;
    const gate = all.worker({
      beforeWrite(identity) {
        if (conflicts-- <= 0) return;
        moved(all, identity);
        all.table.put({ ...all.table.items.get(identity), gate: identity, next_free_at: start + 0.2 });
      },
    });

    const given = await all.ask(gate, [one]);

    expect(all.calls).toEqual(["read SHOP 0", "refused SHOP 0", "refused SHOP 0", "write SHOP 0"]);
    expect(given[0]?.at).toBe(0.2);
  });

  test("of which something goes is written after a conflict, too", async () => {
    const all = gates();
    all.table.put({ gate: "SHOP", version: 1, next_free_at: 0, rate: 1, rate_until: start + 60 });
    let conflicts = 1;
    const gate = all.worker({ rate: 1, beforeWrite: (identity) => conflicts-- > 0 && moved(all, identity) });

    const given = await all.ask(gate, [one, one]);

    expect(given.map(({ answer }) => answer.kind)).toEqual(["permit", "no-permit"]);
    expect(all.calls).toEqual(["read SHOP 0", "refused SHOP 0", "write SHOP 0"]);
  });

  test("of which nothing goes tells the others its lower rate, after a conflict, too", async () => {
    const all = gates();
    all.table.put({ gate: "SHOP", version: 1, next_free_at: start + 60, rate: 10, rate_until: start + 60 });
    let conflicts = 1;
    const gate = all.worker({ rate: 5, beforeWrite: (identity) => conflicts-- > 0 && moved(all, identity) });

    await all.ask(gate, [one]);

    expect(all.calls).toEqual(["read SHOP 0", "refused SHOP 0", "write SHOP 0"]);
    expect(all.table.items.get("SHOP")).toMatchObject({ rate: 5 });
  });

  test("tells what does not go at different moments while it waits for what goes", async () => {
    const { worker, ask } = gates();
    let draws = 0;
    const chance = () => (draws++ % 2 === 0 ? 0.5 : 0.25);
    const clockAhead = { now: () => ({ earliest: start - 0.1, latest: start }) };

    const timing = Object.assign(new SendTiming(), { leadSeconds: 0, callSeconds: 0.05 });
    const gate = worker({ rate: 5, chance, timing, gateClock: clockAhead });

    const given = await ask(gate, Array(4).fill(one));

    const last = Math.max(...given.map(({ answer, at }) => (answer.kind === "permit" ? at : 0)));
    expect(last).toBeGreaterThan(0.2);
    const deferredAt = given.filter(({ answer }) => answer.kind === "no-permit").map(({ at }) => at);
    expect(deferredAt.length).toBeGreaterThan(0);
    for (const at of deferredAt) expect([last * 0.25, last * 0.5]).toContainEqual(expect.closeTo(at, 3));
  });

  test("is deferred, and counted as it was before, where others move the gate eight times", async () => {
    const all = gates();
    const gate = all.worker({ beforeWrite: (identity) => moved(all, identity) });

    const given = await all.ask(gate, [one, { ...one, waitsAs: 3 }]);

    const answer = { kind: "no-permit", reason: "no-capacity", until: start + 1.5 };
    expect(given.map((each) => each.answer)).toEqual([answer, { ...answer, waitsAs: 3 }]);
    expect(all.calls.filter((call) => call.startsWith("refused"))).toHaveLength(8);
  });

  test("of which nothing goes now writes its estimate once, or not at all", async () => {
    const all = gates();
    all.table.put({ gate: "SHOP", version: 1, next_free_at: start + 60, rate: 10, rate_until: start + 60 });
    const gate = all.worker({ beforeWrite: (identity) => moved(all, identity) });

    const given = await all.ask(gate, [one, { ...one, waitsAs: 3 }]);

    expect(all.calls).toEqual(["read SHOP 0", "refused SHOP 0"]);
    expect(given.map(({ answer }) => answer)).toEqual([
      { kind: "no-permit", reason: "no-capacity", until: expect.any(Number) },
      { kind: "no-permit", reason: "no-capacity", until: expect.any(Number), waitsAs: 3 },
    ]);
  });

  test.each(["read", "write"] as const)("fails as a whole where the table fails its %s", async (call) => {
    const { table, worker, time } = gates();
    const gate = worker();
    const { execute } = table;
    Object.assign(table.client, {
      async send(command: { readonly input: object }) {
        const isWrite = "Key" in command.input;
        if ((call === "write") === isWrite) throw new Error("The table is out of reach.");
        return execute(command);
      },
    });

    const answers = Promise.allSettled([gate.acquire("SHOP", one), gate.acquire("SHOP", one)]);
    await time.run();

    for (const answer of await answers) {
      expect(answer).toMatchObject({ status: "rejected", reason: { message: "The table is out of reach." } });
    }
  });

  test("learns the time before it reserves, by a read of its gate", async () => {
    const { calls, worker, ask } = gates();

    await ask(worker({ gateClock: { sharpen: async (asks) => void (await asks()) } }), [one]);

    expect(calls).toEqual(["read SHOP 0 for the time", "read SHOP 0", "write SHOP 0"]);
  });
});

describe("no permit is given", () => {
  test("where the deployment sends nothing: in a minute or two it is asked again, and no table", async () => {
    const { calls, worker, ask } = gates();

    const given = await ask(worker({ rate: undefined }), [one, one]);

    const answer = { kind: "no-permit", reason: "paused", until: start + 90 };
    expect(given.map((each) => each.answer)).toEqual([answer, answer]);
    expect(calls).toEqual([]);
  });

  test("by a gate that an operator has paused, and nothing is written", async () => {
    const { table, calls, worker, ask } = gates();
    table.put({ gate: "SHOP", version: 3, paused_since: start, paused_by: "alice", paused_until: start + 9 });

    const given = await ask(worker(), [one]);

    const pause = { since: start, by: "alice", until: start + 9 };
    expect(given[0]?.answer).toEqual({ kind: "no-permit", reason: "paused", until: start + 2.5, pause });
    expect(calls).toEqual(["read SHOP 0"]);
  });

  test("for a time after the invocation's last", async () => {
    const { worker, ask } = gates();

    const given = await ask(worker({ until: start + 0.11 }), [one, one, one]);

    expect(given.map(({ answer }) => answer.kind)).toEqual(["permit", "permit", "no-permit"]);
    // It is told at once, and not when the time has come.
    expect(given[2]).toMatchObject({ answer: { reason: "no-capacity", until: start + 1 }, at: 0 });
  });

  test("by a store that answers nothing", async () => {
    const { worker, time } = gates();

    const answers = Promise.allSettled([worker({ answers: [] }).acquire("SHOP", one)]);
    await time.run();

    expect(await answers).toMatchObject([
      { status: "rejected", reason: { message: "The gate's store has answered no item." } },
    ]);
  });
});

describe("a permit", () => {
  test("is at its time where the message leaves with it", async () => {
    const { permit, departs, worker } = gates();
    const gate = worker();
    await permit(gate);

    expect(await departs(await permit(gate))).toEqual([true, 0.102]);
  });

  test.each([
    [0.02, true],
    [0.021, false],
  ])("used %d s after its time: still good is %s", async (late, isInTime) => {
    const { permit, departs, time, worker } = gates();
    const given = await permit(worker());
    time.advance(late);

    expect(await departs(given)).toEqual([isInTime, late]);
  });

  test("waits for the time that surely has come, whatever the worker's clock says", async () => {
    const { ask, departs, worker, time } = gates();
    const now = () => ({ earliest: time.now() - 0.3, latest: time.now() + 0.2 });
    const [asked] = await ask(worker({ gateClock: { now } }), [one]);
    const given = asked?.answer as Permit;
    expect(asked?.at).toBe(0.5);

    // Its time is 0.2 s by the latest that it can be; by the earliest that is half a second away.
    expect(await departs(given)).toEqual([true, 0.5]);
  });
});

describe("a worker learns", () => {
  test("how long its claims take: they get their permit as long before its time", async () => {
    const { ask, departs, worker, time } = gates();
    const timing = new SendTiming();
    const [given] = await ask(worker({ timing }), [one]);
    const permit = given?.answer as Permit;
    expect(given?.at).toBe(0);
    time.advance(0.19);

    expect(await departs(permit)).toEqual([true, 0.2]);
    // Half as long again as the claim took.
    expect(timing.leadSeconds).toBeCloseTo(1.5 * 0.19, 6);
  });

  test("that it got the permit late, as if the claim had taken so much longer", async () => {
    const { ask, departs, worker, time } = gates();
    const timing = new SendTiming();
    const [given] = await ask(worker({ timing, beforeWrite: () => time.advance(0.1) }), [one]);

    expect(given?.at).toBe(0.1);
    expect(await departs(given?.answer as Permit)).toEqual([true, 0.2]);
    expect(timing.leadSeconds).toBeCloseTo(0.2 + (1.5 * 0.099 - 0.2) / 16, 6);
  });

  test("how long the service takes, from the departure to the report", async () => {
    const { permit, departs, worker, time } = gates();
    const timing = Object.assign(new SendTiming(), { leadSeconds: 0 });
    const given = await permit(worker({ timing }));
    given.report(true);
    expect(timing.callSeconds).toBe(0.15);
    await departs(given);
    time.advance(0.95);
    given.report(true);

    expect(timing.callSeconds).toBeCloseTo(0.25, 6);
  });

  test("that the record of a send takes as long as its claim", async () => {
    const { permit, departs, worker, time } = gates();
    const timing = Object.assign(new SendTiming(), { leadSeconds: 0 });
    const given = await permit(worker({ timing }));
    time.advance(0.01);
    await departs(given);
    time.advance(0.93);
    given.report(true);

    // The claim, the call and the record: 0.95 s.
    expect(timing.callSeconds).toBeCloseTo(0.25, 6);
  });
});

describe("three failures in a row", () => {
  async function afterFailures(count: number) {
    const all = gates();
    const gate = all.worker();
    const given = await all.ask(gate, [one, one, one, one]);
    const permits = given.map(({ answer }) => answer as Permit);
    for (const each of permits.slice(0, count)) {
      await all.departs(each);
      each.report(false);
    }
    return { ...all, gate, last: permits[3] as Permit };
  }

  test("hold back what has a permit of this worker already, fewer do not", async () => {
    const three = await afterFailures(3);
    expect((await three.departs(three.last))[0]).toBe(false);

    const two = await afterFailures(2);
    expect((await two.departs(two.last))[0]).toBe(true);
  });

  test("count where permits are asked for between them, before anything is written down", async () => {
    const { worker, permit, ask } = gates();
    const gate = worker();
    for (let failures = 0; failures < 3; failures += 1) (await permit(gate)).report(false);
    await gate.settle();

    expect((await ask(worker(), [one]))[0]?.answer).toMatchObject({ reason: "breaker-closed" });
  });

  test("close the gate for all workers once they are written down", async () => {
    const { gate, calls, worker, ask, table } = await afterFailures(3);
    calls.length = 0;

    await gate.settle();

    expect(calls).toEqual(["read SHOP 0", "write SHOP 0"]);
    expect(table.items.get("SHOP")).toMatchObject({ failures: 3, probe_until: 0 });
    const given = await ask(worker(), [one]);
    expect(given[0]?.answer).toMatchObject({ kind: "no-permit", reason: "breaker-closed" });
  });

  test("of several workers count together", async () => {
    const { worker, permit, ask, time } = gates();
    for (let failures = 0; failures < 3; failures += 1) {
      const gate = worker();
      const given = await permit(gate);
      given.report(false);
      await gate.settle();
      time.advance(1);
    }

    expect((await ask(worker(), [one]))[0]?.answer).toMatchObject({ reason: "breaker-closed" });
  });

  test("then let one probe through; its success opens the gate", async () => {
    const { gate, worker, ask, permit, departs, time, table } = await afterFailures(3);
    await gate.settle();
    time.advance(5);
    const probing = worker();

    const given = await ask(probing, [one, one]);
    expect(given.map(({ answer }) => answer.kind)).toEqual(["permit", "no-permit"]);
    expect((await ask(worker(), [one]))[0]?.answer).toMatchObject({ reason: "breaker-closed" });
    const probe = given[0]?.answer as Permit;
    expect((await departs(probe))[0]).toBe(true);
    probe.report(true);
    await probing.settle();

    expect(table.items.get("SHOP")).toMatchObject({ failures: 0, closed_since: 0, opened_at: time.now() });
    time.advance(2);
    await permit(worker());
  });

  test.each(["comes too late", "is never claimed", "is too late for its invocation"])(
    "then a probe that %s makes room for the next one",
    async (what) => {
      const { gate, worker, ask, permit, departs, time, calls } = await afterFailures(3);
      await gate.settle();
      time.advance(5);
      const isOver = what === "is too late for its invocation";
      const probing = worker(isOver ? { until: time.now() - 1 } : {});
      const [given] = await ask(probing, [one]);
      expect(given?.answer.kind).toBe(isOver ? "no-permit" : "permit");
      if (what === "comes too late") {
        time.advance(0.1);
        expect((await departs(given?.answer as Permit))[0]).toBe(false);
      }
      calls.length = 0;

      await probing.settle();

      expect(calls).toEqual(["read SHOP 0", "write SHOP 0"]);
      await permit(worker());
    },
  );

  test("then a probe that comes to nothing is given back, whatever an earlier send reports", async () => {
    const { gate, last, worker, permit, time } = await afterFailures(3);
    await gate.settle();
    time.advance(5);
    await permit(gate);
    last.report(false);
    await gate.settle();
    time.advance(1);

    // Half a minute would it be held otherwise.
    await permit(worker());
  });

  test("then a probe that was given up is not taken from the worker that has the next", async () => {
    const { gate, worker, permit, ask, time } = await afterFailures(3);
    await gate.settle();
    time.advance(5);
    const first = worker();
    await permit(first);
    time.advance(30);
    await permit(worker());

    await first.settle();

    expect((await ask(worker(), [one]))[0]?.answer).toMatchObject({ reason: "breaker-closed" });
  });

  test("and a failed probe keep it closed for longer", async () => {
    const { gate, worker, permit, ask, time } = await afterFailures(3);
    const closedAt = time.now();
    await gate.settle();
    time.advance(5);
    const probing = worker();
    (await permit(probing)).report(false);
    await probing.settle();

    const [given] = await ask(worker({ chance: () => 0 }), [one]);
    expect(given?.answer).toMatchObject({ reason: "breaker-closed", until: closedAt + 15 });
  });
});

describe("what is settled", () => {
  test("is written only where it changes the breaker: no call for successes", async () => {
    const { worker, permit, calls } = gates();
    const gate = worker();
    (await permit(gate)).report(true);
    calls.length = 0;

    await gate.settle();

    expect(calls).toEqual([]);
  });

  test("is not written where it changes nothing: the others have closed the gate meanwhile", async () => {
    const { worker, permit, calls, table } = gates();
    const gate = worker();
    const given = await permit(gate);
    table.put({ ...table.items.get("SHOP"), closed_since: start, closed_until: start + 5, failures: 3 });
    given.report(false);
    calls.length = 0;

    await gate.settle();

    expect(calls).toEqual(["read SHOP 0"]);
  });

  test("is added to what others have written meanwhile", async () => {
    const all = gates();
    let conflicts = 0;
    const gate = all.worker({
      beforeWrite(identity) {
        if (conflicts-- <= 0) return;
        moved(all, identity);
        all.table.put({ ...all.table.items.get(identity), gate: identity, failures: 2 });
      },
    });
    (await all.permit(gate)).report(false);
    conflicts = 1;
    all.calls.length = 0;

    await gate.settle();

    expect(all.calls).toEqual(["read SHOP 0", "refused SHOP 0", "write SHOP 0"]);
    expect(all.table.items.get("SHOP")).toMatchObject({ failures: 3, closed_since: expect.any(Number) });
  });

  test("is given up where others move the gate eight times", async () => {
    const all = gates();
    let areOthersBusy = false;
    const gate = all.worker({ beforeWrite: (identity) => areOthersBusy && moved(all, identity) });
    (await all.permit(gate)).report(false);
    areOthersBusy = true;
    all.calls.length = 0;

    await gate.settle();

    expect(all.calls).toEqual(["read SHOP 0", ...Array(8).fill("refused SHOP 0")]);
  });

  test("fails nobody's batch where the table is out of reach", async () => {
    const { worker, permit, table } = gates();
    const gate = worker();
    (await permit(gate)).report(false);
    Object.assign(table.client, { send: () => Promise.reject(new Error("out of reach")) });

    await expect(gate.settle()).resolves.toBeUndefined();
  });
});

describe("a gate of several lanes", () => {
  test("reserves in one of them; what holds for all stands in the first", async () => {
    const { worker, ask, calls, table } = gates();

    await ask(worker({ rate: 1_250 }), [one]);

    expect(calls).toEqual(["read SHOP 0,1,2", "write SHOP 0", "write SHOP 1"]);
    expect(table.items.get("SHOP")).toMatchObject({ rate: 1_250, next_free_at: 0 });
    expect(table.items.get("SHOP#1")).not.toHaveProperty("rate");
    expect(Number(table.items.get("SHOP#1")?.next_free_at)).toBeGreaterThan(start);
  });

  test("writes only the lane while what holds for all stays", async () => {
    const { worker, ask, calls } = gates();
    await ask(worker({ rate: 1_250 }), [one]);
    calls.length = 0;

    await ask(worker({ rate: 1_250 }), [one]);

    // The one of the others that is free sooner.
    expect(calls).toEqual(["read SHOP 0,1,2", "write SHOP 2"]);
  });

  test("writes only the first where the rate is news and what has no room waits already", async () => {
    const { worker, ask, calls, table } = gates();
    for (const gate of ["SHOP", "SHOP#1", "SHOP#2"]) {
      table.put({ gate, version: 1, next_free_at: start + 60, backlog_until: [] });
    }

    await ask(worker({ rate: 1_250 }), [{ parts: 1, waitsAs: 0 }]);

    expect(calls).toEqual(["read SHOP 0,1,2", "write SHOP 0"]);
  });

  test.each([
    ["SHOP", ["read SHOP 0,1,2", "refused SHOP 0", "write SHOP 0", "write SHOP 1"]],
    ["SHOP#1", ["read SHOP 0,1,2", "write SHOP 0", "refused SHOP 1", "write SHOP 1"]],
  ])("is planned anew where another worker has moved %s", async (key, expected) => {
    const all = gates();
    let conflicts = 1;
    let writes = 0;
    const gate = all.worker({
      rate: 1_250,
      beforeWrite() {
        writes += 1;
        if (writes === (key === "SHOP" ? 1 : 2) && conflicts-- > 0) moved(all, key);
      },
    });

    const given = await all.ask(gate, [one]);

    expect(given[0]?.answer.kind).toBe("permit");
    expect(all.calls).toEqual(expected);
  });

  test("is read whole again after a conflict: each lane is written on top of its own version", async () => {
    const all = gates();
    for (const [lane, gate] of ["SHOP", "SHOP#1", "SHOP#2"].entries()) {
      all.table.put({ gate, version: 10 * lane + 1, next_free_at: lane === 1 ? 0 : start + 60 });
    }
    let conflicts = 1;
    const gate = all.worker({
      rate: 1_250,
      beforeWrite: (identity) => conflicts-- > 0 && moved(all, identity),
    });

    const given = await all.ask(gate, [one]);

    expect(given[0]?.answer.kind).toBe("permit");
    expect(all.calls).toEqual(["read SHOP 0,1,2", "refused SHOP 0", "write SHOP 0", "write SHOP 1"]);
  });

  test("takes the other lane where a conflict shows that the one it meant is taken", async () => {
    const all = gates();
    all.table.put({
      gate: "SHOP",
      version: 1,
      next_free_at: start + 60,
      rate: 1_250,
      rate_until: start + 60,
    });
    all.table.put({ gate: "SHOP#1", version: 11, next_free_at: 0 });
    all.table.put({ gate: "SHOP#2", version: 21, next_free_at: start + 0.1 });
    let conflicts = 1;
    const gate = all.worker({
      rate: 1_250,
      beforeWrite() {
        if (conflicts-- > 0) all.table.put({ gate: "SHOP#1", version: 12, next_free_at: start + 60 });
      },
    });

    const given = await all.ask(gate, [one]);

    expect(given[0]?.answer.kind).toBe("permit");
    expect(all.calls).toEqual(["read SHOP 0,1,2", "refused SHOP 1", "write SHOP 2"]);
  });

  test("has only the first for all workers once one of them names a lower rate", async () => {
    const { worker, ask, calls } = gates();
    await ask(worker({ rate: 10 }), [one]);
    calls.length = 0;

    // The lanes that chance says: the first of those that there are no more, and the last.
    await ask(worker({ rate: 1_250, chance: () => 0.5 }), [one]);
    await ask(worker({ rate: 4_000, chance: () => 0.9 }), [one]);

    expect(calls.filter((call) => call.startsWith("write"))).toEqual(["write SHOP 0", "write SHOP 0"]);
  });
});
