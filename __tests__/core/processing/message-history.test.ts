/**
 * What is told of a message: the rows that are read out of its item are those by which it was really decided, and the
 * sentences say what happened.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { withdrawMessage } from "../../../functions/core/message/cancel-message.ts";
import type { Message } from "../../../functions/core/message/message.ts";
import { longestBodyCharacters } from "../../../functions/core/message/message-parts.ts";
import { reopenMessage } from "../../../functions/core/message/reopening.ts";
import { isEndOf, rowOfEnd } from "../../../functions/core/processing/decided-row.ts";
import {
  endedAtOf,
  historyOf,
  type MessageHistory,
} from "../../../functions/core/processing/message-history.ts";
import { failureEvent, retryPolicy, sentMessage, startOfTest, successEvent } from "../../support/messages.ts";
import { type World, type WorldOptions, world } from "../../support/world.ts";

const id = "order-4711";

const told = (it: World): MessageHistory =>
  historyOf(it.message(), { now: it.clock.now(), guarantee: "at-least-once" });

/** The rows of a history, as `table: action, reason`, in order. */
const rowsOf = ({ steps }: MessageHistory): string[] =>
  steps.flatMap(({ row }) => (row === undefined ? [] : [`${row.table}: ${row.action}, ${row.reason}`]));

const failureOf = (attempt: number, status = "UNREACHABLE") =>
  failureEvent({ attempt, status, messageId: `msg-${attempt}` });

const { message_body: _, ...bodiless } = sentMessage();
const { deadline: __, created_at: ___, ...ageless } = sentMessage();
const tooLong = "x".repeat(longestBodyCharacters + 1);

interface Case {
  readonly name: string;
  readonly item?: Message;
  readonly options?: WorldOptions;
  /** Ends with what decides; its reason must be that of the last row. */
  readonly happens: (it: World) => Promise<{ readonly reason?: string }>;
  readonly row: string;
}

const byEvents: readonly Case[] = [
  {
    name: "a retryable failure",
    happens: (it) => it.event(failureEvent()),
    row: "event: schedule, retryable-failure",
  },
  {
    name: "a failure that only this deployment retries",
    options: { policy: { retryableStatuses: new Set(["BLOCKED"]) } },
    happens: (it) => it.event(failureOf(0, "BLOCKED")),
    row: "event: schedule, retryable-failure",
  },
  {
    name: "a failure that this deployment does not retry",
    options: { policy: { retryableStatuses: new Set(["UNKNOWN"]) } },
    happens: (it) => it.event(failureEvent()),
    row: "event: reject, permanent-failure",
  },
  {
    name: "a permanent failure",
    happens: (it) => it.event(failureOf(0, "INVALID")),
    row: "event: reject, permanent-failure",
  },
  {
    name: "a status that nobody has listed",
    happens: (it) => it.event(failureOf(0, "MOON_IN_THE_WAY")),
    row: "event: reject, unrecognized-status",
  },
  {
    name: "the failure of the last retry",
    options: { policy: { maxRetries: 1 } },
    async happens(it) {
      await it.event(failureEvent());
      await it.drain();
      return it.event(failureOf(1));
    },
    row: "event: exhaust, retries-exhausted",
  },
  {
    name: "a failure with retries off",
    options: { policy: { maxRetries: 0 } },
    happens: (it) => it.event(failureEvent()),
    row: "event: note-failure, retries-off",
  },
  {
    name: "a failure without a body",
    item: bodiless,
    happens: (it) => it.event(failureEvent()),
    row: "event: reject, nothing-to-send",
  },
  {
    name: "a failure with a body that is too long",
    item: sentMessage({ message_body: tooLong }),
    happens: (it) => it.event(failureEvent()),
    row: "event: reject, body-too-long",
  },
  {
    name: "a failure after the deadline",
    item: sentMessage({ deadline: startOfTest + 1 }),
    happens: (it) => it.event(failureEvent()),
    row: "event: expire, deadline",
  },
  {
    name: "UNKNOWN of a message without an age",
    item: ageless,
    happens: (it) => it.event(failureOf(0, "UNKNOWN")),
    row: "event: expire, age-unknown",
  },
  {
    name: "an opt-out",
    happens: (it) => it.event(failureEvent({ kind: "opt-out", status: "OPTOUT" })),
    row: "event: opt-out, opted-out",
  },
  {
    name: "a delivery at once that is written",
    options: { recordsEveryDelivery: true },
    happens: (it) => it.event(successEvent()),
    row: "event: note-delivery, delivered-at-once",
  },
  {
    name: "a delivery while a retry waits",
    async happens(it) {
      await it.event(failureEvent());
      return it.event(successEvent());
    },
    row: "event: deliver, delivered",
  },
  {
    name: "the delivery of a retry",
    async happens(it) {
      await it.event(failureEvent());
      await it.drain();
      return it.event(successEvent({ attempt: 1, messageId: "msg-1" }));
    },
    row: "event: deliver, delivered",
  },
  {
    name: "the delivery of an earlier attempt while a later one is out",
    async happens(it) {
      await it.event(failureEvent());
      await it.drain();
      it.clock.advance(5);
      return it.event(successEvent());
    },
    row: "event: deliver-marked, late-delivery",
  },
  {
    name: "a delivery after the end",
    async happens(it) {
      await it.event(failureOf(0, "INVALID"));
      it.clock.advance(5);
      return it.event(successEvent());
    },
    row: "event: deliver, late-delivery",
  },
];

