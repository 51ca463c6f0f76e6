/** The resend worker as Lambda runs it. */
import type { SQSHandler } from "aws-lambda";
import { endUserMessagingClient, pinpointClient } from "../adapters/aws-clients.ts";
import { awsEventOutside } from "../adapters/outside.ts";
import { readSettings } from "../settings.ts";
import { resendFunction, resendPorts } from "./resend-function.ts";

const settings = readSettings("resend");
const outside = {
  ...awsEventOutside(settings.SMS_RETRY_VERSION),
  pinpoint: () => pinpointClient(),
  endUserMessaging: () => endUserMessagingClient(),
};

/** See {@link resendFunction}. */
export const handler: SQSHandler = resendFunction(settings, resendPorts(settings, outside));
