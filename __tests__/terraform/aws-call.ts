/** A call of an AWS API as it comes over the wire. */
import type { IncomingMessage } from "node:http";

/** One request to an AWS service, with its body read. */
export interface AwsCall {
  /** The service it is signed for, e.g. `dynamodb`; empty without a signature. */
  readonly service: string;
  /** The operation where the protocol names it (`GetItem`), else method and path (`POST /schedules/one`). */
  readonly operation: string;
  /** Access key of the caller. */
  readonly accessKeyId: string;
  readonly method: string;
  /** Path with the query, as it was sent. */
  readonly target: string;
  /** Segments of the path, decoded. */
  readonly path: readonly string[];
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** What goes back. */
export interface AwsAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** Reads a request to its end. */
export async function readCall(request: IncomingMessage): Promise<AwsCall> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const method = request.method ?? "GET";
  const target = request.url ?? "/";
  const { pathname } = new URL(target, "http://localhost");
  const scope = /Credential=([^/]+)\/\d+\/[^/]*\/([^/]+)\//.exec(request.headers.authorization ?? "");
  const jsonTarget = [request.headers["x-amz-target"] ?? []].flat()[0];
  const formAction = /(?:^|&)Action=(\w+)/.exec(
    request.headers["content-type"]?.startsWith("application/x-www-form-urlencoded") ? body.toString() : "",
  )?.[1];
  return {
    service: scope?.[2] ?? "",
    operation: jsonTarget?.split(".").at(-1) ?? formAction ?? `${method} ${pathname}`,
    accessKeyId: scope?.[1] ?? "",
    method,
    target,
    path: pathname.split("/").filter(Boolean).map(decodeURIComponent),
    headers: request.headers,
    body,
  };
}

/** The body of a JSON call; an empty one is an empty object. */
export function jsonOf(call: AwsCall): Record<string, unknown> {
  return call.body.length === 0 ? {} : JSON.parse(call.body.toString());
}

/** An answer in JSON. */
export function jsonAnswer(value: unknown, status = 200, headers: Record<string, string> = {}): AwsAnswer {
  return {
    status,
    headers: { "content-type": "application/json", ...headers },
    body: Buffer.from(JSON.stringify(value)),
  };
}

/** An error in the form of AWS's JSON protocols; clients make an exception of that name of it. */
export function errorAnswer(status: number, name: string, message: string): AwsAnswer {
  return jsonAnswer({ __type: name, message, Message: message }, status, { "x-amzn-errortype": name });
}

/** A header that says which service a call is for, as a signature does; the emulated AWS checks no signature. */
export function unsigned(service: string, region: string): { authorization: string } {
  return {
    authorization: `AWS4-HMAC-SHA256 Credential=tests/20260101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=0`,
  };
}

/** Whether a call can have changed something, by the names that AWS gives its operations. */
export function isChange({ method, operation }: AwsCall): boolean {
  return method !== "GET" && method !== "HEAD" && !/^(BatchGet|Describe|Get|List|Query|Scan)/.test(operation);
}
