/**
 * Must show of rule 10, on the bundles of both event sources: bad records harm only themselves.
 *
 * By default a share of the records that `core/hostile-records.test.ts` handles, because the emulated table takes five
 * milliseconds for each good one. All ten thousand of each sort take a minute:
 *
 *     HOSTILE_RECORDS=10000 npx jest __tests__/functions/hostile-records.test.ts
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { FirehoseTransformationResult } from "aws-lambda";
import { failedPrefix, startDeliveryStream } from "../../local/firehose/delivery-stream.ts";
import type { TransformationEvent } from "../../local/firehose/transformation.ts";
import type { InvocationResult } from "../../local/lambda/execution-environment.ts";
import { seededChance } from "../../local/seeded-chance.ts";
import { type Deployment, kinesisRecord, startDeployment } from "../support/deployment.ts";
import { eventually } from "../support/eventually.ts";
import { hostileItems, hostileRecord } from "../support/hostile-records.ts";
import { failureRecord, recentlySent } from "../support/recent-messages.ts";

/** Good records over both event sources, and as many bad ones. */
const good = Number(process.env.HOSTILE_RECORDS ?? 600);
const seed = 9;
const timeoutSeconds = 60 + good / 10;

/** Less than Lambda's six megabytes after base64. */
const batch = { records: 250, bytes: 3.5 * 1024 * 1024 };

let deployment: Deployment;
beforeAll(async () => {
  deployment = await startDeployment({ throughProxy: false });
  await Promise.all(hostileItems.map((item) => deployment.table.put({ ...item })));
});
afterAll(() => deployment?.stop());
beforeEach(() => deployment.purge());

interface MixedRecord {
  /** Absent on a bad record. */
  readonly goodId?: string;
  readonly data: Buffer;
}

/** Good records of messages that the table knows, each after a bad one. */
async function mixed(prefix: string): Promise<{ ids: string[]; records: MixedRecord[] }> {
  const ids = Array.from({ length: good / 2 }, (_, n) => `${prefix}-${n}`);
  for (let start = 0; start < ids.length; start += 100) {
    await Promise.all(ids.slice(start, start + 100).map((id) => deployment.table.put(recentlySent(id))));
  }
  const records = ids.flatMap((goodId, n) => [
    { data: hostileRecord(seededChance(seed, prefix, n), goodId).data },
    { goodId, data: Buffer.from(JSON.stringify(failureRecord(goodId))) },
  ]);
  return { ids, records };
}

/** Splits records into batches that an invocation takes. */
function batches<T extends { readonly data: Buffer }>(records: readonly T[]): T[][] {
  const result: T[][] = [[]];
  let bytes = 0;
  for (const record of records) {
    if (result.at(-1)?.length === batch.records || bytes + record.data.length > batch.bytes) {
      result.push([]);
      bytes = 0;
    }
    result.at(-1)?.push(record);
    bytes += record.data.length;
  }
  return result;
}

/** Every message of a good record has its one retry scheduled and one retry message on the queue; no item was made. */
async function expectAllRetried(ids: readonly string[]): Promise<void> {
  const items = new Map((await deployment.table.all()).map((item) => [item.application_message_id, item]));
  const notScheduled = ids.filter((id) => items.get(id)?.status !== "RETRY_SCHEDULED");
  expect(notScheduled).toEqual([]);
  for (const item of hostileItems) expect(items.get(item.application_message_id)).toEqual(item);
  const messages = (await deployment.takeMessages()).map((body) => JSON.parse(body));
  const retryMessages = messages.flatMap(({ kind, application_message_id: id }) =>
    kind === "retry-message" ? [id] : [],
  );
  expect(retryMessages.sort()).toEqual([...ids].sort());
}

test(
  "faults 38, 65, 67 and 68: from Kinesis, good records are handled, no invocation fails",
  async () => {
    const { ids, records } = await mixed("kinesis");

    for (const each of batches(records)) {
      expect(await deployment.consume(each.map(({ data }) => kinesisRecord(data)))).toEqual([]);
    }

    await expectAllRetried(ids);
    await eventually(() => expect(deployment.metric("RetryScheduled")).toBe(ids.length));
    for (const metric of ["RecordMalformed", "ForeignEvent", "ItemUnreadable", "ItemStatusUnknown"]) {
      expect({ metric, count: deployment.metric(metric) }).not.toEqual({ metric, count: 0 });
    }
    expect(deployment.metric("EventFailed")).toBe(0);
  },
  timeoutSeconds * 1_000,
);

test(
  "faults 38, 41, 65, 67 and 68: through Firehose, good records are handled, none failed",
  async () => {
    const { ids, records } = await mixed("firehose");
    const isGood = new Set(
      records.flatMap(({ goodId, data }) => (goodId === undefined ? [] : [data.toString("base64")])),
    );
    const keys: string[] = [];
    const answered: Record<string, number> = {};
    const failed: InvocationResult[] = [];
    const invoke = async (event: TransformationEvent): Promise<InvocationResult> => {
      const result = await deployment.tryInvoke("transform-firehose", event);
      if (!result.ok) failed.push(result);
      const answers = result.ok ? (result.payload as FirehoseTransformationResult).records : [];
      for (const [n, { recordId, data }] of event.records.entries()) {
        // What is retried is kept out of the archive; everything else goes on as it came.
        const expected = isGood.has(data) ? "Dropped" : "Ok";
        const { [n]: answer } = answers;
        const isRight = answer?.recordId === recordId && answer.data === data && answer.result === expected;
        const key = isRight ? expected : "anything else";
        answered[key] = (answered[key] ?? 0) + 1;
      }
      return result;
    };
    const stream = startDeliveryStream({
      name: "pinpoint-events",
      deliveryStreamArn: "arn:aws:firehose:us-east-1:123456789012:deliverystream/pinpoint-events",
      region: "us-east-1",
      lambdaArn: "arn:aws:lambda:us-east-1:123456789012:function:sms-retry-transform-firehose",
      // A single invocation that fails would show.
      numberOfRetries: 0,
      pauseSeconds: 0,
      transformationBuffer: { bytes: 1024 * 1024, intervalSeconds: 0.5 },
      deliveryBuffer: { bytes: 5 * 1024 * 1024, intervalSeconds: 0.5 },
      invoke,
      putObject: async (key) => void keys.push(key),
      sleep: (seconds) => sleep(seconds * 1_000),
      now: Date.now,
      id: randomUUID,
      onError: (error) => {
        throw error;
      },
    });

    for (const each of batches(records)) stream.putRecordBatch(each.map(({ data }) => data));
    await stream.stop();

    expect(failed).toEqual([]);
    expect(answered).toEqual({ Ok: ids.length, Dropped: ids.length });
    expect(keys.length).toBeGreaterThan(0);
    expect(keys.filter((key) => key.startsWith(failedPrefix))).toEqual([]);
    await expectAllRetried(ids);
    expect(deployment.metric("EventFailed")).toBe(0);
  },
  timeoutSeconds * 1_000,
);
