/** The whole system on this machine: emulators, the SMS service simulator, the bundles, and their triggers. */
import { randomUUID } from "node:crypto";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { PinpointClient, PutEventStreamCommand } from "@aws-sdk/client-pinpoint";
import { eventFilterPatterns } from "../functions/event-filter.ts";
import { accountId, type LocalClients, localClients, localCredentials, region } from "./aws-clients.ts";
import { type Emulators, startEmulators } from "./emulators/start-emulators.ts";
import { type SchedulerEmulator, startScheduler } from "./emulators/start-scheduler.ts";
import { functionEnvironment, type LocalFunctionName } from "./function-environments.ts";
import type { InvocationResult } from "./lambda/execution-environment.ts";
import { type FunctionLog, functionLog } from "./lambda/function-log.ts";
import { type FunctionRuntime, functionRuntime } from "./lambda/function-runtime.ts";
import { type KinesisMapping, startKinesisMapping } from "./lambda/kinesis-event-source.ts";
import { openShards } from "./lambda/kinesis-shards.ts";
import { s3FailureDestination } from "./lambda/s3-failure-destination.ts";
import { type SqsMapping, sqsQueueReader, startSqsMapping } from "./lambda/sqs-event-source.ts";
import { createResources, namePrefix, type Resources } from "./resources.ts";
import type { Carrier } from "./sms-simulator/carrier.ts";
import { kinesisPublisher } from "./sms-simulator/event-stream.ts";
import { type SmsSimulator, startSmsSimulator } from "./sms-simulator/simulator.ts";

/** What differs between runs. */
export interface DeploymentOptions {
  readonly carrier: Carrier;
  readonly maxRetries: number;
  /** Folder of the bundles, `<folder>/<function>/index.mjs`. */
  readonly bundleFolder: string;
  /** Is told, in a sentence, of everything that went wrong and was tried again. */
  readonly onProblem: (problem: string) => void;
}

/** A running system. */
export interface Deployment {
  readonly clients: LocalClients;
  readonly resources: Resources;
  readonly simulator: SmsSimulator;
  readonly scheduler: SchedulerEmulator;
  readonly produce: FunctionRuntime;
  readonly functions: readonly FunctionRuntime[];
  readonly events: KinesisMapping;
  readonly wakeUps: SqsMapping;
  readonly log: FunctionLog;
  /** Rejects if an emulator dies. */
  readonly died: Promise<never>;
  /** Stops everything that was started, the triggers first; may be called twice. */
  stop(): Promise<void>;
}

/** The functions cannot be run because they have not been bundled. */
export class MissingBundleError extends Error {
  override readonly name = "MissingBundleError";
}

/** The Pinpoint project that the functions send with. */
const applicationId = "0123456789abcdef0123456789abcdef";

/** Time-outs, and most environments at once; two resend workers is the least that Lambda can be told. */
const functionLimits = {
  "consume-kinesis": { timeoutSeconds: 60, maxEnvironments: 4 },
  resend: { timeoutSeconds: 30, maxEnvironments: 2 },
  produce: { timeoutSeconds: 30, maxEnvironments: 3 },
} as const satisfies Record<LocalFunctionName, object>;

const trackDeliveries = "retried";

/**
 * Starts the whole system; resolves when a message can be produced.
 *
 * @throws MissingBundleError if a bundle is not there; EmulatorError if an emulator does not start
 */
