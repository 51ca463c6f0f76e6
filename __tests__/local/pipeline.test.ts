/**
 * The whole pipeline: real bundles on emulators, as `npm start` runs them. Needs `npm run bundle`.
 *
 * Slow, so there are few of them: one for each promise that only the whole can break.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { scriptedMessages } from "../../local/produce-messages.ts";
import { type RunOptions, type RunResult, run } from "../../local/run.ts";
import { loadScenario, parseScenario, type Scenario } from "../../local/sms-simulator/scenario.ts";
import { countStuck, outcomeOf, violations } from "../../local/summary.ts";

const bundleFolder = join(__dirname, "../../dist/functions");

jest.setTimeout(120_000);

async function runScenario(scenario: Scenario, changed: Partial<RunOptions> = {}) {
  const problems: string[] = [];
  const result = await run({
    scenario,
    scenarioName: "test",
    messages: 40,
    rate: 50,
    seed: 1,
    maxRetries: 3,
    via: "kinesis",
    bundleFolder,
    onProgress: () => {},
    onProblem: (problem) => problems.push(problem),
    signal: new AbortController().signal,
    ...changed,
  });
  return { ...result, problems };
}

const scenarioOf = (scenario: object) =>
  parseScenario(JSON.stringify({ description: "A test.", ...scenario }), "test");

/** How often the service took each attempt of a message, e.g. `m-1/2` → 1. */
function sendsOfAttempts({ ledger }: RunResult): Map<string, number> {
  const sends = Map.groupBy(
    ledger.sends,
    ({ applicationMessageId, attempt }) => `${applicationMessageId}/${attempt}`,
  );
  return new Map([...sends].map(([key, { length }]) => [key, length]));
}

describe("the mixed scenario", () => {
  let result: Awaited<ReturnType<typeof runScenario>>;
  let scenario: Scenario;

  beforeAll(async () => {
    scenario = await loadScenario("mixed");
    result = await runScenario(scenario, { messages: 100 });
  });

  it("ends every message in the state that its script leads to", () => {
    const { rows, ledger } = result;
    const sends = ledger.sendsByMessage();
    const expected = (script: Scenario["messages"][number]): string => {
      const { outcomes, api_answers: answers = [], validity_seconds: validity } = script;
      const last = outcomes.at(-1) ?? "";
      if (answers.flat().includes("OPT_OUT") || last === "OPTOUT") return "optedOut";
      if (answers.flat().includes("PERMANENT_FAILURE") || ["BLOCKED", "INVALID"].includes(last))
        return "rejected";
      if (validity !== undefined) return "expired";
      if (last !== "DELIVERED" && last !== "SUCCESSFUL") return "exhausted";
      return outcomes.length === 1 ? "deliveredAtOnce" : "recovered";
    };
    const wanted = scriptedMessages(scenario, 100, 1).map(({ id, script }) => [id, expected(script)]);
    const found = rows.map((row) => [
      row.application_message_id,
      outcomeOf(row, sends.get(row.application_message_id) ?? []),
    ]);

    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(wanted));
  });

  it("adds up, leaves nothing open and absorbs what came twice", () => {
    const { summary, problems } = result;

    expect(violations(summary, 3, countStuck(result.rows, result.ledger))).toEqual([]);
    expect(summary.outcomes.open).toBe(0);
    expect(summary.maxSendsPerMessage).toBe(4);
    expect(summary.events.duplicated).toBeGreaterThan(0);
    expect(summary.events.absorbed).toBeGreaterThan(0);
    expect(summary.events.orphaned).toBe(0);
    expect(problems).toEqual([]);
  });

  it("sends every attempt once, also where the service throttled it first", () => {
    expect(Math.max(...sendsOfAttempts(result).values())).toBe(1);
  });

  it("writes no phone number and no message body into any log", () => {
    const { log } = result;
    const secrets = scriptedMessages(scenario, 100, 1).flatMap(({ destination, body }) => [
      destination.slice(1),
      body,
      body.match(/\d{6}/)?.[0] ?? body,
    ]);
    const written = log.lines.join("\n");

    expect(log.lines.length).toBeGreaterThan(100);
    // Ids and times have digits too: a code counts only where it stands alone.
    expect(
      secrets.filter((secret) => new RegExp(`(?<![\\w.-])\\+?${secret}(?![\\w-])`).test(written)),
    ).toEqual([]);
  });

  it("logs one JSON object a line", () => {
    const broken = result.log.lines.filter((line) => {
      try {
        return typeof JSON.parse(line) !== "object";
      } catch {
        return true;
      }
    });

    expect(broken).toEqual([]);
  });
});

