/** The producer as Lambda runs it. */
import { endUserMessagingClient, pinpointClient } from "../adapters/aws-clients.ts";
import { awsEventOutside } from "../adapters/outside.ts";
import { readSettings } from "../settings.ts";
import { produceFunction, producePorts } from "./produce-function.ts";

const settings = readSettings("produce");
const outside = {
  ...awsEventOutside(settings.SMS_RETRY_VERSION),
  pinpoint: () => pinpointClient(),
  endUserMessaging: () => endUserMessagingClient(),
};

/** See {@link produceFunction}. */
export const handler = produceFunction(settings, producePorts(settings, outside));
