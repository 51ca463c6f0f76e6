/**
 * The environment contract between the stacks and the functions: which variables each function reads.
 *
 * A stack must set exactly the names listed for a function (the type {@link FunctionEnvironment} makes a
 * missing or an invented one a compile error), and `functions/settings.ts`, the only reader of
 * `process.env`, reads no other. Values are strings as Lambda hands them over; lists are JSON arrays; the
 * empty string stands for Terraform's `null`, because Lambda has no null.
 *
 * | name | value |
 * |---|---|
 * | `SMS_RETRY_VERSION` | version of this project, printed in every log line |
 * | `POWERTOOLS_SERVICE_NAME` | service dimension of logs and metrics, e.g. `consume-kinesis` |
 * | `POWERTOOLS_METRICS_NAMESPACE` | CloudWatch namespace of the metrics: the stack's `name_prefix` |
 * | `POWERTOOLS_LOG_LEVEL` | one of {@link logLevels} |
 * | `MESSAGE_TABLE_NAME` | name of the `message-state` table |
 * | `RETRY_QUEUE_URL`, `RETRY_QUEUE_ARN` | the retry queue |
 * | `SCHEDULE_GROUP_NAME`, `SCHEDULER_ROLE_ARN` | EventBridge Scheduler group and role for delays beyond 900 s |
 * | `RETRY_DEAD_LETTER_QUEUE_ARN` | where Scheduler puts what it cannot put on the retry queue |
 * | `FAILURE_BUCKET_NAME` | bucket that keeps malformed records, under `malformed/` |
 * | `FIREHOSE_DROP_RETRIED_EVENTS` | `true` or `false`: whether the event of a message that will be retried is kept out of the archive |
 * | `MAX_RETRIES` | integer from 0 to `highestMaxRetries`: retries after the application's own send |
 * | `RETRY_DELAYS_SECONDS` | JSON list of integers ≥ 0; the last repeats; 0 means at once |
 * | `RETRYABLE_STATUSES` | JSON list of statuses that `statuses.ts` allows |
 * | `MESSAGE_VALIDITY_SECONDS` | integer ≥ 1: age after which a message without a `deadline` is useless |
 * | `ENDED_MESSAGE_RETENTION_DAYS` | integer from 1 to 3650: how long an item is kept after its message has ended |
 * | `RECEIPT_TIMEOUT_SECONDS` | integer ≥ 0: age at which an accepted attempt without an event counts as failed; 0 = never |
 * | `TRACK_DELIVERIES`, `DELIVERY_GUARANTEE` | the values in `guarantees.ts` |
 * | `GATE_TABLE_NAME` | name of the `send-gates` table |
 * | `MAX_SENDS_PER_SECOND` | number > 0: ceiling of each origination identity, in message parts |
 * | `SEND_RATES` | JSON object: origination identity to its own ceiling, in message parts per second |
 * | `APPLICATION_SENDS_PER_SECOND` | number ≥ 0: what the application itself sends, taken off every ceiling |
 * | `SENDING_ENABLED` | `true` or `false`: whether anything is sent at all |
 * | `SMS_SERVICE` | `pinpoint` or `end-user-messaging`: what sends a message that names no service; see `smsServicesOf` |
 * | `PINPOINT_APPLICATION_ID` | Pinpoint project (application) id: what sends go through, and whose events are ours; empty = none, with `SMS_SERVICE` `end-user-messaging` alone |
 * | `ORIGINATION_NUMBER` | short form of `ORIGINATION_IDENTITIES`: identity of every retry; empty = as the original send |
 * | `ORIGINATION_IDENTITIES` | JSON list: identity of the first retry, of the second and so on, the last repeats; null in it = as the original send; not empty, it goes over `ORIGINATION_NUMBER` |
 * | `CONFIGURATION_SET_NAME` | End User Messaging, as are the five that follow: name or ARN of the configuration set of sends whose item names none; may be empty |
 * | `ATTEMPT_VALIDITY_SECONDS` | integer from 5 to 259,200: how long the service tries to hand one attempt over, if the deadline is no sooner |
 * | `MAX_PRICE` | US dollars for a part, with a point, or empty = no limit |
 * | `PROTECT_CONFIGURATION_ID` | id or ARN of the protect configuration, or empty = the account's |
 * | `MESSAGE_FEEDBACK_ENABLED` | `true` or `false`: whether the application will report which messages had their effect |
 * | `SHADOW_MODE` | `true` or `false`: whether retries are only counted and nothing is sent |
 * | `DEFAULT_DESTINATION_NUMBER`, `DEFAULT_MESSAGE_BODY` | what `produce` sends when its event names none; may be empty |
 */

import { defaultRetryableStatuses, type SmsService } from "../core/events/statuses.ts";
import type { DeliveryGuarantee, TrackDeliveries } from "./guarantees.ts";

export { highestMaxRetries } from "../core/events/send-context.ts";
export { type SmsService, smsServices } from "../core/events/statuses.ts";
export { maxPricePattern } from "../core/message/carried-attributes.ts";
export { attemptValiditySeconds } from "../core/sending/sms-sender.ts";

/** How much the functions can write into their logs, most first. */
export const logLevels = ["DEBUG", "INFO", "WARN", "ERROR"] as const;

/** See {@link logLevels}. */
export type LogLevel = (typeof logLevels)[number];