it("every event twice, late and in disorder: one send for each attempt all the same", async () => {
  const scenario = scenarioOf({
    messages: [{ share: 1, outcomes: ["UNREACHABLE", "UNKNOWN", "DELIVERED"] }],
    events: { doubled: 1, delayed: 0.3, delay_seconds: [0, 2], reordered: 0.5 },
  });

  const result = await runScenario(scenario);

  expect(result.summary.outcomes.recovered).toBe(40);
  expect(Math.max(...sendsOfAttempts(result).values())).toBe(1);
  expect(result.summary.events.absorbed).toBeGreaterThan(0);
});

it("a lost answer leads to no second send when the event tells what happened", async () => {
  const scenario = scenarioOf({
    messages: [
      { share: 0.5, outcomes: ["DELIVERED"], api_answers: [["HANG"]] },
      { share: 0.5, outcomes: ["UNREACHABLE", "DELIVERED"], api_answers: [[], ["HANG"]] },
    ],
  });

  const result = await runScenario(scenario, { messages: 6 });

  expect(result.summary.outcomes).toMatchObject({ deliveredAtOnce: 3, recovered: 3 });
  expect(Math.max(...sendsOfAttempts(result).values())).toBe(1);
});

it.each([0, 1])("max_retries %i allows exactly that many retries", async (maxRetries) => {
  const scenario = scenarioOf({ messages: [{ share: 1, outcomes: ["UNREACHABLE"] }] });

  const { summary } = await runScenario(scenario, { messages: 10, maxRetries });

  expect(summary.outcomes.exhausted).toBe(10);
  expect(summary.sends).toBe(10 * (1 + maxRetries));
  expect(summary.maxSendsPerMessage).toBe(1 + maxRetries);
});

it("lost events leave their messages open, and nothing is sent for them", async () => {
  const scenario = scenarioOf({
    messages: [{ share: 1, outcomes: ["DELIVERED"] }],
    events: { lost: 1 },
  });

  const { summary, rows, ledger } = await runScenario(scenario, { messages: 5 });

  expect(summary.outcomes.open).toBe(5);
  expect(summary.sends).toBe(5);
  expect(violations(summary, 3, countStuck(rows, ledger))).toEqual([]);
});

it("fault 31: after a carrier's outage retries keep to the rate, what is useless expires unsent, the queue drains", async () => {
  const { summary, rows, ledger } = await runScenario(await loadScenario("outage"), { messages: 200 });

  const { cap, peakPerSecond } = summary.sendRate;
  expect(cap).toBe(6);
  expect(peakPerSecond).toBeLessThanOrEqual(cap);
  // How many fail depends on how fast this machine produces: it is a time that the carrier is down for.
  const { recovered, expired, exhausted, deliveredAtOnce } = summary.outcomes;
  expect(recovered + expired).toBeGreaterThan(0);
  expect(recovered + expired + exhausted + deliveredAtOnce).toBe(200);
  const deadlines = new Map(rows.map((row) => [row.application_message_id, Number(row.deadline)]));
  const late = ledger.calls.filter(
    ({ at, applicationMessageId = "" }) => at / 1_000 >= (deadlines.get(applicationMessageId) ?? 0),
  );
  expect(late).toEqual([]);
  expect(violations(summary, 3, countStuck(rows, ledger))).toEqual([]);
});

