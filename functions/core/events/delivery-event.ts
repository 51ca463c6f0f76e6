/**
 * The normal form of a delivery event: what the SMS service says about one attempt, in either event format.
 *
 * The event formats are told apart by their keys: Pinpoint writes `event_type`, End User Messaging `eventType`.
 * Everything but the type is optional, because real events lack documented attributes (a captured
 * `_SMS.FAILURE` had a sentence as status and neither number nor message type).
 */

/** The API family that an event, or a send, belongs to. */
export type EventFormat = "pinpoint" | "end-user-messaging";

/** What kind of statement an event makes, before its status is looked at. */
export type EventKind = "in-progress" | "success" | "failure" | "opt-out" | "unrecognized";

/** One delivery event in the normal form. Numbers in it are personal data: never log an event. */
export interface DeliveryEvent {
  readonly format: EventFormat;
  readonly kind: EventKind;
  /** The service's word for what happened, e.g. `UNREACHABLE`; free text occurs. */
  readonly status: string;
  /** The service's id of the attempt. */
  readonly messageId?: string;
  /** From the context of the send; absent where the application gave none. */
  readonly applicationMessageId?: string;
  /** The retry tag: number of the attempt. Absent on the application's own sends. */
  readonly attempt?: number;
  readonly destinationNumber?: string;
  readonly messageType?: "TRANSACTIONAL" | "PROMOTIONAL";
  /** Number, short code or sender id that the message came from. */
  readonly origination?: string;
  /** The application's own entries of the context. They may be personal data as well. */
  readonly ownContext?: Readonly<Record<string, string>>;
  /** When the event happened by the service's clock, epoch seconds. */
  readonly occurredAt?: number;
  /** When the send was requested by the service's clock, epoch seconds; only End User Messaging tells. */
  readonly requestedAt?: number;
}

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
