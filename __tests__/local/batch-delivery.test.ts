/** Lambda's documented rules about batches that fail; no stream, no function, no time. */
import {
  type DiscardCondition,
  deliverBatch,
  type FailureSettings,
  reportedItems,
  type SequencedRecord,
} from "../../local/lambda/batch-delivery.ts";
import type { InvocationResult } from "../../local/lambda/execution-environment.ts";

const settings: FailureSettings = {
  reportBatchItemFailures: true,
  bisectBatchOnFunctionError: false,
  maximumRetryAttempts: 2,
  maximumRecordAgeInSeconds: -1,
};

const thrown: InvocationResult = {
  ok: false,
  error: { errorType: "Error", errorMessage: "no", trace: [] },
};
const success: InvocationResult = { ok: true, payload: null };
const failed = (...items: unknown[]): InvocationResult => ({
  ok: true,
  payload: { batchItemFailures: items.map((itemIdentifier) => ({ itemIdentifier })) },
});

/** Delivers the records "1", "2", … and writes down every invocation and every discard. */
async function deliver(
  count: number,
  answer: (sequenceNumbers: string[], invocation: number) => InvocationResult,
  changed: Partial<FailureSettings> = {},
  arrivedAt: (sequenceNumber: string) => number = () => 1_000,
) {
  const records = Array.from({ length: count }, (_, index): SequencedRecord => {
    const sequenceNumber = String(index + 1);
    return { sequenceNumber, arrivedAt: arrivedAt(sequenceNumber) };
  });
  const invoked: string[] = [];
  const discarded: { records: string; condition: DiscardCondition; invokeCount: number }[] = [];
  const backOffs: number[] = [];
  const text = (batch: readonly SequencedRecord[]) =>
    batch.map(({ sequenceNumber }) => sequenceNumber).join(" ");

  await deliverBatch(
    records,
    { ...settings, ...changed },
    {
      async invoke(batch) {
        invoked.push(text(batch));
        return answer(
          batch.map(({ sequenceNumber }) => sequenceNumber),
          invoked.length,
        );
      },
      async discard(batch, condition, invokeCount) {
        discarded.push({ records: text(batch), condition, invokeCount });
      },
      now: () => 1_000,
      async backOff(attempt) {
        backOffs.push(attempt);
      },
    },
  );
  return { invoked, discarded, backOffs };
}

describe("a batch", () => {
  it.each([
    ["null", null],
    ["an empty list", { batchItemFailures: [] }],
    ["a list that is null", { batchItemFailures: null }],
    ["a text", "done"],
    ["nothing", undefined],
  ])("is done when the function answers %s", async (_what, payload) => {
    const { invoked, discarded } = await deliver(3, () => ({ ok: true, payload }));

    expect(invoked).toEqual(["1 2 3"]);
    expect(discarded).toEqual([]);
  });

  it("comes again from the lowest reported record on, and those before it are done", async () => {
    const { invoked } = await deliver(10, (_records, invocation) =>
      invocation === 1 ? failed("7", "3") : success,
    );

    expect(invoked).toEqual(["1 2 3 4 5 6 7 8 9 10", "3 4 5 6 7 8 9 10"]);
  });

  it("comes again whole when the function throws", async () => {
    const { invoked, backOffs } = await deliver(2, (_records, invocation) =>
      invocation < 3 ? thrown : success,
    );

    expect(invoked).toEqual(["1 2", "1 2", "1 2"]);
    expect(backOffs).toEqual([1, 2]);
  });

  it.each([
    ["an empty identifier", failed("")],
    ["no identifier", failed(null)],
    ["an identifier of no record", failed("99")],
    ["no list", { ok: true, payload: { batchItemFailures: "1" } } as InvocationResult],
    ["an unknown identifier beside a known one", failed("2", "99")],
  ])("has failed as a whole when the report has %s", async (_what, report) => {
    const { invoked } = await deliver(3, (_records, invocation) => (invocation === 1 ? report : success));

    expect(invoked).toEqual(["1 2 3", "1 2 3"]);
  });

  it("is given up after the first try and maximumRetryAttempts retries, with its last state", async () => {
    const { invoked, discarded } = await deliver(2, () => thrown);

    expect(invoked).toHaveLength(3);
    expect(discarded).toEqual([{ records: "1 2", condition: "RetryAttemptsExhausted", invokeCount: 3 }]);
  });

  it("is tried for ever with maximumRetryAttempts -1", async () => {
    const { invoked, discarded } = await deliver(
      1,
      (_records, invocation) => (invocation < 50 ? thrown : success),
      {
        maximumRetryAttempts: -1,
      },
    );

    expect(invoked).toHaveLength(50);
    expect(discarded).toEqual([]);
  });

  it("keeps what was reported last when a poison record never succeeds", async () => {
    const { discarded } = await deliver(4, (records) => (records.includes("3") ? failed("3") : success));

    expect(discarded).toEqual([{ records: "3 4", condition: "RetryAttemptsExhausted", invokeCount: 3 }]);
  });

  it("is halved on an error with bisection, so that one poison record is given up alone", async () => {
    const { invoked, discarded } = await deliver(8, (records) => (records.includes("6") ? thrown : success), {
      bisectBatchOnFunctionError: true,
      maximumRetryAttempts: 1,
    });

    expect(invoked).toEqual(["1 2 3 4 5 6 7 8", "1 2 3 4", "5 6 7 8", "5 6", "5", "6", "6", "7 8"]);
    expect(discarded).toEqual([{ records: "6", condition: "RetryAttemptsExhausted", invokeCount: 2 }]);
  });

  it("is split at the reported record and not in the middle with bisection", async () => {
    const { invoked } = await deliver(
      8,
      (_records, invocation) => (invocation === 1 ? failed("7") : success),
      {
        bisectBatchOnFunctionError: true,
      },
    );

    expect(invoked).toEqual(["1 2 3 4 5 6 7 8", "7 8"]);
  });

  it("leaves out records that are too old, and they go to the failure destination", async () => {
    const { invoked, discarded } = await deliver(
      4,
      () => success,
      { maximumRecordAgeInSeconds: 60 },
      (sequenceNumber) => (Number(sequenceNumber) <= 2 ? 939 : 940),
    );

    expect(invoked).toEqual(["3 4"]);
    expect(discarded).toEqual([{ records: "1 2", condition: "RecordAgeExceeded", invokeCount: 0 }]);
  });

  it("takes no notice of a report when ReportBatchItemFailures is off", async () => {
    const { invoked } = await deliver(2, () => failed("1"), { reportBatchItemFailures: false });

    expect(invoked).toEqual(["1 2"]);
  });
});

describe("a report", () => {
  it("names its items", () => {
    expect(reportedItems({ batchItemFailures: [{ itemIdentifier: "a" }] })).toEqual(["a"]);
  });

  it("is malformed where an item has no identifier", () => {
    expect(reportedItems({ batchItemFailures: [{ id: "a" }] })).toBe("all");
    expect(reportedItems({ batchItemFailures: [{ itemIdentifier: 5 }] })).toBe("all");
  });
});
