import { seededChance } from "../../local/seeded-chance.ts";
import {
  assignScripts,
  type Carrier,
  type HandOver,
  scriptedCarrier,
} from "../../local/sms-service/carrier.ts";
import { type MessageScript, parseScenario } from "../../local/sms-service/scenario.ts";

const noSimulatorNumbers = {
  success: new Set<string>(),
  failure: new Set<string>(),
  failureStatus: "BLOCKED",
} as const;

const scenarioWith = (changed: object = {}) =>
  parseScenario(
    JSON.stringify({ description: "T.", messages: [{ share: 1, outcomes: ["DELIVERED"] }], ...changed }),
    "test",
  );

const handOver = ({
  destination = "+15550000001",
  ...changed
}: Partial<HandOver> & { readonly destination?: string } = {}): HandOver => ({
  request: { api: "pinpoint", destination, body: "Hello", messageType: "TRANSACTIONAL", input: {} },
  attempt: 0,
  earlierCalls: 0,
  elapsedSeconds: 0,
  ...changed,
});

function carrierOf(script: MessageScript, changed: object = {}, seed = 1): Carrier {
  return scriptedCarrier(
    scenarioWith(changed),
    seed,
    new Map([["+15550000001", script]]),
    noSimulatorNumbers,
  );
}

describe("scripts", () => {
  const script = (share: number, name: string) => ({ share, outcomes: [name] }) as unknown as MessageScript;

  it("are handed out by their shares, to every message one", () => {
    const assigned = assignScripts([script(0.5, "a"), script(0.3, "b"), script(0.2, "c")], 11, 1);
    const counts = Map.groupBy(assigned, ({ outcomes }) => outcomes[0] as string);

    expect(assigned).toHaveLength(11);
    expect([...counts].map(([name, { length }]) => [name, length]).toSorted()).toEqual([
      ["a", 6],
      ["b", 3],
      ["c", 2],
    ]);
  });

  it("are in the same order with the same seed, and in another with another", () => {
    const scripts = [script(0.5, "a"), script(0.5, "b")];

    expect(assignScripts(scripts, 50, 7)).toEqual(assignScripts(scripts, 50, 7));
    expect(assignScripts(scripts, 50, 7)).not.toEqual(assignScripts(scripts, 50, 8));
  });
});

