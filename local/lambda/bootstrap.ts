/**
 * Child process that is one execution environment: loads a bundle and runs one invocation at a time.
 *
 * Its parent sends {@link EnvironmentRequest}s and gets {@link EnvironmentAnswer}s over the IPC channel; what
 * the function writes goes to stdout and stderr, as on Lambda.
 */
import { subscribe } from "node:diagnostics_channel";
import type { ClientRequest } from "node:http";
import { pathToFileURL } from "node:url";
import { departureHeader } from "../rest-json.ts";

/** Sent to an environment: what to load first, then one invocation after the other. */
export type EnvironmentRequest =
  | { readonly type: "init"; readonly bundle: string }
  | {
      readonly type: "invoke";
      readonly event: unknown;
      readonly requestId: string;
      /** Epoch milliseconds at which the function's time is up. */
      readonly deadline: number;
      readonly function: FunctionIdentity;
    };

/** Comes back from an environment. */
export type EnvironmentAnswer =
  | { readonly type: "ready" }
  | { readonly type: "result"; readonly payload: unknown }
  | { readonly type: "error"; readonly error: InvocationError };

/** The part of Lambda's context that does not change between invocations. */
export interface FunctionIdentity {
  readonly functionName: string;
  readonly functionVersion: string;
  readonly invokedFunctionArn: string;
  readonly memoryLimitInMB: string;
  readonly logGroupName: string;
}

/** An error in the shape of Lambda's answer to a synchronous invocation. */
export interface InvocationError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace: readonly string[];
}

type Handler = (event: unknown, context: object) => Promise<unknown>;

let handler: Handler | undefined;

function send(answer: EnvironmentAnswer): void {
  process.send?.(answer);
}

function invocationError(error: unknown): InvocationError {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return {
    errorType: error.name,
    errorMessage: error.message,
    trace: error.stack?.split("\n") ?? [],
  };
}

async function init(bundle: string): Promise<void> {
  const loaded = (await import(pathToFileURL(bundle).href)) as { handler?: unknown };
  if (typeof loaded.handler !== "function") {
    throw Object.assign(
      new Error(`${bundle} exports no function called handler; export one and bundle it again.`),
      {
        name: "Runtime.HandlerNotFound",
      },
    );
  }
  handler = loaded.handler as Handler;
  send({ type: "ready" });
}

async function invoke(request: Extract<EnvironmentRequest, { type: "invoke" }>): Promise<void> {
  const context = {
    ...request.function,
    awsRequestId: request.requestId,
    logStreamName: `local/${process.pid}`,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(request.deadline - Date.now(), 0),
  };
  const payload = await handler?.(request.event, context);
  send({ type: "result", payload: payload ?? null });
}

// Only as a child: the types above are imported by its parent.
if (process.send !== undefined && import.meta.main) {
  subscribe("http.client.request.created", (message) => {
    (message as { request: ClientRequest }).request.setHeader(departureHeader, Date.now());
  });
  process.on("disconnect", () => process.exit());
  // Ctrl-C reaches the whole process group; the parent decides in which order things end.
  process.on("SIGINT", () => {});
  process.on("message", (request: EnvironmentRequest) => {
    const done = request.type === "init" ? init(request.bundle) : invoke(request);
    done.catch((error: unknown) => send({ type: "error", error: invocationError(error) }));
  });
}
