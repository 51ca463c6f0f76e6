/** Properties of what a Firehose transformation answers: fault 41, whatever comes in. */
import fc from "fast-check";
import { type EventOutcome, eventMetrics } from "../../../functions/core/observability/outcomes.ts";
import type { Telemetry } from "../../../functions/core/observability/telemetry.ts";
import {
  type ArchivedRecord,
  answerTransformation,
  type TransformedRecord,
} from "../../../functions/core/processing/answer-transformation.ts";
import type { HandledEvent } from "../../../functions/core/processing/handle-delivery-event.ts";
import { handleRecords, type RecordResult } from "../../../functions/core/processing/handle-records.ts";
import { pinpointRecord, retryPolicy, sentMessage, startOfTest } from "../../support/messages.ts";
import { storeOnModel } from "../../support/store-on-model.ts";
import { virtualTime } from "../../support/virtual-time.ts";

const outcomes = Object.keys(eventMetrics) as EventOutcome[];

const handledEvent: fc.Arbitrary<HandledEvent> = fc
  .record({ outcome: fc.constantFrom(...outcomes), isRetried: fc.option(fc.boolean(), { nil: undefined }) })
  .map(({ outcome, isRetried }) => ({
    outcome,
    reason: "sequence-over",
    ...(isRetried !== undefined && { isRetried }),
  }));

const recordResult: fc.Arbitrary<RecordResult> = fc.record({
  id: fc.string(),
  result: fc.constantFrom("handled", "malformed", "failed"),
  events: fc.array(handledEvent, { maxLength: 3 }),
  holdsOthers: fc.boolean(),
});

/** Any text: also what no base64 and no record id looks like. */
const text = fc.string({ unit: "binary", maxLength: 200 });
const archivedRecord: fc.Arbitrary<ArchivedRecord> = fc.record({ recordId: text, data: text });

const answerBytes = (records: readonly TransformedRecord[]) => Buffer.byteLength(JSON.stringify({ records }));

const limit = 6 * 1024 * 1024;

