/** What `sms-retry redrive` found and did, for people and for programs. */
import type { Tally } from "./dead-letter-queue.ts";
import type { OverdueTally } from "./overdue-messages.ts";

/** Of the messages of a dead-letter queue; `--json` prints it. */
export interface DeadLetterReport extends Tally {
  readonly queue: string;
  readonly to: string;
  readonly dryRun: boolean;
  /** About how many messages the dead-letter queue held. */
  readonly waiting: number;
}

/** Of overdue messages; `--json` prints it. */
export interface OverdueReport extends OverdueTally {
  readonly table: string;
  readonly to: string;
  readonly dryRun: boolean;
  /** About how many messages the retry queue held before. */
  readonly waiting: number;
}

/** A report on a dead-letter queue as lines of text. */
export function deadLetterText(report: DeadLetterReport): string {
  const { queue, to, dryRun, waiting, seen, oldestAgeSeconds, moved, doubled } = report;
  const readable = seen.retryMessages + seen.receiptChecks + seen.waitingEvents + seen.deliveryEvents;
  const total = readable + seen.unreadable;
  const lines = [
    `${queue} holds about ${waiting} messages of ${to}; ${total} were looked at:`,
    `  ${seen.retryMessages} retry messages`,
    `  ${seen.receiptChecks} receipt checks`,
    `  ${seen.waitingEvents} waiting events`,
    `  ${seen.deliveryEvents} delivery events`,
    `  ${seen.unreadable} unreadable, which stay`,
    ...(total === 0 ? [] : [`The oldest is ${ageText(oldestAgeSeconds)} old.`]),
  ];
  if (dryRun) {
    lines.push(
      readable === 0 ? "There is nothing to put back." : "Nothing was changed; --yes puts them back.",
    );
  } else {
    lines.push(`${moved + doubled} were put back onto ${to}.`);
    if (doubled > 0)
      lines.push(`${doubled} of them could not be deleted and will do nothing the second time.`);
  }
  return `${lines.join("\n")}\n`;
}

/** A report on overdue messages as lines of text. */
export function overdueText(report: OverdueReport): string {
  const { table, to, dryRun, waiting, scanned, overdue, pastDeadline, unreadable, queued } = report;
  const total = overdue.retry + overdue.send + overdue.receipt;
  const lines = [
    `${scanned} items of ${table} were looked at; ${total} are overdue:`,
    `  ${overdue.retry} retries that are scheduled`,
    `  ${overdue.send} sends that were begun and have no end`,
    `  ${overdue.receipt} sends of which nobody knows the outcome`,
  ];
  if (total > 0) lines.push(`The first of them was due ${ageText(report.longestOverdueSeconds)} ago.`);
  if (pastDeadline > 0)
    lines.push(`${pastDeadline} of them are past their deadline and will end as such, unsent.`);
  if (unreadable > 0) lines.push(`${unreadable} items cannot be read; they are left as they are.`);
  if (total > 0 && waiting > 0)
    lines.push(
      `${to} holds about ${waiting} messages, some of which may be theirs; a second one does no harm.`,
    );
  if (dryRun) {
    lines.push(total === 0 ? "There is nothing to queue." : "Nothing was changed; --yes queues them again.");
  } else {
    lines.push(`${queued} retry messages were put onto ${to}.`);
  }
  return `${lines.join("\n")}\n`;
}

function ageText(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} minutes`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} hours` : `${Math.round(seconds / 86_400)} days`;
}
