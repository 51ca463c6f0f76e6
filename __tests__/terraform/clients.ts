/** AWS clients for the tests' own look at the emulated AWS. */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { FirehoseClient } from "@aws-sdk/client-firehose";
import { KinesisClient } from "@aws-sdk/client-kinesis";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { PinpointSMSVoiceV2Client } from "@aws-sdk/client-pinpoint-sms-voice-v2";
import { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { administrator, region } from "./emulated-aws.ts";

/** One client for each service that the tests look at. */
export type Clients = ReturnType<typeof clientsOf>;

/** Clients of an administrator, at the one endpoint. */
export function clientsOf(endpoint: string) {
  const common = { region, credentials: administrator, endpoint };
  return {
    dynamodb: new DynamoDBClient(common),
    firehose: new FirehoseClient(common),
    // The SDK speaks HTTP/2 to Kinesis.
    kinesis: new KinesisClient({ ...common, requestHandler: new NodeHttpHandler() }),
    lambda: new LambdaClient({ ...common, requestHandler: { requestTimeout: 120_000 } }),
    s3: new S3Client({ ...common, forcePathStyle: true }),
    smsVoice: new PinpointSMSVoiceV2Client(common),
    sqs: new SQSClient(common),
  };
}
