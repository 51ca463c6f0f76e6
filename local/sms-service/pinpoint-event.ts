/**
 * Delivery events in Pinpoint's (v1) format, in the full shape of real ones.
 *
 * @see https://docs.aws.amazon.com/pinpoint/latest/developerguide/event-streams-data-sms.html
 */
import type { MessageType } from "../../functions/core/events/delivery-event.ts";
import { smsEventTypes } from "../../functions/core/events/statuses.ts";
import type { PlannedEvent } from "./carrier.ts";

/** What an event says about a send. */
export interface PinpointEventFacts {
  readonly applicationId: string;
  readonly accountId: string;
  readonly kind: PlannedEvent["kind"];
  readonly status: string;
  readonly messageId: string;
  /** Id of the request, `sender_request_id`. */
  readonly requestId: string;
  readonly destination: string;
  /** Number or sender id that the message came from. */
  readonly origination: string;
  readonly messageType: MessageType;
  readonly messageParts: number;
  /** The request's `Context`; absent where it had none. */
  readonly context?: Readonly<Record<string, string>>;
  /** When it happened and when it reached the event stream, epoch milliseconds. */
  readonly occurredAt: number;
  readonly arrivedAt: number;
}

/** The type of an event: the first that says this. */
function eventTypeOf(kind: PlannedEvent["kind"]): string | undefined {
  const said = kind === "buffered" ? "in-progress" : kind;
  return [...smsEventTypes.pinpoint.kinds].find(([, saidByType]) => saidByType === said)?.[0];
}

/** Price of one message part to the US in the examples of AWS's pages, in thousandths of a cent. */
const pricePerPart = 645;

/** The event as the object that Pinpoint writes as JSON. Attributes are texts, also the numbers. */
export function pinpointEvent(facts: PinpointEventFacts): object {
  return {
    event_type: eventTypeOf(facts.kind),
    event_timestamp: facts.occurredAt,
    arrival_timestamp: facts.arrivedAt,
    event_version: "3.1",
    application: { app_id: facts.applicationId, sdk: {} },
    client: { client_id: facts.requestId },
    device: { platform: {} },
    session: {},
    attributes: {
      sender_request_id: facts.requestId,
      origination_phone_number: facts.origination,
      destination_phone_number: facts.destination,
      record_status: facts.status,
      iso_country_code: "US",
      mcc_mnc: "310260",
      treatment_id: "0",
      number_of_message_parts: String(facts.messageParts),
      message_id: facts.messageId,
      message_type: facts.messageType === "TRANSACTIONAL" ? "Transactional" : "Promotional",
      ...(facts.context !== undefined && { customer_context: JSON.stringify(facts.context) }),
    },
    // Documented as absent while the message is buffered.
    metrics: facts.kind === "buffered" ? {} : { price_in_millicents_usd: pricePerPart * facts.messageParts },
    awsAccountId: facts.accountId,
  };
}
