/**
 * Models of the queues: SQS with delay, visibility time-out, redelivery, no order and a dead-letter queue, the event
 * source mapping that hands its messages over in batches, and EventBridge Scheduler in front of it.
 */
import {
  ConflictException,
  type CreateScheduleCommand,
  type SchedulerClient,
} from "@aws-sdk/client-scheduler";
import { SendMessageBatchCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { receivesBeforeDeadLetter, visibilityTimeoutSeconds } from "../functions/contract/redelivery.ts";
import { named } from "./named-error.ts";
import type { Call, CurrentWorker, VirtualWorld } from "./virtual-world.ts";

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
  const queue = readQueue(world, mapping, visibilityTimeoutSeconds);
  const scheduler = new Scheduler(world, queue);
  return {
    deadLetters: queue.deadLetters,
    clientsFor(current) {
      const send = (command: SendMessageBatchCommand | CreateScheduleCommand) =>
        command instanceof SendMessageBatchCommand
          ? world.call(current(), callOf("sqs", "SQS SendMessageBatch"), () => queue.sendBatch(command))
          : world.call(current(), callOf("scheduler", "Scheduler CreateSchedule"), () =>
              scheduler.create(command),
            );
      return {
        sqs: { send } as unknown as SQSClient,
        scheduler: async () => ({ send }) as unknown as SchedulerClient,
      };
    },
    redrive: () => queue.redrive(),
  };
}

/**
 * Makes an empty queue, and the event source mapping that reads it.
 *
 * @param visibilitySeconds how long a message is hidden that was received
 */
export function readQueue(
  world: VirtualWorld,
  mapping: QueueMapping,
  visibilitySeconds: number,
): Pick<StandardQueue, "deadLetters" | "put" | "sendBatch" | "redrive"> {
  const queue = new StandardQueue(world, visibilitySeconds);
  const reader = new MappingReader(world, queue, mapping);
  queue.onVisible = () => reader.pollSoon();
  return queue;
}

function callOf(service: "sqs" | "scheduler", label: string): Call {
  return {
    service,
    label,
    errors: {
      throttled: () => named("ThrottlingException"),
      failed: () => named("InternalServerException"),
      timedOut: () => named("TimeoutError"),
    },
    patienceSeconds: 20,
    isRepeated: true,
  };
}

/** SQS: delay, visibility time-out, redelivery, a dead-letter queue. */
class StandardQueue {
  readonly deadLetters: ReceivedMessage[] = [];
  /** Is told when a message can be received. */
  onVisible: () => void = () => {};
  readonly #world: VirtualWorld;
  readonly #visibilitySeconds: number;
  readonly #messages = new Map<string, StoredMessage>();
  /** Messages that can be received, and copies of such: a standard queue now and then hands over twice. */
  readonly #visible: string[] = [];
  #ids = 0;

  constructor(world: VirtualWorld, visibilitySeconds: number) {
    this.#world = world;
    this.#visibilitySeconds = visibilitySeconds;
  }

  /** Whether there is something to receive. */
  get hasVisible(): boolean {
    return this.#visible.length > 0;
  }

  sendBatch({ input }: SendMessageBatchCommand): unknown {
    const Successful: { Id: string }[] = [];
    const Failed: { Id: string; Code: string }[] = [];
    for (const { Id = "", MessageBody = "", DelaySeconds = 0 } of input.Entries ?? []) {
      if (this.#world.strikes("throttle", 2)) {
        Failed.push({ Id, Code: "InternalError" });
        continue;
      }
      if (!Number.isInteger(DelaySeconds) || DelaySeconds < 0 || DelaySeconds > 900) {
        throw named("InvalidParameterValue");
      }
      this.put(MessageBody, DelaySeconds);
      Successful.push({ Id });
    }
    return { Successful, Failed };
  }

  put(body: string, delaySeconds: number): void {
    const message: StoredMessage = { id: `q${++this.#ids}`, body, visibleAt: 0, receives: 0 };
    this.#messages.set(message.id, message);
    this.#hide(message, delaySeconds);
  }

  /** Up to so many messages, which are hidden then. */
  receive(most: number): ReceivedMessage[] {
    return this.#visible.splice(0, most).flatMap((id) => this.#receiveOne(id));
  }

  delete(id: string): void {
    this.#messages.delete(id);
  }

