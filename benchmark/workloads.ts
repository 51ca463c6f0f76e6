/** What the handlers are given: delivery events of many messages as their event sources hand them over, and the items. */
import { accountId } from "../local/aws-clients.ts";
import type { PlannedEvent } from "../local/sms-service/carrier.ts";
import { pinpointEvent } from "../local/sms-service/pinpoint-event.ts";

/** The Pinpoint project of all events. */
export const applicationId = "0123456789abcdef0123456789abcdef";

/** The identity that all messages are sent from. */
const origination = "+12065550100";

/** What an event tells. */
export interface EventFacts {
  /** Of the message; also its number in the event's ids. */
  readonly id: string;
  readonly kind: PlannedEvent["kind"];
  /** The retry tag; absent = a send of the application itself, without a tag. */
  readonly attempt?: number;
}

const statuses = {
  failure: "UNREACHABLE",
  success: "DELIVERED",
  buffered: "PENDING",
  "opt-out": "OPTED_OUT",
} as const;

function eventOf({ id, kind, attempt }: EventFacts): object {
  const now = Date.now();
  return pinpointEvent({
    applicationId,
    accountId,
    kind,
    status: statuses[kind],
    messageId: `${id}-${attempt ?? 0}`,
    requestId: `request-${id}`,
    destination: "+14254147755",
    origination,
    messageType: "TRANSACTIONAL",
    messageParts: 2,
    context: {
      application_message_id: id,
      ...(attempt !== undefined && { retry_attempt: String(attempt) }),
    },
    occurredAt: now,
    arrivedAt: now,
  });
}

const base64 = (event: object): string => Buffer.from(JSON.stringify(event)).toString("base64");

/** Events as Lambda's event source mapping of Kinesis hands them over. */
export function kinesisBatch(events: readonly EventFacts[]): object {
  return {
    Records: events.map((event, index) => ({
      eventID: `shardId-000000000000:${index}`,
      eventSource: "aws:kinesis",
      kinesis: { sequenceNumber: String(index), partitionKey: event.id, data: base64(eventOf(event)) },
    })),
  };
}

/** Events as the queue behind an SNS topic hands them over. */
export function snsBatch(events: readonly EventFacts[]): object {
  return {
    Records: events.map((event, index) => ({
      messageId: String(index),
      body: JSON.stringify(eventOf(event)),
    })),
  };
}

/** Events as a Firehose stream hands them to its transformation. */
export function firehoseBatch(events: readonly EventFacts[]): object {
  return {
    invocationId: "benchmark",
    deliveryStreamArn: `arn:aws:firehose:eu-west-1:${accountId}:deliverystream/events`,
    region: "eu-west-1",
    records: events.map((event, index) => ({
      recordId: String(index),
      approximateArrivalTimestamp: Date.now(),
      data: base64(eventOf(event)),
    })),
  };
}

/** Messages of the retry queue as Lambda's event source mapping hands them over. */
export function queueBatch(bodies: readonly string[]): object {
  return {
    Records: bodies.map((body, index) => ({
      messageId: String(index),
      body,
      attributes: { ApproximateReceiveCount: "1" },
    })),
  };
}

/** An item as an application writes it, with a body of two parts. */
export function applicationItem(id: string): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000);
  return {
    application_message_id: id,
    message_body: "Your parcel arrives today between two and three in the afternoon. "
      .repeat(3)
      .slice(0, 160),
    created_at: now - 30,
    deadline: now + 3_600,
    expires_at: now + 349_200,
  };
}

/** What the function `produce` is asked for. */
export const produceEvent = {
  origination_number: origination,
  destination_number: "+14254147755",
  message_body: "Hello",
  validity_seconds: 600,
};

let made = 0;

/** Ids of messages that no other part of the benchmark has. */
export function newIds(count: number): string[] {
  made += count;
  return Array.from({ length: count }, (_, index) => `order-${String(made - index).padStart(8, "0")}`);
}
