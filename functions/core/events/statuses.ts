/**
 * The statuses and types of delivery events: the one place that lists them. The filter in front of the functions, both
 * parsers, the classification, the input `retryable_statuses`, the simulated SMS service and the table in
 * `docs/inputs.md` are made from it.
 *
 * @see https://docs.aws.amazon.com/pinpoint/latest/developerguide/event-streams-data-sms.html
 * @see https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-types.html
 */

/** The API families that an event, or a send, can belong to. */
export const eventFormats = ["pinpoint", "end-user-messaging"] as const;

/** See {@link eventFormats}. */
export type EventFormat = (typeof eventFormats)[number];

/** The services that a message can be sent by: each writes its events in the format of its name. */
export const smsServices = eventFormats;

/** See {@link smsServices}. */
export type SmsService = EventFormat;

/** What kind of statement an event makes, before its status is looked at. */
export const eventKinds = ["in-progress", "success", "failure", "opt-out", "unrecognized"] as const;

/** See {@link eventKinds}. */
export type EventKind = (typeof eventKinds)[number];

/** What a status says about another try, and the kind of an event whose type it is. */
export const statusClasses = {
  delivered: { kind: "success", retried: "no: it has arrived" },
  retryable: { kind: "failure", retried: "by default" },
  "retryable-if-named": { kind: "failure", retried: "only if `retryable_statuses` names it" },
  permanent: { kind: "failure", retried: "never: the same send would fail again" },
  "opted-out": { kind: "opt-out", retried: "never: the recipient wants no more" },
  "in-progress": { kind: "in-progress", retried: "no: a later event says more" },
} as const satisfies Record<string, { readonly kind: EventKind; readonly retried: string }>;

/** See {@link statusClasses}. */
export type StatusClass = keyof typeof statusClasses;

/** One status. */
export interface StatusFacts {
  readonly class: StatusClass;
  /** The event formats that write it: Pinpoint as `record_status`, End User Messaging behind `TEXT_` as `eventType`. */
  readonly formats: readonly EventFormat[];
  /** What AWS says that it means, in a few words. */
  readonly meaning: string;
  /** Another spelling of it. */
  readonly alias?: string;
  /**
   * Whether only an event with `isFinal: true` says it for good. A long code says so when the carrier has accepted the
   * message and may still report a failure; a short code's is final. Only the flag tells them apart.
   */
  readonly needsFinalFlag?: true;
  /** Whether the service also says it by itself, 72 hours after a send of which no carrier has reported. */
  readonly isSaidAfter72Hours?: true;
}

const both: readonly EventFormat[] = eventFormats;

/**
 * Every status that is known.
 *
 * `BLOCKED` may be retried, so that a test deployment can retry AWS's simulator numbers, which are said to end with it;
 * the others of its class, because another identity, a higher spend limit or time may help. What lies in the message
 * (`INVALID`, `INVALID_MESSAGE`) or is the account's own wish (`PROTECT_BLOCKED`) may not.
 */
export const eventStatuses = {
  DELIVERED: { class: "delivered", formats: both, meaning: "delivered to the handset" },
  SUCCESSFUL: {
    class: "delivered",
    formats: both,
    meaning: "accepted by the carrier; final only where the event says so",
    needsFinalFlag: true,
  },
  UNREACHABLE: { class: "retryable", formats: both, meaning: "the handset is off or out of reach" },
  UNKNOWN: {
    class: "retryable",
    formats: both,
    meaning: "an error that nobody explains; also no word from the carrier for 72 hours",
    isSaidAfter72Hours: true,
  },
  CARRIER_UNREACHABLE: { class: "retryable", formats: both, meaning: "the carrier's network has a problem" },
  TTL_EXPIRED: {
    class: "retryable",
    formats: both,
    meaning: "not delivered within the time allowed",
    // In texts about Pinpoint; no event that was captured has it.
    alias: "EXPIRED",
  },
  INVALID: { class: "permanent", formats: both, meaning: "the number is not valid" },
  INVALID_MESSAGE: { class: "permanent", formats: both, meaning: "the body is not valid" },
  BLOCKED: { class: "retryable-if-named", formats: both, meaning: "the handset blocks SMS" },
  CARRIER_BLOCKED: { class: "retryable-if-named", formats: both, meaning: "the carrier blocks the message" },
  SPAM: { class: "retryable-if-named", formats: both, meaning: "taken for spam" },
  PROTECT_BLOCKED: {
    class: "permanent",
    formats: ["end-user-messaging"],
    meaning: "blocked by the account's protect configuration",
  },
  MAX_PRICE_EXCEEDED: {
    class: "retryable-if-named",
    formats: ["pinpoint"],
    meaning: "the monthly spend limit would be exceeded",
  },
  OPTOUT: { class: "opted-out", formats: ["pinpoint"], meaning: "the recipient has opted out" },
  // A later spelling of the same, which no source shows in an event.
  OPTED_OUT: { class: "opted-out", formats: [], meaning: "the recipient has opted out" },
  // Only events of RCS say it. Another try leaves by an identity for SMS, where the deployment names one.
  FAILED: { class: "retryable-if-named", formats: [], meaning: "an RCS message failed, and no SMS follows" },
  QUEUED: { class: "in-progress", formats: ["end-user-messaging"], meaning: "waits at the service" },
  PENDING: { class: "in-progress", formats: both, meaning: "not yet delivered" },
  SENT: { class: "in-progress", formats: ["end-user-messaging"], meaning: "handed to the carrier" },
} as const satisfies Record<string, StatusFacts>;

