/** `sms-retry shadow`: what a deployment in shadow mode would have sent. */
import { Command, InvalidArgumentError } from "commander";
import { highestMaxRetries, settingDefaults } from "../../functions/contract/environment.ts";
import { messageTable } from "../message/message-options.ts";
import { json, wholeNumber } from "../options.ts";

interface Options {
  readonly table: string;
  readonly price?: number;
  readonly maxRetries: number;
  readonly readUnits?: number;
  readonly json?: boolean;
}

/** US dollars; no message part costs a thousand. */
function price(value: string): number {
  if (/^\d{1,3}(\.\d{1,6})?$/.test(value)) return Number(value);
  throw new InvalidArgumentError("must be US dollars, such as 0.00881");
}

/** The command; see `MakeCommand`. */
export function shadowCommand(signal: AbortSignal): Command {
  return new Command("shadow")
    .summary("report what a deployment in shadow mode would have sent")
    .description(
      "Looks through the message-state table of a deployment with shadow_mode = true, and reports how many retries it " +
        "counted, after which failures, what they would have cost, and how many messages they could have recovered at " +
        "most. What DynamoDB has deleted since, at its expires_at, is not counted; the metrics RetryShadowed and " +
        "ShadowParts have that, too.",
    )
    .option(...messageTable)
    .option("--price <usd>", "the price of a message part with its carrier fee, in US dollars", price)
    .option(
      "--max-retries <n>",
      "the input max_retries of the deployment, for what the retries would have cost at most",
      wholeNumber(1, highestMaxRetries),
      Number(settingDefaults.MAX_RETRIES),
    )
    .option(
      "--read-units <n>",
      "read at most N units of the table a second (1000 where it is paid per request, else half of what it has); a unit is 8 KB of items",
      wholeNumber(1, 999_999_999),
    )
    .option(...json)
    .addHelpText(
      "after",
      `
Region and credentials are those of the AWS environment (AWS_REGION,
AWS_PROFILE, ...). Rights that are used: dynamodb:DescribeTable and
dynamodb:Scan on the table; kms:Decrypt where it has a key of yours. Nothing is
changed, and no body and no recipient's number is read.

Exit status: 0 if the table was read; 1 if not.`,
    )
    .action(async ({ price: pricePerPart, readUnits, json: isJson, ...options }: Options) => {
      const { shadow } = await import("../shadow/shadow.ts");
      await shadow({ ...options, pricePerPart, readUnits, json: isJson, signal });
    });
}
