/** A small HTTP server for AWS's REST-JSON and JSON protocols, bound to loopback. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request with its body read. */
export interface RestRequest {
  readonly method: string;
  /** Segments of the path, decoded: `/v1/apps/a/messages` → `["v1", "apps", "a", "messages"]`. */
  readonly path: readonly string[];
  readonly body: string;
  /** The header `X-Amz-Target`, by which AWS's JSON protocol names an operation; absent in REST. */
  readonly target?: string;
  /** The header {@link departureHeader} as a number. */
  readonly departedAt?: number;
}

/**
 * Epoch milliseconds at which a request left the process that made it. Servers here share their process with all
 * else of a run: when they get to see a request says little about how evenly requests were sent.
 */
export const departureHeader = "x-departed-at";

/** What goes back; `undefined` = nothing, the caller is left waiting. */
export type RestResponse = { readonly status: number; readonly body: object } | undefined;

/** An error as AWS's services answer it; the SDK turns it into an exception of the same name. */
export class ServiceError extends Error {
  readonly status: number;
  readonly fields: object;

  /**
   * @param name the exception's name in the service model, e.g. `NotFoundException`
   * @param fields what the body has beside the message
   */
  constructor(status: number, name: string, message: string, fields: object = {}) {
    super(message);
    this.name = name;
    this.status = status;
    this.fields = fields;
  }
}

/** A running server. */
export interface RestServer {
  /** e.g. `http://127.0.0.1:41234` */
  readonly endpoint: string;
  /** Ends the server and every connection, also the ones that wait for an answer. */
  close(): Promise<void>;
}

/** The largest request that Pinpoint takes, in bytes. */
const maxBodyBytes = 7 * 1024 * 1024;

/**
 * Serves `handle` on a port of 127.0.0.1. A {@link ServiceError} becomes its HTTP error, anything else
 * an `InternalServerErrorException`.
 *
 * @param requestId makes the id of each request, which comes back in the header `x-amzn-RequestId`
 * @param port 0 = any that is free
 * @throws NodeJS.ErrnoException `EADDRINUSE` where the port is not free
 */
export async function serveRestJson(
  handle: (request: RestRequest, requestId: string) => Promise<RestResponse> | RestResponse,
  requestId: () => string,
  port = 0,
): Promise<RestServer> {
  const server = createServer((request, response) => {
    void answer(request, response, handle, requestId());
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  handle: (request: RestRequest, requestId: string) => Promise<RestResponse> | RestResponse,
  id: string,
): Promise<void> {
  response.setHeader("content-type", "application/json");
  response.setHeader("x-amzn-RequestId", id);
  try {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const path = pathname.split("/").filter(Boolean).map(decodeURIComponent);
    const body = await readBody(request);
    const departedAt = Number(request.headers[departureHeader]);
    const target = request.headers["x-amz-target"];
    const result = await handle(
      {
        method: request.method ?? "GET",
        path,
        body,
        ...(typeof target === "string" && { target }),
        ...(departedAt > 0 && { departedAt }),
      },
      id,
    );
    if (result === undefined) return;
    response.writeHead(result.status).end(JSON.stringify(result.body));
  } catch (error) {
    const { status, name, message, fields } =
      error instanceof ServiceError
        ? error
        : new ServiceError(500, "InternalServerErrorException", String(error));
    response.setHeader("x-amzn-ErrorType", name);
    response.writeHead(status).end(JSON.stringify({ Message: message, RequestID: id, ...fields }));
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    // Read on to the end, so that the caller gets the answer and no broken connection.
    if (size <= maxBodyBytes) chunks.push(chunk);
  }
  if (size > maxBodyBytes) {
    throw new ServiceError(413, "PayloadTooLargeException", "The request is larger than 7 MB.");
  }
  return Buffer.concat(chunks).toString();
}
