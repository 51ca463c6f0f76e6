/** `sms-retry erase`: one person's items, by the phone number. */
import { Command } from "commander";
import { messageTable } from "../message/message-options.ts";
import { json, wholeNumber } from "../options.ts";

interface Options {
  readonly table: string;
  readonly yes?: boolean;
  readonly readUnits?: number;
  readonly json?: boolean;
}

/** The command; see `MakeCommand`. */
export function eraseCommand(signal: AbortSignal): Command {
  return new Command("erase")
    .summary("delete the messages of one phone number")
    .description(
      "Reads a phone number from standard input, looks through the message-state table for the messages to it, and deletes " +
        "them. A retry that waits for a deleted message is not sent. Without --yes it only counts them.",
    )
    .option(...messageTable)
    .option("--yes", "delete them")
    .option(
      "--read-units <n>",
      "read at most N units of the table a second (1000 where it is paid per request, else half of what it has); a unit is 8 KB of items",
      wholeNumber(1, 999_999_999),
    )
    .option(...json)
    .addHelpText(
      "after",
      `
Type the number and end with Ctrl-D, or pipe it in; on the command line it would
stay in the shell's history. It is printed nowhere; the ids of the messages are.
Items that are written while it looks, and those of the last second, can be
missed: run it twice. What else may hold the number, and until when, is in
docs/data-protection.md.

Region and credentials are those of the AWS environment (AWS_REGION,
AWS_PROFILE, ...). Rights that are used: dynamodb:DescribeTable and
dynamodb:Scan on the table, with --yes also dynamodb:DeleteItem; kms:Decrypt
where it has a key of yours.

Exit status: 0 if the table was read; 1 if not.`,
    )
    .action(async ({ yes, readUnits, json: isJson, table }: Options) => {
      const { erase } = await import("../erase/erase.ts");
      await erase({ table, yes, readUnits, json: isJson, signal }, process.stdin);
    });
}
