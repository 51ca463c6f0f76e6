/**
 * Everything outside itself that a function reaches. The handlers pass AWS and the machine; the simulation
 * passes its models, and runs the same functions.
 */
import type { PinpointClient } from "@aws-sdk/client-pinpoint";
import type { PinpointSMSVoiceV2Client } from "@aws-sdk/client-pinpoint-sms-voice-v2";
import type { SchedulerClient } from "@aws-sdk/client-scheduler";
import type { SQSClient } from "@aws-sdk/client-sqs";
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { Context } from "aws-lambda";
import type { Clock, Random } from "../core/clock.ts";
import { documentClient, schedulerClient, sqsClient } from "./aws-clients.ts";
import { logTelemetry, type PublishedTelemetry } from "./log-telemetry.ts";
import type { PutObject } from "./s3/s3-put-object.ts";
import { systemClock, systemRandom } from "./system-clock.ts";

/** The outside; each function takes the part of it that it needs. */
export interface Outside {
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: PublishedTelemetry;
  /** The client of the `message-state` table. */
  readonly table: DynamoDBDocumentClient;
  readonly sqs: SQSClient;
  /** Made at the first delay beyond 900 s. */
  readonly scheduler: () => Promise<SchedulerClient>;
  /** Made for the first message that is sent by it, as the next one. Must not repeat a call by itself. */
  readonly pinpoint: () => Promise<PinpointClient>;
  readonly endUserMessaging: () => Promise<PinpointSMSVoiceV2Client>;
  readonly putObject: PutObject;
}

/** What every function needs that touches messages. */
export type EventOutside = Pick<Outside, "clock" | "random" | "telemetry" | "table" | "sqs" | "scheduler">;

/** The part of Lambda's context that functions look at. */
export type InvocationContext = Pick<Context, "getRemainingTimeInMillis">;

/**
 * The machine, the table and the retry queue in AWS.
 *
 * @param version stands in every log line
 */
export function awsEventOutside(version: string): EventOutside {
  return {
    clock: systemClock,
    random: systemRandom,
    telemetry: logTelemetry(version),
    table: documentClient(),
    sqs: sqsClient(),
    scheduler: schedulerClient,
  };
}
