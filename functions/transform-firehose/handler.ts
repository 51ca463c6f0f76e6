/** The event consumer in a Firehose stream's transformation as Lambda runs it. */
import type { FirehoseTransformationHandler } from "aws-lambda";
import { eventPorts } from "../adapters/event-handling.ts";
import { awsEventOutside } from "../adapters/outside.ts";
import { readSettings } from "../settings.ts";
import { transformFirehoseFunction } from "./transform-firehose-function.ts";

const settings = readSettings("transform-firehose");
const outside = awsEventOutside(settings.SMS_RETRY_VERSION);

/** See {@link transformFirehoseFunction}. */
export const handler: FirehoseTransformationHandler = transformFirehoseFunction(
  settings,
  eventPorts(settings, outside),
);
