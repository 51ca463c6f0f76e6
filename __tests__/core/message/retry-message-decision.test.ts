/** What becomes of a retry message: the table in the docs of retry-message-decision.ts, and its edges to the second. */
import { isFinal, type Message, messageStatuses } from "../../../functions/core/message/message.ts";
import { longestBodyCharacters } from "../../../functions/core/message/message-parts.ts";
import { decideRetryMessage } from "../../../functions/core/message/retry-message-decision.ts";
import { sentMessage, startOfTest } from "../../support/messages.ts";
import { cellInWords, combinations, differences, documentedRows } from "../documented-table.ts";

const now = startOfTest;
const attempt = 2;
const tooLong = "x".repeat(longestBodyCharacters + 1);

/** What is known of the attempt, by what the last worker left. */
const records = {
  none: undefined,
  claimed: { claim_id: "claim-1", claimed_at: now - 60 },
  repeated: { claim_id: "claim-2", claimed_at: now - 60, possible_duplicate: true, repeats: 1 },
  "repeated often": { claim_id: "claim-9", claimed_at: now - 60, possible_duplicate: true, repeats: 8 },
  "repeated, then deferred": { possible_duplicate: true, repeats: 0 },
  "claimed as a possible duplicate": { claim_id: "claim-1", claimed_at: now - 60, possible_duplicate: true },
  deferred: {},
  "unknown outcome": { claim_id: "claim-1", claimed_at: now - 60, outcome: "UNCONFIRMED" },
  "to be repeated": { outcome: "UNCONFIRMED", repeats: 1 },
  accepted: { claim_id: "claim-1", claimed_at: now - 60, sent_at: now - 59, message_id: "msg-2" },
} as const;

const everyCombination = combinations({
  item: ["missing", "past expires_at", "there"],
  status: [undefined, ...messageStatuses],
  latest: [1, 2, 3],
  deadline: ["none", "passed", "left"],
  until: ["unknown", "now", "later"],
  record: Object.keys(records) as (keyof typeof records)[],
  guarantee: ["at-least-once", "at-most-once"],
  own: [undefined, "at-least-once", "at-most-once"],
  areRetriesOff: [true, false],
  isShadow: [true, false],
  body: ["short", "too long"],
  times: ["in seconds", "as written"],
});
type Facts = (typeof everyCombination)[number];

/** What the words of the table mean. */
const words: Record<string, (facts: Facts) => boolean> = {
  missing: ({ item }) => item === "missing",
  "past expires_at": ({ item }) => item === "past expires_at",
  "sequence over": ({ status }) => status !== undefined && isFinal(status),
  RETRY_SCHEDULED: ({ status }) => status === "RETRY_SCHEDULED",
  "RETRY_SCHEDULED for another attempt": ({ status, latest }) =>
    status === "RETRY_SCHEDULED" && latest + 1 !== attempt,
  "shadow mode": ({ isShadow }) => isShadow,
  "max_retries is 0": ({ areRetriesOff }) => areRetriesOff,
  "perhaps sent before": ({ record }) => record !== "deferred",
  "deadline passed": ({ deadline }) => deadline === "passed",
  "not due yet": ({ until }) => until === "later",
  due: ({ until }) => until !== "later",
  "SENDING this attempt": ({ status, latest }) => status === "SENDING" && latest === attempt,
  "lease holds": ({ until }) => until === "later",
  "lease over": ({ until }) => until !== "later",
  "deferred by its last worker": ({ record }) =>
    record === "deferred" || record === "repeated, then deferred" || record === "to be repeated",
  "not deferred by its last worker": ({ record }) =>
    record !== "deferred" && record !== "repeated, then deferred" && record !== "to be repeated",
  "at-most-once": ({ guarantee, own }) => (own ?? guarantee) === "at-most-once",
  "repeated before": ({ record }) =>
    record === "repeated" || record === "repeated often" || record === "to be repeated",
  "body too long": ({ body }) => body === "too long",
  "times not in seconds": ({ times }) => times === "as written",
  "SENT this attempt": ({ status, latest }) => (status ?? "SENT") === "SENT" && latest === attempt,
  "nobody knows whether it was sent": ({ record }) =>
    record === "unknown outcome" || record === "to be repeated",
  "anything else": () => true,
};

function itemOf({
  item,
  status,
  latest,
  deadline,
  until,
  record,
  own,
  body,
  times,
}: Facts): Message | undefined {
  if (item === "missing") return undefined;
  const { status: _, deadline: __, ...bare } = sentMessage();
  return {
    ...bare,
    retry_count: latest,
    expires_at: item === "there" ? now + 1 : now,
    ...(status !== undefined && { status }),
    ...(deadline !== "none" && { deadline: deadline === "left" ? now + 1 : now }),
    ...(until !== "unknown" && {
      next_attempt_at: until === "now" ? now : now + 7,
      claim_expires_at: until === "now" ? now : now + 30,
    }),
    ...(own !== undefined && { delivery_guarantee: own }),
    ...(body === "too long" && { message_body: tooLong }),
    ...(times === "as written" && { timesAsWritten: { created_at: now * 1_000 } }),
    attempts: { "0": {}, ...(records[record] !== undefined && { [attempt]: records[record] }) },
  };
}

