/** How each figure is taken. A probe runs a fresh environment of one contestant against the stub, warms it up and measures. */
import { createHash } from "node:crypto";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { LocalFunctionName } from "../local/function-environments.ts";
import type { Contestant } from "./contestants.ts";
import type { Figures, MeasureName } from "./measures.ts";
import { Environment, type Stub, type Used } from "./processes.ts";
import type { CallCounts } from "./stub.ts";
import {
  applicationItem,
  type EventFacts,
  firehoseBatch,
  kinesisBatch,
  newIds,
  produceEvent,
  queueBatch,
  snsBatch,
} from "./workloads.ts";

/** What a probe runs on. */
export interface Place {
  readonly stub: Stub;
  readonly contestant: Contestant;
}

/** Takes figures; none where the contestant has no such function. */
export type Probe = (place: Place) => Promise<Figures>;

/** What a piece of work took. */
interface Taken extends Used {
  readonly wallSeconds: number;
  /** Of all kinds of calls. */
  readonly all: CallCounts;
  readonly queued: readonly string[];
}

/** Runs invocations in a fresh environment, after some that warm it up, and says what they took together. */
async function work(
  { stub, contestant }: Place,
  name: LocalFunctionName,
  { warmUp, measured }: { readonly warmUp: readonly object[]; readonly measured: readonly object[] },
): Promise<Taken | undefined> {
  const handler = contestant.handler(name, stub.endpoint);
  if (handler === undefined) return undefined;
  const environment = await Environment.start(handler);
  try {
    for (const event of warmUp) await environment.invoke(event);
    const before = await environment.used();
    await stub.counts();
    const startedAt = performance.now();
    let used = before;
    for (const event of measured) used = (await environment.invoke(event)).used;
    const wallSeconds = (performance.now() - startedAt) / 1000;
    const { counts, queued } = await stub.counts();
    return {
      cpuSeconds: used.cpuSeconds - before.cpuSeconds,
      logBytes: used.logBytes - before.logBytes,
      maxMemoryBytes: used.maxMemoryBytes,
      wallSeconds,
      all: sumOf(Object.values(counts)),
      queued,
    };
  } finally {
    environment.stop();
  }
}

function sumOf(counts: readonly CallCounts[]): CallCounts {
  const sum = { calls: 0, requestBytes: 0, answerBytes: 0, readUnits: 0, writeUnits: 0 };
  for (const each of counts)
    for (const name of Object.keys(sum) as (keyof CallCounts)[]) sum[name] += each[name];
  return sum;
}

/** Batches of events of one kind, each of another message, and where `areKnown` the items of the messages. */
async function batches(
  { stub, contestant }: Place,
  {
    kind,
    size,
    count,
    areKnown,
  }: { kind: EventFacts["kind"]; size: number; count: number; areKnown: boolean },
): Promise<EventFacts[][]> {
  const ids = Array.from({ length: count }, () => newIds(size));
  if (areKnown) {
    for (const table of contestant.itemTables) await stub.put(table, ids.flat().map(applicationItem));
  }
  return ids.map((batch) => batch.map((id) => ({ id, kind })));
}

function lane(size: 100 | 500, count: number): Probe {
  return async (place) => {
    const all = await batches(place, { kind: "failure", size, count: count + 3, areKnown: true });
    const events = all.map(kinesisBatch);
    const taken = await work(place, "consume-kinesis", {
      warmUp: events.slice(0, 3),
      measured: events.slice(3),
    });
    if (taken === undefined) return {};
    const failures = size * count;
    const rate = failures / taken.wallSeconds;
    if (size === 500) return { failures_per_second_500: rate, memory_mb: taken.maxMemoryBytes / 1e6 };
    return {
      failures_per_second_100: rate,
      failure_cpu_ms: (taken.cpuSeconds / failures) * 1e3,
      failure_calls: taken.all.calls / failures,
      failure_request_bytes: taken.all.requestBytes / failures,
      failure_answer_bytes: taken.all.answerBytes / failures,
    };
  };
}

/** Events that change nothing, in batches of 100. */
async function quiet(place: Place, kind: EventFacts["kind"], areKnown: boolean): Promise<Taken | undefined> {
  const isFirehose = kind === "buffered";
  const all = await batches(place, { kind, size: 100, count: 60, areKnown });
  const events = all.map(isFirehose ? firehoseBatch : kinesisBatch);
  return work(place, isFirehose ? "transform-firehose" : "consume-kinesis", {
    warmUp: events.slice(0, 10),
    measured: events.slice(10),
  });
}

