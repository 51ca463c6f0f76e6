/**
 * The whole pipeline: real bundles on emulators, as `npm start` runs them. Needs `npm run bundle`.
 *
 * Slow, so there are few of them: one for each promise that only the whole can break. Others are in
 * `pipeline-disturbed`, `pipeline-firehose` and `pipeline-end-user-messaging.test.ts`, so that they run side by side.
 */
import { scriptedMessages } from "../../local/produce-messages.ts";
import { loadScenario, type Scenario } from "../../local/sms-service/scenario.ts";
import { countStuck, violations } from "../../local/summary.ts";
import {
  outcomesByScript,
  outcomesOf,
  type PipelineRun,
  pipeline,
  scenarioOf,
  sendsOfAttempts,
} from "../support/pipeline.ts";

jest.setTimeout(120_000);

const runScenario = pipeline();

describe("the mixed scenario", () => {
  let result: PipelineRun;
  let scenario: Scenario;

  beforeAll(async () => {
    scenario = await loadScenario("mixed");
    result = await runScenario(scenario, { messages: 100 });
  });

  it("ends every message in the state that its script leads to", () => {
    expect(outcomesOf(result)).toEqual(outcomesByScript(scenario, 100));
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

it.each([0, 1])("max_retries %i allows exactly that many retries", async (maxRetries) => {
  const scenario = scenarioOf({ messages: [{ share: 1, outcomes: ["UNREACHABLE"] }] });

  const { summary } = await runScenario(scenario, { messages: 10, maxRetries });

  expect(summary.outcomes[maxRetries === 0 ? "retriesOff" : "exhausted"]).toBe(10);
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

it("fault 31: after a carrier's outage retries keep to the rate, the useless expire unsent", async () => {
  const scenario = await loadScenario("outage");
  // The same story in less time: half of the outage, and of use for a third of the time.
  const { summary, rows, ledger } = await runScenario(
    {
      ...scenario,
      outages: [{ from_seconds: 0, until_seconds: 1.5, outcome: "CARRIER_UNREACHABLE" }],
      settings: { ...scenario.settings, message_validity_seconds: 6 },
    },
    { messages: 120, rate: 100 },
  );

  const { cap, peakInShorterTime } = summary.sendRate;
  expect(cap).toBe(6);
  expect(peakInShorterTime).toBeLessThanOrEqual(cap);
  // How many fail depends on how fast this machine produces: it is a time that the carrier is down for.
  const { recovered, expired, exhausted, deliveredAtOnce } = summary.outcomes;
  expect(recovered + expired).toBeGreaterThan(0);
  expect(recovered + expired + exhausted + deliveredAtOnce).toBe(120);
  // The rule is about the moment of the claim and of the call, by the worker's clock; the service sees the call when it
  // arrives, a connection later.
  const claimedLate = rows.filter(({ deadline, attempts }) =>
    Object.values((attempts ?? {}) as Record<string, { readonly claimed_at?: number }>).some(
      ({ claimed_at = 0 }) => claimed_at >= Number(deadline),
    ),
  );
  expect(claimedLate).toEqual([]);
  const transitSeconds = 1;
  const deadlines = new Map(rows.map((row) => [row.application_message_id, Number(row.deadline)]));
  const late = ledger.calls.filter(
    ({ at, applicationMessageId = "" }) =>
      at / 1_000 - transitSeconds >= (deadlines.get(applicationMessageId) ?? 0),
  );
  expect(late).toEqual([]);
  expect(violations(summary, 3, countStuck(rows, ledger))).toEqual([]);
});
