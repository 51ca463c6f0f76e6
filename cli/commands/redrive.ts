/** `sms-retry redrive`: dead-letter queue messages and overdue messages. */
import { Command, Option } from "commander";
import { json, tableName, text, wholeNumber } from "../options.ts";
import type { DeadLetterTask, OverdueTask } from "../redrive/redrive.ts";
import { UsageError } from "../user-error.ts";

/** How many messages a dry run on a dead-letter queue looks at where nothing else is said. */
const lookedAtByDefault = 1_000;

const count = wholeNumber(1, 999_999_999);
const queueName = text(/^[\w-]{1,80}$/, "must be the name of a standard SQS queue");

interface Options {
  readonly queue?: string;
  readonly overdue?: boolean;
  readonly table?: string;
  readonly to?: string;
  readonly max?: number;
  readonly readUnits?: number;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** What the help says after the options. */
const details = `
Unrecognized messages of the dead-letter queue stay where they are: the function
that reads the queue could only refuse them again. Nothing of a message is
printed. You may interrupt it and run it again: a message is put onto the queue
before it is deleted, so at worst it is on the queue twice, and the second one
finds that there is nothing to do.

Region and credentials are those of the AWS environment (AWS_REGION,
AWS_PROFILE, ...). Rights that are used: sqs:GetQueueUrl and
sqs:GetQueueAttributes; with --queue sqs:ListDeadLetterSourceQueues,
sqs:ReceiveMessage and sqs:ChangeMessageVisibility on the dead-letter queue, and
with --yes also sqs:DeleteMessage there; with --overdue dynamodb:DescribeTable
and dynamodb:Scan on the table; with --yes sqs:SendMessage on the queue that gets
them; kms:Decrypt and kms:GenerateDataKey where queues and table have a key of
yours.

Exit status: 0 if all went well; 1 if not.`;

/** The command; see `MakeCommand`. */
export function redriveCommand(signal: AbortSignal): Command {
  return new Command("redrive")
    .summary("put dead-letter queue messages and overdue messages back")
    .usage("(--queue <name> | --overdue --table <name>) [options]")
    .description(
      "Puts the messages of a dead-letter queue back onto the queue that they come from, so that they are handled " +
        "again; or, with --overdue, looks through the message-state table for messages whose retry message is lost, and " +
        "puts one onto the retry queue for each. Without --yes it only counts them.",
    )
    .addOption(
      new Option(
        "--queue <name>",
        "the dead-letter queue, sms-retry-retry-dead-letters or (of End User Messaging's events) sms-retry-sms-events-dead-letters; a dry run hides those that it looks at from others for at most a minute",
      )
        .argParser(queueName)
        .conflicts(["overdue", "table", "readUnits"]),
    )
    .option(
      "--overdue",
      "messages that are an hour past the time at which they should have been sent again, or looked at",
    )
    .option("--table <name>", "the message-state table, e.g. sms-retry-message-state", tableName)
    .option(
      "--to <name>",
      "the queue to put them on; needed only where it is not the one queue that they come from, or not PREFIX-retry for a table PREFIX-message-state",
      queueName,
    )
    .option(
      "--max <n>",
      `look at, or move, at most N messages (a dry run of --queue: ${lookedAtByDefault}; else all)`,
      count,
    )
    .option(
      "--read-units <n>",
      "read at most N units of the table a second (1000 where it is paid per request, else half of what it has); a unit is 8 KB of items",
      count,
    )
    .option("--yes", "act")
    .option(...json)
    .addHelpText("after", details)
    .action(async ({ max = Number.POSITIVE_INFINITY, yes = false, json, ...options }: Options) => {
      const task = options.overdue === true ? overdueTask(options) : deadLetterTask(options);
      const { redriveDeadLetters, redriveOverdue } = await import("../redrive/redrive.ts");
      const request = { max, yes, json, signal };
      if (task.kind === "overdue") return redriveOverdue(request, task);
      const looksOnly = !yes && max === Number.POSITIVE_INFINITY;
      return redriveDeadLetters({ ...request, max: looksOnly ? lookedAtByDefault : max }, task);
    });
}

function deadLetterTask({ queue, to }: Options): DeadLetterTask {
  if (queue === undefined) throw new UsageError("Give --queue NAME, or --overdue --table NAME.");
  if (to === queue) throw new UsageError("--to names the same queue as --queue; name another.");
  return { kind: "dead-letter-queue", queue, to };
}

function overdueTask({ table, to: given, readUnits }: Options): OverdueTask {
  if (table === undefined) throw new UsageError("Give --table NAME with --overdue.");
  const prefix = /^(.+)-message-state$/.exec(table)?.[1];
  const to = given ?? (prefix === undefined ? undefined : `${prefix}-retry`);
  if (to !== undefined) return { kind: "overdue", table, to, readUnits };
  throw new UsageError("Give --to NAME: the retry queue of a table that is not named PREFIX-message-state.");
}
