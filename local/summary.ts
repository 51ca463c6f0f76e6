/** What came of a run, from the state table, the simulator's ledger and the functions' metrics. */
import { retriesOffReason } from "../functions/core/message/message.ts";
import type { FunctionLog } from "./lambda/function-log.ts";
import { type SendRate, sendRateOf } from "./send-rate.ts";
import type { Ledger, LedgerSend } from "./sms-service/ledger.ts";

/** An item of the message-state table, in the attributes that a run looks at. */
export interface StateRow {
  readonly application_message_id: string;
  readonly status?: string;
  readonly status_reason?: string;
  readonly retry_count?: number;
  readonly [attribute: string]: unknown;
}

/** How a message ended. */
export type Outcome =
  | "deliveredAtOnce"
  | "recovered"
  | "exhausted"
  | "retriesOff"
  | "expired"
  | "rejected"
  | "optedOut"
  | "cancelled"
  | "open";

/** Records of the delivery stream, and where they are; a record is one delivery event. */
export interface Archive {
  readonly received: number;
  /** In the archive. */
  readonly delivered: number;
  /** Left out of it by the rule about retried events. */
  readonly dropped: number;
  /** In `processing-failed/`. */
  readonly failed: number;
}

/** The summary that `--json` prints. */
export interface Summary {
  readonly messages: number;
  /** SMS that the service took. */
  readonly sends: number;
  /** Of one message; those that an operator has resent do not count. */
  readonly maxSendsPerMessage: number;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly events: {
    /** Events on the stream, second copies included. */
    readonly emitted: number;
    /** Second copies among them. */
    readonly duplicated: number;
    /** Events that a function saw and that changed nothing. */
    readonly absorbed: number;
    /** Events whose message never came. */
    readonly orphaned: number;
    readonly malformed: number;
  };
  /** Only where events went through Firehose. */
  readonly archive?: Archive;
  readonly sendRate: SendRate;
  readonly durationMs: number;
  readonly seed: number;
  readonly scenario: string;
}

const endStatuses: Readonly<Record<string, Outcome>> = {
  EXHAUSTED: "exhausted",
  EXPIRED: "expired",
  REJECTED: "rejected",
  OPTED_OUT: "optedOut",
  CANCELLED: "cancelled",
};

/**
 * How a message ended, or `open`.
 *
 * A delivery without a failure before it costs no write, so the row of a message delivered at once still says
 * `SENT`: the ledger knows that its success was reported.
 */
export function outcomeOf(row: StateRow, sends: readonly LedgerSend[]): Outcome {
  const end = endStatuses[row.status ?? ""];
  if (end !== undefined) return end;
  if (row.status_reason === retriesOffReason) return "retriesOff";
  const hasRetries = (row.retry_count ?? 0) > 0;
  const published = sends.flatMap(({ events }) => events.filter((event) => event.published > 0));
  const hasFailed = published.some(({ kind }) => kind === "failure");
  if (row.status === "DELIVERED") return hasRetries || hasFailed ? "recovered" : "deliveredAtOnce";
  const isDelivered = published.some(({ kind }) => kind === "success");
  return !hasRetries && !hasFailed && isDelivered ? "deliveredAtOnce" : "open";
}

/** Whether an operator began a new retry sequence, which has retries of its own. */
function isResent({ attempts }: StateRow): boolean {
  if (typeof attempts !== "object" || attempts === null) return false;
  return Object.values(attempts).some((attempt) => attempt?.resent_at !== undefined);
}

