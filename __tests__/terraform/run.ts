/**
 * `npm run test:terraform`: every stack through the real `terraform` and the real AWS provider, on an emulated AWS.
 *
 * Arguments are names of stacks, `examples`, `release` and `upgrade`; without one all are run but the upgrade
 * (`npm run test:upgrade`), the stacks at the same time, each on an AWS of its own.
 * Needs `terraform` and `moto_server` on the path; prints a line for each step, and ends with 1 if one failed.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleFunctions } from "../../cli/bundle.ts";
import { stackNames, synthesise } from "../../stacks/app.ts";
import { corrections } from "./corrections.ts";
import { type EmulatedAws, startEmulatedAws } from "./emulated-aws.ts";
import { runExamples } from "./examples.ts";
import { same } from "./expectations.ts";
import { synthesisePrevious } from "./previous-release.ts";
import { killAllGroups } from "./process-groups.ts";
import { providerMirror } from "./provider-mirror.ts";
import { runReleasedModules } from "./released-module.ts";
import { reportTo, StepFailedError } from "./report.ts";
import { situations } from "./situations.ts";
import { type RunOptions, StackRun } from "./stack-run.ts";
import { terraformEnvironment } from "./terraform.ts";
import { runUpgrade } from "./upgrade.ts";

const folder = mkdtempSync(join(tmpdir(), "sms-retry-terraform-"));
const report = reportTo((line) => process.stdout.write(`${line}\n`));
const running = new Set<EmulatedAws>();

/** Ends everything that this run started. */
async function stop(): Promise<void> {
  killAllGroups();
  await Promise.all([...running].map((aws) => aws.close()));
  rmSync(folder, { recursive: true, force: true });
}

for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => {
    void stop().finally(() => process.exit(1));
  });

/** What is run beside the stacks. */
const otherRuns = ["examples", "release", "upgrade"];

const artefacts = { version: "0.0.0-test", functionsFolder: join(folder, "functions") };

/** Bundles the functions and synthesises all stacks, without touching `dist` and `cdktf.out`. */
async function synthesiseStacks(): Promise<string> {
  const output = join(folder, "cdktf.out");
  await bundleFunctions(artefacts.functionsFolder);
  synthesise(artefacts, output);
  return join(output, "stacks");
}

async function runAll(): Promise<void> {
  const asked = process.argv.slice(2);
  const unknown = asked.filter((name) => ![...stackNames, ...otherRuns].includes(name));
  if (unknown.length > 0) throw new Error(`There is no stack ${unknown.join(", ")}.`);
  const chosen = situations.filter(({ stack }) => asked.length === 0 || asked.includes(stack));

  const stacksFolder = await report.step("all stacks", "bundle and synthesise", async () => {
    same(
      "stacks with a situation",
      situations.map(({ stack }) => stack),
      stackNames,
    );
    return synthesiseStacks();
  });
  const environment = terraformEnvironment(join(folder, "terraform"), providerMirror());
  const options = { stacksFolder, environment, report };
  let areComplete = asked.length === 0;
  const used = await Promise.all(
    chosen.map(async (situation) => {
      const { aws, folder: runFolder } = await newAccount(situation.stack);
      const run = new StackRun(situation, { ...options, folder: runFolder, aws });
      try {
        await run.live();
      } catch (error) {
        if (!(error instanceof StepFailedError)) throw error;
        areComplete = false;
      }
      return aws.usedCorrections;
    }),
  );
  const isAsked = (name: string) => asked.length === 0 || asked.includes(name);
  if (isAsked("examples")) {
    const { aws, folder: runFolder } = await newAccount("examples");
    await runExamples({ ...options, artefacts, endpoint: aws.endpoint, folder: runFolder });
  }
  if (isAsked("release")) await runReleasedModules({ ...options, ...(await newAccount("release")) });
  // It takes minutes, and matters where a release is made.
  if (asked.includes("upgrade")) await upgradeAll(options);
  if (areComplete)
    await report.step("all stacks", "every correction is needed", async () =>
      same(
        "the corrections that were used",
        [...new Set(used.flatMap((names) => [...names]))].sort(),
        namesOfCorrections(),
      ),
    );
}

/** An emulated AWS with nothing in it, and a folder. */
async function newAccount(name: string): Promise<{ aws: EmulatedAws; folder: string }> {
  const runFolder = join(folder, name);
  mkdirSync(runFolder);
  const aws = await startEmulatedAws(join(folder, `${name}-functions`));
  running.add(aws);
  return { aws, folder: runFolder };
}

/** Upgrades all stacks at the same time; each says by itself which of its steps failed. */
async function upgradeAll(options: Omit<RunOptions, "aws" | "folder">): Promise<void> {
  const previous = await report.step("upgrade", "build the previous release", async () =>
    synthesisePrevious(join(folder, "previous")),
  );
  const runs = situations.map(async (situation) =>
    runUpgrade(situation, previous, { ...options, ...(await newAccount(`upgrade-${situation.stack}`)) }),
  );
  await Promise.allSettled(runs);
  await Promise.all(runs);
}

function namesOfCorrections(): string[] {
  return corrections.map(({ name }) => name).sort();
}

let isGreen = false;
try {
  await runAll();
} catch (error) {
  if (!(error instanceof StepFailedError)) process.stdout.write(`${String(error)}\n`);
} finally {
  await stop();
  isGreen = report.close();
}
process.exitCode = isGreen ? 0 : 1;
