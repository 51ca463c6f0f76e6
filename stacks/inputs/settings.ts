/** The environment variables that are settings alone: no permission goes with them. */
import {
  defaultEnvironment,
  type SmsService,
  type VariableName,
} from "../../functions/contract/environment.ts";
import { senderScaling } from "../../functions/contract/sender-scaling.ts";
import type { Access } from "../shared/access.ts";
import type { ServiceInputs } from "./configuration-set-inputs.ts";
import type { EndUserMessagingInputs } from "./end-user-messaging-inputs.ts";
import type { PinpointInputs, SharedInputs } from "./inputs.ts";

/** Parts per second of all origination identities that the inputs name, as HCL. */
function totalRate({ maxSendsPerSecond, sendRates }: SharedInputs): string {
  return `sum(concat([${maxSendsPerSecond.hcl}], values(${sendRates.hcl})))`;
}

/** How the retry queue calls the resend function, as HCL: `senderMappingFor`, and how much memory it gets. */
export function senderScalingHcl(inputs: SharedInputs) {
  const rate = totalRate(inputs);
  const { collectedAbove, single, collected, mostWorkers } = senderScaling;
  const byRate = (above: number, otherwise: number) =>
    `(${rate} > ${collectedAbove} ? ${above} : ${otherwise})`;
  const partsPerWorker = byRate(collected.partsPerWorker, single.partsPerWorker);
  return {
    batchSize: byRate(collected.batchSize, single.batchSize),
    batchingWindowSeconds: byRate(collected.windowSeconds, single.windowSeconds),
    maximumConcurrency: `min(${mostWorkers}, max(${single.leastWorkers}, ceil(${rate} / ${partsPerWorker})))`,
    // A send costs about 7 ms of a whole core, and a core comes with 1769 MB: a smaller share would be late for its times.
    memoryMegabytes: `${rate} <= 10 ? 256 : (${rate} <= 30 ? 512 : 1024)`,
  };
}

/** How failures are judged; read by whatever handles an event, a retry message or a first send. */
export function retrySettings(inputs: SharedInputs) {
  return settings({
    MAX_RETRIES: inputs.maxRetries.text,
    RETRY_DELAYS_SECONDS: inputs.retryDelaysSeconds.json,
    RETRYABLE_STATUSES: inputs.retryableStatuses.json,
    MESSAGE_VALIDITY_SECONDS: inputs.messageValiditySeconds.text,
    RECEIPT_TIMEOUT_SECONDS: inputs.receiptTimeoutSeconds.text,
    ENDED_MESSAGE_RETENTION_DAYS: inputs.endedMessageRetentionDays.text,
    TRACK_DELIVERIES: inputs.trackDeliveries.text,
  });
}

/** Whose events are handled, and by what a retry is sent. */
export function projectSetting(inputs: PinpointInputs) {
  return settings({
    SMS_SERVICE: "pinpoint" satisfies SmsService,
    PINPOINT_APPLICATION_ID: inputs.pinpointApplicationId.text,
  });
}

/** Whose events are handled, and by what a retry is sent where messages of both services come by. */
export function serviceSettings(inputs: PinpointInputs & ServiceInputs) {
  return settings({
    SMS_SERVICE: inputs.smsService.text,
    PINPOINT_APPLICATION_ID: inputs.pinpointApplicationId.textOrEmpty,
  });
}

/** By what a retry is sent where there is no Pinpoint project. */
export function endUserMessagingAlone() {
  return settings({
    SMS_SERVICE: "end-user-messaging" satisfies SmsService,
    PINPOINT_APPLICATION_ID: "",
  });
}

/** By which identities retries are sent. */
export function originationSettings({ originationNumber, originationIdentities }: SharedInputs) {
  return settings({
    ORIGINATION_NUMBER: originationNumber.textOrEmpty,
    ORIGINATION_IDENTITIES: originationIdentities.json,
  });
}

/** What sends by End User Messaging carry where the item says nothing else. */
export function endUserMessagingSettings(inputs: EndUserMessagingInputs) {
  return settings({
    ATTEMPT_VALIDITY_SECONDS: inputs.attemptValiditySeconds.text,
    MAX_PRICE: inputs.maxPrice.textOrEmpty,
    PROTECT_CONFIGURATION_ID: inputs.protectConfigurationId.textOrEmpty,
    MESSAGE_FEEDBACK_ENABLED: inputs.messageFeedbackEnabled.text,
  });
}

/** The settings of {@link endUserMessagingSettings} in a stack that never sends by End User Messaging. */
export function noEndUserMessaging() {
  const { CONFIGURATION_SET_NAME, ATTEMPT_VALIDITY_SECONDS, MAX_PRICE } = defaultEnvironment;
  const { PROTECT_CONFIGURATION_ID, MESSAGE_FEEDBACK_ENABLED } = defaultEnvironment;
  return settings({
    CONFIGURATION_SET_NAME,
    ATTEMPT_VALIDITY_SECONDS,
    MAX_PRICE,
    PROTECT_CONFIGURATION_ID,
    MESSAGE_FEEDBACK_ENABLED,
  });
}

/** What a worker does that cannot know whether a message left. */
export function guaranteeSetting(inputs: SharedInputs) {
  return settings({ DELIVERY_GUARANTEE: inputs.deliveryGuarantee.text });
}

/** How fast messages are sent, and whether at all. */
export function paceSettings(inputs: SharedInputs) {
  return settings({
    MAX_SENDS_PER_SECOND: inputs.maxSendsPerSecond.text,
    SEND_RATES: inputs.sendRates.json,
    APPLICATION_SENDS_PER_SECOND: inputs.applicationSendsPerSecond.text,
    SENDING_ENABLED: inputs.sendingEnabled.text,
    SHADOW_MODE: inputs.shadowMode.text,
  });
}

/** HCL that holds if the application leaves something of every ceiling. */
export function applicationLeavesRoom({
  applicationSendsPerSecond,
  maxSendsPerSecond,
  sendRates,
}: SharedInputs): string {
  return `${applicationSendsPerSecond.hcl} < min(${maxSendsPerSecond.hcl}, values(${sendRates.hcl})...)`;
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