describe("a carrier", () => {
  it("gives each attempt its outcome, and the last one to all that follow", () => {
    const carrier = carrierOf({ share: 1, outcomes: ["UNREACHABLE", "TTL_EXPIRED", "DELIVERED"] });
    const outcomes = [0, 1, 2, 3].map((attempt) => carrier.plan(handOver({ attempt })).outcome);

    expect(outcomes).toEqual(["UNREACHABLE", "TTL_EXPIRED", "DELIVERED", "DELIVERED"]);
  });

  it("emits a buffered event and then the final one", () => {
    const { events } = carrierOf({ share: 1, outcomes: ["OPTOUT"] }).plan(handOver());

    expect(events.map(({ kind }) => kind)).toEqual(["buffered", "opt-out"]);
    expect(["PENDING", "SUCCESSFUL"]).toContain(events[0]?.status);
    expect(events[1]?.copiesAfterSeconds[0]).toBeGreaterThan(events[0]?.copiesAfterSeconds[0] ?? 0);
  });

  it("plans the same for the same hand-over and seed, whatever came before", () => {
    const noise = { events: { doubled: 0.5, delayed: 0.5, reordered: 0.5 } };
    const script: MessageScript = { share: 1, outcomes: ["UNREACHABLE"] };
    const first = carrierOf(script, noise);
    const second = carrierOf(script, noise);
    first.plan(handOver({ attempt: 3 }));

    expect(first.plan(handOver())).toEqual(second.plan(handOver()));
    expect(carrierOf(script, noise, 2).plan(handOver())).not.toEqual(second.plan(handOver()));
  });

  it("answers the scripted calls of an attempt before it takes one", () => {
    const carrier = carrierOf({
      share: 1,
      outcomes: ["DELIVERED"],
      api_answers: [[], ["THROTTLED", "HTTP_500"]],
    });
    const answers = [0, 1, 2].map((earlierCalls) => carrier.plan(handOver({ attempt: 1, earlierCalls })));

    expect(answers.map(({ answer }) => answer)).toEqual(["THROTTLED", "HTTP_500", undefined]);
    expect(answers.map(({ outcome }) => outcome)).toEqual([undefined, undefined, "DELIVERED"]);
    expect(carrier.plan(handOver()).answer).toBeUndefined();
  });

  it("takes a message whose answer it loses", () => {
    const carrier = carrierOf({ share: 1, outcomes: ["DELIVERED"], api_answers: [["HANG"]] });

    expect(carrier.plan(handOver())).toMatchObject({ answer: "HANG", outcome: "DELIVERED" });
  });

  it("fails everything during an outage, and nothing before or after", () => {
    const carrier = carrierOf(
      { share: 1, outcomes: ["DELIVERED"] },
      { outages: [{ from_seconds: 5, until_seconds: 10 }] },
    );
    const outcomes = [4.9, 5, 9.9, 10].map(
      (elapsedSeconds) => carrier.plan(handOver({ elapsedSeconds })).outcome,
    );

    expect(outcomes).toEqual(["DELIVERED", "CARRIER_UNREACHABLE", "CARRIER_UNREACHABLE", "DELIVERED"]);
  });

  it("doubles, delays, swaps and loses about as many events as it was told", () => {
    const scenario = scenarioWith({
      events: { doubled: 0.2, delayed: 0.3, delay_seconds: [10, 20], reordered: 0.1, lost: 0.4 },
    });
    const carrier = scriptedCarrier(scenario, 1, new Map(), noSimulatorNumbers);
    const count = 4_000;
    const plans = Array.from({ length: count }, (_, index) =>
      carrier.plan(handOver({ destination: `+1555${index}` })),
    );
    const finals = plans.flatMap(({ events }) => events.filter(({ kind }) => kind === "success"));
    const arrived = finals.filter(({ copiesAfterSeconds }) => copiesAfterSeconds.length > 0);
    const rate = (found: number, of: number) => Math.round((found / of) * 10) / 10;

    expect(rate(count - arrived.length, count)).toBe(0.4);
    expect(
      rate(
        arrived.filter(({ copiesAfterSeconds }) => copiesAfterSeconds.length === 2).length,
        arrived.length,
      ),
    ).toBe(0.2);
    expect(
      rate(arrived.filter(({ copiesAfterSeconds: [first = 0] }) => first >= 10).length, arrived.length),
    ).toBe(0.3);
    const swapped = plans.filter(({ events: [buffered, final] }) => {
      const [first = 0] = buffered?.copiesAfterSeconds ?? [];
      const [last = 0] = final?.copiesAfterSeconds ?? [];
      return first < 10 && last < 10 && last > 0 && last < first;
    });
    expect(swapped.length / count).toBeGreaterThan(0.02);
  });

  it("stays silent where the script says so", () => {
    const { events } = carrierOf({ share: 1, outcomes: ["SILENCE"] }).plan(handOver());

    expect(events.map(({ kind }) => kind)).toEqual(["buffered"]);
  });
});

it("seeded chance is even, and its keys are independent", () => {
  const chance = seededChance(1, "even");
  const buckets = Array.from({ length: 10 }, () => 0);
  for (let count = 0; count < 10_000; count += 1) {
    const bucket = Math.floor(chance() * 10);
    buckets[bucket] = (buckets[bucket] ?? 0) + 1;
  }
  const firsts = new Set(Array.from({ length: 1_000 }, (_, index) => seededChance(1, "key", index)()));

  expect(Math.min(...buckets)).toBeGreaterThan(900);
  expect(Math.max(...buckets)).toBeLessThan(1_100);
  expect(firsts.size).toBe(1_000);
});
