/**
 * The functions as the simulation runs them: the same compositions that the handlers export, with the same events
 * as AWS sends, over the clients that one worker has to the models.
 */
import type { FirehoseTransformationEvent, KinesisStreamEvent, SQSEvent } from "aws-lambda";
import { type EventPorts, eventPorts } from "../functions/adapters/event-handling.ts";
import type { InvocationContext, Outside } from "../functions/adapters/outside.ts";
import type { PublishedTelemetry } from "../functions/adapters/powertools-telemetry.ts";
import type { PutObject } from "../functions/adapters/s3-failure-destination.ts";
import {
  consumeKinesisFunction,
  consumeKinesisPorts,
} from "../functions/consume-kinesis/consume-kinesis-function.ts";
import type { TransformedRecord } from "../functions/core/answer-transformation.ts";
import type { CancelledMessage } from "../functions/core/cancel-message.ts";
import type { MessageStore } from "../functions/core/message-store.ts";
import type { ProduceEvent } from "../functions/core/produce-invocation.ts";
import type { ProducedMessage } from "../functions/core/produce-message.ts";
import type { RetryQueue } from "../functions/core/retry-queue.ts";
import type { SendPace } from "../functions/core/send-pace.ts";
import type { SmsSender } from "../functions/core/sms-sender.ts";
import { timeoutSecondsOf } from "../functions/environment.ts";
import { produceFunction, producePorts } from "../functions/produce/produce-function.ts";
import { resendFunction, resendPorts } from "../functions/resend/resend-function.ts";
import { transformFirehoseFunction } from "../functions/transform-firehose/transform-firehose-function.ts";
import type { TableModel } from "./dynamodb-model.ts";
import type { QueueModel } from "./queue-model.ts";
import type { SimulatedFunction, SimulatedSettings } from "./settings.ts";
import type { SmsServiceModel } from "./sms-service-model.ts";
import type { VirtualWorld, Worker } from "./virtual-world.ts";

/** What workers see of the world. */
export interface Surroundings {
  readonly world: VirtualWorld;
  readonly table: TableModel;
  readonly queue: QueueModel;
  readonly service: SmsServiceModel;
  readonly settings: SimulatedSettings;
  readonly telemetry: PublishedTelemetry;
  readonly putObject: PutObject;
  /** Break a rule of the protocol on purpose; see `breaks.ts`. */
  readonly ports: PortBreaks;
}

/** Wrappers around the ports that break a rule of the protocol; each is the identity by default. */
export interface PortBreaks {
  readonly store?: (store: MessageStore) => MessageStore;
  readonly sender?: (sender: SmsSender) => SmsSender;
  readonly queue?: (queue: RetryQueue) => RetryQueue;
  readonly pace?: (pace: SendPace) => SendPace;
}

function outsideOf(
  worker: Worker,
  { world, table, queue, service, telemetry, putObject }: Surroundings,
): Outside {
  return {
    clock: world.clockOf(worker),
    random: {
      next: () => world.tape.choose(1_000) / 1_000,
      id: () => `${worker.name}-${world.newId()}`,
    },
    telemetry,
    table: table.clientFor(worker),
    ...queue.clientsFor(worker),
    pinpoint: service.clientFor(worker),
    putObject,
  };
}

const same = <T>(port: T): T => port;

function broken<Ports extends EventPorts>(ports: Ports, breaks: PortBreaks): Ports {
  return {
    ...ports,
    store: (breaks.store ?? same)(ports.store),
    queue: (breaks.queue ?? same)(ports.queue),
  };
}

/** The context of an invocation that began now. */
function contextOf(name: SimulatedFunction, { world }: Surroundings): InvocationContext {
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
  surroundings: Surroundings,
): Promise<string[]> {
  const settings = surroundings.settings["consume-kinesis"];
  const ports = broken(consumeKinesisPorts(settings, outsideOf(worker, surroundings)), surroundings.ports);
  const event = {
    Records: records.map(({ id, data }) => ({
      eventID: `shardId-000000000000:${id}`,
      kinesis: { sequenceNumber: id, data, partitionKey: id, kinesisSchemaVersion: "1.0" },
    })),
  } as KinesisStreamEvent;
  const answer = await consumeKinesisFunction(settings, ports)(
    event,
    contextOf("consume-kinesis", surroundings),
  );
  return answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
}

/** `transform-firehose`: answers every record. */
export async function transform(
  worker: Worker,
  records: readonly CarriedRecord[],
  surroundings: Surroundings,
): Promise<TransformedRecord[]> {
  const settings = surroundings.settings["transform-firehose"];
  const ports = broken(eventPorts(settings, outsideOf(worker, surroundings)), surroundings.ports);
  const event = {
    invocationId: worker.name,
    deliveryStreamArn: "d",
    region: "us-east-1",
    records: records.map(({ id, data }) => ({ recordId: id, data, approximateArrivalTimestamp: 0 })),
  } satisfies FirehoseTransformationEvent;
  const answer = await transformFirehoseFunction(settings, ports)(
    event,
    contextOf("transform-firehose", surroundings),
  );
  return answer.records as TransformedRecord[];
}

/** `resend`: answers with the ids of the messages to redeliver. */
export async function resend(
  worker: Worker,
  batch: readonly { readonly id: string; readonly body: string }[],
  surroundings: Surroundings,
): Promise<string[]> {
  const { ports: breaks } = surroundings;
  const settings = surroundings.settings.resend;
  const made = broken(resendPorts(settings, outsideOf(worker, surroundings)), breaks);
  const ports = {
    ...made,
    sender: (breaks.sender ?? same)(made.sender),
    paceUntil: (until: number) => (breaks.pace ?? same)(made.paceUntil(until)),
  };
  const event = {
    Records: batch.map(({ id, body }) => ({ messageId: id, body, eventSource: "aws:sqs" })),
  } as SQSEvent;
  const answer = await resendFunction(settings, ports)(event, contextOf("resend", surroundings));
  return answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
}

/** `produce`. */
export async function produce(
  worker: Worker,
  event: ProduceEvent,
  surroundings: Surroundings,
): Promise<ProducedMessage | CancelledMessage> {
  const { ports: breaks } = surroundings;
  const settings = surroundings.settings.produce;
  const made = producePorts(settings, outsideOf(worker, surroundings));
  const ports = {
    ...made,
    store: (breaks.store ?? same)(made.store),
    sender: (breaks.sender ?? same)(made.sender),
  };
  return produceFunction(settings, ports)(event);
}
