/**
 * The End User Messaging (v2) event format of delivery events.
 *
 * @see https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-format.html
 */
import * as v from "valibot";
import type { DeliveryEvent, EventKind, ParsedEvent } from "./delivery-event.ts";
import { isOneOf, endUserMessagingEventTypes as types } from "./event-types.ts";
import { originationPattern } from "./origination.ts";
import { isReadableText, readContext, readOwnContext } from "./send-context.ts";

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

function kindOf(type: string, isFinal: boolean | undefined): EventKind {
  if (isOneOf(types.inProgress, type)) return "in-progress";
  // A long code says SUCCESSFUL when the carrier has accepted the message and may still report a failure;
  // a short code's SUCCESSFUL is final. Only the flag tells them apart.
  if (type === "TEXT_SUCCESSFUL") return isFinal === true ? "success" : "in-progress";
  if (isFinal === false) return "in-progress";
  if (isOneOf(types.success, type)) return "success";
  if (isOneOf(types.failure, type)) return "failure";
  return "unrecognized";
}

/** Reads an object with an `eventType` as an End User Messaging event; see {@link parseDeliveryEvent}. */
export function parseEndUserMessagingEvent(value: Record<string, unknown>): ParsedEvent {
  const parsed = v.safeParse(endUserMessagingEvent, value);
  if (!parsed.success) return { type: "malformed", problem: "eventType is not a text" };
  const { eventType, isFinal, messageId, eventTimestamp, messageRequestTimestamp } = parsed.output;
  const { destinationPhoneNumber, originationPhoneNumber } = parsed.output;
  if (!eventType.startsWith("TEXT_")) return { type: "not-sms" };

  const ownContext = readOwnContext(parsed.output.context);
  const messageType = parsed.output.messageType?.toUpperCase();
  const event: DeliveryEvent = {
    format: "end-user-messaging",
    kind: kindOf(eventType, isFinal),
    // The type, not `messageStatus`: AWS lists the types, of the statuses it shows only three.
    status: eventType.slice("TEXT_".length),
    ...(messageId !== undefined && { messageId }),
    ...readContext(parsed.output.context),
    ...(destinationPhoneNumber !== undefined && { destinationNumber: destinationPhoneNumber }),
    ...((messageType === "TRANSACTIONAL" || messageType === "PROMOTIONAL") && { messageType }),
    ...(originationPhoneNumber !== undefined && { origination: originationPhoneNumber }),
    ...(ownContext !== undefined && { ownContext }),
    ...(eventTimestamp !== undefined && { occurredAt: eventTimestamp / 1000 }),
    ...(messageRequestTimestamp !== undefined && { requestedAt: messageRequestTimestamp / 1000 }),
  };
  return { type: "sms", event };
}
