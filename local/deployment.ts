/** The whole system on this machine: emulators, the SMS service, the bundles, and their triggers. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { PinpointClient, PutEventStreamCommand } from "@aws-sdk/client-pinpoint";
import type { SmsService } from "../functions/contract/environment.ts";
import { matchingEventTypes } from "../functions/contract/event-destination.ts";
import { accountId, type LocalClients, localClients, localCredentials, region } from "./aws-clients.ts";
import { type BreakableProxy, startBreakableProxy } from "./emulators/start-breakable-proxy.ts";
import { type Emulators, startEmulators } from "./emulators/start-emulators.ts";
import { type SchedulerEmulator, startScheduler } from "./emulators/start-scheduler.ts";
import { type EventPath, type EventPathOptions, firehosePath, kinesisPath, snsPath } from "./event-path.ts";
import type { EventSource } from "./event-source.ts";
import {
  type EnvironmentFacts,
  functionEnvironment,
  type LocalFunctionName,
} from "./function-environments.ts";
import type { InvocationResult } from "./lambda/execution-environment.ts";
import { type FunctionLog, functionLog } from "./lambda/function-log.ts";
import type { FunctionRuntime } from "./lambda/function-runtime.ts";
import { type SqsMapping, sqsQueueReader, startSqsMapping } from "./lambda/sqs-event-source.ts";
import { bundledFunction, copyBundles, functionArn, functionLimits } from "./local-functions.ts";
import { createResources, namePrefix, type Resources } from "./resources.ts";
import type { Carrier } from "./sms-service/carrier.ts";
import type { Scenario } from "./sms-service/scenario.ts";
import { type ServedSmsService, serveSmsService } from "./sms-service/serve-sms-service.ts";

/** What differs between runs. */
export interface DeploymentOptions {
  readonly carrier: Carrier;
  readonly maxRetries: number;
  readonly scenario: Pick<Scenario, "settings">;
  /** What the messages are sent by. */
  readonly service: SmsService;
  /** What the delivery events come through; one of `eventSourcesOf` the service. */
  readonly via: EventSource;
  /** Folder of the bundles, `<folder>/<function>/index.mjs`. */
  readonly bundleFolder: string;
  /** Emulators to deploy on, which then go on running. @default ones that start and stop with the deployment */
  readonly shared?: SharedEmulators;
  /** Is told, in a sentence, of everything that went wrong and was tried again. */
  readonly onProblem: (problem: string) => void;
  /**
   * Once it aborts nothing is waited for: `stop` ends everything at once, and what fails meanwhile is no problem.
   * @default never
   */
  readonly signal?: AbortSignal;
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
  /** Of the emulators, past everything that a fault can break. */
  readonly endpoints: Emulators["endpoints"];
  readonly simulator: ServedSmsService;
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

/** The Pinpoint project that the functions send with. */
export const applicationId = "0123456789abcdef0123456789abcdef";

/** The configuration set that the functions send with by End User Messaging. */
const configurationSetName = `${namePrefix}-sms`;

/** The function that sees the events of each event source. */
const eventFunctions = {
  kinesis: "consume-kinesis",
  firehose: "transform-firehose",
  sns: "consume-sns",
} as const satisfies Record<EventSource, LocalFunctionName>;

/** How each event source is started. */
const eventPaths: Readonly<
  Record<EventSource, (options: EventPathOptions) => EventPath | Promise<EventPath>>
> = { kinesis: kinesisPath, firehose: firehosePath, sns: snsPath };

const trackDeliveries = "retried";

/**
 * What a deployment has started. What was started last is stopped first: a trigger before its function. Where nobody
 * waits for what still runs, all is stopped at once.
 */
class Started {
  readonly #closings: (() => unknown)[] = [];
  readonly #signal: AbortSignal | undefined;
  #stopping: Promise<unknown> | undefined;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  /** Remembers how to stop something that has been started. */
  add<T>(part: T, stop: (part: T) => unknown): T {
    this.#closings.push(() => stop(part));
    return part;
  }

  /** Stops everything; may be called twice. */
  async stop(): Promise<void> {
    this.#stopping ??= this.#signal?.aborted ? this.#stopAtOnce() : this.#stopInOrder();
    await this.#stopping;
  }

  async #stopInOrder(): Promise<void> {
    for (const close of this.#closings.reverse()) await close();
  }

