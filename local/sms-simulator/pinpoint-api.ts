/**
 * Requests and answers of Pinpoint's `SendMessages` and event-stream API, in the shapes of its service model.
 *
 * @see https://docs.aws.amazon.com/pinpoint/latest/apireference/apps-application-id-messages.html
 */
import * as v from "valibot";
import { type MessageType, messageTypes } from "../../functions/core/events/delivery-event.ts";
import { ServiceError } from "../rest-json.ts";
import type { ApiAnswer } from "./scenario.ts";

/** One recipient of a `SendMessages` call. */
export interface SendRequest {
  readonly destination: string;
  readonly body: string;
  readonly messageType: MessageType;
  /** Number or sender id; absent = the service chooses. */
  readonly origination?: string;
  readonly context?: Readonly<Record<string, string>>;
}

/** `DeliveryStatus`, `StatusCode` and the rest of one recipient's `MessageResult`. */
export interface MessageResult {
  readonly DeliveryStatus: string;
  readonly StatusCode: number;
  readonly StatusMessage: string;
  readonly MessageId?: string;
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
 * The recipients of a `SendMessages` request. An address's own context is laid over the message's: AWS
 * documents both and not how they meet.
 *
 * @throws ServiceError `BadRequestException` for a request that the service refuses as a whole
 */
export function parseSendMessages(body: string): SendRequest[] {
  const request = parse(messageRequest, body);
  const sms = request.MessageConfiguration.SMSMessage;
  const origination = sms.OriginationNumber ?? sms.SenderId;
  return Object.entries(request.Addresses).map(([destination, address]) => {
    const merged = { ...request.Context, ...address.Context };
    return {
      destination,
      body: address.BodyOverride ?? sms.Body ?? "",
      messageType: sms.MessageType,
      ...(origination !== undefined && { origination }),
      ...(Object.keys(merged).length > 0 && { context: merged }),
    };
  });
}

/**
 * The destination and role of a `PutEventStream` request.
 *
 * @throws ServiceError `BadRequestException` if one is missing or no ARN of its kind
 */
export function parseWriteEventStream(body: string): v.InferOutput<typeof writeEventStream> {
  return parse(writeEventStream, body);
}

function parse<const Schema extends v.GenericSchema>(schema: Schema, body: string): v.InferOutput<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new ServiceError(400, "BadRequestException", "The request body is not JSON.");
  }
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  // The path can name a phone number; a real answer would too.
  const path = v.getDotPath(parsed.issues[0]);
  throw new ServiceError(400, "BadRequestException", `${path ?? "The request"}: ${parsed.issues[0].message}`);
}

/** The result of a recipient whose message was taken. */
export function acceptedResult(messageId: string): MessageResult {
  return {
    DeliveryStatus: "SUCCESSFUL",
    StatusCode: 200,
    StatusMessage: `MessageId: ${messageId}`,
    MessageId: messageId,
  };
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

/** The result of a recipient whose message was not taken; the HTTP status of the call is 200 all the same. */
export function refusedResult(answer: ApiAnswer): MessageResult {
  return {
    DeliveryStatus: answer,
    StatusCode: statusCodes[answer] ?? 500,
    StatusMessage: "The message was not sent.",
  };
}
