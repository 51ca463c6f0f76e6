/**
 * Models of the retry queue: SQS with delay, visibility time-out, redelivery, no order and a dead-letter queue, the event
 * source mapping that hands its messages over in batches, and EventBridge Scheduler in front of it.
 */
import {
  ConflictException,
  type CreateScheduleCommand,
  type SchedulerClient,
} from "@aws-sdk/client-scheduler";
import { SendMessageBatchCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { named } from "./named-error.ts";
import type { CurrentWorker, VirtualWorld } from "./virtual-world.ts";

/** As in `stacks/shared/retry-queue.ts`. */
const visibilitySeconds = 180;
const mostReceives = 50;

/** A message as the queue hands it over. */
export interface ReceivedMessage {
  /** The queue's id of the message. */
  readonly id: string;
  readonly body: string;
}

interface StoredMessage extends ReceivedMessage {
  visibleAt: number;
  receives: number;
}

/** The queue, and the clients that each worker sees it through. */
export interface QueueModel {
  readonly deadLetters: ReceivedMessage[];
  clientsFor(current: CurrentWorker): {
    readonly sqs: SQSClient;
    readonly scheduler: () => Promise<SchedulerClient>;
  };
  /** Puts what the dead-letter queue holds back, as an operator does. */
  redrive(): void;
}

/** How the event source mapping hands messages over. */
export interface QueueMapping {
  readonly batchSize: number;
  /** How long it gathers a batch. */
  readonly batchingWindowSeconds: number;
  /** How many batches are under way at once. */
  readonly concurrency: number;
  /** Hands a batch to a worker, which answers with the ids to redeliver, or dies. Either ends the batch. */
  deliver(
    batch: readonly ReceivedMessage[],
    answered: (redeliver: readonly string[]) => void,
    died: () => void,
  ): void;
}

/** Makes an empty queue. */
export function queueModel(world: VirtualWorld, mapping: QueueMapping): QueueModel {
  const messages = new Map<string, StoredMessage>();
  const deadLetters: ReceivedMessage[] = [];
  const schedules = new Set<string>();
  /** Messages that can be received, and copies of such: a standard queue now and then hands over twice. */
  const visible: string[] = [];
  let underWay = 0;
  let isPollDue = false;
  let ids = 0;

  /** Receives soon: what becomes visible in the same tenth of a second, or batching window, comes in one batch. */
  const pollSoon = (): void => {
    if (isPollDue) return;
    isPollDue = true;
    world.at(world.now + Math.max(0.1, mapping.batchingWindowSeconds), () => {
      isPollDue = false;
      poll();
    });
  };

  const poll = (): void => {
    const outage = world.outageOf("sqs");
    if (outage !== undefined && visible.length > 0) {
      world.at(outage.until, pollSoon);
      return;
    }
    while (underWay < mapping.concurrency && visible.length > 0) {
      const batch = visible.splice(0, mapping.batchSize).flatMap(receive);
      if (batch.length > 0) deliver(batch);
    }
  };

  const receive = (id: string): ReceivedMessage[] => {
    const message = messages.get(id);
    if (message === undefined) return [];
    if (message.receives >= mostReceives) {
      messages.delete(id);
      deadLetters.push({ id, body: message.body });
      world.note(`queue: ${id} goes to the dead-letter queue`);
      return [];
    }
    message.receives += 1;
    hide(message, visibilitySeconds);
    if (world.strikes("duplicate-delivery", 5)) makeVisible(id);
    return [{ id, body: message.body }];
  };

  const deliver = (batch: readonly ReceivedMessage[]): void => {
    underWay += 1;
    world.note(`queue: hands over ${batch.map(({ id, body }) => `${id} ${body}`).join(", ")}`);
    const over = (): void => {
      underWay -= 1;
      if (visible.length > 0) pollSoon();
    };
    mapping.deliver(
      batch,
      (redeliver) => {
        for (const { id } of batch) if (!redeliver.includes(id)) messages.delete(id);
        over();
      },
      over,
    );
  };

  const makeVisible = (id: string): void => {
    visible.push(id);
    pollSoon();
  };

  const hide = (message: StoredMessage, seconds: number): void => {
    const until = world.now + seconds;
    message.visibleAt = until;
    const late = world.strikes("late-delivery", 3) ? world.choices.below(900) : 0;
    world.at(until + late, () => {
      // Hidden again meanwhile, by another receive.
      if (messages.has(message.id) && message.visibleAt === until) makeVisible(message.id);
    });
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
      if (!Number.isInteger(DelaySeconds) || DelaySeconds < 0 || DelaySeconds > 900) {
        throw named("InvalidParameterValue");
      }
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
    if (!Number.isFinite(at)) throw named("ValidationException");
    const fire = (): void => {
      const outage = world.outageOf("sqs");
      // Scheduler tries for up to a day.
      if (outage === undefined) put(input.Target?.Input ?? "", 0);
      else world.at(outage.until + 1, fire);
    };
    // Its precision is a minute.
    world.at(at + world.choices.below(60), fire);
    return {};
  };

  return {
    deadLetters,
    clientsFor(current) {
      const send = (command: SendMessageBatchCommand | CreateScheduleCommand) => {
        const isSqs = command instanceof SendMessageBatchCommand;
        return world.call(
          current(),
          {
            service: isSqs ? "sqs" : "scheduler",
            label: isSqs ? "SQS SendMessageBatch" : "Scheduler CreateSchedule",
            errors: {
              throttled: () => named("ThrottlingException"),
              failed: () => named("InternalServerException"),
              timedOut: () => named("TimeoutError"),
            },
            patienceSeconds: 20,
            isRepeated: true,
          },
          () => (isSqs ? sendBatch(command) : schedule(command)),
        );
      };
      return {
        sqs: { send } as unknown as SQSClient,
        scheduler: async () => ({ send }) as unknown as SchedulerClient,
      };
    },
    redrive() {
      for (const { body } of deadLetters.splice(0)) put(body, 0);
    },
  };
}
