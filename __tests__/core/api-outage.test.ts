/** What an outage of the SMS API does to the retries that are due while it lasts, and the table of it in the docs. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { DeliveryGuarantee } from "../../functions/core/message/message.ts";
import { seededChance } from "../../local/seeded-chance.ts";
import { fleet } from "../../simulation/fleet.ts";
import { failureEvent, retryPolicy, sentMessage, startOfTest } from "../support/messages.ts";

const messages = 1_000;
const outages = [30, 60, 120, 300, 900];

/** What came of the retries of {@link messages} messages. */
interface Result {
  /** The service took a retry. */
  readonly sent: number;
  /** Ended without one, because the answer to its own call was lost. */
  readonly noReceipt: number;
  /** Neither of the two: lost without a word. */
  readonly neverSent: number;
  /** Of those that were sent, marked as possible duplicates. */
  readonly marked: number;
}

/** The worst outage: no call is taken, every answer leaves that open, and so no event ever comes. */
async function outageOf(seconds: number, guarantee: DeliveryGuarantee): Promise<Result> {
  const chance = seededChance(seconds, guarantee);
  const endsAt = startOfTest + seconds;
  const { run, handle, items, isEmpty } = fleet({
    startsAt: startOfTest,
    policy: retryPolicy({ retryDelaysSeconds: [0, 300, 900] }),
    guarantee,
    maxSendsPerSecond: 10,
    workers: 2,
    batchSize: 10,
    chance,
    refusal: (now) =>
      now < endsAt ? { kind: "unconfirmed", reason: "InternalServerErrorException" } : undefined,
    carrier: () => undefined,
  });
  // Their retries fall due one after the other, all over the outage.
  const dueBefore = (second: number): number => Math.floor((messages * second) / seconds);
  await run(seconds, async (second) => {
    for (let number = dueBefore(second); number < dueBefore(second + 1); number += 1) {
      const id = `m-${number}`;
      items.set(id, sentMessage({ application_message_id: id }));
      await handle(failureEvent({ applicationMessageId: id, occurredAt: startOfTest + second }));
    }
  });

  expect(isEmpty()).toBe(true);
  expect(items.size).toBe(messages);
  const rows = [...items.values()];
  const sent = rows.filter(({ status, retry_count = 0 }) => status === "SENT" && retry_count > 0);
  const taken = sent.filter(({ pinpoint_message_id }) => pinpoint_message_id?.startsWith("sms-"));
  const noReceipt = rows.filter(
    ({ status, status_reason }) => status === "EXHAUSTED" && status_reason === "NO_RECEIPT",
  );
  const marked = taken.filter(({ attempts = {} }) =>
    Object.values(attempts).some(({ possible_duplicate }) => possible_duplicate === true),
  );
  return {
    sent: taken.length,
    noReceipt: noReceipt.length,
    neverSent: messages - taken.length - noReceipt.length,
    marked: marked.length,
  };
}

const page = readFileSync(join(__dirname, "../../docs/protocol.md"), "utf8");
/** The table of outages in the docs: its two lines of heading, and a row for each outage. */
const [, table = ""] = /<!-- BEGIN api-outage -->\n([\s\S]*)\n<!-- END api-outage -->/.exec(page) ?? [];

test("the table of outages in docs/protocol.md has a row for each of them", () => {
  const [heading, line, ...rows] = table.split("\n");

  expect([heading, line]).toEqual([
    "| outage | at-least-once: sent | of them marked | never sent | at-most-once: sent | ended as `NO_RECEIPT` | never sent without a reason |",
    "|---|---|---|---|---|---|---|",
  ]);
  expect(rows.map((row) => row.split(" ")[1])).toEqual(outages.map(String));
});

test.each(outages.map((seconds, row) => ({ seconds, row })))(
  "fault 58: of 1 000 retries due in an outage of $seconds s none is lost; docs say the rest",
  async ({ seconds, row }) => {
    const least = await outageOf(seconds, "at-least-once");
    const most = await outageOf(seconds, "at-most-once");

    expect(least).toMatchObject({ sent: messages, noReceipt: 0, neverSent: 0 });
    expect(most).toMatchObject({ neverSent: 0, marked: 0 });
    expect(most.sent + most.noReceipt).toBe(messages);
    expect(table.split("\n")[row + 2]).toBe(
      `| ${seconds} s | ${least.sent} | ${least.marked} | ${least.neverSent} | ${most.sent} | ${most.noReceipt} | ${most.neverSent} |`,
    );
  },
);
