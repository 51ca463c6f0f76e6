/** How outcomes are counted and shown. */
import { functionLog } from "../../local/lambda/function-log.ts";
import { reportText, rowText, sampleRows } from "../../local/report.ts";
import { sendRateOf, sendRateTable } from "../../local/send-rate.ts";
import { Ledger, type LedgerCall, type LedgerEvent } from "../../local/sms-service/ledger.ts";
import {
  countStuck,
  outcomeOf,
  type StateRow,
  type Summary,
  summarise,
  violations,
} from "../../local/summary.ts";

const event = (kind: LedgerEvent["kind"], published = 1): LedgerEvent => ({
  id: `m:${kind}`,
  kind,
  status: "X",
  copies: Math.max(published, 1),
  published,
});

function send(id: string, attempt: number, ...events: LedgerEvent[]): LedgerCall & { messageId: string } {
  return {
    at: 0,
    parts: 1,
    applicationMessageId: id,
    attempt,
    messageId: `${id}-${attempt}`,
    outcome: "DELIVERED",
    events,
  };
}

const row = (changed: Partial<StateRow>): StateRow => ({
  application_message_id: "m",
  retry_count: 0,
  ...changed,
});

describe("an outcome", () => {
  it.each<[string, Partial<StateRow>, LedgerEvent[], string]>([
    ["SENT with a reported success", { status: "SENT" }, [event("success")], "deliveredAtOnce"],
    ["SENT whose success is not on the stream yet", { status: "SENT" }, [event("success", 0)], "open"],
    ["SENT after a reported failure", { status: "SENT" }, [event("failure")], "open"],
    ["SENT after a retry", { status: "SENT", retry_count: 1 }, [event("success")], "open"],
    ["DELIVERED without a failure", { status: "DELIVERED" }, [event("success")], "deliveredAtOnce"],
    ["DELIVERED after a retry", { status: "DELIVERED", retry_count: 2 }, [event("success")], "recovered"],
    [
      "DELIVERED after a failure, before the retry",
      { status: "DELIVERED" },
      [event("failure"), event("success")],
      "recovered",
    ],
    ["RETRY_SCHEDULED", { status: "RETRY_SCHEDULED" }, [event("failure")], "open"],
    ["EXHAUSTED", { status: "EXHAUSTED" }, [], "exhausted"],
    ["retries-off", { status: "SENT", status_reason: "retries-off" }, [], "retriesOff"],
    ["EXPIRED", { status: "EXPIRED" }, [], "expired"],
    ["REJECTED", { status: "REJECTED" }, [], "rejected"],
    ["OPTED_OUT", { status: "OPTED_OUT" }, [], "optedOut"],
    ["CANCELLED", { status: "CANCELLED" }, [], "cancelled"],
  ])("of a row %s", (_what, changed, events, outcome) => {
    expect(outcomeOf(row(changed), [send("m", 0, ...events)])).toBe(outcome);
  });
});

describe("the send rate", () => {
  const call = (at: number, attempt: number, parts = 1): LedgerCall => ({ at, attempt, parts, events: [] });

  it("counts parts second by second, the application's apart from retries", () => {
    const calls = [
      call(1_500, 0),
      call(1_600, 0, 3),
      call(2_499, 1, 2),
      call(2_500, 1),
      call(4_700, 2),
      call(9_000, 0),
    ];

    expect(sendRateOf(calls, 2)).toEqual({
      cap: 2,
      peakPerSecond: 3,
      peakInShorterTime: 3,
      perSecond: [2, 1, 0, 1],
      applicationPerSecond: [4, 0, 0, 0],
    });
    expect(sendRateOf([], 2)).toMatchObject({
      cap: 2,
      peakPerSecond: 0,
      perSecond: [],
      applicationPerSecond: [],
    });
  });

  it("peaks in any second, wherever it begins, and in the shorter time of a busy machine", () => {
    const calls = [call(1_000, 0), call(1_900, 1), call(2_100, 1), call(2_700, 1, 2)];
    expect(sendRateOf(calls, 2)).toMatchObject({ peakPerSecond: 4, peakInShorterTime: 3 });
  });

  it("counts a message of more parts than the ceiling as no more than it", () => {
    expect(sendRateOf([call(1_000, 1, 11)], 2)).toMatchObject({ peakPerSecond: 2, peakInShorterTime: 2 });
  });

  it("is a table with a line a second", () => {
    expect(sendRateTable(sendRateOf([call(0, 0), call(100, 1, 2), call(1_200, 1)], 2))).toBe(
      [
        "Message parts sent in each second; retries peak at 2, max_sends_per_second is 2",
        "",
        "second  application  retries",
        "     0            1        2  ██",
        "     1            0        1  █",
      ].join("\n"),
    );
  });
});

