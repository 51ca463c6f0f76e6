/** Sends SMS with AWS End User Messaging's `SendTextMessage`, the v2 API. */
import { type PinpointSMSVoiceV2Client, SendTextMessageCommand } from "@aws-sdk/client-pinpoint-sms-voice-v2";
import {
  attemptValiditySeconds,
  type SendRequest,
  type SendResult,
  type SmsSender,
} from "../../core/sending/sms-sender.ts";
import { refusalOf } from "./end-user-messaging-refusals.ts";
import { type FailedCall, notAllowed, resultOfFailedCall } from "./failed-call.ts";

/** What a send carries where its request says nothing else. */
export interface EndUserMessagingDefaults {
  /**
   * Events go where the configuration set says: without the set of the first send, nobody learns what became of a
   * retry.
   * @default - no configuration set
   */
  readonly configurationSetName?: string;
  /** How long the service tries to hand a message over, if its deadline is no sooner; as `attemptValiditySeconds`. */
  readonly attemptValiditySeconds: number;
  /** @default - no limit */
  readonly maxPrice?: string;
  /** @default - the configuration set's, or the account's */
  readonly protectConfigurationId?: string;
  readonly messageFeedbackEnabled: boolean;
}

/**
 * The sender on End User Messaging.
 *
 * @param client one of `endUserMessagingClient`, as for Pinpoint
 */
export function endUserMessagingSender(
  client: PinpointSMSVoiceV2Client,
  defaults: EndUserMessagingDefaults,
): SmsSender {
  return {
    leastSecondsLeft: attemptValiditySeconds.least,
    async send(request): Promise<SendResult> {
      try {
        const { entries, leftOut } = contextOf(request);
        const { MessageId } = await client.send(commandOf(request, entries, defaults));
        // Every answer to a send that was taken has an id; HTTP 200 alone, from whomever, says nothing.
        if (MessageId === undefined || MessageId === "") {
          return { kind: "unconfirmed", reason: "no-message-id" };
        }
        return {
          kind: "accepted",
          messageId: MessageId,
          ...(leftOut > 0 && { contextLeftOut: leftOut }),
        };
      } catch (error) {
        return resultOfFailedCall(error, refusal);
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
  defaults: EndUserMessagingDefaults,
): SendTextMessageCommand {
  const identity = request.originationNumber ?? request.senderId;
  const { configurationSetName, maxPrice, protectConfigurationId, messageFeedbackEnabled } = {
    ...defaults,
    ...request,
  };
  const countryParameters = {
    ...(request.entityId !== undefined && { IN_ENTITY_ID: request.entityId }),
    ...(request.templateId !== undefined && { IN_TEMPLATE_ID: request.templateId }),
    ...request.destinationCountryParameters,
  };
  return new SendTextMessageCommand({
    DestinationPhoneNumber: request.destinationNumber,
    MessageBody: request.body,
    MessageType: request.messageType,
    // The service gives an attempt up by itself: when the message has become useless, or while there is time for another.
    TimeToLive: timeToLive(request, defaults),
    Context: context,
    ...(identity !== undefined && { OriginationIdentity: identity }),
    ...(configurationSetName !== undefined && { ConfigurationSetName: configurationSetName }),
    ...(request.keyword !== undefined && { Keyword: request.keyword }),
    ...(maxPrice !== undefined && { MaxPrice: maxPrice }),
    ...(protectConfigurationId !== undefined && { ProtectConfigurationId: protectConfigurationId }),
    ...(messageFeedbackEnabled && { MessageFeedbackEnabled: true }),
    ...(Object.keys(countryParameters).length > 0 && { DestinationCountryParameters: countryParameters }),
  });
}

function timeToLive(
  { secondsLeft = Number.POSITIVE_INFINITY }: SendRequest,
  defaults: EndUserMessagingDefaults,
): number {
  const seconds = Math.floor(Math.min(secondsLeft, defaults.attemptValiditySeconds));
  return Math.max(seconds, attemptValiditySeconds.least);
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
    case "identity":
      return { kind: "deferred", reason: `identity-not-allowed:${refused.reason}` };
    case "destination":
      return { kind: "deferred", reason: `destination-not-allowed:${refused.reason}` };
  }
}