test.each(byEvents)(
  "$name is told with the row by which it was decided",
  async ({ item, options, happens, row }) => {
    const it = world([item ?? sentMessage()], options);

    const { reason } = await happens(it);

    expect(row).toMatch(new RegExp(`, ${reason}$`));
    expect(rowsOf(told(it)).at(-1)).toBe(row);
  },
);

const byQueue: readonly Omit<Case, "happens">[] = [
  {
    name: "a refusal of the service",
    options: { answers: [{ kind: "refused", reason: "PERMANENT_FAILURE", optedOut: false }] },
    row: "send: reject, PERMANENT_FAILURE",
  },
  {
    name: "an opt-out as the answer",
    options: { answers: [{ kind: "refused", reason: "OPT_OUT", optedOut: true }] },
    row: "send: opt-out, OPT_OUT",
  },
  {
    name: "a retry that is only counted",
    options: { isShadow: true },
    row: "retry-message: shadow, shadow-mode",
  },
  {
    name: "an at-most-once send without an answer",
    options: { guarantee: "at-most-once", answers: [{ kind: "unconfirmed", reason: "time-out" }] },
    row: "receipt-check: exhaust, NO_RECEIPT",
  },
  {
    name: "a deadline that comes while the service takes nothing",
    item: sentMessage({ deadline: startOfTest + 300 }),
    options: {
      answers: Array.from({ length: 60 }, () => ({ kind: "deferred", reason: "throttled" }) as const),
    },
    row: "retry-message: expire, deadline",
  },
];

test.each(byQueue)("$name is told with the row by which it was decided", async ({ item, options, row }) => {
  const it = world([item ?? sentMessage()], options);
  await it.event(failureEvent());
  await it.drain();

  expect(rowsOf(told(it)).at(-1)).toBe(row);
});

