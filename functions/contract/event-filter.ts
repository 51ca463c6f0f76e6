/**
 * Which delivery events are worth an invocation: the filter patterns of the Kinesis event source mapping.
 *
 * They stand beside the functions because a filter and the parser behind it must agree about the types; the stacks put
 * them into Terraform and the local run applies them as Lambda would. Filtered records cost nothing and never reach a
 * function: in-progress events, other channels and projects, and records that are not JSON (Lambda drops those in
 * silence; the archive keeps them).
 *
 * A filter names what it keeps away, and lets every other type through: one that nobody has listed yet must reach the
 * function, which counts it as unrecognized. A prefix could not do that, because Lambda has no "begins with, but is none
 * of these" for one key. So records of another producer that have a key of the same name reach the function too, which
 * counts them as `NotSms` and does nothing else.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis-filtering.html
 */
import { type EventFormat, otherEventTypes, smsEventTypes } from "../core/events/statuses.ts";
import type { TrackDeliveries } from "./guarantees.ts";

/**
 * The filter patterns, each a JSON text; a record that matches any of them reaches the function. Pinpoint events of
 * our project, Pinpoint events that name no project, events of End User Messaging.
 *
 * A Pinpoint event of another project is filtered out. `exists` looks at leaves, so it also matches where the whole
 * `application` is missing; it has a pattern of its own, because Lambda's pages show no list that mixes it with values.
 *
 * @param pinpointApplicationId the project whose events are ours, or what stands for it until Terraform knows it
 * @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
 */
export function eventFilterPatterns(
  trackDeliveries: TrackDeliveries,
  pinpointApplicationId: string,
): readonly [string, string, string] {
  const worthInvoking = (format: EventFormat): readonly [object] => [
    { "anything-but": typesKeptAway(format, trackDeliveries) },
  ];
  const ofPinpoint = (appId: string | { readonly exists: false }): string =>
    JSON.stringify({ data: { event_type: worthInvoking("pinpoint"), application: { app_id: [appId] } } });
  return [
    ofPinpoint(pinpointApplicationId),
    ofPinpoint({ exists: false }),
    JSON.stringify({ data: { eventType: worthInvoking("end-user-messaging") } }),
  ];
}

function typesKeptAway(format: EventFormat, trackDeliveries: TrackDeliveries): string[] {
  const ofSms = [...smsEventTypes[format].kinds].filter(
    ([, kind]) => kind === "in-progress" || (kind === "success" && trackDeliveries === "none"),
  );
  return [...ofSms.map(([type]) => type), ...otherEventTypes[format]];
}
