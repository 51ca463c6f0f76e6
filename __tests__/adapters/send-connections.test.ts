/** What both senders know of a call that failed, on real sockets and with the clients of the functions. */
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { Worker } from "node:worker_threads";
import type { SendTimeLimits } from "../../functions/adapters/aws-clients.ts";
import { type SmsService, smsServices } from "../../functions/contract/environment.ts";
import type { SendResult } from "../../functions/core/sending/sms-sender.ts";
import { selfSignedCertificate } from "../support/self-signed-certificate.ts";
import {
  acceptances,
  longLimits,
  senderOn,
  sendRequest,
  shortLimits,
  trustingSenderOn,
} from "../support/sending-clients.ts";

const environment = { ...process.env };
const closings: (() => unknown)[] = [];
afterEach(async () => {
  process.env = { ...environment };
  for (const close of closings.splice(0)) await close();
});

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

/** Ends a server with the test, and every connection to it. */
function closing<Any extends Server>(server: Any): Any {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  closings.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return server;
}

/** A server of bare sockets; `onConnection` has them before anything was read. */
function socketServer(onConnection: (socket: Socket) => void): Promise<number> {
  return portOf(closing(createServer({ pauseOnConnect: true }, onConnection)));
}

function httpServer(onRequest: RequestListener): Promise<number> {
  return portOf(closing(createHttpServer(onRequest)));
}

/** What an HTTP or TLS server got of the request itself, in bytes, and over how many connections. */
interface Received {
  bytes: number;
  requests: number;
}

/** A server that reads a whole request, counts it, and then does as told. */
async function afterRequest(
  received: Received,
  act: (socket: Socket) => void,
): Promise<{ readonly endpoint: string }> {
  const port = await httpServer((request, response) => {
    request.on("data", (data: Buffer) => {
      received.bytes += data.length;
    });
    request.on("end", () => {
      received.requests += 1;
      act(response.socket as Socket);
    });
  });
  return { endpoint: `http://127.0.0.1:${port}` };
}

const certificate = selfSignedCertificate();

/** A TLS server that counts what arrives and does as told once the handshake is over. */
async function tlsServer(received: Received, onSecure: (socket: TLSSocket) => void): Promise<string> {
  const server = createTlsServer({ ...certificate }, (socket) => {
    socket.on("error", () => {});
    socket.on("data", (data) => {
      received.bytes += data.length;
    });
    onSecure(socket);
  });
  server.on("tlsClientError", () => {});
  return `https://127.0.0.1:${await portOf(closing(server))}`;
}

/** A port of loopback where nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  const port = await portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A port that is listened on and never accepted from, with its queue of connections full. */
async function portThatNeverAccepts(): Promise<number> {
  const worker = new Worker(
    `const { parentPort } = require("node:worker_threads");
     const server = require("node:net").createServer();
     server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
       parentPort.postMessage(server.address().port);
       setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
     });`,
    { eval: true },
  );
  const port = await new Promise<number>((resolve) => worker.once("message", resolve));
  const { connect } = await import("node:net");
  const fillers = Array.from({ length: 4 }, () => connect(port, "127.0.0.1").on("error", () => {}));
  closings.push(() => {
    for (const filler of fillers) filler.destroy();
    return worker.terminate();
  });
  // The queue is full once a connection of ours does not come about.
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(fillers.some(({ connecting }) => connecting)).toBe(true);
  return port;
}

const unreachable: SendResult = { kind: "deferred", reason: "unreachable" };

