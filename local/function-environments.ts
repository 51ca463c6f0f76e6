/** The environment variables of the functions in a local run: the stacks' contract, and where things are. */
import { devNull } from "node:os";
import { defaultEnvironment, environmentNames } from "../functions/contract/environment.ts";
import type { TrackDeliveries } from "../functions/contract/guarantees.ts";
import { accountId, localCredentials, region } from "./aws-clients.ts";
import { namePrefix, type Resources } from "./resources.ts";
import type { Scenario } from "./sms-service/scenario.ts";

/** The functions that a local run deploys. */
export type LocalFunctionName =
  | "consume-kinesis"
  | "consume-sns"
  | "transform-firehose"
  | "resend"
  | "produce";

/** What the functions are told about a run. */
export interface EnvironmentFacts {
  readonly resources: Pick<
    Resources,
    "tableName" | "gateTableName" | "queueUrl" | "queueArn" | "deadLetterQueueArn" | "failureBucketName"
  >;
  /** Base URLs by the SDK's name for the service; a service without one is not to be called. */
  readonly endpoints: Readonly<
    Partial<Record<"DYNAMODB" | "SQS" | "S3" | "SCHEDULER" | "PINPOINT" | "PINPOINT_SMS_VOICE_V2", string>>
  >;
  /** What the functions send by, and with which project or configuration set. */
  readonly sending:
    | { readonly service: "pinpoint"; readonly applicationId: string }
    | { readonly service: "end-user-messaging"; readonly configurationSetName: string };
  readonly maxRetries: number;
  /** Inputs that the scenario sets. */
  readonly settings: Scenario["settings"];
  readonly trackDeliveries: TrackDeliveries;
}

/**
 * All variables of one function: those of the contract that it may read, and those that Lambda and the SDK
 * read. Nothing of the machine's own environment is among them.
 */
export function functionEnvironment(
  name: LocalFunctionName,
  facts: EnvironmentFacts,
): Record<string, string> {
  const values = contract(name, facts);
  const own = environmentNames[name].map((key) => [key, values[key]] as const);
  const endpoints = Object.entries(facts.endpoints).map(([service, url]) => [
    `AWS_ENDPOINT_URL_${service}`,
    url,
  ]);
  return {
    ...Object.fromEntries(own),
    ...Object.fromEntries(endpoints),
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: localCredentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: localCredentials.secretAccessKey,
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_LAMBDA_FUNCTION_NAME: `${namePrefix}-${name}`,
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "256",
    TZ: ":UTC",
  };
}

type VariableName = (typeof environmentNames)[LocalFunctionName][number];

function contract(name: LocalFunctionName, facts: EnvironmentFacts): Record<VariableName, string> {
  const { resources } = facts;
  return {
    ...defaultEnvironment,
    SMS_RETRY_VERSION: "local",
    POWERTOOLS_SERVICE_NAME: name,
    POWERTOOLS_METRICS_NAMESPACE: namePrefix,
    POWERTOOLS_LOG_LEVEL: "INFO",
    MESSAGE_TABLE_NAME: resources.tableName,
    RETRY_QUEUE_URL: resources.queueUrl,
    RETRY_QUEUE_ARN: resources.queueArn,
    SCHEDULE_GROUP_NAME: namePrefix,
    SCHEDULER_ROLE_ARN: `arn:aws:iam::${accountId}:role/${namePrefix}-scheduler`,
    RETRY_DEAD_LETTER_QUEUE_ARN: resources.deadLetterQueueArn,
    FAILURE_BUCKET_NAME: resources.failureBucketName,
    MAX_RETRIES: String(facts.maxRetries),
    RETRY_DELAYS_SECONDS: JSON.stringify(facts.settings.retry_delays_seconds),
    MESSAGE_VALIDITY_SECONDS: String(facts.settings.message_validity_seconds),
    TRACK_DELIVERIES: facts.trackDeliveries,
    MAX_SENDS_PER_SECOND: String(facts.settings.max_sends_per_second),
    SEND_RATES: JSON.stringify(facts.settings.send_rates),
    ORIGINATION_NUMBER: facts.settings.origination_number ?? "",
    GATE_TABLE_NAME: resources.gateTableName,
    SMS_SERVICE: facts.sending.service,
    ...("applicationId" in facts.sending
      ? { PINPOINT_APPLICATION_ID: facts.sending.applicationId }
      : { PINPOINT_APPLICATION_ID: "", CONFIGURATION_SET_NAME: facts.sending.configurationSetName }),
  };
}
