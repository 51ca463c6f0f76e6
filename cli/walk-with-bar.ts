/** A walk through the message-state table as a person watches it: with a progress bar, and until Ctrl-C. */
import { setTimeout as sleep } from "node:timers/promises";
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { unlessInterrupted } from "./interruption.ts";
import { factsOf, type TableQuestion, walkTable } from "./message-table.ts";
import { progressBar } from "./progress-bar.ts";

/** Which table is walked through, and what is asked of it. */
export interface WatchedWalk {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  readonly question: TableQuestion;
  /** Read units of the table a second; undefined = by the table's own capacity. */
  readonly readUnits: number | undefined;
  /** What the bar says of the number that `onItems` gives, e.g. `counted`. */
  readonly found: string;
  readonly signal: AbortSignal;
  /**
   * Is given the items of a page that pass the filter, and how many items the page looked at.
   *
   * @returns how many have been found so far
   */
  readonly onItems: (items: readonly Record<string, unknown>[], scanned: number) => number | Promise<number>;
}

/**
 * Reads the whole table once.
 *
 * @throws UserError with a sentence for the user; the signal's reason where it was interrupted
 */
export async function walkWithBar(walk: WatchedWalk): Promise<void> {
  const { client, tableName, question, readUnits, signal } = walk;
  const facts = await unlessInterrupted(signal, factsOf(client, tableName));
  const bar = progressBar(facts.itemCount, `{bar} {value}/{total} items, {found} ${walk.found}`);
  let looked = 0;
  try {
    await walkTable({
      question,
      client,
      tableName,
      readUnits: readUnits ?? facts.readUnits,
      now: Date.now,
      sleep: (milliseconds) => sleep(milliseconds, undefined, { signal }),
      async onPage(items, scanned) {
        signal.throwIfAborted();
        const found = await walk.onItems(items, scanned);
        looked += scanned;
        // DynamoDB's count is hours old.
        if (looked > facts.itemCount) bar?.setTotal(looked);
        bar?.update(looked, { found });
        return true;
      },
    });
  } finally {
    bar?.stop();
  }
}
