/** The settings of a simulated deployment, as the stacks would hand them over: in environment variables. */

import {
  defaultEnvironment,
  type environmentNames,
  type SmsService,
  settingDefaults,
} from "../functions/contract/environment.ts";
import type { DeliveryGuarantee, TrackDeliveries } from "../functions/contract/guarantees.ts";
import { senderMappingFor } from "../functions/contract/sender-scaling.ts";
import { readSettings, type Settings } from "../functions/settings.ts";
import { tableNames } from "./simulated-table.ts";

/** The functions that are simulated. */
export type SimulatedFunction =
  | "consume-kinesis"
  | "consume-sns"
  | "transform-firehose"
  | "resend"
  | "produce";

/** The inputs of a deployment that differ between runs. */
export interface SimulatedInputs {
  /** What the deployment can send by; the first is what a message is sent by that names none. */
  readonly services: readonly [SmsService, ...SmsService[]];
  readonly maxRetries: number;
  readonly retryDelaysSeconds: readonly number[];
  readonly trackDeliveries: TrackDeliveries;
  readonly guarantee: DeliveryGuarantee;
  /** 0 = no receipt is waited for. */
  readonly receiptTimeoutSeconds: number;
  /** Ceiling of each origination identity, in message parts. */
  readonly maxSendsPerSecond: number;
  /** Identities with a ceiling of their own. */
  readonly sendRates: Readonly<Record<string, number>>;
  readonly dropsRetriedEvents: boolean;
}

/** The settings of every simulated function. */
export type SimulatedSettings = { readonly [Name in SimulatedFunction]: Settings<Name> };

/** Variables of the simulated functions. */
export type SimulatedVariables = Record<(typeof environmentNames)[SimulatedFunction][number], string>;

/** The configuration set of all sends by End User Messaging. */
export const configurationSetName = "simulated";

/** Age after which a message without a deadline of its own is useless. */
export const messageValiditySeconds = settingDefaults.MESSAGE_VALIDITY_SECONDS;

/**
 * Reads the settings of each function from the variables that a stack would set.
 *
 * @param changed what stands in them instead
 */
export function simulatedSettings(
  inputs: SimulatedInputs,
  changed: Partial<SimulatedVariables> = {},
): SimulatedSettings {
  const variables: SimulatedVariables = {
    ...defaultEnvironment,
    SMS_RETRY_VERSION: "simulated",
    POWERTOOLS_SERVICE_NAME: "simulated",
    POWERTOOLS_METRICS_NAMESPACE: "simulated",
    POWERTOOLS_LOG_LEVEL: "INFO",
    MESSAGE_TABLE_NAME: tableNames.messages,
    GATE_TABLE_NAME: tableNames.gates,
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
    SEND_RATES: JSON.stringify(inputs.sendRates),
    SMS_SERVICE: inputs.services[0],
    PINPOINT_APPLICATION_ID: inputs.services.includes("pinpoint") ? "simulated" : "",
    CONFIGURATION_SET_NAME: configurationSetName,
    ...changed,
  };
  return {
    "consume-kinesis": readSettings("consume-kinesis", variables),
    "consume-sns": readSettings("consume-sns", variables),
    "transform-firehose": readSettings("transform-firehose", variables),
    resend: readSettings("resend", variables),
    produce: readSettings("produce", variables),
  };
}

/** How the resend function gets what is due. */
export function senderMappingOf({ maxSendsPerSecond, sendRates }: SimulatedInputs) {
  const rate = Object.values(sendRates).reduce((sum, own) => sum + own, maxSendsPerSecond);
  return senderMappingFor(rate);
}
