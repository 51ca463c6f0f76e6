/**
 * What every message store must do, whatever is behind it. Run it against each:
 *
 *     messageStoreContract("the table in DynamoDB", async () => ({ store, put, get }));
 */
import { UnknownItemStatusError, UnreadableMessageError } from "../../functions/core/errors.ts";
import {
  awaitReceipt,
  claimAgain,
  claimAttempt,
  defer,
  expireUnsent,
  recordSent,
  recordSentLate,
  repeatAttempt,
} from "../../functions/core/message/attempt-changes.ts";
import type { Message } from "../../functions/core/message/message.ts";
import {
  endSequence,
  noteFailure,
  reopen,
  scheduleRetry,
} from "../../functions/core/message/message-changes.ts";
import type { Change, Clause, MessageStore } from "../../functions/core/message/message-store.ts";
import { sentMessage, startOfTest as start } from "../support/messages.ts";

/** A store, and the items behind it to look at and to write past the protocol. */
export interface StoreUnderTest {
  readonly store: MessageStore;
  put(item: Record<string, unknown>): Promise<void>;
  get(id: string): Promise<Record<string, unknown> | undefined>;
}

type Item = Record<string, unknown>;

const sent = { claim_id: "claim-0", claimed_at: start, sent_at: start, message_id: "msg-0" };
const failed = { ...sent, outcome: "UNREACHABLE", outcome_at: start + 5 };
const failure = { attempt: 0, outcome: "UNREACHABLE", at: start + 5.7, messageId: "msg-0" };
const claim = { attempt: 1, claimId: "claim-1", now: start + 70.25, until: start + 131 };
const secondClaim = { ...claim, claimId: "claim-2", now: start + 140.5, until: start + 201 };
const claimedAgain = { claim_id: "claim-2", claimed_at: start + 140, possible_duplicate: true };
const claimed = { claim_id: "claim-1", claimed_at: start + 70 };

/** Items in the positions that the protocol knows. The id is the case's. */
const byTheApplication: Message = { application_message_id: "", message_body: "Your table is ready." };
const scheduled = sentMessage({
  status: "RETRY_SCHEDULED",
  status_reason: "UNREACHABLE",
  next_attempt_at: start + 65,
  attempts: { "0": failed },
});
const sending = sentMessage({
  status: "SENDING",
  retry_count: 1,
  claim_expires_at: start + 131,
  attempts: { "0": failed, "1": claimed },
});
const sendingAgain = sentMessage({
  ...sending,
  attempts: { "0": failed, "1": { ...claimed, possible_duplicate: true, repeats: 1 } },
});
const unheardOf = { ...sent, outcome: "NO_RECEIPT", outcome_at: start + 60, retry_scheduled_at: start + 60 };
const retried = sentMessage({
  retry_count: 1,
  pinpoint_message_id: "msg-1",
  attempts: { "0": unheardOf, "1": { ...claimed, sent_at: start + 71, message_id: "msg-1" } },
});
const unconfirmed = sentMessage({
  status_reason: "outcome-unknown",
  retry_count: 1,
  attempts: { "0": failed, "1": { ...claimed, outcome: "UNCONFIRMED", outcome_at: start + 131, repeats: 1 } },
});
const producing = sentMessage({
  status: "SENDING",
  claim_expires_at: start + 60,
  attempts: { "0": { claim_id: "claim-0", claimed_at: start } },
});
const exhausted = sentMessage({
  status: "EXHAUSTED",
  retry_count: 1,
  all_retries_failed: true,
  attempts: { "0": failed, "1": { message_id: "msg-1", outcome: "UNKNOWN" } },
});

const keptSeconds = 4 * 86_400;
const ending = { at: start + 100.5, keptSeconds };

/** What an operator says of a resend, and what the item keeps of it. */
const reopening = {
  now: start + 500.5,
  reason: "the carrier is back",
  deadline: start + 86_400,
  keptSeconds,
};
const resent = { resent_at: start + 500, resend_reason: "the carrier is back" };
const { message_body: _, ...withoutBody } = sentMessage();
const givenUp: Message = {
  ...withoutBody,
  status: "EXHAUSTED",
  status_reason: "UNREACHABLE",
  all_retries_failed: true,
  retry_count: 1,
  ended_at: start + 400,
  expires_at: start + 400 + keptSeconds,
  attempts: { "0": failed, "1": { ...claimed, outcome: "UNREACHABLE" } },
};
/** What the end of a message does to its data. */
const ended = { message_body: undefined, expires_at: start + 100 + keptSeconds, ended_at: start + 100 };

const deliveredFirst = { attempt: 0, outcome: "DELIVERED", at: start + 90.9 };

interface ChangeCase {
  readonly name: string;
  readonly item: Message;
  readonly change: (item: Message) => Change;
  /** The item afterwards, but for what stays as it was; `undefined` = the attribute is gone. */
  readonly becomes: Item;
}

