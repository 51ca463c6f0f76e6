/**
 * The inputs that every stack has, and those that several have. An input that only one stack has stands in that stack.
 *
 * The ranges are those that `functions/settings.ts` accepts: what Terraform lets through must not be refused at
 * a cold start.
 */
import { highestMaxRetries, settingDefaults } from "../../functions/contract/environment.ts";
import { deliveryGuarantees, trackDeliveriesValues } from "../../functions/contract/guarantees.ts";
import { lambdaRuntimes } from "../../functions/contract/lambda-runtimes.ts";
import { allowedRetryableStatuses } from "../../functions/contract/statuses.ts";
import { type Construct, TerraformLocal } from "../cdktf.ts";
import { functionInputs } from "./function-inputs.ts";
import { governanceInputs } from "./governance-inputs.ts";
import { Input } from "./input.ts";

/** The readings of the inputs, by their TypeScript names; see {@link sharedInputs}. */
export type SharedInputs = ReturnType<typeof sharedInputs>;

/** The readings of what the stacks on Pinpoint's events have; see {@link pinpointInputs}. */
export type PinpointInputs = ReturnType<typeof pinpointInputs>;

/** The reading of how long an events bucket keeps what it holds; see {@link archiveInputs}. */
export type ArchiveInputs = ReturnType<typeof archiveInputs>;

/** The readings of what the stacks on a Kinesis stream have besides; see {@link kinesisInputs}. */
export type KinesisInputs = ReturnType<typeof kinesisInputs>;

const quoted = (values: readonly (string | number)[]): string =>
  values.map((value) => JSON.stringify(value)).join(", ");
const isInteger = (hcl: string): string => `floor(${hcl}) == ${hcl}`;

/** A ceiling in message parts per second. No second has room for a part of a part. */
const isRate = (hcl: string): string =>
  `${hcl} >= 0.2 && ${hcl} <= 4000 && (${hcl} < 1 || ${isInteger(hcl)})`;

/** Most characters of `origination_identities` as JSON: beside `send_rates` and the rest it must fit into 4 KB. */
const longestIdentitiesJson = 800;

/** The validation of an input that takes one of some values. */
const oneOf = (name: string, values: readonly (string | number)[]) => ({
  condition: `contains([${quoted(values)}], var.${name})`,
  message: `The input ${name} must be one of ${quoted(values)}.`,
});

// What CloudWatch Logs accepts.
const logRetentionDays = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653];

/** HCL of whether there is a key of the user's. It decides how many policies there are, so a plan must know it. */
export const hasKmsKey = "local.has_kms_key";

/** Declares the shared inputs in a stack. */
export function sharedInputs(scope: Construct) {
  const asked = "var.encrypt_with_kms_key";
  new TerraformLocal(scope, hasKmsKey, `\${${asked} == null ? var.kms_key_arn != null : ${asked}}`);
  return {
    ...identityInputs(scope),
    ...retryInputs(scope),
    ...endInputs(scope),
    ...sendingInputs(scope),
    ...ceilingInputs(scope),
    ...gateInputs(scope),
    ...capacityInputs(scope),
    ...dataInputs(scope),
    ...keepingInputs(scope),
    ...governanceInputs(scope),
    ...functionInputs(scope),
    ...producerInputs(scope),
  };
}

/** Declares the shared inputs and whose events are handled. */
export function pinpointInputs(scope: Construct) {
  return { ...sharedInputs(scope), ...projectInputs(scope) };
}

/** The same where there need not be a project, because messages of both services come by. */
export function maybePinpointInputs(scope: Construct): PinpointInputs {
  return { ...sharedInputs(scope), ...maybeProjectInputs(scope) };
}

/** Declares the inputs of a stack that reads a Kinesis stream of Pinpoint's and keeps an archive of it. */
export function kinesisInputs(scope: Construct) {
  return { ...pinpointInputs(scope), ...readingInputs(scope), ...archiveInputs(scope) };
}

