/**
 * Requests and answers of Pinpoint's `SendMessages` and event-stream API, in the shapes of its service model.
 *
 * @see https://docs.aws.amazon.com/pinpoint/latest/apireference/apps-application-id-messages.html
 */
import * as v from "valibot";
import { messageTypes } from "../../functions/core/events/delivery-event.ts";
import { ServiceError } from "../rest-json.ts";
import { endUserMessagingAnswers } from "./scenario.ts";
import type { SmsRequest } from "./sms-request.ts";
import type { Reply } from "./sms-service.ts";

/** `DeliveryStatus`, `StatusCode` and the rest of one recipient's `MessageResult`. */
interface MessageResult {
  readonly DeliveryStatus: string;
  readonly StatusCode: number;
  readonly StatusMessage: string;
  readonly MessageId?: string;
}

/** `MessageResponse` in Pinpoint's model. */
export interface MessageResponse {
  readonly ApplicationId: string;
  readonly RequestId: string;
  readonly Result: Readonly<Record<string, MessageResult>>;
}

/** Limits of one call: recipients, and characters of a body. */
const limits = { recipients: 100, bodyCharacters: 1_600 };

const context = v.record(v.string(), v.string());

const messageRequest = v.object({
  Addresses: v.pipe(
    v.record(
      v.pipe(v.string(), v.regex(/^\+?[1-9]\d{1,18}$/, "is not a phone number")),
      v.object({
        ChannelType: v.literal("SMS"),
        BodyOverride: v.optional(v.string()),
        Context: v.optional(context),
      }),
    ),
    v.minEntries(1),
    v.maxEntries(limits.recipients),
  ),
  Context: v.optional(context),
  MessageConfiguration: v.object({
    SMSMessage: v.object({
      Body: v.optional(v.pipe(v.string(), v.maxLength(limits.bodyCharacters))),
      MessageType: v.optional(v.picklist(messageTypes), "PROMOTIONAL"),
      OriginationNumber: v.optional(v.string()),
      SenderId: v.optional(v.string()),
    }),
  }),
});

const writeEventStream = v.object({
  DestinationStreamArn: v.pipe(
    v.string(),
    v.regex(/^arn:aws[a-z-]*:(kinesis:[^:]+:\d{12}:stream|firehose:[^:]+:\d{12}:deliverystream)\/.+$/),
  ),
  RoleArn: v.pipe(v.string(), v.regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/.+$/)),
});

/**
 * The recipients of a `SendMessages` request, a `MessageRequest`. An address's own context is laid over the message's: AWS
 * documents both and not how they meet.
 *
 * @throws ServiceError `BadRequestException` for a request that the service refuses as a whole
 */
export function readSendMessages(input: object): SmsRequest[] {
  const request = read(messageRequest, input);
  const sms = request.MessageConfiguration.SMSMessage;
  const origination = sms.OriginationNumber ?? sms.SenderId;
  return Object.entries(request.Addresses).map(([destination, address]) => {
    const merged = { ...request.Context, ...address.Context };
    return {
      api: "pinpoint",
      destination,
      body: address.BodyOverride ?? sms.Body ?? "",
      messageType: sms.MessageType,
      ...(origination !== undefined && { origination }),
      ...(Object.keys(merged).length > 0 && { context: merged }),
      input,
    };
  });
}

/**
 * The destination and role of a `PutEventStream` request.
 *
 * @throws ServiceError `BadRequestException` if one is missing or no ARN of its kind
 */
export function readWriteEventStream(input: object): v.InferOutput<typeof writeEventStream> {
  return read(writeEventStream, input);
}

function read<const Schema extends v.GenericSchema>(schema: Schema, input: object): v.InferOutput<Schema> {
  const parsed = v.safeParse(schema, input);
  if (parsed.success) return parsed.output;
  // The path can name a phone number; a real answer would too.
  const path = v.getDotPath(parsed.issues[0]);
  throw new ServiceError(400, "BadRequestException", `${path ?? "The request"}: ${parsed.issues[0].message}`);
}

/**
 * The answer to a call, which the HTTP status 200 goes with whatever it says about each recipient.
 *
 * @throws ServiceError where the call as a whole is answered by an error
 * @returns undefined where no answer ever comes
 */
export function sendMessagesAnswer(
  applicationId: string,
  requestId: string,
  replies: readonly Reply[],
): MessageResponse | undefined {
  const answers = replies.map(({ answer }) => answer);
  for (const answer of answers) {
    if (answer === "HTTP_429") throw new ServiceError(429, "TooManyRequestsException", "Too many requests.");
    if (answer === "HTTP_500") {
      throw new ServiceError(500, "InternalServerErrorException", "Internal server error.");
    }
    if (typeof answer === "object") {
      const destinations = replies.map(({ destination }) => destination).join(", ");
      throw new ServiceError(answer.status, answer.name, `Not sent to ${destinations}.`, answer.fields);
    }
  }
  if (answers.includes("HANG")) return undefined;
  const Result = Object.fromEntries(replies.map((reply) => [reply.destination, resultOf(reply)]));
  return { ApplicationId: applicationId, RequestId: requestId, Result };
}

/** `StatusCode` that goes with each `DeliveryStatus` other than `SUCCESSFUL`. */
const statusCodes: Readonly<Record<string, number>> = {
  THROTTLED: 429,
  TEMPORARY_FAILURE: 500,
  UNKNOWN_FAILURE: 500,
  PERMANENT_FAILURE: 400,
  OPT_OUT: 400,
  DUPLICATE: 400,
};

function resultOf({ destination, answer, messageId = "" }: Reply): MessageResult {
  if (answer === undefined) {
    const StatusMessage = `MessageId: ${messageId}`;
    return { DeliveryStatus: "SUCCESSFUL", StatusCode: 200, StatusMessage, MessageId: messageId };
  }
  const isOfOtherApi = (endUserMessagingAnswers as readonly unknown[]).includes(answer);
  const DeliveryStatus = isOfOtherApi ? "PERMANENT_FAILURE" : String(answer);
  return {
    DeliveryStatus,
    StatusCode: statusCodes[DeliveryStatus] ?? 500,
    StatusMessage: `The message to ${destination} was not sent.`,
  };
}
