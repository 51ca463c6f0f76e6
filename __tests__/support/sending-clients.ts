/** The sending clients as both senders use them, on an endpoint of a test, with short time limits. */
import { PinpointClient } from "@aws-sdk/client-pinpoint";
import { PinpointSMSVoiceV2Client } from "@aws-sdk/client-pinpoint-sms-voice-v2";
import {
  endUserMessagingClient,
  pinpointClient,
  type SendTimeLimits,
} from "../../functions/adapters/aws-clients.ts";
import {
  type EndUserMessagingDefaults,
  endUserMessagingSender,
} from "../../functions/adapters/senders/end-user-messaging-sender.ts";
import { pinpointSender } from "../../functions/adapters/senders/pinpoint-sender.ts";
import { connectionPerRequest, tellingUnsent } from "../../functions/adapters/senders/send-connections.ts";
import type { SmsService } from "../../functions/contract/environment.ts";
import { sendContext } from "../../functions/core/events/send-context.ts";
import type { SendRequest, SmsSender } from "../../functions/core/sending/sms-sender.ts";

/** The number that {@link sendRequest} goes to. */
export const recipient = "+447700900123";

/** A request that both services take. */
export const sendRequest: SendRequest = {
  destinationNumber: recipient,
  body: "Your code is 493817.",
  messageType: "TRANSACTIONAL",
  originationNumber: "+447700900999",
  secondsLeft: 600,
  context: sendContext("order-4711", 2),
};

/** What each service answers to a send that it takes. */
export const acceptances: Readonly<Record<SmsService, object>> = {
  pinpoint: {
    ApplicationId: "project",
    RequestId: "r",
    Result: { [recipient]: { DeliveryStatus: "SUCCESSFUL", StatusCode: 200, MessageId: "sms-1" } },
  },
  "end-user-messaging": { MessageId: "sms-1" },
};

/** A deployment of End User Messaging that says nothing about what its sends carry. */
export const carriesNothing: EndUserMessagingDefaults = {
  attemptValiditySeconds: 900,
  messageFeedbackEnabled: false,
};

/** For calls that shall not be answered: what a loaded machine needs to get a request over, and no more. */
export const shortLimits: SendTimeLimits = { connect: 800, answer: 800 };

/** For calls that end by themselves. */
export const longLimits: SendTimeLimits = { connect: 5_000, answer: 10_000 };

/**
 * The sender of a service on the client that the functions have.
 *
 * @param limits default more than any machine needs
 */
export function senderOn(service: SmsService, endpoint: string, limits = longLimits): SmsSender {
  Object.assign(process.env, {
    AWS_REGION: "eu-west-1",
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    [service === "pinpoint" ? "AWS_ENDPOINT_URL_PINPOINT" : "AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2"]:
      endpoint,
  });
  const sender =
    service === "pinpoint"
      ? pinpointClient(limits).then((client) => pinpointSender(client, "project"))
      : endUserMessagingClient(limits).then((client) => endUserMessagingSender(client, carriesNothing));
  return { leastSecondsLeft: 0, send: async (request) => (await sender).send(request) };
}

/** The sender of a service on a client with the same connections that trusts one more certificate. */
export function trustingSenderOn(
  service: SmsService,
  endpoint: string,
  ca: string,
  limits = longLimits,
): SmsSender {
  const configuration = {
    endpoint,
    region: "eu-west-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: limits.connect,
      requestTimeout: limits.answer,
      throwOnRequestTimeout: true,
      ...connectionPerRequest({ ca }),
    },
  };
  return service === "pinpoint"
    ? pinpointSender(tellingUnsent(new PinpointClient(configuration)), "project")
    : endUserMessagingSender(tellingUnsent(new PinpointSMSVoiceV2Client(configuration)), carriesNothing);
}
