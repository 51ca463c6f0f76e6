/**
 * Models of the ways in: an event source mapping on a Kinesis shard, and a Firehose stream with its
 * transformation. Both hand a batch over again when its worker dies, and keep what they give up.
 */
import type { TransformedRecord } from "../functions/core/answer-transformation.ts";
import { timeoutSecondsOf } from "../functions/environment.ts";
import { type CarriedRecord, consume, type Surroundings, transform } from "./functions.ts";
import type { VirtualWorld } from "./virtual-world.ts";

/** A stream of delivery events. */
export interface StreamModel {
  /** Puts an event on the stream. */
  put(event: object): void;
  /** Events that the stream gave up and kept; taken out by the caller. */
  takeKept(): object[];
  /** What went wrong with the stream's contract. */
  readonly violations: readonly string[];
}

/** How often Lambda hands a failing batch over again before it is kept, as in the stacks. */
const mostRetries = 8;

interface QueuedEvent {
  readonly id: string;
  readonly event: object;
}

function carried({ id, event }: QueuedEvent): CarriedRecord {
  return { id, data: Buffer.from(JSON.stringify(event)).toString("base64") };
}

/** Two shards behind an event source mapping with partial batch failures. */
export function kinesisModel(world: VirtualWorld, surroundings: () => Surroundings): StreamModel {
  const kept: object[] = [];
  const shards = [shard(world, surroundings, kept), shard(world, surroundings, kept)] as const;
  return {
    violations: [],
    put: (event) => shards[world.tape.choose(2) === 0 ? 0 : 1].put(event),
    takeKept: () => kept.splice(0),
  };
}

function shard(
  world: VirtualWorld,
  surroundings: () => Surroundings,
  kept: object[],
): { put(event: object): void } {
  const waiting: QueuedEvent[] = [];
  let isBusy = false;
  let retries = 0;
  let ids = 0;

  const poll = (): void => {
    if (isBusy || waiting.length === 0) return;
    isBusy = true;
    const batch = waiting.slice(0, 1 + world.tape.choose(10));
    const records = batch.map(carried);
    const failed = () => advance(batch, 0);
    world.start(
      "consume",
      timeoutSecondsOf["consume-kinesis"],
      (worker) => consume(worker, records, surroundings()),
      (result) => {
        if (!("value" in result)) return failed();
        const first = batch.findIndex(({ id }) => result.value.includes(id));
        advance(batch, first === -1 ? batch.length : first);
      },
      failed,
    );
  };

  /** Goes on behind the first failed record, or gives up what fails for ever. */
  const advance = (batch: readonly QueuedEvent[], firstFailed: number): void => {
    waiting.splice(0, firstFailed);
    retries = firstFailed > 0 ? 0 : retries + 1;
    if (firstFailed < batch.length && retries > mostRetries) {
      retries = 0;
      const given = waiting.splice(0, 1);
      kept.push(...given.map(({ event }) => event));
      world.note("kinesis: a record is kept in the failure destination");
    }
    isBusy = false;
    if (waiting.length > 0) world.at(world.now + 1, poll);
  };

  return {
    put(event) {
      waiting.push({ id: `k${++ids}`, event });
      world.at(world.now + 1, poll);
    },
  };
}

/** How often Firehose invokes a transformation again, as AWS documents. */
const mostInvocations = 4;

/** A Firehose stream that buffers for five seconds. */
export function firehoseModel(world: VirtualWorld, surroundings: () => Surroundings): StreamModel {
  const buffer: QueuedEvent[] = [];
  const kept: object[] = [];
  const violations: string[] = [];
  let ids = 0;

  const invoke = (batch: readonly QueuedEvent[], invocation: number): void => {
    const records = batch.map(carried);
    const failed = (): void => {
      if (invocation < mostInvocations) {
        world.at(world.now + 1, () => invoke(batch, invocation + 1));
        return;
      }
      kept.push(...batch.map(({ event }) => event));
      world.note("firehose: a batch goes to processing-failed");
    };
    world.start(
      "transform",
      timeoutSecondsOf["transform-firehose"],
      (worker) => transform(worker, records, surroundings()),
      (result) => {
        if (!("value" in result)) {
          violations.push("the transformation threw instead of answering");
          return failed();
        }
        if (!answersAll(records, result.value))
          violations.push("a record was not answered once, byte for byte");
      },
      failed,
    );
  };

  const flush = (): void => {
    const batch = buffer.splice(0);
    if (batch.length === 0) return;
    invoke(batch, 1);
  };

  return {
    violations,
    put(event) {
      buffer.push({ id: `f${++ids}`, event });
      world.at(world.now + 5, flush);
    },
    takeKept: () => kept.splice(0),
  };
}

function answersAll(records: readonly CarriedRecord[], answers: readonly TransformedRecord[]): boolean {
  return (
    records.length === answers.length &&
    records.every(({ id, data }, index) => {
      const answer = answers[index];
      return answer?.recordId === id && answer.data === data && ["Ok", "Dropped"].includes(answer.result);
    })
  );
}