function identityInputs(scope: Construct) {
  return {
    namePrefix: new Input(scope, "name_prefix", {
      type: "string",
      description:
        "First part of the name of everything that is created, and the CloudWatch namespace of the metrics. " +
        "Two deployments in one account and region need two prefixes: the second apply with the same one fails. Another " +
        "prefix makes everything anew and destroys what was, so a plan with one fails while deletion_protection is on. " +
        "2 to 24 lower-case letters, digits and hyphens, starting with a letter.",
      default: "sms-retry",
      validation: {
        condition: 'can(regex("^[a-z][a-z0-9-]{0,22}[a-z0-9]$", var.name_prefix))',
        message:
          "The input name_prefix must be 2 to 24 lower-case letters, digits and hyphens, start with a letter and not end with a hyphen.",
      },
    }),
  };
}

const projectDescription =
  "Id of the Amazon Pinpoint project (application) through which SMS are sent: 32 hexadecimal digits. " +
  "Events of other projects on the same stream are left alone.";
const isProject = 'can(regex("^[0-9a-f]{32}$", var.pinpoint_application_id))';

function projectInputs(scope: Construct) {
  return {
    pinpointApplicationId: new Input(scope, "pinpoint_application_id", {
      type: "string",
      description: projectDescription,
      validation: {
        condition: isProject,
        message: "The input pinpoint_application_id must be 32 hexadecimal digits in lower case.",
      },
    }),
  };
}

function maybeProjectInputs(scope: Construct): ReturnType<typeof projectInputs> {
  return {
    pinpointApplicationId: new Input(scope, "pinpoint_application_id", {
      type: "string",
      description: `${projectDescription} null where nothing is sent by Pinpoint; needed with sms_service "pinpoint".`,
      default: null,
      validation: {
        condition: `var.pinpoint_application_id == null || ${isProject}`,
        message: "The input pinpoint_application_id must be null or 32 hexadecimal digits in lower case.",
      },
    }),
  };
}

function retryInputs(scope: Construct) {
  return {
    maxRetries: new Input(scope, "max_retries", {
      type: "number",
      description:
        "How often a failed message is sent again at most, the application's own send not counted. " +
        `0 sends nothing again and only writes failures down. A whole number from 0 to ${highestMaxRetries}.`,
      default: settingDefaults.MAX_RETRIES,
      validation: {
        condition: `var.max_retries >= 0 && var.max_retries <= ${highestMaxRetries} && ${isInteger("var.max_retries")}`,
        message: `The input max_retries must be a whole number from 0 to ${highestMaxRetries}.`,
      },
    }),
    retryDelaysSeconds: new Input(scope, "retry_delays_seconds", {
      type: "list(number)",
      description:
        "Longest wait in seconds between a failure and the retry that follows it: first retry, second retry, and " +
        "so on; the last value repeats. The wait is drawn at random up to this (full jitter), so that a carrier's " +
        "recovery is not met by all retries at once; 0 means at once. 1 to 10 whole numbers from 0 to 86400.",
      default: settingDefaults.RETRY_DELAYS_SECONDS,
      validation: {
        condition:
          "length(var.retry_delays_seconds) >= 1 && length(var.retry_delays_seconds) <= 10 && " +
          `alltrue([for delay in var.retry_delays_seconds : delay >= 0 && delay <= 86400 && ${isInteger("delay")}])`,
        message: "The input retry_delays_seconds must be a list of 1 to 10 whole numbers from 0 to 86400.",
      },
    }),
    retryableStatuses: new Input(scope, "retryable_statuses", {
      type: "list(string)",
      description:
        "Statuses of a delivery event after which a message is sent again, as the service writes them, " +
        "without the prefix TEXT_. At least one; successes, events in progress and opt-outs are refused.",
      default: settingDefaults.RETRYABLE_STATUSES,
      validation: {
        condition:
          "length(var.retryable_statuses) >= 1 && alltrue([for status in var.retryable_statuses : " +
          `contains([${quoted(allowedRetryableStatuses)}], status)])`,
        message:
          "The input retryable_statuses must be a list of at least one failure that may be retried: " +
          `${allowedRetryableStatuses.join(", ")}.`,
      },
    }),
  };
}

