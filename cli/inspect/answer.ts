/** Says which stack fits an AWS account's SMS events; changes nothing there. */
import { writeFile } from "node:fs/promises";
import { print } from "../options.ts";
import { UserError } from "../user-error.ts";
import { callersAccount } from "./account.ts";
import type { Subject } from "./findings.ts";
import { inspect } from "./inspection.ts";
import { reportText, tfvarsText } from "./report.ts";

/** What the user asked for. */
export interface InspectRequest {
  readonly subject: Subject;
  readonly namePrefix: string;
  /** File for the tfvars. */
  readonly write?: string;
  /** Whether it may be there already. */
  readonly force?: boolean;
  readonly json?: boolean;
}

/**
 * Looks, and prints what it found.
 *
 * @throws UserError if there is no answer
 */
export async function answer({ subject, namePrefix, json, write, force }: InspectRequest): Promise<void> {
  const inspection = await inspect(await callersAccount(), subject, namePrefix);
  if (write !== undefined) await writeTfvars(write, tfvarsText(inspection), force);
  print(inspection, json, reportText);
  // Not for machines: stdout stays one JSON object.
  if (write !== undefined) process.stderr.write(`Written to ${write}.\n`);
}

async function writeTfvars(file: string, text: string, force = false): Promise<void> {
  try {
    await writeFile(file, text, { flag: force ? "w" : "wx" });
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    const sentence =
      code === "EEXIST"
        ? `The file ${file} exists; name another, or let --force replace it.`
        : `The file ${file} cannot be written (${code}); name another.`;
    throw new UserError(sentence, { cause });
  }
}
