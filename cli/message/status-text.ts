/** The history of a message, and lists of messages, for people. */
import type {
  HistoryStep,
  MessageHistory,
  NextStep,
} from "../../functions/core/processing/message-history.ts";

/** A history as `--json` prints it: in the words of the table, times in epoch seconds. */
export interface StatusAnswer extends MessageHistory {
  /** Masked unless asked for; absent where the item names none. */
  readonly destination_number?: string;
}

/** A time as people read it here: UTC, ISO 8601, to the second. */
export function isoTime(seconds: number): string {
  return `${new Date(seconds * 1_000).toISOString().slice(0, 19)}Z`;
}

/** As wide as {@link isoTime}. */
const noTime = "(time not noted)    ";

/** The history as a heading, a line for each step, and what happens next. */
export function statusText(answer: StatusAnswer, explain: boolean): string {
  return [
    headingOf(answer),
    ...answer.steps.map((step) => stepLine(step, explain)),
    nextLine(answer.next, explain),
    ...timesOf(answer),
  ]
    .map((line) => `${line}\n`)
    .join("");
}

/** Where the message stands, in a line. */
export function headingOf({
  application_message_id: id,
  status,
  status_reason,
  destination_number,
}: StatusAnswer): string {
  const why = status_reason === undefined ? "" : ` (${status_reason})`;
  const to = destination_number === undefined ? "" : `, to ${destination_number}`;
  return `${id} is ${status}${why}${to}.`;
}

/** A step in a line. */
export function stepLine({ at, text, row }: HistoryStep, explain: boolean): string {
  return `${at === undefined ? noTime : isoTime(at)}  ${text}${rowText(row, explain)}`;
}

/** What happens next, in a line. */
export function nextLine({ at, text, row }: NextStep, explain: boolean): string {
  return `Next${at === undefined ? "" : `, at ${isoTime(at)}`}: ${text}${rowText(row, explain)}`;
}

function rowText(row: HistoryStep["row"], explain: boolean): string {
  return explain && row !== undefined ? ` [${row.table}: ${row.action}, ${row.reason}]` : "";
}

function timesOf({ deadline, expires_at, is_over }: StatusAnswer): string[] {
  const item = expires_at === undefined ? [] : [`DynamoDB deletes its item after ${isoTime(expires_at)}.`];
  return deadline === undefined || is_over
    ? item
    : [`After ${isoTime(deadline)}, its deadline, nothing is sent.`, ...item];
}

/** A message of a list. */
export interface ListedMessage {
  readonly application_message_id: string;
  readonly status: string;
  readonly status_reason?: string;
  /** Epoch seconds; absent where the item does not say. */
  readonly ended_at?: number;
}

/** A list as `--json` prints it. */
export interface ListAnswer {
  readonly table: string;
  /** Items of the table that were looked at. */
  readonly scanned: number;
  /** Items that cannot be read, so that they may be missing here. */
  readonly unreadable: number;
  /** In the order in which they ended. */
  readonly messages: readonly ListedMessage[];
}

/** A line for each message, and one about them all. */
export function listText({ table, scanned, unreadable, messages }: ListAnswer): string {
  const lines = messages.map(({ application_message_id: id, status, status_reason = "-", ended_at }) =>
    [ended_at === undefined ? noTime : isoTime(ended_at), id, status, status_reason].join("  "),
  );
  const problems =
    unreadable === 0
      ? []
      : [`${unreadable} items cannot be read; see docs/operations.md, items that cannot be read.`];
  return [...lines, `${messages.length} of ${scanned} items of ${table}.`, ...problems]
    .map((line) => `${line}\n`)
    .join("");
}
