/** The whole pipeline by way of Firehose. Needs `npm run bundle`. */
import type { RunResult } from "../../local/run.ts";
import { loadScenario } from "../../local/sms-service/scenario.ts";
import { countStuck, violations } from "../../local/summary.ts";
import { pipeline, scenarioOf, sendsOfAttempts } from "../support/pipeline.ts";

jest.setTimeout(120_000);

// An event that failed comes back after half a minute: here as soon as the outage of 8 s is over for certain.
const runScenario = pipeline({ longestDelaySeconds: 8 });

describe("by way of Firehose", () => {
  const eventsOf = ({ archived }: RunResult) =>
    (archived?.delivered ?? []) as { event_type: string; attributes: Record<string, string> }[];

  it("a run ends as by Kinesis, and the archive holds every event but the retried failures", async () => {
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
