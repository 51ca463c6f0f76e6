/**
 * A message and its state, in the words of the `message-state` table.
 *
 * Attributes keep their names from the table (snake_case), so that a person who looks at an item in the
 * console reads the same words as in this code. Times are epoch seconds.
 */

import * as v from "valibot";
import { messageTypes } from "../events/delivery-event.ts";
import { type Present, storedAttributes } from "./carried-attributes.ts";

/** Every state that an item can name; `docs/architecture.md` has the diagram. */
export const messageStatuses = [
  "SENDING",
  "SENT",
  "RETRY_SCHEDULED",
  "DELIVERED",
  "EXHAUSTED",
  "EXPIRED",
  "REJECTED",
  "OPTED_OUT",
  "CANCELLED",
] as const;

/** State of a message; the first three are open, the others end the retry sequence. */
export type MessageStatus = (typeof messageStatuses)[number];

/** States in which a message waits for something that will still happen. */
export const openStatuses = ["SENDING", "SENT", "RETRY_SCHEDULED"] as const satisfies MessageStatus[];

/** The ends that an operator may reopen by a resend, and that a late success corrects. */
export const reopenableStatuses = ["EXHAUSTED", "EXPIRED", "REJECTED"] as const satisfies MessageStatus[];

/** States that end the retry sequence. */
export type FinalStatus = Exclude<MessageStatus, (typeof openStatuses)[number]>;

/** `at-least-once` sends an attempt of unknown outcome once more; `at-most-once` never does. */
export const deliveryGuarantees = ["at-least-once", "at-most-once"] as const;

/** Whether an attempt whose answer was lost is sent once more (rule 8). */
export type DeliveryGuarantee = (typeof deliveryGuarantees)[number];

/** The times that an application writes, as their attributes are called. */
export const timeAttributes = ["deadline", "expires_at", "created_at"] as const;

/** See {@link timeAttributes}. */
export type TimeAttribute = (typeof timeAttributes)[number];

/** The latest time of an item, in the year 5138: from 10¹¹ on a number is read as milliseconds. */
export const latestSecond = 99_999_999_999;

/** Outcome of an attempt whose answer was lost, or whose worker died. */
export const unconfirmedOutcome = "UNCONFIRMED";

/** Outcome of an attempt of which no event came in time; the attempt after it is a possible duplicate. */
export const noReceiptOutcome = "NO_RECEIPT";

/** The `status_reason` of a message that waits to learn whether its latest attempt was sent. */
export const outcomeUnknownReason = "outcome-unknown";

/** The `status_reason` of a failed message that is not retried because the deployment has `max_retries = 0`. */
export const retriesOffReason = "retries-off";

/** The `status_reason` of a failed message whose retry was only counted, because the deployment is in shadow mode. */
export const shadowModeReason = "shadow-mode";

/** The `status_reason` of a message that an operator has resent, until its attempt is sent or deferred. */
export const resentReason = "resent";

/** Whether a message waits for no retry and no receipt any more although it has failed: its retry was not to be sent. */
export function isNotRetried({ status_reason }: Pick<Message, "status_reason">): boolean {
  return status_reason === retriesOffReason || status_reason === shadowModeReason;
}

/** How what is only noted is read: what has another type counts as absent. */
const notedText = v.fallback(v.optional(v.string()), undefined);
const notedNumber = v.fallback(v.optional(v.pipe(v.number(), v.finite())), undefined);
const notedFlag = v.fallback(v.optional(v.boolean()), undefined);

const attempt = v.object({
  /** Token of the worker that claimed the attempt; tells a worker its own claim after a lost answer. */
  claim_id: notedText,
  claimed_at: notedNumber,
  sent_at: notedNumber,
  /** The service's id of this attempt. */
  message_id: notedText,
  /** Origination number or sender id that was asked for; absent when the service chose one. */
  origination: notedText,
  /**
   * The status of the delivery event or API answer that ended the attempt; `UNCONFIRMED` where nobody knows
   * whether it was sent, `NO_RECEIPT` where the receipt check found no event of it.
   */
  outcome: notedText,
  outcome_at: notedNumber,
  /** When a retry was scheduled because this attempt failed. */
  retry_scheduled_at: notedNumber,
  /** When the retry that follows this attempt would have been sent, had the deployment not been in shadow mode. */
  shadowed_at: notedNumber,
  /** How many message parts that retry would have had. */
  shadow_parts: notedNumber,
  /** The recipient may have got this attempt twice, or this one besides an earlier one (rule 8). */
  possible_duplicate: notedFlag,
  /** How often the attempt was claimed again after its outcome had stayed unknown. */
  repeats: notedNumber,
  /** When an operator began a new retry sequence after this attempt, and why. */
  resent_at: notedNumber,
  resend_reason: notedText,
});

/** What is known of one hand-over to the SMS service. */
export type Attempt = Present<v.InferOutput<typeof attempt>>;

/** What the protocol rests on must be right, or the item cannot be read. */
const wholeNumber = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** Later seconds than any date has would be refused as the operand of a condition. */
const second = v.pipe(v.number(), v.finite(), v.maxValue(latestSecond), v.minValue(-latestSecond));

/**
 * An item of the `message-state` table. An application that sends by itself writes the id, the body and what
 * else its send carried; `status` and what follows from it are ours.
 */
