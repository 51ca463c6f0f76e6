/** Fault 38, rule 10: a bad record harms only itself. Faults 35 and 37: what is out of reach is not lost. */
import { type Deployment, kinesisRecord, startDeployment } from "../support/deployment.ts";
import { eventually } from "../support/eventually.ts";
import { failureRecord, recentlySent } from "../support/recent-messages.ts";

const mebibyte = 1024 * 1024;

/** What a stream may carry and no one can read. The data of `not base64` is not what Kinesis hands over. */
const poison: Readonly<Record<string, Buffer>> = {
  "not UTF-8": Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]),
  "not JSON": Buffer.from("event_type=_SMS.FAILURE"),
  truncated: Buffer.from(JSON.stringify(failureRecord("truncated")).slice(0, 400)),
  empty: Buffer.alloc(0),
  "1 MiB of nothing": Buffer.alloc(mebibyte, 0),
  "1 MiB of open brackets": Buffer.alloc(mebibyte, "["),
  "1 MiB of open objects": Buffer.alloc(mebibyte, '{"a":'),
  "a list of events": Buffer.from(JSON.stringify([failureRecord("in-a-list")])),
  "an object that is no event": Buffer.from('{"event":"_SMS.FAILURE"}'),
};

const notBase64 = "%%% {not base64} ÿ %%%";

describe("one deployment", () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await startDeployment({ throughProxy: false });
  });
  afterAll(() => deployment?.stop());
  beforeEach(() => deployment.reset());

  const keyOf = ({ eventID }: { eventID: string }) => `malformed/${eventID}`;

  test("fault 38: of 1 000 records 990 are handled and 10 kept byte for byte; nothing is lost", async () => {
    // Prepare
    const ids = Array.from({ length: 990 }, (_, n) => `batch-${n}`);
    await deployment.table.putAll(ids.map((id) => recentlySent(id)));
    const good = ids.map((id) => kinesisRecord(failureRecord(id)));
    const bad = Object.values(poison).map(kinesisRecord);
    const undecodable = kinesisRecord("");
    const records = [...good];
    for (const [n, record] of bad.entries()) records.splice(n * 110, 0, record);
    records.push({ ...undecodable, kinesis: { ...undecodable.kinesis, data: notBase64 } });
    expect(records).toHaveLength(1_000);
    await deployment.consume([]);

    // Act
    const again = await deployment.consume(records);

    // Assess
    expect(again).toEqual([]);
    const items = await deployment.table.all();
    expect(items.filter(({ status }) => status === "RETRY_SCHEDULED")).toHaveLength(990);
    expect(await deployment.queued()).toBe(990);
    const kept = await deployment.kept();
    expect(kept.size).toBe(10);
    for (const [n, bytes] of Object.values(poison).entries()) {
      expect(kept.get(keyOf(bad[n] as (typeof bad)[number]))?.equals(bytes)).toBe(true);
    }
    expect(kept.get(keyOf(undecodable))?.toString()).toBe(notBase64);
    await eventually(() => expect(deployment.metric("RecordMalformed")).toBe(10));
    // On a busy machine the SDK repeats a write whose answer is late; the write is refused by its own effect then.
    const absorbedBefore = deployment.metric("EventAbsorbed");
    expect(deployment.metric("RetryScheduled") + absorbedBefore).toBe(990);

    // A batch that is handed over once more keeps nothing twice and schedules nothing twice.
    await deployment.purge();
    expect(await deployment.consume(records)).toEqual([]);
    expect((await deployment.kept()).size).toBe(10);
    await eventually(() => expect(deployment.metric("EventAbsorbed") - absorbedBefore).toBe(990));
  }, 90_000);

  test("a malformed record is logged with its position and id, and not with its content", async () => {
    const record = kinesisRecord("secret +447700900123");

    await deployment.consume([kinesisRecord(failureRecord("position")), record]);

    await eventually(() => {
      const lines = deployment.output.filter((line) => line.includes(record.eventID));
      expect(lines.map((line) => JSON.parse(line))).toEqual([
        expect.objectContaining({
          level: "WARN",
          message: "A malformed record was quarantined; look at what writes it to the stream.",
          record_id: record.eventID,
          position: 1,
          reason: "not JSON",
        }),
      ]);
    });
  });

  describe("what only its size or its shape makes hard is handled, and its neighbour too", () => {
    const long = "x".repeat(400_000);
    test.each<[string, object]>([
      ["an id longer than a key of the table", failureRecord("k".repeat(3_000))],
      [
        "a message id longer than a key of the table",
        failureRecord("a", 0, { customer_context: null, message_id: "m".repeat(3_000) }),
      ],
      // The item is missing, so that the event itself would have to go onto the queue.
      [
        "a status and a number of 400 kB each",
        failureRecord("no-item-1", 0, { record_status: long, destination_phone_number: long }),
      ],
      [
        "the same in the other event format",
        {
          eventType: "TEXT_UNREACHABLE",
          eventTimestamp: Date.now(),
          isFinal: true,
          messageId: "no-item-2",
          destinationPhoneNumber: long,
          messageStatus: long,
        },
      ],
      ["a context of 400 kB", failureRecord("no-item-3", 0, { customer_context: long })],
      ["an id that no queue takes unescaped", failureRecord("no-item \uffff \u0000 \ud800")],
      ["an attempt that no item has", failureRecord("neighbour", Number.MAX_SAFE_INTEGER)],
      ["attributes that are no object", { ...failureRecord("a"), attributes: [1] }],
      [
        "every attribute null",
        { ...failureRecord("a"), attributes: { message_id: null, record_status: null } },
      ],
      ["the name of a method as its type", { ...failureRecord("a"), event_type: "_SMS.constructor" }],
    ])("%s", async (_name, event) => {
      await deployment.table.put(recentlySent("neighbour"));
      const keptBefore = (await deployment.kept()).size;

      const again = await deployment.consume([
        kinesisRecord(event),
        kinesisRecord(failureRecord("neighbour")),
      ]);

      expect(again).toEqual([]);
      expect(await deployment.table.get("neighbour")).toMatchObject({ status: "RETRY_SCHEDULED" });
      expect((await deployment.kept()).size).toBe(keptBefore);
    });
  });

  test("an event whose item is unreadable is kept, and its neighbour is handled", async () => {
    await deployment.table.put(recentlySent("neighbour-2"));
    await deployment.table.put(recentlySent("unreadable", { retry_count: "many" }));
    const record = kinesisRecord(failureRecord("unreadable"));

    expect(await deployment.consume([record, kinesisRecord(failureRecord("neighbour-2"))])).toEqual([]);

    expect((await deployment.kept()).has(keyOf(record))).toBe(true);
    expect(await deployment.table.get("neighbour-2")).toMatchObject({ status: "RETRY_SCHEDULED" });
  });
});

