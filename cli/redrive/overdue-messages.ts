/** Finds the messages whose retry message is lost, and puts one on the retry queue for each. */
import { setTimeout as sleep } from "node:timers/promises";
import { SendMessageBatchCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { queueMessageText } from "../../functions/adapters/sqs/sqs-retry-queue.ts";
import { UnreadableMessageError } from "../../functions/core/errors.ts";
import { calling } from "../aws-call.ts";
import { type TableFacts, walkTable } from "../message-table.ts";
import { type OverdueMessage, overdueOf, overdueQuestion, type Waiting } from "./overdue.ts";

/** What was found, and what became of it. */
export interface OverdueTally {
  /** Items of the table that were looked at. */
  readonly scanned: number;
  /** Messages that wait in vain, by what they wait for. */
  readonly overdue: Readonly<Record<Waiting, number>>;
  /** How many of them are past their deadline. */
  readonly pastDeadline: number;
  /** Items that may be overdue, and cannot be read. */
  readonly unreadable: number;
  /** How long the most overdue has been so, in seconds. */
  readonly longestOverdueSeconds: number;
  /** Put on the retry queue. */
  readonly queued: number;
  /** Not taken by the retry queue. */
  readonly refused: number;
}

/** What finding them needs. */
export interface OverdueSearch {
  readonly table: DynamoDBDocumentClient;
  readonly tableName: string;
  readonly readUnits: TableFacts["readUnits"];
  readonly sqs: SQSClient;
  /** Queue to put retry messages on; absent = only look. */
  readonly targetUrl?: string;
  /** Most messages that are found. */
  readonly most: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly onProgress: (scanned: number, found: number) => void;
  /** Ends the search between two pages; it then rejects with the signal's reason. */
  readonly signal: AbortSignal;
}

/** Most messages in a call of SQS. */
const batchSize = 10;

/**
 * Looks at every item once. What it finds in a page is on the queue before the next page is read: it keeps nothing.
 *
 * @throws UserError with a sentence for the user; what was queued before stays queued
 */
export async function queueOverdue(search: OverdueSearch): Promise<OverdueTally> {
  const overdue: Record<Waiting, number> = { retry: 0, send: 0, receipt: 0 };
  let [scanned, found, pastDeadline, unreadable, longestOverdueSeconds, queued, refused] = [
    0, 0, 0, 0, 0, 0, 0,
  ];

  async function onPage(items: readonly Record<string, unknown>[], count: number): Promise<boolean> {
    search.signal.throwIfAborted();
    scanned += count;
    const chosen: OverdueMessage[] = [];
    for (const item of items) {
      if (found >= search.most) break;
      const message = read(item);
      if (message === "unreadable") unreadable += 1;
      if (message === undefined || message === "unreadable") continue;
      found += 1;
      overdue[message.waitsFor] += 1;
      if (message.isPastDeadline) pastDeadline += 1;
      longestOverdueSeconds = Math.max(longestOverdueSeconds, message.overdueSeconds);
      chosen.push(message);
    }
    const taken = await putOnQueue(search, chosen);
    queued += taken;
    if (search.targetUrl !== undefined) refused += chosen.length - taken;
    search.onProgress(scanned, found);
    return found < search.most;
  }

  function read(item: Record<string, unknown>): OverdueMessage | "unreadable" | undefined {
    try {
      return overdueOf(item, search.now() / 1_000);
    } catch (error) {
      if (!(error instanceof UnreadableMessageError)) throw error;
      return "unreadable";
    }
  }

  await walkTable({
    question: overdueQuestion(search.now),
    client: search.table,
    tableName: search.tableName,
    readUnits: search.readUnits,
    now: search.now,
    sleep: (milliseconds) => sleep(milliseconds, undefined, { signal: search.signal }),
    onPage,
  });
  return { scanned, overdue, pastDeadline, unreadable, longestOverdueSeconds, queued, refused };
}

/** Puts a retry message on the queue for each; answers how many it took. */
async function putOnQueue(
  { sqs, targetUrl }: OverdueSearch,
  messages: readonly OverdueMessage[],
): Promise<number> {
  if (targetUrl === undefined) return 0;
  let taken = 0;
  for (let start = 0; start < messages.length; start += batchSize) {
    const command = new SendMessageBatchCommand({
      QueueUrl: targetUrl,
      Entries: messages
        .slice(start, start + batchSize)
        .map(({ pointer }, index) => ({ Id: String(index), MessageBody: queueMessageText(pointer) })),
    });
    const { Successful = [] } = await calling(sqs, "sqs:SendMessage", () => sqs.send(command));
    taken += Successful.length;
  }
  return taken;
}
