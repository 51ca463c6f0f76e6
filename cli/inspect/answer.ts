/** `npm run inspect`: says which stack fits an AWS account's SMS events; changes nothing there. */
import { writeFile } from "node:fs/promises";
import { callersAccount } from "./inspect/account.ts";
import { type CommandLine, helpText, parseCommandLine, UsageError } from "./inspect/command-line.ts";
import { inspect } from "./inspect/inspection.ts";
import { InspectionError } from "./inspect/inspection-error.ts";
import { reportText, tfvarsText } from "./inspect/report.ts";

const exitCodes = { success: 0, failure: 1, usage: 2 } as const;

async function main(given: readonly string[]): Promise<number> {
  try {
    const commandLine = parseCommandLine(given);
    if (commandLine.subject === undefined) {
      process.stdout.write(helpText);
    } else {
      await answer(commandLine, commandLine.subject);
    }
    return exitCodes.success;
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof InspectionError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return error instanceof UsageError ? exitCodes.usage : exitCodes.failure;
  }
}

async function answer(
  { namePrefix, json, write, force }: CommandLine,
  subject: NonNullable<CommandLine["subject"]>,
): Promise<void> {
  const inspection = await inspect(await callersAccount(), subject, namePrefix);
  if (write !== undefined) await writeTfvars(write, tfvarsText(inspection), force);
  process.stdout.write(json ? `${JSON.stringify(inspection)}\n` : reportText(inspection));
  // Not for machines: stdout stays one JSON object.
  if (write !== undefined) process.stderr.write(`Written to ${write}.\n`);
}

async function writeTfvars(file: string, text: string, force: boolean): Promise<void> {
  try {
    await writeFile(file, text, { flag: force ? "w" : "wx" });
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    const sentence =
      code === "EEXIST"
        ? `The file ${file} exists; name another, or let --force replace it.`
        : `The file ${file} cannot be written (${code}); name another.`;
    throw new InspectionError(sentence, { cause });
  }
}

process.exitCode = await main(process.argv.slice(2));