  #stopAtOnce(): Promise<unknown> {
    return Promise.allSettled(this.#closings.map(async (close) => close()));
  }
}

/** What the parts of a deployment are started with. */
interface Foundation {
  readonly options: DeploymentOptions;
  readonly emulators: Emulators;
  readonly clients: LocalClients;
  readonly resources: Resources;
  readonly started: Started;
  /** Makes a listener that tells the user of errors, each with these words before it. */
  report(what: string): (error: unknown) => void;
  /** Invokes a function, and tells the user where it fails. */
  invoke(runtime: FunctionRuntime, event: object): Promise<InvocationResult>;
}

/**
 * Starts the whole system; resolves when a message can be produced.
 *
 * @throws MissingBundleError if a bundle is not there; EmulatorError if an emulator does not start
 */
export async function deploy(options: DeploymentOptions): Promise<Deployment> {
  const started = new Started(options.signal);
  try {
    const bundleFolder = started.add(await mkdtemp(join(tmpdir(), `${namePrefix}-bundles-`)), (folder) =>
      rm(folder, { recursive: true }),
    );
    await copyBundles(["produce", "resend", eventFunctions[options.via]], options.bundleFolder, bundleFolder);
    const emulators = options.shared?.emulators ?? started.add(await startEmulators(), (own) => own.stop());
    return await deployOn(emulators, { ...options, bundleFolder }, started);
  } catch (error) {
    await started.stop();
    throw error;
  }
}

async function deployOn(
  emulators: Emulators,
  options: DeploymentOptions,
  started: Started,
): Promise<Deployment> {
  const foundation = await createFoundation(emulators, options, started);
  const { clients, resources } = foundation;
  const dynamodb = started.add(await startBreakableProxy(emulators.endpoints.dynamodb), (it) => it.close());
  const simulator = await serveSmsService({
    applicationId,
    accountId,
    configurationSets: new Map([[configurationSetName, matchingEventTypesOf(options.via)]]),
    carrier: options.carrier,
    publisherOf: () => events.publisher,
    now: Date.now,
    id: randomUUID,
  });
  started.add(simulator, (it) => it.close());
  const scheduler = await startRetryScheduler(foundation);
  const log = functionLog();
  const runtimeOf = functionsOf(foundation, log, {
    DYNAMODB: dynamodb.endpoint,
    SCHEDULER: scheduler.endpoint,
    ...(options.service === "pinpoint"
      ? { PINPOINT: simulator.endpoint }
      : { PINPOINT_SMS_VOICE_V2: simulator.endpoint }),
  });
  const produce = runtimeOf("produce");
  const resend = runtimeOf("resend");
  const consume = runtimeOf(eventFunctions[options.via]);
  const retryMessages = readRetryQueue(resend, foundation);
  const events = await startEventPath(consume, foundation);
  if (options.service === "pinpoint") await putEventStream(simulator.endpoint, resources.eventStreamArn);

  return {
    clients,
    resources,
    endpoints: emulators.endpoints,
    simulator,
    scheduler,
    produce,
    functions: [produce, resend, consume],
    events,
    dynamodb,
    retryMessages,
    log,
    died: emulators.died,
    stop: () => started.stop(),
  };
}

/** The clients, and the table, the queues, the buckets and the stream. */
async function createFoundation(
  emulators: Emulators,
  options: DeploymentOptions,
  started: Started,
): Promise<Foundation> {
  const onProblem = (problem: string) => {
    if (!options.signal?.aborted) options.onProblem(problem);
  };
  const clients = started.add(localClients(emulators.endpoints), (open) => open.close());
  return {
    options,
    emulators,
    clients,
    resources: await createResources(clients, options.via, options.shared?.resourcePrefix),
    started,
    report: (what) => (error) =>
      onProblem(`${what}: ${error instanceof Error ? error.message : String(error)}`),
    async invoke(runtime, event) {
      const result = await runtime.invoke(event);
      if (!result.ok) onProblem(`${runtime.name} failed: ${result.error.errorType}`);
      return result;
    },
  };
}

/** EventBridge Scheduler, for what is due later than the queue can delay it. */
async function startRetryScheduler({
  clients,
  resources,
  report,
  started,
}: Foundation): Promise<SchedulerEmulator> {
  const queueUrls = new Map([
    [resources.queueArn, resources.queueUrl],
    [resources.deadLetterQueueArn, resources.deadLetterQueueUrl],
  ]);
  const scheduler = await startScheduler({
    accountId,
    region,
    sqs: clients.sqs,
    queueUrlOf: (arn) => queueUrls.get(arn),
    now: Date.now,
    id: randomUUID,
    onError: report("The scheduler failed"),
  });
  return started.add(scheduler, (it) => it.close());
}

/** Makes the functions, which reach the queue and the buckets directly and the rest at these endpoints. */
function functionsOf(
  { options, emulators, resources, started }: Foundation,
  log: FunctionLog,
  endpoints: EnvironmentFacts["endpoints"],
): (name: LocalFunctionName) => FunctionRuntime {
  const { sqs, s3 } = emulators.endpoints;
  const facts = {
    resources,
    endpoints: { ...endpoints, SQS: sqs, S3: s3 },
    sending:
      options.service === "pinpoint"
        ? { service: options.service, applicationId }
        : { service: options.service, configurationSetName },
    maxRetries: options.maxRetries,
    settings: options.scenario.settings,
    trackDeliveries,
  } as const;
  return (name) => {
    const runtime = bundledFunction(name, {
      bundleFolder: options.bundleFolder,
      environment: functionEnvironment(name, facts),
      ...functionLimits[name],
      onLine: log.add,
    });
    return started.add(runtime, (it) => it.stop());
  };
}

/** Lambda's event source mapping of the retry queue. */
function readRetryQueue(
  resend: FunctionRuntime,
  { clients, resources, report, invoke, started }: Foundation,
): SqsMapping {
  const mapping = startSqsMapping(
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
  return started.add(mapping, (it) => it.stop());
}

/** The event source, from the SMS service to the function that sees the events. */
async function startEventPath(
  consume: FunctionRuntime,
  { options: { via }, clients, resources, report, invoke, started }: Foundation,
): Promise<EventPath> {
  const path = {
    clients,
    resources,
    trackDeliveries,
    applicationId,
    functionArn: functionArn(eventFunctions[via]),
    invoke: (event: object) => invoke(consume, event),
    report,
  } as const;
  const events = await eventPaths[via](path);
  return started.add(events, (it) => it.stop());
}

/** What the configuration set sends to its destination: to a Firehose stream everything, as to the stacks' archive. */
function matchingEventTypesOf(via: EventSource): ReadonlySet<string> | undefined {
  return via === "sns" ? new Set(matchingEventTypes(trackDeliveries)) : undefined;
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
