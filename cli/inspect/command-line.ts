/** The command line of `npm run inspect`. */
import { parseArgs } from "node:util";

/** What the user asked for. */
export interface CommandLine {
  /** What to inspect; undefined only with {@link help}. */
  readonly subject: Subject | undefined;
  readonly namePrefix: string;
  /** File for the tfvars. */
  readonly write: string | undefined;
  readonly force: boolean;
  readonly json: boolean;
  readonly help: boolean;
}

/** A Firehose stream, or a Pinpoint project whose events are followed to their stream. */
export type Subject =
  | { readonly kind: "stream"; readonly name: string }
  | { readonly kind: "application"; readonly id: string };

/** A command line that cannot be understood; its message is one sentence for the user. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The input `name_prefix` where nothing else is set. */
export const defaultNamePrefix = "sms-retry";

/** What `--help` prints. */
export const helpText = `Usage: npm run inspect -- (--stream NAME | --application-id ID) [options]

Looks, with your AWS credentials and without changing anything, at where the delivery events of your SMS go, and
prints which stack of this project fits, whether it would attach its transformation to a Firehose stream, why not,
and the tfvars of the stack.

  --stream NAME          a Firehose stream
  --application-id ID    a Pinpoint project; its event stream is looked up
  --name-prefix PREFIX   the input name_prefix of the deployment (${defaultNamePrefix}), by which a transformation
                         that is attached already is known to be its own
  --write FILE           write the tfvars into FILE
  --force                let --write replace a file
  --json                 print one JSON object
  --help                 print this

Region and credentials are those of the AWS environment (AWS_REGION, AWS_PROFILE, ...). Rights that are used:
firehose:DescribeDeliveryStream; with --application-id also mobiletargeting:GetEventStream, mobiletargeting:GetApp
and kinesis:DescribeStreamSummary.

Exit status: 0 if the answer was found, whatever it is; 1 if not; 2 if an option is wrong.
`;

/**
 * Reads the command line.
 *
 * @throws UsageError naming the option that is wrong and what is allowed
 */
export function parseCommandLine(given: readonly string[]): CommandLine {
  const values = parse(given);
  const help = values.help ?? false;
  const namePrefix = values["name-prefix"] ?? defaultNamePrefix;
  if (!/^[a-z][a-z0-9-]{0,22}[a-z0-9]$/.test(namePrefix)) {
    throw new UsageError(
      `--name-prefix must be 2 to 24 lower-case letters, digits and hyphens, start with a letter and not end with a hyphen, not "${namePrefix}".`,
    );
  }
  const force = values.force ?? false;
  if (force && values.write === undefined) throw new UsageError("--force has a meaning only with --write.");
  if (values.write === "") throw new UsageError("--write must be the name of a file.");
  return {
    subject: help ? undefined : subjectOf(values.stream, values["application-id"]),
    namePrefix,
    write: values.write,
    force,
    json: values.json ?? false,
    help,
  };
}

function subjectOf(name: string | undefined, id: string | undefined): Subject {
  if (name !== undefined && id !== undefined) {
    throw new UsageError("Give either --stream or --application-id, not both.");
  }
  if (name !== undefined) {
    if (/^[\w.-]{1,64}$/.test(name)) return { kind: "stream", name };
    throw new UsageError(`--stream must be the name of a Firehose stream, not "${name}".`);
  }
  if (id !== undefined) {
    if (/^[0-9a-f]{32}$/.test(id)) return { kind: "application", id };
    throw new UsageError(`--application-id must be 32 hexadecimal digits in lower case, not "${id}".`);
  }
  throw new UsageError("Give --stream NAME or --application-id ID; --help lists the options.");
}

function parse(given: readonly string[]) {
  try {
    return parseArgs({
      args: [...given],
      options: {
        stream: { type: "string" },
        "application-id": { type: "string" },
        "name-prefix": { type: "string" },
        write: { type: "string" },
        force: { type: "boolean" },
        json: { type: "boolean" },
        help: { type: "boolean" },
      },
    }).values;
  } catch (cause) {
    const [sentence = ""] = String((cause as Error).message).split(/\. |\n/);
    throw new UsageError(`${sentence.replace(/\.$/, "")}; --help lists the options.`, { cause });
  }
}
