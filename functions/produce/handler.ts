/**
 * The producer: writes the state item, then sends. The post's `PinpointDDBProducerLambdaFunction`, for
 * applications that have no producer of their own and for trying a deployment out.
 */
import { documentClient, pinpointClient } from "../adapters/aws-clients.ts";
import { dynamodbMessageStore } from "../adapters/dynamodb-message-store.ts";
import { pinpointSender } from "../adapters/pinpoint-sender.ts";
import { powertoolsTelemetry } from "../adapters/powertools-telemetry.ts";
import { systemClock, systemRandom } from "../adapters/system-clock.ts";
import { type CancelledMessage, cancelMessage } from "../core/cancel-message.ts";
import { SendDeferredError } from "../core/errors.ts";
import { type ProduceEvent, readProduceInvocation } from "../core/produce-invocation.ts";
import { type ProducedMessage, produceMessage } from "../core/produce-message.ts";
import { readSettings } from "../settings.ts";

const settings = readSettings("produce");
const telemetry = powertoolsTelemetry(settings.SMS_RETRY_VERSION);
const producing = {
  store: dynamodbMessageStore(documentClient(), settings.MESSAGE_TABLE_NAME, systemClock, systemRandom),
  sender: pinpointSender(pinpointClient(), settings.PINPOINT_APPLICATION_ID),
  guarantee: settings.DELIVERY_GUARANTEE,
  clock: systemClock,
  random: systemRandom,
};
const defaults = {
  destinationNumber: settings.DEFAULT_DESTINATION_NUMBER,
  body: settings.DEFAULT_MESSAGE_BODY,
  originationNumber: settings.ORIGINATION_NUMBER,
  validitySeconds: settings.MESSAGE_VALIDITY_SECONDS,
};

/**
 * Produces one message, or with `action: "cancel"` withdraws the one that `application_message_id` names.
 *
 * @returns its id, the service's id and its status, in the table's words
 * @throws InvalidRequestError listing every problem of the event
 * @throws SendDeferredError if the service did not take the message now: invoke again with the same id
 */
export async function handler(event: ProduceEvent): Promise<ProducedMessage | CancelledMessage> {
  try {
    const invocation = readProduceInvocation(event, defaults);
    if (invocation.action === "cancel") {
      const cancelled = await cancelMessage(invocation.applicationMessageId, producing);
      telemetry.info("A message was cancelled, or its series had ended before.", cancelled);
      return cancelled;
    }
    const produced = await produceMessage(invocation.request, producing);
    telemetry.count("Produced");
    const { application_message_id, status, context_left_out } = produced;
    if (context_left_out !== undefined) telemetry.count("ContextLeftOut", context_left_out);
    telemetry.info("A message was produced.", { application_message_id, status });
    return produced;
  } catch (error) {
    if (error instanceof SendDeferredError) telemetry.count("SendDeferred");
    throw error;
  } finally {
    telemetry.publish();
  }
}
