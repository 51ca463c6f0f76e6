/** Sends SMS with AWS End User Messaging's `SendTextMessage`, the v2 API. */
import {
  AccessDeniedException,
  ConflictException,
  type PinpointSMSVoiceV2Client,
  PinpointSMSVoiceV2ServiceException,
  ResourceNotFoundException,
  SendTextMessageCommand,
  ServiceQuotaExceededException,
  ThrottlingException,
  ValidationException,
} from "@aws-sdk/client-pinpoint-sms-voice-v2";
import type { SendRequest, SendResult, SmsSender } from "../core/sms-sender.ts";
import { resultOfFailedCall } from "./failed-call.ts";

/**
 * Shortest and longest `TimeToLive` that the service takes, in seconds.
 *
 * @see https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html
 */
const timeToLiveSeconds = { shortest: 5, longest: 259_200 };

/**
 * The sender on End User Messaging.
 *
 * @param client must not retry by itself (`maxAttempts: 1`), as for Pinpoint
 * @param configurationSetName events go where the configuration set says: without the set of the first send,
 *   nobody learns what became of a retry
 */
export function endUserMessagingSender(
  client: PinpointSMSVoiceV2Client,
  configurationSetName: string | undefined,
): SmsSender {
  return {
    leastSecondsLeft: timeToLiveSeconds.shortest,
    async send(request): Promise<SendResult> {
      try {
        const { entries, leftOut } = contextOf(request);
        const { MessageId } = await client.send(commandOf(request, entries, configurationSetName));
        return {
          kind: "accepted",
          messageId: MessageId ?? "",
          ...(leftOut > 0 && { contextLeftOut: leftOut }),
        };
      } catch (error) {
        return resultOfError(error);
      }
    },
  };
}

/** What the service takes as context; one entry that is not so and it refuses the message for good. */
const contextLimits = { entries: 5, key: /^\S{1,100}$/, value: /^\S(?:[\s\S]{0,798}\S)?$/ };

/** What the service takes of a context: our entries first, then the application's in their order. */
function contextOf({ context }: SendRequest): { entries: Record<string, string>; leftOut: number } {
  const { application_message_id, retry_attempt, ...own } = context;
  const all = [...Object.entries({ application_message_id, retry_attempt }), ...Object.entries(own)];
  const fitting = all
    .filter(([key, value]) => contextLimits.key.test(key) && contextLimits.value.test(value))
    .slice(0, contextLimits.entries);
  return { entries: Object.fromEntries(fitting), leftOut: all.length - fitting.length };
}

function commandOf(
  request: SendRequest,
  context: Record<string, string>,
  deploymentsConfigurationSet: string | undefined,
): SendTextMessageCommand {
  const identity = request.originationNumber ?? request.senderId;
  const configurationSetName = request.configurationSetName ?? deploymentsConfigurationSet;
  const countryParameters = {
    ...(request.entityId !== undefined && { IN_ENTITY_ID: request.entityId }),
    ...(request.templateId !== undefined && { IN_TEMPLATE_ID: request.templateId }),
    ...request.destinationCountryParameters,
  };
  const timeToLive = Math.min(
    Math.floor(request.secondsLeft ?? Number.POSITIVE_INFINITY),
    timeToLiveSeconds.longest,
  );
  return new SendTextMessageCommand({
    DestinationPhoneNumber: request.destinationNumber,
    MessageBody: request.body,
    MessageType: request.messageType,
    // The service gives a message up by itself when it has become useless.
    TimeToLive: timeToLive,
    Context: context,
    ...(identity !== undefined && { OriginationIdentity: identity }),
    ...(configurationSetName !== undefined && { ConfigurationSetName: configurationSetName }),
    ...(request.keyword !== undefined && { Keyword: request.keyword }),
    ...(request.maxPrice !== undefined && { MaxPrice: request.maxPrice }),
    ...(request.protectConfigurationId !== undefined && {
      ProtectConfigurationId: request.protectConfigurationId,
    }),
    ...(Object.keys(countryParameters).length > 0 && { DestinationCountryParameters: countryParameters }),
  });
}

function resultOfError(error: unknown): SendResult {
  if (error instanceof ThrottlingException) return { kind: "deferred", reason: "throttled" };
  // The account's monthly limit: every send fails until somebody raises it, or until the next month.
  if (error instanceof ServiceQuotaExceededException) return { kind: "deferred", reason: "spend-limit" };
  if (error instanceof AccessDeniedException || error instanceof ResourceNotFoundException) {
    return { kind: "deferred", reason: "not-allowed" };
  }
  if (error instanceof ConflictException) {
    const reason = error.Reason ?? "CONFLICT";
    return { kind: "refused", reason, optedOut: reason === "DESTINATION_PHONE_NUMBER_OPTED_OUT" };
  }
  if (error instanceof ValidationException) {
    return { kind: "refused", reason: error.Reason ?? "VALIDATION", optedOut: false };
  }
  // Any other answer of the service, or none: it may have taken the message.
  if (error instanceof PinpointSMSVoiceV2ServiceException) return { kind: "unconfirmed", reason: error.name };
  return resultOfFailedCall(error);
}
