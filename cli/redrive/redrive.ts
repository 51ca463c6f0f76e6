/** Puts dead-letter queue messages, or the retry messages of overdue messages, onto their queue, or only counts them. */
import type { SQSClient } from "@aws-sdk/client-sqs";
import { unlessInterrupted } from "../interruption.ts";
import { factsOf, tableClient } from "../message-table.ts";
import { print } from "../options.ts";
import { progressBar } from "../progress-bar.ts";
import { UserError } from "../user-error.ts";
import { walk } from "./dead-letter-queue.ts";
import { queueOverdue } from "./overdue-messages.ts";
import { countOf, nameOf, sourceOf, sqsClient, urlOf } from "./queues.ts";
import { type DeadLetterReport, deadLetterText, type OverdueReport, overdueText } from "./report.ts";

/** Dead-letter queue messages that are to go back to their queue. */
export interface DeadLetterTask {
  readonly kind: "dead-letter-queue";
  /** Name of the dead-letter queue. */
  readonly queue: string;
  /** Name of the queue that gets the messages; undefined = the one that they come from. */
  readonly to: string | undefined;
}

/** Messages whose retry message is lost. */
export interface OverdueTask {
  readonly kind: "overdue";
  /** Name of the message-state table. */
  readonly table: string;
  /** Name of the retry queue. */
  readonly to: string;
  /** Read units of the table a second; undefined = by the table's own capacity. */
  readonly readUnits: number | undefined;
}

/** How it is to be done. */
export interface RedriveRequest {
  /** Most messages that are looked at, found or moved. */
  readonly max: number;
  /** Whether to act; otherwise nothing is changed. */
  readonly yes: boolean;
  readonly json: boolean | undefined;
  /** Ends it early: what was moved stays moved, and what was hidden is shown again. */
  readonly signal: AbortSignal;
}

/**
 * Puts dead-letter queue messages back, and prints what there was.
 *
 * @throws UserError if something stays that should not
 */
export async function redriveDeadLetters(
  { max, yes, json, signal }: RedriveRequest,
  { queue, to }: DeadLetterTask,
): Promise<void> {
  const sqs = sqsClient();
  const [deadLetterUrl, toUrl, waiting] = await unlessInterrupted(signal, deadLettersOf(sqs, queue, to));
  const bar = progressBar(Math.min(waiting, max), "{bar} {value}/{total} messages");
  try {
    const tally = await walk({
      sqs,
      deadLetterUrl,
      ...(yes && { targetUrl: toUrl }),
      most: max,
      now: Date.now,
      onProgress: (seen) => bar?.update(seen),
      signal,
    });
    bar?.stop();
    const report: DeadLetterReport = { queue, to: nameOf(toUrl), dryRun: !yes, waiting, ...tally };
    print(report, json, deadLetterText);
    refuse(report, "are still in the dead-letter queue");
  } finally {
    bar?.stop();
  }
}

/** URLs of the queue and of the one that gets its messages, and about how many there are. */
async function deadLettersOf(
  sqs: SQSClient,
  queue: string,
  to: string | undefined,
): Promise<[string, string, number]> {
  const url = await urlOf(sqs, queue);
  const toUrl = await (to === undefined ? sourceOf(sqs, queue, url) : urlOf(sqs, to));
  return [url, toUrl, await countOf(sqs, url)];
}

/**
 * Queues the retry messages of overdue messages, and prints what there was.
 *
 * @throws UserError if some could not be queued
 */
export async function redriveOverdue(
  { max, yes, json, signal }: RedriveRequest,
  { table: tableName, to, readUnits }: OverdueTask,
): Promise<void> {
  const [sqs, table] = [sqsClient(), tableClient()];
  const facts = await unlessInterrupted(signal, factsOf(table, tableName));
  const targetUrl = await unlessInterrupted(signal, urlOf(sqs, to));
  const waiting = await unlessInterrupted(signal, countOf(sqs, targetUrl));
  const bar = progressBar(facts.itemCount, "{bar} {value}/{total} items, {found} overdue");
  try {
    const tally = await queueOverdue({
      table,
      tableName,
      readUnits: readUnits ?? facts.readUnits,
      sqs,
      ...(yes && { targetUrl }),
      most: max,
      now: Date.now,
      onProgress(scanned, found) {
        // DynamoDB's count is hours old.
        if (scanned > facts.itemCount) bar?.setTotal(scanned);
        bar?.update(scanned, { found });
      },
      signal,
    });
    bar?.stop();
    const report: OverdueReport = { table: tableName, to, dryRun: !yes, waiting, ...tally };
    print(report, json, overdueText);
    refuse(report, "are still overdue");
  } finally {
    bar?.stop();
  }
}

function refuse({ refused, to }: DeadLetterReport | OverdueReport, fate: string): void {
  if (refused > 0)
    throw new UserError(`${refused} messages were not taken by ${to} and ${fate}; run the command again.`);
}
