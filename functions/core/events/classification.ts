/** What a delivery event means for the message, by the table in `statuses.ts` and the deployment's own wishes. */
import type { DeliveryEvent } from "./delivery-event.ts";
import { canonicalStatus, statusClasses, statusFacts } from "./statuses.ts";

/**
 * What an event means for its message. `unrecognized`: a failure with a status that nobody has listed;
 * `unrecognized-type`: an event of a type that nobody has listed, which may be no failure at all.
 */
export const eventClasses = [
  "in-progress",
  "delivered",
  "retryable",
  "permanent",
  "opted-out",
  "unrecognized",
  "unrecognized-type",
] as const;

/** See {@link eventClasses}. */
export type EventClass = (typeof eventClasses)[number];

/**
 * Classifies an event.
 *
 * @param retryableStatuses the deployment's `retryable_statuses`, in canonical spelling; among failures it has the last
 *   word, but an opt-out is never retried
 */
export function classify(event: DeliveryEvent, retryableStatuses: ReadonlySet<string>): EventClass {
  switch (event.kind) {
    case "in-progress":
      return "in-progress";
    case "success":
      return "delivered";
    case "opt-out":
      return "opted-out";
    case "unrecognized":
      return "unrecognized-type";
    case "failure":
      return classifyFailure(event.status, retryableStatuses);
  }
}

function classifyFailure(status: string, retryableStatuses: ReadonlySet<string>): EventClass {
  const facts = statusFacts(status);
  if (facts?.class === "opted-out") return "opted-out";
  if (retryableStatuses.has(canonicalStatus(status))) return "retryable";
  return facts !== undefined && statusClasses[facts.class].kind === "failure" ? "permanent" : "unrecognized";
}

/**
 * A status that may stand in a log line or an item: the service's own words are upper-case constants, and
 * free text could hold a phone number.
 */
export function loggableStatus(status: string): string {
  return /^[A-Z][A-Z_]{0,63}$/.test(status) ? status : "FREE_TEXT";
}
