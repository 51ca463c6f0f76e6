/** The bundled Firehose transformation: faults 41 to 43, over recorded invocations. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { FirehoseTransformationResult } from "aws-lambda";
import { environmentNames } from "../../functions/contract/environment.ts";
import { type Deployment, kinesisRecord, startDeployment } from "../support/deployment.ts";
import { eventually } from "../support/eventually.ts";
import { failureRecord, recentlySent } from "../support/recent-messages.ts";

interface FirehoseEvent {
  readonly records: readonly { readonly recordId: string; readonly data: string }[];
}

interface RecordedInvocation {
  readonly about: string;
  readonly event: FirehoseEvent;
  readonly expected: {
    /** One a record, in order. */
    readonly results: readonly string[];
    readonly items: Readonly<Record<string, string>>;
    readonly retryMessages: number;
  };
}

const folder = join(__dirname, "recorded/firehose");
const recorded = readdirSync(folder)
  .sort()
  .map((file): [name: string, content: RecordedInvocation] => [
    file.replace(/\.json$/, ""),
    JSON.parse(readFileSync(join(folder, file), "utf8")),
  ]);

/** An invocation of Firehose with these records, as it would be with one event in each. */
function firehoseEvent(...datas: (object | string | Buffer)[]): FirehoseEvent {
  const event = {
    invocationId: "2b4d1ad9-2f48-94bd-a088-767c317e994a",
    deliveryStreamArn: "arn:aws:firehose:us-east-1:123456789012:deliverystream/pinpoint-events",
    region: "us-east-1",
    records: datas.map((data, n) => ({
      recordId: `4954698668313554428650745793632162567570019247115678${n}`,
      approximateArrivalTimestamp: 1_795_435_205_123,
      data: bytesOf(data).toString("base64"),
    })),
  };
  return event;
}

function bytesOf(data: object | string | Buffer): Buffer {
  return typeof data === "string" || Buffer.isBuffer(data)
    ? Buffer.from(data)
    : Buffer.from(JSON.stringify(data));
}

/** The results of an invocation, after a look at what holds for every one: fault 41. */
async function transform(deployment: Deployment, event: FirehoseEvent): Promise<string[]> {
  const { records } = await deployment.invoke<FirehoseTransformationResult>("transform-firehose", event);
  expect(records.map(({ recordId, data }) => ({ recordId, data }))).toEqual(
    event.records.map(({ recordId, data }) => ({ recordId, data })),
  );
  return records.map(({ result }) => result);
}

const sent = (deployment: Deployment, ids: readonly string[]) =>
  deployment.table.putAll(ids.map((id) => recentlySent(id)));

const statuses = async (deployment: Deployment, ids: readonly string[]) =>
  Object.fromEntries(
    await Promise.all(ids.map(async (id) => [id, (await deployment.table.get(id))?.status] as const)),
  );

const success = (id: string, attempt: number) => ({
  ...failureRecord(id, attempt, { record_status: "DELIVERED" }),
  event_type: "_SMS.SUCCESS",
});

describe("a deployment with firehose_drop_retried_events", () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await startDeployment({ throughProxy: false });
  });
  afterAll(() => deployment?.stop());
  beforeEach(() => deployment.reset());

  test.each(recorded)("fault 41: functions/recorded/firehose/%s", async (_name, { event, expected }) => {
    const keys = Object.keys(expected.items);
    await sent(deployment, keys);

    expect(await transform(deployment, event)).toEqual(expected.results);

    expect(await statuses(deployment, keys)).toEqual(expected.items);
    expect(await deployment.queued()).toBe(expected.retryMessages);
    expect(deployment.pinpoint.requests).toEqual([]);
  });

  test("fault 41: all of them in one invocation come to the same", async () => {
    const keys = recorded.flatMap(([, { expected }]) => Object.keys(expected.items));
    await sent(deployment, keys);
    const records = recorded.flatMap(([, { event }]) => event.records);
    const event = { ...firehoseEvent(), records };

    expect(await transform(deployment, event)).toEqual(
      recorded.flatMap(([, { expected }]) => expected.results),
    );
    expect(await statuses(deployment, keys)).toEqual(
      Object.assign({}, ...recorded.map(([, { expected }]) => expected.items)),
    );
  });

  test("an invocation without records is answered without records", async () => {
    expect(await transform(deployment, firehoseEvent())).toEqual([]);
  });

  test("the same batch again: the same answer and no further send, before and after the retry", async () => {
    const ids = ["again-1", "again-2"];
    await sent(deployment, ids);
    const event = firehoseEvent(
      failureRecord("again-1"),
      failureRecord("again-2"),
      { event_type: "_email.send" },
      success("again-3", 0),
    );

    const first = await transform(deployment, event);
    expect(await transform(deployment, event)).toEqual(first);
    await deployment.drain();
    expect(deployment.pinpoint.requests).toHaveLength(2);
    expect(await transform(deployment, event)).toEqual(first);
    await deployment.drain();

    expect(first).toEqual(["Dropped", "Dropped", "Ok", "Ok"]);
    expect(deployment.pinpoint.requests).toHaveLength(2);
  });

  test("the same event by Kinesis and by Firehose leads to one send", async () => {
    await sent(deployment, ["both-ways"]);
    const event = failureRecord("both-ways");

    await Promise.all([
      transform(deployment, firehoseEvent(event)),
      deployment.consume([kinesisRecord(event)]),
    ]);
    await deployment.drain();

    expect(deployment.pinpoint.requests).toHaveLength(1);
  });

  test("6 MB in a thousand records come back whole, with a retry for each failure", async () => {
    const ids = Array.from({ length: 1_000 }, (_, n) => `large-${n}`);
    await sent(deployment, ids);
    const event = firehoseEvent(...ids.map((id) => ({ ...failureRecord(id), padding: "x".repeat(3_300) })));
    expect(Buffer.byteLength(JSON.stringify(event))).toBeGreaterThan(5_400_000);

    const begin = performance.now();
    const results = await transform(deployment, event);
    process.stderr.write(`6 MB in 1 000 records: ${((performance.now() - begin) / 1000).toFixed(2)} s\n`);

    expect(new Set(results)).toEqual(new Set(["Dropped"]));
    expect(await deployment.queued()).toBe(1_000);
  });

  test("an event whose item came too late waits on the queue, and is archived meanwhile", async () => {
    expect(await transform(deployment, firehoseEvent(failureRecord("early")))).toEqual(["Ok"]);
    expect(await deployment.queued()).toBe(1);
  });
});

