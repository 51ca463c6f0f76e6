/**
 * The functions as the simulation runs them: the same compositions that the handlers export, with the same events
 * as AWS sends, over the clients that one worker has to the models.
 */
import type { FirehoseTransformationEvent, KinesisStreamEvent, SQSEvent } from "aws-lambda";
import { type EventPorts, eventPorts } from "../functions/adapters/event-handling.ts";
import type { InvocationContext, Outside } from "../functions/adapters/outside.ts";
import type { PublishedTelemetry } from "../functions/adapters/powertools-telemetry.ts";
import {
  consumeKinesisFunction,
  consumeKinesisPorts,
} from "../functions/consume-kinesis/consume-kinesis-function.ts";
import { timeoutSecondsOf } from "../functions/contract/environment.ts";
import type { CancelledMessage } from "../functions/core/message/cancel-message.ts";
import type { TransformedRecord } from "../functions/core/processing/answer-transformation.ts";
import type { RetryQueue } from "../functions/core/queue/retry-queue.ts";
import type { SendGate } from "../functions/core/sending/gate/send-gate.ts";
import type { ProduceEvent } from "../functions/core/sending/produce-invocation.ts";
import type { ProducedMessage } from "../functions/core/sending/produce-message.ts";
import type { SmsSender } from "../functions/core/sending/sms-sender.ts";
import { produceFunction, producePorts } from "../functions/produce/produce-function.ts";
import { resendFunction, resendPorts } from "../functions/resend/resend-function.ts";
import { transformFirehoseFunction } from "../functions/transform-firehose/transform-firehose-function.ts";
import { named } from "./named-error.ts";
import type { QueueModel } from "./queue-model.ts";
import type { SimulatedFunction, SimulatedSettings } from "./settings.ts";
import type { SimulatedTable } from "./simulated-table.ts";
import type { SmsServiceModel } from "./sms-service-model.ts";
import type { VirtualWorld, Worker } from "./virtual-world.ts";

/** What workers see of the world. */
export interface SimulationParts {
  readonly world: VirtualWorld;
  readonly table: SimulatedTable;
  readonly queue: QueueModel;
  readonly service: SmsServiceModel;
  readonly settings: SimulatedSettings;
  readonly telemetry: PublishedTelemetry;
  /** Keys of the records that were put aside as malformed. */
  readonly kept: Set<string>;
  /** From when on nothing goes wrong any more; epoch seconds. */
  readonly calmFrom: number;
  /** Breaks a rule of the protocol on purpose; see `breaks.ts`. */
  readonly breakPorts: BreakPorts;
}

/** The ports of the core as one worker has them; the optional ones as far as its function has them. */
export interface WorkerPorts extends Pick<EventPorts, "clock" | "random" | "telemetry" | "store"> {
  readonly queue?: RetryQueue;
  readonly sender?: SmsSender;
  readonly gateUntil?: (until: number) => SendGate;
}

/** Replaces ports of a worker by broken ones. */
export type BreakPorts = (ports: WorkerPorts) => Partial<WorkerPorts>;

function outsideOf(worker: Worker, parts: SimulationParts): Outside {
  const { world, table, queue, service, telemetry, kept } = parts;
  return {
    clock: world.clockOf(worker),
    random: {
      next: () => world.choices.below(1_000) / 1_000,
      id: () => `${worker.name}/${world.newId()}`,
    },
    telemetry,
    table: table.clientFor(worker),
    ...queue.clientsFor(worker),
    pinpoint: service.clientFor(worker),
    putObject: ({ Key = "" }) =>
      world.call(
        worker,
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
  const settings = parts.settings["consume-kinesis"];
  const made = consumeKinesisPorts(settings, outsideOf(worker, parts));
  const ports = { ...made, ...parts.breakPorts(made) };
  const event = {
    Records: records.map(({ id, data }) => ({
      eventID: `shardId-000000000000:${id}`,
      kinesis: { sequenceNumber: id, data, partitionKey: id, kinesisSchemaVersion: "1.0" },
    })),
  } as KinesisStreamEvent;
  const answer = await consumeKinesisFunction(settings, ports)(event, contextOf("consume-kinesis", parts));
  return answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
}

/** `transform-firehose`: answers every record. */
export async function transform(
  worker: Worker,
  records: readonly CarriedRecord[],
  parts: SimulationParts,
): Promise<TransformedRecord[]> {
  const settings = parts.settings["transform-firehose"];
  const made = eventPorts(settings, outsideOf(worker, parts));
  const ports = { ...made, ...parts.breakPorts(made) };
  const event = {
    invocationId: worker.name,
    deliveryStreamArn: "d",
    region: "us-east-1",
    records: records.map(({ id, data }) => ({ recordId: id, data, approximateArrivalTimestamp: 0 })),
  } satisfies FirehoseTransformationEvent;
  const answer = await transformFirehoseFunction(settings, ports)(
    event,
    contextOf("transform-firehose", parts),
  );
  return answer.records as TransformedRecord[];
}

/** `resend`: answers with the ids of the messages to redeliver. */
export async function resend(
  worker: Worker,
  batch: readonly { readonly id: string; readonly body: string }[],
  parts: SimulationParts,
): Promise<string[]> {
  const settings = parts.settings.resend;
  const made = resendPorts(settings, outsideOf(worker, parts));
  const ports = { ...made, ...parts.breakPorts(made) };
  const event = {
    Records: batch.map(({ id, body }) => ({ messageId: id, body, eventSource: "aws:sqs" })),
  } as SQSEvent;
  const answer = await resendFunction(settings, ports)(event, contextOf("resend", parts));
  return answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
}

/** `produce`. */
export async function produce(
  worker: Worker,
  event: ProduceEvent,
  parts: SimulationParts,
): Promise<ProducedMessage | CancelledMessage> {
  const settings = parts.settings.produce;
  const made = producePorts(settings, outsideOf(worker, parts));
  const ports = { ...made, ...parts.breakPorts(made) };
  return produceFunction(settings, ports)(event);
}
