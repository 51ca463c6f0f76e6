/** What the items of a deployment in shadow mode say of the retries that were counted and not sent. */
import { UnknownItemStatusError, UnreadableMessageError } from "../../functions/core/errors.ts";
import type { Message } from "../../functions/core/message/message.ts";
import { statusOf } from "../../functions/core/message/message.ts";
import { readMessageItem } from "../../functions/core/message/message-item.ts";
import type { TableQuestion } from "../message-table.ts";

/** What is read of an item: no body and no number. */
export const shadowQuestion: TableQuestion = {
  attributes: ["application_message_id", "status", "status_reason", "attempts"],
  filter: "attribute_exists(#attempts)",
};

/** Messages, and the parts of the retries that were counted for them. */
export interface Count {
  readonly messages: number;
  readonly parts: number;
}

/** What was counted; `--json` prints it. Times are epoch seconds. */
export interface ShadowReport {
  readonly table: string;
  /** Items of the table that were looked at. */
  readonly scanned: number;
  /** Messages of which a retry was counted. */
  readonly counted: Count;
  /** The same by the status of the send that failed. */
  readonly byStatus: Readonly<Record<string, Count>>;
  readonly firstAt: number | null;
  readonly lastAt: number | null;
  /**
   * What the retries would have cost: at least one for each message, which is what was counted, and at most all that
   * `maxRetries` allows. In US dollars where the price of a part is known.
   */
  readonly cost: {
    readonly maxRetries: number;
    readonly leastParts: number;
    readonly mostParts: number;
    readonly pricePerPart: number | null;
    readonly leastUsd: number | null;
    readonly mostUsd: number | null;
  };
  /** Of those messages, by what they are today. Not more than `unknown` could have been recovered. */
  readonly today: {
    /** Delivered late by a send before: the retry would have come besides. */
    readonly delivered: number;
    /** Opted out or cancelled: the retry would not have been wanted. */
    readonly unwanted: number;
    /** Nobody knows what the retry would have done. */
    readonly unknown: number;
  };
  /** Items that cannot be read. */
  readonly unreadable: number;
}

/** What a report is made with. */
export interface ShadowTerms {
  readonly table: string;
  readonly maxRetries: number;
  /** US dollars. */
  readonly pricePerPart?: number | undefined;
}

/** Adds items up. */
export class ShadowTally {
  readonly #byStatus = new Map<string, { messages: number; parts: number }>();
  readonly #today = { delivered: 0, unwanted: 0, unknown: 0 };
  readonly #terms: ShadowTerms;
  #messages = 0;
  #parts = 0;
  #mostParts = 0;
  #unreadable = 0;
  #scanned = 0;
  #firstAt = Number.POSITIVE_INFINITY;
  #lastAt = Number.NEGATIVE_INFINITY;

  constructor(terms: ShadowTerms) {
    this.#terms = terms;
  }

  /** How many messages have been counted. */
  get messages(): number {
    return this.#messages;
  }

  /**
   * Adds the items of a page.
   *
   * @param scanned how many items the page looked at, those that were left out included
   */
  add(items: readonly Record<string, unknown>[], scanned: number): void {
    this.#scanned += scanned;
    for (const item of items) {
      const message = read(item);
      if (message === undefined) this.#unreadable += 1;
      else this.#count(message);
    }
  }

