/** Reads the table of a deployment in shadow mode, and prints what would have been sent. */
import { setTimeout as sleep } from "node:timers/promises";
import { unlessInterrupted } from "../interruption.ts";
import { factsOf, tableClient, walkTable } from "../message-table.ts";
import { print } from "../options.ts";
import { progressBar } from "../progress-bar.ts";
import { ShadowTally, type ShadowTerms, shadowQuestion, shadowText } from "./shadow-report.ts";

/** What the user asked for. */
export interface ShadowRequest extends ShadowTerms {
  /** Read units of the table a second; undefined = by the table's own capacity. */
  readonly readUnits: number | undefined;
  readonly json: boolean | undefined;
  readonly signal: AbortSignal;
}

/**
 * Prints the report.
 *
 * @throws UserError if the table cannot be read
 */
export async function shadow({ readUnits, json, signal, ...terms }: ShadowRequest): Promise<void> {
  const client = tableClient();
  const facts = await unlessInterrupted(signal, factsOf(client, terms.table));
  const bar = progressBar(facts.itemCount, "{bar} {value}/{total} items, {found} counted");
  const tally = new ShadowTally(terms);
  let scanned = 0;
  try {
    await walkTable({
      question: shadowQuestion,
      client,
      tableName: terms.table,
      readUnits: readUnits ?? facts.readUnits,
      now: Date.now,
      sleep: (milliseconds) => sleep(milliseconds, undefined, { signal }),
      async onPage(items, count) {
        signal.throwIfAborted();
        tally.add(items, count);
        scanned += count;
        // DynamoDB's count is hours old.
        if (scanned > facts.itemCount) bar?.setTotal(scanned);
        bar?.update(scanned, { found: tally.messages });
        return true;
      },
    });
  } finally {
    bar?.stop();
  }
  print(tally.report(), json, shadowText);
}
