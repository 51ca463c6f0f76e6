/** Whose fault a refusal of End User Messaging is, by the reason that the service gives. */
import {
  AccessDeniedException,
  type AccessDeniedExceptionReason,
  ConflictException,
  type ConflictExceptionReason,
  ResourceNotFoundException,
  ServiceQuotaExceededException,
  type ServiceQuotaExceededExceptionReason,
  ValidationException,
  type ValidationExceptionReason,
} from "@aws-sdk/client-pinpoint-sms-voice-v2";

/** Where the cause of a refusal lies. */
export type RefusalCause =
  /** In this message, to this recipient: it will never be taken. */
  | "message"
  /** The recipient has opted out. */
  | "opted-out"
  /** In the account, the deployment or the identity as a whole: an operator can mend it, and the message will be taken. */
  | "operator"
  /** In the identity and this message together: another identity may do, else an operator can mend it. */
  | "identity"
  /** In this recipient alone, and an operator can mend it. */
  | "destination"
  /** A spend limit, or a quota of a day: it passes by itself or when somebody raises it. */
  | "spend-limit";

/**
 * Conflicts with the state of the account. `SendTextMessage` gives the first two groups; the rest belong to
 * calls that manage resources, and should one of them come, it says nothing about the message.
 *
 * @see https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html#API_SendTextMessage_Errors
 */
export const conflictCauses = {
  DESTINATION_PHONE_NUMBER_OPTED_OUT: "opted-out",
  DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION: "message",
  DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE: "message",

  // The account is in the sandbox: the number can be verified, or the account moved out.
  DESTINATION_PHONE_NUMBER_NOT_VERIFIED: "destination",
  // Of a pool, none that can send to this country.
  NO_ORIGINATION_IDENTITIES_FOUND: "identity",
  MESSAGE_TYPE_MISMATCH: "identity",
  NUMBER_CAPABILITIES_MISMATCH: "identity",
  KEYWORD_MISMATCH: "identity",
  RESOURCE_NOT_ACTIVE: "operator",
  REGISTRATION_NOT_COMPLETE: "operator",
  PHONE_NUMBER_NOT_IN_REGISTRATION_REGION: "operator",
  PROTECT_CONFIGURATION_NOT_ASSOCIATED_WITH_CONFIGURATION_SET: "operator",

  CREATE_REGISTRATION_VERSION_NOT_ALLOWED: "operator",
  DELETION_PROTECTION_ENABLED: "operator",
  DISASSOCIATE_REGISTRATION_NOT_ALLOWED: "operator",
  DISCARD_REGISTRATION_VERSION_NOT_ALLOWED: "operator",
  EDIT_REGISTRATION_FIELD_VALUES_NOT_ALLOWED: "operator",
  EVENT_DESTINATION_MISMATCH: "operator",
  LAST_PHONE_NUMBER: "operator",
  NOTIFY_CONFIGURATION_NOT_ACTIVE: "operator",
  OPT_OUT_LIST_MISMATCH: "operator",
  PHONE_NUMBER_ASSOCIATED_TO_POOL: "operator",
  PHONE_NUMBER_ASSOCIATED_TO_REGISTRATION: "operator",
  PHONE_NUMBER_NOT_ASSOCIATED_TO_POOL: "operator",
  POOL_ASSOCIATED_TO_NOTIFY_CONFIGURATION: "operator",
  PROTECT_CONFIGURATION_ASSOCIATED_WITH_CONFIGURATION_SET: "operator",
  PROTECT_CONFIGURATION_IS_ACCOUNT_DEFAULT: "operator",
  RCS_AGENT_ALREADY_ASSOCIATED_TO_REGISTRATION_TYPE: "operator",
  RCS_AGENT_ASSOCIATED_TO_POOL: "operator",
  REGISTRATION_ALREADY_SUBMITTED: "operator",
  RESOURCE_ALREADY_ASSOCIATED: "operator",
  RESOURCE_ALREADY_EXISTS: "operator",
  RESOURCE_DELETION_NOT_ALLOWED: "operator",
  RESOURCE_MODIFICATION_NOT_ALLOWED: "operator",
  RESOURCE_NOT_EMPTY: "operator",
  SELF_MANAGED_OPT_OUTS_MISMATCH: "operator",
  SENDER_ID_ASSOCIATED_TO_POOL: "operator",
  SUBMIT_REGISTRATION_VERSION_NOT_ALLOWED: "operator",
  TWO_WAY_CONFIG_MISMATCH: "operator",
  VERIFICATION_ALREADY_COMPLETE: "operator",
  VERIFICATION_CODE_EXPIRED: "operator",
} as const satisfies Record<ConflictExceptionReason, RefusalCause>;

