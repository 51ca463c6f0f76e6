/** The command line of `npm run redrive`. */
import { parseArgs } from "node:util";

/** Dead letters that are to go back to their queue. */
export interface DeadLetterTask {
  readonly kind: "dead-letters";
  /** Name of the dead-letter queue. */
  readonly queue: string;
  /** Name of the queue that gets the messages; undefined = the one that the dead letters come from. */
  readonly to: string | undefined;
}

/** Messages whose retry message is lost. */
export interface OverdueTask {
  readonly kind: "overdue";
  /** Name of the message-state table. */
  readonly table: string;
  /** Name of the retry queue. */
  readonly to: string;
  /** Read units of the table a second; undefined = by the table's own capacity. */
  readonly readUnits: number | undefined;
}

/** What the user asked for. */
export interface CommandLine {
  /** undefined only with {@link help}. */
  readonly task: DeadLetterTask | OverdueTask | undefined;
  /** Most messages that are looked at, found or moved. */
  readonly max: number | undefined;
  /** Whether to act; otherwise nothing is changed. */
  readonly yes: boolean;
  readonly json: boolean;
  readonly help: boolean;
}

/** A command line that cannot be understood; its message is one sentence for the user. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** How many messages a dry run on dead letters looks at where nothing else is said. */
export const lookedAtByDefault = 1_000;

/** What `--help` prints. */
export const helpText = `Usage: npm run redrive -- --queue NAME [options]
       npm run redrive -- --overdue --table NAME [options]

Puts the messages of a dead-letter queue back onto the queue that they come from, so that they are handled again; or,
with --overdue, looks through the message-state table for messages whose retry message is lost, and puts one onto the
retry queue for each. Without --yes it only counts them.

  --queue NAME      the dead-letter queue, e.g. sms-retry-retry-dead-letters; a dry run hides those that it looks at
                    from others for at most a minute
  --overdue         messages that are an hour past the time at which they should have been sent again, or looked at
  --table NAME      the message-state table, e.g. sms-retry-message-state
  --to NAME         the queue to put them on; needed only where it is not the one source of the dead letters, or not
                    PREFIX-retry for a table PREFIX-message-state
  --max N           look at, or move, at most N messages (a dry run of --queue: ${lookedAtByDefault}; else all)
  --read-units N    read at most N units of the table a second (1000 where it is paid per request, else half of what
                    it has); a unit is 8 KB of items
  --yes             act
  --json            print one JSON object
  --help            print this

Dead letters that are none of this project's stay where they are: the function that reads the queue could only refuse
them again. Nothing of a message is printed. You may interrupt it and run it again: a message is put onto the queue
before it is deleted, so at worst it is on the queue twice, and the second one finds that there is nothing to do.

Region and credentials are those of the AWS environment (AWS_REGION, AWS_PROFILE, ...). Rights that are used:
sqs:GetQueueUrl and sqs:GetQueueAttributes; with --queue sqs:ListDeadLetterSourceQueues, sqs:ReceiveMessage and
sqs:ChangeMessageVisibility on the dead-letter queue, and with --yes also sqs:DeleteMessage there; with --overdue
dynamodb:DescribeTable and dynamodb:Scan on the table; with --yes sqs:SendMessage on the queue that gets them;
kms:Decrypt and kms:GenerateDataKey where queues and table have a key of yours.

Exit status: 0 if all went well; 1 if not; 2 if an option is wrong.
`;

/**
 * Reads the command line.
 *
 * @throws UsageError naming the option that is wrong and what is allowed
 */
export function parseCommandLine(given: readonly string[]): CommandLine {
  const values = parse(given);
  const help = values.help ?? false;
  return {
    task: help ? undefined : taskOf(values),
    max: wholeNumber("--max", values.max),
    yes: values.yes ?? false,
    json: values.json ?? false,
    help,
  };
}

type Values = ReturnType<typeof parse>;

function taskOf(values: Values): DeadLetterTask | OverdueTask {
  const queue = queueName("--queue", values.queue);
  const to = queueName("--to", values.to);
  if (values.overdue === true) {
    if (queue !== undefined) throw new UsageError("Give either --queue or --overdue, not both.");
    return overdueTask(values, to);
  }
  if (queue === undefined) {
    throw new UsageError("Give --queue NAME, or --overdue --table NAME; --help lists the options.");
  }
  for (const option of ["table", "read-units"] as const) {
    if (values[option] !== undefined) throw new UsageError(`--${option} has a meaning only with --overdue.`);
  }
  if (to === queue) throw new UsageError("--to must be another queue than --queue.");
  return { kind: "dead-letters", queue, to };
}

function overdueTask(values: Values, given: string | undefined): OverdueTask {
  const { table } = values;
  if (table === undefined)
    throw new UsageError("Give --table NAME with --overdue; --help lists the options.");
  if (!/^[\w.-]{3,255}$/.test(table)) {
    throw new UsageError(`--table must be the name of a DynamoDB table, not "${table}".`);
  }
  const prefix = /^(.+)-message-state$/.exec(table)?.[1];
  const to = given ?? (prefix === undefined ? undefined : `${prefix}-retry`);
  if (to === undefined) {
    throw new UsageError(
      "Give --to NAME: the retry queue of a table that is not named PREFIX-message-state.",
    );
  }
  return { kind: "overdue", table, to, readUnits: wholeNumber("--read-units", values["read-units"]) };
}

function wholeNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError(`${option} must be a whole number of at least 1, not "${text}".`);
}

function queueName(option: string, name: string | undefined): string | undefined {
  if (name === undefined || /^[\w-]{1,80}$/.test(name)) return name;
  throw new UsageError(`${option} must be the name of a standard SQS queue, not "${name}".`);
}

function parse(given: readonly string[]) {
  try {
    return parseArgs({
      args: [...given],
      options: {
        queue: { type: "string" },
        overdue: { type: "boolean" },
        table: { type: "string" },
        to: { type: "string" },
        max: { type: "string" },
        "read-units": { type: "string" },
        yes: { type: "boolean" },
        json: { type: "boolean" },
        help: { type: "boolean" },
      },
    }).values;
  } catch (cause) {
    const [sentence = ""] = String((cause as Error).message).split(/\. |\n/);
    throw new UsageError(`${sentence.replace(/\.$/, "")}; --help lists the options.`, { cause });
  }
}
