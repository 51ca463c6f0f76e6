/** Makes a plan with the `terraform` on the path. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { terraformVersions } from "../../stacks/shared/terraform-versions.ts";
import type { StackName } from "../../stacks/stack-names.ts";
import { builtArtefacts } from "../artefacts.ts";
import { bundleFunctions } from "../bundle.ts";
import { UserError } from "../user-error.ts";
import type { Plan } from "./plan.ts";

/** What is planned. */
export type Target =
  | {
      readonly kind: "stack";
      readonly name: StackName;
      /** File with the settings of an S3 backend; `undefined` keeps the state where the stack says. */
      readonly backendConfig: string | undefined;
    }
  | { readonly kind: "folder"; readonly folder: string };

/** A step did not succeed; the output is Terraform's, in which sensitive values are hidden. */
export class StepError extends UserError {
  override readonly name = "StepError";
  readonly step: string;
  readonly output: string;

  constructor(step: string, output: string, options?: ErrorOptions) {
    super(`${step} failed; mend what it says and plan again:\n${output}`, options);
    this.step = step;
    this.output = output;
  }
}

/** There is no Terraform that could be asked. */
class MissingTerraformError extends StepError {
  constructor(step: string, options?: ErrorOptions) {
    const sentence = `There is no terraform on the PATH; install Terraform (${terraformVersions}) and plan again.`;
    super(step, sentence, options);
    this.message = sentence;
  }
}

/** A plan for machines and for people. */
export interface TerraformPlan {
  readonly plan: Plan;
  readonly text: string;
}

/** What a test replaces. */
export interface PlanDependencies {
  /** Where stacks are synthesised to: cdktf's own place, so that a state beside cdktf.json is found. */
  readonly synthesisFolder: string;
  /** Gets the functions' zips. */
  readonly functionsFolder: string;
  /** Environment of Terraform, credentials and region among it. */
  readonly environment: NodeJS.ProcessEnv;
  /** Ends Terraform; what is thrown is then the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Bundles, synthesises, initialises and plans. Nothing is locked, as a role that may only read cannot lock, and a plan
 * that is only read changes no state; the plan file, which holds secrets, is deleted.
 *
 * @throws StepError naming the step
 */
export async function terraformPlan(
  target: Target,
  varFiles: readonly string[],
  dependencies: PlanDependencies,
): Promise<TerraformPlan> {
  const folder = target.kind === "folder" ? target.folder : await synthesisedStack(target, dependencies);
  const backend =
    target.kind === "stack" && target.backendConfig !== undefined
      ? [`-backend-config=${target.backendConfig}`, "-reconfigure"]
      : [];
  const terraform = (step: string, parameters: readonly string[]) =>
    runTerraform(step, folder, parameters, dependencies);
  const planFolder = mkdtempSync(join(tmpdir(), "sms-retry-plan-"));
  try {
    const file = join(planFolder, "reviewed.tfplan");
    const common = ["-input=false", "-no-color"];
    await terraform("terraform init", ["init", ...common, ...backend]);
    await terraform("terraform plan", [
      "plan",
      ...common,
      "-lock=false",
      `-out=${file}`,
      ...varFiles.map((varFile) => `-var-file=${varFile}`),
    ]);
    const show = (form: string) => terraform("terraform show", ["show", form, file]);
    return { plan: JSON.parse(await show("-json")) as Plan, text: await show("-no-color") };
  } finally {
    rmSync(planFolder, { recursive: true });
  }
}

async function synthesisedStack(
  { name, backendConfig }: Extract<Target, { kind: "stack" }>,
  { functionsFolder, synthesisFolder, signal }: PlanDependencies,
): Promise<string> {
  const folder = join(synthesisFolder, "stacks", name);
  try {
    await bundleFunctions(functionsFolder);
    // Not before now: who reviews a folder needs no CDKTF.
    await installStacks(signal);
    const { synthesise } = await import("../../stacks/app.ts");
    synthesise({ ...builtArtefacts(), functionsFolder }, synthesisFolder, backendConfig !== undefined);
  } catch (cause) {
    signal?.throwIfAborted();
    throw new StepError("synthesis", cause instanceof Error ? cause.message : String(cause), { cause });
  }
  return folder;
}

/** Ctrl-C reaches the installation itself, which says so and ends at once. */
async function installStacks(signal: AbortSignal | undefined): Promise<void> {
  const installation = spawn(process.execPath, [join(import.meta.dirname, "../install.mjs"), "stacks"], {
    stdio: ["ignore", "ignore", "inherit"],
    ...(signal && { signal }),
  });
  const [status] = await once(installation, "close");
  if (status !== 0) throw new Error("CDKTF could not be installed.");
}

const run = promisify(execFile);

async function runTerraform(
  step: string,
  folder: string,
  parameters: readonly string[],
  { environment, signal }: PlanDependencies,
): Promise<string> {
  try {
    const { stdout } = await run("terraform", [...parameters], {
      cwd: folder,
      env: { ...environment, TF_IN_AUTOMATION: "1" },
      maxBuffer: 512 * 1024 * 1024,
      ...(signal && { signal }),
    });
    return stdout;
  } catch (cause) {
    signal?.throwIfAborted();
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") throw new MissingTerraformError(step, { cause });
    const { stdout = "", stderr = "" } = cause as { stdout?: string; stderr?: string };
    const output = [stdout, stderr].filter((text) => text.trim() !== "").join("\n");
    throw new StepError(step, output || (cause as Error).message, { cause });
  }
}
