/** The event consumer in a Firehose stream's transformation as Lambda runs it. */
import type { FirehoseTransformationHandler } from "aws-lambda";
import { eventPorts } from "../adapters/event-handling.ts";
import { awsEventOutside } from "../adapters/outside.ts";
import { readSettings, versionOf } from "../settings.ts";
import { archiveUnseen, transformFirehoseFunction } from "./transform-firehose-function.ts";

const outside = awsEventOutside(versionOf());

/** See {@link transformFirehoseFunction}; with wrong settings, {@link archiveUnseen}. */
export const handler: FirehoseTransformationHandler = setUp();

/** Never throws: a function that fails at its start puts the owner's records under `processing-failed/`. */
function setUp(): FirehoseTransformationHandler {
  try {
    const settings = readSettings("transform-firehose");
    return transformFirehoseFunction(settings, eventPorts(settings, outside));
  } catch (problem) {
    return archiveUnseen(problem, outside.telemetry);
  }
}