describe("a deployment without firehose_drop_retried_events", () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await startDeployment({
      throughProxy: false,
      environment: { "transform-firehose": { FIREHOSE_DROP_RETRIED_EVENTS: "false" } },
    });
  });
  afterAll(() => deployment?.stop());
  beforeEach(() => deployment.reset());

  test.each(recorded)("keeps everything, and retries the same: %s", async (_name, { event, expected }) => {
    const keys = Object.keys(expected.items);
    await sent(deployment, keys);

    expect(await transform(deployment, event)).toEqual(expected.results.map(() => "Ok"));

    expect(await statuses(deployment, keys)).toEqual(expected.items);
    expect(await deployment.queued()).toBe(expected.retryMessages);
  });

  test("fault 43: a replay of the archive and of processing-failed/ sends nothing", async () => {
    // Prepare: one retry sequence that ended, one that waits for its event, one whose item is gone.
    await sent(deployment, ["ended", "under-way"]);
    const archive: object[] = [];
    const archived = async (...events: object[]) => {
      archive.push(...events);
      await transform(deployment, firehoseEvent(...events));
      await deployment.drain();
    };
    await archived(failureRecord("ended"), failureRecord("under-way"));
    await archived(failureRecord("ended", 1));
    await archived(success("ended", 2));
    archive.push(failureRecord("gone"), success("gone", 1), { event_type: "_email.send" });
    await deployment.purge();
    const before = await statuses(deployment, ["ended", "under-way"]);
    expect(before).toEqual({ ended: "DELIVERED", "under-way": "SENT" });
    const sends = deployment.pinpoint.requests.length;
    expect(sends).toBe(3);

    // Act: record by record, as whole objects of S3, backwards, and the raw data of failed records.
    const object = archive.map((event) => JSON.stringify(event)).join("\n");
    await transform(deployment, firehoseEvent(...archive));
    await transform(deployment, firehoseEvent(object, object.replaceAll("\n", "")));
    await transform(deployment, firehoseEvent(...archive.toReversed()));
    const failed = archive.map((event) => ({ rawData: bytesOf(event).toString("base64") }));
    await transform(
      deployment,
      firehoseEvent(...failed.map(({ rawData }) => Buffer.from(rawData, "base64"))),
    );
    await deployment.consume(archive.map(kinesisRecord));
    await deployment.drain();

    // Assess
    expect(deployment.pinpoint.requests).toHaveLength(sends);
    expect(await statuses(deployment, ["ended", "under-way"])).toEqual(before);
  }, 60_000);
});