describe("an answer", () => {
  test("has every record once and in order, its data as it came, whatever is known about it", () => {
    fc.assert(
      fc.property(
        fc.array(archivedRecord),
        fc.array(recordResult),
        fc.boolean(),
        (records, results, drops) => {
          const answer = answerTransformation(records, results, { dropsRetriedEvents: drops });

          expect(answer.map(({ recordId, data }) => ({ recordId, data }))).toEqual(records);
        },
      ),
    );
  });

  test("is Ok for a record in which nothing was found, also where retried failures are dropped", () => {
    const empty: RecordResult = { id: "a", result: "handled", events: [], holdsOthers: false };
    const records = [{ recordId: "a", data: "" }];
    expect(answerTransformation(records, [empty], { dropsRetriedEvents: true })).toMatchObject([
      { result: "Ok" },
    ]);
  });

  test("is Dropped only for a record of retried failures alone, and only where the rules say so", () => {
    fc.assert(
      fc.property(fc.array(recordResult), fc.boolean(), (results, drops) => {
        const records = results.map((_, index) => ({ recordId: String(index), data: "" }));
        const answer = answerTransformation(records, results, { dropsRetriedEvents: drops });

        for (const [index, { result }] of answer.entries()) {
          const { events, holdsOthers, result: handled } = results[index] as RecordResult;
          const isOfRetriesAlone =
            handled === "handled" &&
            !holdsOthers &&
            events.length > 0 &&
            events.every(({ isRetried }) => isRetried === true);
          expect(result).toBe(drops && isOfRetriesAlone ? "Dropped" : "Ok");
        }
      }),
    );
  });

  test("is Ok for every record where nothing is known about any", () => {
    const records = [
      { recordId: "1", data: "YQ==" },
      { recordId: "2", data: "Yg==" },
    ];

    expect(answerTransformation(records, [], { dropsRetriedEvents: true })).toEqual(
      records.map((record) => ({ ...record, result: "Ok" })),
    );
  });

  test("is never larger than it may be: what does not fit is left in Firehose's own hands", () => {
    fc.assert(
      fc.property(
        fc.array(archivedRecord, { maxLength: 30 }),
        fc.integer({ min: 0, max: 10_000 }),
        (records, spare) => {
          const least = records.map(({ recordId }) => ({
            recordId,
            data: "",
            result: "ProcessingFailed" as const,
          }));
          const longestAnswerBytes = answerBytes(least) + spare;
          const answer = answerTransformation(records, [], { dropsRetriedEvents: true, longestAnswerBytes });

          expect(answerBytes(answer)).toBeLessThanOrEqual(longestAnswerBytes);
          expect(answer.map(({ recordId }) => recordId)).toEqual(records.map(({ recordId }) => recordId));
          for (const [index, { data, result }] of answer.entries()) {
            expect(data).toBe(result === "ProcessingFailed" ? "" : records[index]?.data);
          }
        },
      ),
    );
  });

  describe("with records of every size", () => {
    const tiny = { recordId: "a", data: "" };
    const small = { recordId: "b", data: "c21hbGw=".repeat(8) };
    const huge = { recordId: "c", data: "aHVnZQ==".repeat(100) };
    const ok = (record: ArchivedRecord): TransformedRecord => ({ ...record, result: "Ok" });
    const left = ({ recordId }: ArchivedRecord): TransformedRecord => ({
      recordId,
      data: "",
      result: "ProcessingFailed",
    });
    const within = (records: readonly ArchivedRecord[], longestAnswerBytes: number) =>
      answerTransformation(records, [], { dropsRetriedEvents: true, longestAnswerBytes });

    test.each<[string, ArchivedRecord[]]>([
      ["empty ones, which would be longer if they were left", [tiny, tiny, tiny]],
      ["others", [tiny, small, huge]],
    ])("leaves none where all fit, even with one byte to spare: %s", (_what, records) => {
      const whole = records.map(ok);

      expect(within(records, answerBytes(whole) + 1)).toEqual(whole);
    });

    test("leaves one as soon as a byte is missing", () => {
      const records = [small, huge];
      const most = answerBytes(records.map(ok)) - 1;

      expect(within(records, most)).toEqual([ok(small), left(huge)]);
    });

    test("leaves only what does not fit, and fills the room behind it", () => {
      const wanted = [ok(small), left(huge), ok(small)];

      expect(within([small, huge, small], answerBytes(wanted) + 1)).toEqual(wanted);
    });
  });

  const recordIdOf = (n: number) => `49546986683135544286507457936321625675700192471156785${n}`;

  test.each([
    ["many that are empty", Array.from({ length: 49_000 }, () => 0)],
    ["a few that are as large as Firehose takes", [1_365_336, 1_365_336, 1_365_336, 1_365_336, 828_000]],
    ["large ones first", [3_000_000, 3_000_000, ...Array.from({ length: 1_500 }, () => 60)]],
  ])("to a request of 6 MB has all of its records: %s", (_what, sizes) => {
    const records = sizes.map((size, n) => ({ recordId: recordIdOf(n), data: "a".repeat(size) }));
    const request = {
      invocationId: "0a2ac5a8-7d4c-4b33-8f2e-2d6c3a6d7a11",
      deliveryStreamArn: "arn:aws:firehose:us-east-1:123456789012:deliverystream/events",
      region: "us-east-1",
      records: records.map((record) => ({ ...record, approximateArrivalTimestamp: 1_795_435_205_123 })),
    };
    const requestBytes = Buffer.byteLength(JSON.stringify(request));
    expect(requestBytes).toBeGreaterThan(limit * 0.97);
    expect(requestBytes).toBeLessThanOrEqual(limit);

    const answer = answerTransformation(records, [], { dropsRetriedEvents: true });

    expect(answer.every(({ result }) => result === "Ok")).toBe(true);
    expect(answerBytes(answer)).toBeLessThanOrEqual(limit);
  });

  test("to more than an answer can hold stays under 6 MB, and what is left out is not delivered", () => {
    const records = Array.from({ length: 5_000 }, (_, n) => ({
      recordId: recordIdOf(n),
      data: "a".repeat(n < 5 ? 1_365_336 : 100),
    }));

    const answer = answerTransformation(records, [], { dropsRetriedEvents: true });

    expect(answerBytes(answer)).toBeLessThanOrEqual(limit);
    expect(answer).toHaveLength(5_000);
    expect(
      answer.filter(({ data }) => data === "").every(({ result }) => result === "ProcessingFailed"),
    ).toBe(true);
  });
});

