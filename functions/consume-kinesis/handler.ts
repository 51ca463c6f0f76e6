/** The event consumer on a Kinesis data stream as Lambda runs it. */
import type { KinesisStreamHandler } from "aws-lambda";
import { s3PutObject } from "../adapters/aws-clients.ts";
import { consumerPorts } from "../adapters/batch-consumer.ts";
import { awsEventOutside } from "../adapters/outside.ts";
import { hasOwnEndpoint, readSettings } from "../settings.ts";
import { consumeKinesisFunction } from "./consume-kinesis-function.ts";

const settings = readSettings("consume-kinesis");
const outside = {
  ...awsEventOutside(settings.SMS_RETRY_VERSION),
  putObject: s3PutObject(hasOwnEndpoint("s3")),
};

/** See {@link consumeKinesisFunction}. */
export const handler: KinesisStreamHandler = consumeKinesisFunction(
  settings,
  consumerPorts(settings, outside),
);