const quietEvents = 5_000;

const unknownSuccess: Probe = async (place) => {
  const taken = await quiet(place, "success", false);
  if (taken === undefined) return {};
  return {
    unknown_success_cpu_us: (taken.cpuSeconds / quietEvents) * 1e6,
    unknown_success_read_units: taken.all.readUnits / quietEvents,
  };
};

const knownSuccess: Probe = async (place) => {
  const taken = await quiet(place, "success", true);
  if (taken === undefined) return {};
  return {
    known_success_cpu_us: (taken.cpuSeconds / quietEvents) * 1e6,
    known_success_read_units: taken.all.readUnits / quietEvents,
    known_success_write_units: taken.all.writeUnits / quietEvents,
  };
};

const inProgress: Probe = async (place) => {
  const taken = await quiet(place, "buffered", false);
  if (taken === undefined) return {};
  return {
    in_progress_cpu_us: (taken.cpuSeconds / quietEvents) * 1e6,
    in_progress_calls: taken.all.calls / quietEvents,
  };
};

const firehoseMix: Probe = async (place) => {
  const measured = 20;
  const failures = await batches(place, { kind: "failure", size: 50, count: 3 + measured, areKnown: true });
  const others = await batches(place, { kind: "success", size: 450, count: 3 + measured, areKnown: false });
  const events = failures.map((failed, index) => firehoseBatch([...failed, ...(others[index] ?? [])]));
  const taken = await work(place, "transform-firehose", {
    warmUp: events.slice(0, 3),
    measured: events.slice(3),
  });
  return taken === undefined ? {} : { firehose_batch_ms: (taken.wallSeconds / measured) * 1e3 };
};

const growth: Probe = async (place) => {
  const cpuOf = async (size: number, count: number) => {
    const all = await batches(place, { kind: "success", size, count: count * 2, areKnown: false });
    const events = all.map(kinesisBatch);
    const taken = await work(place, "consume-kinesis", {
      warmUp: events.slice(0, count),
      measured: events.slice(count),
    });
    return taken === undefined ? undefined : taken.cpuSeconds / (size * count);
  };
  const [few, many] = [await cpuOf(100, 100), await cpuOf(10_000, 1)];
  return few === undefined || many === undefined ? {} : { growth_100_to_10000: many / few };
};

/** The two functions that a message with retries goes through. */
interface Running {
  readonly consuming: Environment;
  readonly sending: Environment;
}

/** Rounds through the queue after which what is still on it counts as lost. */
const mostRounds = 20;

/** Messages that fail four times and are sent again three times; consumer and worker by turns. */
const life: Probe = async ({ stub, contestant }) => {
  const consumer = contestant.handler("consume-kinesis", stub.endpoint);
  const worker = contestant.handler("resend", stub.endpoint);
  if (consumer === undefined || worker === undefined) return {};
  const [consuming, sending] = [await Environment.start(consumer), await Environment.start(worker)];
  try {
    const warm = newIds(100);
    await fourFailures(warm, { stub, consuming, sending, contestant });
    await stub.counts();
    const before = [await consuming.used(), await sending.used()] as const;
    const ids = newIds(100);
    const all = await fourFailures(ids, { stub, consuming, sending, contestant });
    const after = [await consuming.used(), await sending.used()] as const;
    const cpuOf = (index: 0 | 1) => after[index].cpuSeconds - before[index].cpuSeconds;
    const logOf = (index: 0 | 1) => after[index].logBytes - before[index].logBytes;
    const retries = ids.length * 3;
    return {
      retry_cpu_ms: ((cpuOf(0) + cpuOf(1)) / retries) * 1e3,
      resend_cpu_ms: (cpuOf(1) / retries) * 1e3,
      message_write_units: all.writeUnits / ids.length,
      message_read_units: all.readUnits / ids.length,
      message_calls: all.calls / ids.length,
      message_log_bytes: (logOf(0) + logOf(1)) / ids.length,
    };
  } finally {
    consuming.stop();
    sending.stop();
  }
};

