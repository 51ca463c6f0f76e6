/** The environment variables that are settings alone: no permission goes with them. */
import type { VariableName } from "../../functions/contract/environment.ts";
import type { Access } from "../shared/access.ts";
import type { SharedInputs } from "./inputs.ts";

/**
 * How many resend workers may run at once, as HCL: as few as an SQS event source mapping can be limited to, and one
 * for every ten parts per second. A worker waits for the service's answers after its last send and reaches about
 * nine tenths of that; with a greater share it would reach less.
 */
export function senderConcurrency({ maxSendsPerSecond }: SharedInputs): string {
  return `max(2, ceil(${maxSendsPerSecond.hcl} / 10))`;
}

/**
 * How many retry messages a resend worker gets at once, as HCL: no more than have their permit in the 18 s that it may spend
 * on sends. The others could only be deferred.
 */
export function senderBatchSize({ maxSendsPerSecond }: SharedInputs): string {
  return `max(1, min(10, floor(${maxSendsPerSecond.hcl} * 8)))`;
}

/** How failures are judged; read by whatever handles an event, a retry message or a first send. */
export function retrySettings(inputs: SharedInputs) {
  return settings({
    MAX_RETRIES: inputs.maxRetries.text,
    RETRY_DELAYS_SECONDS: inputs.retryDelaysSeconds.json,
    RETRYABLE_STATUSES: inputs.retryableStatuses.json,
    MESSAGE_VALIDITY_SECONDS: inputs.messageValiditySeconds.text,
    RECEIPT_TIMEOUT_SECONDS: inputs.receiptTimeoutSeconds.text,
    TRACK_DELIVERIES: inputs.trackDeliveries.text,
  });
}

/** Whose events are handled. */
export function projectSetting(inputs: SharedInputs) {
  return settings({ PINPOINT_APPLICATION_ID: inputs.pinpointApplicationId.text });
}

/** What a worker does that cannot know whether a message left. */
export function guaranteeSetting(inputs: SharedInputs) {
  return settings({ DELIVERY_GUARANTEE: inputs.deliveryGuarantee.text });
}

/** How fast retries are sent. */
export function paceSettings(inputs: SharedInputs) {
  return settings({
    MAX_SENDS_PER_SECOND: inputs.maxSendsPerSecond.text,
    SENDER_CONCURRENCY: `\${${senderConcurrency(inputs)}}`,
  });
}

/** What the producer sends when its event names nothing. */
export function producerDefaults(inputs: SharedInputs) {
  return settings({
    DEFAULT_DESTINATION_NUMBER: inputs.defaultDestinationNumber.textOrEmpty,
    DEFAULT_MESSAGE_BODY: inputs.defaultMessageBody.textOrEmpty,
  });
}

function settings<Name extends VariableName>(environment: Readonly<Record<Name, string>>): Access<Name> {
  return { statements: [], environment };
}
