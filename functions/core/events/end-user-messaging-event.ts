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

const { prefix, kinds } = smsEventTypes["end-user-messaging"];

function kindOf(eventType: string, isFinal: boolean | undefined): EventKind {
  const kind = kinds.get(eventType) ?? "unrecognized";
  const isStillOpen = statusFacts(eventType.slice(prefix.length))?.needsFinalFlag && isFinal !== true;
  return isFinal === false || isStillOpen ? "in-progress" : kind;
}

/** Reads an object with an `eventType` as an End User Messaging event; see {@link parseDeliveryEvent}. */
export function parseEndUserMessagingEvent(value: Record<string, unknown>): ParsedEvent {
  const parsed = v.safeParse(endUserMessagingEvent, value);
  if (!parsed.success) return { type: "malformed", problem: "eventType is not a text" };
  const { eventType, isFinal, messageId, eventTimestamp, messageRequestTimestamp } = parsed.output;
  const { destinationPhoneNumber, originationPhoneNumber } = parsed.output;
  if (!eventType.startsWith(prefix)) return { type: "not-sms" };

  const ownContext = readOwnContext(parsed.output.context);
  const messageType = messageTypeOf(parsed.output.messageType);
  const event: DeliveryEvent = {
    format: "end-user-messaging",
    kind: kindOf(eventType, isFinal),
    // The type, not `messageStatus`: AWS lists the types, of the statuses it shows only three.
    status: eventType.slice(prefix.length),
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