const everyFunction = [
  "SMS_RETRY_VERSION",
  "POWERTOOLS_SERVICE_NAME",
  "POWERTOOLS_METRICS_NAMESPACE",
  "POWERTOOLS_LOG_LEVEL",
] as const;

/** What handles an event, sends or produces: it changes messages, queues retries and knows the retry policy. */
const messageHandling = [
  "MESSAGE_TABLE_NAME",
  "RETRY_QUEUE_URL",
  "RETRY_QUEUE_ARN",
  "SCHEDULE_GROUP_NAME",
  "SCHEDULER_ROLE_ARN",
  "RETRY_DEAD_LETTER_QUEUE_ARN",
  "MAX_RETRIES",
  "RETRY_DELAYS_SECONDS",
  "RETRYABLE_STATUSES",
  "MESSAGE_VALIDITY_SECONDS",
  "RECEIPT_TIMEOUT_SECONDS",
  "ENDED_MESSAGE_RETENTION_DAYS",
  "TRACK_DELIVERIES",
  "SMS_SERVICE",
  "PINPOINT_APPLICATION_ID",
] as const;

/** What sends: it shares the ceilings of the origination identities. */
const sending = [
  "GATE_TABLE_NAME",
  "MAX_SENDS_PER_SECOND",
  "SEND_RATES",
  "APPLICATION_SENDS_PER_SECOND",
  "SENDING_ENABLED",
  "SHADOW_MODE",
  "DELIVERY_GUARANTEE",
  "ORIGINATION_NUMBER",
  "ORIGINATION_IDENTITIES",
  "CONFIGURATION_SET_NAME",
  "ATTEMPT_VALIDITY_SECONDS",
  "MAX_PRICE",
  "PROTECT_CONFIGURATION_ID",
  "MESSAGE_FEEDBACK_ENABLED",
] as const;

/** The variables that each function reads, by the name of its bundle in `dist/functions`. */
export const environmentNames = {
  "consume-kinesis": [...everyFunction, ...messageHandling, "FAILURE_BUCKET_NAME"],
  "consume-sns": [...everyFunction, ...messageHandling, "FAILURE_BUCKET_NAME"],
  "transform-firehose": [...everyFunction, ...messageHandling, "FIREHOSE_DROP_RETRIED_EVENTS", "SHADOW_MODE"],
  "attach-transformation": [...everyFunction],
  resend: [...everyFunction, ...messageHandling, ...sending],
  produce: [
    ...everyFunction,
    ...messageHandling,
    ...sending,
    "DEFAULT_DESTINATION_NUMBER",
    "DEFAULT_MESSAGE_BODY",
  ],
} as const;

/**
 * The defaults of the inputs that the functions read, by the names of their variables: the stacks declare them, and the
 * local run, the simulation and the tests deploy with them where they say nothing else.
 */
export const settingDefaults = {
  MAX_RETRIES: 3,
  RETRY_DELAYS_SECONDS: [60, 300, 900],
  RETRYABLE_STATUSES: defaultRetryableStatuses,
  MESSAGE_VALIDITY_SECONDS: 86_400,
  RECEIPT_TIMEOUT_SECONDS: 0,
  ENDED_MESSAGE_RETENTION_DAYS: 4,
  TRACK_DELIVERIES: "retried" satisfies TrackDeliveries,
  DELIVERY_GUARANTEE: "at-least-once" satisfies DeliveryGuarantee,
  MAX_SENDS_PER_SECOND: 10,
  SEND_RATES: {},
  APPLICATION_SENDS_PER_SECOND: 0,
  SENDING_ENABLED: true,
  SHADOW_MODE: false,
  SMS_SERVICE: "pinpoint" satisfies SmsService,
  ORIGINATION_NUMBER: null,
  ORIGINATION_IDENTITIES: [],
  CONFIGURATION_SET_NAME: null,
  ATTEMPT_VALIDITY_SECONDS: 900,
  MAX_PRICE: null,
  PROTECT_CONFIGURATION_ID: null,
  MESSAGE_FEEDBACK_ENABLED: false,
  DEFAULT_DESTINATION_NUMBER: null,
  DEFAULT_MESSAGE_BODY: null,
  FIREHOSE_DROP_RETRIED_EVENTS: true,
} as const satisfies Partial<Record<VariableName, unknown>>;

/** {@link settingDefaults} as Lambda hands them over. */
export const defaultEnvironment = Object.fromEntries(
  Object.entries(settingDefaults).map(([name, value]) => [name, variableText(value)]),
) as Record<keyof typeof settingDefaults, string>;

function variableText(value: unknown): string {
  if (value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Name of a variable that some function reads. */
export type VariableName = (typeof environmentNames)[FunctionName][number];

/** Name of a function: of its folder in `functions/`, its bundle and its zip in `dist/functions`. */
export type FunctionName = keyof typeof environmentNames;

/** How long an invocation of each function may take, in seconds: Lambda's `timeout`. */
export const timeoutSecondsOf = {
  "consume-kinesis": 60,
  "consume-sns": 60,
  "transform-firehose": 60,
  // Detaching waits for up to 600 seconds (firehose_detach_wait_seconds).
  "attach-transformation": 720,
  resend: 30,
  produce: 30,
} as const satisfies Record<FunctionName, number>;

/** Exactly the variables of one function, with their values; what a stack hands to that function. */
export type FunctionEnvironment<Name extends FunctionName> = Record<
  (typeof environmentNames)[Name][number],
  string
>;
