/** The senders of a deployment: one for each service that it is set up for, each made when a message first needs it. */
import type { Routing } from "../../core/sending/route.ts";
import { attemptValiditySeconds, type SmsSender } from "../../core/sending/sms-sender.ts";
import { originationsOf, type Settings, smsServicesOf } from "../../settings.ts";
import { once } from "../once.ts";
import type { Outside } from "../outside.ts";
import { type EndUserMessagingDefaults, endUserMessagingSender } from "./end-user-messaging-sender.ts";
import { pinpointSender } from "./pinpoint-sender.ts";

/** The outside that sends go through. */
export type SendingOutside = Pick<Outside, "pinpoint" | "endUserMessaging">;

/** How the messages of a deployment leave. No client of a service is made before a message is sent by it. */
export function routing(
  settings: Settings<"resend"> | Settings<"produce">,
  { pinpoint, endUserMessaging }: SendingOutside,
): Routing {
  const services = smsServicesOf(settings);
  const { PINPOINT_APPLICATION_ID: applicationId = "" } = settings;
  return {
    smsService: settings.SMS_SERVICE,
    identities: originationsOf(settings),
    senders: {
      ...(services.has("pinpoint") && {
        pinpoint: lazily(0, async () => {
          return pinpointSender(await pinpoint(), applicationId);
        }),
      }),
      ...(services.has("end-user-messaging") && {
        "end-user-messaging": lazily(attemptValiditySeconds.least, async () => {
          return endUserMessagingSender(await endUserMessaging(), endUserMessagingDefaultsOf(settings));
        }),
      }),
    },
  };
}

/** What a send carries where its item says nothing. */
function endUserMessagingDefaultsOf(
  settings: Settings<"resend"> | Settings<"produce">,
): EndUserMessagingDefaults {
  const { CONFIGURATION_SET_NAME: configurationSetName, MAX_PRICE: maxPrice } = settings;
  const { PROTECT_CONFIGURATION_ID: protectConfigurationId } = settings;
  return {
    attemptValiditySeconds: settings.ATTEMPT_VALIDITY_SECONDS,
    messageFeedbackEnabled: settings.MESSAGE_FEEDBACK_ENABLED,
    ...(configurationSetName !== undefined && { configurationSetName }),
    ...(maxPrice !== undefined && { maxPrice }),
    ...(protectConfigurationId !== undefined && { protectConfigurationId }),
  };
}

function lazily(leastSecondsLeft: SmsSender["leastSecondsLeft"], make: () => Promise<SmsSender>): SmsSender {
  const made = once(make);
  return {
    leastSecondsLeft,
    async prepare() {
      await made();
    },
    async send(request) {
      const sender = await made();
      return sender.send(request);
    },
  };
}
