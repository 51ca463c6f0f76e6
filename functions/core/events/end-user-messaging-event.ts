/**
 * The End User Messaging (v2) event format of delivery events.
 *
 * @see https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-format.html
 */
import * as v from "valibot";
import { type DeliveryEvent, messageTypeOf, type ParsedEvent } from "./delivery-event.ts";
import { originationPattern } from "./origination.ts";
import { isReadableText, readContext, readOwnContext } from "./send-context.ts";
import { type EventKind, smsEventTypes, statusFacts } from "./statuses.ts";

const optionalText = v.fallback(
  v.optional(v.pipe(v.string(), v.nonEmpty(), v.check(isReadableText))),
  undefined,
);
const optionalMilliseconds = v.fallback(v.optional(v.pipe(v.number(), v.finite())), undefined);

const endUserMessagingEvent = v.object({
  eventType: v.string(),
  eventTimestamp: optionalMilliseconds,
  messageRequestTimestamp: optionalMilliseconds,
  isFinal: v.fallback(v.optional(v.boolean()), undefined),
  messageId: optionalText,
  destinationPhoneNumber: optionalText,
  originationPhoneNumber: v.fallback(v.optional(v.pipe(v.string(), v.regex(originationPattern))), undefined),
  messageType: optionalText,
  messageStatus: optionalText,
  context: v.optional(v.unknown()),
});

const { prefixes, kinds } = smsEventTypes["end-user-messaging"];

/** What is known of an event besides its type. */
interface KindFacts {
  readonly status: string;
  readonly isFinal: boolean | undefined;
  /** Whether the service says that an SMS follows. */
  readonly fallsBack: boolean;
}

function kindOf(eventType: string, { status, isFinal, fallsBack }: KindFacts): EventKind {
  const kind = kinds.get(eventType) ?? "unrecognized";
  // A delivered RCS message may still be read, so that its event need not be the last one.
  if (eventType.startsWith(rcsPrefix) && kind === "success") return kind;
  const isStillOpen = statusFacts(status)?.needsFinalFlag && isFinal !== true;
  return isFinal === false || isStillOpen || (fallsBack && kind === "failure") ? "in-progress" : kind;
}

const rcsPrefix = "RCS_";

/**
 * Whether an RCS event announces that the same message goes out as an SMS. AWS describes such events, and no source shows
 * how a field of theirs is spelled: any field that is named after the fallback and is not empty counts. A failure that is
 * not final announces one, too.
 */
function announcesFallback(eventType: string, value: Record<string, unknown>): boolean {
  if (!eventType.startsWith(rcsPrefix)) return false;
  return Object.entries(value).some(
    ([key, said]) =>
      /^fall_?back/i.test(key) && !emptyFallbacks.has(typeof said === "string" ? said.toUpperCase() : said),
  );
}

const emptyFallbacks: ReadonlySet<unknown> = new Set([undefined, null, false, "", "NONE", "FALSE"]);

/** Reads an object with an `eventType` as an End User Messaging event; see {@link parseDeliveryEvent}. */
export function parseEndUserMessagingEvent(value: Record<string, unknown>): ParsedEvent {
  const parsed = v.safeParse(endUserMessagingEvent, value);
  if (!parsed.success) return { type: "malformed", problem: "eventType is not a text" };
  const { eventType, isFinal, messageId, eventTimestamp, messageRequestTimestamp } = parsed.output;
  const { destinationPhoneNumber, originationPhoneNumber } = parsed.output;
  const prefix = prefixes.find((each) => eventType.startsWith(each));
  if (prefix === undefined) return { type: "not-sms" };
  const status = eventType.slice(prefix.length);

  const ownContext = readOwnContext(parsed.output.context);
  const messageType = messageTypeOf(parsed.output.messageType);
  const event: DeliveryEvent = {
    format: "end-user-messaging",
    kind: kindOf(eventType, { status, isFinal, fallsBack: announcesFallback(eventType, value) }),
    // The type, not `messageStatus`: AWS lists the types, of the statuses it shows only three.
    status,
    ...(messageId !== undefined && { messageId }),
    ...readContext(parsed.output.context),
    ...(destinationPhoneNumber !== undefined && { destinationNumber: destinationPhoneNumber }),
    ...(messageType !== undefined && { messageType }),
    ...(originationPhoneNumber !== undefined && { origination: originationPhoneNumber }),
    ...(ownContext !== undefined && { ownContext }),
    ...(eventTimestamp !== undefined && { occurredAt: eventTimestamp / 1000 }),
    ...(messageRequestTimestamp !== undefined && { requestedAt: messageRequestTimestamp / 1000 }),
  };
  return { type: "sms", event };
}