/** When a message is over, and which news of it is looked at. */
function endInputs(scope: Construct) {
  return {
    messageValiditySeconds: new Input(scope, "message_validity_seconds", {
      type: "number",
      description:
        "Seconds after which a message is useless and is not sent again, unless its item in the table has a " +
        "deadline of its own (one-time passwords should). A whole number from 1 to 604800 (seven days).",
      default: settingDefaults.MESSAGE_VALIDITY_SECONDS,
      validation: {
        condition:
          "var.message_validity_seconds >= 1 && var.message_validity_seconds <= 604800 && " +
          isInteger("var.message_validity_seconds"),
        message: "The input message_validity_seconds must be a whole number from 1 to 604800.",
      },
    }),
    receiptTimeoutSeconds: new Input(scope, "receipt_timeout_seconds", {
      type: "number",
      description:
        "Seconds after which a send that the service has accepted counts as failed if no delivery event has come. " +
        "0 waits for ever. 0 or a whole number from 300 to 259200 (three days, after which the service reports by " +
        'itself); needs track_deliveries "retried" or "all".',
      default: settingDefaults.RECEIPT_TIMEOUT_SECONDS,
      validation: {
        condition:
          "var.receipt_timeout_seconds == 0 || (var.receipt_timeout_seconds >= 300 && " +
          `var.receipt_timeout_seconds <= 259200 && ${isInteger("var.receipt_timeout_seconds")})`,
        message: "The input receipt_timeout_seconds must be 0 or a whole number from 300 to 259200.",
      },
    }),
    trackDeliveries: new Input(scope, "track_deliveries", {
      type: "string",
      description:
        'Which successes are looked at. "all" records every delivery in the table; "retried" records one only ' +
        'where it ends or corrects a retry sequence; "none" looks at none, which is cheapest but may send again what was ' +
        "delivered late.",
      default: settingDefaults.TRACK_DELIVERIES,
      validation: oneOf("track_deliveries", trackDeliveriesValues),
    }),
  };
}

function sendingInputs(scope: Construct) {
  return {
    originationNumber: new Input(scope, "origination_number", {
      type: "string",
      description:
        "Phone number in E.164 format, short code or sender id from which retries are sent. " +
        "null sends from the identity that sent the message first.",
      default: settingDefaults.ORIGINATION_NUMBER,
      validation: {
        condition:
          "var.origination_number == null || " +
          'can(regex("^(\\\\+?[1-9][0-9]{1,18}|[A-Za-z0-9_-]{1,11})$", var.origination_number))',
        message:
          "The input origination_number must be null, a phone number in E.164 format such as +12065550100, " +
          "a short code, or a sender id of at most 11 letters, digits, hyphens and underscores.",
      },
    }),
    originationIdentities: new Input(scope, "origination_identities", {
      type: "list(string)",
      description:
        "Origination identities of the first retry, the second, and so on; the last repeats, and null in the list sends " +
        "as the message was sent first. Each a phone number in E.164 format, a short code, a sender id, or, where sends " +
        "go by End User Messaging, a pool id or the ARN of any of these. One that the service refuses for a " +
        "destination makes room for the next one at once. [] leaves it to origination_number, the short form. At most " +
        `10 entries and ${longestIdentitiesJson} characters as JSON, because Lambda takes 4 KB of settings.`,
      default: settingDefaults.ORIGINATION_IDENTITIES,
      validation: {
        condition:
          "alltrue([for identity in var.origination_identities : identity == null || " +
          `try(can(regex("^(\\\\+?[1-9][0-9]{1,18}|[A-Za-z0-9_:/-]{1,256})$", identity)), false)]) && ` +
          `length(var.origination_identities) <= 10 && length(jsonencode(var.origination_identities)) <= ${longestIdentitiesJson}`,
        message:
          "The input origination_identities must be a list of at most 10 phone numbers, short codes, sender ids, pool " +
          `ids, ARNs and nulls, of at most ${longestIdentitiesJson} characters as JSON.`,
      },
    }),
    deliveryGuarantee: new Input(scope, "delivery_guarantee", {
      type: "string",
      description:
        "What happens when a worker dies while it sends, so that nobody knows whether the message left: " +
        '"at-least-once" sends that attempt once more, "at-most-once" does not. ' +
        "The item of a message may say otherwise for itself.",
      default: settingDefaults.DELIVERY_GUARANTEE,
      validation: oneOf("delivery_guarantee", deliveryGuarantees),
    }),
  };
}