/** Every change of the protocol, on each shape of item that it meets. */
const cases: readonly ChangeCase[] = [
  {
    name: "scheduleRetry on an item of the application: makes the map and completes the item",
    item: byTheApplication,
    change: (item) =>
      scheduleRetry(item, failure, {
        dueAt: start + 65,
        deadline: start + 86_400,
        keptSeconds,
        destinationNumber: "+447700900123",
        messageType: "TRANSACTIONAL",
        origination: "+447700900999",
        ownContext: { shop: "Berlin Süd", "a.b #c": ":d" },
      }),
    becomes: {
      status: "RETRY_SCHEDULED",
      status_reason: "UNREACHABLE",
      retry_count: 0,
      origination_number: "+447700900999",
      context: { shop: "Berlin Süd", "a.b #c": ":d" },
      next_attempt_at: start + 65,
      deadline: start + 86_400,
      expires_at: start + 86_400 + 4 * 86_400,
      destination_number: "+447700900123",
      message_type: "TRANSACTIONAL",
      attempts: {
        "0": {
          outcome: "UNREACHABLE",
          outcome_at: start + 5,
          message_id: "msg-0",
          retry_scheduled_at: start + 5,
        },
      },
    },
  },
  {
    name: "scheduleRetry on an item of the application, from a sender id",
    item: byTheApplication,
    change: (item) =>
      scheduleRetry(item, failure, {
        dueAt: start + 65,
        deadline: start + 86_400,
        keptSeconds,
        origination: "MYBRAND",
      }),
    becomes: {
      status: "RETRY_SCHEDULED",
      status_reason: "UNREACHABLE",
      retry_count: 0,
      next_attempt_at: start + 65,
      deadline: start + 86_400,
      expires_at: start + 86_400 + 4 * 86_400,
      sender_id: "MYBRAND",
      attempts: {
        "0": {
          outcome: "UNREACHABLE",
          outcome_at: start + 5,
          message_id: "msg-0",
          retry_scheduled_at: start + 5,
        },
      },
    },
  },
  {
    name: "scheduleRetry on a sent message: adds to the attempt's record, keeps what it carries and its deadline",
    item: sentMessage({ context: { shop: "berlin" } }),
    change: (item) =>
      scheduleRetry(item, failure, {
        dueAt: start + 65,
        deadline: start + 1,
        keptSeconds,
        destinationNumber: "+447700900666",
        messageType: "PROMOTIONAL",
        origination: "EVIL",
        ownContext: { shop: "elsewhere" },
      }),
    becomes: {
      status: "RETRY_SCHEDULED",
      status_reason: "UNREACHABLE",
      next_attempt_at: start + 65,
      attempts: { "0": { ...failed, retry_scheduled_at: start + 5 } },
    },
  },
  {
    name: "scheduleRetry on an item with an empty map of attempts: puts a record into it",
    item: sentMessage({ attempts: {} }),
    change: (item) => scheduleRetry(item, failure, { dueAt: start, deadline: start + 86_400, keptSeconds }),
    becomes: {
      status: "RETRY_SCHEDULED",
      status_reason: "UNREACHABLE",
      next_attempt_at: start,
      attempts: {
        "0": {
          outcome: "UNREACHABLE",
          outcome_at: start + 5,
          message_id: "msg-0",
          retry_scheduled_at: start + 5,
        },
      },
    },
  },
  {
    name: "endSequence as exhausted",
    item: sending,
    change: (item) =>
      endSequence(
        item,
        { status: "EXHAUSTED", reason: "UNKNOWN", ...ending },
        { attempt: 1, outcome: "UNKNOWN", at: start },
      ),
    becomes: {
      status: "EXHAUSTED",
      status_reason: "UNKNOWN",
      ...ended,
      all_retries_failed: true,
      claim_expires_at: undefined,
      attempts: { "0": failed, "1": { ...claimed, outcome: "UNKNOWN", outcome_at: start } },
    },
  },
  {
    name: "endSequence corrects an exhausted message to delivered",
    item: exhausted,
    change: (item) =>
      endSequence(
        item,
        { status: "DELIVERED", reason: "DELIVERED", ...ending },
        { attempt: 0, outcome: "DELIVERED", at: start + 9 },
      ),
    becomes: {
      corrected_from: "EXHAUSTED",
      status: "DELIVERED",
      status_reason: "DELIVERED",
      ...ended,
      all_retries_failed: false,
      attempts: {
        "0": { ...failed, outcome: "DELIVERED", outcome_at: start + 9 },
        "1": { message_id: "msg-1", outcome: "UNKNOWN" },
      },
    },
  },
  {
    name: "endSequence by an earlier attempt marks the later one, in one write",
    item: retried,
    change: (item) =>
      endSequence(
        item,
        { status: "DELIVERED", reason: "DELIVERED", ...ending },
        { ...deliveredFirst, marksLatest: true },
      ),
    becomes: {
      status: "DELIVERED",
      status_reason: "DELIVERED",
      ...ended,
      attempts: {
        "0": { ...unheardOf, outcome: "DELIVERED", outcome_at: start + 90 },
        "1": { ...claimed, sent_at: start + 71, message_id: "msg-1", possible_duplicate: true },
      },
    },
  },
  {
    name: "endSequence by an earlier attempt marks a later one that has no record",
    item: sentMessage({ retry_count: 2, attempts: { "0": failed } }),
    change: (item) =>
      endSequence(
        item,
        { status: "DELIVERED", reason: "DELIVERED", ...ending },
        { ...deliveredFirst, marksLatest: true },
      ),
    becomes: {
      status: "DELIVERED",
      status_reason: "DELIVERED",
      ...ended,
      attempts: {
        "0": { ...failed, outcome: "DELIVERED", outcome_at: start + 90 },
        "2": { possible_duplicate: true },
      },
    },
  },
  {
    name: "endSequence by an earlier attempt of an item without records makes the map with both",
    item: { ...byTheApplication, retry_count: 1 },
    change: (item) =>
      endSequence(
        item,
        { status: "DELIVERED", reason: "DELIVERED", ...ending },
        { ...deliveredFirst, marksLatest: true },
      ),
    becomes: {
      status: "DELIVERED",
      status_reason: "DELIVERED",
      ...ended,
      attempts: {
        "0": { outcome: "DELIVERED", outcome_at: start + 90 },
        "1": { possible_duplicate: true },
      },
    },
  },
  {
    name: "endSequence of the latest attempt, marked, writes one record",
    item: retried,
    change: (item) =>
      endSequence(
        item,
        { status: "DELIVERED", reason: "DELIVERED", ...ending },
        { ...deliveredFirst, attempt: 1, marksLatest: true },
      ),
    becomes: {
      status: "DELIVERED",
      status_reason: "DELIVERED",
      ...ended,
      attempts: {
        "0": unheardOf,
        "1": {
          ...claimed,
          sent_at: start + 71,
          message_id: "msg-1",
          outcome: "DELIVERED",
          outcome_at: start + 90,
          possible_duplicate: true,
        },
      },
    },
  },
  {
    name: "noteFailure of a sent message ends nothing",
    item: sentMessage(),
    change: (item) => noteFailure(item, failure, keptSeconds),
    becomes: { status: "SENT", status_reason: "retries-off", attempts: { "0": failed } },
  },
  {
    name: "noteFailure of a first send whose record is still owed takes the claim away",
    item: producing,
    change: (item) => noteFailure(item, failure, keptSeconds),
    becomes: {
      status: "SENT",
      status_reason: "retries-off",
      claim_expires_at: undefined,
      attempts: {
        "0": {
          claim_id: "claim-0",
          claimed_at: start,
          outcome: "UNREACHABLE",
          outcome_at: start + 5,
          message_id: "msg-0",
        },
      },
    },
  },
  {
    name: "noteFailure on an item of the application",
    item: byTheApplication,
    change: (item) => noteFailure(item, failure, keptSeconds),
    becomes: {
      status: "SENT",
      status_reason: "retries-off",
      expires_at: start + 5 + keptSeconds,
      attempts: { "0": { outcome: "UNREACHABLE", outcome_at: start + 5, message_id: "msg-0" } },
    },
  },
  {
    name: "endSequence while a retry waits, without an attempt to note",
    item: scheduled,
    change: (item) => endSequence(item, { status: "CANCELLED", reason: "code-used", ...ending }),
    becomes: { status: "CANCELLED", status_reason: "code-used", ...ended, next_attempt_at: undefined },
  },
  {
    name: "endSequence by an operator keeps the reason",
    item: scheduled,
    change: (item) =>
      endSequence(item, {
        status: "CANCELLED",
        reason: "cancelled",
        cancelledReason: "a wrong text",
        ...ending,
      }),
    becomes: {
      status: "CANCELLED",
      status_reason: "cancelled",
      cancelled_reason: "a wrong text",
      ...ended,
      next_attempt_at: undefined,
    },
  },
  {
    name: "reopen of an ended message, with its body anew",
    item: givenUp,
    change: (item) => reopen(item, { ...reopening, body: "Your code is 493817." }),
    becomes: {
      status: "RETRY_SCHEDULED",
      status_reason: "resent",
      message_body: "Your code is 493817.",
      retry_count: 1,
      next_attempt_at: start + 500,
      expires_at: start + 5 * 86_400,
      ended_at: undefined,
      all_retries_failed: false,
      attempts: { "0": failed, "1": { ...claimed, outcome: "UNREACHABLE", ...resent } },
    },
  },
  {
    name: "reopen of a failure that is not retried keeps the stored body, and makes the map",
    item: { ...byTheApplication, status: "SENT", status_reason: "retries-off", deadline: start + 86_400 },
    change: (item) => reopen(item, reopening),
    becomes: {
      status: "RETRY_SCHEDULED",
      status_reason: "resent",
      retry_count: 0,
      next_attempt_at: start + 500,
      expires_at: start + 86_400 + keptSeconds,
      attempts: { "0": resent },
    },
  },
  {
    name: "endSequence on an item of the application",
    item: byTheApplication,
    change: (item) =>
      endSequence(
        item,
        { status: "REJECTED", reason: "INVALID", ...ending },
        { attempt: 0, outcome: "INVALID", at: start },
      ),
    becomes: {
      status: "REJECTED",
      status_reason: "INVALID",
      ...ended,
      attempts: { "0": { outcome: "INVALID", outcome_at: start } },
    },
  },
  {
    name: "claimAttempt",
    item: scheduled,
    change: () => claimAttempt(claim),
    becomes: {
      status: "SENDING",
      retry_count: 1,
      claim_expires_at: start + 131,
      next_attempt_at: undefined,
      attempts: { "0": failed, "1": claimed },
    },
  },
  {
    name: "claimAttempt on an item without deadline and expiry",
    item: {
      application_message_id: "",
      status: "RETRY_SCHEDULED",
      retry_count: 0,
      next_attempt_at: start,
      attempts: {},
    },
    change: () => claimAttempt(claim),
    becomes: {
      status: "SENDING",
      retry_count: 1,
      claim_expires_at: start + 131,
      next_attempt_at: undefined,
      attempts: { "1": claimed },
    },
  },
  {
    name: "claimAttempt after an attempt without a receipt is a possible duplicate from the claim on",
    item: sentMessage({
      status: "RETRY_SCHEDULED",
      next_attempt_at: start + 60,
      attempts: { "0": unheardOf },
    }),
    change: () => claimAttempt({ ...claim, followsNoReceipt: true }),
    becomes: {
      status: "SENDING",
      retry_count: 1,
      claim_expires_at: start + 131,
      next_attempt_at: undefined,
      attempts: { "0": unheardOf, "1": { ...claimed, possible_duplicate: true } },
    },
  },
  {
    name: "claimAgain of a worker taken for dead counts as a repetition",
    item: sending,
    change: (item) => claimAgain(item, secondClaim),
    becomes: {
      claim_expires_at: start + 201,
      attempts: { "0": failed, "1": { ...claimedAgain, repeats: 1 } },
    },
  },
  {
    name: "claimAgain of what was repeated before",
    item: sendingAgain,
    change: (item) => claimAgain(item, secondClaim),
    becomes: {
      claim_expires_at: start + 201,
      attempts: { "0": failed, "1": { ...claimedAgain, repeats: 2 } },
    },
  },
  {
    name: "claimAgain of a deferred first send is no repetition",
    item: sentMessage({ ...producing, attempts: { "0": {} } }),
    change: (item) => claimAgain(item, { ...claim, attempt: 0 }),
    becomes: { claim_expires_at: start + 131, attempts: { "0": claimed } },
  },
  {
    name: "claimAgain of an attempt that was marked and then deferred stays a repetition",
    item: sentMessage({
      ...sending,
      attempts: { "0": failed, "1": { possible_duplicate: true, repeats: 0 } },
    }),
    change: (item) => claimAgain(item, secondClaim),
    becomes: {
      claim_expires_at: start + 201,
      attempts: { "0": failed, "1": { ...claimedAgain, repeats: 1 } },
    },
  },
  {
    name: "claimAgain of an unconfirmed attempt whose claim was taken away is a repetition",
    item: sentMessage({
      ...sending,
      attempts: { "0": failed, "1": { outcome: "UNCONFIRMED", outcome_at: start } },
    }),
    change: (item) => claimAgain(item, secondClaim),
    becomes: {
      claim_expires_at: start + 201,
      attempts: {
        "0": failed,
        "1": { ...claimedAgain, outcome: "UNCONFIRMED", outcome_at: start, repeats: 1 },
      },
    },
  },
  {
    name: "claimAgain of an item that lost its records",
    item: { ...byTheApplication, status: "SENDING", retry_count: 1, claim_expires_at: start },
    change: (item) => claimAgain(item, secondClaim),
    becomes: {
      claim_expires_at: start + 201,
      // Nobody knows whether some worker has sent it.
      attempts: {
        "1": { claim_id: "claim-2", claimed_at: start + 140, possible_duplicate: true, repeats: 1 },
      },
    },
  },
  {
    name: "recordSent",
    item: sending,
    change: (item) => recordSent(item, 1, { at: start + 71.9, messageId: "msg-1", origination: "SHOP" }),
    becomes: {
      status: "SENT",
      pinpoint_message_id: "msg-1",
      claim_expires_at: undefined,
      attempts: {
        "0": failed,
        "1": { ...claimed, sent_at: start + 71, message_id: "msg-1", origination: "SHOP" },
      },
    },
  },
  {
    name: "recordSent takes the outcome of the worker before away",
    item: sentMessage({
      ...sending,
      attempts: {
        "0": failed,
        "1": { ...claimedAgain, outcome: "UNCONFIRMED", outcome_at: start + 131, repeats: 1 },
      },
    }),
    change: (item) => recordSent(item, 1, { at: start + 141, messageId: "msg-1" }),
    becomes: {
      status: "SENT",
      pinpoint_message_id: "msg-1",
      claim_expires_at: undefined,
      attempts: {
        "0": failed,
        "1": { ...claimedAgain, repeats: 1, sent_at: start + 141, message_id: "msg-1" },
      },
    },
  },
  {
    name: "recordSent of an attempt whose record is gone puts it back",
    item: sentMessage({ ...sending, attempts: { "0": failed } }),
    change: (item) => recordSent(item, 1, { at: start + 71, messageId: "msg-1" }),
    becomes: {
      status: "SENT",
      pinpoint_message_id: "msg-1",
      claim_expires_at: undefined,
      attempts: { "0": failed, "1": { sent_at: start + 71, message_id: "msg-1" } },
    },
  },
  {
    name: "recordSentLate of the latest attempt",
    item: exhausted,
    change: (item) => recordSentLate(item, 1, { at: start + 71, messageId: "msg-1b" }),
    becomes: {
      pinpoint_message_id: "msg-1b",
      attempts: { "0": failed, "1": { message_id: "msg-1b", outcome: "UNKNOWN", sent_at: start + 71 } },
    },
  },
  {
    name: "recordSentLate of an attempt of unknown outcome: it is known now",
    item: unconfirmed,
    change: (item) => recordSentLate(item, 1, { at: start + 140, messageId: "msg-1" }),
    becomes: {
      pinpoint_message_id: "msg-1",
      attempts: {
        "0": failed,
        "1": { ...claimed, repeats: 1, sent_at: start + 140, message_id: "msg-1" },
      },
    },
  },
  {
    name: "recordSentLate of an earlier attempt sets nothing but its record",
    item: exhausted,
    change: (item) => recordSentLate(item, 0, { at: start + 1, messageId: "msg-0" }),
    becomes: {
      attempts: { "0": { ...failed, sent_at: start + 1 }, "1": { message_id: "msg-1", outcome: "UNKNOWN" } },
    },
  },
  {
    name: "defer takes the attempt's record away",
    item: sending,
    change: (item) => defer(item, 1, start + 80, "throttled"),
    becomes: {
      status: "RETRY_SCHEDULED",
      status_reason: "throttled",
      retry_count: 0,
      next_attempt_at: start + 80,
      claim_expires_at: undefined,
      attempts: { "0": failed },
    },
  },
  {
    name: "defer of a repeated attempt keeps its number, and its mark, without the claim",
    item: sendingAgain,
    change: (item) => defer(item, 1, start + 210, "throttled"),
    becomes: {
      status_reason: "throttled",
      claim_expires_at: start + 210,
      attempts: { "0": failed, "1": { possible_duplicate: true, repeats: 0 } },
    },
  },
  {
    name: "defer of a retry that is only marked gives its number back",
    item: sentMessage({
      ...sending,
      attempts: { "0": unheardOf, "1": { ...claimed, possible_duplicate: true } },
    }),
    change: (item) => defer(item, 1, start + 80, "throttled"),
    becomes: {
      status: "RETRY_SCHEDULED",
      status_reason: "throttled",
      retry_count: 0,
      next_attempt_at: start + 80,
      claim_expires_at: undefined,
      attempts: { "0": unheardOf },
    },
  },
  {
    name: "defer of a first send leaves a record without a claim",
    item: producing,
    change: (item) => defer(item, 0, start + 3.9, "throttled"),
    becomes: { status_reason: "throttled", claim_expires_at: start + 3, attempts: { "0": {} } },
  },
  {
    name: "expireUnsent takes the unsent attempt back",
    item: sending,
    change: (item) => expireUnsent(item, 1, ending),
    becomes: {
      status: "EXPIRED",
      status_reason: "deadline",
      ...ended,
      retry_count: 0,
      claim_expires_at: undefined,
      attempts: { "0": failed },
    },
  },
  {
    name: "expireUnsent of a repeated claim keeps the attempt",
    item: sendingAgain,
    change: (item) => expireUnsent(item, 1, ending),
    becomes: { status: "EXPIRED", status_reason: "deadline", ...ended, claim_expires_at: undefined },
  },
  {
    name: "expireUnsent of a first send keeps the attempt",
    item: producing,
    change: (item) => expireUnsent(item, 0, ending),
    becomes: { status: "EXPIRED", status_reason: "deadline", ...ended, claim_expires_at: undefined },
  },
  {
    name: "awaitReceipt",
    item: sending,
    change: (item) => awaitReceipt(item, 1, start + 76.5),
    becomes: {
      status: "SENT",
      status_reason: "outcome-unknown",
      claim_expires_at: undefined,
      attempts: { "0": failed, "1": { ...claimed, outcome: "UNCONFIRMED", outcome_at: start + 76 } },
    },
  },
  {
    name: "repeatAttempt takes the claim away and leaves what is known of the attempt",
    item: unconfirmed,
    change: (item) => repeatAttempt(item, 1, start + 400.9),
    becomes: {
      status: "SENDING",
      status_reason: "NO_RECEIPT",
      claim_expires_at: start + 400,
      attempts: { "0": failed, "1": { outcome: "UNCONFIRMED", outcome_at: start + 131, repeats: 1 } },
    },
  },
];

