/** Terraform on one folder, with nothing of the machine's own configuration. */
import { mkdirSync, writeFileSync } from "node:fs";
import { devNull } from "node:os";
import { join } from "node:path";
import { endGroup, startGroup } from "./process-groups.ts";

/** What a command wrote and how it ended. */
export interface TerraformResult {
  /** -1 where it was stopped. */
  readonly exitCode: number;
  /** stdout and stderr as they came. */
  readonly output: string;
}

/** A command that did not end as it should; the message ends with what Terraform wrote. */
export class TerraformError extends Error {
  override readonly name = "TerraformError";
}

/** How long a command may take, in seconds; the emulated AWS answers at once. */
const timeLimitSeconds = 240;

/** Runs `terraform` in a folder. */
export class Terraform {
  readonly folder: string;
  readonly #environment: Readonly<Record<string, string>>;

  /**
   * @param folder the configuration
   * @param environment what Terraform needs besides `PATH` and a home
   */
  constructor(folder: string, environment: Readonly<Record<string, string>>) {
    this.folder = folder;
    this.#environment = environment;
  }

  /**
   * Runs a command to its end.
   *
   * @param expected exit codes that are no error
   * @throws TerraformError with what Terraform wrote
   */
  async run(parameters: readonly string[], expected: readonly number[] = [0]): Promise<TerraformResult> {
    const result = await this.#start(parameters);
    if (!expected.includes(result.exitCode))
      throw new TerraformError(
        `terraform ${parameters[0]} ended with ${result.exitCode}.\n${errorsIn(result.output)}`,
      );
    return result;
  }

  /**
   * Runs a command and interrupts it, as Ctrl-C does, as soon as it has written a text.
   *
   * Not by SIGKILL: Terraform writes its state file in place, and one that is half written is empty for it.
   *
   * @throws TerraformError if it came to its end all the same
   */
  async runUntil(text: string, parameters: readonly string[]): Promise<TerraformResult> {
    const result = await this.#start(parameters, text);
    if (result.exitCode !== 1 || !result.output.includes("Interrupt received"))
      throw new TerraformError(`terraform ended before it wrote "${text}".\n${errorsIn(result.output)}`);
    return result;
  }

  /** A plan file as JSON. */
  async show<T>(planFile: string): Promise<T> {
    return JSON.parse((await this.run(["show", "-json", planFile])).output) as T;
  }

  async #start(parameters: readonly string[], stopAt?: string): Promise<TerraformResult> {
    const child = startGroup("terraform", [...parameters], {
      cwd: this.folder,
      env: {
        PATH: process.env.PATH,
        HOME: this.folder,
        TMPDIR: process.env.TMPDIR,
        ...this.#environment,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    let stopped: string | undefined;
    let isInterrupted = false;
    const stop = (reason: string): void => {
      stopped ??= reason;
      void endGroup(child);
    };
    const timer = setTimeout(
      () => stop(`\nStopped: it took more than ${timeLimitSeconds} s.`),
      timeLimitSeconds * 1000,
    );
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        output += chunk.toString();
        if (stopAt === undefined || isInterrupted || !output.includes(stopAt)) return;
        isInterrupted = true;
        child.kill("SIGINT");
      });
    }
    try {
      const exitCode = await new Promise<number | null>((resolve, reject) => {
        child.once("error", (cause) =>
          reject(new TerraformError("terraform cannot be started; is it on the PATH?", { cause })),
        );
        child.once("close", resolve);
      });
      return { exitCode: stopped === undefined ? (exitCode ?? -1) : -1, output: output + (stopped ?? "") };
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The environment of every Terraform run: where providers come from, and that no real AWS is ever meant. */
export function terraformEnvironment(folder: string, providerMirror: string | undefined) {
  mkdirSync(folder, { recursive: true });
  const configuration = join(folder, "terraform.rc");
  writeFileSync(
    configuration,
    providerMirror === undefined
      ? ""
      : `provider_installation {\n  filesystem_mirror {\n    path = ${JSON.stringify(providerMirror)}\n  }\n}\n`,
  );
  return {
    TF_CLI_CONFIG_FILE: configuration,
    TF_IN_AUTOMATION: "1",
    TF_INPUT: "0",
    TF_CLI_ARGS: "-no-color",
    CHECKPOINT_DISABLE: "1",
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    AWS_EC2_METADATA_DISABLED: "true",
  };
}

/** The part of Terraform's words that says what went wrong: from the first error on, else the end. */
export function errorsIn(output: string): string {
  const first = output.search(/^[│\s]*Error: /m);
  return first < 0 ? output.slice(-4_000) : output.slice(first).trim();
}

/** Terraform's text without its frame and its line breaks. */
export function unwrapped(output: string): string {
  return output.replaceAll(/\s*\n[│\s]*/g, " ");
}