function ceilingInputs(scope: Construct) {
  return {
    maxSendsPerSecond: new Input(scope, "max_sends_per_second", {
      type: "number",
      description:
        "Ceiling of each origination identity, in message parts per second, over all that leaves by it: retries and " +
        "the sends of the function produce. Stay at or below the rate that the identity has. A message of more parts " +
        "goes alone in its second. From 0.2 to 4000; from 1 on a whole number.",
      default: settingDefaults.MAX_SENDS_PER_SECOND,
      validation: {
        condition: isRate("var.max_sends_per_second"),
        message: "The input max_sends_per_second must be from 0.2 to 4000, and from 1 on a whole number.",
      },
    }),
    sendRates: new Input(scope, "send_rates", {
      type: "map(number)",
      description:
        "Ceilings of single origination identities, in place of max_sends_per_second: identity to message parts per " +
        "second. An identity is a number, short code, sender id or pool, or its ARN, as the messages name it; any " +
        "stands for messages that name none. Name the identities by which much leaves: the number of workers follows " +
        "the sum. Each from 0.2 to 4000, from 1 on a whole number; at most 1500 characters as JSON, because Lambda " +
        "takes 4 KB of settings.",
      default: settingDefaults.SEND_RATES,
      validation: {
        condition:
          "try(alltrue([for identity, rate in var.send_rates : " +
          `can(regex("^[A-Za-z0-9_+:/-]{1,256}$", identity)) && ${isRate("rate")}]), false) && ` +
          "length(jsonencode(var.send_rates)) <= 1500",
        message:
          "The input send_rates must be a map of at most 1500 characters as JSON from a number, short code, sender " +
          "id, pool or ARN to a rate from 0.2 to 4000, from 1 on a whole number.",
      },
    }),
    applicationSendsPerSecond: new Input(scope, "application_sends_per_second", {
      type: "number",
      description:
        "Message parts per second that your application sends by itself, by each identity; they are taken off every " +
        "ceiling. What is left above 1 counts as a whole number. 0 or more, and lower than every ceiling.",
      default: settingDefaults.APPLICATION_SENDS_PER_SECOND,
      validation: {
        condition: "var.application_sends_per_second >= 0 && var.application_sends_per_second < 4000",
        message: "The input application_sends_per_second must be 0 or more, and lower than every ceiling.",
      },
    }),
  };
}

/** What stops sends, and what they wait at. */
function gateInputs(scope: Construct) {
  return {
    sendingEnabled: new Input(scope, "sending_enabled", {
      type: "bool",
      description:
        "Whether anything is sent. false stops all retries and the sends of the function produce; they wait, their " +
        "deadlines go on, and events are handled as ever. At once and without a deployment: npx sms-retry pause. " +
        "true or false.",
      default: settingDefaults.SENDING_ENABLED,
    }),
    shadowMode: new Input(scope, "shadow_mode", {
      type: "bool",
      description:
        "Whether retries are only decided, written down and counted (metrics RetryShadowed and ShadowParts), and nothing " +
        "is sent: no retry, and no first send of the function produce, which fails. For a trial beside an application " +
        "that sends by itself. A message whose retry was counted is not retried later. true or false.",
      default: settingDefaults.SHADOW_MODE,
    }),
    sendGateTableName: new Input(scope, "send_gate_table_name", {
      type: "string",
      description:
        "Name of the table of send gates of another deployment in this account and region (its output of the same " +
        "name), to keep one ceiling together with it; the lower of two ceilings holds. Give both the same kms_key_arn, " +
        "and destroy the one with the table last. null makes a table. null or 3 to 255 letters, digits, underscores, " +
        "hyphens and dots.",
      default: null,
      validation: {
        condition:
          'var.send_gate_table_name == null || can(regex("^[a-zA-Z0-9_.-]{3,255}$", var.send_gate_table_name))',
        message:
          "The input send_gate_table_name must be null or the name of a DynamoDB table: 3 to 255 letters, digits, underscores, hyphens and dots.",
      },
    }),
  };
}

