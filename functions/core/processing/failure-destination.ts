/** The port to the place that keeps what can never be handled. */
import type { StreamRecord } from "./stream-record.ts";

/** Keeps malformed records for a person to look at. */
export interface FailureDestination {
  /**
   * Keeps one record with all its bytes.
   *
   * @param problem why it is malformed; quotes nothing of it
   * @throws any error of the service: then the record is not kept, and its batch must fail rather than lose it
   */
  keep(record: StreamRecord, problem: string): Promise<void>;
}
