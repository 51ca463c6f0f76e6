/** What a person reads at the end of a run: the summary as a table, and a few rows of the state table. */
import type { RunResult } from "./run.ts";
import { sendRateTable } from "./send-rate.ts";
import type { Archive, Outcome, StateRow, Summary } from "./summary.ts";

const outcomeLabels: Readonly<Record<Outcome, string>> = {
  deliveredAtOnce: "delivered at once",
  recovered: "recovered by a retry",
  exhausted: "exhausted (every retry failed)",
  retriesOff: "failed, and retries are off",
  expired: "expired (deadline passed)",
  rejected: "rejected",
  optedOut: "opted out",
  cancelled: "cancelled",
  open: "still open",
};

/** The whole report. */
export function reportText({ summary, rows }: Pick<RunResult, "summary" | "rows">): string {
  const samples = sampleRows(rows);
  const heading =
    samples.length === 0
      ? ""
      : `\n${samples.length === 1 ? "A row" : `${samples.length} rows`} of the state table:\n`;
  // Where the ceiling is out of reach the table says nothing.
  const rate = isPaced(summary) ? `\n${sendRateTable(summary.sendRate)}\n` : "";
  return `${summaryTable(summary)}\n${rate}${heading}${samples.map((row) => `\n${rowText(row)}\n`).join("")}`;
}

/** Whether retries came so close to the ceiling that it must have held some back. */
function isPaced({ sendRate }: Summary): boolean {
  return sendRate.peakPerSecond >= sendRate.cap / 2;
}

/** The summary as an aligned table. */
export function summaryTable(summary: Summary): string {
  const { messages, outcomes, events, archive } = summary;
  const share = (count: number) => (messages === 0 ? "" : `${((100 * count) / messages).toFixed(1)} %`);
  const lines: [string, string, string?][] = [
    ["messages", String(messages)],
    ...Object.entries(outcomeLabels).map(([outcome, label]): [string, string, string] => {
      const count = outcomes[outcome as Outcome];
      return [`  ${label}`, String(count), share(count)];
    }),
    ["SMS sent", String(summary.sends)],
    ["  most for one message", String(summary.maxSendsPerMessage)],
    ["delivery events on the stream", String(events.emitted)],
    ["  second copies among them", String(events.duplicated)],
    ["  duplicates and late ones absorbed", String(events.absorbed)],
    ["  without a message (orphaned)", String(events.orphaned)],
    ["  malformed", String(events.malformed)],
    ...(archive === undefined ? [] : archiveLines(archive)),
    ["duration", `${(summary.durationMs / 1000).toFixed(1)} s`],
  ];
  const labelWidth = Math.max(...lines.map(([label]) => label.length));
  const valueWidth = Math.max(...lines.map(([, value]) => value.length));
  const table = lines.map(([label, value, note = ""]) =>
    `${label.padEnd(labelWidth)}  ${value.padStart(valueWidth)}  ${note.padStart(7)}`.trimEnd(),
  );
  return [`Scenario ${summary.scenario}, seed ${summary.seed}`, "", ...table].join("\n");
}

function archiveLines({ received, delivered, dropped, failed }: Archive): [string, string][] {
  return [
    ["records into the delivery stream", String(received)],
    ["  delivered to the archive", String(delivered)],
    ["  dropped (a retry follows)", String(dropped)],
    ["  in processing-failed/", String(failed)],
  ];
}

/** Statuses by how much a row in them has to tell, and how many attempts make it tell most. */
const interestingStatuses = ["DELIVERED", "EXHAUSTED", "EXPIRED", "OPTED_OUT", "REJECTED", "SENT"];

const sampleCount = 3;

/** The rows with the longest stories: one for each status, the most interesting first, then any others. */
export function sampleRows(rows: readonly StateRow[]): StateRow[] {
  const longestFirst = rows.toSorted((a, b) => (b.retry_count ?? 0) - (a.retry_count ?? 0));
  const ofEachStatus = interestingStatuses.flatMap(
    (status) => longestFirst.find((row) => row.status === status) ?? [],
  );
  return [...new Set([...ofEachStatus, ...longestFirst])].slice(0, sampleCount);
}

/** Attributes of a row in the order in which one reads them; the others follow by name. */
const attributeOrder = ["application_message_id", "status", "status_reason", "retry_count"];

/** Attributes that hold epoch seconds. */
const timeAttributes = new Set([
  "created_at",
  "deadline",
  "expires_at",
  "next_attempt_at",
  "claim_expires_at",
  "ended_at",
]);

/** A row as lines of `attribute  value`; number and body are masked, attempts stand one to a line. */
export function rowText(row: StateRow): string {
  const names = Object.keys(row).sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
  const width = Math.max(...names.map((name) => name.length));
  return names
    .flatMap((name) =>
      valueLines(name, row).map((line, index) => `  ${(index === 0 ? name : "").padEnd(width)}  ${line}`),
    )
    .join("\n");
}

function rank(name: string): number {
  const position = attributeOrder.indexOf(name);
  if (name === "attempts") return attributeOrder.length + 1;
  return position === -1 ? attributeOrder.length : position;
}

function valueLines(name: string, row: StateRow): string[] {
  const value = row[name];
  if (name === "destination_number") return [maskedNumber(String(value))];
  if (name === "message_body") return [`(${[...String(value)].length} characters)`];
  if (timeAttributes.has(name)) return [`${value}  (${new Date(Number(value) * 1000).toISOString()})`];
  if (name === "attempts" && isRecord(value)) {
    return Object.entries(value).map(([number, attempt]) => `${number}: ${attemptText(attempt, row)}`);
  }
  return [typeof value === "string" ? value : JSON.stringify(value)];
}

/** An attempt in one line: ids cut short, times counted from the creation of the message. */
function attemptText(attempt: unknown, { created_at: createdAt }: StateRow): string {
  if (!isRecord(attempt)) return JSON.stringify(attempt);
  return Object.entries(attempt)
    .map(([name, value]) => {
      if (name.endsWith("_at") && typeof createdAt === "number")
        return `${name} +${Number(value) - createdAt} s`;
      return `${name} ${name.endsWith("_id") ? `${String(value).slice(0, 8)}…` : value}`;
    })
    .join(", ");
}

/** A phone number of which only the first digits, its country and area, can be read. */
export function maskedNumber(number: string): string {
  return `${number.slice(0, 5)}${"*".repeat(Math.max(number.length - 5, 0))}`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
