/** The whole system on this machine: emulators, the SMS service simulator, the bundles, and their triggers. */
import { randomUUID } from "node:crypto";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { PinpointClient, PutEventStreamCommand } from "@aws-sdk/client-pinpoint";
import { timeoutSecondsOf } from "../functions/contract/environment.ts";
import { accountId, type LocalClients, localClients, localCredentials, region } from "./aws-clients.ts";
import { type BreakableProxy, startBreakableProxy } from "./emulators/start-breakable-proxy.ts";
import { type Emulators, startEmulators } from "./emulators/start-emulators.ts";
import { type SchedulerEmulator, startScheduler } from "./emulators/start-scheduler.ts";
import { type EventPath, firehosePath, kinesisPath } from "./event-path.ts";
import type { EventSource } from "./event-source.ts";
import { functionEnvironment, type LocalFunctionName } from "./function-environments.ts";
import type { InvocationResult } from "./lambda/execution-environment.ts";
import { type FunctionLog, functionLog } from "./lambda/function-log.ts";
import { type FunctionRuntime, functionRuntime } from "./lambda/function-runtime.ts";
import { type SqsMapping, sqsQueueReader, startSqsMapping } from "./lambda/sqs-event-source.ts";
import { createResources, namePrefix, type Resources } from "./resources.ts";
import { resendWorkers } from "./send-rate.ts";
import type { Carrier } from "./sms-simulator/carrier.ts";
import type { Scenario } from "./sms-simulator/scenario.ts";
import { type SmsSimulator, startSmsSimulator } from "./sms-simulator/simulator.ts";

/** What differs between runs. */
export interface DeploymentOptions {
  readonly carrier: Carrier;
  readonly maxRetries: number;
  readonly scenario: Pick<Scenario, "settings">;
  /** What the delivery events come through. */
  readonly via: EventSource;
  /** Folder of the bundles, `<folder>/<function>/index.mjs`. */
  readonly bundleFolder: string;
  /** Emulators to deploy on, which then go on running. @default ones that start and stop with the deployment */
  readonly shared?: SharedEmulators;
  /** Is told, in a sentence, of everything that went wrong and was tried again. */
  readonly onProblem: (problem: string) => void;
}

/** Emulators for more than one deployment. */
export interface SharedEmulators {
  readonly emulators: Emulators;
  /** Begins the name of every resource, and keeps the deployments apart: lower-case letters, digits and hyphens. */
  readonly resourcePrefix: string;
}

/** A running system. */
export interface Deployment {
  readonly clients: LocalClients;
  readonly resources: Resources;
  readonly simulator: SmsSimulator;
  readonly scheduler: SchedulerEmulator;
  readonly produce: FunctionRuntime;
  readonly functions: readonly FunctionRuntime[];
  readonly events: EventPath;
  /** What stands between the functions and the table. */
  readonly dynamodb: Pick<BreakableProxy, "break" | "mend">;
  readonly retryMessages: SqsMapping;
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

/** Time-outs, and most environments at once. */
const functionLimits = {
  "consume-kinesis": { timeoutSeconds: timeoutSecondsOf["consume-kinesis"], maxEnvironments: 4 },
  "transform-firehose": { timeoutSeconds: timeoutSecondsOf["transform-firehose"], maxEnvironments: 4 },
  resend: { timeoutSeconds: timeoutSecondsOf.resend, maxEnvironments: resendWorkers },
  produce: { timeoutSeconds: timeoutSecondsOf.produce, maxEnvironments: 3 },
} as const satisfies Record<LocalFunctionName, object>;

/** The function that sees the events of each event source. */
const eventFunctions = {
  kinesis: "consume-kinesis",
  firehose: "transform-firehose",
} as const satisfies Record<EventSource, LocalFunctionName>;

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
    await copyBundles(options, bundleFolder);
    const emulators = options.shared?.emulators ?? (await startEmulators());
    if (options.shared === undefined) opened.push(() => emulators.stop());
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
  const resources = await createResources(clients, options.via, options.shared?.resourcePrefix);
  const dynamodb = await startBreakableProxy(endpoints.dynamodb);
  opened.push(() => dynamodb.close());

  const simulator = await startSmsSimulator({
    applicationId,
    accountId,
    carrier: options.carrier,
    publisherOf: () => events.publisher,
    now: Date.now,
    id: randomUUID,
  });
  opened.push(() => simulator.close());
  const scheduler = await startScheduler({
    accountId,
    region,
    sqs: clients.sqs,
    queueUrlOf: (arn) =>
      new Map([
        [resources.queueArn, resources.queueUrl],
        [resources.deadLetterQueueArn, resources.deadLetterQueueUrl],
      ]).get(arn),
    now: Date.now,
    id: randomUUID,
    onError: report("The scheduler failed"),
  });
  opened.push(() => scheduler.close());
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
          DYNAMODB: dynamodb.endpoint,
          SQS: endpoints.sqs,
          S3: endpoints.s3,
          SCHEDULER: scheduler.endpoint,
          PINPOINT: simulator.endpoint,
        },
        applicationId,
        maxRetries: options.maxRetries,
        settings: options.scenario.settings,
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
  const consume = runtimeOf(eventFunctions[options.via]);
  const invoke = async (runtime: FunctionRuntime, event: object): Promise<InvocationResult> => {
    const result = await runtime.invoke(event);
    if (!result.ok) options.onProblem(`${runtime.name} failed: ${result.error.errorType}`);
    return result;
  };

  const retryMessages = startSqsMapping(
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
  opened.push(() => retryMessages.stop());

  const pathOptions = {
    clients,
    resources,
    trackDeliveries,
    applicationId,
    functionArn: functionArn(eventFunctions[options.via]),
    invoke: (event: object) => invoke(consume, event),
    report,
  } as const;
  const events = options.via === "kinesis" ? await kinesisPath(pathOptions) : firehosePath(pathOptions);
  opened.push(() => events.stop());
  await putEventStream(simulator.endpoint, resources.eventStreamArn);

  return {
    clients,
    resources,
    simulator,
    scheduler,
    produce,
    functions: [produce, resend, consume],
    events,
    dynamodb,
    retryMessages,
    log,
    died: emulators.died,
    stop,
  };
}

function functionArn(name: LocalFunctionName): string {
  return `arn:aws:lambda:${region}:${accountId}:function:${namePrefix}-${name}`;
}

/** Copies the bundles, so that a build meanwhile does not change a function while it runs. */
async function copyBundles(
  { bundleFolder: from, via }: Pick<DeploymentOptions, "bundleFolder" | "via">,
  to: string,
): Promise<void> {
  for (const name of ["produce", "resend", eventFunctions[via]]) {
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
