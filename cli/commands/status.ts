/** `sms-retry status`: where a message stands, and which messages were given up. */
import { Command } from "commander";
import { duration } from "../gate/gate-options.ts";
import { messageId, messageTable } from "../message/message-options.ts";
import { json, local, wholeNumber } from "../options.ts";
import { UsageError } from "../user-error.ts";

interface Options {
  readonly table: string;
  readonly local?: number | true;
  readonly explain?: boolean;
  readonly showNumber?: boolean;
  readonly watch?: boolean;
  readonly failed?: boolean;
  readonly expired?: boolean;
  readonly since?: number;
  readonly readUnits?: number;
  readonly json?: boolean;
}

/** What the help says after the options. */
const details = `
Times are UTC. A message is shown with its attempts, what the service and the
carrier said, what followed, and what happens next; --explain names the row of
the decision table, as docs/protocol.md says. --watch ends when the message is
over; one that is delivered at once stays SENT, unless track_deliveries is
"all", and is watched until Ctrl-C. The body is never shown.

Region and credentials are those of the AWS environment (AWS_REGION,
AWS_PROFILE, ...). Rights that are used: dynamodb:GetItem on the table, for a
list dynamodb:DescribeTable and dynamodb:Scan; kms:Decrypt where it has a key of
yours. Nothing is changed. The shape of --json is in docs/operations.md.

Exit status: 0 if it was shown; 1 if not, or there is no such message.`;

/** The command; see `MakeCommand`. */
export function statusCommand(signal: AbortSignal): Command {
  return new Command("status")
    .summary("tell where a message stands, or list those that were given up")
    .usage("(<id> | --failed | --expired) [options]")
    .argument("[id]", "the application_message_id", messageId)
    .description(
      "Tells the history of one message, what happens next and when; or, with --failed or --expired, looks through the " +
        "message-state table and lists the messages that ended undelivered.",
    )
    .option(...messageTable)
    .option(...local)
    .option("--explain", "name the row of the decision table behind each step")
    .option("--show-number", "show the recipient's number in full")
    .option("--watch", "repeat until the message is over")
    .option("--failed", "list what ended as EXHAUSTED, EXPIRED, REJECTED or OPTED_OUT, a line each")
    .option("--expired", "list what ended as EXPIRED")
    .option(
      "--since <time>",
      "with --failed or --expired: only what ended in the last 30m, 1h or 2d",
      duration,
    )
    .option(
      "--read-units <n>",
      "with --failed or --expired: read at most N units of the table a second (1000 where it is paid per request, else half of what it has); a unit is 8 KB of items",
      wholeNumber(1, 999_999_999),
    )
    .option(...json)
    .addHelpText("after", details)
    .action(async (id: string | undefined, options: Options) => {
      refuseMixed(id, options);
      const { listMessages, showStatus } = await import("../message/status.ts");
      if (id !== undefined) return showStatus({ ...options, id }, signal);
      return listMessages({ ...options, which: options.expired === true ? "expired" : "failed" }, signal);
    });
}

/** One message or a list: each has options that the other has not. */
function refuseMixed(id: string | undefined, options: Options): void {
  const { failed, expired } = options;
  const lists = failed === true || expired === true;
  if (id === undefined && !lists)
    throw new UsageError("Give the id of a message, or --failed, or --expired.");
  if (id !== undefined && lists) throw new UsageError("A list takes no id; leave out one of them.");
  if (failed === true && expired === true) {
    throw new UsageError("--failed cannot be used with --expired; leave out one of them.");
  }
  const ofOther = lists
    ? { "--watch": options.watch, "--explain": options.explain, "--show-number": options.showNumber }
    : { "--since": options.since, "--read-units": options.readUnits };
  const [wrong] = Object.entries(ofOther).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (wrong !== undefined) {
    throw new UsageError(`${wrong} has no meaning with ${lists ? "a list" : "one message"}; leave it out.`);
  }
}
