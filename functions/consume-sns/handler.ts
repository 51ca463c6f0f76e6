/** The event consumer on the queue behind an SNS topic as Lambda runs it. */
import type { SQSHandler } from "aws-lambda";
import { consumerPorts } from "../adapters/batch-consumer.ts";
import { awsEventOutside } from "../adapters/outside.ts";
import { s3PutObject } from "../adapters/s3/s3-put-object.ts";
import { systemClock } from "../adapters/system-clock.ts";
import { readSettings, s3AccessOf } from "../settings.ts";
import { consumeSnsFunction } from "./consume-sns-function.ts";

const settings = readSettings("consume-sns");
const outside = {
  ...awsEventOutside(settings.SMS_RETRY_VERSION),
  putObject: s3PutObject(s3AccessOf(), systemClock),
};

/** See {@link consumeSnsFunction}. */
export const handler: SQSHandler = consumeSnsFunction(settings, consumerPorts(settings, outside));