test("a whole history is told in order, with what comes next, and without body and number", async () => {
  const it = world([sentMessage()]);
  await it.event(failureEvent());
  await it.drain();
  it.clock.advance(5);
  await it.event(failureOf(1));

  const history = told(it);

  expect(history.steps.map(({ at = 0, attempt, text }) => [at - startOfTest, attempt, text])).toEqual([
    [0, undefined, "The message was created."],
    [0, 0, "A worker claimed attempt 0."],
    [0, 0, "The service took attempt 0 as msg-0."],
    [10, 0, "Attempt 0 failed: UNREACHABLE (the handset is off or out of reach); a retry was scheduled."],
    [70, 1, "A worker claimed attempt 1."],
    [70, 1, "The service took attempt 1 as msg-1, from +447700900999."],
    [75, 1, "Attempt 1 failed: UNREACHABLE (the handset is off or out of reach); a retry was scheduled."],
  ]);
  expect(rowsOf(history)).toEqual([
    "event: schedule, retryable-failure",
    "retry-message: claim, due",
    "event: schedule, retryable-failure",
  ]);
  expect(history).toMatchObject({ status: "RETRY_SCHEDULED", retry_count: 1, is_over: false });
  expect(history.next).toEqual({
    at: startOfTest + 375,
    text: "Attempt 2 is due then.",
    row: { table: "retry-message", action: "defer", reason: "not-due" },
  });
  expect(JSON.stringify(history)).not.toMatch(/447700900123|493817/);
});

test("a resend and a cancellation are told with their reasons", async () => {
  const it = world([sentMessage()], { policy: { maxRetries: 0 } });
  await it.event(failureEvent());
  expect(told(it)).toMatchObject({
    is_over: true,
    next: { text: expect.stringMatching(/^Nothing, unless/) },
  });
  const dependencies = { store: it.store, clock: it.clock, policy: retryPolicy() };
  await reopenMessage({ id, reason: "retries are on again" }, dependencies);
  it.clock.advance(5);
  await withdrawMessage(id, dependencies, "a wrong text");

  const history = told(it);

  expect(history.steps.slice(-2).map(({ kind, text }) => [kind, text])).toEqual([
    ["resent", "An operator began a new retry sequence: retries are on again."],
    [
      "ended",
      "The message ended as CANCELLED, it was withdrawn (cancelled). An operator cancelled it: a wrong text.",
    ],
  ]);
  expect(history).toMatchObject({
    is_over: true,
    ended_at: Math.floor(it.clock.now()),
    next: { text: "Nothing." },
  });
});

const bare = { application_message_id: id } as const;
const failed = { outcome: "UNREACHABLE", outcome_at: 10, retry_scheduled_at: 10 } as const;
const offAndOut = "UNREACHABLE (the handset is off or out of reach)";

