/**
 * Requests and answers of End User Messaging's `SendTextMessage` (v2), in the shapes of its service model.
 *
 * @see https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html
 */
import * as v from "valibot";
import { messageTypes } from "../../functions/core/events/delivery-event.ts";
import { type RestResponse, ServiceError } from "../rest-json.ts";
import type { ApiAnswer } from "./scenario.ts";
import type { SmsRequest } from "./sms-request.ts";
import type { Reply } from "./sms-service.ts";

/** `X-Amz-Target` of the one operation that there is. */
export const sendTextMessageTarget = "PinpointSMSVoiceV2.SendTextMessage";

const textOf = (least: number, most: number) => v.pipe(v.string(), v.minLength(least), v.maxLength(most));
const contextKey = v.pipe(v.string(), v.regex(/^\S{1,100}$/));
const contextValue = v.pipe(v.string(), v.regex(/^\S(?:[\s\S]{0,798}\S)?$/));

const sendTextMessage = v.object({
  DestinationPhoneNumber: v.pipe(v.string(), v.regex(/^\+?[1-9]\d{1,18}$/)),
  OriginationIdentity: v.optional(textOf(1, 256)),
  MessageBody: textOf(1, 1_600),
  // Without it the type is that of the origination identity, and identities are none of this service's parts.
  MessageType: v.optional(v.picklist(messageTypes), "TRANSACTIONAL"),
  Keyword: v.optional(textOf(1, 30)),
  ConfigurationSetName: v.optional(textOf(1, 256)),
  MaxPrice: v.optional(v.pipe(v.string(), v.regex(/^\d{0,2}\.\d{1,5}$/))),
  TimeToLive: v.optional(v.pipe(v.number(), v.integer(), v.minValue(5), v.maxValue(259_200))),
  Context: v.optional(v.pipe(v.record(contextKey, contextValue), v.maxEntries(5))),
  DestinationCountryParameters: v.optional(
    v.record(v.picklist(["IN_ENTITY_ID", "IN_TEMPLATE_ID"]), textOf(1, 64)),
  ),
  ProtectConfigurationId: v.optional(textOf(1, 256)),
  MessageFeedbackEnabled: v.optional(v.boolean()),
  DryRun: v.optional(v.boolean()),
});

/**
 * Reads a `SendTextMessage` request.
 *
 * @throws ServiceError `ValidationException` naming the field
 */
export function readSendTextMessage(input: object): SmsRequest {
  const parsed = v.safeParse(sendTextMessage, input);
  if (!parsed.success) throw invalid(parsed.issues[0]);
  const { Context, OriginationIdentity, ConfigurationSetName, TimeToLive, MaxPrice, DryRun, ...request } =
    parsed.output;
  return {
    api: "end-user-messaging",
    destination: request.DestinationPhoneNumber,
    body: request.MessageBody,
    messageType: request.MessageType,
    ...(OriginationIdentity !== undefined && { origination: OriginationIdentity }),
    ...(Context !== undefined && { context: Context }),
    ...(ConfigurationSetName !== undefined && { configurationSetName: ConfigurationSetName }),
    ...(TimeToLive !== undefined && { timeToLive: TimeToLive }),
    ...(MaxPrice !== undefined && { maxPrice: Number(MaxPrice) }),
    ...(DryRun !== undefined && { isDryRun: DryRun }),
    input,
  };
}

/** The error for a configuration set that does not exist. */
export function noSuchConfigurationSet(name: string): ServiceError {
  return error(404, "ResourceNotFoundException", "The configuration set does not exist.", {
    ResourceType: "configuration-set",
    ResourceId: name,
  });
}

function invalid(issue: v.BaseIssue<unknown>): ServiceError {
  const [field] = v.getDotPath(issue)?.split(".") ?? [];
  return error(400, "ValidationException", "The request is not valid.", {
    Reason: "FIELD_VALIDATION_FAILED",
    Fields: [{ Name: field ?? "request", Message: issue.message }],
  });
}

/**
 * What the API says for each answer of a scenario. Where it has no word of its own for one, it is that which means
 * the same to a sender.
 */
const errors: Readonly<Record<Exclude<ApiAnswer, "HANG">, readonly [number, string, object?]>> = {
  THROTTLED: [400, "ThrottlingException"],
  HTTP_429: [400, "ThrottlingException"],
  TEMPORARY_FAILURE: [503, "ServiceUnavailableException"],
  UNKNOWN_FAILURE: [500, "InternalServerException"],
  HTTP_500: [500, "InternalServerException"],
  PERMANENT_FAILURE: [400, "ValidationException", { Reason: "INVALID_PARAMETER" }],
  DUPLICATE: [400, "ValidationException", { Reason: "INVALID_PARAMETER" }],
  OPT_OUT: [400, "ConflictException", { Reason: "DESTINATION_PHONE_NUMBER_OPTED_OUT" }],
  RESOURCE_NOT_FOUND: [404, "ResourceNotFoundException", { ResourceType: "phone-number" }],
  ...withReasons("ServiceQuotaExceededException", ["MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT"]),
  ...withReasons("AccessDeniedException", ["ACCOUNT_DISABLED", "INSUFFICIENT_ACCOUNT_REPUTATION"]),
  ...withReasons("ConflictException", [
    "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION",
    "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE",
    "DESTINATION_PHONE_NUMBER_NOT_VERIFIED",
    "MESSAGE_TYPE_MISMATCH",
    "NO_ORIGINATION_IDENTITIES_FOUND",
    "NUMBER_CAPABILITIES_MISMATCH",
    "RESOURCE_NOT_ACTIVE",
  ]),
  ...withReasons("ValidationException", [
    "COUNTRY_NOT_ENABLED",
    "DESTINATION_COUNTRY_BLOCKED",
    "INVALID_IDENTITY_FOR_DESTINATION_COUNTRY",
    "PRICE_OVER_THRESHOLD",
    "SENDER_ID_NOT_REGISTERED",
  ]),
};

/** Answers that are the reason of an exception. */
function withReasons<const Reason extends string>(
  exception: string,
  reasons: readonly Reason[],
): Record<Reason, readonly [number, string, object]> {
  const entries = reasons.map((reason) => [reason, [400, exception, { Reason: reason }]]);
  return Object.fromEntries(entries) as Record<Reason, readonly [number, string, object]>;
}

/**
 * The answer to a call.
 *
 * @throws ServiceError for a message that was not taken, or of which the caller is not told so
 */
export function sendTextMessageAnswer({ destination, answer, messageId }: Reply): RestResponse {
  if (answer === "HANG") return undefined;
  if (answer === undefined) return { status: 200, body: { MessageId: messageId } };
  const [status, name, fields] =
    typeof answer === "object" ? [answer.status, answer.name, answer.fields] : errors[answer];
  // A real one may quote the number, too.
  throw error(status, name, `The message to ${destination} is not sent.`, fields);
}

/** An error as the JSON protocol has it. */
function error(status: number, name: string, message: string, fields: object = {}): ServiceError {
  return new ServiceError(status, name, message, { __type: name, ...fields });
}
