/**
 * The types of delivery events by what they say, in both event formats: for the parsers, and for the filter in front
 * of them, which must not know fewer.
 *
 * @see https://docs.aws.amazon.com/pinpoint/latest/developerguide/event-streams-data-sms.html
 * @see https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-types.html
 */

/** `event_type` of Pinpoint's events; `_SMS.SEND` and `_SMS.RECEIVED` stand in older texts only. */
export const pinpointEventTypes = {
  inProgress: ["_SMS.BUFFERED", "_SMS.SEND", "_SMS.RECEIVED"],
  success: ["_SMS.SUCCESS"],
  failure: ["_SMS.FAILURE"],
  optOut: ["_SMS.OPTOUT"],
} as const;

/** `eventType` of End User Messaging's text events. */
export const endUserMessagingEventTypes = {
  inProgress: ["TEXT_QUEUED", "TEXT_PENDING", "TEXT_SENT"],
  success: ["TEXT_DELIVERED", "TEXT_SUCCESSFUL"],
  failure: [
    "TEXT_UNREACHABLE",
    "TEXT_CARRIER_UNREACHABLE",
    "TEXT_UNKNOWN",
    "TEXT_TTL_EXPIRED",
    "TEXT_INVALID",
    "TEXT_INVALID_MESSAGE",
    "TEXT_BLOCKED",
    "TEXT_CARRIER_BLOCKED",
    "TEXT_SPAM",
    "TEXT_PROTECT_BLOCKED",
  ],
} as const;

/** Whether a type is among these. */
export function isOneOf(types: readonly string[], type: string): boolean {
  return types.includes(type);
}
