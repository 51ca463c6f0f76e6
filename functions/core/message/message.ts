/**
 * A message and its state, in the words of the `message-state` table.
 *
 * Attributes keep their names from the table (snake_case), so that a person who looks at an item in the
 * console reads the same words as in this code. Times are epoch seconds.
 */

/** Every state that an item can name; `docs/protocol.md` has the diagram. */
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

/** States that end the retry sequence. */
export type FinalStatus = Exclude<MessageStatus, (typeof openStatuses)[number]>;

/** `at-least-once` sends an attempt of unknown outcome once more; `at-most-once` never does. */
export const deliveryGuarantees = ["at-least-once", "at-most-once"] as const;

/** Which way a crash between the API call and its record is resolved (design rule 8). */
export type DeliveryGuarantee = (typeof deliveryGuarantees)[number];

/** How the service treats a message; only `TRANSACTIONAL` is meant for one-time passwords and notices. */
export type MessageType = "TRANSACTIONAL" | "PROMOTIONAL";

/** What is known of one hand-over to the SMS service. */
export interface Attempt {
  /** Token of the worker that claimed the attempt; tells a worker its own claim after a lost answer. */
  readonly claim_id?: string;
  readonly claimed_at?: number;
  readonly sent_at?: number;
  /** The service's id of this attempt. */
  readonly message_id?: string;
  /** Origination number or sender id that was asked for; absent when the service chose one. */
  readonly origination?: string;
  /**
   * The status of the delivery event or API answer that ended the attempt; `UNCONFIRMED` where nobody knows
   * whether it was sent, `NO_RECEIPT` where the receipt check found no event of it.
   */
  readonly outcome?: string;
  readonly outcome_at?: number;
  /** When a retry was scheduled because this attempt failed. */
  readonly retry_scheduled_at?: number;
  /** The recipient may have got this attempt twice, or this one besides an earlier one (design rule 8). */
  readonly possible_duplicate?: boolean;
  /** How often the attempt was claimed again after its outcome had stayed unknown. */
  readonly repeats?: number;
}

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

/**
 * What a send carries beside body, number, message type and origination identity. The application writes it
 * where its first send had it; every retry carries it again (design 11.3).
 */
export interface CarriedAttributes {
  /** The application's own entries of the send's context, without our `application_message_id` and `retry_attempt`. */
  readonly context?: Readonly<Record<string, string>>;
  /** The keyword of the origination number's programme. */
  readonly keyword?: string;
  /** India: id of the sender in the carriers' register (DLT), without which carriers there block a message. */
  readonly entity_id?: string;
  /** India: id of the registered template that the body follows. */
  readonly template_id?: string;
  /** End User Messaging: name or ARN of the configuration set; absent = the deployment's. */
  readonly configuration_set_name?: string;
  /** End User Messaging: what a country asks for, e.g. `IN_ENTITY_ID`; goes over `entity_id` and `template_id`. */
  readonly destination_country_parameters?: Readonly<Record<string, string>>;
  /** End User Messaging: highest price of a message part in US dollars, e.g. `"0.05"`; a dearer one is not sent. */
  readonly max_price?: string;
  /** End User Messaging: id or ARN of the protect configuration; absent = the one that the account says. */
  readonly protect_configuration_id?: string;
}

/**
 * An item of the `message-state` table. An application that sends by itself writes the id, the body and what
 * else its send carried; `status` and what follows from it are ours.
 */
export interface Message extends CarriedAttributes {
  readonly application_message_id: string;
  readonly message_body?: string;
  /** The service's id of the latest attempt. */
  readonly pinpoint_message_id?: string;
  readonly destination_number?: string;
  readonly message_type?: MessageType;
  /** Origination number of the first send, or its sender id, told by its letters. */
  readonly origination_number?: string;
  /** Sender id of the first send. */
  readonly sender_id?: string;
  /** Absent on an item that the application wrote itself: then the message counts as `SENT`. */
  readonly status?: MessageStatus;
  /** Why the message is in its state, e.g. the status of the event that ended the retry sequence. */
  readonly status_reason?: string;
  /** Number of the latest attempt that was claimed; 0 = only the application's own send. */
  readonly retry_count?: number;
  readonly all_retries_failed?: boolean;
  /** After this second the message is useless and is never sent again. */
  readonly deadline?: number;
  /** TTL attribute of the table; an item past it counts as gone even while it is still readable. */
  readonly expires_at?: number;
  readonly created_at?: number;
  /** When the next attempt is due; only while `RETRY_SCHEDULED`. */
  readonly next_attempt_at?: number;
  /** When the worker that claimed the latest attempt counts as dead; only while `SENDING`. */
  readonly claim_expires_at?: number;
  /** Overrides the deployment's guarantee for this message. */
  readonly delivery_guarantee?: DeliveryGuarantee;
  /** Attempts by number, `"0"` = the application's own send. */
  readonly attempts?: Readonly<Record<string, Attempt>>;
  /**
   * No attribute: the times that stand in the item otherwise than here, in milliseconds or as text, as they stand
   * there. Conditions of the table compare what stands there, so the first retry that is scheduled puts them right.
   */
  readonly timesAsWritten?: Readonly<Partial<Record<TimeAttribute, number | string>>>;
}

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
 * How long an item outlives its deadline: the service may report for 72 hours after the last send, and one
 * day is for looking at what happened.
 *
 * @see https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-format.html
 */
export const keptAfterDeadlineSeconds = 4 * 86_400;

/** When an item with this deadline may go; never so late that it would be read as milliseconds. */
export function expiresAtOf(deadline: number): number {
  return Math.min(deadline + keptAfterDeadlineSeconds, latestSecond);
}
