/** `npm run plan-review`: plans a stack or a folder and writes what a reviewer should know as Markdown. */
import { writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { builtArtefacts } from "./artefacts.ts";
import { UsageError } from "./inspect/command-line.ts";
import { type CommandLine, helpText, parseCommandLine, type Target } from "./plan-review/command-line.ts";
import { failureComment, reviewComment } from "./plan-review/comment.ts";
import { StepError, terraformPlan } from "./plan-review/terraform-plan.ts";
import { verdictOn } from "./plan-review/verdict.ts";

const exitCodes = { success: 0, failure: 1, usage: 2 } as const;

async function main(given: readonly string[]): Promise<number> {
  try {
    const commandLine = parseCommandLine(given, process.cwd());
    if (commandLine.target === undefined) {
      process.stdout.write(helpText);
      return exitCodes.success;
    }
    return await review(commandLine, commandLine.target);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return exitCodes.usage;
  }
}

async function review({ varFiles, output, asksInspect }: CommandLine, target: Target): Promise<number> {
  const subject = target.kind === "stack" ? target.name : basename(target.folder);
  const write = (comment: string, log: string) => {
    if (output !== undefined) writeFileSync(output, comment);
    process.stdout.write(output === undefined ? comment : log);
  };
  try {
    const { plan, text } = await terraformPlan(target, varFiles, {
      synthesisFolder: join(import.meta.dirname, "../cdktf.out"),
      functionsFolder: builtArtefacts().functionsFolder,
      environment: process.env,
    });
    const verdict = asksInspect ? { verdict: await verdictOn(plan) } : {};
    write(reviewComment({ subject, plan, planText: text, ...verdict }), text);
    return exitCodes.success;
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    write(failureComment(subject, error.step, error.output), "");
    process.stderr.write(`${subject}: ${error.message}\n`);
    return exitCodes.failure;
  }
}

process.exitCode = await main(process.argv.slice(2));
