/** What the delivery events come through. */
import type { SmsService } from "../functions/contract/environment.ts";

/** The event sources that a local run can have. */
export const eventSources = ["kinesis", "firehose", "sns"] as const;

/** See {@link eventSources}. */
export type EventSource = (typeof eventSources)[number];

/**
 * Where each service can put its events, the default first: Pinpoint has one event stream, and an event destination of End
 * User Messaging is a topic or a Firehose stream, but no Kinesis stream.
 *
 * @see https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-destinations.html
 */
export const eventSourcesOf: Readonly<Record<SmsService, readonly [EventSource, ...EventSource[]]>> = {
  pinpoint: ["kinesis", "firehose"],
  "end-user-messaging": ["sns", "firehose"],
};
