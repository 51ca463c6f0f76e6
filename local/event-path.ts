/** How delivery events get from the SMS service to a function: the event sources, with the settings of the stacks. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { eventFilterPatterns } from "../functions/contract/event-filter.ts";
import type { TrackDeliveries } from "../functions/contract/guarantees.ts";
import { mostRecordAgeSeconds } from "../functions/contract/redelivery.ts";
import { accountId, type LocalClients, region } from "./aws-clients.ts";
import { type DeliveryStream, startDeliveryStream } from "./firehose/delivery-stream.ts";
import { s3ObjectWriter } from "./firehose/s3-archive.ts";
import type { InvocationResult } from "./lambda/execution-environment.ts";
import { startKinesisMapping } from "./lambda/kinesis-event-source.ts";
import { openShards } from "./lambda/kinesis-shards.ts";
import { s3FailureDestination } from "./lambda/s3-failure-destination.ts";
import { sqsQueueReader, startSqsMapping } from "./lambda/sqs-event-source.ts";
import { functionLimits } from "./local-functions.ts";
import { namePrefix, type Resources } from "./resources.ts";
import {
  type EventPublisher,
  firehosePublisher,
  kinesisPublisher,
  snsPublisher,
} from "./sms-service/event-stream.ts";

/** A running event source. */
export interface EventPath {
  /** The SMS service's end of it. */
  readonly publisher: EventPublisher;
  /** Whether everything that came has been dealt with. */
  readonly isIdle: boolean;
  /** Rounds in which the whole stream was read; infinite where records are handed over and none is read. */
  readonly polls: number;
  /** The stream that fills an archive, where the event source is one. */
  readonly deliveryStream?: DeliveryStream;
  /** Stops handing events to the function; resolves when nothing of it runs any more. */
  stop(): Promise<void>;
}

/** What an event source needs. */
export interface EventPathOptions {
  readonly clients: LocalClients;
  readonly resources: Resources;
  readonly trackDeliveries: TrackDeliveries;
  /** The Pinpoint project whose events are ours; of no interest to the others. */
  readonly applicationId: string;
  /** The function that sees the events. */
  readonly functionArn: string;
  invoke(event: object): Promise<InvocationResult>;
  /** Makes a listener that tells the user of errors, each with these words before it. */
  report(what: string): (error: unknown) => void;
}

/** Events on a Kinesis stream, read by Lambda's event source mapping. */
export async function kinesisPath(options: EventPathOptions): Promise<EventPath> {
  const { clients, resources, functionArn, report } = options;
  const { eventStreamName, eventStreamArn } = resources;
  const mapping = startKinesisMapping(
    {
      eventSourceArn: eventStreamArn,
      region,
      invokeIdentityArn: `arn:aws:iam::${accountId}:role/${namePrefix}-consume-kinesis`,
      filterPatterns: eventFilterPatterns(options.trackDeliveries, options.applicationId),
      batchSize: 500,
      maximumBatchingWindowInSeconds: 0.2,
      parallelizationFactor: 1,
      reportBatchItemFailures: true,
      bisectBatchOnFunctionError: true,
      maximumRetryAttempts: 8,
      maximumRecordAgeInSeconds: mostRecordAgeSeconds,
    },
    {
      shards: await openShards(clients.kinesis, eventStreamName, "LATEST"),
      invoke: options.invoke,
      discard: s3FailureDestination({
        client: clients.s3,
        bucket: resources.failureBucketName,
        mappingId: randomUUID(),
        functionArn,
        streamArn: eventStreamArn,
        now: Date.now,
        id: randomUUID,
      }),
      now: () => Date.now() / 1000,
      sleep: sleepSeconds,
      pollSeconds: 0.2,
      backOffSeconds: 0.2,
      onError: report("The event stream could not be read"),
    },
  );
  return {
    publisher: kinesisPublisher(clients.kinesis, eventStreamName, report("The event stream failed")),
    get isIdle() {
      return mapping.isIdle;
    },
    get polls() {
      return mapping.polls;
    },
    stop: () => mapping.stop(),
  };
}

/** Events on a Firehose stream, seen by its transformation on their way to an archive in S3. */
export function firehosePath(options: EventPathOptions): EventPath {
  const { clients, resources, functionArn, report } = options;
  const deliveryStream = startDeliveryStream({
    name: resources.eventStreamName,
    deliveryStreamArn: resources.eventStreamArn,
    region,
    lambdaArn: functionArn,
    numberOfRetries: 3,
    pauseSeconds: 0.2,
    // Firehose waits a minute and five minutes by default: nobody would watch that.
    transformationBuffer: { bytes: 1024 * 1024, intervalSeconds: 0.2 },
    deliveryBuffer: { bytes: 5 * 1024 * 1024, intervalSeconds: 0.5 },
    invoke: options.invoke,
    putObject: s3ObjectWriter(clients.s3, resources.archiveBucketName),
    sleep: sleepSeconds,
    now: Date.now,
    id: randomUUID,
    onError: report("The archive could not be written"),
  });
  return {
    publisher: firehosePublisher(deliveryStream, report("The event stream failed")),
    get isIdle() {
      return deliveryStream.isIdle;
    },
    polls: Number.POSITIVE_INFINITY,
    deliveryStream,
    stop: () => deliveryStream.stop(),
  };
}

/** Events on a topic, handed over to a queue as they come, and read there by Lambda's event source mapping. */
export function snsPath(options: EventPathOptions): EventPath {
  const { clients, resources, report } = options;
  const { eventStreamArn, eventQueue = { url: "", arn: "" } } = resources;
  const mapping = startSqsMapping(
    {
      eventSourceArn: eventQueue.arn,
      region,
      batchSize: 10,
      reportBatchItemFailures: true,
      maximumConcurrency: functionLimits["consume-sns"].maxEnvironments,
    },
    {
      queue: sqsQueueReader(clients.sqs, eventQueue.url),
      invoke: options.invoke,
      sleep: sleepSeconds,
      onError: report("The queue of the events failed"),
    },
  );
  return {
    publisher: snsPublisher(clients.sns, eventStreamArn, report("The topic failed")),
    get isIdle() {
      return mapping.running === 0;
    },
    // What is not read yet is on the queue, where it is counted.
    polls: Number.POSITIVE_INFINITY,
    stop: () => mapping.stop(),
  };
}

function sleepSeconds(seconds: number): Promise<void> {
  return sleep(seconds * 1000);
}
