/** AWS clients for the emulators: no real credentials, no configuration file of the machine. */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { KinesisClient } from "@aws-sdk/client-kinesis";
import { S3Client } from "@aws-sdk/client-s3";
import { SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import type { Endpoints } from "./emulators/start-emulators.ts";

/** Where everything is said to be. */
export const region = "eu-west-1";

/** The account of everything; the one that fauxqs and kinesis-local know. */
export const accountId = "000000000000";

/** Credentials that no emulator checks. */
export const localCredentials = { accessKeyId: "local", secretAccessKey: "local" } as const;

/** One client for each service that the local run itself uses. */
export interface LocalClients {
  readonly dynamodb: DynamoDBClient;
  readonly kinesis: KinesisClient;
  readonly sqs: SQSClient;
  readonly sns: SNSClient;
  readonly s3: S3Client;
  /** Closes every connection. */
  close(): void;
}

/** Clients that talk to the emulators at these endpoints. */
export function localClients(endpoints: Endpoints): LocalClients {
  const common = { region, credentials: localCredentials };
  const clients = {
    dynamodb: new DynamoDBClient({ ...common, endpoint: endpoints.dynamodb }),
    // The SDK speaks HTTP/2 to Kinesis, which kinesis-local understands only with TLS.
    kinesis: new KinesisClient({
      ...common,
      endpoint: endpoints.kinesis,
      requestHandler: new NodeHttpHandler(),
    }),
    sqs: new SQSClient({ ...common, endpoint: endpoints.sqs }),
    sns: new SNSClient({ ...common, endpoint: endpoints.sns }),
    s3: new S3Client({ ...common, endpoint: endpoints.s3, forcePathStyle: true }),
  };
  return {
    ...clients,
    close() {
      for (const client of Object.values(clients)) client.destroy();
    },
  };
}