describe("what is out of reach makes the batch fail rather than lose", () => {
  const nobody = "http://127.0.0.1:1";
  let deployment: Deployment;
  afterEach(() => deployment?.stop());

  test.each([
    ["does not answer", { AWS_ENDPOINT_URL_S3: nobody }],
    ["is not there", { FAILURE_BUCKET_NAME: "deleted-by-hand" }],
  ])(
    "fault 37: the failure destination %s: the malformed record comes again, others are done",
    async (_name, variables) => {
      deployment = await startDeployment({ environment: { "consume-kinesis": variables } });
      await deployment.table.put(recentlySent("beside"));
      const bad = kinesisRecord("no JSON");

      const again = await deployment.consume([bad, kinesisRecord(failureRecord("beside"))]);

      expect(again).toEqual([bad.kinesis.sequenceNumber]);
      expect(await deployment.table.get("beside")).toMatchObject({ status: "RETRY_SCHEDULED" });
      expect(await deployment.queued()).toBe(1);
    },
  );

  test("the retry queue does not answer: the record comes again, then its retry message goes out", async () => {
    deployment = await startDeployment({
      environment: { "consume-kinesis": { RETRY_QUEUE_URL: `${nobody}/123456789012/sms-retry-retry` } },
    });
    await deployment.table.put(recentlySent("no-queue"));
    const record = kinesisRecord(failureRecord("no-queue"));

    expect(await deployment.consume([record])).toEqual([record.kinesis.sequenceNumber]);
    expect(await deployment.table.get("no-queue")).toMatchObject({ status: "RETRY_SCHEDULED" });
  });

  test("fault 35: the table does not answer: every record with an SMS event comes again", async () => {
    deployment = await startDeployment();
    deployment.proxy.intercept = () => ({ status: 400, body: { __type: "AccessDeniedException" } });
    const records = [
      kinesisRecord(failureRecord("no-table")),
      kinesisRecord({ ...failureRecord("mail"), event_type: "_email.send" }),
      kinesisRecord({ ...failureRecord("buffered"), event_type: "_SMS.BUFFERED" }),
      kinesisRecord(failureRecord("no-table-either")),
    ];

    const again = await deployment.consume(records);

    expect(again).toEqual([records[0], records[3]].map((record) => record?.kinesis.sequenceNumber));
  });
});
