/**
 * The AWS clients. Region, credentials and endpoints are the SDK's own business: `AWS_REGION`,
 * `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_<SERVICE>`, so that the same bundle runs on an emulator.
 */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { PinpointClient } from "@aws-sdk/client-pinpoint";
import { PinpointSMSVoiceV2Client } from "@aws-sdk/client-pinpoint-sms-voice-v2";
import { SchedulerClient } from "@aws-sdk/client-scheduler";
import { SQSClient } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { unmarshallOptions } from "./dynamodb/dynamodb-message-store.ts";
import { once } from "./once.ts";
import { connectionPerRequest, tellingUnsent } from "./senders/send-connections.ts";

/** Without `throwOnRequestTimeout` the SDK only warns when the time is over, and waits on for ever. */
function timeLimits(requestTimeout: number) {
  return { connectionTimeout: 1_000, requestTimeout, throwOnRequestTimeout: true };
}

/**
 * A client of the table. It tries a throttled or lost call up to six times: a write that fails after a send
 * has been made is the most expensive failure that there is.
 */
export function documentClient(): DynamoDBDocumentClient {
  const client = new DynamoDBClient({
    maxAttempts: 6,
    requestHandler: timeLimits(3_000),
  });
  return DynamoDBDocumentClient.from(client, {
    marshallOptions: { removeUndefinedValues: true },
    unmarshallOptions: unmarshallOptions(),
  });
}

/** A client of SQS, at the endpoint of the region and not at the host of a queue's URL, which only names the queue. */
export function sqsClient(): SQSClient {
  return new SQSClient({
    maxAttempts: 4,
    requestHandler: timeLimits(5_000),
    useQueueUrlAsEndpoint: false,
  });
}

/** A client of EventBridge Scheduler, made at the first delay beyond 900 s. */
export const schedulerClient: () => Promise<SchedulerClient> = /* @__PURE__ */ once(
  async () => new SchedulerClient({ maxAttempts: 4, requestHandler: timeLimits(5_000) }),
);

/** How long a send waits, in milliseconds. */
export interface SendTimeLimits {
  /** Until TCP is connected. */
  readonly connect: number;
  /**
   * Until the answer has begun, the connection and TLS included, and from then on between two pieces of it. Twice
   * this and the record of the send must fit into the time that the functions reserve for a send.
   */
  readonly answer: number;
}

const sendTimeLimits: SendTimeLimits = { connect: 1_000, answer: 5_000 };

/** A sending client never repeats a call: no API takes an idempotency token. */
function sending({ connect, answer }: SendTimeLimits) {
  return {
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: connect,
      requestTimeout: answer,
      throwOnRequestTimeout: true,
      // The request's limit ends with the head of the answer.
      socketTimeout: answer,
      ...connectionPerRequest(),
    },
  };
}

/**
 * A client of Pinpoint for sends: one call, one connection, and it rejects with a `RequestNotSentError` where
 * nothing can have left.
 *
 * @param limits default 1 s to connect and 5 s for the answer, well inside a claim's lease
 */
export async function pinpointClient(limits: SendTimeLimits = sendTimeLimits): Promise<PinpointClient> {
  return tellingUnsent(new PinpointClient(sending(limits)));
}

/**
 * A client of End User Messaging for sends, as {@link pinpointClient}.
 *
 * @param limits default 1 s to connect and 5 s for the answer
 */
export async function endUserMessagingClient(
  limits: SendTimeLimits = sendTimeLimits,
): Promise<PinpointSMSVoiceV2Client> {
  return tellingUnsent(new PinpointSMSVoiceV2Client(sending(limits)));
}
