/**
 * What a delivery event means for the message: the only place that knows the statuses by name.
 *
 * | status | class |
 * |---|---|
 * | `retryable_statuses` of the deployment (default `UNREACHABLE`, `UNKNOWN`, `CARRIER_UNREACHABLE`, `TTL_EXPIRED`; `EXPIRED` is an alias of the last) | retryable |
 * | `INVALID`, `INVALID_MESSAGE`, `BLOCKED`, `CARRIER_BLOCKED`, `SPAM`, `PROTECT_BLOCKED`, `MAX_PRICE_EXCEEDED`, and the retryable ones where a deployment leaves them out | permanent |
 * | `OPTOUT`, `OPTED_OUT` | opted-out |
 * | anything else in a failure | unrecognized |
 *
 * @see https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-types.html
 */
import type { DeliveryEvent } from "./delivery-event.ts";

/** What an event means for its message. */
export const eventClasses = [
  "in-progress",
  "delivered",
  "retryable",
  "permanent",
  "opted-out",
  "unrecognized",
] as const;

/** See {@link eventClasses}. */
export type EventClass = (typeof eventClasses)[number];

/** The statuses that AWS and its blog post call worth another try. */
export const defaultRetryableStatuses: readonly string[] = [
  "UNREACHABLE",
  "UNKNOWN",
  "CARRIER_UNREACHABLE",
  "TTL_EXPIRED",
];

const permanentStatuses: ReadonlySet<string> = new Set([
  ...defaultRetryableStatuses,
  "INVALID",
  "INVALID_MESSAGE",
  "BLOCKED",
  "CARRIER_BLOCKED",
  "SPAM",
  "PROTECT_BLOCKED",
  "MAX_PRICE_EXCEEDED",
]);

const optOutStatuses: ReadonlySet<string> = new Set(["OPTOUT", "OPTED_OUT"]);

/** The spelling that the rest of the code uses: `EXPIRED`, seen in texts about v1, is `TTL_EXPIRED`. */
export function canonicalStatus(status: string): string {
  return status === "EXPIRED" ? "TTL_EXPIRED" : status;
}

/**
 * Classifies an event.
 *
 * @param retryableStatuses the deployment's `retryable_statuses`, in canonical spelling; it has the last
 *   word, so that a test deployment can retry `BLOCKED`, which AWS's simulator numbers are said to emit
 */
export function classify(event: DeliveryEvent, retryableStatuses: ReadonlySet<string>): EventClass {
  const status = canonicalStatus(event.status);
  switch (event.kind) {
    case "in-progress":
      return "in-progress";
    case "success":
      return "delivered";
    case "opt-out":
      return "opted-out";
    case "unrecognized":
      return "unrecognized";
    case "failure":
      if (optOutStatuses.has(status)) return "opted-out";
      if (retryableStatuses.has(status)) return "retryable";
      return permanentStatuses.has(status) ? "permanent" : "unrecognized";
  }
}

/**
 * A status that may stand in a log line or an item: the service's own words are upper-case constants, and
 * free text could hold a phone number.
 */
export function loggableStatus(status: string): string {
  return /^[A-Z][A-Z_]{0,63}$/.test(status) ? status : "FREE_TEXT";
}
