/** The command line of `npm run redrive`. */
import { parseArgs } from "node:util";

/** What the user asked for. */
export interface CommandLine {
  /** Name of the dead-letter queue; undefined only with {@link help}. */
  readonly queue: string | undefined;
  /** Name of the queue that gets the messages; undefined = the one that the dead letters come from. */
  readonly to: string | undefined;
  /** Most messages that are looked at or moved. */
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

/** How many messages a dry run looks at where nothing else is said. */
export const lookedAtByDefault = 1_000;

/** What `--help` prints. */
export const helpText = `Usage: npm run redrive -- --queue NAME [options]

Puts the messages of a dead-letter queue back onto the queue that they come from, so that they are handled again.
Without --yes it only counts them, and hides those that it looks at from others for at most a minute.

  --queue NAME  the dead-letter queue, e.g. sms-retry-retry-dead-letters
  --to NAME     the queue to put them on; needed only where it is not the one source of the dead letters
  --max N       look at, or move, at most N messages (a dry run: ${lookedAtByDefault}; else all)
  --yes         act
  --json        print one JSON object
  --help        print this

Messages that are none of this project's stay where they are: the function that reads the queue could only refuse
them again. Nothing of a message is printed. You may interrupt it and run it again: a message is put back before it
is deleted, so at worst it is on the queue twice, and the second one finds that there is nothing to do.

Region and credentials are those of the AWS environment (AWS_REGION, AWS_PROFILE, ...). Rights that are used:
sqs:GetQueueUrl, sqs:GetQueueAttributes, sqs:ListDeadLetterSourceQueues, sqs:ReceiveMessage and
sqs:ChangeMessageVisibility on the dead-letter queue; with --yes also sqs:DeleteMessage there and sqs:SendMessage on
the other; kms:Decrypt and kms:GenerateDataKey where the queues have a key of yours.

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
  if (!help && values.queue === undefined) {
    throw new UsageError("Give --queue NAME; --help lists the options.");
  }
  if (values.max !== undefined && !/^[1-9]\d{0,8}$/.test(values.max)) {
    throw new UsageError(`--max must be a whole number of at least 1, not "${values.max}".`);
  }
  const queue = queueName("--queue", values.queue);
  const to = queueName("--to", values.to);
  if (to !== undefined && to === queue) throw new UsageError("--to must be another queue than --queue.");
  return {
    queue,
    to,
    max: values.max === undefined ? undefined : Number(values.max),
    yes: values.yes ?? false,
    json: values.json ?? false,
    help,
  };
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
        to: { type: "string" },
        max: { type: "string" },
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
