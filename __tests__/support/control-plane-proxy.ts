/** A proxy in front of an AWS control plane, for what an emulator never does: throttle, refuse, lose an answer. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** An answer of the service, or none at all: the connection breaks. */
export type ControlPlaneAnswer =
  | { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string }
  | "hang-up";

/** What happens to a call, by the name of its operation; `forward` hands it to the service. */
export type InterceptOperation = (
  operation: string,
  forward: () => Promise<Exclude<ControlPlaneAnswer, string>>,
) => Promise<ControlPlaneAnswer> | ControlPlaneAnswer;

/** A running proxy. */
export interface ControlPlaneProxy {
  readonly endpoint: string;
  /** Names of the operations so far, in the order in which they came. */
  readonly operations: string[];
  /** What happens to the calls from now on; by default each is forwarded. */
  intercept: InterceptOperation;
  /** Forwards everything again and forgets the operations. */
  reset(): void;
  close(): Promise<void>;
}

/** AWS's answer with an error, in a form that clients of both JSON and REST services read. */
export function refusal(name: string, status = 400, message = "no"): ControlPlaneAnswer {
  return {
    status,
    headers: { "content-type": "application/x-amz-json-1.1", "x-amzn-errortype": name },
    body: JSON.stringify({ __type: name, message }),
  };
}

function operationOf({ method = "", url = "", headers }: IncomingMessage): string {
  const target = headers["x-amz-target"];
  if (typeof target === "string") return target.split(".")[1] ?? target;
  if (/\/policy\/[^/]+$/.test(url)) return "RemovePermission";
  if (url.endsWith("/policy")) return method === "GET" ? "GetPolicy" : "AddPermission";
  if (url.endsWith("/eventstream")) return "GetEventStream";
  if (/^\/v1\/apps\/[^/]+$/.test(url)) return "GetApp";
  return `${method} ${url}`;
}

/** Starts a proxy in front of the service at `target`. */
export async function startControlPlaneProxy(target: string): Promise<ControlPlaneProxy> {
  const pass: InterceptOperation = (_operation, forward) => forward();
  const operations: string[] = [];

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const operation = operationOf(request);
    operations.push(operation);
    const forward = async () => {
      const kept = ["authorization", "content-type", "x-amz-date", "x-amz-target"];
      const forwarded = await fetch(`${target}${request.url}`, {
        method: request.method ?? "GET",
        headers: Object.fromEntries(
          kept.flatMap((name) => {
            const value = request.headers[name];
            return typeof value === "string" ? [[name, value]] : [];
          }),
        ),
        ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
      });
      const headers = Object.fromEntries(
        ["content-type", "x-amzn-errortype"].flatMap((name) => {
          const value = forwarded.headers.get(name);
          return value === null ? [] : [[name, value]];
        }),
      );
      return { status: forwarded.status, headers, body: await forwarded.text() };
    };
    const answered = await proxy.intercept(operation, forward);
    if (answered === "hang-up") {
      response.destroy();
      return;
    }
    response.writeHead(answered.status, answered.headers);
    response.end(answered.body);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy: ControlPlaneProxy = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    operations,
    intercept: pass,
    reset() {
      proxy.intercept = pass;
      operations.length = 0;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return proxy;
}