describe("the table in the docs of retry-message-decision.ts", () => {
  const rows = documentedRows("retry-message-decision.ts").map(([item = "", action = "", reason]) => ({
    item,
    action,
    reason,
    fits: cellInWords(item, words),
  }));
  const rowOf = (facts: Facts) => rows.find(({ fits }) => fits(facts));

  test("is equal to the code for every combination, to the second of a deferral", () => {
    const differing = differences(
      everyCombination,
      (facts) => {
        const { action: text = "", reason } = rowOf(facts) ?? {};
        const [action, , attribute] = text.replaceAll("`", "").split(" ");
        const seconds = /^defer by (\d+) s$/.exec(text)?.[1];
        if (seconds !== undefined) return { action, reason, until: now + Number(seconds) };
        const until = attribute === undefined ? undefined : itemOf(facts)?.[attribute as keyof Message];
        return { action, reason, until };
      },
      (facts) => {
        const { guarantee, areRetriesOff, isShadow } = facts;
        return decideRetryMessage(itemOf(facts), { attempt, now, guarantee, areRetriesOff, isShadow });
      },
    );
    expect(differing.slice(0, 3)).toEqual([]);
  });

  test("has no row that no combination reaches", () => {
    const reached = new Set(everyCombination.map(rowOf));
    expect(rows.flatMap((row) => (reached.has(row) ? [] : [row.item]))).toEqual([]);
  });
});

describe("to the second", () => {
  const scheduled = (changes: Partial<Message> = {}) =>
    sentMessage({ status: "RETRY_SCHEDULED", retry_count: 1, next_attempt_at: now, ...changes });
  const sending = (changes: Partial<Message> = {}) =>
    sentMessage({ status: "SENDING", retry_count: 2, claim_expires_at: now, ...changes });
  const actionAt = (item: Message, at: number, least = 0) =>
    decideRetryMessage(item, { attempt, now: at, guarantee: "at-least-once", leastSecondsLeft: least })
      .action;

  test.each<[string, Message, string, string]>([
    ["an attempt is due", scheduled({ next_attempt_at: now }), "defer", "claim"],
    ["a lease is over", sending({ claim_expires_at: now }), "defer", "claim-again"],
    ["a deadline passes before a claim", scheduled({ next_attempt_at: 0, deadline: now }), "claim", "expire"],
    [
      "a deadline passes after a lease",
      sending({ claim_expires_at: 0, deadline: now }),
      "claim-again",
      "expire",
    ],
    ["an item is gone", scheduled({ next_attempt_at: 0, expires_at: now }), "claim", "drop"],
  ])("%s: a millisecond before, and then", (_what, item, before, then) => {
    expect([now - 0.001, now, now + 1].map((at) => actionAt(item, at))).toEqual([before, then, then]);
  });

  test("less than the service's least time until the deadline is too late, for any claim", () => {
    for (const [item, action] of [
      [scheduled({ deadline: now + 5 }), "claim"],
      [sending({ deadline: now + 5 }), "claim-again"],
    ] as const) {
      expect([actionAt(item, now, 5), actionAt(item, now, 5.001), actionAt(item, now)]).toEqual([
        action,
        "expire",
        action,
      ]);
    }
  });

  test("a message is not expired while another worker may be sending it", () => {
    expect(
      decideRetryMessage(sending({ claim_expires_at: now + 1, deadline: now }), {
        attempt,
        now,
        guarantee: "at-least-once",
      }),
    ).toEqual({
      action: "defer",
      reason: "being-sent",
      until: now + 1,
    });
  });
});

test("the first send is decided as any other attempt", () => {
  const producing = (record: Record<string, unknown>, until = now) =>
    sentMessage({ status: "SENDING", claim_expires_at: until, attempts: { "0": record } });
  const decided = (item: Message) =>
    decideRetryMessage(item, { attempt: 0, now, guarantee: "at-least-once" });

  expect(decided(producing({ claim_id: "a" }, now + 1))).toMatchObject({ action: "defer" });
  expect(decided(producing({ claim_id: "a" }))).toEqual({ action: "claim-again", reason: "lease-over" });
  expect(decided(producing({}))).toEqual({ action: "claim-again", reason: "due" });
  expect(decided(producing({ claim_id: "a", repeats: 1 }))).toMatchObject({ action: "await-receipt" });
  expect(decided(sentMessage())).toEqual({ action: "drop", reason: "already-sent" });
  expect(decided(sentMessage({ status: "RETRY_SCHEDULED", next_attempt_at: now }))).toEqual({
    action: "drop",
    reason: "superseded-attempt",
  });
});