/** The cases once for each clause of their change. */
const refusals = cases.flatMap(({ name, item, change }) =>
  Object.entries(change(item).require)
    .filter(([, clause]) => clause.path !== "application_message_id")
    .map(([clauseName, clause]) => ({ name, clauseName, clause, item, change })),
);

/** An item that differs from `item` in that one clause does not hold, by the least that breaks it. */
function breaking(clause: Clause, item: Message): Item {
  const broken = structuredClone(item) as unknown as Item;
  const [attribute = "", number, field] = clause.path.split(".");
  if (number !== undefined) {
    const attempts = broken.attempts as Record<string, Item>;
    if (field !== undefined && clause.is === "other-than") attempts[number] = { [field]: clause.value };
    else if (clause.is === "present") delete attempts[number];
    else attempts[number] = {};
    return broken;
  }
  switch (clause.is) {
    case "present":
      delete broken[attribute];
      break;
    case "absent":
      broken[attribute] =
        { attempts: {}, status: "SENT", retry_count: 0, message_body: "Another text." }[attribute] ?? start;
      break;
    case "equal":
      if (typeof clause.value === "number") broken[attribute] = clause.value + 1;
      else broken[attribute] = clause.value === "CANCELLED" ? "SENT" : "CANCELLED";
      break;
    case "other-than":
      broken[attribute] = clause.value;
      break;
    case "at-most":
      broken[attribute] = clause.value + 0.001;
      break;
    case "more-than":
      broken[attribute] = clause.value;
      break;
  }
  return broken;
}

