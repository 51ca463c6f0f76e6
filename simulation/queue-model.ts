/**
 * Models of the retry queue: SQS with delay, visibility time-out, redelivery, no order and dead letters, and
 * EventBridge Scheduler in front of it.
 */
import {
  ConflictException,
  type CreateScheduleCommand,
  type SchedulerClient,
} from "@aws-sdk/client-scheduler";
import { SendMessageBatchCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { ReceivedMessage } from "../functions/core/handle-queue-messages.ts";
import { named } from "./named-error.ts";
import type { VirtualWorld, Worker } from "./virtual-world.ts";

/** As in `stacks/retry-queue.ts`. */
const visibilitySeconds = 180;
const mostReceives = 5;

interface StoredMessage extends ReceivedMessage {
  visibleAt: number;
  receives: number;
}

/** The queue, and the clients that each worker sees it through. */
export interface QueueModel {
  readonly deadLetters: ReceivedMessage[];
  /** How many messages stand in the queue, waiting or in flight. */
  readonly size: number;
  clientsFor(worker: Worker): { readonly sqs: SQSClient; readonly scheduler: () => Promise<SchedulerClient> };
  /** Puts dead letters back, as an operator does. */
  redrive(): void;
}

/**
 * Makes an empty queue.
 *
 * @param deliver hands a batch to a worker; it answers with the ids to redeliver, or dies and does not answer
 */
export function queueModel(
  world: VirtualWorld,
  deliver: (batch: readonly ReceivedMessage[], answered: (redeliver: readonly string[]) => void) => void,
): QueueModel {
  const messages = new Map<string, StoredMessage>();
  const deadLetters: ReceivedMessage[] = [];
  const schedules = new Set<string>();
  let ids = 0;

  const receive = (id: string): void => {
    const message = messages.get(id);
    if (message === undefined || message.visibleAt > world.now) return;
    if (message.receives >= mostReceives) {
      messages.delete(id);
      deadLetters.push({ id, body: message.body });
      world.note(`queue: ${id} goes to the dead letters`);
      return;
    }
    message.receives += 1;
    hide(message, visibilitySeconds);
    deliver([{ id, body: message.body }], (redeliver) => {
      if (redeliver.includes(id)) return;
      messages.delete(id);
    });
    // A standard queue now and then hands a message over although it is in flight.
    if (world.strikes("duplicate-delivery", 5)) deliver([{ id, body: message.body }], () => {});
  };

  const hide = (message: StoredMessage, seconds: number): void => {
    message.visibleAt = world.now + seconds;
    const late = world.strikes("late-delivery", 3) ? world.tape.choose(900) : 0;
    world.at(message.visibleAt + late, () => receive(message.id));
  };

  const put = (body: string, delaySeconds: number): void => {
    const message: StoredMessage = { id: `q${++ids}`, body, visibleAt: 0, receives: 0 };
    messages.set(message.id, message);
    hide(message, delaySeconds);
  };

  const sendBatch = ({ input }: SendMessageBatchCommand): unknown => {
    const Successful: { Id: string }[] = [];
    const Failed: { Id: string; Code: string }[] = [];
    for (const { Id = "", MessageBody = "", DelaySeconds = 0 } of input.Entries ?? []) {
      if (world.strikes("throttle", 2)) {
        Failed.push({ Id, Code: "InternalError" });
        continue;
      }
      if (DelaySeconds < 0 || DelaySeconds > 900) throw named("InvalidParameterValue");
      put(MessageBody, DelaySeconds);
      Successful.push({ Id });
    }
    return { Successful, Failed };
  };

  const schedule = ({ input }: CreateScheduleCommand): unknown => {
    const name = input.Name ?? "";
    if (schedules.has(name)) {
      throw new ConflictException({ message: "exists", Message: "exists", $metadata: {} });
    }
    schedules.add(name);
    const at = Date.parse(`${(input.ScheduleExpression ?? "").slice(3, -1)}Z`) / 1000;
    world.at(at, () => put(input.Target?.Input ?? "", 0));
    return {};
  };

  return {
    deadLetters,
    get size() {
      return messages.size;
    },
    clientsFor(worker) {
      const errors = { throttled: () => named("ThrottlingException"), lost: () => named("TimeoutError") };
      const client = {
        send: (command: SendMessageBatchCommand | CreateScheduleCommand) =>
          world.call(
            worker,
            command instanceof SendMessageBatchCommand ? "SQS SendMessageBatch" : "Scheduler CreateSchedule",
            () => (command instanceof SendMessageBatchCommand ? sendBatch(command) : schedule(command)),
            errors,
          ),
      };
      return {
        sqs: client as unknown as SQSClient,
        scheduler: async () => client as unknown as SchedulerClient,
      };
    },
    redrive() {
      for (const { body } of deadLetters.splice(0)) put(body, 0);
    },
  };
}