describe("the core and the answer together", () => {
  const silence: Telemetry = { count() {}, info() {}, warn() {}, error() {} };

  /** The answer for records with these bytes, in a world where one message was sent. */
  async function answerFor(datas: readonly Uint8Array[], isDown = false): Promise<TransformedRecord[]> {
    const store = storeOnModel(sentMessage());
    if (isDown) {
      const down = async () => {
        throw new Error("down");
      };
      Object.assign(store, { read: down, readMany: down, change: down });
    }
    const records = datas.map((data, n) => ({
      recordId: `r${n}`,
      data: Buffer.from(data).toString("base64"),
    }));
    const clock = virtualTime(startOfTest + 10);
    const handling = handleRecords(
      records.map(({ recordId, data }) => ({ id: recordId, data: Buffer.from(data, "base64") })),
      {
        store,
        queue: { put: async (entries) => entries.map(() => !isDown) },
        policy: retryPolicy(),
        recordsEveryDelivery: false,
        smsServices: new Set<never>(),
        clock,
        random: { next: () => 0.5, id: () => "id" },
        telemetry: silence,
        endsAt: startOfTest + 60,
        queuesFailedEvents: true,
      },
    );
    const [results] = await Promise.all([handling, clock.run()]);
    const answer = answerTransformation(records, results, { dropsRetriedEvents: true });
    expect(answer.map(({ recordId, data }) => ({ recordId, data }))).toEqual(records);
    return answer;
  }

  const json = (value: unknown) => Buffer.from(JSON.stringify(value));

  test("never fail on junk: every record comes back, Ok, also while everything is down", async () => {
    const junk = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.json({ maxDepth: 3 }).map((value) => Buffer.from(value)),
      fc.record({ event_type: fc.string(), attributes: fc.jsonValue() }).map(json),
      fc
        .record({
          event_type: fc.constantFrom("_SMS.FAILURE", "_SMS.SUCCESS", "_email.hardbounce", "_custom"),
          attributes: fc.dictionary(fc.constantFrom("record_status", "message_id"), fc.jsonValue()),
        })
        .map(json),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(junk, { maxLength: 12 }), fc.boolean(), async (datas, isDown) => {
        const answer = await answerFor(datas, isDown);
        expect(answer.every(({ result }) => result === "Ok")).toBe(true);
      }),
    );
  });

  const failure = pinpointRecord();
  const other = { event_type: "_email.delivered" };
  const unknown = pinpointRecord({ attributes: { record_status: "TELEPORTED" } });
  test.each([
    ["a retried failure", "Dropped", [failure]],
    ["two of them", "Dropped", [failure, failure]],
    ["a retried failure beside another channel", "Ok", [failure, other]],
    ["a retried failure beside one that is not", "Ok", [failure, unknown]],
    ["another channel", "Ok", [other]],
    ["a status that nobody knows", "Ok", [unknown]],
    [
      "a failure of a message that nobody knows",
      "Ok",
      [pinpointRecord({ attributes: { customer_context: null, message_id: "x" } })],
    ],
  ])("%s in one record is answered %s", async (_what, result, values) => {
    const [answer] = await answerFor([Buffer.from(values.map((value) => JSON.stringify(value)).join("\n"))]);

    expect(answer?.result).toBe(result);
  });

  test("a failure whose table or queue is down is Ok", async () => {
    expect((await answerFor([json(failure)], true))[0]?.result).toBe("Ok");
  });

  test("a failure with a tail that cannot be read is Ok", async () => {
    expect((await answerFor([Buffer.from(`${JSON.stringify(failure)}{`)]))[0]?.result).toBe("Ok");
  });
});
