/**
 * Which delivery events are worth an invocation: the filter patterns of the Kinesis event source mapping.
 *
 * They stand beside the functions because a filter and the parser behind it must name the same event types;
 * the stacks put them into Terraform and the local run applies them as Lambda would. Filtered records cost
 * nothing and never reach a function: in-progress events, other channels and projects, and records that are not JSON
 * (Lambda drops those in silence; the archive keeps them).
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis-filtering.html
 */

import {
  endUserMessagingEventTypes as endUserMessaging,
  pinpointEventTypes as pinpoint,
} from "../core/events/event-types.ts";

/** `all`: record every delivery. `retried`: only where one ends a retry sequence. `none`: never look at successes. */
export const trackDeliveriesValues = ["all", "retried", "none"] as const;

/** How much of the successes the system looks at; see {@link trackDeliveriesValues}. */
export type TrackDeliveries = (typeof trackDeliveriesValues)[number];

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
  const withSuccesses = trackDeliveries !== "none";
  const ofPinpoint = (appId: string | { readonly exists: false }): string =>
    JSON.stringify({
      data: {
        event_type: [...pinpoint.failure, ...pinpoint.optOut, ...(withSuccesses ? pinpoint.success : [])],
        application: { app_id: [appId] },
      },
    });
  return [
    ofPinpoint(pinpointApplicationId),
    ofPinpoint({ exists: false }),
    JSON.stringify({
      data: { eventType: [...endUserMessaging.failure, ...(withSuccesses ? endUserMessaging.success : [])] },
    }),
  ];
}
