/**
 * The settings of the functions: the only reader of `process.env`. Parsed once, at cold start; all problems
 * are gathered into one error, so that one deployment shows them all.
 *
 * The variables are described in `environment.ts`.
 */
import * as v from "valibot";
import {
  attemptValiditySeconds,
  environmentNames,
  type FunctionName,
  type LogLevel,
  logLevels,
  maxPricePattern,
  type SmsService,
  smsServices,
} from "./contract/environment.ts";
import { trackDeliveriesValues } from "./contract/guarantees.ts";
import { InvalidSettingsError } from "./core/errors.ts";
import { highestMaxRetries } from "./core/events/send-context.ts";
import { allowedRetryableStatuses, canonicalStatus } from "./core/events/statuses.ts";
import { deliveryGuarantees } from "./core/message/message.ts";
import type { RetryPolicy } from "./core/message/retry-policy.ts";

const text = v.pipe(v.string("is not set"), v.nonEmpty("is empty"));

/** Terraform's null arrives as the empty string. */
const optionalText = v.pipe(
  v.string("is not set"),
  v.transform((value) => (value === "" ? undefined : value)),
);

const flag = v.pipe(
  v.picklist(["true", "false"], "must be true or false"),
  v.transform((value) => value === "true"),
);

function number(check: string, isValid: (value: number) => boolean) {
  return v.pipe(
    v.string("is not set"),
    v.check((value) => value.trim() !== "" && isValid(Number(value)), `must be ${check}`),
    v.transform(Number),
  );
}

function list<T>(check: string, isValid: (value: unknown) => value is T) {
  return v.pipe(
    v.string("is not set"),
    v.rawTransform<string, readonly T[]>(({ dataset, addIssue, NEVER }) => {
      const values = parseJson(dataset.value);
      if (Array.isArray(values) && values.length > 0 && values.every(isValid)) return values;
      addIssue({ message: `must be a JSON list, not empty, of ${check}` });
      return NEVER;
    }),
  );
}

