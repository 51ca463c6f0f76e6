/** A stand-in for Pinpoint's `SendMessages`: answers as told and keeps every request. */
import { randomUUID } from "node:crypto";
import { type RestResponse, ServiceError, serveRestJson } from "../../local/rest-json.ts";

/** One `SendMessages` request as it came over the wire. */
export interface ReceivedSend {
  readonly applicationId: string;
  readonly destination: string;
  readonly context: Record<string, string>;
  /** `SMSMessage` of the request. */
  readonly sms: { readonly Body: string; readonly [field: string]: string };
  readonly addresses: Record<string, Record<string, unknown>>;
}

/**
 * What the service does with a send: a `DeliveryStatus` in an HTTP 200, an HTTP error, or no answer. A
 * message that is taken has an id.
 */
export type StandInAnswer =
  | { readonly deliveryStatus: string; readonly messageId?: string }
  | { readonly httpStatus: number; readonly error: string }
  | { readonly result: object }
  | "no-answer";

/** A running stand-in. */
export interface PinpointStandIn {
  /** For `AWS_ENDPOINT_URL_PINPOINT`. */
  readonly endpoint: string;
  /** Every request, in the order in which they came. */
  readonly requests: ReceivedSend[];
  /** Decides about the requests from now on; by default each is accepted. */
  answer: (request: ReceivedSend) => StandInAnswer;
  /** Accepts everything again and forgets the requests. */
  reset(): void;
  close(): Promise<void>;
}

/** Starts a stand-in on a free port of 127.0.0.1. */
export async function startPinpointStandIn(): Promise<PinpointStandIn> {
  const requests: ReceivedSend[] = [];
  const accept = (): StandInAnswer => ({ deliveryStatus: "SUCCESSFUL", messageId: randomUUID() });

  const server = await serveRestJson(({ path, body }): RestResponse => {
    const request = JSON.parse(body);
    const [destination = ""] = Object.keys(request.Addresses);
    const received: ReceivedSend = {
      applicationId: path[2] ?? "",
      destination,
      context: request.Context,
      sms: request.MessageConfiguration.SMSMessage,
      addresses: request.Addresses,
    };
    requests.push(received);
    const answer = standIn.answer(received);
    if (answer === "no-answer") return undefined;
    if ("httpStatus" in answer) {
      throw new ServiceError(answer.httpStatus, answer.error, `Refused for ${destination}.`);
    }
    const result =
      "result" in answer
        ? answer.result
        : {
            [destination]: {
              DeliveryStatus: answer.deliveryStatus,
              StatusCode: answer.deliveryStatus === "SUCCESSFUL" ? 200 : 400,
              StatusMessage: `The message to ${destination} is ${answer.deliveryStatus}.`,
              ...(answer.messageId !== undefined && { MessageId: answer.messageId }),
            },
          };
    return { status: 200, body: { ApplicationId: received.applicationId, RequestId: "r", Result: result } };
  }, randomUUID);

  const standIn: PinpointStandIn = {
    endpoint: server.endpoint,
    requests,
    answer: accept,
    reset() {
      standIn.answer = accept;
      requests.length = 0;
    },
    close: () => server.close(),
  };
  return standIn;
}
