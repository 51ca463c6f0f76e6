/** The event consumer on a Kinesis data stream as Lambda runs it. */
import type { KinesisStreamHandler } from "aws-lambda";
import { consumerPorts } from "../adapters/batch-consumer.ts";
import { awsEventOutside } from "../adapters/outside.ts";
import { s3PutObject } from "../adapters/s3/s3-put-object.ts";
import { systemClock } from "../adapters/system-clock.ts";
import { readSettings, s3AccessOf } from "../settings.ts";
import { consumeKinesisFunction } from "./consume-kinesis-function.ts";

const settings = readSettings("consume-kinesis");
const outside = {
  ...awsEventOutside(settings.SMS_RETRY_VERSION),
  putObject: s3PutObject(s3AccessOf(), systemClock),
};

/** See {@link consumeKinesisFunction}. */
export const handler: KinesisStreamHandler = consumeKinesisFunction(
  settings,
  consumerPorts(settings, outside),
);
