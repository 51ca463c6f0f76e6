/** `sms-retry plan-review`: what a reviewer should know of a plan. */
import { statSync } from "node:fs";
import { Command, Option } from "commander";
import { type StackName, stackNames } from "../../stacks/stack-names.ts";
import { path, paths } from "../options.ts";
import type { Target } from "../plan-review/terraform-plan.ts";
import { backendConfigFile } from "../remote-state.ts";
import { UsageError } from "../user-error.ts";

interface Options {
  readonly stack?: StackName;
  readonly folder?: string;
  readonly varFile?: readonly string[];
  readonly backendConfig?: string;
  readonly output?: string;
  readonly inspect: boolean;
}

/** The command; see `MakeCommand`. */
export function planReviewCommand(signal: AbortSignal): Command {
  return new Command("plan-review")
    .summary("plan, and write what a reviewer should know")
    .usage("(--stack <name> | --folder <dir>) [options]")
    .description(
      "Plans with your AWS credentials, changing nothing, and writes the Markdown of a comment for reviewers: what is " +
        "destroyed or replaced, what becomes of your stream of delivery events, what inspect says, and the whole plan.",
    )
    .addOption(
      new Option("--stack <name>", "the functions are bundled and the stack is synthesised first")
        .choices(stackNames)
        .conflicts("folder"),
    )
    .addOption(
      new Option("--folder <dir>", "a Terraform configuration that calls a module of this project")
        .argParser(path)
        .conflicts("backendConfig"),
    )
    .option("--var-file <file>", "values of the inputs; may be given several times", paths)
    .option(
      "--backend-config <file>",
      "with --stack: settings of the S3 backend that holds the state (bucket, key, region); default: the file that SMS_RETRY_BACKEND_CONFIG names, without which the state lies beside cdktf.json",
      path,
    )
    .option("--output <file>", "write the comment into a file, and print the whole plan instead", path)
    .option("--no-inspect", "do not ask inspect")
    .addHelpText(
      "after",
      `
Exit status: 0 if there is a plan, whatever it says; 1 if a step failed, with a
comment that says so.`,
    )
    .action(async ({ varFile = [], output, inspect, ...options }: Options) => {
      const target = targetOf(options);
      const { review } = await import("../plan-review/review.ts");
      await review({ target, varFiles: varFile, ...(output && { output }), asksInspect: inspect }, signal);
    });
}

function targetOf({
  stack,
  folder,
  backendConfig,
}: Pick<Options, "stack" | "folder" | "backendConfig">): Target {
  if (folder !== undefined) {
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return { kind: "folder", folder };
    throw new UsageError(`There is no folder ${folder}; give --folder that of a Terraform configuration.`);
  }
  if (stack !== undefined)
    return { kind: "stack", name: stack, backendConfig: backendConfig ?? backendConfigFile(process.env) };
  throw new UsageError("Give --stack NAME or --folder DIR.");
}