/** Handles four failures of each message and all that they put on the queue; gives the counts of all calls. */
async function fourFailures(
  ids: readonly string[],
  { stub, contestant, consuming, sending }: Place & Running,
): Promise<CallCounts> {
  for (const table of contestant.itemTables) await stub.put(table, ids.map(applicationItem));
  const counted: Readonly<Record<string, CallCounts>>[] = [];
  for (let attempt = 0; attempt <= 3; attempt += 1) {
    const tag = attempt === 0 ? {} : { attempt };
    await consuming.invoke(kinesisBatch(ids.map((id) => ({ id, kind: "failure", ...tag }))));
    counted.push(...(await sendQueued({ stub, sending })));
  }
  const sends = counted.reduce((sum, counts) => sum + (counts["sms:SendMessages"]?.calls ?? 0), 0);
  if (sends !== ids.length * 3) {
    throw new Error(`${sends} of ${ids.length * 3} retries were sent; look at what the functions log.`);
  }
  return sumOf(counted.flatMap((counts) => Object.values(counts)));
}

/** Hands what is on the queue to the worker, and what that puts there, until nothing is left. */
async function sendQueued({
  stub,
  sending,
}: Pick<Place, "stub"> & Pick<Running, "sending">): Promise<Readonly<Record<string, CallCounts>>[]> {
  const counted: Readonly<Record<string, CallCounts>>[] = [];
  for (let round = 0; round < mostRounds; round += 1) {
    const { counts, queued } = await stub.counts();
    counted.push(counts);
    if (queued.length === 0) break;
    // What the queue would hold back until it is due: a second at most, as delays are 0.
    if (round > 0) await sleep(1_000);
    for (let first = 0; first < queued.length; first += 10) {
      await sending.invoke(queueBatch(queued.slice(first, first + 10)));
    }
  }
  return counted;
}

/** A new environment until its first invocation has been answered, which is about one message. */
function coldStart(name: LocalFunctionName): Probe {
  return async (place) => {
    const { stub, contestant } = place;
    const zip = contestant.zipBytes(name);
    const key = name.replaceAll("-", "_") as "resend";
    const size: Figures = zip === undefined ? {} : { [`zip_${key}_kib` satisfies MeasureName]: zip / 1024 };
    const handler = contestant.handler(name, stub.endpoint);
    if (handler === undefined) return size;
    const event = await firstEvent(name, place);
    const environment = await Environment.start(handler);
    try {
      const { used } = await environment.invoke(event);
      return { ...size, [`cold_start_${key}_ms` satisfies MeasureName]: used.cpuSeconds * 1e3 };
    } finally {
      environment.stop();
    }
  };
}

async function firstEvent(name: LocalFunctionName, place: Place): Promise<object> {
  const [failures = []] = await batches(place, { kind: "failure", size: 1, count: 1, areKnown: true });
  switch (name) {
    case "consume-kinesis":
      return kinesisBatch(failures);
    case "consume-sns":
      return snsBatch(failures);
    case "transform-firehose":
      return firehoseBatch(failures);
    case "produce":
      return produceEvent;
    case "resend": {
      // What the consumer puts on the queue for it.
      const scheduled = await work(place, "consume-kinesis", {
        warmUp: [],
        measured: [kinesisBatch(failures)],
      });
      return queueBatch(scheduled?.queued ?? []);
    }
  }
}

/** How fast this machine is just now, so that figures of two machines can be compared. */
const yardstick: Probe = async () => {
  const before = process.cpuUsage();
  let text = "benchmark";
  for (let round = 0; round < 20_000; round += 1) {
    const parsed = JSON.parse(
      JSON.stringify({ text, list: Array.from({ length: 40 }, (_, index) => ({ index, text })) }),
    );
    text = createHash("sha256").update(JSON.stringify(parsed)).digest("hex");
  }
  const { user, system } = process.cpuUsage(before);
  return { yardstick_ms: (user + system) / 1e3 };
};

/** Every probe by a name for the progress line. */
export const probes: Readonly<Record<string, Probe>> = {
  yardstick,
  "lane of 100": lane(100, 20),
  "lane of 500": lane(500, 6),
  "message with three retries": life,
  "success, not in the table": unknownSuccess,
  "success, in the table": knownSuccess,
  "event in progress": inProgress,
  "Firehose batch": firehoseMix,
  growth,
  "cold start of consume-kinesis": coldStart("consume-kinesis"),
  "cold start of consume-sns": coldStart("consume-sns"),
  "cold start of transform-firehose": coldStart("transform-firehose"),
  "cold start of resend": coldStart("resend"),
  "cold start of produce": coldStart("produce"),
};
