/** Puts malformed records where they are kept, so that a batch can go on without them. */
import pMap from "p-map";
import { errorName, type Telemetry } from "../observability/telemetry.ts";
import type { FailureDestination } from "./failure-destination.ts";
import type { RecordResult } from "./handle-records.ts";
import type { StreamRecord } from "./stream-record.ts";

/** How many records are written at once: a batch may be malformed as a whole. */
const concurrency = 20;

/**
 * Keeps every malformed record in the failure destination.
 *
 * @param results of `handleRecords`, in the order of `records`
 * @returns the results, with `malformed` records that could not be kept now turned into `failed` ones: they
 *   come again rather than get lost
 */
export async function quarantine(
  results: readonly RecordResult[],
  records: readonly StreamRecord[],
  destination: FailureDestination,
  telemetry: Telemetry,
): Promise<RecordResult[]> {
  return pMap(
    results,
    async (result, position) => {
      const record = records[position];
      if (result.result !== "malformed" || record === undefined) return result;
      try {
        await destination.keep(record, result.problem ?? "malformed");
        return result;
      } catch (error) {
        telemetry.error(
          "A malformed record could not be kept, so its batch comes again; look at the bucket and its key.",
          {
            record_id: record.id,
            position,
            error: errorName(error),
          },
        );
        return { ...result, result: "failed" as const };
      }
    },
    { concurrency },
  );
}
