/** `sms-retry shadow`: what a deployment in shadow mode would have sent. */
import { type ShadowReport, ShadowTally, shadowText } from "../../cli/shadow/shadow-report.ts";
import { scheduleRetry, shadowRetry } from "../../functions/core/message/message-changes.ts";
import { readMessageItem } from "../../functions/core/message/message-item.ts";
import { type Emulators, startEmulators } from "../../local/emulators/start-emulators.ts";
import { createMessageTable, type MessageTable } from "../support/message-table.ts";
import { sentMessage, startOfTest } from "../support/messages.ts";
import { scriptRunner, signedIn } from "../support/script-run.ts";
import { storeOnModel } from "../support/store-on-model.ts";

const day = 86_400;

/** The item of a message whose retry was counted by the functions themselves. */
async function counted(id: string, outcome: string, parts: number, at = startOfTest) {
  const store = storeOnModel(sentMessage({ application_message_id: id }));
  const stored = () => readMessageItem(store.items.get(id) ?? {});
  const retry = { dueAt: at + 30, deadline: at + day, keptSeconds: 4 * day };
  await store.change(id, scheduleRetry(stored(), { attempt: 0, outcome, at }, retry));
  await store.change(id, shadowRetry(stored(), 1, at + 30, parts));
  return store.items.get(id) ?? {};
}

function reportOf(items: readonly Record<string, unknown>[], pricePerPart?: number): ShadowReport {
  const tally = new ShadowTally({ table: "sms-retry-message-state", maxRetries: 3, pricePerPart });
  tally.add(items, items.length + 5);
  return tally.report();
}

test("retries are counted by the failure, with bounds of what they would have cost", async () => {
  const items = [
    await counted("a", "UNREACHABLE", 1),
    await counted("b", "UNREACHABLE", 3, startOfTest + 2 * day),
    await counted("c", "UNKNOWN", 1),
    sentMessage({ application_message_id: "d" }),
    { application_message_id: "e", retry_count: "twice" },
  ];

  expect(reportOf(items, 0.01)).toEqual({
    table: "sms-retry-message-state",
    scanned: 10,
    counted: { messages: 3, parts: 5 },
    byStatus: { UNREACHABLE: { messages: 2, parts: 4 }, UNKNOWN: { messages: 1, parts: 1 } },
    firstAt: startOfTest + 30,
    lastAt: startOfTest + 2 * day + 30,
    cost: {
      maxRetries: 3,
      leastParts: 5,
      mostParts: 15,
      pricePerPart: 0.01,
      leastUsd: expect.closeTo(0.05),
      mostUsd: expect.closeTo(0.15),
    },
    today: { delivered: 0, unwanted: 0, unknown: 3 },
    unreadable: 1,
  });
});

test("a retry that a late delivery or an opt-out made needless could have recovered nothing", async () => {
  const item = await counted("a", "UNREACHABLE", 1);
  const as = (status: string) => ({ ...item, status });

  const { today } = reportOf(["DELIVERED", "OPTED_OUT", "CANCELLED", "SENT", "EXPIRED"].map(as));

  expect(today).toEqual({ delivered: 1, unwanted: 2, unknown: 2 });
});

test("of a message that had been retried before, only the retries that were left are bounded", async () => {
  const item = await counted("a", "UNREACHABLE", 2);
  const attempts = { 0: { outcome: "UNREACHABLE" }, 2: (item.attempts as Record<string, object>)[0] };

  expect(reportOf([{ ...item, attempts }]).cost).toMatchObject({ leastParts: 2, mostParts: 2 });
});

test("the report for people", async () => {
  const items = [
    await counted("a", "UNREACHABLE", 1),
    await counted("b", "UNREACHABLE", 3),
    { ...(await counted("c", "CARRIER_UNREACHABLE", 1)), status: "DELIVERED" },
    { ...(await counted("d", "UNKNOWN", 1)), status: "OPTED_OUT" },
    { application_message_id: "e", retry_count: "twice" },
  ];

  expect(shadowText(reportOf(items, 0.00881))).toBe(`10 items of sms-retry-message-state were looked at.
1 of them cannot be read and are left out.
Shadow mode counted a retry of 4 messages, 2026-11-23 to 2026-11-23:

  failed with          messages   parts
  UNREACHABLE                 2       4
  CARRIER_UNREACHABLE         1       1
  UNKNOWN                     1       1

The retries would have cost 0.05 USD for 6 message parts, and 0.16 USD at most with up to 3 retries a message.
At most 2 of the 4 messages would have been recovered; nobody knows how many a retry would have reached.
1 were delivered late by the send before: a retry would have come besides.
1 were opted out of or cancelled.
`);
  expect(shadowText(reportOf(items))).toContain(
    "The retries would have had 6 message parts, and 18 at most with up to 3 retries a message; --price says what that costs.",
  );
  expect(shadowText(reportOf([]))).toBe(
    "5 items of sms-retry-message-state were looked at.\n" +
      "No retry was counted: shadow_mode is not on, nothing has failed yet, or the delay of the first retry is not over.\n",
  );
});

describe("on a table", () => {
  const run = scriptRunner("sms-retry.ts", "shadow");
  let emulators: Emulators<"dynamodb">;
  let table: MessageTable;
  beforeAll(async () => {
    emulators = await startEmulators(["dynamodb"]);
    table = await createMessageTable(emulators.endpoints.dynamodb, "p-message-state");
  });
  afterAll(() => emulators.stop());
  const shadow = (...given: string[]) =>
    run({ ...signedIn, AWS_ENDPOINT_URL: emulators.endpoints.dynamodb }, ...given);

  test("it looks at every item, prints nothing of a message, and changes none", async () => {
    for (let n = 0; n < 250; n += 1)
      await table.put(
        n % 5 === 0
          ? await counted(`order-${n}`, "UNREACHABLE", 2)
          : sentMessage({ application_message_id: `order-${n}` }),
      );
    const before = await table.all();

    const { code, stdout, stderr } = await shadow(
      "--table",
      "p-message-state",
      "--price",
      "0.01",
      "--max-retries",
      "2",
      "--json",
    );

    expect([code, stderr]).toEqual([0, ""]);
    expect(JSON.parse(stdout)).toMatchObject({
      scanned: 250,
      counted: { messages: 50, parts: 100 },
      cost: { leastParts: 100, mostParts: 200, leastUsd: 1, mostUsd: 2 },
      today: { delivered: 0, unwanted: 0, unknown: 50 },
    });
    expect(stdout).not.toMatch(/order-|447700900/);
    expect(await table.all()).toEqual(before);
  });

  test("a table that is not there is one sentence", async () => {
    expect(await shadow()).toEqual({
      code: 1,
      stdout: "",
      stderr:
        "There is no table sms-retry-message-state in the region us-east-1; check the name and AWS_REGION.\n",
    });
  });
});