/** Items, and their steps as `time kind: text [row]`. */
const shapes: readonly (readonly [name: string, item: Message, steps: readonly string[]])[] = [
  [
    "claims that are repeated, and what nobody knows",
    {
      ...bare,
      status: "SENT",
      status_reason: "outcome-unknown",
      retry_count: 1,
      attempts: {
        "0": failed,
        "1": {
          claim_id: "c",
          claimed_at: 80,
          repeats: 2,
          possible_duplicate: true,
          outcome: "UNCONFIRMED",
          outcome_at: 140,
        },
      },
    },
    [
      `10 outcome: Attempt 0 failed: ${offAndOut}; a retry was scheduled. [event: schedule, retryable-failure]`,
      "80 claimed: Attempt 1 was claimed once more (2 so far), as a possible duplicate. [retry-message: claim-again, lease-over]",
      "140 outcome: Nobody knows whether attempt 1 was sent: its answer was lost, or its worker died. [retry-message: await-receipt, outcome-unknown]",
    ],
  ],
  [
    "no receipt, and the retry that follows it",
    {
      ...bare,
      status: "SENDING",
      retry_count: 1,
      attempts: {
        "1": { claim_id: "c", claimed_at: 70, possible_duplicate: true },
        "0": { sent_at: 5, outcome: "NO_RECEIPT", outcome_at: 65, retry_scheduled_at: 65 },
      },
    },
    [
      "5 accepted: The service took attempt 0 as an unknown id.",
      "65 outcome: No delivery event of attempt 0 came in time; a retry was scheduled. [receipt-check: schedule, NO_RECEIPT]",
      "70 claimed: A worker claimed attempt 1, as a possible duplicate. [retry-message: claim, due]",
    ],
  ],
  [
    "no receipt with retries off",
    { ...bare, status_reason: "retries-off", attempts: { "0": { outcome: "NO_RECEIPT", outcome_at: 65 } } },
    [
      "65 outcome: No delivery event of attempt 0 came in time. [receipt-check: note, retries-off]",
      "- not-retried: The failure is not retried: the deployment has max_retries = 0.",
    ],
  ],
  ...(
    [
      ["EXPIRED", "NO_RECEIPT", "expire, NO_RECEIPT", "its time was over"],
      ["EXHAUSTED", "NO_RECEIPT", "exhaust, NO_RECEIPT", "no retry is left"],
      ["REJECTED", "nothing-to-send", "reject, nothing-to-send", "it cannot be sent"],
    ] as const
  ).map(
    ([status, status_reason, row, why]) =>
      [
        `no receipt that ends in ${status}`,
        {
          ...bare,
          status,
          status_reason,
          ended_at: 65,
          attempts: { "0": { outcome: "NO_RECEIPT", outcome_at: 65 } },
        },
        [
          "65 outcome: No delivery event of attempt 0 came in time.",
          `65 ended: The message ended as ${status}, ${why} (${status_reason}). [receipt-check: ${row}]`,
        ],
      ] as const,
  ),
  [
    "a failure of an earlier attempt that only this deployment noted nothing of",
    {
      ...bare,
      status_reason: "retries-off",
      retry_count: 1,
      attempts: { "0": { outcome: "UNKNOWN", outcome_at: 9 }, "1": { outcome: "BLOCKED", outcome_at: 90 } },
    },
    [
      "9 outcome: Attempt 0 failed: UNKNOWN (an error that nobody explains; also no word from the carrier for 72 hours).",
      "90 outcome: Attempt 1 failed: BLOCKED (the handset blocks SMS). [event: note-failure, retries-off]",
      "- not-retried: The failure is not retried: the deployment has max_retries = 0.",
    ],
  ],
  [
    "a retry that was only counted",
    { ...bare, status_reason: "shadow-mode", attempts: { "0": { ...failed, shadowed_at: 70 } } },
    [
      `10 outcome: Attempt 0 failed: ${offAndOut}; a retry was scheduled. [event: schedule, retryable-failure]`,
      "70 shadowed: Retry 1 was counted and not sent: shadow mode. [retry-message: shadow, shadow-mode]",
    ],
  ],
  [
    "a refusal of the service, of an item that does not say when it ended",
    {
      ...bare,
      status: "REJECTED",
      status_reason: "DUPLICATE",
      retry_count: 1,
      attempts: { "0": failed, "1": { claim_id: "c", outcome: "DUPLICATE", outcome_at: 71 } },
    },
    [
      `10 outcome: Attempt 0 failed: ${offAndOut}; a retry was scheduled. [event: schedule, retryable-failure]`,
      "71 outcome: The service refused attempt 1: DUPLICATE.",
      "71 ended: The message ended as REJECTED, it cannot be sent (DUPLICATE). [send: reject, DUPLICATE]",
    ],
  ],
  [
    "a status that nobody has listed, by an event",
    {
      ...bare,
      status: "REJECTED",
      ended_at: 8,
      attempts: { "0": { claim_id: "c", message_id: "m", outcome: "ODD", outcome_at: 8 } },
    },
    [
      "8 outcome: Attempt 0 failed: ODD.",
      "8 ended: The message ended as REJECTED, it cannot be sent (no reason given). [event: reject, unrecognized-status]",
    ],
  ],
  [
    "a late delivery, told after what came before it",
    {
      ...bare,
      status: "DELIVERED",
      status_reason: "DELIVERED",
      corrected_from: "EXHAUSTED",
      retry_count: 1,
      created_at: 1,
      ended_at: 99,
      attempts: {
        "0": { outcome: "DELIVERED", outcome_at: 99, retry_scheduled_at: 10 },
        "1": { claim_id: "c", claimed_at: 70, message_id: "m", outcome: "UNREACHABLE", outcome_at: 80 },
      },
    },
    [
      "1 created: The message was created.",
      "70 claimed: A worker claimed attempt 1. [retry-message: claim, due]",
      `80 outcome: Attempt 1 failed: ${offAndOut}.`,
      "99 outcome: Attempt 0 was delivered: DELIVERED (delivered to the handset).",
      "99 ended: The message ended as DELIVERED, it was delivered (DELIVERED). It had ended as EXHAUSTED before. [event: deliver, late-delivery]",
    ],
  ],
  ...(
    [
      ["body-too-long", "retry-message: reject, body-too-long"],
      ["nothing-to-send", "send: reject, nothing-to-send"],
    ] as const
  ).map(
    ([status_reason, row]) =>
      [
        `an end by ${status_reason} when the retry was due`,
        { ...bare, status: "REJECTED", status_reason, ended_at: 70, attempts: { "0": failed } },
        [
          `10 outcome: Attempt 0 failed: ${offAndOut}; a retry was scheduled. [event: schedule, retryable-failure]`,
          `70 ended: The message ended as REJECTED, it cannot be sent (${status_reason}). [${row}]`,
        ],
      ] as const,
  ),
  [
    "a cancellation by the application's own write",
    { ...bare, status: "CANCELLED", status_reason: "cancelled" },
    ["- ended: The message ended as CANCELLED, it was withdrawn (cancelled)."],
  ],
  [
    "a resend without a reason",
    { ...bare, status: "RETRY_SCHEDULED", attempts: { "0": { resent_at: 7 } } },
    ["7 resent: An operator began a new retry sequence: no reason given."],
  ],
];

