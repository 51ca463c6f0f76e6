/** `sms-retry cancel`: ends a message that still waits. */
import { Command } from "commander";
import { unlessInterrupted } from "../interruption.ts";
import type { CancelRequest } from "../message/cancel.ts";
import { messageId, messageTable, reason, retentionDays } from "../message/message-options.ts";
import { json, local } from "../options.ts";
import { UsageError } from "../user-error.ts";

type Options = Omit<CancelRequest, "id" | "reason"> & { readonly reason?: string };

/** The command; see `MakeCommand`. */
export function cancelCommand(signal: AbortSignal): Command {
  return new Command("cancel")
    .summary("end a message that still waits")
    .usage("<id> --reason <text> [options]")
    .argument("<id>", "the application_message_id", messageId)
    .description(
      "Ends a message with one conditional write: no attempt of it is claimed from then on. A send that is under way is " +
        "not called back, and the command says so. The item's body is removed.",
    )
    .option(...reason)
    .option(...messageTable)
    .option(...local)
    .option(...retentionDays)
    .option(...json)
    .addHelpText(
      "after",
      `
Region and credentials are those of the AWS environment (AWS_REGION,
AWS_PROFILE, ...). Rights that are used: dynamodb:GetItem and
dynamodb:UpdateItem on the table; kms:Decrypt where it has a key of yours.

Exit status: 0 if it is cancelled, now or before; 1 if not.`,
    )
    .action(async (id: string, { reason: why, ...options }: Options) => {
      if (why === undefined) throw new UsageError("Give --reason TEXT: it is kept in the item.");
      const { cancel } = await import("../message/cancel.ts");
      await unlessInterrupted(signal, cancel({ ...options, id, reason: why }));
    });
}
