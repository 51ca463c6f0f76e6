/** Sends SMS with Amazon Pinpoint's `SendMessages`, which AWS keeps up under End User Messaging. */
import { type MessageResult, type PinpointClient, SendMessagesCommand } from "@aws-sdk/client-pinpoint";
import type { SendRequest, SendResult, SmsSender } from "../../core/sending/sms-sender.ts";
import { type FailedCall, resultOfFailedCall } from "./failed-call.ts";

/**
 * The sender on Pinpoint.
 *
 * @param client one of `pinpointClient`: it must not retry by itself (`maxAttempts: 1`), as no API takes an
 *   idempotency token and a repeated ambiguous call would send twice without saying so, and it tells what was
 *   certainly not sent
 */
export function pinpointSender(client: PinpointClient, applicationId: string): SmsSender {
  return {
    leastSecondsLeft: 0,
    async send(request): Promise<SendResult> {
      try {
        const { MessageResponse } = await client.send(commandOf(request, applicationId));
        return resultOf(MessageResponse?.Result?.[request.destinationNumber]);
      } catch (error) {
        return resultOfFailedCall(error, refusal);
      }
    },
  };
}

function commandOf(request: SendRequest, applicationId: string): SendMessagesCommand {
  return new SendMessagesCommand({
    ApplicationId: applicationId,
    MessageRequest: {
      Addresses: { [request.destinationNumber]: { ChannelType: "SMS" } },
      Context: { ...request.context },
      MessageConfiguration: {
        SMSMessage: {
          Body: request.body,
          MessageType: request.messageType,
          ...(request.originationNumber !== undefined && { OriginationNumber: request.originationNumber }),
          ...(request.senderId !== undefined && { SenderId: request.senderId }),
          ...(request.keyword !== undefined && { Keyword: request.keyword }),
          ...(request.entityId !== undefined && { EntityId: request.entityId }),
          ...(request.templateId !== undefined && { TemplateId: request.templateId }),
        },
      },
    },
  });
}

/** HTTP 200 says nothing yet: the answer for the address decides (rule 7). */
function resultOf(result: MessageResult | undefined): SendResult {
  switch (result?.DeliveryStatus as string | undefined) {
    case "SUCCESSFUL":
      // An accepted message without an id would be found by its retry tag all the same.
      return { kind: "accepted", messageId: result?.MessageId ?? "" };
    case "THROTTLED":
      return { kind: "deferred", reason: "throttled" };
    case "TEMPORARY_FAILURE":
      return { kind: "deferred", reason: "temporary-failure" };
    case "OPT_OUT":
      return { kind: "refused", reason: "OPT_OUT", optedOut: true };
    case "PERMANENT_FAILURE":
    case "DUPLICATE":
      return { kind: "refused", reason: result?.DeliveryStatus ?? "", optedOut: false };
    default:
      // UNKNOWN_FAILURE, the undocumented TIMEOUT, or no answer for the address: it may have been sent.
      return { kind: "unconfirmed", reason: "unknown-failure" };
  }
}

/**
 * The two refusals of a whole request that lie in the message. A missing right (403), project (404) or method
 * (405) is the operator's.
 */
function refusal({ name, httpStatus, word }: FailedCall): SendResult | undefined {
  if (httpStatus === 413 || (httpStatus === 400 && name === "BadRequestException")) {
    return { kind: "refused", reason: word, optedOut: false };
  }
  return undefined;
}
