/** Tells where a message stands, once or until it has ended, and lists those that ended undelivered. */
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../../functions/adapters/system-clock.ts";
import { settingDefaults } from "../../functions/contract/environment.ts";
import { type Message, statusOf } from "../../functions/core/message/message.ts";
import { readMessageItem } from "../../functions/core/message/message-item.ts";
import { endedAtOf, historyOf } from "../../functions/core/processing/message-history.ts";
import { maskedNumber } from "../../local/report.ts";
import { unlessInterrupted } from "../interruption.ts";
import type { TableQuestion } from "../message-table.ts";
import { print } from "../options.ts";
import { walkWithBar } from "../walk-with-bar.ts";
import { messageAccess, noSuchMessage, type TableSelection } from "./message-access.ts";
import {
  headingOf,
  type ListAnswer,
  type ListedMessage,
  listText,
  nextLine,
  type StatusAnswer,
  statusText,
  stepLine,
} from "./status-text.ts";

/** A question about one message. */
export interface StatusRequest extends TableSelection {
  readonly id: string;
  readonly explain?: boolean;
  readonly showNumber?: boolean;
  /** Whether to look again until nothing more will happen. */
  readonly watch?: boolean;
  readonly json?: boolean;
}

/** A question about the messages that have ended. */
export interface ListRequest extends TableSelection {
  /** Only those that ended so many seconds ago or less; undefined = all. */
  readonly since?: number;
  /** `expired` = only those whose time was over; `failed` = all that ended undelivered, but for cancelled ones. */
  readonly which: "failed" | "expired";
  readonly readUnits?: number;
  readonly json?: boolean;
}

/** How often a watched message is looked at, in milliseconds. */
const lookEvery = 2_000;

/**
 * Prints the history of a message; with `watch` what is new of it, until it is over.
 *
 * @throws UserError if there is no such message, or the table cannot be read
 */
export async function showStatus(request: StatusRequest, signal: AbortSignal): Promise<void> {
  const read = reader(request);
  let answer = await unlessInterrupted(signal, read());
  const { explain = false } = request;
  print(answer, request.json, (shown) => statusText(shown, explain));
  while (request.watch === true && !answer.is_over) {
    await sleep(lookEvery, undefined, { signal });
    const before = answer;
    answer = await unlessInterrupted(signal, read());
    if (JSON.stringify(answer) !== JSON.stringify(before)) {
      print(answer, request.json, (shown) => changesText(before, shown, explain));
    }
  }
}

/** Reads the message anew with each call. */
function reader({ id, showNumber = false, ...selection }: StatusRequest): () => Promise<StatusAnswer> {
  const access = messageAccess(selection);
  return async () => {
    const message = await access.use("dynamodb:GetItem", (store) => store.read(id));
    if (message === undefined) throw noSuchMessage(id, selection.table);
    const { destination_number: number } = message;
    return {
      ...historyOf(message, { now: systemClock.now(), guarantee: settingDefaults.DELIVERY_GUARANTEE }),
      ...(number !== undefined && { destination_number: showNumber ? number : maskedNumber(number) }),
    };
  };
}

/** What has happened since: the steps that are new or tell more, and where it stands now. */
function changesText(before: StatusAnswer, now: StatusAnswer, explain: boolean): string {
  const known = new Set(before.steps.map((step) => stepLine(step, explain)));
  const steps = now.steps.map((step) => stepLine(step, explain)).filter((line) => !known.has(line));
  return [...steps, headingOf(now), nextLine(now.next, explain)].map((line) => `${line}\n`).join("");
}

/** How messages end without having been delivered or withdrawn. */
const undelivered = ["EXHAUSTED", "EXPIRED", "REJECTED", "OPTED_OUT"] as const;

/**
 * Prints the messages that ended undelivered, a line each.
 *
 * @throws UserError if the table cannot be read
 */
export async function listMessages(request: ListRequest, signal: AbortSignal): Promise<void> {
  const { table, which, readUnits } = request;
  const from = request.since === undefined ? undefined : systemClock.now() - request.since;
  const messages: ListedMessage[] = [];
  let [scanned, unreadable] = [0, 0];
  await walkWithBar({
    client: messageAccess(request).client,
    tableName: table,
    question: questionOf(which, from),
    readUnits,
    found: "found",
    signal,
    onItems(items, looked) {
      scanned += looked;
      for (const item of items) {
        const message = readable(item);
        if (message === undefined) unreadable += 1;
        else if (from === undefined || (endedAtOf(message) ?? 0) >= from) messages.push(listed(message));
      }
      return messages.length;
    },
  });
  messages.sort((a, b) => (a.ended_at ?? 0) - (b.ended_at ?? 0));
  const answer: ListAnswer = { table, scanned, unreadable, messages };
  print(answer, request.json, listText);
}

/** Neither bodies nor numbers are read. */
function questionOf(which: ListRequest["which"], from: number | undefined): TableQuestion {
  const statuses = which === "expired" ? (["EXPIRED"] as const) : undelivered;
  const names = statuses.map((_, index) => `:status${index}`);
  const inTime = from === undefined ? "" : " AND (attribute_not_exists(#ended_at) OR #ended_at >= :from)";
  return {
    attributes: ["application_message_id", "status", "status_reason", "ended_at", "retry_count", "attempts"],
    filter: `#status IN (${names.join(", ")})${inTime}`,
    values: () => ({
      ...Object.fromEntries(statuses.map((status, index) => [`:status${index}`, status])),
      ...(from !== undefined && { ":from": from }),
    }),
  };
}

function readable(item: Record<string, unknown>): Message | undefined {
  try {
    return readMessageItem(item);
  } catch {
    // What is wrong with it is told by its status, alone.
    return undefined;
  }
}

function listed(message: Message): ListedMessage {
  const { application_message_id, status_reason } = message;
  const endedAt = endedAtOf(message);
  return {
    application_message_id,
    status: statusOf(message),
    ...(status_reason !== undefined && { status_reason }),
    ...(endedAt !== undefined && { ended_at: endedAt }),
  };
}