test.each(shapes)("the steps of an item with %s", (_name, item, steps) => {
  const history = historyOf(item, { now: 200, guarantee: "at-least-once" });

  expect(
    history.steps.map(({ at = "-", kind, text, row }) =>
      [
        `${at} ${kind}: ${text}`,
        ...(row === undefined ? [] : [`[${row.table}: ${row.action}, ${row.reason}]`]),
      ].join(" "),
    ),
  ).toEqual(steps);
  // What is not known is absent, and not undefined: an answer of DynamoDB's or Lambda's has no such thing.
  expect(history).toStrictEqual(JSON.parse(JSON.stringify(history)));
});

const scheduled = sentMessage({ status: "RETRY_SCHEDULED", next_attempt_at: startOfTest + 60 });
const sending = sentMessage({ status: "SENDING", retry_count: 1, claim_expires_at: startOfTest + 60 });
const unconfirmed = { "0": { claim_id: "c", outcome: "UNCONFIRMED", outcome_at: startOfTest } };

test.each<[string, Message, number, RegExp]>([
  ["a retry that waits", scheduled, 59, /^Attempt 1 is due then\.$/],
  ["a retry that is due", scheduled, 60, /^Attempt 1 is due: /],
  ["a retry past its deadline", { ...scheduled, deadline: startOfTest + 60 }, 60, /^Its deadline has passed/],
  ["a retry that is too long", { ...scheduled, message_body: tooLong }, 60, /^Its body is too long/],
  ["a send under way", sending, 59, /^Attempt 1 is being sent/],
  [
    "a send whose lease is over",
    { ...sending, attempts: { "1": { claim_id: "c" } } },
    60,
    /^The lease of attempt 1/,
  ],
  ["a deferred send", { ...sending, attempts: { "1": {} } }, 60, /^Attempt 1 is tried again/],
  ["an unknown outcome", sentMessage({ attempts: unconfirmed }), 60, /^A receipt check looks/],
  ["a sent message", sentMessage(), 60, /^The delivery event of attempt 0\./],
  ["an ended message", sentMessage({ status: "EXPIRED" }), 60, /^Nothing, unless a late delivery/],
  ["an opted-out message", sentMessage({ status: "OPTED_OUT" }), 60, /^Nothing\.$/],
  ["an item that is to go", sentMessage({ expires_at: startOfTest }), 60, /^Nothing: its item is past/],
])("what comes next of %s", (_name, message, seconds, text) => {
  const { next } = historyOf(message, { now: startOfTest + seconds, guarantee: "at-least-once" });
  expect(next.text).toMatch(text);
});

