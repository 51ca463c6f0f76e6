/** The delivery-stream emulator: Firehose's documented rules, without a function and without S3. */
import {
  type DeliveryStreamOptions,
  InvalidRecordsError,
  startDeliveryStream,
} from "../../local/firehose/delivery-stream.ts";
import { maxPayloadBytes, type TransformationEvent } from "../../local/firehose/transformation.ts";
import type { InvocationResult } from "../../local/lambda/execution-environment.ts";
import { virtualTime } from "../support/virtual-time.ts";

const mebibyte = 1024 * 1024;

/** Hands every record back. */
const archiveAll = ({ records }: TransformationEvent): InvocationResult =>
  answer(...records.map(({ recordId, data }) => ({ recordId, data, result: "Ok" })));

const answer = (...records: readonly object[]): InvocationResult => ({ ok: true, payload: { records } });

const functionFailed: InvocationResult = {
  ok: false,
  error: { errorType: "Sandbox.Timedout", errorMessage: "no", trace: [] },
};

/** A stream whose time passes only by `pass`, and everything that it did. */
function deliveryStream(
  invoke: (event: TransformationEvent, invocation: number) => InvocationResult = archiveAll,
  changed: Partial<DeliveryStreamOptions> = {},
) {
  const startsAt = Date.parse("2026-11-23T19:04:05.678Z");
  const clock = virtualTime(0);
  let ids = 0;
  const invocations: TransformationEvent[] = [];
  const objects = new Map<string, string>();
  const errors: unknown[] = [];
  const stream = startDeliveryStream({
    name: "events",
    deliveryStreamArn: "arn:aws:firehose:eu-west-1:000000000000:deliverystream/events",
    region: "eu-west-1",
    lambdaArn: "arn:aws:lambda:eu-west-1:000000000000:function:transform",
    numberOfRetries: 3,
    pauseSeconds: 1,
    transformationBuffer: { bytes: mebibyte, intervalSeconds: 60 },
    deliveryBuffer: { bytes: 5 * mebibyte, intervalSeconds: 300 },
    async invoke(event) {
      invocations.push(event);
      return invoke(event, invocations.length);
    },
    async putObject(key, body) {
      objects.set(key, body.toString());
    },
    sleep: clock.sleep,
    now: () => startsAt + Math.round(clock.now() * 1000),
    id: () => {
      ids += 1;
      return `id-${ids}`;
    },
    onError: (error) => errors.push(error),
    ...changed,
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return {
    stream,
    invocations,
    objects,
    errors,
    put: (...datas: (string | Buffer)[]) => stream.putRecordBatch(datas.map((data) => Buffer.from(data))),
    settle,
    pass: (seconds: number) => clock.run(clock.now() + seconds),
    /** What lies in `processing-failed/`, line by line. */
    failed: () =>
      [...objects]
        .filter(([key]) => key.startsWith("processing-failed/"))
        .flatMap(([, body]) => body.trimEnd().split("\n"))
        .map((line) => JSON.parse(line)),
    /** What lies beside it. */
    delivered: () =>
      [...objects].filter(([key]) => !key.startsWith("processing-failed/")).map(([, body]) => body),
  };
}

describe("the buffer", () => {
  it("hands records over when its interval is over, with Firehose's event", async () => {
    const { put, pass, invocations } = deliveryStream();
    const ids = put("a");
    await pass(30);
    put("b");
    await pass(29.9);
    expect(invocations).toEqual([]);

    await pass(0.1);

    expect(invocations).toEqual([
      {
        invocationId: expect.any(String),
        deliveryStreamArn: "arn:aws:firehose:eu-west-1:000000000000:deliverystream/events",
        region: "eu-west-1",
        records: [
          { recordId: ids[0], approximateArrivalTimestamp: 1_795_460_645_678, data: "YQ==" },
          { recordId: expect.any(String), approximateArrivalTimestamp: 1_795_460_675_678, data: "Yg==" },
        ],
      },
    ]);
  });

  it("hands records over at once when it is full, and begins a new round", async () => {
    const { put, settle, invocations, pass } = deliveryStream();
    put(Buffer.alloc(600_000), Buffer.alloc(600_000));
    await settle();
    expect(invocations.map(({ records }) => records.length)).toEqual([1]);

    put(Buffer.alloc(mebibyte - 600_000));
    await settle();
    expect(invocations.map(({ records }) => records.length)).toEqual([1, 2]);

    await pass(1_000);
    expect(invocations).toHaveLength(2);
  });

  it("of deliveries joins records into one object, named by the hour", async () => {
    const { put, pass, objects, stream } = deliveryStream();
    put('{"a":1}\n', '{"b":2}\n');
    await pass(60);
    put('{"c":3}\n');
    await pass(299);
    expect([...objects]).toEqual([]);
    expect(stream.isIdle).toBe(false);

    await pass(1);

    expect([...objects]).toEqual([
      [
        expect.stringMatching(/^2026\/11\/23\/19\/events-1-2026-11-23-19-10-05-id-\d+$/),
        '{"a":1}\n{"b":2}\n{"c":3}\n',
      ],
    ]);
    expect(stream.isIdle).toBe(true);
  });

  it("is emptied by stop, and everything is delivered", async () => {
    const { put, stream, delivered } = deliveryStream();
    put("a", "b");

    await stream.stop();

    expect(delivered()).toEqual(["ab"]);
    expect(stream.isIdle).toBe(true);
  });
});

describe("a put", () => {
  it.each([
    ["no record", []],
    ["501 records", Array.from({ length: 501 }, () => Buffer.from("a"))],
    ["a record of more than 1,000 KiB", [Buffer.alloc(1_000 * 1024 + 1)]],
    ["more than 4 MiB", Array.from({ length: 5 }, () => Buffer.alloc(900_000))],
  ])("of %s is refused as a whole", (_what, records) => {
    const { stream } = deliveryStream();

    expect(() => stream.putRecordBatch(records)).toThrow(InvalidRecordsError);
    expect(stream.received).toBe(0);
  });
});

describe("a request", () => {
  it("has at most 6 MB: a buffer that holds more goes out in several", async () => {
    const { put, settle, invocations, stream } = deliveryStream(archiveAll, {
      transformationBuffer: { bytes: 9_000_000, intervalSeconds: 60 },
    });
    for (let times = 0; times < 9; times += 1) put(Buffer.alloc(1_000_000));
    await settle();

    expect(invocations.map(({ records }) => records.length)).toEqual([4, 4, 1]);
    for (const event of invocations) {
      expect(Buffer.byteLength(JSON.stringify(event))).toBeLessThanOrEqual(maxPayloadBytes);
    }
    await stream.stop();
    expect(stream.isIdle).toBe(true);
  });
});

describe("an invocation that fails", () => {
  it("is tried three times more with the same records and ids, and then succeeds", async () => {
    const { put, pass, invocations, delivered } = deliveryStream((event, invocation) =>
      invocation < 4 ? functionFailed : archiveAll(event),
    );
    put("a");
    await pass(1_000);

    expect(invocations).toHaveLength(4);
    expect(new Set(invocations.map(({ records }) => JSON.stringify(records))).size).toBe(1);
    expect(new Set(invocations.map(({ invocationId }) => invocationId)).size).toBe(4);
    expect(delivered()).toEqual(["a"]);
  });

  it("for the fourth time leaves its records in processing-failed/, with the documented fields", async () => {
    const { put, pass, objects, failed, invocations, stream } = deliveryStream(() => functionFailed);
    put("a", "b");
    await pass(1_000);

    expect(invocations).toHaveLength(4);
    expect([...objects.keys()]).toEqual([
      expect.stringMatching(/^processing-failed\/2026\/11\/23\/19\/events-1-2026-11-23-19-10-08-id-\d+$/),
    ]);
    const line = {
      attemptsMade: 4,
      arrivalTimestamp: 1_795_460_645_678,
      errorCode: "Lambda.FunctionError",
      errorMessage: "The Lambda function was successfully invoked but it returned an error result.",
      attemptEndingTimestamp: 1_795_460_708_678,
      lambdaArn: "arn:aws:lambda:eu-west-1:000000000000:function:transform",
    };
    expect(failed()).toEqual([
      { ...line, rawData: "YQ==" },
      { ...line, rawData: "Yg==" },
    ]);
    expect(stream.isIdle).toBe(true);
  });

  it("is one, too, whose answer is larger than 6 MB", async () => {
    const { put, pass, invocations, failed } = deliveryStream((event) =>
      answer(
        ...event.records.map(({ recordId }) => ({ recordId, result: "Ok", data: "A".repeat(6_400_000) })),
      ),
    );
    put("a");
    await pass(1_000);

    expect(invocations).toHaveLength(4);
    expect(failed()).toMatchObject([{ errorCode: "Lambda.FunctionError", rawData: "YQ==" }]);
  });
});

describe("an answer", () => {
  type Answered = { recordId: string; result: string; data?: string };
  const parsing = "Lambda.JsonProcessingException";
  const missing = "Lambda.MissingRecordId";

  it.each<[string, (records: Answered[]) => unknown, (string | undefined)[]]>([
    ["of Ok", (records) => ({ records }), [undefined, undefined]],
    ["in another order", (records) => ({ records: records.toReversed() }), [undefined, undefined]],
    ["without a record id", ([a]) => ({ records: [a] }), [undefined, missing]],
    [
      "with a record id twice",
      ([a, b]) => ({ records: [a, b, b] }),
      [undefined, "Lambda.DuplicatedRecordId"],
    ],
    [
      "with a record id that was not asked for",
      ([a, b]) => ({ records: [a, b, { ...b, recordId: "x" }] }),
      [missing, missing],
    ],
    [
      "of ProcessingFailed",
      ([a, b]) => ({ records: [a, { ...b, result: "ProcessingFailed" }] }),
      [undefined, "Lambda.ProcessingFailedStatus"],
    ],
    ["with another result", ([a, b]) => ({ records: [a, { ...b, result: "ok" }] }), [parsing, parsing]],
    ["with data that is no base64", ([a, b]) => ({ records: [a, { ...b, data: "b" }] }), [parsing, parsing]],
    ["without data", ([a, b]) => ({ records: [a, { ...b, data: undefined }] }), [parsing, parsing]],
    ["that is a text", () => "Success", [parsing, parsing]],
    ["that is null", () => null, [parsing, parsing]],
  ])("%s", async (_what, payload, codes) => {
    const { put, pass, failed, delivered, invocations, stream } = deliveryStream(({ records }) => ({
      ok: true,
      payload: payload(records.map(({ recordId, data }) => ({ recordId, data, result: "Ok" }))),
    }));
    put("a", "b");
    await pass(1_000);

    const raw = ["a", "b"];
    expect(
      failed().map(({ errorCode, rawData }) => [errorCode, Buffer.from(rawData, "base64").toString()]),
    ).toEqual(codes.flatMap((code, index) => (code === undefined ? [] : [[code, raw[index]]])));
    expect(delivered().join("")).toBe(raw.filter((_, index) => codes[index] === undefined).join(""));
    // An answer was given: nothing is tried again.
    expect(invocations).toHaveLength(1);
    expect(failed().every(({ attemptsMade }) => attemptsMade === 1)).toBe(true);
    expect(stream.isIdle).toBe(true);
  });

  it("of Dropped leaves a record out, without an object", async () => {
    const { put, pass, objects, stream } = deliveryStream(({ records }) =>
      answer(...records.map(({ recordId }) => ({ recordId, result: "Dropped" }))),
    );
    put("a", "b");
    await pass(1_000);

    expect(objects.size).toBe(0);
    expect(stream).toMatchObject({ received: 2, dropped: 2, isIdle: true });
  });
});

it("a write to S3 that fails is told and tried again", async () => {
  let writes = 0;
  const { put, pass, stream, errors } = deliveryStream(archiveAll, {
    async putObject() {
      writes += 1;
      if (writes < 3) throw new Error("no bucket");
    },
  });
  put("a");
  await pass(1_000);

  expect(writes).toBe(3);
  expect(errors).toHaveLength(2);
  expect(stream.isIdle).toBe(true);
});
