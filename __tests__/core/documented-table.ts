/** The decision tables of the core, read out of the comments in which they stand. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Rows of the table in the doc comment of a file of `functions/core`, without head and rule. */
export function documentedRows(file: string): string[][] {
  const core = join(import.meta.dirname, "../../functions/core");
  const path = readdirSync(core, { recursive: true, encoding: "utf8" }).find((each) =>
    each.endsWith(`/${file}`),
  );
  if (path === undefined) throw new Error(`functions/core has no file ${file}.`);
  const source = readFileSync(join(core, path), "utf8");
  const rows = source
    .split("\n")
    .filter((line) => line.startsWith(" * |"))
    .map((line) =>
      line
        .slice(4, -1)
        .split("|")
        .map((cell) => cell.trim()),
    );
  return rows.slice(2);
}

/**
 * Reads a row's cell in words: alternatives are joined by `; or ` or `, or `, what must hold together by a comma.
 *
 * @param words what each phrase means; a phrase without a meaning is an error, so that no row goes untested
 * @returns whether the cell fits the facts
 */
export function cellInWords<T>(
  cell: string,
  words: Readonly<Record<string, (facts: T) => boolean>>,
): (facts: T) => boolean {
  const alternatives = cell.split(cell.includes("; or ") ? "; or " : ", or ").map((alternative) =>
    alternative.split(", ").map((phrase) => {
      const holds = words[phrase.replaceAll("`", "").replace(/^and /, "")];
      if (holds === undefined) throw new Error(`The test does not know what "${phrase}" means.`);
      return holds;
    }),
  );
  return (facts) => alternatives.some((phrases) => phrases.every((holds) => holds(facts)));
}

/** Every combination of one value each. */
export function combinations<const T extends Readonly<Record<string, readonly unknown[]>>>(
  values: T,
): { [K in keyof T]: T[K][number] }[] {
  let all: Record<string, unknown>[] = [{}];
  for (const [name, choices] of Object.entries(values)) {
    all = all.flatMap((chosen) => choices.map((choice) => ({ ...chosen, [name]: choice })));
  }
  return all as { [K in keyof T]: T[K][number] }[];
}

/** What a table, or the code beside it, decides; `until` where it says when. */
export interface TableDecision {
  readonly action: string | undefined;
  readonly reason: string | undefined;
  readonly until?: unknown;
}

/** The combinations for which the code decides otherwise than its table, each with both decisions. */
export function differences<T>(
  all: readonly T[],
  byTable: (facts: T) => TableDecision,
  byCode: (facts: T) => TableDecision,
): unknown[] {
  return all.flatMap((facts) => {
    const { action, reason, until } = byTable(facts);
    const decided = byCode(facts);
    const isEqual = decided.action === action && decided.reason === reason && decided.until === until;
    return isEqual ? [] : [{ facts, decided, action, reason, until }];
  });
}
