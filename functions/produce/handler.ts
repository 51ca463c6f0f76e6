/**
 * The producer: writes the state item, then sends. The post's `PinpointDDBProducerLambdaFunction`, for
 * applications that have no producer of their own and for trying a deployment out.
 */
import * as v from "valibot";
import { documentClient, pinpointClient } from "../adapters/aws-clients.ts";
import { dynamodbMessageStore } from "../adapters/dynamodb-message-store.ts";
import { pinpointSender } from "../adapters/pinpoint-sender.ts";
import { powertoolsTelemetry } from "../adapters/powertools-telemetry.ts";
import { systemClock, systemRandom } from "../adapters/system-clock.ts";
import { InvalidRequestError } from "../core/errors.ts";
import { deliveryGuarantees } from "../core/message.ts";
import { type ProducedMessage, type ProduceRequest, produceMessage } from "../core/produce-message.ts";
import { longestTextBytes } from "../core/send-context.ts";
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

const seconds = v.pipe(
  v.number("must be a number"),
  v.integer("must be whole"),
  v.minValue(1, "must be 1 or more"),
);
const filledText = v.pipe(v.string("must be a text"), v.nonEmpty("must not be empty"));

/** The fields of the invocation event. Limits of the services: 1,600 characters a message, numbers in E.164. */
const invocationFields = {
  application_message_id: v.optional(
    v.pipe(
      filledText,
      v.maxLength(800, "must have at most 800 characters"),
      v.maxBytes(longestTextBytes, "must have at most 2,048 bytes"),
    ),
  ),
  destination_number: v.optional(
    v.pipe(
      v.string("must be a text"),
      v.regex(/^\+[1-9]\d{1,18}$/, "must be a number in E.164 format, like +4470000"),
    ),
    settings.DEFAULT_DESTINATION_NUMBER,
  ),
  message_body: v.optional(
    v.pipe(filledText, v.maxLength(1_600, "must have at most 1,600 characters")),
    settings.DEFAULT_MESSAGE_BODY,
  ),
  message_type: v.optional(
    v.picklist(["TRANSACTIONAL", "PROMOTIONAL"], "must be TRANSACTIONAL or PROMOTIONAL"),
    "TRANSACTIONAL",
  ),
  origination_number: v.optional(filledText, settings.ORIGINATION_NUMBER),
  sender_id: v.optional(filledText),
  deadline: v.optional(seconds),
  validity_seconds: v.optional(seconds, settings.MESSAGE_VALIDITY_SECONDS),
  delivery_guarantee: v.optional(
    v.picklist(deliveryGuarantees, `must be ${deliveryGuarantees.join(" or ")}`),
  ),
};

// Valibot's own text for a value of the wrong type quotes the value.
const invocation = v.object(invocationFields, "must be a JSON object");

/** The invocation event of the producer; what it leaves out comes from the function's settings. */
export type ProduceEvent = v.InferInput<typeof invocation>;

/**
 * Produces one message.
 *
 * @returns its id, the service's id and its status, in the table's words
 * @throws InvalidRequestError listing every problem of the event
 * @throws SendDeferredError if the service did not take the message now: invoke again with the same id
 */
export async function handler(event: ProduceEvent): Promise<ProducedMessage> {
  try {
    const produced = await produceMessage(readRequest(event), producing);
    telemetry.count("Produced");
    telemetry.info("A message was produced.", {
      application_message_id: produced.application_message_id,
      status: produced.status,
    });
    return produced;
  } finally {
    telemetry.publish();
  }
}

function readRequest(event: unknown): ProduceRequest {
  const parsed = v.safeParse(invocation, event);
  const problems = parsed.success
    ? []
    : parsed.issues.map((issue) => `${v.getDotPath(issue) ?? "The event"} ${issue.message}.`);
  const { destination_number: destinationNumber, message_body: body } = parsed.success ? parsed.output : {};
  if (parsed.success) {
    if (destinationNumber === undefined) {
      problems.push("destination_number is missing, and no default is set.");
    }
    if (body === undefined) problems.push("message_body is missing, and no default is set.");
  }
  if (!parsed.success || destinationNumber === undefined || body === undefined) {
    throw new InvalidRequestError(problems);
  }
  const request = parsed.output;
  return {
    destinationNumber,
    body,
    messageType: request.message_type,
    validitySeconds: request.validity_seconds,
    ...(request.application_message_id !== undefined && {
      applicationMessageId: request.application_message_id,
    }),
    ...(request.origination_number !== undefined && { originationNumber: request.origination_number }),
    ...(request.sender_id !== undefined && { senderId: request.sender_id }),
    ...(request.deadline !== undefined && { deadline: request.deadline }),
    ...(request.delivery_guarantee !== undefined && { deliveryGuarantee: request.delivery_guarantee }),
  };
}
