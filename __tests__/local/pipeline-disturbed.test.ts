/** The whole pipeline by way of Kinesis, while something goes wrong. Needs `npm run bundle`. */
import { countStuck, violations } from "../../local/summary.ts";
import { pipeline, scenarioOf, sendsOfAttempts } from "../support/pipeline.ts";

jest.setTimeout(120_000);

const runScenario = pipeline();

it("every event twice, late and in disorder: one send for each attempt all the same", async () => {
  const scenario = scenarioOf({
    messages: [{ share: 1, outcomes: ["UNREACHABLE", "UNKNOWN", "DELIVERED"] }],
    events: { doubled: 1, delayed: 0.3, delay_seconds: [0, 1], reordered: 0.5 },
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

  const result = await runScenario(scenario, { messages: 4 });

  expect(result.summary.outcomes).toMatchObject({ deliveredAtOnce: 2, recovered: 2 });
  expect(Math.max(...sendsOfAttempts(result).values())).toBe(1);
});

it("DynamoDB goes down in the middle, by way of Kinesis: every message ends", async () => {
  const scenario = scenarioOf({ messages: [{ share: 1, outcomes: ["UNREACHABLE", "DELIVERED"] }] });

  const result = await runScenario(scenario, { fault: "dynamodb-down", messages: 20, rate: 20 });

  expect(violations(result.summary, 3, countStuck(result.rows, result.ledger))).toEqual([]);
  expect(result.summary.outcomes.recovered).toBe(20);
  expect(Math.max(...sendsOfAttempts(result).values())).toBe(1);
  expect(result.log.metrics.get("EventFailed")).toBeGreaterThan(0);
});

it("a run that is interrupted ends at once, and what that cuts off is no problem", async () => {
  const scenario = scenarioOf({ messages: [{ share: 1, outcomes: ["UNREACHABLE", "DELIVERED"] }] });
  const interruption = new AbortController();
  const problems: string[] = [];

  const running = runScenario(scenario, {
    messages: 200,
    rate: 200,
    signal: interruption.signal,
    onProgress: ({ over }) => {
      if (over > 0) interruption.abort();
    },
    onProblem: (problem) => problems.push(problem),
  });

  await expect(running).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
  expect(problems).toEqual([]);
});
