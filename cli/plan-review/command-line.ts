/** The command line of `npm run plan-review`. */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { type StackName, stackNames } from "../../stacks/app.ts";
import { UsageError } from "../inspect/command-line.ts";

/** What is planned. */
export type Target =
  | {
      readonly kind: "stack";
      readonly name: StackName;
      /** File with the settings of an S3 backend; `undefined` keeps the state where the stack says. */
      readonly backendConfig: string | undefined;
    }
  | { readonly kind: "folder"; readonly folder: string };

/** What the user asked for; every path is absolute. */
export interface CommandLine {
  /** `undefined` only with {@link help}. */
  readonly target: Target | undefined;
  readonly varFiles: readonly string[];
  /** File for the comment; `undefined` prints it. */
  readonly output: string | undefined;
  readonly asksInspect: boolean;
  readonly help: boolean;
}

/** What `--help` prints. */
export const helpText = `Usage: npm run plan-review -- (--stack NAME | --folder DIR) [options]

Plans with your AWS credentials, changing nothing, and writes the Markdown of a comment for reviewers: what is destroyed
or replaced, what becomes of your stream of delivery events, what inspect says, and the whole plan.

  --stack NAME            one of ${stackNames.join(", ")};
                          the functions are bundled and the stack is synthesised first
  --folder DIR            a Terraform configuration that calls a module of this project
  --var-file FILE         values of the inputs; may be given several times
  --backend-config FILE   with --stack: settings of the S3 backend that holds the state
                          (bucket, key, region); without it the state lies beside cdktf.json
  --output FILE           write the comment into FILE, and print the whole plan instead
  --no-inspect            do not ask inspect
  --help                  print this

Exit status: 0 if there is a plan, whatever it says; 1 if a step failed, with a comment that says so; 2 if an option
is wrong.
`;

/**
 * Reads the command line.
 *
 * @throws UsageError naming the option that is wrong and what is allowed
 */
export function parseCommandLine(given: readonly string[], workingFolder: string): CommandLine {
  const values = parse(given);
  const path = (text: string) => resolve(workingFolder, text);
  const help = values.help ?? false;
  return {
    target: help ? undefined : targetOf(values, path),
    varFiles: (values["var-file"] ?? []).map(path),
    output: values.output === undefined ? undefined : path(values.output),
    asksInspect: !(values["no-inspect"] ?? false),
    help,
  };
}

function targetOf(
  { stack, folder, "backend-config": backendConfig }: ReturnType<typeof parse>,
  path: (text: string) => string,
): Target {
  if (stack !== undefined && folder !== undefined)
    throw new UsageError("Give either --stack or --folder, not both.");
  if (folder !== undefined) {
    if (backendConfig !== undefined)
      throw new UsageError("--backend-config goes with --stack; a folder names its own backend.");
    return { kind: "folder", folder: path(folder) };
  }
  if (stack === undefined)
    throw new UsageError("Give --stack NAME or --folder DIR; --help lists the options.");
  const name = stackNames.find((one) => one === stack);
  if (name === undefined)
    throw new UsageError(`--stack must be one of ${stackNames.join(", ")}, not "${stack}".`);
  return {
    kind: "stack",
    name,
    backendConfig: backendConfig === undefined ? undefined : path(backendConfig),
  };
}

function parse(given: readonly string[]) {
  try {
    return parseArgs({
      args: [...given],
      options: {
        stack: { type: "string" },
        folder: { type: "string" },
        "var-file": { type: "string", multiple: true },
        "backend-config": { type: "string" },
        output: { type: "string" },
        "no-inspect": { type: "boolean" },
        help: { type: "boolean" },
      },
    }).values;
  } catch (cause) {
    const [sentence = ""] = String((cause as Error).message).split(/\. |\n/);
    throw new UsageError(`${sentence.replace(/\.$/, "")}; --help lists the options.`, { cause });
  }
}
