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
} from "./core/event-types.ts";

/** `all`: record every delivery. `retried`: only where one ends a series. `none`: never look at successes. */
export const trackDeliveriesValues = ["all", "retried", "none"] as const;

/** How much of the successes the system looks at; see {@link trackDeliveriesValues}. */
export type TrackDeliveries = (typeof trackDeliveriesValues)[number];

/**
 * The filter patterns, one JSON text per dialect (Pinpoint, then End User Messaging); a record that matches
 * any of them reaches the function.
 *
 * A Pinpoint event of another project is filtered out. One that names no project passes: `exists` looks at leaves, so
 * it also matches where the whole `application` is missing, and it may stand in one list with a value.
 *
 * @param pinpointApplicationId the project whose events are ours, or what stands for it until Terraform knows it
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 * @see https://github.com/aws/event-ruler the matcher behind event source mappings; its tests have such lists
 */
export function eventFilterPatterns(
  trackDeliveries: TrackDeliveries,
  pinpointApplicationId: string,
): readonly [string, string] {
  const withSuccesses = trackDeliveries !== "none";
  return [
    JSON.stringify({
      data: {
        event_type: [...pinpoint.failure, ...pinpoint.optOut, ...(withSuccesses ? pinpoint.success : [])],
        application: { app_id: [{ exists: false }, pinpointApplicationId] },
      },
    }),
    JSON.stringify({
      data: { eventType: [...endUserMessaging.failure, ...(withSuccesses ? endUserMessaging.success : [])] },
    }),
  ];
}
