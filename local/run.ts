/** One local run: deploy, produce, wait until nothing moves any more, and count up. */
import { setTimeout as sleep } from "node:timers/promises";
import { paginateScan } from "@aws-sdk/client-dynamodb";
import { GetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import type { SmsService } from "../functions/contract/environment.ts";
import type { LocalClients } from "./aws-clients.ts";
import { type Deployment, deploy, type SharedEmulators } from "./deployment.ts";
import type { Endpoints } from "./emulators/start-emulators.ts";
import type { EventSource } from "./event-source.ts";
import { type FaultName, playFault } from "./faults.ts";
import { type ArchiveContents, readArchive } from "./firehose/s3-archive.ts";
import type { FunctionLog } from "./lambda/function-log.ts";
import { produceMessages, scriptedMessages } from "./produce-messages.ts";
import { scriptedCarrier } from "./sms-service/carrier.ts";
import type { Ledger } from "./sms-service/ledger.ts";
import type { Scenario } from "./sms-service/scenario.ts";
import { awsSimulatorNumbers } from "./sms-service/simulator-numbers.ts";
import { type Archive, outcomeOf, type StateRow, type Summary, summarise } from "./summary.ts";

/** What a run is made of. */
export interface RunOptions {
  readonly scenario: Scenario;
  readonly scenarioName: string;
  readonly messages: number;
  /** Messages that the application produces per second. */
  readonly rate: number;
  readonly seed: number;
  readonly maxRetries: number;
  /** What the messages are sent by. */
  readonly service: SmsService;
  /** What the delivery events come through; one of `eventSourcesOf` the service. */
  readonly via: EventSource;
  /** What breaks in the middle of the run. */
  readonly fault?: FaultName;
  readonly bundleFolder: string;
  /** Emulators to run on, which then go on running. @default ones that start and stop with the run */
  readonly shared?: SharedEmulators;
  /** Is told once where tables and queues are: from then on the run's gates and messages can be read and changed. */
  readonly onDeployed?: (endpoints: Pick<Endpoints, "dynamodb" | "sqs">) => void;
  readonly onProgress: (progress: Progress) => void;
  /** Is told, in a sentence, of everything that went wrong and was tried again. */
  readonly onProblem: (problem: string) => void;
  /** Ends the run early; it then rejects with the signal's reason. */
  readonly signal: AbortSignal;
}

/** How far a run is. */
export interface Progress {
  readonly stage: "starting" | "running" | "stopping";
  /** Messages whose retry sequence is over. */
  readonly over: number;
  readonly sends: number;
  readonly events: number;
}

/** What a run leaves. */
export interface RunResult {
  readonly summary: Summary;
  readonly rows: readonly StateRow[];
  /** What the functions wrote. */
  readonly log: FunctionLog;
  readonly ledger: Ledger;
  /** What lies in the archive; only where events went through Firehose. */
  readonly archived?: ArchiveContents;
}

/** How long the shortest pause between two looks is, and how much of the time may be spent looking. */
const look = { everyMilliseconds: 400, pausePerLook: 4 };

/**
 * Runs a scenario to its end; all that it starts is stopped when this settles.
 *
 * @throws the errors of {@link deploy}; EmulatorError if an emulator dies meanwhile
 */
export async function run(options: RunOptions): Promise<RunResult> {
  const startedAt = performance.now();
  const { scenario, seed } = options;
  const progress = (stage: Progress["stage"], over = 0, deployment?: Deployment): void =>
    options.onProgress({
      stage,
      over,
      sends: deployment?.simulator.ledger.sends.length ?? 0,
      events: deployment?.simulator.ledger.eventCounts().emitted ?? 0,
    });

  progress("starting");
  const messages = scriptedMessages(scenario, options.messages, seed);
  const scripts = new Map(messages.map(({ destination, script }) => [destination, script]));
  const carrier = scriptedCarrier(scenario, seed, scripts, awsSimulatorNumbers);
  const deployment = await deploy({ ...options, carrier });
  try {
    options.onDeployed?.(deployment.endpoints);
    const produced = produceMessages(messages, {
      ...options,
      perSecond: options.rate,
      produce: deployment.produce,
    });
    const faultOver = options.fault && playFault(options.fault, deployment, options);
    const played = Promise.all([produced, faultOver]);
    const done = watch(deployment, options, played, (over) => progress("running", over, deployment));
    const rows = await Promise.race([done, deployment.died]);
    const durationMs = Math.round(performance.now() - startedAt);
    progress("stopping", rows.length, deployment);
    const archived = await closeArchive(deployment);
    // The last lines of the functions, and so their metrics, are read when they have ended.
    await deployment.stop();
    const { log, simulator } = deployment;
    const summary = summarise({
      messages: messages.length,
      rows,
      ledger: simulator.ledger,
      log,
      maxSendsPerSecond: scenario.settings.max_sends_per_second,
      durationMs,
      seed,
      scenario: options.scenarioName,
      ...(archived !== undefined && { archive: archived.counts }),
    });
    return {
      summary,
      rows,
      log,
      ledger: simulator.ledger,
      ...(archived !== undefined && { archived: archived.contents }),
    };
  } finally {
    await deployment.stop();
  }
}

/**
 * Lets the delivery stream write what it still holds, and reads the archive. What was delivered and what has
 * failed is counted in the bucket itself: a stream that says it wrote something has written nothing yet.
 */
async function closeArchive({
  clients,
  resources,
  events,
}: Deployment): Promise<{ counts: Archive; contents: ArchiveContents } | undefined> {
  if (events.deliveryStream === undefined) return undefined;
  await events.stop();
  const { received, dropped } = events.deliveryStream;
  const contents = await readArchive(clients.s3, resources.archiveBucketName);
  const { delivered, failed } = contents;
  return { counts: { received, delivered: delivered.length, dropped, failed: failed.length }, contents };
}

/** Looks at everything again and again until nothing moves; answers with the rows of the table. */
async function watch(
  deployment: Deployment,
  { scenario, messages, signal, onProblem }: RunOptions,
  played: Promise<unknown>,
  onOver: (over: number) => void,
): Promise<StateRow[]> {
  let isPlayed = false;
  let failure: unknown;
  played.then(
    () => {
      isPlayed = true;
    },
    (error: unknown) => {
      failure = error;
    },
  );
  const endsAt = performance.now() + scenario.time_limit_seconds * 1000;
  const stillness = stillnessDetector(deployment);
  for (;;) {
    const lookedAt = performance.now();
    const rows = await readRows(deployment);
    const sends = deployment.simulator.ledger.sendsByMessage();
    const isOver = (row: StateRow) => outcomeOf(row, sends.get(row.application_message_id) ?? []) !== "open";
    const over = rows.filter(isOver).length;
    onOver(over);
    if (failure !== undefined) throw failure;
    if (isPlayed && (await stillness(over === messages))) return rows;
    if (performance.now() > endsAt) {
      onProblem(
        `The time limit of ${scenario.time_limit_seconds} s is over, so what is open stays open; raise time_limit_seconds.`,
      );
      return rows;
    }
    const took = performance.now() - lookedAt;
    await sleep(Math.max(look.everyMilliseconds, took * look.pausePerLook), undefined, { signal });
  }
}

/**
 * Tells whether nothing moves any more: no event on its way, no batch with a function, nothing on the queue,
 * and no invocation or send since the look before.
 *
 * Once every message is over, retry messages that are not due yet do not count: they can change nothing. Such a one
 * stays for a minute where the answer to a send was lost.
 */
function stillnessDetector(deployment: Deployment): (areAllOver: boolean) => Promise<boolean> {
  const { simulator, events, retryMessages, scheduler, functions } = deployment;
  let before = { activity: -1, polls: 0 };
  return async (areAllOver) => {
    const activity =
      simulator.ledger.calls.length +
      simulator.ledger.eventCounts().emitted +
      functions.reduce((sum, { invocations }) => sum + invocations, 0);
    if (activity !== before.activity) {
      before = { activity, polls: events.polls };
      return false;
    }
    // Two more reads of every shard have found nothing.
    const isRead = events.polls >= before.polls + 2;
    const isStill =
      simulator.pendingEvents + scheduler.pending + retryMessages.running === 0 && events.isIdle;
    return isRead && isStill && (await areQueuesEmpty(deployment, areAllOver));
  };
}

async function areQueuesEmpty(
  { clients, resources: { queueUrl, eventQueue } }: Deployment,
  ignoresDelayed: boolean,
): Promise<boolean> {
  const urls = [queueUrl, ...(eventQueue === undefined ? [] : [eventQueue.url])];
  const areEmpty = await Promise.all(urls.map((url) => isQueueEmpty(clients, url, ignoresDelayed)));
  return areEmpty.every(Boolean);
}

async function isQueueEmpty({ sqs }: LocalClients, url: string, ignoresDelayed: boolean): Promise<boolean> {
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["All"] }),
  );
  const counts = [
    Attributes.ApproximateNumberOfMessages,
    ignoresDelayed ? 0 : Attributes.ApproximateNumberOfMessagesDelayed,
    Attributes.ApproximateNumberOfMessagesNotVisible,
  ];
  return counts.every((count) => Number(count) === 0);
}

async function readRows({ clients, resources }: Deployment): Promise<StateRow[]> {
  const rows: StateRow[] = [];
  const pages = paginateScan({ client: clients.dynamodb }, { TableName: resources.tableName });
  for await (const { Items = [] } of pages) {
    for (const item of Items) rows.push(unmarshall(item) as StateRow);
  }
  return rows;
}
