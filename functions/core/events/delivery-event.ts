/**
 * The normal form of a delivery event: what the SMS service says about one attempt, in either event format.
 *
 * Everything but the type is optional, because real events lack documented attributes (a captured `_SMS.FAILURE` had a
 * sentence as status and neither number nor message type).
 */
import * as v from "valibot";
import { originationPattern } from "./origination.ts";
import { eventFormats, eventKinds } from "./statuses.ts";

/** How the service treats a message; only `TRANSACTIONAL` is meant for one-time passwords and notices. */
export const messageTypes = ["TRANSACTIONAL", "PROMOTIONAL"] as const;

/** See {@link messageTypes}. */
export type MessageType = (typeof messageTypes)[number];

/** The message type that an event names, in any case; `undefined` where it names none that is known. */
export function messageTypeOf(text: string | undefined): MessageType | undefined {
  return messageTypes.find((type) => type === text?.toUpperCase());
}

const text = v.pipe(v.string(), v.nonEmpty());

/** One delivery event in the normal form, as it is written into the retry queue and read from there. */
export const deliveryEvent = v.pipe(
  v.object({
    format: v.picklist(eventFormats),
    kind: v.picklist(eventKinds),
    /** The service's word for what happened, e.g. `UNREACHABLE`; free text occurs. */
    status: v.string(),
    /** The service's id of the attempt. */
    messageId: v.exactOptional(text),
    /** From the context of the send; absent where the application gave none. */
    applicationMessageId: v.exactOptional(text),
    /** The retry tag: number of the attempt. Absent on the application's own sends. */
    attempt: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(0))),
    destinationNumber: v.exactOptional(text),
    messageType: v.exactOptional(v.picklist(messageTypes)),
    /** Number, short code or sender id that the message came from. */
    origination: v.exactOptional(v.pipe(v.string(), v.regex(originationPattern))),
    /** The application's own entries of the context. They may be personal data as well. */
    ownContext: v.exactOptional(v.pipe(v.record(v.string(), v.string()), v.readonly())),
    /** When the event happened by the service's clock, epoch seconds. */
    occurredAt: v.exactOptional(v.number()),
    /** When the send was requested by the service's clock, epoch seconds; only End User Messaging tells. */
    requestedAt: v.exactOptional(v.number()),
  }),
  v.readonly(),
);

/** See {@link deliveryEvent}. Numbers in it are personal data: never log an event. */
export type DeliveryEvent = v.InferOutput<typeof deliveryEvent>;

/** What became of a piece of data: an SMS event, something else that passes through, or nothing readable. */
export type ParsedEvent =
  | {
      readonly type: "sms";
      readonly event: DeliveryEvent;
      /** The Pinpoint project (application) that the message was sent through; absent where the event names none. */
      readonly pinpointApplicationId?: string;
    }
  | { readonly type: "not-sms" }
  | { readonly type: "malformed"; readonly problem: string };
