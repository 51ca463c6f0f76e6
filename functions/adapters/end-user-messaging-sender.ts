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
        const { MessageId } = await client.send(commandOf(request, configurationSetName));
        return { kind: "accepted", messageId: MessageId ?? "" };
      } catch (error) {
        return resultOfError(error);
      }
    },
  };
}

function commandOf(request: SendRequest, configurationSetName: string | undefined): SendTextMessageCommand {
  const identity = request.originationNumber ?? request.senderId;
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
    Context: { ...request.context },
    ...(identity !== undefined && { OriginationIdentity: identity }),
    ...(configurationSetName !== undefined && { ConfigurationSetName: configurationSetName }),
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