describe("a summary", () => {
  const ledger = new Ledger();
  ledger.add(send("a", 0, event("buffered"), event("success", 2)));
  ledger.add(send("b", 0, event("failure")));
  ledger.add({ at: 0, parts: 1, applicationMessageId: "b", attempt: 1, answer: "THROTTLED", events: [] });
  ledger.add(send("b", 1, event("success")));
  const log = functionLog();
  log.add(
    '{"_aws":{"CloudWatchMetrics":[{"Metrics":[{"Name":"EventAbsorbed"},{"Name":"RecordMalformed"}]}]},"EventAbsorbed":3,"RecordMalformed":1}',
  );
  const rows = [
    row({ application_message_id: "a", status: "SENT" }),
    row({ application_message_id: "b", status: "DELIVERED", retry_count: 1 }),
  ];
  const run = {
    messages: 2,
    ledger,
    log,
    maxSendsPerSecond: 200,
    durationMs: 5,
    seed: 7,
    scenario: "mixed",
  };
  const summary = summarise({ ...run, rows });

  it("counts sends that were taken, events on the stream, and the functions' metrics", () => {
    expect(summary).toEqual({
      messages: 2,
      sends: 3,
      maxSendsPerMessage: 2,
      outcomes: {
        deliveredAtOnce: 1,
        recovered: 1,
        exhausted: 0,
        retriesOff: 0,
        expired: 0,
        rejected: 0,
        optedOut: 0,
        cancelled: 0,
        open: 0,
      },
      events: { emitted: 5, duplicated: 1, absorbed: 3, orphaned: 0, malformed: 1 },
      sendRate: {
        cap: 200,
        peakPerSecond: 2,
        peakInShorterTime: 2,
        perSecond: [2],
        applicationPerSecond: [2],
      },
      durationMs: 5,
      seed: 7,
      scenario: "mixed",
    });
    expect(violations(summary, 1, countStuck(rows, ledger))).toEqual([]);
  });

  it("counts the sends of a message apart that an operator has resent", () => {
    const resent = rows.map((each) => ({ ...each, attempts: { "0": { resent_at: 5 } } }));
    expect(summarise({ ...run, rows: resent }).maxSendsPerMessage).toBe(0);
  });

  it("shows retries that went faster than they may", () => {
    const fast = { ...summary.sendRate, cap: 6, peakInShorterTime: 7 };

    expect(violations({ ...summary, sendRate: fast }, 1, 0)).toEqual([
      "Retries of 7 parts were sent within 0.75 s; 6 in a second is the most allowed.",
    ]);
  });

  it("shows sums that do not add up and messages that were sent too often", () => {
    const wrong: Summary = { ...summary, messages: 3 };

    expect(violations(wrong, 0, 2)).toEqual([
      "3 messages were produced, but the outcomes add up to 2.",
      "A message was sent 2 times; 1 is the most allowed.",
      "2 messages are still open, though no event was lost.",
    ]);
  });
});

