/** Runs the functions that were uploaded: their zips, their configuration, on the project's Lambda runtime. */
import { randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { devNull } from "node:os";
import { join } from "node:path";
import type { InvocationResult } from "../../local/lambda/execution-environment.ts";
import { type FunctionRuntime, functionRuntime } from "../../local/lambda/function-runtime.ts";
import { unzip } from "./unzip.ts";

/** A function's configuration as `GetFunctionConfiguration` tells it, in part. */
export interface FunctionConfiguration {
  readonly FunctionName: string;
  readonly FunctionArn: string;
  readonly Role: string;
  readonly Handler: string;
  readonly Timeout: number;
  readonly MemorySize: number;
  readonly Environment?: { readonly Variables?: Readonly<Record<string, string>> };
}

/** What the functions run in. */
export interface FunctionProps {
  /** Folder for the unpacked code. */
  readonly folder: string;
  readonly region: string;
  /** Where every AWS service answers; known once the gateway listens. */
  readonly endpoint: () => string;
}

interface RunningFunction {
  readonly configuration: string;
  readonly runtime: FunctionRuntime;
}

/** The uploaded functions of one emulated AWS. */
export class DeployedFunctions {
  /** What the functions wrote, line by line. */
  readonly lines: string[] = [];
  readonly #props: FunctionProps;
  readonly #code = new Map<string, string>();
  readonly #running = new Map<string, RunningFunction>();
  readonly #roles = new Map<string, string>();
  #uploads = 0;

  constructor(props: FunctionProps) {
    this.#props = props;
  }

  /** Takes the zip of a function, in base64; it runs from the next invocation on. */
  upload(name: string, zip: string): void {
    this.#uploads += 1;
    const folder = join(this.#props.folder, `${name}-${this.#uploads}`);
    mkdirSync(folder, { recursive: true });
    for (const [file, data] of unzip(Buffer.from(zip, "base64"))) writeFileSync(join(folder, file), data);
    this.#code.set(name, folder);
  }

  /** Whether code of that function was uploaded. */
  has(name: string): boolean {
    return this.#code.has(name);
  }

  /** Name of the role whose function calls with that access key; `undefined` for every other caller. */
  roleOf(accessKeyId: string): string | undefined {
    return this.#roles.get(accessKeyId);
  }

  /** Runs one invocation, with the configuration that the function has now. */
  async invoke(configuration: FunctionConfiguration, event: unknown): Promise<InvocationResult> {
    const { FunctionName: name } = configuration;
    const folder = this.#code.get(name);
    if (folder === undefined) throw new Error(`No code of ${name} was uploaded.`);
    const key = JSON.stringify([
      folder,
      configuration.Role,
      configuration.Environment,
      configuration.Timeout,
    ]);
    const known = this.#running.get(name);
    if (known?.configuration === key) return known.runtime.invoke(event);
    await known?.runtime.stop();
    const runtime = this.#runtimeOf(configuration, folder);
    this.#running.set(name, { configuration: key, runtime });
    return runtime.invoke(event);
  }

  /** Ends every process. */
  async stop(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ runtime }) => runtime.stop()));
  }

  #runtimeOf(configuration: FunctionConfiguration, folder: string): FunctionRuntime {
    const { FunctionName: name, Handler, MemorySize, Timeout } = configuration;
    // Each function has credentials of its own, by which its calls are told from those of Terraform.
    const accessKeyId = `FUNCTION${randomUUID().replaceAll("-", "").slice(0, 12).toUpperCase()}`;
    this.#roles.set(accessKeyId, configuration.Role.split("/").at(-1) ?? "");
    return functionRuntime({
      identity: {
        functionName: name,
        functionVersion: "$LATEST",
        invokedFunctionArn: configuration.FunctionArn,
        memoryLimitInMB: String(MemorySize),
        logGroupName: `/aws/lambda/${name}`,
      },
      bundle: join(folder, `${Handler.split(".")[0]}.mjs`),
      environment: {
        ...configuration.Environment?.Variables,
        AWS_REGION: this.#props.region,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: "secret",
        AWS_ENDPOINT_URL: this.#props.endpoint(),
        AWS_LAMBDA_FUNCTION_NAME: name,
        AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(MemorySize),
        AWS_CONFIG_FILE: devNull,
        AWS_SHARED_CREDENTIALS_FILE: devNull,
        AWS_EC2_METADATA_DISABLED: "true",
        TZ: ":UTC",
      },
      timeoutSeconds: Timeout,
      maxEnvironments: 2,
      onLine: (line) => this.lines.push(line),
      id: randomUUID,
    });
  }
}