  redrive(): void {
    for (const { body } of this.deadLetters.splice(0)) this.put(body, 0);
  }

  #receiveOne(id: string): ReceivedMessage[] {
    const message = this.#messages.get(id);
    if (message === undefined) return [];
    if (message.receives >= receivesBeforeDeadLetter) {
      this.#messages.delete(id);
      this.deadLetters.push({ id, body: message.body });
      this.#world.note(`queue: ${id} goes to the dead-letter queue`);
      return [];
    }
    message.receives += 1;
    this.#hide(message, this.#visibilitySeconds);
    if (this.#world.strikes("duplicate-delivery", 5)) this.#makeVisible(id);
    return [{ id, body: message.body }];
  }

  #hide(message: StoredMessage, seconds: number): void {
    const until = this.#world.now + seconds;
    message.visibleAt = until;
    const late = this.#world.strikes("late-delivery", 3) ? this.#world.choices.below(900) : 0;
    this.#world.at(until + late, () => {
      // Hidden again meanwhile, by another receive.
      if (this.#messages.has(message.id) && message.visibleAt === until) this.#makeVisible(message.id);
    });
  }

  #makeVisible(id: string): void {
    this.#visible.push(id);
    this.onVisible();
  }
}

/** The event source mapping, which hands the messages over in batches. */
class MappingReader {
  readonly #world: VirtualWorld;
  readonly #queue: StandardQueue;
  readonly #mapping: QueueMapping;
  #underWay = 0;
  #isPollDue = false;

  constructor(world: VirtualWorld, queue: StandardQueue, mapping: QueueMapping) {
    this.#world = world;
    this.#queue = queue;
    this.#mapping = mapping;
  }

  /** Receives soon: what becomes visible in the same tenth of a second, or batching window, comes in one batch. */
  pollSoon(): void {
    if (this.#isPollDue) return;
    this.#isPollDue = true;
    this.#world.at(this.#world.now + Math.max(0.1, this.#mapping.batchingWindowSeconds), () => {
      this.#isPollDue = false;
      this.#poll();
    });
  }

  #poll(): void {
    const outage = this.#world.outageOf("sqs");
    if (outage !== undefined && this.#queue.hasVisible) {
      this.#world.at(outage.until, () => this.pollSoon());
      return;
    }
    while (this.#underWay < this.#mapping.concurrency && this.#queue.hasVisible) {
      const batch = this.#queue.receive(this.#mapping.batchSize);
      if (batch.length > 0) this.#deliver(batch);
    }
  }

  #deliver(batch: readonly ReceivedMessage[]): void {
    this.#underWay += 1;
    this.#world.note(`queue: hands over ${batch.map(({ id, body }) => `${id} ${body}`).join(", ")}`);
    const over = (): void => {
      this.#underWay -= 1;
      if (this.#queue.hasVisible) this.pollSoon();
    };
    const answered = (redeliver: readonly string[]): void => {
      for (const { id } of batch) if (!redeliver.includes(id)) this.#queue.delete(id);
      over();
    };
    this.#mapping.deliver(batch, answered, over);
  }
}

/** EventBridge Scheduler, which puts a message onto the queue at a time. */
class Scheduler {
  readonly #world: VirtualWorld;
  readonly #queue: Pick<StandardQueue, "put">;
  readonly #names = new Set<string>();

  constructor(world: VirtualWorld, queue: Pick<StandardQueue, "put">) {
    this.#world = world;
    this.#queue = queue;
  }

  create({ input }: CreateScheduleCommand): unknown {
    const name = input.Name ?? "";
    if (this.#names.has(name)) {
      throw new ConflictException({ message: "exists", Message: "exists", $metadata: {} });
    }
    this.#names.add(name);
    const at = Date.parse(`${(input.ScheduleExpression ?? "").slice(3, -1)}Z`) / 1000;
    if (!Number.isFinite(at)) throw named("ValidationException");
    // Its precision is a minute.
    this.#world.at(at + this.#world.choices.below(60), () => this.#fire(input.Target?.Input ?? ""));
    return {};
  }

  #fire(body: string): void {
    const outage = this.#world.outageOf("sqs");
    // Scheduler tries for up to a day.
    if (outage === undefined) this.#queue.put(body, 0);
    else this.#world.at(outage.until + 1, () => this.#fire(body));
  }
}
