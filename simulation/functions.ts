/**
 * The functions as the simulation runs them: the same compositions that the handlers export, with the same events
 * as AWS sends, over the clients that one worker has to the models.
 */
import type { FirehoseTransformationEvent, KinesisStreamEvent, SQSEvent } from "aws-lambda";
import { consumerPorts } from "../functions/adapters/batch-consumer.ts";
import { type EventPorts, eventPorts } from "../functions/adapters/event-handling.ts";
import type { PublishedTelemetry } from "../functions/adapters/log-telemetry.ts";
import type { InvocationContext, Outside } from "../functions/adapters/outside.ts";
import { consumeKinesisFunction } from "../functions/consume-kinesis/consume-kinesis-function.ts";
import { consumeSnsFunction } from "../functions/consume-sns/consume-sns-function.ts";
import { timeoutSecondsOf } from "../functions/contract/environment.ts";
import type { CancelledMessage } from "../functions/core/message/cancel-message.ts";
import type { TransformedRecord } from "../functions/core/processing/answer-transformation.ts";
import type { RetryQueue } from "../functions/core/queue/retry-queue.ts";
import type { SendGate } from "../functions/core/sending/gate/send-gate.ts";
import type { ProduceEvent } from "../functions/core/sending/produce-invocation.ts";
import type { ProducedMessage } from "../functions/core/sending/produce-message.ts";
import type { Routing } from "../functions/core/sending/route.ts";
import { produceFunction, producePorts } from "../functions/produce/produce-function.ts";
import { resendFunction, resendPorts } from "../functions/resend/resend-function.ts";
import { transformFirehoseFunction } from "../functions/transform-firehose/transform-firehose-function.ts";
import { named } from "./named-error.ts";
import type { QueueModel } from "./queue-model.ts";
import type { SimulatedFunction, SimulatedInputs, SimulatedSettings } from "./settings.ts";
import type { SimulatedTable } from "./simulated-table.ts";
import type { SmsServiceModel } from "./sms-service-model.ts";
import type { CurrentWorker, VirtualWorld, Worker } from "./virtual-world.ts";

/** What workers see of the world. */
export interface SimulationParts {
  readonly world: VirtualWorld;
  readonly table: SimulatedTable;
  readonly queue: QueueModel;
  readonly service: SmsServiceModel;
  readonly inputs: SimulatedInputs;
  readonly settings: SimulatedSettings;
  readonly telemetry: PublishedTelemetry;
  /** Keys of the records that were put aside as malformed. */
  readonly kept: Set<string>;
  /** From when on nothing goes wrong any more; epoch seconds. */
  readonly calmFrom: number;
  /** The execution environments of each function in which nothing runs now. */
  readonly idle: Readonly<Record<SimulatedFunction, ExecutionEnvironment[]>>;
  /** Breaks a rule of the protocol on purpose; see `breaks.ts`. */
  readonly breakPorts: BreakPorts;
}

/** The ports of the core as one worker has them; the optional ones as far as its function has them. */
export interface WorkerPorts extends Pick<EventPorts, "clock" | "random" | "telemetry" | "store"> {
  readonly queue?: RetryQueue;
  readonly routing?: Routing;
  readonly gateUntil?: (until: number) => SendGate;
}

/** Replaces ports of a worker by broken ones. */
export type BreakPorts = (ports: WorkerPorts) => Partial<WorkerPorts>;

/** What a function keeps from one invocation to the next, of which one at a time runs in it. */
export interface ExecutionEnvironment {
  /** How far its clock is ahead, in seconds. */
  readonly clockOffset: number;
  worker: Worker;
  readonly handle: Handler<never, unknown>;
}

type Handler<Event, Answer> = (event: Event, context: InvocationContext) => Promise<Answer>;

interface Invocation<Event> {
  readonly name: SimulatedFunction;
  readonly worker: Worker;
  readonly event: Event;
  readonly parts: SimulationParts;
}

/**
 * Runs an invocation in an environment that is idle, or in a new one. One whose worker dies, or never ends, is not used
 * again.
 */
async function invoke<Event, Answer>(
  { name, worker, event, parts }: Invocation<Event>,
  make: (outside: Outside) => Handler<Event, Answer>,
): Promise<Answer> {
  const idle = parts.idle[name];
  const environment = idle.pop() ?? newEnvironment(worker, parts, make);
  environment.worker = worker;
  worker.clockOffset = environment.clockOffset;
  try {
    const handle = environment.handle as Handler<Event, Answer>;
    return await handle(event, contextOf(name, parts));
  } finally {
    idle.push(environment);
  }
}

function newEnvironment<Event, Answer>(
  worker: Worker,
  parts: SimulationParts,
  make: (outside: Outside) => Handler<Event, Answer>,
): ExecutionEnvironment {
  const clockOffset = parts.world.newClockOffset();
  parts.world.note(
    `${worker.name}: starts cold${clockOffset === 0 ? "" : `, its clock off by ${clockOffset} s`}`,
  );
  const environment: ExecutionEnvironment = {
    clockOffset,
    worker,
    handle: make(outsideOf(() => environment.worker, parts)),
  };
  return environment;
}

