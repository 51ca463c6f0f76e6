/** The functions of a deployment on this machine: their bundles, their limits, and how they are known on AWS. */
import { randomUUID } from "node:crypto";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { timeoutSecondsOf } from "../functions/contract/environment.ts";
import { accountId, region } from "./aws-clients.ts";
import type { LocalFunctionName } from "./function-environments.ts";
import { type FunctionRuntime, functionRuntime, type RuntimeOptions } from "./lambda/function-runtime.ts";
import { namePrefix } from "./resources.ts";
import { resendWorkers } from "./send-rate.ts";

/** The functions cannot be run because they have not been bundled. */
export class MissingBundleError extends Error {
  override readonly name = "MissingBundleError";
}

/** Time-outs, and most environments at once. */
export const functionLimits = {
  "consume-kinesis": { timeoutSeconds: timeoutSecondsOf["consume-kinesis"], maxEnvironments: 4 },
  "consume-sns": { timeoutSeconds: timeoutSecondsOf["consume-sns"], maxEnvironments: 4 },
  "transform-firehose": { timeoutSeconds: timeoutSecondsOf["transform-firehose"], maxEnvironments: 4 },
  resend: { timeoutSeconds: timeoutSecondsOf.resend, maxEnvironments: resendWorkers },
  produce: { timeoutSeconds: timeoutSecondsOf.produce, maxEnvironments: 3 },
} as const satisfies Record<LocalFunctionName, object>;

/** The ARN of a function. */
export function functionArn(name: string): string {
  return `arn:aws:lambda:${region}:${accountId}:function:${namePrefix}-${name}`;
}

/** How a bundled function runs. */
export interface BundledFunction
  extends Pick<RuntimeOptions, "environment" | "timeoutSeconds" | "maxEnvironments" | "onLine"> {
  /** Folder of the bundles, `<folder>/<function>/index.mjs`. */
  readonly bundleFolder: string;
}

/** Makes a bundled function ready to be invoked; its first environment starts with the first invocation. */
export function bundledFunction(
  name: string,
  { bundleFolder, ...options }: BundledFunction,
): FunctionRuntime {
  return functionRuntime({
    ...options,
    identity: {
      functionName: `${namePrefix}-${name}`,
      functionVersion: "$LATEST",
      invokedFunctionArn: functionArn(name),
      memoryLimitInMB: "256",
      logGroupName: `/aws/lambda/${namePrefix}-${name}`,
    },
    bundle: join(bundleFolder, name, "index.mjs"),
    id: randomUUID,
  });
}

/**
 * Copies bundles, so that a build meanwhile does not change a function while it runs.
 *
 * @throws MissingBundleError if a bundle is not there
 */
export async function copyBundles(
  names: readonly LocalFunctionName[],
  from: string,
  to: string,
): Promise<void> {
  for (const name of names) {
    try {
      await cp(join(from, name), join(to, name), { recursive: true });
    } catch (cause) {
      throw new MissingBundleError(`The function ${name} is not bundled; run "npm run bundle" first.`, {
        cause,
      });
    }
  }
}
