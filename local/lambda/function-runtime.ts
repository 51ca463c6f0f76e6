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
  /** Kills every environment; resolves when all their output has been read. */
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

/** Makes a function ready to be invoked; its first environment starts with the first invocation. */
export function functionRuntime(options: RuntimeOptions): FunctionRuntime {
  const idle: ExecutionEnvironment[] = [];
  const all = new Set<ExecutionEnvironment>();
  const waiting: (() => void)[] = [];
  let invocations = 0;
  let running = 0;

  async function acquire(): Promise<ExecutionEnvironment> {
    while (running >= options.maxEnvironments) {
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
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
      await Promise.all([...all].map((environment) => environment.end()));
    },
  };
}