function capacityInputs(scope: Construct) {
  return {
    lambdaRuntime: new Input(scope, "lambda_runtime", {
      type: "string",
      description:
        `Lambda runtime of every function. One of ${quoted(lambdaRuntimes)}. The default is the one that every release ` +
        "of the AWS provider in the range knows; AWS supports it until 2027-04-30. A newer one needs a newer " +
        'provider: "nodejs24.x" one from 6.21 on.',
      // Not the newest: the provider knows a list of runtimes and refuses every other at plan, and nodejs22.x is the
      // newest in the list of 5.100. A default that fails there would fail after `terraform validate` had passed.
      // Before AWS ends nodejs22.x (no new functions from 2027-06-01), the range gives up releases 5.x.
      default: lambdaRuntimes[0],
      validation: oneOf("lambda_runtime", lambdaRuntimes),
    }),
    tableCapacity: new Input(scope, "table_capacity", {
      type: "object({ read_units = number, write_units = number })",
      description:
        "Provisioned read and write capacity units of the message-state table, each a whole number of at least 1. " +
        "null pays per request.",
      default: null,
      validation: {
        // try(): the other side of || is evaluated even where the value is null.
        condition:
          "var.table_capacity == null || try(alltrue([for units in values(var.table_capacity) : " +
          `units >= 1 && ${isInteger("units")}]), false)`,
        message:
          "The input table_capacity must be null, or an object whose read_units and write_units are whole numbers of at least 1.",
      },
    }),
  };
}

/** How long the data of a message are kept. */
function dataInputs(scope: Construct) {
  return {
    endedMessageRetentionDays: new Input(scope, "ended_message_retention_days", {
      type: "number",
      description:
        "Days for which the item of a message is kept after the message has ended; its body goes when it ends. " +
        "An item with an earlier expires_at of its own goes then. Delivery events can come three days after a send: " +
        "those of an item that is gone are counted as orphans. A whole number from 1 to 3650.",
      default: settingDefaults.ENDED_MESSAGE_RETENTION_DAYS,
      validation: {
        condition:
          "var.ended_message_retention_days >= 1 && var.ended_message_retention_days <= 3650 && " +
          isInteger("var.ended_message_retention_days"),
        message: "The input ended_message_retention_days must be a whole number from 1 to 3650.",
      },
    }),
    pointInTimeRecoveryDays: new Input(scope, "point_in_time_recovery_days", {
      type: "number",
      description:
        "Days back to which the message-state table can be restored, and for which what was removed from it, such as " +
        "bodies, can still be read from a restored table. A whole number from 1 to 35; 0 switches it off.",
      default: 35,
      validation: {
        condition:
          "var.point_in_time_recovery_days >= 0 && var.point_in_time_recovery_days <= 35 && " +
          isInteger("var.point_in_time_recovery_days"),
        message: "The input point_in_time_recovery_days must be a whole number from 0 to 35.",
      },
    }),
  };
}

function keepingInputs(scope: Construct) {
  return {
    logRetentionDays: new Input(scope, "log_retention_days", {
      type: "number",
      description: `Days for which the functions' logs are kept. One of ${logRetentionDays.join(", ")}.`,
      default: 30,
      validation: oneOf("log_retention_days", logRetentionDays),
    }),
    kmsKeyArn: new Input(scope, "kms_key_arn", {
      type: "string",
      description:
        "ARN of the KMS key that encrypts the table, queues, logs and whatever else is created. " +
        "Its key policy must let CloudWatch Logs of this region use it. null encrypts with keys that AWS owns or manages.",
      default: null,
      validation: {
        condition:
          'var.kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kms_key_arn))',
        message: "The input kms_key_arn must be null or the ARN of a KMS key (not of an alias).",
      },
    }),
    encryptWithKmsKey: new Input(scope, "encrypt_with_kms_key", {
      type: "bool",
      description:
        "Whether kms_key_arn is given. null looks whether it is null, which a plan cannot do where the same " +
        "configuration makes the key: say true there. null, true or false.",
      default: null,
    }),
    alarmTopicArn: topicInput(
      scope,
      "alarm_topic_arn",
      "ARN of the SNS topic that alarms notify: all of them, or, where ticket_topic_arn is given, those of severity " +
        "page. null creates the alarms without a notification.",
    ),
    ticketTopicArn: topicInput(
      scope,
      "ticket_topic_arn",
      "ARN of the SNS topic that alarms of severity ticket notify, for which nobody has to get up at night. null " +
        "sends them to alarm_topic_arn.",
    ),
    deletionProtection: new Input(scope, "deletion_protection", {
      type: "bool",
      description:
        "Whether a destroy is refused, which then takes nothing, and another name_prefix at plan. Set it to false and " +
        "apply before you destroy or rename on purpose. true or false.",
      default: true,
    }),
  };
}

