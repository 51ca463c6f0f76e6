/**
 * The Pinpoint (v1) event format of delivery events.
 *
 * @see https://docs.aws.amazon.com/pinpoint/latest/developerguide/event-streams-data-sms.html
 */
import * as v from "valibot";
import { type DeliveryEvent, messageTypeOf, type ParsedEvent } from "./delivery-event.ts";
import { originationPattern } from "./origination.ts";
import { isReadableText, readContext, readOwnContext } from "./send-context.ts";
import { smsEventTypes } from "./statuses.ts";

/** A value of another type than documented counts as absent: it must not cost us the rest of the event. */
const optionalText = v.fallback(
  v.optional(v.pipe(v.string(), v.nonEmpty(), v.check(isReadableText))),
  undefined,
);
const optionalMilliseconds = v.fallback(v.optional(v.pipe(v.number(), v.finite())), undefined);

const pinpointEvent = v.object({
  event_type: v.string(),
  event_timestamp: optionalMilliseconds,
  application: v.fallback(v.optional(v.object({ app_id: optionalText })), undefined),
  attributes: v.fallback(
    v.object({
      message_id: optionalText,
      destination_phone_number: optionalText,
      origination_phone_number: v.fallback(
        v.optional(v.pipe(v.string(), v.regex(originationPattern))),
        undefined,
      ),
      record_status: optionalText,
      message_type: optionalText,
      customer_context: v.optional(v.unknown()),
    }),
    {},
  ),
});

const { prefixes, kinds } = smsEventTypes.pinpoint;

/** Reads an object with an `event_type` as a Pinpoint event; see {@link parseDeliveryEvent}. */
export function parsePinpointEvent(value: Record<string, unknown>): ParsedEvent {
  const parsed = v.safeParse(pinpointEvent, value);
  if (!parsed.success) return { type: "malformed", problem: "event_type is not a text" };
  const { event_type: type, event_timestamp: timestamp, application, attributes } = parsed.output;
  const prefix = prefixes.find((each) => type.startsWith(each));
  if (prefix === undefined) return { type: "not-sms" };

  const ownContext = readOwnContext(attributes.customer_context);
  const messageType = messageTypeOf(attributes.message_type);
  const kind = kinds.get(type) ?? "unrecognized";
  const name = type.slice(prefix.length);
  const event: DeliveryEvent = {
    format: "pinpoint",
    kind,
    // Of a type that nobody has listed, its own name is what has to be told.
    status: kind === "unrecognized" ? name : (attributes.record_status ?? name),
    ...(attributes.message_id !== undefined && { messageId: attributes.message_id }),
    ...readContext(attributes.customer_context),
    ...(attributes.destination_phone_number !== undefined && {
      destinationNumber: attributes.destination_phone_number,
    }),
    ...(messageType !== undefined && { messageType }),
    ...(attributes.origination_phone_number !== undefined && {
      origination: attributes.origination_phone_number,
    }),
    ...(ownContext !== undefined && { ownContext }),
    ...(timestamp !== undefined && { occurredAt: timestamp / 1000 }),
  };
  const pinpointApplicationId = application?.app_id;
  return { type: "sms", event, ...(pinpointApplicationId !== undefined && { pinpointApplicationId }) };
}
