/**
 * Which events a configuration set of End User Messaging sends to the topic: the `MatchingEventTypes` of its SNS destination.
 *
 * It is the filter of that way in: what does not match costs nothing and wakes no function. Unlike the filter in front of a
 * Kinesis stream it can only name what it lets through, so a type that nobody has listed yet reaches the archive alone.
 *
 * @see https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-types.html
 */
import { smsEventTypes } from "../core/events/statuses.ts";
import type { TrackDeliveries } from "./guarantees.ts";

/** What the archive gets: every event of a text message, and of one that became an RCS message. */
export const archivedEventTypes = ["TEXT_ALL", "RCS_ALL"] as const;

/**
 * The types that can change the state of a message, in the order of the table of statuses: failures, and successes unless
 * nobody looks at them. Events in progress are left out: they say nothing yet, and the service takes `TEXT_SENT` in no list.
 */
export function matchingEventTypes(trackDeliveries: TrackDeliveries): string[] {
  return [...smsEventTypes["end-user-messaging"].kinds].flatMap(([type, kind]) => {
    const isWanted =
      kind === "failure" || kind === "opt-out" || (kind === "success" && trackDeliveries !== "none");
    return isWanted ? [type] : [];
  });
}
