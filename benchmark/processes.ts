/** The processes of a benchmark: the stub of AWS, and the execution environments of the handlers that are measured. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { StubAnswer, StubReady, StubRequest } from "./stub.ts";

/** What an environment has used since it started. */
export interface Used {
  readonly cpuSeconds: number;
  readonly maxMemoryBytes: number;
  readonly logBytes: number;
}

/** One answer of an environment. */
interface EnvironmentAnswer {
  readonly answer?: unknown;
  readonly error?: string;
  readonly used: Used;
}

/** A handler to be measured, as Lambda would be told of it. */
export interface HandlerUnderTest {
  /** Path of an ES or CommonJS module. */
  readonly module: string;
  /** Name of the function that it exports. */
  readonly exportName: string;
  /** All of its environment variables. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The running stub. */
export interface Stub {
  readonly endpoint: string;
  /** Writes items into a table, past every condition and count. */
  put(table: string, items: readonly Record<string, unknown>[]): Promise<void>;
  /** What was called since the last time this was asked. */
  counts(): Promise<StubAnswer>;
  stop(): void;
}

/**
 * Starts the stub.
 *
 * @param tableKeys partition keys by table, where they are not `application_message_id`
 */
export async function startStub(
  latencyMs: number,
  tableKeys: Readonly<Record<string, string>>,
): Promise<Stub> {
  const child = fork(join(import.meta.dirname, "stub.ts"), {
    env: { BENCHMARK_LATENCY_MS: String(latencyMs), BENCHMARK_TABLE_KEYS: JSON.stringify(tableKeys) },
    execArgv: ["--disable-warning=ExperimentalWarning"],
  });
  const { endpoint } = (await nextMessage(child)) as StubReady;
  const ask = async (request: StubRequest): Promise<StubAnswer> => {
    const answer = nextMessage(child);
    child.send(request);
    return (await answer) as StubAnswer;
  };
  return {
    endpoint,
    async put(table, items) {
      await ask({ type: "items", table, items });
    },
    counts: () => ask({ type: "counts" }),
    stop: () => child.disconnect(),
  };
}

/** A running environment of a handler. */
export class Environment {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /**
   * Starts a process and loads the handler in it.
   *
   * @throws Error with what the handler's module says where it cannot be loaded
   */
  static async start({ module, exportName, environment }: HandlerUnderTest): Promise<Environment> {
    const child = fork(join(import.meta.dirname, "environment.mjs"), {
      env: { ...environment },
      execArgv: [],
    });
    const started = new Environment(child);
    await started.#ask({ load: module, export: exportName });
    return started;
  }

  /**
   * Runs one invocation.
   *
   * @throws Error with what the handler threw
   */
  invoke(event: unknown): Promise<EnvironmentAnswer> {
    return this.#ask({ event, timeoutSeconds: 60 });
  }

  /** What it has used so far. */
  async used(): Promise<Used> {
    return (await this.#ask({})).used;
  }

  stop(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  async #ask(request: object): Promise<EnvironmentAnswer> {
    const next = nextMessage(this.#child);
    this.#child.send(request);
    const answer = (await next) as EnvironmentAnswer;
    if (answer.error !== undefined) {
      this.stop();
      throw new Error(`The handler failed; its own words: ${answer.error}`);
    }
    return answer;
  }
}

async function nextMessage(child: ChildProcess): Promise<unknown> {
  const given = new AbortController();
  const exit = once(child, "exit", { signal: given.signal }).then(() => {
    throw new Error("A process of the benchmark ended by itself; look at what it wrote above.");
  });
  try {
    const [message] = (await Promise.race([once(child, "message", { signal: given.signal }), exit])) as [
      unknown,
    ];
    return message;
  } finally {
    exit.catch(() => {});
    given.abort();
  }
}
