/**
 * Lambda's event source mapping for a Kinesis data stream.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
 */
import { type DiscardCondition, deliverBatch, type FailureSettings } from "./batch-delivery.ts";
import type { InvocationResult } from "./execution-environment.ts";
import { eventMatcher } from "./filter-pattern.ts";
import type { KinesisRecord, ShardReader } from "./kinesis-shards.ts";

/** The settings of a mapping, in Lambda's words. */
export interface KinesisMappingSettings extends FailureSettings {
  readonly eventSourceArn: string;
  readonly region: string;
  /** Role that reads the stream; it stands in every record. */
  readonly invokeIdentityArn: string;
  /** `FilterCriteria`: a record reaches the function if it matches any of them. */
  readonly filterPatterns: readonly string[];
  readonly batchSize: number;
  readonly maximumBatchingWindowInSeconds: number;
  readonly parallelizationFactor: number;
}

/** Records that were given up, and what is known about their last try. */
export interface DiscardedBatch {
  readonly shardId: string;
  readonly records: readonly KinesisRecord[];
  readonly condition: DiscardCondition;
  readonly invokeCount: number;
  /** The last answer; absent where the function never saw them. */
  readonly result?: InvocationResult;
  /** The invocation event of the records. */
  readonly event: KinesisEvent;
}

/** What a mapping needs. */
export interface KinesisMappingPorts {
  readonly shards: readonly ShardReader[];
  invoke(event: KinesisEvent): Promise<InvocationResult>;
  /** The on-failure destination. */
  discard(batch: DiscardedBatch): Promise<void>;
  /** Epoch seconds. */
  now(): number;
  sleep(seconds: number): Promise<void>;
  /** Pause between two reads of a shard; Lambda's own is one second. */
  readonly pollSeconds: number;
  /** Pause before the first retry of a batch; it doubles up to a minute. */
  readonly backOffSeconds: number;
  /** Is told of a read or a discard that failed; it is tried again. */
  onError(error: unknown): void;
}

/** A running mapping. */
export interface KinesisMapping {
  /** Whether everything that was read has been dealt with. */
  readonly isIdle: boolean;
  /** Rounds of reading in which every shard was read since the start. */
  readonly polls: number;
  /** Records that the filter dropped. */
  readonly filteredOut: number;
  /** Stops reading, and resolves when the running invocations have ended. */
  stop(): Promise<void>;
}

/** Lambda's event for a batch of Kinesis records. */
export interface KinesisEvent {
  readonly Records: readonly object[];
}

/** Most bytes of one invocation's records; Lambda's limit is 6 MB for the whole event, in base64. */
const maxBatchBytes = 4 * 1024 * 1024;

/** No more is read while this many batches wait on a shard. */
const maxWaitingBatches = 10;

/** Starts a mapping. */
export function startKinesisMapping(
  settings: KinesisMappingSettings,
  ports: KinesisMappingPorts,
): KinesisMapping {
  const shards = ports.shards.map((reader) => new ShardConsumer(reader, settings, ports));
  return {
    get isIdle() {
      return shards.every((shard) => shard.isIdle);
    },
    get polls() {
      return Math.min(...shards.map((shard) => shard.polls));
    },
    get filteredOut() {
      return shards.reduce((sum, shard) => sum + shard.filteredOut, 0);
    },
    async stop() {
      await Promise.all(shards.map((shard) => shard.stop()));
    },
  };
}

/** Reads one shard and hands its records to lanes, which deliver batches side by side. */
class ShardConsumer {
  polls = 0;
  filteredOut = 0;
  readonly #reader: ShardReader;
  readonly #settings: KinesisMappingSettings;
  readonly #ports: KinesisMappingPorts;
  readonly #lanes: Lane[];
  readonly #matches: (record: KinesisRecord) => boolean;
  readonly #reading: Promise<void>;
  #isStopped = false;

  constructor(reader: ShardReader, settings: KinesisMappingSettings, ports: KinesisMappingPorts) {
    this.#reader = reader;
    this.#settings = settings;
    this.#ports = ports;
    this.#matches = recordMatcher(settings.filterPatterns);
    this.#lanes = Array.from({ length: settings.parallelizationFactor }, () => new Lane(settings, ports));
    this.#reading = this.#readOn();
  }

  get isIdle(): boolean {
    return this.#lanes.every((lane) => lane.isIdle);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#lanes.map((lane) => lane.stop()));
    await this.#reading;
  }