describe("by way of Firehose", () => {
  const eventsOf = ({ archived }: RunResult) =>
    (archived?.delivered ?? []) as { event_type: string; attributes: Record<string, string> }[];

  it("a run ends as it does by way of Kinesis, and the archive holds every event but the retried failures", async () => {
    const scenario = await loadScenario("mixed");

    const result = await runScenario(scenario, { via: "firehose", messages: 60 });

    const { summary, rows, ledger, problems } = result;
    expect(violations(summary, 3, countStuck(rows, ledger))).toEqual([]);
    expect(summary.outcomes.open).toBe(0);
    expect(summary.outcomes.recovered).toBeGreaterThan(5);
    expect(Math.max(...sendsOfAttempts(result).values())).toBe(1);
    expect(problems).toEqual([]);
    const { received, delivered, dropped, failed } = summary.archive ?? {};
    expect({ received, failed }).toEqual({ received: summary.events.emitted, failed: 0 });
    expect(delivered).toBeGreaterThan(0);
    // Each attempt from 1 on answers one failure, of which there may have been two copies.
    const retries = ledger.sends.filter(({ attempt }) => attempt > 0).length;
    expect(dropped).toBeGreaterThanOrEqual(retries);
    // What is in the archive is what the service wrote, as often as it wrote it.
    const written = new Map(
      ledger.sends.flatMap(({ events }) => events.map(({ id, published }) => [id, published])),
    );
    const kinds: Record<string, string> = {
      "_SMS.BUFFERED": "buffered",
      "_SMS.SUCCESS": "success",
      "_SMS.FAILURE": "failure",
      "_SMS.OPTOUT": "opt-out",
    };
    const found = Map.groupBy(
      eventsOf(result),
      ({ event_type, attributes }) => `${attributes.message_id}:${kinds[event_type]}`,
    );
    for (const [id, published] of written) {
      if (!id.endsWith(":failure")) expect([id, found.get(id)?.length ?? 0]).toEqual([id, published]);
    }
    for (const id of found.keys()) expect(written.has(id)).toBe(true);
  });

  it("DynamoDB goes down in the middle: the archive loses nothing, and every message ends", async () => {
    const scenario = scenarioOf({
      messages: [
        { share: 0.5, outcomes: ["UNREACHABLE", "DELIVERED"] },
        { share: 0.5, outcomes: ["DELIVERED"] },
      ],
    });

    const result = await runScenario(scenario, {
      via: "firehose",
      fault: "dynamodb-down",
      messages: 30,
      rate: 20,
    });

    const { summary, rows, ledger, log } = result;
    expect(violations(summary, 3, countStuck(rows, ledger))).toEqual([]);
    expect(summary.outcomes).toMatchObject({ deliveredAtOnce: 15, recovered: 15, open: 0 });
    expect(Math.max(...sendsOfAttempts(result).values())).toBe(1);
    // The fault was felt, and what it broke came back by the queue.
    expect(log.metrics.get("EventFailed")).toBeGreaterThan(0);
    expect(summary.archive).toMatchObject({ received: summary.events.emitted, failed: 0 });
  });
});

it("DynamoDB goes down in the middle, by way of Kinesis: every message ends", async () => {
  const scenario = scenarioOf({ messages: [{ share: 1, outcomes: ["UNREACHABLE", "DELIVERED"] }] });

  const result = await runScenario(scenario, { fault: "dynamodb-down", messages: 20, rate: 20 });

  expect(violations(result.summary, 3, countStuck(result.rows, result.ledger))).toEqual([]);
  expect(result.summary.outcomes.recovered).toBe(20);
  expect(Math.max(...sendsOfAttempts(result).values())).toBe(1);
  expect(result.log.metrics.get("EventFailed")).toBeGreaterThan(0);
});

it("node local/start.ts --json prints the summary as the only line on stdout, and ends in time", async () => {
  const { code, stdout, stderr } = await new Promise<{ code: number | null; stdout: string; stderr: string }>(
    (resolve) => {
      const child = execFile(
        process.execPath,
        [join(__dirname, "../../local/start.ts"), "--json", "--messages", "10", "--seed", "5"],
        (_error, out, err) => resolve({ code: child.exitCode, stdout: out, stderr: err }),
      );
    },
  );

  expect(JSON.parse(stdout)).toMatchObject({
    messages: 10,
    seed: 5,
    scenario: "mixed",
    outcomes: { open: 0 },
  });
  expect(stdout.trim().split("\n")).toHaveLength(1);
  expect(stderr).toContain("Running");
  expect(code).toBe(0);
});