describe("fault 42: what the retries need is out of reach", () => {
  const ids = Array.from({ length: 120 }, (_, n) => `outage-${n}`);
  const event = firehoseEvent(
    ...ids.map((id) => failureRecord(id)),
    { event_type: "_email.send" },
    "no JSON",
  );
  // The function keeps 5 s for its answer and 5 s before that for the queue; what is left is for the events. So the
  // shorter its time-out, the sooner each of these tests ends, whatever it is that does not answer.
  let timeoutSeconds: number;
  let deployment: Deployment;

  async function deploy(seconds: number): Promise<void> {
    timeoutSeconds = seconds;
    deployment = await startDeployment({
      timeoutSeconds,
      environment: { "transform-firehose": { AWS_ENDPOINT_URL_SCHEDULER: "http://127.0.0.1:1" } },
    });
    await transform(deployment, firehoseEvent());
  }

  beforeEach(async () => {
    await deployment.reset();
    deployment.output.length = 0;
    await sent(deployment, ids);
  });

  /** Transforms the event; fails unless every record is answered with `Ok` within the function's time. */
  async function okInTime(): Promise<void> {
    const begin = performance.now();
    const results = await transform(deployment, event);
    const seconds = (performance.now() - begin) / 1000;
    expect(results).toEqual(event.records.map(() => "Ok"));
    expect(seconds).toBeLessThan(timeoutSeconds);
  }

  describe("DynamoDB", () => {
    beforeAll(() => deploy(12));
    afterAll(() => deployment?.stop());

    const refuse = () => ({ status: 400, body: { __type: "AccessDeniedException" } });

    test.each([
      ["breaks connections", () => "hang-up" as const],
      ["refuses", refuse],
      ["does not answer", noAnswer],
    ])("%s: Ok in time, and every event comes back by the queue", async (_what, intercept) => {
      deployment.proxy.intercept = intercept;

      await okInTime();

      await eventually(() => expect(deployment.metric("EventFailed")).toBe(ids.length));
      expect(await deployment.queued()).toBe(ids.length);
    });

    test("is slow: what there is no time for comes back by the queue", async () => {
      let updates = 0;
      deployment.proxy.intercept = async (call, forward) => {
        if (call.operation === "UpdateItem") updates += 1;
        await new Promise((resolve) => setTimeout(resolve, 800));
        return forward();
      };

      const begin = performance.now();
      const results = await transform(deployment, event);
      expect((performance.now() - begin) / 1000).toBeLessThan(timeoutSeconds);
      const dropped = results.filter((result) => result === "Dropped").length;

      // No new work is begun when the time for the events is over.
      expect(updates).toBeGreaterThan(0);
      expect(updates).toBeLessThan(ids.length);
      await eventually(() => expect(deployment.metric("EventFailed")).toBe(ids.length - dropped));
      expect(await deployment.queued()).toBe(ids.length);
    });
  });

  describe("SQS", () => {
    beforeAll(() => deploy(10.5));
    afterAll(() => deployment?.stop());

    test.each([
      ["breaks connections", () => deployment.queueProxy.break()],
      ["does not answer", () => deployment.queueProxy.stall()],
    ])("%s: Ok in time, and every failure is counted", async (_what, take) => {
      take();

      await okInTime();

      await eventually(() => expect(deployment.metric("EventFailed")).toBe(ids.length));
      // What was decided stands: the same event by whichever way repeats the retry message.
      deployment.queueProxy.mend();
      await deployment.purge();
      await transform(deployment, event);
      // What the function's client still tried when its answer was due may come as well, now that it can.
      const found = (await deployment.takeMessages()).map((body) => {
        const { application_message_id: id, event: waiting } = JSON.parse(body);
        return id ?? waiting.applicationMessageId;
      });
      expect(new Set(found)).toEqual(new Set(ids));
    });

    test("nor DynamoDB answers: Ok in time, and every failure is counted", async () => {
      deployment.proxy.intercept = noAnswer;
      deployment.queueProxy.stall();

      await okInTime();

      await eventually(() => expect(deployment.metric("EventFailed")).toBe(ids.length));
    });
  });
});

describe.each<[what: string, wrong: Record<string, string>, named: string[]]>([
  ["one setting that is wrong", { MAX_RETRIES: "many" }, ["MAX_RETRIES"]],
  [
    "every setting that is wrong or missing",
    Object.fromEntries(environmentNames["transform-firehose"].map((name) => [name, ""])),
    ["SMS_RETRY_VERSION", "POWERTOOLS_LOG_LEVEL", "MESSAGE_TABLE_NAME", "FIREHOSE_DROP_RETRIED_EVENTS"],
  ],
])("a deployment with %s", (_what, wrong, named) => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await startDeployment({
      environment: { "transform-firehose": { ...wrong, POWERTOOLS_METRICS_NAMESPACE: "sms-retry" } },
    });
  });
  afterAll(() => deployment?.stop());

  test("hands every record back, counts them, and says which settings to correct", async () => {
    const event = firehoseEvent(failureRecord("unseen-1"), failureRecord("unseen-2"), "no JSON");
    await sent(deployment, ["unseen-1", "unseen-2"]);

    expect(await transform(deployment, event)).toEqual(["Ok", "Ok", "Ok"]);
    expect(await transform(deployment, event)).toEqual(["Ok", "Ok", "Ok"]);

    await eventually(() => expect(deployment.metric("SettingsInvalid")).toBe(6));
    expect(await deployment.queued()).toBe(0);
    const log = deployment.output.join("\n");
    for (const name of named) expect(log).toContain(name);
    expect(log).toContain("InvalidSettingsError");
    expect(log).not.toContain("many");
  });
});

/** A service that takes a request and never answers. */
function noAnswer(): Promise<never> {
  return new Promise<never>(() => {});
}
