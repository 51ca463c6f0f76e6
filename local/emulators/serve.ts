/**
 * Child process that runs one emulator: `node serve.ts NAME SETTINGS`, the name being `dynalite`, `kinesis-local` or
 * `fauxqs`, the settings {@link EmulatorSettings} as JSON.
 *
 * Each of them listens on all interfaces, on a fixed port, when started its own way. Here it gets a free
 * port on loopback, tells its parent the port over the IPC channel, and ends when that channel closes, so
 * that not even a killed parent leaves a server behind.
 */
import { createRequire } from "node:module";
import net, { type AddressInfo } from "node:net";
import type { EmulatorSettings } from "./start-emulators.ts";

const require = createRequire(import.meta.url);
const host = "127.0.0.1";

process.on("disconnect", () => process.exit());
// Ctrl-C reaches the whole process group; the parent decides in which order things end.
process.on("SIGINT", () => {});

const [, , name = "", settingsText = "{}"] = process.argv;
const { longestDelaySeconds } = JSON.parse(settingsText) as EmulatorSettings;

/** Where kinesis-local speaks TLS unless told otherwise; nobody calls it there. */
const kinesisTlsPort = 4567;

/** Sends every server of this process to a free port on loopback and reports the one that is wanted. */
function listenOnLoopbackOnly(): void {
  const listen = net.Server.prototype.listen;
  net.Server.prototype.listen = function (this: net.Server, ...rest: unknown[]) {
    const callback = rest.find((argument) => typeof argument === "function") as (() => void) | undefined;
    if (rest[0] !== kinesisTlsPort) {
      this.once("listening", () => process.send?.({ port: (this.address() as AddressInfo).port }));
    }
    return listen.call(this, { port: 0, host }, callback);
  } as typeof listen;
}

/** Lets no message be delayed longer, whatever its sender asks for. */
function shortenDelays(
  queue: { enqueue(message: { delayUntil?: number }): void },
  longestDelaySeconds: number,
): void {
  const { enqueue } = queue;
  queue.enqueue = function (message) {
    if (message.delayUntil !== undefined) {
      message.delayUntil = Math.min(message.delayUntil, Date.now() + longestDelaySeconds * 1000);
    }
    enqueue.call(this, message);
  };
}

const emulators: Readonly<Record<string, () => unknown>> = {
  dynalite() {
    const dynalite = require("dynalite") as (options: object) => net.Server;
    return dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 }).listen();
  },
  "kinesis-local"() {
    // Changes of a stream take 500 ms each by default, and the certificate is looked for in the current folder.
    Object.assign(process.env, {
      LOG_LEVEL: "ERROR",
      CREATE_STREAM_DURATION: "20ms",
      DELETE_STREAM_DURATION: "20ms",
      KINESIS_MOCK_CERT_PATH: require.resolve("kinesis-local/server.json"),
    });
    return require("kinesis-local");
  },
  async fauxqs() {
    const { buildApp } = await import("fauxqs");
    // Its queue URLs say sqs.<region>.localhost, which not every resolver knows and which the SDK prefers to
    // the endpoint; a store without a host name answers with the host that the request was sent to.
    const fromPackage = (path: string) => import(new URL(path, import.meta.resolve("fauxqs")).href);
    const [{ SqsStore, SqsQueue }, { SnsStore }, { S3Store }] = await Promise.all([
      fromPackage("./sqs/sqsStore.js"),
      fromPackage("./sns/snsStore.js"),
      fromPackage("./s3/s3Store.js"),
    ]);
    if (longestDelaySeconds !== undefined) shortenDelays(SqsQueue.prototype, longestDelaySeconds);
    const sqsStore = Object.assign(new SqsStore(), { host: "" });
    const stores = { sqsStore, snsStore: new SnsStore(), s3Store: new S3Store() };
    return buildApp({ logger: false, stores }).listen();
  },
};

listenOnLoopbackOnly();
const start = emulators[name];
if (start === undefined)
  throw new Error(`No emulator is called ${name}; use ${Object.keys(emulators).join(", ")}.`);
await start();
