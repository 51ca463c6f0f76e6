/** The values of the inputs that say how much is promised: each is listed here, or in the core, and nowhere else. */

export { type DeliveryGuarantee, deliveryGuarantees } from "../core/message/message.ts";

/** `all`: record every delivery. `retried`: only where one ends a retry sequence. `none`: never look at successes. */
export const trackDeliveriesValues = ["all", "retried", "none"] as const;

/** How much of the successes the system looks at; see {@link trackDeliveriesValues}. */
export type TrackDeliveries = (typeof trackDeliveriesValues)[number];
