/** The settings of a simulated deployment, as the stacks would hand them over: in environment variables. */

import {
  defaultEnvironment,
  type environmentNames,
  settingDefaults,
} from "../functions/contract/environment.ts";
import type { DeliveryGuarantee, TrackDeliveries } from "../functions/contract/guarantees.ts";
import { readSettings, type Settings } from "../functions/settings.ts";

/** The functions that are simulated. */
export type SimulatedFunction = "consume-kinesis" | "transform-firehose" | "resend" | "produce";

/** The inputs of a deployment that differ between runs. */
export interface SimulatedInputs {
  readonly maxRetries: number;
  readonly retryDelaysSeconds: readonly number[];
  readonly trackDeliveries: TrackDeliveries;
  readonly guarantee: DeliveryGuarantee;
  /** 0 = no receipt is waited for. */
  readonly receiptTimeoutSeconds: number;
  /** In message parts, over all workers. */
  readonly maxSendsPerSecond: number;
  /** As the stacks work it out from the rate. */
  readonly senderConcurrency: number;
  /** Likewise. */
  readonly senderBatchSize: number;
  readonly dropsRetriedEvents: boolean;
}

/** The settings of every simulated function. */
export type SimulatedSettings = { readonly [Name in SimulatedFunction]: Settings<Name> };

type VariableName = (typeof environmentNames)[SimulatedFunction][number];

/** Age after which a message without a deadline of its own is useless. */
export const messageValiditySeconds = settingDefaults.MESSAGE_VALIDITY_SECONDS;

/** Reads the settings of each function from the variables that a stack would set. */
export function simulatedSettings(inputs: SimulatedInputs): SimulatedSettings {
  const variables: Record<VariableName, string> = {
    ...defaultEnvironment,
    SMS_RETRY_VERSION: "simulated",
    POWERTOOLS_SERVICE_NAME: "simulated",
    POWERTOOLS_METRICS_NAMESPACE: "simulated",
    POWERTOOLS_LOG_LEVEL: "INFO",
    MESSAGE_TABLE_NAME: "message-state",
    RETRY_QUEUE_URL: "q",
    RETRY_QUEUE_ARN: "q",
    RETRY_DEAD_LETTER_QUEUE_ARN: "d",
    SCHEDULE_GROUP_NAME: "g",
    SCHEDULER_ROLE_ARN: "r",
    FAILURE_BUCKET_NAME: "b",
    FIREHOSE_DROP_RETRIED_EVENTS: String(inputs.dropsRetriedEvents),
    MAX_RETRIES: String(inputs.maxRetries),
    RETRY_DELAYS_SECONDS: JSON.stringify(inputs.retryDelaysSeconds),
    RECEIPT_TIMEOUT_SECONDS: String(inputs.receiptTimeoutSeconds),
    TRACK_DELIVERIES: inputs.trackDeliveries,
    DELIVERY_GUARANTEE: inputs.guarantee,
    MAX_SENDS_PER_SECOND: String(inputs.maxSendsPerSecond),
    SENDER_CONCURRENCY: String(inputs.senderConcurrency),
    PINPOINT_APPLICATION_ID: "simulated",
  };
  return {
    "consume-kinesis": readSettings("consume-kinesis", variables),
    "transform-firehose": readSettings("transform-firehose", variables),
    resend: readSettings("resend", variables),
    produce: readSettings("produce", variables),
  };
}