/**
 * Requests that the service calls invalid. The first group is about number, body, price or destination; the
 * second about identity, country set-up or how the deployment puts a request together; the third comes from
 * calls that manage resources. A reason that does not say where the fault lies is the operator's: it costs a
 * few refused calls until the deadline, and the other way it would cost the message.
 *
 * @see https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html#API_SendTextMessage_Errors
 */
export const validationCauses = {
  INVALID_PARAMETER: "message",
  FIELD_VALIDATION_FAILED: "message",
  CANNOT_PARSE: "message",
  MAXIMUM_SIZE_EXCEEDED: "message",
  ATTACHMENT_TYPE_NOT_SUPPORTED: "message",
  MEDIA_TYPE_NOT_SUPPORTED: "message",
  DESTINATION_COUNTRY_BLOCKED: "message",
  PRICE_OVER_THRESHOLD: "message",

  COUNTRY_NOT_ENABLED: "destination",
  COUNTRY_CODE_MISMATCH: "identity",
  INTERNATIONAL_SENDING_NOT_SUPPORTED: "identity",
  INVALID_IDENTITY_FOR_DESTINATION_COUNTRY: "identity",
  SENDER_ID_NOT_REGISTERED: "identity",
  SENDER_ID_NOT_SUPPORTED: "identity",
  SENDER_ID_REQUIRES_REGISTRATION: "identity",
  CHANNEL_NOT_ENABLED: "operator",
  INVALID_ARN: "operator",
  RESOURCE_NOT_ACCESSIBLE: "operator",
  MISSING_PARAMETER: "operator",
  PARAMETERS_CANNOT_BE_USED_TOGETHER: "operator",
  UNSPECIFIED_PARAMETER_NOT_SUPPORTED: "operator",
  INVALID_REQUEST: "operator",
  UNKNOWN_OPERATION: "operator",
  OTHER: "operator",

  CANNOT_ADD_OPTED_OUT_NUMBER: "operator",
  INVALID_FILTER_VALUES: "operator",
  INVALID_NEXT_TOKEN: "operator",
  INVALID_REGISTRATION_ASSOCIATION: "operator",
  PHONE_NUMBER_CANNOT_BE_OPTED_IN: "operator",
  PHONE_NUMBER_CANNOT_BE_RELEASED: "operator",
  REGISTRATION_FIELD_CANNOT_BE_DELETED: "operator",
  REQUESTED_SPEND_LIMIT_HIGHER_THAN_SERVICE_LIMIT: "operator",
  TWO_WAY_CHANNEL_NOT_PRESENT: "operator",
  TWO_WAY_NOT_ENABLED: "operator",
  TWO_WAY_NOT_SUPPORTED_IN_COUNTRY: "operator",
  TWO_WAY_NOT_SUPPORTED_IN_REGION: "operator",
  TWO_WAY_TOPIC_NOT_PRESENT: "operator",
  UNKNOWN_REGISTRATION_FIELD: "operator",
  UNKNOWN_REGISTRATION_SECTION: "operator",
  UNKNOWN_REGISTRATION_TYPE: "operator",
  UNKNOWN_REGISTRATION_VERSION: "operator",
  VERIFICATION_CODE_MISMATCH: "operator",
  VOICE_CAPABILITY_NOT_AVAILABLE: "operator",
} as const satisfies Record<ValidationExceptionReason, RefusalCause>;

/** Denials; both are about the account as a whole. */
export const accessCauses = {
  ACCOUNT_DISABLED: "operator",
  INSUFFICIENT_ACCOUNT_REPUTATION: "operator",
} as const satisfies Record<AccessDeniedExceptionReason, RefusalCause>;

