/** Plans a stack or a folder and writes what a reviewer should know as Markdown. */
import { writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { builtArtefacts } from "../artefacts.ts";
import { UserError } from "../user-error.ts";
import { failureComment, reviewComment } from "./comment.ts";
import { StepError, type Target, terraformPlan } from "./terraform-plan.ts";
import { verdictOn } from "./verdict.ts";

/** What the user asked for; every path is absolute. */
export interface ReviewRequest {
  readonly target: Target;
  readonly varFiles: readonly string[];
  /** File for the comment; without it the comment is printed. */
  readonly output?: string;
  readonly asksInspect: boolean;
}

/**
 * Plans, and writes the comment.
 *
 * @throws UserError if a step failed; the comment then says so, too
 */
export async function review(
  { target, varFiles, output, asksInspect }: ReviewRequest,
  signal: AbortSignal,
): Promise<void> {
  const subject = target.kind === "stack" ? target.name : basename(target.folder);
  const write = (comment: string, log: string) => {
    if (output !== undefined) writeFileSync(output, comment);
    process.stdout.write(output === undefined ? comment : log);
  };
  try {
    const { plan, text } = await terraformPlan(target, varFiles, {
      synthesisFolder: join(import.meta.dirname, "../../cdktf.out"),
      functionsFolder: builtArtefacts().functionsFolder,
      environment: process.env,
      signal,
    });
    const verdict = asksInspect ? { verdict: await verdictOn(plan) } : {};
    write(reviewComment({ subject, plan, planText: text, ...verdict }), text);
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    write(failureComment(subject, error.step, error.output), "");
    throw new UserError(`${subject}: ${error.message}`, { cause: error });
  }
}
