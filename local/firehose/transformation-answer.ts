/**
 * What Firehose reads in the answer of a transformation.
 *
 * @see https://docs.aws.amazon.com/firehose/latest/dev/data-transformation-status-model.html
 */
import * as v from "valibot";

/** Why a record goes to `processing-failed/`, in the words that Firehose writes there. */
export interface ProcessingFailure {
  readonly code: string;
  readonly message: string;
}

/** What becomes of one record. */
export type Verdict =
  | { readonly type: "delivered"; readonly data: Buffer }
  | { readonly type: "dropped" }
  | { readonly type: "failed"; readonly failure: ProcessingFailure };

const answerSchema = v.object({
  records: v.array(
    v.variant("result", [
      v.object({
        recordId: v.string(),
        result: v.literal("Ok"),
        data: v.pipe(v.string(), v.regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/)),
      }),
      v.object({ recordId: v.string(), result: v.literal("Dropped") }),
      v.object({ recordId: v.string(), result: v.literal("ProcessingFailed") }),
    ]),
  ),
});

const failures = {
  unreadable: {
    code: "Lambda.JsonProcessingException",
    message:
      "There was an error parsing returned records from the Lambda function. Ensure that the returned records follow the status model required by Firehose.",
  },
  missing: {
    code: "Lambda.MissingRecordId",
    message:
      "One or more record Ids were not returned. Ensure that the Lambda function returns all received record Ids.",
  },
  doubled: {
    code: "Lambda.DuplicatedRecordId",
    message:
      "Multiple records were returned with the same record Id. Ensure that the Lambda function returns unique record Ids for each record.",
  },
  unsuccessful: {
    code: "Lambda.ProcessingFailedStatus",
    message: "ProcessingFailed status set for record",
  },
} as const satisfies Record<string, ProcessingFailure>;

/**
 * The verdict on each record that was handed over, in their order.
 *
 * A record whose id is missing or doubled has failed. Where AWS does not say how far a mistake reaches, all
 * records of the answer have failed: an id that was not asked for, a result of another name, data that is no
 * base64, no list at all.
 */
export function readAnswer(payload: unknown, recordIds: readonly string[]): Verdict[] {
  const failed = (failure: ProcessingFailure): Verdict => ({ type: "failed", failure });
  const parsed = v.safeParse(answerSchema, payload);
  if (!parsed.success) return recordIds.map(() => failed(failures.unreadable));

  const { records } = parsed.output;
  const asked = new Set(recordIds);
  if (records.some(({ recordId }) => !asked.has(recordId))) {
    return recordIds.map(() => failed(failures.missing));
  }
  const answers = Map.groupBy(records, ({ recordId }) => recordId);
  return recordIds.map((id) => {
    const [answer, ...more] = answers.get(id) ?? [];
    if (answer === undefined) return failed(failures.missing);
    return more.length > 0 ? failed(failures.doubled) : verdictOf(answer);
  });
}

function verdictOf(answer: v.InferOutput<typeof answerSchema>["records"][number]): Verdict {
  switch (answer.result) {
    case "Ok":
      return { type: "delivered", data: Buffer.from(answer.data, "base64") };
    case "Dropped":
      return { type: "dropped" };
    case "ProcessingFailed":
      return { type: "failed", failure: failures.unsuccessful };
  }
}