function topicInput(scope: Construct, name: string, description: string): Input {
  return new Input(scope, name, {
    type: "string",
    description,
    default: null,
    validation: {
      condition: `var.${name} == null || can(regex("^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$", var.${name}))`,
      message: `The input ${name} must be null or the ARN of a standard SNS topic.`,
    },
  });
}

function readingInputs(scope: Construct) {
  return {
    consumerConcurrency: new Input(scope, "consumer_concurrency", {
      type: "number",
      description:
        "How many batches of one shard are processed at the same time (the parallelization factor of the event " +
        "source mapping). Raise it when the iterator-age alarm fires. A whole number from 1 to 10.",
      default: 1,
      validation: {
        condition: `var.consumer_concurrency >= 1 && var.consumer_concurrency <= 10 && ${isInteger("var.consumer_concurrency")}`,
        message: "The input consumer_concurrency must be a whole number from 1 to 10.",
      },
    }),
  };
}

/** Declares how long an archive is kept. */
export function archiveInputs(scope: Construct) {
  return {
    archiveRetentionDays: new Input(scope, "archive_retention_days", {
      type: "number",
      description:
        "Days for which the archive of all delivery events and the copies of failed records are kept; " +
        "both hold phone numbers. null keeps them for ever. null or a whole number from 1 to 3650.",
      default: 365,
      nullable: true,
      validation: {
        condition:
          "var.archive_retention_days == null || try(var.archive_retention_days >= 1 && " +
          `var.archive_retention_days <= 3650 && ${isInteger("var.archive_retention_days")}, false)`,
        message: "The input archive_retention_days must be null or a whole number from 1 to 3650.",
      },
    }),
    accessLogBucketName: new Input(scope, "access_log_bucket_name", {
      type: "string",
      description:
        "Name of a bucket of yours in the same account and region that S3 writes the access log of the events bucket to, " +
        "under the events bucket's name; its policy must let logging.s3.amazonaws.com write there. null writes none.",
      default: null,
      validation: {
        condition:
          "var.access_log_bucket_name == null || " +
          'can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.access_log_bucket_name))',
        message:
          "The input access_log_bucket_name must be null or the name of a bucket: 3 to 63 lower-case letters, digits, dots and hyphens.",
      },
    }),
  };
}

function producerInputs(scope: Construct) {
  return {
    defaultDestinationNumber: new Input(scope, "default_destination_number", {
      type: "string",
      description:
        "Phone number in E.164 format to which the function produce sends when its event names none; " +
        "meant for trying out. null makes the event name one.",
      default: settingDefaults.DEFAULT_DESTINATION_NUMBER,
      sensitive: true,
      validation: {
        condition:
          "var.default_destination_number == null || " +
          'can(regex("^\\\\+[1-9][0-9]{1,18}$", var.default_destination_number))',
        message:
          "The input default_destination_number must be null or a phone number in E.164 format such as +14254147755.",
      },
    }),
    defaultMessageBody: new Input(scope, "default_message_body", {
      type: "string",
      description:
        "Text that the function produce sends when its event brings none; meant for trying out. " +
        "null makes the event bring one. 1 to 1600 characters.",
      default: settingDefaults.DEFAULT_MESSAGE_BODY,
      sensitive: true,
      validation: {
        condition:
          "var.default_message_body == null || " +
          "try(length(var.default_message_body) >= 1 && length(var.default_message_body) <= 1600, false)",
        message: "The input default_message_body must be null or a text of 1 to 1600 characters.",
      },
    }),
  };
}
