/**
 * Models of the event sources: event source mappings on the shards of a Kinesis stream, a Firehose stream with its
 * transformation, and a queue behind a topic. All hand a batch over again when its worker dies, and keep what they give up.
 */
import { type SmsService, timeoutSecondsOf } from "../functions/contract/environment.ts";
import { matchingEventTypes } from "../functions/contract/event-destination.ts";
import { eventFilterPatterns } from "../functions/contract/event-filter.ts";
import { mostRecordAgeSeconds } from "../functions/contract/redelivery.ts";
import { eventMatcher } from "../local/lambda/filter-pattern.ts";
import { type CarriedRecord, consume, consumeSns, type SimulationParts, transform } from "./functions.ts";
import { readQueue } from "./queue-model.ts";
import type { VirtualWorld } from "./virtual-world.ts";

/** A stream of delivery events. */
export interface StreamModel {
  /** Of which services it can have events. */
  readonly services: readonly SmsService[];
  /** Puts a record's data on the stream: the text of an event, or anything else. */
  put(data: string): void;
  /** Records that the stream gave up and kept; taken out by the caller. */
  takeKept(): string[];
  /** What went wrong with the stream's contract. */
  readonly violations: readonly string[];
}

interface QueuedRecord {
  readonly id: string;
  readonly data: string;
  readonly at: number;
}

function carried({ id, data }: QueuedRecord): CarriedRecord {
  return { id, data: Buffer.from(data).toString("base64") };
}

/** Two shards behind an event source mapping with a filter and partial batch failures. */
export function kinesisModel(world: VirtualWorld, parts: () => SimulationParts): StreamModel {
  const kept: string[] = [];
  const shards = [shard(world, parts, kept), shard(world, parts, kept)] as const;
  let isWanted: ReturnType<typeof eventMatcher> | undefined;
  return {
    services: ["pinpoint"],
    violations: [],
    put(data) {
      const { TRACK_DELIVERIES, PINPOINT_APPLICATION_ID } = parts().settings["consume-kinesis"];
      isWanted ??= eventMatcher(eventFilterPatterns(TRACK_DELIVERIES, PINPOINT_APPLICATION_ID ?? ""));
      const value = parsed(data);
      if (value === undefined || !isWanted({ data: value })) return;
      shards[world.choices.below(2) === 0 ? 0 : 1].put(data);
    },
    takeKept: () => kept.splice(0),
  };
}

/** Lambda drops what is no JSON, where a filter looks at the data. */
function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}

function shard(
  world: VirtualWorld,
  parts: () => SimulationParts,
  kept: string[],
): { put(data: string): void } {
  const waiting: QueuedRecord[] = [];
  let isBusy = false;
  let retries = 0;
  let largest = 10;
  let ids = 0;

  const poll = (): void => {
    if (isBusy || waiting.length === 0) return;
    isBusy = true;
    const batch = waiting.slice(0, Math.min(largest, 1 + world.choices.below(10)));
    const failed = () => advance(batch, 0);
    world.start({
      name: "consume",
      timeoutSeconds: timeoutSecondsOf["consume-kinesis"],
      work: (worker) => consume(worker, batch.map(carried), parts()),
      ended(result) {
        if (!("value" in result)) return failed();
        const first = batch.findIndex(({ id }) => result.value.includes(id));
        advance(batch, first === -1 ? batch.length : first);
      },
      died: failed,
    });
  };

  /** Goes on behind the first failed record, in halves of what failed, or gives up what fails for ever. */
  const advance = (batch: readonly QueuedRecord[], firstFailed: number): void => {
    waiting.splice(0, firstFailed);
    const hasFailed = firstFailed < batch.length;
    retries = hasFailed && firstFailed === 0 ? retries + 1 : 0;
    largest = hasFailed ? Math.max(1, Math.floor((batch.length - firstFailed) / 2)) : 10;
    const [first] = waiting;
    if (first !== undefined && world.now - first.at > mostRecordAgeSeconds) {
      kept.push(first.data);
      waiting.shift();
      world.note("kinesis: a record is kept in the failure destination");
    }
    isBusy = false;
    // Lambda waits longer after each failure.
    if (waiting.length > 0) world.at(world.now + Math.min(60, 2 ** retries), poll);
  };

  return {
    put(data) {
      waiting.push({ id: `k${++ids}`, data, at: world.now });
      world.at(world.now + 1, poll);
    },
  };
}

