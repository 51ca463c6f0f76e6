/** The Kinesis event source mapping over shards in memory; the rules about failures are in batch-delivery. */
import { setTimeout as sleep } from "node:timers/promises";
import type { InvocationResult } from "../../local/lambda/execution-environment.ts";
import {
  type DiscardedBatch,
  type KinesisEvent,
  type KinesisMapping,
  type KinesisMappingSettings,
  startKinesisMapping,
} from "../../local/lambda/kinesis-event-source.ts";
import type { KinesisRecord, ShardReader } from "../../local/lambda/kinesis-shards.ts";

const settings: KinesisMappingSettings = {
  eventSourceArn: "arn:aws:kinesis:eu-west-1:000000000000:stream/events",
  region: "eu-west-1",
  invokeIdentityArn: "arn:aws:iam::000000000000:role/consumer",
  filterPatterns: [],
  batchSize: 100,
  maximumBatchingWindowInSeconds: 0,
  parallelizationFactor: 1,
  reportBatchItemFailures: true,
  bisectBatchOnFunctionError: false,
  maximumRetryAttempts: 1,
  maximumRecordAgeInSeconds: -1,
};

/** A shard that gives what was put on it, at the next read. */
function memoryShard(shardId = "shardId-000000000000") {
  let waiting: KinesisRecord[] = [];
  let sequence = 0;
  const reader: ShardReader = {
    shardId,
    async read() {
      const read = waiting;
      waiting = [];
      return read;
    },
  };
  return {
    reader,
    put(data: string | object, partitionKey = "key") {
      sequence += 1;
      waiting.push({
        shardId,
        partitionKey,
        sequenceNumber: String(sequence),
        arrivedAt: 1_700_000_000.5,
        data: Buffer.from(typeof data === "string" ? data : JSON.stringify(data)),
      });
    },
  };
}

const running: KinesisMapping[] = [];

function start(
  shard: ReturnType<typeof memoryShard>,
  changed: Partial<KinesisMappingSettings>,
  answer: (event: KinesisEvent) => Promise<InvocationResult>,
) {
  const discarded: DiscardedBatch[] = [];
  const problems: unknown[] = [];
  const mapping = startKinesisMapping(
    { ...settings, ...changed },
    {
      shards: [shard.reader],
      invoke: answer,
      async discard(batch) {
        discarded.push(batch);
      },
      now: () => Date.now() / 1000,
      sleep: (seconds) => sleep(seconds * 1000),
      pollSeconds: 0.005,
      backOffSeconds: 0.001,
      onError: (error) => problems.push(error),
    },
  );
  running.push(mapping);
  return { mapping, discarded, problems };
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((mapping) => mapping.stop()));
});

interface EventRecord {
  readonly kinesis: { readonly data: string; readonly partitionKey: string; readonly sequenceNumber: string };
}

const recordsOf = (event: KinesisEvent) => event.Records as readonly EventRecord[];
const dataOf = (event: KinesisEvent): string[] =>
  recordsOf(event).map(({ kinesis }) => Buffer.from(kinesis.data, "base64").toString());

async function untilIdle(mapping: KinesisMapping): Promise<void> {
  const polls = mapping.polls;
  while (mapping.polls < polls + 2 || !mapping.isIdle) await sleep(2);
}

it("hands records over in the shape of Lambda's Kinesis event", async () => {
  const shard = memoryShard();
  const events: KinesisEvent[] = [];
  const { mapping } = start(shard, {}, async (event) => {
    events.push(event);
    return { ok: true, payload: null };
  });

  shard.put("data ✔");
  await untilIdle(mapping);

  expect(events).toEqual([
    {
      Records: [
        {
          kinesis: {
            kinesisSchemaVersion: "1.0",
            partitionKey: "key",
            sequenceNumber: "1",
            data: Buffer.from("data ✔").toString("base64"),
            approximateArrivalTimestamp: 1_700_000_000.5,
          },
          eventSource: "aws:kinesis",
          eventVersion: "1.0",
          eventID: "shardId-000000000000:1",
          eventName: "aws:kinesis:record",
          invokeIdentityArn: "arn:aws:iam::000000000000:role/consumer",
          awsRegion: "eu-west-1",
          eventSourceARN: "arn:aws:kinesis:eu-west-1:000000000000:stream/events",
        },
      ],
    },
  ]);
});

