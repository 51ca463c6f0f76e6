/** One record of a stream, and the SMS events that stand in it. */
import type { DeliveryEvent } from "../events/delivery-event.ts";
import { carriedBySns, type DecodedRecord, decodeRecord } from "../events/event-records.ts";
import { parseDeliveryEvent } from "../events/parse-delivery-event.ts";
import { errorName, type Telemetry } from "../observability/telemetry.ts";

/** One record of a stream, or message of a queue. */
export interface StreamRecord {
  /** The stream's or the queue's own id of the record, e.g. a sequence number. */
  readonly id: string;
  readonly data: Uint8Array;
  /** Why the record cannot be read, where its wrapping tells already; then `data` is what came. */
  readonly problem?: string;
}

/** What stands in a record. */
export interface ParsedRecord {
  readonly events: readonly DeliveryEvent[];
  /** Whether the record holds anything besides those events. */
  readonly holdsOthers: boolean;
  /** Set where the record, or one value in it, is malformed; quotes nothing of it. */
  readonly problem?: string;
}

/** What parsing a record needs. */
export interface ParseDependencies {
  readonly telemetry: Telemetry;
  /**
   * The Pinpoint project (application) whose events are ours. Those of another one on the same stream are counted and
   * left alone, whatever ids they carry; an event that names no project is ours.
   * @default - the events of every project are ours
   */
  readonly pinpointApplicationId?: string;
}

/** Parses behind an error boundary: whatever a record does to the parser, the batch goes on without it. */
export function parseRecord(record: StreamRecord, dependencies: ParseDependencies): ParsedRecord {
  try {
    return parse(record, dependencies);
  } catch (error) {
    return malformed(`not readable: ${errorName(error)}`);
  }
}

function malformed(problem: string): ParsedRecord {
  return { events: [], holdsOthers: true, problem };
}

function parse(
  { data, problem: unreadable }: StreamRecord,
  { telemetry, pinpointApplicationId: ours }: ParseDependencies,
): ParsedRecord {
  if (unreadable !== undefined) return malformed(unreadable);
  const { values, problem: undecodable } = valuesIn(data);
  const events: DeliveryEvent[] = [];
  let problem = undecodable;
  for (const value of values) {
    const parsed = parseDeliveryEvent(value);
    if (parsed.type === "malformed") problem = parsed.problem;
    else if (parsed.type === "not-sms") telemetry.count("NotSms");
    else if (ours !== undefined && (parsed.pinpointApplicationId ?? ours) !== ours) {
      telemetry.count("ForeignEvent");
    } else {
      if (parsed.event.format === "end-user-messaging") telemetry.count("EndUserMessagingEvent");
      events.push(parsed.event);
    }
  }
  return {
    events,
    holdsOthers: events.length < values.length || undecodable !== undefined,
    ...(problem !== undefined && { problem }),
  };
}

/** The values of a record, those in envelopes of SNS among them, and why some of it is none. Never throws. */
export function valuesIn(data: Uint8Array): {
  readonly values: readonly unknown[];
  readonly problem?: string;
} {
  const decoded = decodeRecord(data);
  if (decoded.type === "malformed") return { values: [], problem: decoded.problem };
  const inside = decoded.values.map((value): DecodedRecord => {
    const carried = carriedBySns(value);
    return carried === undefined ? { type: "values", values: [value] } : decodeRecord(carried);
  });
  const problem = inside.find((each) => each.type === "malformed")?.problem;
  return {
    values: inside.flatMap((each) => (each.type === "values" ? each.values : [])),
    ...(problem !== undefined && { problem }),
  };
}
