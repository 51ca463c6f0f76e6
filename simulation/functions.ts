/**
 * The functions as the simulation runs them: the real core on the real adapters, put together as the handlers
 * do, over the clients that one worker has to the models.
 */
import { dynamodbMessageStore } from "../functions/adapters/dynamodb-message-store.ts";
import { pinpointSender } from "../functions/adapters/pinpoint-sender.ts";
import { sqsRetryQueue } from "../functions/adapters/sqs-retry-queue.ts";
import {
  type ArchivedRecord,
  answerTransformation,
  type TransformedRecord,
} from "../functions/core/answer-transformation.ts";
import type { Random } from "../functions/core/clock.ts";
import type { FailureDestination } from "../functions/core/failure-destination.ts";
import { handleQueueMessages, type ReceivedMessage } from "../functions/core/handle-queue-messages.ts";
import { handleRecords, type StreamRecord } from "../functions/core/handle-records.ts";
import type { DeliveryGuarantee } from "../functions/core/message.ts";
import type { MessageStore } from "../functions/core/message-store.ts";
import {
  type ProducedMessage,
  type ProduceRequest,
  produceMessage,
} from "../functions/core/produce-message.ts";
import type { RetryPolicy } from "../functions/core/retry-policy.ts";
import type { RetryQueue } from "../functions/core/retry-queue.ts";
import { steadyPace } from "../functions/core/send-pace.ts";
import { setAside } from "../functions/core/set-aside.ts";
import type { SmsSender } from "../functions/core/sms-sender.ts";
import type { Telemetry } from "../functions/core/telemetry.ts";
import type { TableModel } from "./dynamodb-model.ts";
import type { QueueModel } from "./queue-model.ts";
import type { SmsServiceModel } from "./sms-service-model.ts";
import type { VirtualWorld, Worker } from "./virtual-world.ts";

/** The settings of a simulated deployment. */
export interface SimulatedSettings {
  readonly policy: RetryPolicy;
  readonly guarantee: DeliveryGuarantee;
  readonly recordsEveryDelivery: boolean;
  readonly dropsRetriedEvents: boolean;
}

/** What workers see of the world. */
export interface Surroundings {
  readonly world: VirtualWorld;
  readonly table: TableModel;
  readonly queue: QueueModel;
  readonly service: SmsServiceModel;
  readonly settings: SimulatedSettings;
  readonly telemetry: Telemetry;
  readonly failures: FailureDestination;
  /** Break a rule of the protocol on purpose; see `breaks.ts`. */
  readonly ports: PortBreaks;
}

/** Wrappers around the ports that break a rule of the protocol; each is the identity by default. */
export interface PortBreaks {
  readonly store?: (store: MessageStore) => MessageStore;
  readonly sender?: (sender: SmsSender) => SmsSender;
  readonly queue?: (queue: RetryQueue) => RetryQueue;
}

/** The time-outs of the functions, as in the stacks, in seconds. */
export const timeouts = { consume: 60, transform: 60, resend: 30, produce: 30 };

function partsOf(worker: Worker, { world, table, queue, service, telemetry, ports, settings }: Surroundings) {
  const clock = world.clockOf(worker);
  const random: Random = {
    next: () => world.tape.choose(1_000) / 1_000,
    id: () => `${worker.name}-${world.newId()}`,
  };
  const same = <T>(port: T): T => port;
  return {
    clock,
    random,
    store: (ports.store ?? same)(
      dynamodbMessageStore(table.clientFor(worker), "message-state", clock, random),
    ),
    sender: (ports.sender ?? same)(pinpointSender(service.clientFor(worker), "simulated")),
    queue: (ports.queue ?? same)(
      sqsRetryQueue(
        queue.clientsFor(worker),
        {
          queueUrl: "q",
          queueArn: "q",
          scheduleGroupName: "g",
          schedulerRoleArn: "r",
          deadLetterQueueArn: "d",
        },
        clock,
        telemetry,
      ),
    ),
    telemetry,
    policy: settings.policy,
    recordsEveryDelivery: settings.recordsEveryDelivery,
    guarantee: settings.guarantee,
  };
}

/** `consume-kinesis`: answers with the ids of the records to hand over again. */
export async function consume(
  worker: Worker,
  records: readonly StreamRecord[],
  surroundings: Surroundings,
): Promise<string[]> {
  const parts = partsOf(worker, surroundings);
  const endsAt = parts.clock.now() + timeouts.consume - 10;
  const results = await handleRecords(records, { ...parts, endsAt });
  const kept = await setAside(results, records, surroundings.failures, parts.telemetry);
  return kept.filter(({ result }) => result === "failed").map(({ id }) => id);
}

/** `transform-firehose`: answers every record. */
export async function transform(
  worker: Worker,
  records: readonly ArchivedRecord[],
  surroundings: Surroundings,
): Promise<TransformedRecord[]> {
  const parts = partsOf(worker, surroundings);
  const decoded = records.map(({ recordId, data }) => ({ id: recordId, data: Buffer.from(data, "base64") }));
  const endsAt = parts.clock.now() + timeouts.transform - 5;
  const results = await handleRecords(decoded, { ...parts, endsAt, queuesFailedEvents: true });
  return answerTransformation(records, results, surroundings.settings);
}

/** `resend`: answers with the ids of the messages to redeliver. */
export async function resend(
  worker: Worker,
  batch: readonly ReceivedMessage[],
  surroundings: Surroundings,
): Promise<string[]> {
  const parts = partsOf(worker, surroundings);
  return handleQueueMessages(batch, {
    resending: {
      ...parts,
      pace: steadyPace(10, parts.clock, parts.clock.now() + timeouts.resend - 12),
    },
    events: parts,
    queue: parts.queue,
    telemetry: parts.telemetry,
  });
}

/** `produce`. */
export async function produce(
  worker: Worker,
  request: ProduceRequest,
  surroundings: Surroundings,
): Promise<ProducedMessage> {
  return produceMessage(request, partsOf(worker, surroundings));
}
