/** `sms-retry inspect`: which stack fits. */
import { Command, Option } from "commander";
import { defaultNamePrefix, type Subject } from "../inspect/findings.ts";
import { unlessInterrupted } from "../interruption.ts";
import { json, path, text } from "../options.ts";
import { UsageError } from "../user-error.ts";

const streamName = text(/^[\w.-]{1,64}$/, "must be the name of a Firehose stream");
const applicationId = text(/^[0-9a-f]{32}$/, "must be 32 hexadecimal digits in lower case");
const configurationSetName = text(
  /^[\w-]{1,64}$/,
  "must be the name of a configuration set: 1 to 64 letters, digits, hyphens and underscores",
);
const namePrefix = text(
  /^[a-z][a-z0-9-]{0,22}[a-z0-9]$/,
  "must be 2 to 24 lower-case letters, digits and hyphens, start with a letter and not end with a hyphen",
);

interface Options {
  readonly stream?: string;
  readonly applicationId?: string;
  readonly configurationSet?: string;
  readonly namePrefix: string;
  readonly write?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** The command; see `MakeCommand`. */
export function inspectCommand(signal: AbortSignal): Command {
  return new Command("inspect")
    .summary("say which stack fits an AWS account")
    .description(
      "Looks, with your AWS credentials and without changing anything, at where the delivery events of your SMS go, " +
        "and prints which stack of this project fits, what is in its way, whether it would attach its transformation to " +
        "a Firehose stream, why not, and the tfvars of the stack. Without --stream and --application-id it looks at the " +
        "configuration sets, phone numbers, pools and sender ids of AWS End User Messaging.",
    )
    .addOption(
      new Option("--stream <name>", "a Firehose stream")
        .argParser(streamName)
        .conflicts(["applicationId", "configurationSet"]),
    )
    .addOption(
      new Option("--application-id <id>", "a Pinpoint project; its event stream is looked up")
        .argParser(applicationId)
        .conflicts("configurationSet"),
    )
    .option(
      "--configuration-set <name>",
      "the configuration set that your sends name, where the account has several",
      configurationSetName,
    )
    .option(
      "--name-prefix <prefix>",
      "the input name_prefix of the deployment, by which a transformation that is attached already is known to be its own",
      namePrefix,
      defaultNamePrefix,
    )
    .option("--write <file>", "write the tfvars into a file", path)
    .option("--force", "let --write replace a file")
    .option(...json)
    .addHelpText(
      "after",
      `
Region and credentials are those of the AWS environment (AWS_REGION,
AWS_PROFILE, ...). Rights that are used: sms-voice:DescribeConfigurationSets,
sms-voice:DescribePhoneNumbers, sms-voice:DescribePools and
sms-voice:DescribeSenderIds; with --stream firehose:DescribeDeliveryStream; with
--application-id also mobiletargeting:GetEventStream, mobiletargeting:GetApp and
kinesis:DescribeStreamSummary.

Exit status: 0 if the answer was found, whatever it is; 1 if not.`,
    )
    .action(async (options: Options) => {
      const subject = subjectOf(options);
      if (options.force && options.write === undefined)
        throw new UsageError("--force has a meaning only with --write; leave it out, or give --write FILE.");
      const { answer } = await import("../inspect/answer.ts");
      await unlessInterrupted(signal, answer({ ...options, subject }));
    });
}

function subjectOf({ stream, applicationId, configurationSet }: Options): Subject {
  if (stream !== undefined) return { kind: "stream", name: stream };
  if (applicationId !== undefined) return { kind: "application", id: applicationId };
  return {
    kind: "end-user-messaging",
    ...(configurationSet !== undefined && { configurationSetName: configurationSet }),
  };
}
