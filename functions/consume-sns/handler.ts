/** The event consumer on the queue behind an SNS topic as Lambda runs it. */
import type { SQSHandler } from "aws-lambda";
import { s3PutObject } from "../adapters/aws-clients.ts";
import { consumerPorts } from "../adapters/batch-consumer.ts";
import { awsEventOutside } from "../adapters/outside.ts";
import { hasOwnEndpoint, readSettings } from "../settings.ts";
import { consumeSnsFunction } from "./consume-sns-function.ts";

const settings = readSettings("consume-sns");
const outside = {
  ...awsEventOutside(settings.SMS_RETRY_VERSION),
  putObject: s3PutObject(hasOwnEndpoint("s3")),
};

/** See {@link consumeSnsFunction}. */
export const handler: SQSHandler = consumeSnsFunction(settings, consumerPorts(settings, outside));