  async #readOn(): Promise<void> {
    const { batchSize, parallelizationFactor } = this.#settings;
    while (!this.#isStopped) {
      const waiting = this.#lanes.reduce((sum, lane) => sum + lane.waiting, 0);
      if (waiting < maxWaitingBatches * batchSize * parallelizationFactor) {
        try {
          for (const record of await this.#reader.read()) this.#take(record);
          this.polls += 1;
        } catch (error) {
          this.#ports.onError(error);
        }
      }
      await this.#ports.sleep(this.#ports.pollSeconds);
    }
  }

  #take(record: KinesisRecord): void {
    if (!this.#matches(record)) {
      this.filteredOut += 1;
      return;
    }
    // One partition key always goes the same lane: its records keep their order.
    this.#lanes[laneOf(record.partitionKey, this.#lanes.length)]?.take(record);
  }
}

/** Records of some partition keys of one shard: one invocation at a time, in order. */
class Lane {
  readonly #settings: KinesisMappingSettings;
  readonly #ports: KinesisMappingPorts;
  #waiting: KinesisRecord[] = [];
  #running: Promise<void> | undefined;
  #isStopped = false;

  constructor(settings: KinesisMappingSettings, ports: KinesisMappingPorts) {
    this.#settings = settings;
    this.#ports = ports;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get isIdle(): boolean {
    return this.#running === undefined;
  }

  take(record: KinesisRecord): void {
    this.#waiting.push(record);
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#isStopped) {
      await this.#fillUp();
      const batch = this.#takeBatch();
      await deliverBatch(batch, this.#settings, {
        invoke: (records) => this.#ports.invoke(kinesisEvent(records, this.#settings)),
        discard: (records, condition, invokeCount, result) =>
          this.#discard({
            shardId: records[0]?.shardId ?? "",
            records,
            condition,
            invokeCount,
            ...(result !== undefined && { result }),
            event: kinesisEvent(records, this.#settings),
          }),
        now: this.#ports.now,
        backOff: (attempt) =>
          this.#isStopped
            ? Promise.resolve()
            : this.#ports.sleep(Math.min(this.#ports.backOffSeconds * 2 ** (attempt - 1), 60)),
      });
    }
  }

  /** Waits until a batch is full or its window is over. */
  async #fillUp(): Promise<void> {
    const windowEnds = this.#ports.now() + this.#settings.maximumBatchingWindowInSeconds;
    while (this.#waiting.length < this.#settings.batchSize && !this.#isStopped) {
      const left = windowEnds - this.#ports.now();
      if (left <= 0) return;
      await this.#ports.sleep(Math.min(left, this.#ports.pollSeconds));
    }
  }

  #takeBatch(): KinesisRecord[] {
    let bytes = 0;
    let count = 0;
    for (const { data } of this.#waiting.slice(0, this.#settings.batchSize)) {
      bytes += data.length;
      if (count > 0 && bytes > maxBatchBytes) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #discard(batch: DiscardedBatch): Promise<void> {
    for (;;) {
      try {
        await this.#ports.discard(batch);
        return;
      } catch (error) {
        // A batch whose destination is out of reach is not lost: the shard waits.
        this.#ports.onError(error);
        if (this.#isStopped) return;
        await this.#ports.sleep(this.#ports.backOffSeconds);
      }
    }
  }
}

/**
 * Which records the filter lets through. Lambda decodes and parses the data for it; a record that is not
 * JSON is dropped in silence.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis-filtering.html
 */
function recordMatcher(patterns: readonly string[]): (record: KinesisRecord) => boolean {
  const matches = eventMatcher(patterns);
  return ({ data }) => {
    if (patterns.length === 0) return true;
    let parsed: unknown;
    try {
      parsed = JSON.parse(Buffer.from(data).toString());
    } catch {
      return false;
    }
    return matches({ data: parsed });
  };
}

function laneOf(partitionKey: string, lanes: number): number {
  let hash = 0;
  for (const character of partitionKey) hash = (Math.imul(hash, 31) + (character.codePointAt(0) ?? 0)) >>> 0;
  return hash % lanes;
}

/** A batch as Lambda hands it to a function. */
function kinesisEvent(records: readonly KinesisRecord[], settings: KinesisMappingSettings): KinesisEvent {
  return {
    Records: records.map((record) => ({
      kinesis: {
        kinesisSchemaVersion: "1.0",
        partitionKey: record.partitionKey,
        sequenceNumber: record.sequenceNumber,
        data: Buffer.from(record.data).toString("base64"),
        approximateArrivalTimestamp: record.arrivedAt,
      },
      eventSource: "aws:kinesis",
      eventVersion: "1.0",
      eventID: `${record.shardId}:${record.sequenceNumber}`,
      eventName: "aws:kinesis:record",
      invokeIdentityArn: settings.invokeIdentityArn,
      awsRegion: settings.region,
      eventSourceARN: settings.eventSourceArn,
    })),
  };
}