function without(item: Item): Item {
  return Object.fromEntries(Object.entries(item).filter(([, value]) => value !== undefined));
}

/** Texts that a careless step between table and handset would change (fault 47). */
export const awkwardBodies = {
  "emoji, also of several code points": "Your parcel is here 📦👩‍👩‍👧‍👦🏳️‍🌈 ✅",
  "the edges of GSM-7": "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà^{}\\[~]|€\f",
  "line breaks of every kind": "one\ntwo\r\nthree\rfour\u2028five\u2029six\u0085",
  "white space at both ends": "  \t code 493817 \n\n ",
  "letters that normalisation would join": "e\u0301 is not \u00e9",
  "scripts from right to left": "الرمز 493817 \u200f!",
  "what looks like an escape": "\\n \\u0041 %0A &amp; {{code}} #attempts :v0",
} as const;

/** Runs the suite; `open` gives a store, which may hold items of earlier tests. */
export function messageStoreContract(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`message store contract: ${name}`, () => {
    let ids = 0;
    /** An id of the test's own, as an application might choose it. */
    const newId = (): string => `${name}: order ${++ids}/#1 für 東京`;

    async function opened(item?: Item): Promise<StoreUnderTest & { readonly id: string }> {
      const under = await open();
      const id = newId();
      if (item !== undefined) await under.put({ ...item, application_message_id: id });
      return { ...under, id };
    }

    describe("a change whose clauses hold is applied", () => {
      test.each(cases)("$name", async ({ item, change, becomes }) => {
        const { store, get, id } = await opened({ ...item });
        const read = await store.read(id);

        const result = await store.change(id, change(read as Message));

        const expected = without({ ...item, ...becomes, application_message_id: id });
        expect(await get(id)).toEqual(expected);
        expect(result).toEqual({ applied: true, message: expected });
      });
    });

    describe("a change is refused where one clause does not hold", () => {
      test.each(refusals)("$clauseName of $name", async ({ item, clause, change }) => {
        const broken = breaking(clause, item);
        const { store, get, id } = await opened(broken);

        const result = await store.change(id, change({ ...item, application_message_id: id }));

        const unchanged = { ...broken, application_message_id: id };
        expect(result).toEqual({ applied: false, current: unchanged });
        expect(await get(id)).toEqual(unchanged);
      });

      test.each(cases)("fault 44: a missing item is not made by $name", async ({ item, change }) => {
        const { store, get, id } = await opened();

        const result = await store.change(id, change({ ...item, application_message_id: id }));

        expect(result).toEqual({ applied: false, current: undefined });
        expect(await get(id)).toBeUndefined();
      });
    });

    describe("the language of changes", () => {
      const exists: Change["require"] = { exists: { path: "application_message_id", is: "present" } };

      test.each<[string, Item, boolean]>([
        ["is absent", {}, true],
        ["is another", { status_reason: "throttled" }, true],
        ["is this one", { status_reason: "deadline" }, false],
      ])("a clause of other-than, where the attribute %s", async (_what, attributes, applied) => {
        const { store, id } = await opened({ ...attributes });
        const other: Clause = { path: "status_reason", is: "other-than", value: "deadline" };

        const result = await store.change(id, { require: { ...exists, other }, set: { status: "SENT" } });

        expect(result.applied).toBe(applied);
      });

      test.each<[string, Item, boolean]>([
        ["no map", {}, true],
        ["no record", { attempts: {} }, true],
        ["no outcome", { attempts: { "2": { message_id: "NO_RECEIPT" } } }, true],
        ["another outcome", { attempts: { "2": { outcome: "UNKNOWN" } } }, true],
        ["the outcome in another record", { attempts: { "1": { outcome: "NO_RECEIPT" }, "2": {} } }, true],
        ["this outcome", { attempts: { "2": { outcome: "NO_RECEIPT" } } }, false],
      ])(
        "a clause of other-than on an attempt's outcome, where there is %s",
        async (_what, item, applied) => {
          const { store, id } = await opened(item);
          const other: Clause = { path: "attempts.2.outcome", is: "other-than", value: "NO_RECEIPT" };

          const result = await store.change(id, { require: { ...exists, other }, set: { status: "SENT" } });

          expect(result.applied).toBe(applied);
        },
      );

      test("one write changes several records in every way, and leaves the others", async () => {
        const records = { "0": failed, "1": { ...claimed, outcome: "UNCONFIRMED" }, "2": claimed, "3": sent };
        const { store, get, id } = await opened({ attempts: records });

        await store.change(id, {
          require: exists,
          set: { status: "SENT" },
          attempts: [
            { number: 1, how: "fields", set: { message_id: "msg-1" }, remove: ["outcome", "outcome_at"] },
            { number: 2, how: "remove" },
            { number: 3, how: "record", set: { possible_duplicate: true } },
            { number: 4, how: "record", set: { claim_id: "claim-4" } },
          ],
        });

        expect(await get(id)).toEqual({
          application_message_id: id,
          status: "SENT",
          attempts: {
            "0": failed,
            "1": { ...claimed, message_id: "msg-1" },
            "3": { possible_duplicate: true },
            "4": { claim_id: "claim-4" },
          },
        });
      });

      test("fields that are not there can be taken out, and the last one leaves an empty record", async () => {
        const { store, get, id } = await opened({ attempts: { "0": { claim_id: "claim-0" } } });

        await store.change(id, {
          require: exists,
          set: {},
          attempts: [{ number: 0, how: "fields", set: {}, remove: ["claim_id", "claimed_at"] }],
        });

        expect(await get(id)).toEqual({ application_message_id: id, attempts: { "0": {} } });
      });

      test("a map is made with all its records", async () => {
        const { store, get, id } = await opened({});
        const records = { "0": { outcome: "DELIVERED" }, "2": { possible_duplicate: true } };

        await store.change(id, { require: exists, set: {}, attempts: [{ how: "map", records }] });

        expect(await get(id)).toEqual({ application_message_id: id, attempts: records });
      });
    });

    test("the same change a second time is refused, and the item that it made comes back", async () => {
      const { store, id } = await opened({ ...scheduled });
      const first = await store.change(id, claimAttempt(claim));

      const second = await store.change(id, claimAttempt({ ...claim, claimId: "claim-2" }));

      expect(first.applied).toBe(true);
      expect(second).toEqual({ applied: false, current: first.applied ? first.message : undefined });
    });

    test("fault 2: of 100 claims at once exactly one is applied", async () => {
      const { store, get, id } = await opened({ ...scheduled });

      const results = await Promise.all(
        Array.from({ length: 100 }, (_, n) =>
          store.change(id, claimAttempt({ ...claim, claimId: `claim of worker ${n}` })),
        ),
      );

      const winners = results.flatMap((result, n) => (result.applied ? [n] : []));
      expect(winners).toHaveLength(1);
      expect(await get(id)).toMatchObject({
        retry_count: 1,
        attempts: { "1": { claim_id: `claim of worker ${winners[0]}` } },
      });
    });

    test("fault 46: what was decided from an old read is refused and the new item comes back", async () => {
      const { store, get, id } = await opened({ ...sentMessage() });
      const old = (await store.read(id)) as Message;
      const retry = { dueAt: start + 65, deadline: start + 86_400, keptSeconds };
      await store.change(id, scheduleRetry(old, failure, retry));
      await store.change(id, claimAttempt(claim));
      const now = await get(id);

      const result = await store.change(id, scheduleRetry(old, failure, retry));

      expect(result).toEqual({ applied: false, current: now });
      expect(await get(id)).toEqual(now);
    });

    test("a claim that does not know of a missing receipt is refused, and tells of it", async () => {
      const { store, id } = await opened({ ...scheduled, attempts: { "0": unheardOf } });

      const refused = await store.change(id, claimAttempt(claim));
      const marked = await store.change(id, claimAttempt({ ...claim, followsNoReceipt: true }));

      expect(refused).toMatchObject({ applied: false, current: { attempts: { "0": unheardOf } } });
      expect(marked).toMatchObject({
        applied: true,
        message: { attempts: { "1": { ...claimed, possible_duplicate: true } } },
      });
    });

    test.each([
      ["in the past", start + 70, false],
      ["at this very moment", start + 70.25, false],
      ["in the future", start + 71, true],
    ])("fault 45: a claim with expires_at %s: applied is %s %s", async (_when, expiresAt, applied) => {
      const { store, id } = await opened({ ...scheduled, expires_at: expiresAt });

      expect((await store.change(id, claimAttempt(claim))).applied).toBe(applied);
    });

    test.each([
      ["in the past", start + 70, false],
      ["at this very moment", start + 70.25, false],
      ["in the future", start + 71, true],
    ])("fault 26: a claim with a deadline %s: applied is %s %s", async (_when, deadline, applied) => {
      const { store, id } = await opened({ ...scheduled, deadline });

      expect((await store.change(id, claimAttempt(claim))).applied).toBe(applied);
    });

    test("create writes a message once and leaves the first one as it is", async () => {
      const { store, get, id } = await opened();

      const created = await store.create(sentMessage({ application_message_id: id }));
      const again = await store.create(sentMessage({ application_message_id: id, message_body: "Other." }));

      expect([created, again]).toEqual([true, false]);
      expect(await get(id)).toEqual(sentMessage({ application_message_id: id }));
    });

    test("of 20 creates at once exactly one is applied", async () => {
      const { store, id } = await opened();

      const created = await Promise.all(
        Array.from({ length: 20 }, () => store.create(sentMessage({ application_message_id: id }))),
      );

      expect(created.filter(Boolean)).toHaveLength(1);
    });

    test("read gives the item, and nothing for an id that is not there", async () => {
      const { store, id } = await opened({ ...sending });

      expect(await store.read(id)).toEqual({ ...sending, application_message_id: id });
      expect(await store.read(newId())).toBeUndefined();
    });

    test("attributes that only an application knows stay, and are not read", async () => {
      const { store, get, id } = await opened({ ...byTheApplication, customer: { tier: "gold" }, TTL: 5 });

      const read = await store.read(id);
      await store.change(
        id,
        endSequence(
          read as Message,
          { status: "REJECTED", reason: "INVALID", ...ending },
          { attempt: 0, outcome: "INVALID", at: start },
        ),
      );

      expect(read).toEqual({ ...byTheApplication, application_message_id: id });
      expect(await get(id)).toMatchObject({ customer: { tier: "gold" }, TTL: 5, status: "REJECTED" });
    });

    test("readMany gives every item of 250 ids, names the absent and leaves out the unreadable", async () => {
      const { store, put } = await open();
      const present = Array.from({ length: 120 }, newId);
      const absent = Array.from({ length: 129 }, newId);
      const unreadable = newId();
      await Promise.all([
        ...present.map((id) => put({ ...sentMessage({ application_message_id: id }) })),
        put({ application_message_id: unreadable, retry_count: "many" }),
      ]);

      const found = await store.readMany([...absent, unreadable, ...present, ...present]);

      const idsOf = (isThere: boolean) =>
        [...found].filter(([, message]) => (message !== undefined) === isThere).map(([id]) => id);
      expect(idsOf(true).sort()).toEqual([...present].sort());
      expect(idsOf(false).sort()).toEqual([...absent].sort());
      expect(present.every((id) => found.get(id)?.application_message_id === id)).toBe(true);
    });

    test("readMany of no ids gives nothing", async () => {
      const { store } = await open();

      expect(await store.readMany([])).toEqual(new Map());
    });

    test.each([
      ["retry_count", { retry_count: "2" }],
      ["retry_count", { retry_count: 1.5 }],
      ["status", { status: 7 }],
      ["deadline", { deadline: "tomorrow" }],
      ["message_body", { message_body: 42 }],
      ["attempts", { attempts: ["first"] }],
    ])("an item whose %s is unreadable is told by its attribute, not by its content", async (name, wrong) => {
      const { store, get, id } = await opened({ ...scheduled, ...wrong });
      const before = await get(id);

      await expect(store.read(id)).rejects.toThrow(UnreadableMessageError);
      await expect(store.read(id)).rejects.toThrow(
        `A message-state item cannot be read because of its attribute(s) ${name};`,
      );
      await expect(store.change(id, awaitReceipt(sending, 1, start))).rejects.toThrow(UnreadableMessageError);
      expect(await get(id)).toEqual(before);
    });

    test("everything that a send carries comes back as it was written", async () => {
      const { store, id } = await opened();
      const message = sentMessage({
        application_message_id: id,
        sender_id: "SHOP",
        context: { shop: "Berlin Süd", "a.b #c": ":d" },
        keyword: "SHOP CODES",
        entity_id: "1101234567890123456",
        template_id: "1107123456789012345",
        configuration_set_name: "receipts",
        destination_country_parameters: { IN_ENTITY_ID: "1101234567890123456" },
        max_price: "0.05",
        protect_configuration_id: "protect-1",
      });
      await store.create(message);

      expect(await store.read(id)).toEqual(message);
      expect((await store.readMany([id])).get(id)).toEqual(message);
    });

    test("fault 67: an item of a newer version is told by its error, and left as it is", async () => {
      const { store, get, id } = await opened({ ...scheduled, status: "PAUSED", attempts: "elsewhere" });
      const before = await get(id);

      await expect(store.read(id)).rejects.toThrow(UnknownItemStatusError);
      await expect(store.change(id, claimAttempt(claim))).rejects.toThrow(UnknownItemStatusError);
      expect(await store.readMany([id])).toEqual(new Map());
      expect(await get(id)).toEqual(before);
    });

    describe("fault 67: an attribute that is null counts as absent", () => {
      const absent = cases.flatMap(({ name, item, change, becomes }) =>
        Object.values(change(item).require)
          .filter((clause) => clause.is === "absent" || ("orAbsent" in clause && clause.orAbsent === true))
          .map(({ path }) => ({ name, path, item, change, becomes })),
      );

      test.each(absent)("to the clause on $path of $name", async ({ path, item, change, becomes }) => {
        const [attribute = "", number] = path.split(".");
        const withNull = structuredClone(item) as unknown as Item;
        if (number === undefined) withNull[attribute] = null;
        else (withNull.attempts as Item)[number] = null;
        const { store, get, id } = await opened(withNull);

        const result = await store.change(id, change((await store.read(id)) as Message));

        expect(result.applied).toBe(true);
        const withoutNulls = (of: Item = {}) =>
          Object.fromEntries(Object.entries(of).filter(([, value]) => value !== null));
        const expected = without({ ...withNull, ...becomes, application_message_id: id });
        expect(withoutNulls(await get(id))).toEqual(withoutNulls(expected));
      });

      test("to the clause that asks for it, which does not hold then", async () => {
        const { store, get, id } = await opened({ ...scheduled, attempts: null });
        const before = await get(id);

        expect((await store.change(id, claimAttempt(claim))).applied).toBe(false);
        expect(await get(id)).toEqual(before);
      });

      test("from the first failure to the claim of an item that is all nulls", async () => {
        const nulls = Object.fromEntries(
          Object.keys({ ...sendingAgain, ...scheduled, message_type: 0, sender_id: 0, delivery_guarantee: 0 })
            .filter((key) => key !== "application_message_id")
            .map((key) => [key, null]),
        );
        const { store, get, id } = await opened({ ...nulls, message_body: "Your table is ready." });
        const read = (await store.read(id)) as Message;
        expect(read).toEqual({ application_message_id: id, message_body: "Your table is ready." });

        const retry = {
          dueAt: start + 65,
          deadline: start + 86_400,
          keptSeconds,
          destinationNumber: "+447700900123",
        };
        const first = await store.change(id, scheduleRetry(read, failure, retry));
        const second = await store.change(id, claimAttempt(claim));

        expect([first.applied, second.applied]).toEqual([true, true]);
        expect(await get(id)).toMatchObject({
          status: "SENDING",
          retry_count: 1,
          deadline: start + 86_400,
          destination_number: "+447700900123",
          attempts: { "0": { outcome: "UNREACHABLE" }, "1": claimed },
        });
      });
    });

    describe("fault 67: times that the application wrote otherwise than in epoch seconds", () => {
      const deadline = start + 600;
      const expires_at = start + 900;
      const written = { ...byTheApplication, created_at: start * 1_000 + 77 };
      const retry = { dueAt: start + 65, deadline, keptSeconds };

      test.each<[string, Item]>([
        ["milliseconds", { deadline: deadline * 1_000 + 999, expires_at: expires_at * 1_000 }],
        ["milliseconds with a fraction", { deadline: deadline * 1_000 + 0.5, expires_at }],
        ["text", { deadline: String(deadline), expires_at: `${expires_at}.25` }],
        ["milliseconds as text", { deadline: `${deadline}123`, expires_at: `${expires_at}000` }],
      ])("are put right when a retry is scheduled, so that a claim obeys them: %s", async (_form, times) => {
        const { store, get, id } = await opened({ ...written, ...times });
        const read = (await store.read(id)) as Message;
        expect(read).toMatchObject({ created_at: start, deadline });
        expect(Math.floor(read.expires_at ?? 0)).toBe(expires_at);

        const result = await store.change(id, scheduleRetry(read, failure, retry));

        expect(result.applied).toBe(true);
        const item = (await get(id)) as unknown as Message;
        expect(item).toMatchObject({ created_at: start, deadline, expires_at: read.expires_at });
        expect(await store.read(id)).not.toHaveProperty("timesAsWritten");
        expect((await store.change(id, claimAttempt({ ...claim, now: deadline }))).applied).toBe(false);
        expect((await store.change(id, claimAttempt({ ...claim, now: deadline - 0.5 }))).applied).toBe(true);
      });

      test.each<[string, unknown, unknown]>([
        ["another time in milliseconds", deadline * 1_000, deadline * 1_000 - 300_000],
        ["another time in seconds", deadline * 1_000, deadline - 300],
        ["seconds, where digits were lost", deadline * 1_000 + 0.123, deadline - 300],
        ["another text", String(deadline), String(deadline - 300)],
      ])("are not put over what the application has written meanwhile: %s", async (_form, old, now) => {
        const { store, put, get, id } = await opened({ ...written, deadline: old });
        const read = (await store.read(id)) as Message;
        const item = { ...written, deadline: now, application_message_id: id };
        await put(item);

        const result = await store.change(id, scheduleRetry(read, failure, retry));

        expect(result).toMatchObject({ applied: false, current: { deadline: deadline - 300 } });
        expect(await get(id)).toEqual(item);
      });
    });

    test.each(Object.entries(awkwardBodies))(
      "fault 47: a body with %s comes back byte for byte",
      async (_name, body) => {
        const { store, id } = await opened();
        await store.create(sentMessage({ application_message_id: id, message_body: body }));

        const single = await store.read(id);
        const many = await store.readMany([id]);
        const changed = await store.change(
          id,
          scheduleRetry(single as Message, failure, { dueAt: 0, deadline: 1, keptSeconds }),
        );
        const refused = await store.change(id, claimAgain(sendingAgain, claim));

        const bytes = Buffer.from(body);
        const bodies = [
          single?.message_body,
          many.get(id)?.message_body,
          changed.applied ? changed.message.message_body : undefined,
          refused.applied ? undefined : refused.current?.message_body,
        ];
        expect(bodies.map((text) => Buffer.from(text ?? "missing").equals(bytes))).toEqual([
          true,
          true,
          true,
          true,
        ]);
      },
    );
  });
}