/** Quotas: what is spent or sent in a month or a day, and how many resources an account has. */
export const quotaCauses = {
  MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT: "spend-limit",
  MONTHLY_SPEND_LIMIT_REACHED_FOR_RCS: "spend-limit",
  MONTHLY_SPEND_LIMIT_REACHED_FOR_MEDIA: "spend-limit",
  MONTHLY_SPEND_LIMIT_REACHED_FOR_NOTIFY: "spend-limit",
  MONTHLY_SPEND_LIMIT_REACHED_FOR_VOICE: "spend-limit",
  DAILY_DESTINATION_CALL_LIMIT: "spend-limit",
  DAILY_NOTIFY_TIER_MESSAGE_LIMIT: "spend-limit",

  ASSOCIATIONS_PER_REGISTRATION: "operator",
  CONFIGURATION_SETS_PER_ACCOUNT: "operator",
  EVENT_DESTINATIONS_PER_CONFIGURATION_SET: "operator",
  KEYWORDS_PER_PHONE_NUMBER: "operator",
  KEYWORDS_PER_POOL: "operator",
  NOTIFY_CONFIGURATIONS_PER_ACCOUNT: "operator",
  OPT_OUT_LISTS_PER_ACCOUNT: "operator",
  ORIGINATION_IDENTITIES_PER_POOL: "operator",
  PHONE_NUMBERS_PER_ACCOUNT: "operator",
  PHONE_NUMBERS_PER_REGISTRATION: "operator",
  POOLS_PER_ACCOUNT: "operator",
  PROTECT_CONFIGURATIONS_PER_ACCOUNT: "operator",
  RCS_AGENTS_PER_ACCOUNT: "operator",
  REGISTRATIONS_PER_ACCOUNT: "operator",
  REGISTRATION_ATTACHMENTS_CREATED_PER_DAY: "operator",
  REGISTRATION_ATTACHMENTS_PER_ACCOUNT: "operator",
  REGISTRATION_VERSIONS_CREATED_PER_DAY: "operator",
  SENDER_IDS_PER_ACCOUNT: "operator",
  TAGS_PER_RESOURCE: "operator",
  VERIFICATION_ATTEMPTS_PER_DAY: "operator",
  VERIFIED_DESTINATION_NUMBERS_PER_ACCOUNT: "operator",
} as const satisfies Record<ServiceQuotaExceededExceptionReason, RefusalCause>;

/** Fields of a request that are the message itself, in lower case; what another field holds, somebody can correct. */
const messageFields: ReadonlySet<string> = new Set(["destinationphonenumber", "messagebody"]);

/** Where the cause of a refusal lies, and the service's word for it. */
export interface Refusal {
  readonly cause: RefusalCause;
  readonly reason: string;
}

/**
 * Reads a refusal of `SendTextMessage`. A reason that is not in the tables, because the service is newer than
 * they are, is the operator's: the message is kept until its deadline and the alarm tells; were it refused, it
 * would be lost before anybody knew the word.
 *
 * @returns undefined for an error that is no refusal of this service
 */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof ConflictException) return listed(conflictCauses, error.Reason, "CONFLICT");
  if (error instanceof AccessDeniedException) return listed(accessCauses, error.Reason, "ACCESS_DENIED");
  if (error instanceof ResourceNotFoundException) {
    const { ResourceType } = error;
    return {
      cause: "operator",
      reason: ResourceType === undefined ? "RESOURCE_NOT_FOUND" : `RESOURCE_NOT_FOUND:${ResourceType}`,
    };
  }
  if (error instanceof ServiceQuotaExceededException) {
    return listed(quotaCauses, error.Reason, "SERVICE_QUOTA_EXCEEDED");
  }
  if (error instanceof ValidationException) return invalid(error);
  return undefined;
}

function listed(
  causes: Readonly<Record<string, RefusalCause>>,
  reason: string | undefined,
  otherwise: string,
): Refusal {
  // What is no word may be a sentence, and sentences quote requests.
  const word = reason !== undefined && /^[A-Z][A-Z0-9_]{0,80}$/.test(reason) ? reason : otherwise;
  return { cause: Object.hasOwn(causes, word) ? (causes[word] ?? "operator") : "operator", reason: word };
}

/** Without a reason it is the check of lengths and patterns that comes before all others: number or body. */
function invalid({ Reason, Fields = [] }: ValidationException): Refusal {
  const names = Fields.flatMap(({ Name }) => (Name === undefined ? [] : [Name.toLowerCase()]));
  const isOfMessage = names.length === 0 || names.some((name) => messageFields.has(name));
  const said: Refusal =
    Reason === undefined
      ? { cause: "message", reason: "VALIDATION" }
      : listed(validationCauses, Reason, "VALIDATION");
  return said.cause === "message" && !isOfMessage ? { ...said, cause: "operator" } : said;
}
