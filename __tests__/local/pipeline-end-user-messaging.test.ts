/** The whole pipeline by End User Messaging. Needs `npm run bundle`. */
import { loadScenario } from "../../local/sms-service/scenario.ts";
import { countStuck, violations } from "../../local/summary.ts";
import { outcomesByScript, outcomesOf, pipeline, scenarioOf, sendsOfAttempts } from "../support/pipeline.ts";

jest.setTimeout(120_000);

const runScenario = pipeline();

// What Pinpoint makes of the same scenario and seed is compared with the same scripts in pipeline.test.ts.
it("ends every message of the mixed scenario in the state that its script leads to", async () => {
  const scenario = await loadScenario("mixed");

  const result = await runScenario(scenario, { service: "end-user-messaging", via: "sns", messages: 100 });

  const { summary, rows, ledger, problems } = result;
  expect(outcomesOf(result)).toEqual(outcomesByScript(scenario, 100));
  expect(violations(summary, 3, countStuck(rows, ledger))).toEqual([]);
  expect(Math.max(...sendsOfAttempts(result).values())).toBe(1);
  expect(summary.events).toMatchObject({ orphaned: 0, malformed: 0 });
  expect(problems).toEqual([]);
  expect(new Set(rows.map(({ sms_service }) => sms_service))).toEqual(new Set(["end-user-messaging"]));
});

it("by way of Firehose the archive holds every event but the retried failures", async () => {
  const scenario = scenarioOf({
    messages: [
      { share: 0.5, outcomes: ["UNREACHABLE", "DELIVERED"] },
      { share: 0.5, outcomes: ["DELIVERED"] },
    ],
  });

  const { summary, rows, ledger } = await runScenario(scenario, {
    service: "end-user-messaging",
    via: "firehose",
    messages: 20,
  });

  expect(violations(summary, 3, countStuck(rows, ledger))).toEqual([]);
  expect(summary.outcomes).toMatchObject({ deliveredAtOnce: 10, recovered: 10, open: 0 });
  expect(summary.archive).toMatchObject({ received: summary.events.emitted, dropped: 10, failed: 0 });
});