function parseJson(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

const isWholeNumber = (value: unknown): value is number => Number.isInteger(value) && Number(value) >= 0;
const isRetryable = (value: unknown): value is string =>
  (allowedRetryableStatuses as readonly unknown[]).includes(value);

/** How each variable is read. */
const readers = {
  SMS_RETRY_VERSION: text,
  POWERTOOLS_SERVICE_NAME: text,
  POWERTOOLS_METRICS_NAMESPACE: text,
  POWERTOOLS_LOG_LEVEL: v.picklist(logLevels, `must be one of ${logLevels.join(", ")}`),
  MESSAGE_TABLE_NAME: text,
  RETRY_QUEUE_URL: text,
  RETRY_QUEUE_ARN: text,
  SCHEDULE_GROUP_NAME: text,
  SCHEDULER_ROLE_ARN: text,
  RETRY_DEAD_LETTER_QUEUE_ARN: text,
  FAILURE_BUCKET_NAME: text,
  FIREHOSE_DROP_RETRIED_EVENTS: flag,
  MAX_RETRIES: number(
    `a whole number from 0 to ${highestMaxRetries}`,
    (value) => isWholeNumber(value) && value <= highestMaxRetries,
  ),
  RETRY_DELAYS_SECONDS: list("whole numbers of seconds, 0 or more", isWholeNumber),
  RETRYABLE_STATUSES: v.pipe(
    list(`failures that may be retried: ${allowedRetryableStatuses.join(", ")}`, isRetryable),
    v.transform((statuses): ReadonlySet<string> => new Set(statuses.map(canonicalStatus))),
  ),
  MESSAGE_VALIDITY_SECONDS: number(
    "a whole number of seconds, 1 or more",
    (value) => isWholeNumber(value) && value >= 1,
  ),
  RECEIPT_TIMEOUT_SECONDS: number("a whole number of seconds, 0 or more", isWholeNumber),
  ENDED_MESSAGE_RETENTION_DAYS: number(
    "a whole number of days, 1 or more",
    (value) => isWholeNumber(value) && value >= 1,
  ),
  TRACK_DELIVERIES: v.picklist(trackDeliveriesValues, `must be one of ${trackDeliveriesValues.join(", ")}`),
  DELIVERY_GUARANTEE: v.picklist(deliveryGuarantees, `must be ${deliveryGuarantees.join(" or ")}`),
  MAX_SENDS_PER_SECOND: number("a number above 0", (value) => Number.isFinite(value) && value > 0),
  GATE_TABLE_NAME: text,
  SEND_RATES: v.pipe(
    v.string("is not set"),
    v.rawTransform<string, ReadonlyMap<string, number>>(({ dataset, addIssue, NEVER }) => {
      const rates = v.safeParse(
        v.record(v.string(), v.pipe(v.number(), v.gtValue(0))),
        parseJson(dataset.value),
      );
      if (rates.success) return new Map(Object.entries(rates.output));
      addIssue({ message: "must be a JSON object of numbers above 0" });
      return NEVER;
    }),
  ),
  APPLICATION_SENDS_PER_SECOND: number(
    "a number, 0 or more",
    (value) => Number.isFinite(value) && value >= 0,
  ),
  SENDING_ENABLED: flag,
  SHADOW_MODE: flag,
  SMS_SERVICE: v.picklist(smsServices, `must be ${smsServices.join(" or ")}`),
  PINPOINT_APPLICATION_ID: optionalText,
  ORIGINATION_NUMBER: optionalText,
  ORIGINATION_IDENTITIES: v.pipe(
    v.string("is not set"),
    v.rawTransform<string, readonly (string | null)[]>(({ dataset, addIssue, NEVER }) => {
      const identities = v.safeParse(
        v.array(v.nullable(v.pipe(v.string(), v.nonEmpty()))),
        parseJson(dataset.value),
      );
      if (identities.success) return identities.output;
      addIssue({ message: "must be a JSON list of identities and null" });
      return NEVER;
    }),
  ),
  CONFIGURATION_SET_NAME: optionalText,
  ATTEMPT_VALIDITY_SECONDS: number(
    `a whole number of seconds from ${attemptValiditySeconds.least} to ${attemptValiditySeconds.most}`,
    (value) =>
      isWholeNumber(value) && value >= attemptValiditySeconds.least && value <= attemptValiditySeconds.most,
  ),
  MAX_PRICE: v.pipe(
    optionalText,
    v.check(
      (value) => value === undefined || maxPricePattern.test(value),
      "must be empty or US dollars with a point, like 0.05",
    ),
  ),
  PROTECT_CONFIGURATION_ID: optionalText,
  MESSAGE_FEEDBACK_ENABLED: flag,
  DEFAULT_DESTINATION_NUMBER: optionalText,
  DEFAULT_MESSAGE_BODY: optionalText,
} as const;

type Readers = typeof readers;

/** The parsed settings of one function, by the names of its variables. */
export type Settings<Name extends FunctionName> = {
  readonly [Key in (typeof environmentNames)[Name][number]]: v.InferOutput<Readers[Key]>;
};

/**
 * Reads the settings of a function.
 *
 * @throws InvalidSettingsError listing every wrong or missing variable; it quotes no value
 */
export function readSettings<Name extends FunctionName>(
  name: Name,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Settings<Name> {
  const settings: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const key of environmentNames[name]) {
    const parsed = v.safeParse(readers[key], environment[key]);
    if (parsed.success) settings[key] = parsed.output;
    else problems.push(`${key} ${parsed.issues[0].message}.`);
  }
  // Where no success is looked at, every delivered message would seem to have no receipt.
  if (settings.TRACK_DELIVERIES === "none" && Number(settings.RECEIPT_TIMEOUT_SECONDS) > 0) {
    problems.push('RECEIPT_TIMEOUT_SECONDS must be 0 where TRACK_DELIVERIES is "none".');
  }
  if (
    settings.SMS_SERVICE === "pinpoint" &&
    settings.PINPOINT_APPLICATION_ID === undefined &&
    environment.PINPOINT_APPLICATION_ID !== undefined
  ) {
    problems.push("PINPOINT_APPLICATION_ID must be set where SMS_SERVICE is pinpoint.");
  }
  if (problems.length > 0) throw new InvalidSettingsError(problems);
  return settings as Settings<Name>;
}

/** The version for the log lines of a function whose settings cannot be read; `unknown` where it is not set either. */
export function versionOf(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  return environment.SMS_RETRY_VERSION || "unknown";
}

/** What log lines and metrics say of the function, and which lines are written. */
export interface TelemetrySettings {
  readonly service: string;
  readonly namespace: string;
  readonly levels: ReadonlySet<LogLevel>;
  /** The X-Ray trace of the invocation that runs, where there is one. */
  readonly traceId: () => string | undefined;
}

/** The settings of logs and metrics. Never throws: a function whose settings are wrong must be able to say so. */
export function telemetrySettings(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): TelemetrySettings {
  const level = logLevels.indexOf(environment.POWERTOOLS_LOG_LEVEL as LogLevel);
  return {
    service: environment.POWERTOOLS_SERVICE_NAME || "service_undefined",
    namespace: environment.POWERTOOLS_METRICS_NAMESPACE || "default_namespace",
    levels: new Set(logLevels.slice(level === -1 ? logLevels.indexOf("INFO") : level)),
    // Lambda sets it anew for every invocation: `Root=1-…;Parent=…;Sampled=1`.
    traceId: () => /(?:^|;)Root=([^;]+)/.exec(environment._X_AMZN_TRACE_ID ?? "")?.[1],
  };
}

/** The retry policy in the settings of a function that handles messages. */
export function retryPolicyOf(
  settings: Pick<
    Settings<"resend">,
    | "MAX_RETRIES"
    | "RETRY_DELAYS_SECONDS"
    | "RETRYABLE_STATUSES"
    | "MESSAGE_VALIDITY_SECONDS"
    | "RECEIPT_TIMEOUT_SECONDS"
    | "ENDED_MESSAGE_RETENTION_DAYS"
  >,
): RetryPolicy {
  return {
    maxRetries: settings.MAX_RETRIES,
    retryDelaysSeconds: settings.RETRY_DELAYS_SECONDS,
    retryableStatuses: settings.RETRYABLE_STATUSES,
    messageValiditySeconds: settings.MESSAGE_VALIDITY_SECONDS,
    receiptTimeoutSeconds: settings.RECEIPT_TIMEOUT_SECONDS,
    keptSeconds: settings.ENDED_MESSAGE_RETENTION_DAYS * 86_400,
  };
}

/**
 * The Pinpoint project whose events are ours, as handling records takes it; nothing where there is none, so that the
 * events of every project are.
 */
export function pinpointProjectOf({
  PINPOINT_APPLICATION_ID: pinpointApplicationId,
}: Pick<Settings<"resend">, "PINPOINT_APPLICATION_ID">): { readonly pinpointApplicationId?: string } {
  return pinpointApplicationId === undefined ? {} : { pinpointApplicationId };
}

/**
 * The services that the deployment is set up to send by: End User Messaging where it is the one of messages that name
 * none, and Pinpoint where there is a project. A Pinpoint stack has no right to `SendTextMessage`, and so retries
 * everything by Pinpoint, as it always has.
 */
export function smsServicesOf({
  SMS_SERVICE,
  PINPOINT_APPLICATION_ID,
}: Pick<Settings<"resend">, "SMS_SERVICE" | "PINPOINT_APPLICATION_ID">): ReadonlySet<SmsService> {
  return new Set<SmsService>([
    SMS_SERVICE,
    ...(PINPOINT_APPLICATION_ID === undefined ? [] : ["pinpoint" as const]),
  ]);
}

/** The identities of retries by their number, as the core's routing takes them; empty = always the message's own. */
export function originationsOf({
  ORIGINATION_IDENTITIES,
  ORIGINATION_NUMBER,
}: Pick<Settings<"resend">, "ORIGINATION_IDENTITIES" | "ORIGINATION_NUMBER">): readonly (string | null)[] {
  if (ORIGINATION_IDENTITIES.length > 0) return ORIGINATION_IDENTITIES;
  return ORIGINATION_NUMBER === undefined ? [] : [ORIGINATION_NUMBER];
}

/** No identity's ceiling gets lower by what the application sends, in parts per second. */
const lowestRate = 0.1;

/**
 * The ceiling of an origination identity, in parts per second: its own, else the deployment's, without what the
 * application sends; `undefined` where sending is switched off.
 */
export function sendRateOf(
  settings: Pick<
    Settings<"resend">,
    "MAX_SENDS_PER_SECOND" | "SEND_RATES" | "APPLICATION_SENDS_PER_SECOND" | "SENDING_ENABLED"
  >,
  identity: string,
): number | undefined {
  if (!settings.SENDING_ENABLED) return undefined;
  const whole = settings.SEND_RATES.get(identity) ?? settings.MAX_SENDS_PER_SECOND;
  return Math.max(whole - settings.APPLICATION_SENDS_PER_SECOND, lowestRate);
}

/** What signs a request and where it goes, for a service that is called without the SDK's client. */
interface ServiceAccess {
  readonly region: string;
  readonly credentials: () => {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  readonly endpoint: string | undefined;
}

/** S3 by the variables that the SDK's clients read as well: Lambda's own, and those that name an emulator. */
export function s3AccessOf(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): ServiceAccess {
  return {
    region: environment.AWS_REGION ?? "",
    credentials: () => ({
      accessKeyId: environment.AWS_ACCESS_KEY_ID ?? "",
      secretAccessKey: environment.AWS_SECRET_ACCESS_KEY ?? "",
      ...(environment.AWS_SESSION_TOKEN !== undefined && { sessionToken: environment.AWS_SESSION_TOKEN }),
    }),
    endpoint: environment.AWS_ENDPOINT_URL_S3 ?? environment.AWS_ENDPOINT_URL,
  };
}