/** As in `stacks/end-user-messaging`. */
const eventQueue = {
  visibilitySeconds: 6 * timeoutSecondsOf["consume-sns"] + 1,
  batchSize: 100,
  batchingWindowSeconds: 1,
  concurrency: 10,
};

/**
 * A topic that a configuration set's destination fills with the types of events that it takes, and the queue behind it.
 * Somebody may have subscribed the queue without raw delivery: some events come in the envelope of SNS.
 */
export function snsModel(world: VirtualWorld, parts: () => SimulationParts): StreamModel {
  const queue = readQueue(
    world,
    {
      ...eventQueue,
      deliver(batch, answered, died) {
        world.start({
          name: "consume-sns",
          timeoutSeconds: timeoutSecondsOf["consume-sns"],
          work: (worker) => consumeSns(worker, batch, parts()),
          ended: (result) => ("value" in result ? answered(result.value) : died()),
          died,
        });
      },
    },
    eventQueue.visibilitySeconds,
  );
  const isTaken = (data: string): boolean => {
    const type = (parsed(data) as { eventType?: unknown } | undefined)?.eventType;
    const { TRACK_DELIVERIES } = parts().settings["consume-sns"];
    // Whatever else is on the topic was put there by somebody else.
    return typeof type !== "string" || matchingEventTypes(TRACK_DELIVERIES).includes(type);
  };
  return {
    services: ["end-user-messaging"],
    violations: [],
    put(data) {
      if (!isTaken(data)) return;
      queue.put(world.choices.happens(4) ? envelopeOf(data) : data, 0);
    },
    takeKept: () => queue.deadLetters.splice(0).map(({ body }) => body),
  };
}

/** @see https://docs.aws.amazon.com/sns/latest/dg/sns-large-payload-raw-message-delivery.html */
function envelopeOf(data: string): string {
  return JSON.stringify({
    Type: "Notification",
    MessageId: "simulated",
    TopicArn: "arn:aws:sns:eu-west-1:000000000000:simulated",
    Message: data,
    Timestamp: "2026-11-23T12:00:00.000Z",
  });
}

/** How often Firehose invokes a transformation again, as AWS documents. */
const mostInvocations = 4;

/** A Firehose stream that buffers for five seconds. */
export function firehoseModel(world: VirtualWorld, parts: () => SimulationParts): StreamModel {
  const buffer: QueuedRecord[] = [];
  const kept: string[] = [];
  const violations: string[] = [];
  let ids = 0;

  const invoke = (batch: readonly QueuedRecord[], invocation: number): void => {
    const records = batch.map(carried);
    let isOver = false;
    const again = (): void => {
      if (isOver) return;
      isOver = true;
      if (invocation < mostInvocations) {
        world.at(world.now + 1, () => invoke(batch, invocation + 1));
        return;
      }
      kept.push(...batch.map(({ data }) => data));
      world.note("firehose: a batch goes to processing-failed");
    };
    world.start({
      name: "transform",
      timeoutSeconds: timeoutSecondsOf["transform-firehose"],
      work: (worker) => transform(worker, records, parts()),
      ended(result) {
        if (!("value" in result)) {
          violations.push("the transformation threw instead of answering");
          return again();
        }
        const problem = problemOf(records, result.value);
        if (problem !== undefined) violations.push(problem);
        isOver = true;
      },
      died: again,
    });
    // Firehose did not wait for the answer, and hands the batch over while the first worker still runs.
    if (world.strikes("re-invocation", 5)) world.at(world.now + world.choices.below(20) / 10, again);
  };

  const flush = (): void => {
    const batch = buffer.splice(0);
    if (batch.length > 0) invoke(batch, 1);
  };

  return {
    services: ["pinpoint", "end-user-messaging"],
    violations,
    put(data) {
      buffer.push({ id: `f${++ids}`, data, at: world.now });
      world.at(world.now + 5, flush);
    },
    takeKept: () => kept.splice(0),
  };
}

/** Every record is answered once, in order, byte for byte, and never into `processing-failed`. */
function problemOf(
  records: readonly CarriedRecord[],
  answers: readonly { readonly recordId: string; readonly data: string; readonly result: string }[],
): string | undefined {
  const isWhole =
    records.length === answers.length &&
    records.every(({ id, data }, index) => answers[index]?.recordId === id && answers[index]?.data === data);
  if (!isWhole) return "a record was not answered once, byte for byte";
  return answers.some(({ result }) => result !== "Ok" && result !== "Dropped")
    ? "the transformation answered ProcessingFailed"
    : undefined;
}