/** The name of a status; see {@link eventStatuses}. */
export type EventStatus = keyof typeof eventStatuses;

const rows: readonly (readonly [EventStatus, StatusFacts])[] = Object.entries<StatusFacts>(eventStatuses).map(
  ([status, facts]) => [status as EventStatus, facts],
);

const factsByName: ReadonlyMap<string, StatusFacts> = new Map(rows);

const nameByAlias: ReadonlyMap<string, EventStatus> = new Map(
  rows.flatMap(([status, { alias }]) => (alias === undefined ? [] : [[alias, status]])),
);

/** The spelling of a status that the rest of the code uses. */
export function canonicalStatus(status: string): string {
  return nameByAlias.get(status) ?? status;
}

/** What is known of a status, in any of its spellings; `undefined` where it is none of {@link eventStatuses}. */
export function statusFacts(status: string): StatusFacts | undefined {
  return factsByName.get(canonicalStatus(status));
}

/** The statuses that AWS and its blog post call worth another try: the default of `retryable_statuses`. */
export const defaultRetryableStatuses: readonly EventStatus[] = rows.flatMap(([status, facts]) =>
  facts.class === "retryable" ? [status] : [],
);

/** What `retryable_statuses` may hold: the failures that another try can mend, in every spelling. */
export const allowedRetryableStatuses: readonly string[] = rows.flatMap(([status, facts]) => {
  if (facts.class !== "retryable" && facts.class !== "retryable-if-named") return [];
  return facts.alias === undefined ? [status] : [status, facts.alias];
});

/** The statuses that an event format writes. */
export function statusesOf(format: EventFormat): EventStatus[] {
  return rows.flatMap(([status, { formats }]) => (formats.includes(format) ? [status] : []));
}

/**
 * The types of RCS events, by what they say. A text message becomes one where the service chooses an RCS agent, of a pool
 * or because a send names no identity. `RCS_READ` follows a delivery. After `RCS_FALLEN_BACK_TO_SMS` come events of the
 * SMS; what is blocked may fall back as well, so it is no end.
 *
 * @see https://docs.aws.amazon.com/sms-voice/latest/userguide/rcs-events.html
 */
const rcsEventTypes: readonly (readonly [string, EventKind])[] = [
  ["RCS_DELIVERED", "success"],
  ["RCS_READ", "success"],
  ["RCS_FAILED", "failure"],
  ["RCS_TTL_EXPIRED", "failure"],
  ["RCS_QUEUED", "in-progress"],
  ["RCS_SENT", "in-progress"],
  ["RCS_FALLEN_BACK_TO_SMS", "in-progress"],
  ["RCS_PROTECT_BLOCKED", "in-progress"],
];

/** The types of an event format's SMS events, and of RCS events, which can be about the same messages. */
export interface SmsEventTypes {
  /** What the types of these events begin with, and of no others. */
  readonly prefixes: readonly string[];
  /** The types that are known, by what they say. */
  readonly kinds: ReadonlyMap<string, EventKind>;
}

/** The types of the SMS events of each event format; a type that is not listed is unrecognized. */
export const smsEventTypes: Readonly<Record<EventFormat, SmsEventTypes>> = {
  pinpoint: {
    prefixes: ["_SMS."],
    kinds: new Map<string, EventKind>([
      ["_SMS.BUFFERED", "in-progress"],
      // These two stand in older texts only.
      ["_SMS.SEND", "in-progress"],
      ["_SMS.RECEIVED", "in-progress"],
      ["_SMS.SUCCESS", "success"],
      ["_SMS.FAILURE", "failure"],
      ["_SMS.OPTOUT", "opt-out"],
    ]),
  },
  "end-user-messaging": {
    prefixes: ["TEXT_", "RCS_"],
    kinds: new Map<string, EventKind>([
      ...statusesOf("end-user-messaging").map(
        (status) => [`TEXT_${status}`, statusClasses[eventStatuses[status].class].kind] as const,
      ),
      ...rcsEventTypes,
    ]),
  },
};

const prefixed = (prefix: string, names: string): string[] => names.split(" ").map((name) => prefix + name);

/**
 * The documented types of each event format's events that are about no SMS. Listed only to keep them away from the
 * functions, which recognize every other by its prefix.
 */
export const otherEventTypes: Readonly<Record<EventFormat, readonly string[]>> = {
  pinpoint: [
    ...prefixed(
      "_email.",
      "send delivered rejected hardbounce softbounce complaint open click unsubscribe rendering_failure",
    ),
    ...prefixed("_campaign.", "send opened_notification received_foreground received_background"),
    ...prefixed("_journey.", "send opened_notification received_foreground received_background"),
    ...prefixed("_session.", "start stop pause resume"),
  ],
  // As the `EventType` of the service's SDK lists them; a test compares.
  "end-user-messaging": [
    ...prefixed(
      "MEDIA_",
      "BLOCKED CARRIER_BLOCKED CARRIER_UNREACHABLE DELIVERED FILE_INACCESSIBLE FILE_SIZE_EXCEEDED " +
        "FILE_TYPE_UNSUPPORTED INVALID INVALID_MESSAGE PENDING QUEUED SPAM SUCCESSFUL TTL_EXPIRED UNKNOWN UNREACHABLE",
    ),
    ...prefixed("VOICE_", "ANSWERED BUSY COMPLETED FAILED INITIATED NO_ANSWER RINGING TTL_EXPIRED"),
  ],
};