test("an end whose time the item does not say has that of its last outcome, or none", () => {
  const attempts = { "0": { outcome: "INVALID", outcome_at: startOfTest + 7 } };
  expect(endedAtOf(sentMessage({ status: "REJECTED", attempts }))).toBe(startOfTest + 7);
  expect(endedAtOf(sentMessage({ status: "CANCELLED" }))).toBeUndefined();
  expect(endedAtOf(sentMessage({ attempts }))).toBeUndefined();
  expect(endedAtOf({ application_message_id: "a", status: "CANCELLED" })).toBeUndefined();
});

test("the contract's example is what is told", () => {
  const page = readFileSync(join(import.meta.dirname, "../../../docs/application-contract.md"), "utf8");
  const [, example = ""] = /```json\n(.*?)```/s.exec(page) ?? [];
  const item: Message = {
    application_message_id: id,
    status: "RETRY_SCHEDULED",
    status_reason: "UNREACHABLE",
    retry_count: 0,
    created_at: startOfTest,
    deadline: startOfTest + 3_600,
    next_attempt_at: startOfTest + 65,
    expires_at: startOfTest + 349_200,
    attempts: {
      "0": { outcome: "UNREACHABLE", outcome_at: startOfTest + 10, retry_scheduled_at: startOfTest + 10 },
    },
  };
  expect(JSON.parse(example)).toEqual(historyOf(item, { now: startOfTest + 20, guarantee: "at-least-once" }));
});

test("the bare item of an application has a history that says what there is", () => {
  const item = { application_message_id: "a", message_body: "Hello." };
  expect(historyOf(item, { now: startOfTest, guarantee: "at-least-once" })).toEqual({
    application_message_id: "a",
    status: "SENT",
    retry_count: 0,
    is_over: false,
    steps: [],
    next: { text: expect.stringMatching(/^The delivery event of attempt 0\./) },
  });
});

test("a failure whose event came before the send's record is a failure, not a refusal", () => {
  const attempts = { "1": { claim_id: "c", claimed_at: 5, outcome: "UNREACHABLE", outcome_at: 10 } };
  const { steps } = historyOf(
    { ...bare, status: "RETRY_SCHEDULED", retry_count: 1, attempts },
    { now: 20, guarantee: "at-least-once" },
  );
  expect(steps.at(-1)?.text).toBe(`Attempt 1 failed: ${offAndOut}.`);
});

test("a message whose retry is scheduled goes on, whatever reason an earlier state has left", () => {
  const message = { ...scheduled, status_reason: "retries-off" };
  expect(historyOf(message, { now: startOfTest, guarantee: "at-least-once" }).is_over).toBe(false);
});

describe("what ended a message", () => {
  const outcome = { outcome: "UNREACHABLE", outcome_at: 10 };
  const ended = { ...bare, status: "EXHAUSTED" as const, retry_count: 1, attempts: { "1": outcome } };

  test("is its latest attempt's outcome, where the item does not say when it ended", () => {
    expect(isEndOf(ended, 1, outcome)).toBe(true);
    expect(isEndOf(ended, 0, outcome)).toBe(false);
  });

  test("is no attempt without an outcome", () => {
    expect(isEndOf(ended, 1, {})).toBe(false);
    expect(isEndOf({ ...ended, ended_at: 10 }, 1, {})).toBe(false);
  });

  test("is that there was nothing to send, where no reason is written", () => {
    expect(rowOfEnd({ ...bare, status: "REJECTED" })).toEqual({
      table: "send",
      action: "reject",
      reason: "nothing-to-send",
    });
  });
});
