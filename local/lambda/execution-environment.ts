/** One execution environment of a function: a process of its own, kept warm between invocations. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type {
  EnvironmentAnswer,
  EnvironmentRequest,
  FunctionIdentity,
  InvocationError,
} from "./bootstrap.ts";

/** A function as it is deployed. */
export interface FunctionConfiguration {
  readonly identity: FunctionIdentity;
  /** Path of the bundle, an ES module that exports `handler`. */
  readonly bundle: string;
  /** All of its environment variables: nothing of ours leaks in. */
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
}

/** What an invocation comes to, as the Invoke API tells it. */
export type InvocationResult =
  | { readonly ok: true; readonly payload: unknown }
  | { readonly ok: false; readonly error: InvocationError };

/** How long an environment may take to load its bundle: Lambda's limit for the INIT phase. */
const initTimeoutSeconds = 10;

/**
 * A process that runs one function, one invocation at a time.
 *
 * It is of no more use once {@link isAlive} is false: after a time-out, an exit, or a failed start.
 */
export class ExecutionEnvironment {
  readonly #configuration: FunctionConfiguration;
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #isLoaded = false;

  /** @param onLine gets every line that the function writes to stdout or stderr */
  constructor(configuration: FunctionConfiguration, onLine: (line: string) => void) {
    this.#configuration = configuration;
    this.#child = fork(join(import.meta.dirname, "bootstrap.ts"), {
      env: { ...configuration.environment },
      execArgv: ["--enable-source-maps", "--disable-warning=ExperimentalWarning"],
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    this.#closed = once(this.#child, "close");
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on("line", onLine);
    }
  }

  /** Whether another invocation may be tried. */
  get isAlive(): boolean {
    return this.#child.connected && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /**
   * Runs one invocation to its end. Never rejects: what goes wrong is a result.
   *
   * @param requestId Lambda's request id
   */
  async invoke(event: unknown, requestId: string): Promise<InvocationResult> {
    if (!this.#isLoaded) {
      const { bundle } = this.#configuration;
      const loaded = await this.#ask({ type: "init", bundle }, initTimeoutSeconds, requestId);
      if (!loaded.ok) {
        await this.end();
        return loaded;
      }
      this.#isLoaded = true;
    }
    const { timeoutSeconds, identity } = this.#configuration;
    const deadline = Date.now() + timeoutSeconds * 1000;
    return this.#ask(
      { type: "invoke", event, requestId, deadline, function: identity },
      timeoutSeconds,
      requestId,
    );
  }

  /** Kills the process; resolves when it is gone and its last line has been read. */
  async end(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#closed;
  }

  #ask(request: EnvironmentRequest, timeoutSeconds: number, requestId: string): Promise<InvocationResult> {
    const child = this.#child;
    return new Promise((resolve) => {
      const finish = (result: InvocationResult): void => {
        clearTimeout(timer);
        child.off("message", onMessage);
        child.off("exit", onExit);
        resolve(result);
      };
      const fail = (errorType: string, errorMessage: string): void =>
        finish({ ok: false, error: { errorType, errorMessage, trace: [] } });
      const onMessage = (answer: EnvironmentAnswer): void => {
        if (answer.type === "error") finish({ ok: false, error: answer.error });
        else finish({ ok: true, payload: answer.type === "result" ? answer.payload : null });
      };
      const onExit = (code: number | null, signal: string | null): void =>
        fail(
          "Runtime.ExitError",
          `RequestId: ${requestId} Error: Runtime exited with error: ${signal === null ? `exit status ${code}` : `signal: ${signal}`}`,
        );
      const timer = setTimeout(() => {
        child.off("exit", onExit);
        void this.end().then(() =>
          fail(
            "Sandbox.Timedout",
            `RequestId: ${requestId} Error: Task timed out after ${timeoutSeconds.toFixed(2)} seconds`,
          ),
        );
      }, timeoutSeconds * 1000);
      child.on("message", onMessage);
      child.on("exit", onExit);
      child.send(request, (error) => {
        if (error !== null) fail("Runtime.ExitError", error.message);
      });
    });
  }
}
