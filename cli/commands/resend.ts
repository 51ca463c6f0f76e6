/** `sms-retry resend`: a new retry sequence for a message that has ended. */
import { Command } from "commander";
import { settingDefaults } from "../../functions/contract/environment.ts";
import { unlessInterrupted } from "../interruption.ts";
import { messageId, messageTable, reason, retentionDays } from "../message/message-options.ts";
import type { ResendRequest } from "../message/resend.ts";
import { json, local, text, wholeNumber } from "../options.ts";
import { UsageError } from "../user-error.ts";

interface Options extends Omit<ResendRequest, "id" | "reason" | "queue" | "bodyFromStdin"> {
  readonly reason?: string;
  readonly queue?: string;
  readonly bodyFromStdin?: boolean;
}

/** What the help says after the options. */
const details = `
It may be done for what ended as EXHAUSTED, EXPIRED or REJECTED before its
deadline, and for a failure that was not retried because max_retries is 0 or of
shadow mode. The end of a message has removed its body: give the text anew with
--body-from-stdin, type it and end with Ctrl-D, or pipe it in. The function
resend sends it by its own rules: ceiling, pause, deadline, max_retries from here
on. With max_retries = 0 or in shadow mode nothing is sent.

Region and credentials are those of the AWS environment (AWS_REGION,
AWS_PROFILE, ...). Rights that are used: dynamodb:GetItem and
dynamodb:UpdateItem on the table, sqs:GetQueueUrl and sqs:SendMessage on the
retry queue; kms:Decrypt and kms:GenerateDataKey where they have a key of yours.

Exit status: 0 if it is resent; 1 if not.`;

/** The command; see `MakeCommand`. */
export function resendCommand(signal: AbortSignal): Command {
  return new Command("resend")
    .summary("begin a new retry sequence of a message that has ended")
    .usage("<id> --reason <text> [options]")
    .argument("<id>", "the application_message_id", messageId)
    .description(
      "Makes the next attempt of an ended message due at once, with one conditional write, and puts its retry message " +
        "onto the retry queue. It may be run again: a message is resent once.",
    )
    .option(...reason)
    .option("--body-from-stdin", "read the text of the message from standard input")
    .option(...messageTable)
    .option(
      "--queue <name>",
      "the retry queue; needed only where the table is not named PREFIX-message-state",
      text(/^[\w-]{1,80}$/, "must be the name of a standard SQS queue"),
    )
    .option(...local)
    .option(...retentionDays)
    .option(
      "--validity-seconds <n>",
      "the input message_validity_seconds, for an item without a deadline",
      wholeNumber(1, 999_999_999),
      settingDefaults.MESSAGE_VALIDITY_SECONDS,
    )
    .option(...json)
    .addHelpText("after", details)
    .action(async (id: string, { reason: why, bodyFromStdin = false, ...options }: Options) => {
      if (why === undefined) throw new UsageError("Give --reason TEXT: it is kept in the item.");
      const queue = queueOf(options);
      const { resend } = await import("../message/resend.ts");
      const request = { ...options, id, reason: why, bodyFromStdin, queue };
      await unlessInterrupted(signal, resend(request, process.stdin));
    });
}

function queueOf({ queue, table }: Pick<Options, "queue" | "table">): string {
  if (queue !== undefined) return queue;
  const prefix = /^(.+)-message-state$/.exec(table)?.[1];
  if (prefix !== undefined) return `${prefix}-retry`;
  throw new UsageError(
    "Give --queue NAME: the retry queue of a table that is not named PREFIX-message-state.",
  );
}