function outsideOf(current: CurrentWorker, parts: SimulationParts): Outside {
  const { world, table, queue, service, telemetry, kept } = parts;
  return {
    clock: {
      now: () => world.clockOf(current()).now(),
      sleep: (seconds, signal) => world.clockOf(current()).sleep(seconds, signal),
    },
    random: {
      next: () => world.choices.below(1_000) / 1_000,
      id: () => `${current().name}/${world.newId()}`,
    },
    telemetry,
    table: table.clientFor(current),
    ...queue.clientsFor(current),
    pinpoint: async () => service.clientFor(current),
    endUserMessaging: async () => service.textClientFor(current),
    putObject: ({ Key = "" }) =>
      world.call(
        current(),
        {
          service: "s3",
          label: "S3 PutObject",
          errors: {
            throttled: () => named("SlowDown"),
            failed: () => named("InternalError"),
            timedOut: () => named("TimeoutError"),
          },
          patienceSeconds: 20,
          isRepeated: true,
        },
        () => kept.add(Key),
      ),
  };
}

/** The context of an invocation that began now. */
function contextOf(name: SimulatedFunction, { world }: SimulationParts): InvocationContext {
  const endsAt = world.now + timeoutSecondsOf[name];
  return { getRemainingTimeInMillis: () => Math.max(0, (endsAt - world.now) * 1000) };
}

/** A record on its way to a function: an id, and the bytes of its data in base64. */
export interface CarriedRecord {
  readonly id: string;
  readonly data: string;
}

/** `consume-kinesis`: answers with the ids of the records to hand over again. */
export async function consume(
  worker: Worker,
  records: readonly CarriedRecord[],
  parts: SimulationParts,
): Promise<string[]> {
  const event = {
    Records: records.map(({ id, data }) => ({
      eventID: `shardId-000000000000:${id}`,
      kinesis: { sequenceNumber: id, data, partitionKey: id, kinesisSchemaVersion: "1.0" },
    })),
  } as KinesisStreamEvent;
  const answer = await invoke({ name: "consume-kinesis", worker, event, parts }, (outside) => {
    const settings = parts.settings["consume-kinesis"];
    const made = consumerPorts(settings, outside);
    return consumeKinesisFunction(settings, { ...made, ...parts.breakPorts(made) });
  });
  return answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
}

/** `consume-sns`: answers with the ids of the messages to hand over again. */
export async function consumeSns(
  worker: Worker,
  batch: readonly { readonly id: string; readonly body: string }[],
  parts: SimulationParts,
): Promise<string[]> {
  const event = sqsEventOf(batch);
  const answer = await invoke({ name: "consume-sns", worker, event, parts }, (outside) => {
    const settings = parts.settings["consume-sns"];
    const made = consumerPorts(settings, outside);
    return consumeSnsFunction(settings, { ...made, ...parts.breakPorts(made) });
  });
  return answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
}

function sqsEventOf(batch: readonly { readonly id: string; readonly body: string }[]): SQSEvent {
  return {
    Records: batch.map(({ id, body }) => ({ messageId: id, body, eventSource: "aws:sqs" })),
  } as SQSEvent;
}

/** `transform-firehose`: answers every record. */
export async function transform(
  worker: Worker,
  records: readonly CarriedRecord[],
  parts: SimulationParts,
): Promise<TransformedRecord[]> {
  const event = {
    invocationId: worker.name,
    deliveryStreamArn: "d",
    region: "us-east-1",
    records: records.map(({ id, data }) => ({ recordId: id, data, approximateArrivalTimestamp: 0 })),
  } satisfies FirehoseTransformationEvent;
  const answer = await invoke({ name: "transform-firehose", worker, event, parts }, (outside) => {
    const settings = parts.settings["transform-firehose"];
    const made = eventPorts(settings, outside);
    return transformFirehoseFunction(settings, { ...made, ...parts.breakPorts(made) });
  });
  return answer.records as TransformedRecord[];
}

/** `resend`: answers with the ids of the messages to redeliver. */
export async function resend(
  worker: Worker,
  batch: readonly { readonly id: string; readonly body: string }[],
  parts: SimulationParts,
): Promise<string[]> {
  const event = sqsEventOf(batch);
  const answer = await invoke({ name: "resend", worker, event, parts }, (outside) => {
    const settings = parts.settings.resend;
    const made = resendPorts(settings, outside);
    return resendFunction(settings, { ...made, ...parts.breakPorts(made) });
  });
  return answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
}

/** `produce`. */
export async function produce(
  worker: Worker,
  event: ProduceEvent,
  parts: SimulationParts,
): Promise<ProducedMessage | CancelledMessage> {
  return invoke({ name: "produce", worker, event, parts }, (outside) => {
    const settings = parts.settings.produce;
    const made = producePorts(settings, outside);
    return produceFunction(settings, { ...made, ...parts.breakPorts(made) });
  });
}