describe("the archive of a summary", () => {
  const ledger = new Ledger();
  ledger.add(send("a", 0, event("buffered"), event("failure")));
  ledger.add(send("a", 1, event("success")));
  const rows = [row({ application_message_id: "a", status: "DELIVERED", retry_count: 1 })];
  const summaryWith = (archive: NonNullable<Summary["archive"]>) =>
    summarise({
      maxSendsPerSecond: 200,
      messages: 1,
      rows,
      ledger,
      log: functionLog(),
      durationMs: 5,
      seed: 7,
      scenario: "mixed",
      archive,
    });

  it("is sound where every record is in the archive or was dropped", () => {
    const summary = summaryWith({ received: 3, delivered: 2, dropped: 1, failed: 0 });

    expect(violations(summary, 3, 0)).toEqual([]);
    expect(summary.archive).toEqual({ received: 3, delivered: 2, dropped: 1, failed: 0 });
    expect(reportText({ summary, rows })).toMatch(
      /records into the delivery stream +3\n {2}delivered to the archive +2\n {2}dropped .* +1\n {2}in processing-failed\/ +0\n/,
    );
  });

  it.each([
    [
      { received: 3, delivered: 1, dropped: 1, failed: 0 },
      ["The delivery stream received 3 records, but archived, dropped and failed ones add up to 2."],
    ],
    [
      { received: 3, delivered: 2, dropped: 0, failed: 1 },
      ["1 of the 3 records are in processing-failed/; none may be."],
    ],
    [
      { received: 2, delivered: 2, dropped: 0, failed: 0 },
      ["3 events were put on the delivery stream, but it received 2."],
    ],
  ])("is not: %j", (archive, sentences) => {
    expect(violations(summaryWith(archive), 3, 0)).toEqual(sentences);
  });
});

it.each<[string, LedgerEvent[], number]>([
  ["whose failure is on the stream is stuck", [event("failure")], 1],
  ["whose event was lost may be open", [{ ...event("failure", 0), copies: 0 }], 0],
])("an open message %s", (_what, events, stuck) => {
  const ledger = new Ledger();
  ledger.add(send("m", 0, ...events));

  expect(countStuck([row({ status: "SENT" })], ledger)).toBe(stuck);
});

describe("the rows that are shown", () => {
  const full = row({
    status: "DELIVERED",
    retry_count: 1,
    created_at: 1_700_000_000,
    destination_number: "+15550001234",
    message_body: "Your code is 123456",
    attempts: { "0": { message_id: "0123456789", outcome: "UNREACHABLE", outcome_at: 1_700_000_003 } },
  });

  it("hide number and body", () => {
    const text = rowText(full);

    expect(text).toContain("destination_number      +1555*******");
    expect(text).toContain("message_body            (19 characters)");
    expect(text).toContain("0: message_id 01234567…, outcome UNREACHABLE, outcome_at +3 s");
    expect(text).not.toMatch(/123456 |0001234/);
  });

  it("are the longest story of up to three statuses", () => {
    const rows = [
      row({ application_message_id: "a", status: "SENT" }),
      row({ application_message_id: "b", status: "DELIVERED", retry_count: 1 }),
      row({ application_message_id: "c", status: "DELIVERED", retry_count: 3 }),
      row({ application_message_id: "d", status: "EXPIRED" }),
      row({ application_message_id: "e", status: "REJECTED" }),
    ];

    expect(sampleRows(rows).map(({ application_message_id: id }) => id)).toEqual(["c", "d", "e"]);
  });

  it("are three also where all messages have the same status", () => {
    const rows = ["a", "b", "c", "d"].map((id) => row({ application_message_id: id, status: "SENT" }));

    expect(sampleRows(rows).map(({ application_message_id: id }) => id)).toEqual(["a", "b", "c"]);
  });

  it("stand under the table", () => {
    const ledger = new Ledger();
    const summary = summarise({
      maxSendsPerSecond: 200,
      messages: 1,
      rows: [full],
      ledger,
      log: functionLog(),
      durationMs: 1_500,
      seed: 1,
      scenario: "mixed",
    });
    const text = reportText({ summary, rows: [full] });

    expect(text).toMatch(/recovered by a retry +1 +100\.0 %/);
    expect(text).toMatch(/duration +1\.5 s/);
    expect(text.indexOf("A row of the state table")).toBeGreaterThan(text.indexOf("duration"));
  });
});