/** Counts everything up. */
export function summarise(run: {
  readonly messages: number;
  readonly rows: readonly StateRow[];
  readonly ledger: Ledger;
  readonly log: FunctionLog;
  /** `max_sends_per_second` of the deployment. */
  readonly maxSendsPerSecond: number;
  readonly durationMs: number;
  readonly seed: number;
  readonly scenario: string;
  readonly archive?: Archive;
}): Summary {
  const sendsByMessage = run.ledger.sendsByMessage();
  const outcomes: Record<Outcome, number> = {
    deliveredAtOnce: 0,
    recovered: 0,
    exhausted: 0,
    retriesOff: 0,
    expired: 0,
    rejected: 0,
    optedOut: 0,
    cancelled: 0,
    open: 0,
  };
  for (const row of run.rows) {
    outcomes[outcomeOf(row, sendsByMessage.get(row.application_message_id) ?? [])] += 1;
  }
  const resent = new Set(run.rows.filter(isResent).map((row) => row.application_message_id));
  const { emitted, duplicated } = run.ledger.eventCounts();
  const metric = (name: string) => run.log.metrics.get(name) ?? 0;
  return {
    messages: run.messages,
    sends: run.ledger.sends.length,
    maxSendsPerMessage: Math.max(
      0,
      ...[...sendsByMessage].map(([id, sends]) => (resent.has(id) ? 0 : sends.length)),
    ),
    outcomes,
    events: {
      emitted,
      duplicated,
      absorbed: metric("EventAbsorbed"),
      orphaned: metric("EventOrphaned"),
      malformed: metric("RecordMalformed"),
    },
    ...(run.archive !== undefined && { archive: run.archive }),
    sendRate: sendRateOf(run.ledger.calls, run.maxSendsPerSecond),
    durationMs: run.durationMs,
    seed: run.seed,
    scenario: run.scenario,
  };
}

/**
 * How many messages are open without a reason: every event about them was put on the stream, so they should
 * have come to an end. A message whose event was lost, or never sent, may stay open.
 */
export function countStuck(rows: readonly StateRow[], ledger: Ledger): number {
  const sendsByMessage = ledger.sendsByMessage();
  return rows.filter((row) => {
    const sends = sendsByMessage.get(row.application_message_id) ?? [];
    const isHeardOf = sends.every(
      ({ outcome, events }) => outcome !== "SILENCE" && events.every(({ copies }) => copies > 0),
    );
    return isHeardOf && outcomeOf(row, sends) === "open";
  }).length;
}

/**
 * What contradicts the system's promises, in a sentence each; none = the run is a success.
 *
 * @param stuck see {@link countStuck}
 */
export function violations(summary: Summary, maxRetries: number, stuck: number): string[] {
  const found: string[] = [];
  const counted = Object.values(summary.outcomes).reduce((sum, count) => sum + count, 0);
  if (counted !== summary.messages) {
    found.push(`${summary.messages} messages were produced, but the outcomes add up to ${counted}.`);
  }
  if (summary.maxSendsPerMessage > 1 + maxRetries) {
    found.push(
      `A message was sent ${summary.maxSendsPerMessage} times; ${1 + maxRetries} is the most allowed.`,
    );
  }
  const { cap, peakInShorterTime } = summary.sendRate;
  if (peakInShorterTime > Math.max(cap, 1)) {
    found.push(
      `Retries of ${peakInShorterTime} parts were sent within 0.75 s; ${cap} in a second is the most allowed.`,
    );
  }
  if (stuck > 0) {
    found.push(
      `${stuck === 1 ? "A message is" : `${stuck} messages are`} still open, though no event was lost.`,
    );
  }
  return summary.archive === undefined ? found : [...found, ...archiveViolations(summary.archive, summary)];
}

function archiveViolations(archive: Archive, { events }: Summary): string[] {
  const { received, delivered, dropped, failed } = archive;
  const found: string[] = [];
  if (received !== events.emitted) {
    found.push(`${events.emitted} events were put on the delivery stream, but it received ${received}.`);
  }
  if (received !== delivered + dropped + failed) {
    found.push(
      `The delivery stream received ${received} records, but archived, dropped and failed ones add up to ${delivered + dropped + failed}.`,
    );
  }
  if (failed > 0) {
    found.push(`${failed} of the ${received} records are in processing-failed/; none may be.`);
  }
  return found;
}