export const messageItem = v.object({
  application_message_id: v.string(),
  message_body: v.optional(v.string()),
  /** The service's id of the latest attempt. */
  pinpoint_message_id: notedText,
  destination_number: v.optional(v.string()),
  message_type: v.fallback(v.optional(v.picklist(messageTypes)), undefined),
  /** Origination number of the first send, or its sender id, told by its letters. */
  origination_number: notedText,
  /** Sender id of the first send. */
  sender_id: notedText,
  ...storedAttributes,
  /** Absent on an item that the application wrote itself: then the message counts as `SENT`. */
  status: v.optional(v.picklist(messageStatuses)),
  /** Why the message is in its state, e.g. the status of the event that ended the retry sequence. */
  status_reason: notedText,
  /** Number of the latest attempt that was claimed; 0 = only the application's own send. */
  retry_count: v.optional(wholeNumber),
  all_retries_failed: notedFlag,
  /** When the message ended; absent where the application ended it by a write of its own. */
  ended_at: notedNumber,
  /** The end that a late success has corrected. */
  corrected_from: v.fallback(v.optional(v.picklist(messageStatuses)), undefined),
  /** Why an operator cancelled the message. */
  cancelled_reason: notedText,
  /** After this second the message is useless and is never sent again. */
  deadline: v.optional(second),
  /** TTL attribute of the table; an item past it counts as gone even while it is still readable. */
  expires_at: v.optional(second),
  created_at: v.fallback(v.optional(second), undefined),
  /** When the next attempt is due; only while `RETRY_SCHEDULED`. */
  next_attempt_at: v.optional(second),
  /** When the worker that claimed the latest attempt counts as dead; only while `SENDING`. */
  claim_expires_at: v.optional(second),
  /** Overrides the deployment's guarantee for this message. */
  delivery_guarantee: v.optional(v.picklist(deliveryGuarantees)),
  /** Attempts by number, `"0"` = the application's own send. */
  attempts: v.optional(v.record(v.string(), attempt)),
});

/** A message as it is known: an item of the table that has been read; see {@link messageItem}. */
export type Message = Present<v.InferOutput<typeof messageItem>> & {
  /**
   * No attribute: the times that stand in the item otherwise than here, in milliseconds or as text, as they stand
   * there. Conditions of the table compare what stands there, so the first retry that is scheduled puts them right.
   */
  readonly timesAsWritten?: Readonly<Partial<Record<TimeAttribute, number | string>>>;
};

/** The status of an item; one that the application wrote without a status has been sent by it. */
export function statusOf(message: Message): MessageStatus {
  return message.status ?? "SENT";
}

/** The number of the latest claimed attempt; 0 where the item does not say. */
export function latestAttemptOf(message: Message): number {
  return message.retry_count ?? 0;
}

/** Whether the retry sequence is over, so that only a late success may still change the item. */
export function isFinal(status: MessageStatus): status is FinalStatus {
  return !(openStatuses as readonly MessageStatus[]).includes(status);
}

/** Whether an end may be reopened, so that an old read of it does not say that the message is over. */
export function isReopenable(status: MessageStatus): boolean {
  return (reopenableStatuses as readonly MessageStatus[]).includes(status);
}

/**
 * The attempt after which the present retry sequence began: 0, the first send, unless an operator has begun a new one.
 * The retries that a deployment allows count from there.
 */
export function sequenceStartOf({ attempts = {} }: Pick<Message, "attempts">): number {
  const resent = Object.entries(attempts).filter(([, { resent_at }]) => resent_at !== undefined);
  return Math.max(0, ...resent.map(([number]) => Number(number)));
}

/** Whether the latest attempt may have been sent and nobody has heard of it since. */
export function isUnconfirmed(message: Message): boolean {
  return message.attempts?.[latestAttemptOf(message)]?.outcome === unconfirmedOutcome;
}

/**
 * Whether a record is that of an attempt which some worker may have handed over: claimed by one, or marked. Where
 * there is none, nobody knows.
 */
export function mayHaveBeenSent(record: Attempt | undefined): boolean {
  return (
    record === undefined ||
    record.claim_id !== undefined ||
    record.possible_duplicate === true ||
    record.outcome === unconfirmedOutcome
  );
}

/** Whether an attempt was claimed again after its outcome had stayed unknown. */
export function wasRepeated(record: Attempt | undefined): boolean {
  return (record?.repeats ?? 0) > 0;
}

/**
 * Whether a message is useless, or will be before the service could take it (rule 6).
 *
 * @param leastSecondsLeft what the service asks for until the deadline; 0 where it does not ask
 */
export function isTooLate({ deadline }: Message, now: number, leastSecondsLeft: number): boolean {
  return deadline !== undefined && (deadline <= now || deadline - now < leastSecondsLeft);
}

/** Whether DynamoDB is about to delete the item: its TTL deletes up to two days late. */
export function isGone(message: Message, now: number): boolean {
  return message.expires_at !== undefined && message.expires_at <= now;
}

/**
 * When an item may go that is kept so long after this second, its deadline or its end; never so late that it would be
 * read as milliseconds.
 */
export function expiresAtOf(second: number, keptSeconds: number): number {
  return Math.min(Math.floor(second) + keptSeconds, latestSecond);
}