it("drops what the filter does not match, and in silence what is no JSON", async () => {
  const shard = memoryShard();
  const seen: string[] = [];
  const { mapping } = start(shard, { filterPatterns: ['{"data":{"kind":["wanted"]}}'] }, async (event) => {
    seen.push(...dataOf(event));
    return { ok: true, payload: null };
  });

  shard.put({ kind: "other" });
  shard.put("{");
  shard.put({ kind: "wanted" });
  await untilIdle(mapping);

  expect(seen).toEqual(['{"kind":"wanted"}']);
  expect(mapping.filteredOut).toBe(2);
});

it("fills batches up to their size", async () => {
  const shard = memoryShard();
  const sizes: number[] = [];
  const { mapping } = start(shard, { batchSize: 4 }, async (event) => {
    sizes.push(event.Records.length);
    return { ok: true, payload: null };
  });

  for (let count = 0; count < 10; count += 1) shard.put(String(count));
  await untilIdle(mapping);

  expect(sizes).toEqual([4, 4, 2]);
});

it("waits for more records until the batching window is over", async () => {
  const shard = memoryShard();
  const batches: string[][] = [];
  const { mapping } = start(shard, { maximumBatchingWindowInSeconds: 0.15 }, async (event) => {
    batches.push(dataOf(event));
    return { ok: true, payload: null };
  });

  shard.put("first");
  await sleep(40);
  shard.put("second");
  await untilIdle(mapping);

  expect(batches).toEqual([["first", "second"]]);
});

it("runs one batch at a time for a partition key, and keys side by side by the factor", async () => {
  const shard = memoryShard();
  const seen: string[] = [];
  let now = 0;
  let most = 0;
  const { mapping } = start(shard, { parallelizationFactor: 2, batchSize: 1 }, async (event) => {
    now += 1;
    most = Math.max(most, now);
    await sleep(5);
    seen.push(...dataOf(event));
    now -= 1;
    return { ok: true, payload: null };
  });

  for (let count = 0; count < 6; count += 1) {
    shard.put(`a${count}`, "a");
    shard.put(`b${count}`, "b");
  }
  await untilIdle(mapping);

  expect(most).toBe(2);
  expect(seen.filter((data) => data.startsWith("a"))).toEqual(["a0", "a1", "a2", "a3", "a4", "a5"]);
  expect(seen.filter((data) => data.startsWith("b"))).toEqual(["b0", "b1", "b2", "b3", "b4", "b5"]);
});

it("gives a batch that never succeeds to the failure destination, and goes on with the next", async () => {
  const shard = memoryShard();
  const seen: string[] = [];
  const { mapping, discarded } = start(shard, { batchSize: 1 }, async (event) => {
    const [data = ""] = dataOf(event);
    if (data === "poison") return { ok: false, error: { errorType: "Error", errorMessage: "no", trace: [] } };
    seen.push(data);
    return { ok: true, payload: null };
  });

  shard.put("poison");
  shard.put("good");
  await untilIdle(mapping);

  expect(seen).toEqual(["good"]);
  expect(discarded).toHaveLength(1);
  expect(discarded[0]).toMatchObject({ condition: "RetryAttemptsExhausted", invokeCount: 2 });
  expect(dataOf(discarded[0]?.event ?? { Records: [] })).toEqual(["poison"]);
});

it("stops after the running invocation and leaves the rest", async () => {
  const shard = memoryShard();
  const seen: string[] = [];
  const { mapping } = start(shard, { batchSize: 1 }, async (event) => {
    await sleep(30);
    seen.push(...dataOf(event));
    return { ok: true, payload: null };
  });

  shard.put("first");
  shard.put("second");
  await sleep(20);
  await mapping.stop();

  expect(seen).toEqual(["first"]);
});