export async function deploy(options: DeploymentOptions): Promise<Deployment> {
  const opened: (() => Promise<unknown>)[] = [];
  let stopping: Promise<void> | undefined;
  // What was started last is stopped first: a trigger before its function, a function before its services.
  const stop = () => {
    stopping ??= (async () => {
      for (const close of opened.reverse()) await close();
    })();
    return stopping;
  };
  try {
    const bundleFolder = await mkdtemp(join(tmpdir(), `${namePrefix}-bundles-`));
    opened.push(() => rm(bundleFolder, { recursive: true }));
    await copyBundles(options.bundleFolder, bundleFolder);
    const emulators = await startEmulators();
    opened.push(() => emulators.stop());
    return await deployOn(emulators, { ...options, bundleFolder }, opened, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function deployOn(
  emulators: Emulators,
  options: DeploymentOptions,
  opened: (() => Promise<unknown>)[],
  stop: () => Promise<void>,
): Promise<Deployment> {
  const { endpoints } = emulators;
  const report = (what: string) => (error: unknown) =>
    options.onProblem(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  const clients = localClients(endpoints);
  opened.push(async () => clients.close());
  const resources = await createResources(clients);

  const simulator = await startSmsSimulator({
    applicationId,
    accountId,
    carrier: options.carrier,
    publisherOf: (stream) => kinesisPublisher(clients.kinesis, stream, report("The event stream failed")),
    now: Date.now,
    id: randomUUID,
  });
  opened.push(() => simulator.close());
  const scheduler = await startScheduler({
    accountId,
    region,
    sqs: clients.sqs,
    queueUrlOf: (arn) => (arn === resources.queueArn ? resources.queueUrl : undefined),
    now: Date.now,
    id: randomUUID,
    onError: report("The scheduler failed"),
  });
  opened.push(() => scheduler.close());
  await putEventStream(simulator.endpoint, resources.streamArn);

  const log = functionLog();
  const runtimeOf = (name: LocalFunctionName): FunctionRuntime => {
    const runtime = functionRuntime({
      identity: {
        functionName: `${namePrefix}-${name}`,
        functionVersion: "$LATEST",
        invokedFunctionArn: functionArn(name),
        memoryLimitInMB: "256",
        logGroupName: `/aws/lambda/${namePrefix}-${name}`,
      },
      bundle: join(options.bundleFolder, name, "index.mjs"),
      environment: functionEnvironment(name, {
        resources,
        endpoints: {
          DYNAMODB: endpoints.dynamodb,
          SQS: endpoints.sqs,
          S3: endpoints.s3,
          SCHEDULER: scheduler.endpoint,
          PINPOINT: simulator.endpoint,
        },
        applicationId,
        maxRetries: options.maxRetries,
        senderConcurrency: functionLimits.resend.maxEnvironments,
        trackDeliveries,
      }),
      ...functionLimits[name],
      onLine: log.add,
      id: randomUUID,
    });
    opened.push(() => runtime.stop());
    return runtime;
  };
  const produce = runtimeOf("produce");
  const resend = runtimeOf("resend");
  const consume = runtimeOf("consume-kinesis");
  const invoke = async (runtime: FunctionRuntime, event: object): Promise<InvocationResult> => {
    const result = await runtime.invoke(event);
    if (!result.ok) options.onProblem(`${runtime.name} failed: ${result.error.errorType}`);
    return result;
  };

  const wakeUps = startSqsMapping(
    {
      eventSourceArn: resources.queueArn,
      region,
      batchSize: 10,
      reportBatchItemFailures: true,
      maximumConcurrency: functionLimits.resend.maxEnvironments,
    },
    {
      queue: sqsQueueReader(clients.sqs, resources.queueUrl),
      invoke: (event) => invoke(resend, event),
      sleep: sleepSeconds,
      onError: report("The retry queue failed"),
    },
  );
  opened.push(() => wakeUps.stop());

  const events = startKinesisMapping(
    {
      eventSourceArn: resources.streamArn,
      region,
      invokeIdentityArn: `arn:aws:iam::${accountId}:role/${namePrefix}-consume-kinesis`,
      filterPatterns: eventFilterPatterns(trackDeliveries),
      batchSize: 500,
      maximumBatchingWindowInSeconds: 0.2,
      parallelizationFactor: 1,
      reportBatchItemFailures: true,
      bisectBatchOnFunctionError: true,
      maximumRetryAttempts: 8,
      maximumRecordAgeInSeconds: 72_000,
    },
    {
      shards: await openShards(clients.kinesis, resources.streamName, "LATEST"),
      invoke: (event) => invoke(consume, event),
      discard: s3FailureDestination({
        client: clients.s3,
        bucket: resources.failureBucketName,
        mappingId: randomUUID(),
        functionArn: functionArn("consume-kinesis"),
        streamArn: resources.streamArn,
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
  opened.push(() => events.stop());

  return {
    clients,
    resources,
    simulator,
    scheduler,
    produce,
    functions: [produce, resend, consume],
    events,
    wakeUps,
    log,
    died: emulators.died,
    stop,
  };
}

function functionArn(name: LocalFunctionName): string {
  return `arn:aws:lambda:${region}:${accountId}:function:${namePrefix}-${name}`;
}

/** Copies the bundles, so that a build meanwhile does not change a function while it runs. */
async function copyBundles(from: string, to: string): Promise<void> {
  for (const name of Object.keys(functionLimits)) {
    try {
      await cp(join(from, name), join(to, name), { recursive: true });
    } catch (cause) {
      throw new MissingBundleError(`The function ${name} is not bundled; run "npm run bundle" first.`, {
        cause,
      });
    }
  }
}

/** Connects the simulator to the stream, as `aws_pinpoint_event_stream` does. */
async function putEventStream(endpoint: string, streamArn: string): Promise<void> {
  const pinpoint = new PinpointClient({ region, credentials: localCredentials, endpoint });
  await pinpoint.send(
    new PutEventStreamCommand({
      ApplicationId: applicationId,
      WriteEventStream: {
        DestinationStreamArn: streamArn,
        RoleArn: `arn:aws:iam::${accountId}:role/${namePrefix}-event-stream`,
      },
    }),
  );
  pinpoint.destroy();
}

function sleepSeconds(seconds: number): Promise<void> {
  return sleep(seconds * 1000);
}
