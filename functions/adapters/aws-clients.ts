/**
 * The AWS clients. Region, credentials and endpoints are the SDK's own business: `AWS_REGION`,
 * `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_<SERVICE>`, so that the same bundle runs on an emulator.
 */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { PinpointClient } from "@aws-sdk/client-pinpoint";
import type { SchedulerClient } from "@aws-sdk/client-scheduler";
import { SQSClient } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { unmarshallOptions } from "./dynamodb-message-store.ts";
import type { PutObject } from "./s3-failure-destination.ts";

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

/** A client of SQS. */
export function sqsClient(): SQSClient {
  return new SQSClient({ maxAttempts: 4, requestHandler: timeLimits(5_000) });
}

/** Makes a value at the first call and hands the same one out from then on. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** A client of EventBridge Scheduler, loaded at the first delay beyond 900 s. */
export const schedulerClient: () => Promise<SchedulerClient> = once(async () => {
  const { SchedulerClient: Client } = await import("@aws-sdk/client-scheduler");
  return new Client({ maxAttempts: 4, requestHandler: timeLimits(5_000) });
});

/**
 * A client of Pinpoint for sends: it never repeats a call, and gives up waiting for an answer after 5 s,
 * well inside a claim's lease.
 */
export function pinpointClient(): PinpointClient {
  return new PinpointClient({ maxAttempts: 1, requestHandler: timeLimits(5_000) });
}

/** Stores an object in S3; the client is loaded at the first malformed record. */
export function s3PutObject(hasOwnEndpoint: boolean): PutObject {
  const client = once(async () => {
    const { S3Client } = await import("@aws-sdk/client-s3");
    // Emulators answer under one host name, AWS under one a bucket.
    return new S3Client({
      maxAttempts: 4,
      requestHandler: timeLimits(5_000),
      forcePathStyle: hasOwnEndpoint,
    });
  });
  return async (input) => {
    const { PutObjectCommand } = await import("@aws-sdk/client-s3");
    return (await client()).send(new PutObjectCommand(input));
  };
}
