/** Runs a function as Lambda does: in execution environments that are started on demand and reused. */
import {
  ExecutionEnvironment,
  type FunctionConfiguration,
  type InvocationResult,
} from "./execution-environment.ts";

/** A deployed function. */
export interface FunctionRuntime {
  readonly name: string;
  /** Runs one invocation; waits for a free environment where the limit is reached. Never rejects. */
  invoke(event: unknown): Promise<InvocationResult>;
  /** Invocations so far, the running ones included. */
  readonly invocations: number;
  /**
   * Kills every environment; resolves when all their output has been read. Invocations that run, wait for an
   * environment or come later end with an error.
   */
  stop(): Promise<void>;
}

/** How a function runs. */
export interface RuntimeOptions extends FunctionConfiguration {
  /** Most environments at once: Lambda's reserved concurrency. */
  readonly maxEnvironments: number;
  /** Gets every line that the function writes. */
  readonly onLine: (line: string) => void;
  /** Makes request ids. */
  readonly id: () => string;
}

const stopped: InvocationResult = {
  ok: false,
  error: { errorType: "Sandbox.Stopped", errorMessage: "The function was stopped.", trace: [] },
};

/** Makes a function ready to be invoked; its first environment starts with the first invocation. */
export function functionRuntime(options: RuntimeOptions): FunctionRuntime {
  const idle: ExecutionEnvironment[] = [];
  const all = new Set<ExecutionEnvironment>();
  const waiting: (() => void)[] = [];
  let invocations = 0;
  let running = 0;
  let isStopped = false;

  async function acquire(): Promise<ExecutionEnvironment | undefined> {
    while (running >= options.maxEnvironments && !isStopped) {
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
    if (isStopped) return undefined;
    running += 1;
    // The warmest first, as Lambda does, so that a quiet function needs few.
    const warm = idle.pop();
    if (warm?.isAlive === true) return warm;
    if (warm !== undefined) all.delete(warm);
    const cold = new ExecutionEnvironment(options, options.onLine);
    all.add(cold);
    return cold;
  }

  return {
    name: options.identity.functionName,
    get invocations() {
      return invocations;
    },
    async invoke(event) {
      invocations += 1;
      const environment = await acquire();
      if (environment === undefined) return stopped;
      try {
        return await environment.invoke(event, options.id());
      } finally {
        running -= 1;
        if (environment.isAlive) idle.push(environment);
        else all.delete(environment);
        waiting.shift()?.();
      }
    },
    async stop() {
      isStopped = true;
      for (const wake of waiting.splice(0)) wake();
      await Promise.all([...all].map((environment) => environment.end()));
    },
  };
}