  #count(message: Message): void {
    const shadowed = Object.entries(message.attempts ?? {}).filter(
      ([, { shadowed_at }]) => shadowed_at !== undefined,
    );
    if (shadowed.length === 0) return;
    this.#messages += 1;
    for (const [attempt, { shadowed_at = 0, shadow_parts = 1, outcome = "UNKNOWN" }] of shadowed) {
      const ofStatus = this.#byStatus.get(outcome) ?? { messages: 0, parts: 0 };
      this.#byStatus.set(outcome, {
        messages: ofStatus.messages + 1,
        parts: ofStatus.parts + shadow_parts,
      });
      this.#parts += shadow_parts;
      this.#mostParts += shadow_parts * Math.max(1, this.#terms.maxRetries - Number(attempt));
      this.#firstAt = Math.min(this.#firstAt, shadowed_at);
      this.#lastAt = Math.max(this.#lastAt, shadowed_at);
    }
    this.#today[todayOf(message)] += 1;
  }

  /** What there is so far. */
  report(): ShadowReport {
    const { table, maxRetries, pricePerPart } = this.#terms;
    const usd = (parts: number) => (pricePerPart === undefined ? null : parts * pricePerPart);
    const isSomething = this.#messages > 0;
    return {
      table,
      scanned: this.#scanned,
      counted: { messages: this.#messages, parts: this.#parts },
      byStatus: Object.fromEntries([...this.#byStatus].sort(([, a], [, b]) => b.messages - a.messages)),
      firstAt: isSomething ? this.#firstAt : null,
      lastAt: isSomething ? this.#lastAt : null,
      cost: {
        maxRetries,
        leastParts: this.#parts,
        mostParts: this.#mostParts,
        pricePerPart: pricePerPart ?? null,
        leastUsd: usd(this.#parts),
        mostUsd: usd(this.#mostParts),
      },
      today: { ...this.#today },
      unreadable: this.#unreadable,
    };
  }
}

function read(item: Record<string, unknown>): Message | undefined {
  try {
    return readMessageItem(item);
  } catch (error) {
    if (error instanceof UnreadableMessageError || error instanceof UnknownItemStatusError) return undefined;
    throw error;
  }
}

function todayOf(message: Message): keyof ShadowReport["today"] {
  const status = statusOf(message);
  if (status === "DELIVERED") return "delivered";
  return status === "OPTED_OUT" || status === "CANCELLED" ? "unwanted" : "unknown";
}

/** A report as lines of text. */
export function shadowText(report: ShadowReport): string {
  const { table, scanned, counted, byStatus, firstAt, lastAt, cost, today, unreadable } = report;
  const lines = [`${scanned} items of ${table} were looked at.`];
  if (unreadable > 0) lines.push(`${unreadable} of them cannot be read and are left out.`);
  if (firstAt === null || lastAt === null) {
    lines.push(
      "No retry was counted: shadow_mode is not on, nothing has failed yet, or the delay of the first retry is not over.",
    );
    return `${lines.join("\n")}\n`;
  }
  lines.push(
    `Shadow mode counted a retry of ${counted.messages} messages, ${dayOf(firstAt)} to ${dayOf(lastAt)}:`,
    "",
    ...table3(byStatus),
    "",
    costText(cost),
    `At most ${today.unknown} of the ${counted.messages} messages would have been recovered; nobody knows how many a retry would have reached.`,
  );
  if (today.delivered > 0)
    lines.push(`${today.delivered} were delivered late by the send before: a retry would have come besides.`);
  if (today.unwanted > 0) lines.push(`${today.unwanted} were opted out of or cancelled.`);
  return `${lines.join("\n")}\n`;
}

function table3(byStatus: ShadowReport["byStatus"]): string[] {
  const rows = [
    ["failed with", "messages", "parts"],
    ...Object.entries(byStatus).map(([status, { messages, parts }]) => [
      status,
      String(messages),
      String(parts),
    ]),
  ];
  const width = Math.max(...rows.map(([status = ""]) => status.length));
  return rows.map(
    ([status = "", messages = "", parts = ""]) =>
      `  ${status.padEnd(width)}  ${messages.padStart(8)}  ${parts.padStart(6)}`,
  );
}

function costText({ maxRetries, leastParts, mostParts, leastUsd, mostUsd }: ShadowReport["cost"]): string {
  const most = `with up to ${maxRetries} retries a message`;
  return leastUsd === null || mostUsd === null
    ? `The retries would have had ${leastParts} message parts, and ${mostParts} at most ${most}; --price says what that costs.`
    : `The retries would have cost ${dollars(leastUsd)} for ${leastParts} message parts, and ${dollars(mostUsd)} at most ${most}.`;
}

function dollars(amount: number): string {
  return `${amount.toFixed(2)} USD`;
}

function dayOf(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().slice(0, 10);
}
