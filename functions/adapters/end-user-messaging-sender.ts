/** Sends SMS with AWS End User Messaging's `SendTextMessage`, the v2 API. */
import { type PinpointSMSVoiceV2Client, SendTextMessageCommand } from "@aws-sdk/client-pinpoint-sms-voice-v2";
import type { SendRequest, SendResult, SmsSender } from "../core/sms-sender.ts";
import { refusalOf } from "./end-user-messaging-refusals.ts";
import { type FailedCall, notAllowed, resultOfFailedCall } from "./failed-call.ts";

/**
 * Shortest and longest `TimeToLive` that the service takes, in seconds.
 *
 * @see https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html
 */
const timeToLiveSeconds = { shortest: 5, longest: 259_200 };

/**
 * The sender on End User Messaging.
 *
 * @param client one of `endUserMessagingClient`, as for Pinpoint
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
        // Every answer to a send that was taken has an id; HTTP 200 alone, from whomever, says nothing.
        return MessageId === undefined || MessageId === ""
          ? { kind: "unconfirmed", reason: "no-message-id" }
          : { kind: "accepted", messageId: MessageId };
      } catch (error) {
        return resultOfFailedCall(error, refusal);
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

/** Final only where it lies in the message or its recipient; what an operator can mend comes again. */
function refusal({ error }: FailedCall): SendResult | undefined {
  const refused = refusalOf(error);
  switch (refused?.cause) {
    case undefined:
      return undefined;
    case "message":
      return { kind: "refused", reason: refused.reason, optedOut: false };
    case "opted-out":
      return { kind: "refused", reason: refused.reason, optedOut: true };
    case "spend-limit":
      return { kind: "deferred", reason: "spend-limit" };
    case "operator":
      return notAllowed(refused.reason);
  }
}
