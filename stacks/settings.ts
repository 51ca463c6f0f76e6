/** The environment variables that are settings alone: no permission goes with them. */
import type { Access } from "./access.ts";
import type { SharedInputs } from "./inputs.ts";

/** How many resend workers may run at once: the least that an SQS event source mapping can be limited to. */
export const senderConcurrency = 2;

/** How failures are judged; read by whatever handles an event or a wake-up. */
export function retrySettings(
  inputs: SharedInputs,
): Access<
  | "MAX_RETRIES"
  | "RETRY_DELAYS_SECONDS"
  | "RETRYABLE_STATUSES"
  | "MESSAGE_VALIDITY_SECONDS"
  | "TRACK_DELIVERIES"
> {
  return {
    statements: [],
    environment: {
      MAX_RETRIES: inputs.maxRetries.text,
      RETRY_DELAYS_SECONDS: inputs.retryDelaysSeconds.json,
      RETRYABLE_STATUSES: inputs.retryableStatuses.json,
      ...validitySetting(inputs).environment,
      TRACK_DELIVERIES: inputs.trackDeliveries.text,
    },
  };
}

/** How long a message is of use. */
export function validitySetting(inputs: SharedInputs): Access<"MESSAGE_VALIDITY_SECONDS"> {
  return {
    statements: [],
    environment: { MESSAGE_VALIDITY_SECONDS: inputs.messageValiditySeconds.text },
  };
}

/** What a worker does that cannot know whether a message left. */
export function guaranteeSetting(inputs: SharedInputs): Access<"DELIVERY_GUARANTEE"> {
  return { statements: [], environment: { DELIVERY_GUARANTEE: inputs.deliveryGuarantee.text } };
}

/** How fast retries are sent. */
export function paceSettings(inputs: SharedInputs): Access<"MAX_SENDS_PER_SECOND" | "SENDER_CONCURRENCY"> {
  return {
    statements: [],
    environment: {
      MAX_SENDS_PER_SECOND: inputs.maxSendsPerSecond.text,
      SENDER_CONCURRENCY: String(senderConcurrency),
    },
  };
}

/** What the producer sends when its event names nothing. */
export function producerDefaults(
  inputs: SharedInputs,
): Access<"DEFAULT_DESTINATION_NUMBER" | "DEFAULT_MESSAGE_BODY"> {
  return {
    statements: [],
    environment: {
      DEFAULT_DESTINATION_NUMBER: inputs.defaultDestinationNumber.textOrEmpty,
      DEFAULT_MESSAGE_BODY: inputs.defaultMessageBody.textOrEmpty,
    },
  };
}
