/** What the delivery events can come through. */
export const eventSources = ["kinesis", "firehose"] as const;

/** See {@link eventSources}. */
export type EventSource = (typeof eventSources)[number];
