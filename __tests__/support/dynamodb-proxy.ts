/**
 * A proxy in front of dynalite, for what an emulator never does: throttle, lose an answer, leave keys
 * unprocessed, hand over the item with a refusal.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One request to the table. */
export interface TableCall {
  /** e.g. `UpdateItem` */
  readonly operation: string;
  /** The request in DynamoDB's own notation. */
  // biome-ignore lint/suspicious/noExplicitAny: requests of every operation
  readonly input: any;
}

/**
 * An answer of the table, or none at all: the connection breaks. `date` is what its clock says, epoch seconds.
 *
 * @default the time of this machine
 */
export type TableAnswer =
  | { readonly status: number; readonly body: object; readonly date?: number }
  | "hang-up";

/** What happens to a request; `forward` hands this one, or another, to the table. */
export type Intercept = (
  call: TableCall,
  forward: (call?: TableCall) => Promise<Exclude<TableAnswer, string>>,
) => Promise<TableAnswer> | TableAnswer;

/** A running proxy. */
export interface DynamodbProxy {
  readonly endpoint: string;
  /** Every request so far, in the order in which they came. */
  readonly calls: TableCall[];
  /** What happens to the requests from now on; by default each is forwarded. */
  intercept: Intercept;
  /** Forwards everything again and forgets the calls. */
  reset(): void;
  close(): Promise<void>;
}

/** DynamoDB's answer to a throttled call. */
export const throttled: TableAnswer = {
  status: 400,
  body: {
    __type: "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
    message: "The level of configured provisioned throughput for the table was exceeded.",
  },
};

/** Starts a proxy in front of the table service at `target`. */
export async function startDynamodbProxy(target: string): Promise<DynamodbProxy> {
  const pass: Intercept = (_call, forward) => forward();
  const calls: TableCall[] = [];

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const call: TableCall = {
      operation: String(request.headers["x-amz-target"]).split(".")[1] ?? "",
      input: JSON.parse(Buffer.concat(chunks).toString()),
    };
    calls.push(call);
    const forward = async ({ operation, input }: TableCall = call) => {
      const forwarded = await fetch(target, {
        method: "POST",
        headers: {
          "content-type": "application/x-amz-json-1.0",
          "x-amz-target": `DynamoDB_20120810.${operation}`,
          authorization: String(request.headers.authorization),
          "x-amz-date": String(request.headers["x-amz-date"]),
        },
        body: JSON.stringify(input),
      });
      return { status: forwarded.status, body: (await forwarded.json()) as object };
    };
    const answered = await proxy.intercept(call, forward);
    if (answered === "hang-up") {
      response.destroy();
      return;
    }
    response.writeHead(answered.status, {
      "content-type": "application/x-amz-json-1.0",
      date: new Date((answered.date ?? Date.now() / 1000) * 1000).toUTCString(),
    });
    response.end(JSON.stringify(answered.body));
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy: DynamodbProxy = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    intercept: pass,
    reset() {
      proxy.intercept = pass;
      calls.length = 0;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return proxy;
}