describe.each(smsServices)("%s", (service: SmsService) => {
  describe("faults 18 and 59: a request that never left is deferred", () => {
    test.each<[string, () => Promise<string>]>([
      ["connection refused", async () => `http://127.0.0.1:${await closedPort()}`],
      ["connection refused under TLS", async () => `https://127.0.0.1:${await closedPort()}`],
      ["a host name that does not exist", async () => "https://sms.invalid"],
      ["the connect time-out", async () => `https://127.0.0.1:${await portThatNeverAccepts()}`],
      [
        "a TLS handshake that is never answered",
        async () => `https://127.0.0.1:${await socketServer((socket) => socket.resume())}`,
      ],
      [
        "a reset in the TLS handshake",
        async () =>
          `https://127.0.0.1:${await socketServer((socket) => socket.once("data", () => socket.resetAndDestroy()).resume())}`,
      ],
      [
        "a connection that ends in the TLS handshake",
        async () => `https://127.0.0.1:${await socketServer((socket) => socket.end())}`,
      ],
      [
        "something else than TLS on the port",
        async () => `https://127.0.0.1:${await httpServer((_request, response) => response.end())}`,
      ],
    ])("%s", async (_name, endpoint) => {
      // However slow the machine, no limit is so short that it could change what is known.
      const { send } = senderOn(service, await endpoint(), { connect: 100, answer: 300 });

      expect(await send(sendRequest)).toEqual(unreachable);
    });

    test("a certificate that nobody vouches for: not one byte of the request has left", async () => {
      const received = { bytes: 0, requests: 0 };
      const { send } = senderOn(service, await tlsServer(received, () => {}));

      expect(await send(sendRequest)).toEqual(unreachable);
      expect(received.bytes).toBe(0);
    });

    test("no credentials: the call is never handed to a connection", async () => {
      const received = { bytes: 0, requests: 0 };
      const { endpoint } = await afterRequest(received, (socket) => socket.destroy());
      const { send } = senderOn(service, endpoint);
      delete process.env.AWS_ACCESS_KEY_ID;
      Object.assign(process.env, {
        AWS_EC2_METADATA_DISABLED: "true",
        AWS_CONFIG_FILE: "/nonexistent",
        AWS_SHARED_CREDENTIALS_FILE: "/nonexistent",
      });

      expect(await send(sendRequest)).toEqual({
        kind: "deferred",
        reason: "not-allowed:CredentialsProviderError",
      });
      expect(received.requests).toBe(0);
    });
  });

  describe("fault 18: a request that may have left is unconfirmed, and made once", () => {
    test.each<[string, (socket: Socket) => void, SendTimeLimits?]>([
      ["a reset after the request was read", (socket) => socket.resetAndDestroy()],
      ["a connection that ends after the request was read", (socket) => socket.end()],
      ["no answer in time", () => {}, shortLimits],
      [
        "an answer that is cut off",
        (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"Res'),
      ],
      [
        "an answer that stops half-way",
        (socket) => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"),
        shortLimits,
      ],
      ["an answer that is no HTTP", (socket) => socket.end("SMTP ready\r\n")],
    ])("%s", async (_name, act, limits = longLimits) => {
      const received = { bytes: 0, requests: 0 };
      const { endpoint } = await afterRequest(received, act);

      const result = await senderOn(service, endpoint, limits).send(sendRequest);

      expect(result.kind).toBe("unconfirmed");
      expect(received.requests).toBe(1);
    });

    test("a reset of a connection that stood, before the server has read: nobody can know", async () => {
      const port = await socketServer((socket) => setTimeout(() => socket.resetAndDestroy(), 30));

      const result = await senderOn(service, `http://127.0.0.1:${port}`).send(sendRequest);

      expect(result.kind).toBe("unconfirmed");
    });

    test.each<[string, (socket: TLSSocket) => void, SendTimeLimits?]>([
      ["a connection that ends right after the TLS handshake", (socket) => socket.destroy()],
      [
        "a connection that ends after the request, under TLS",
        (socket) => socket.once("data", () => socket.destroy()),
      ],
      ["no answer in time, under TLS", () => {}, shortLimits],
    ])("%s", async (_name, onSecure, limits = longLimits) => {
      const endpoint = await tlsServer({ bytes: 0, requests: 0 }, onSecure);

      const result = await trustingSenderOn(service, endpoint, certificate.cert, limits).send(sendRequest);

      expect(result.kind).toBe("unconfirmed");
    });
  });

  test("under TLS a request is sent and answered, and the session is resumed for the next", async () => {
    const resumed: boolean[] = [];
    const body = JSON.stringify(acceptances[service]);
    const endpoint = await tlsServer({ bytes: 0, requests: 0 }, (socket) => {
      resumed.push(socket.isSessionReused());
      socket.once("data", () => {
        socket.end(`HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
      });
    });
    const { send } = trustingSenderOn(service, endpoint, certificate.cert);

    const results = [await send(sendRequest), await send(sendRequest)];

    expect(results).toEqual(results.map(() => ({ kind: "accepted", messageId: "sms-1" })));
    expect(resumed).toEqual([false, true]);
  });

  test("fault 18: 500 sends to a service that closes idle connections: none is unconfirmed", async () => {
    // Prepare
    let requests = 0;
    const port = await httpServer((request, response) => {
      requests += 1;
      const idle = requests % 4;
      request.resume();
      response.on("finish", () => setTimeout(() => request.socket.destroy(), idle));
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(acceptances[service]));
    });
    const { send } = senderOn(service, `http://127.0.0.1:${port}`);

    // Act
    const kinds: Record<string, number> = {};
    const lane = async () => {
      for (let sent = 0; sent < 50; sent += 1) {
        const { kind } = await send(sendRequest);
        kinds[kind] = (kinds[kind] ?? 0) + 1;
      }
    };
    await Promise.all(Array.from({ length: 10 }, lane));

    // Assess
    expect(kinds).toEqual({ accepted: 500 });
    expect(requests).toBe(500);
  });
});
