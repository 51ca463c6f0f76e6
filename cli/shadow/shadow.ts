/** Reads the table of a deployment in shadow mode, and prints what would have been sent. */
import { tableClient } from "../message-table.ts";
import { print } from "../options.ts";
import { walkWithBar } from "../walk-with-bar.ts";
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
  const tally = new ShadowTally(terms);
  await walkWithBar({
    client: tableClient(),
    tableName: terms.table,
    question: shadowQuestion,
    readUnits,
    found: "counted",
    signal,
    onItems(items, scanned) {
      tally.add(items, scanned);
      return tally.messages;
    },
  });
  print(tally.report(), json, shadowText);
}
