/**
 * A real control plane for tests: moto's server, from the Python package `moto[server]`.
 *
 * Where it differs from AWS, as far as our tests meet it (moto 5.2.1): an update of an extended S3 destination
 * loses the legacy form of it in the description; a statement id may stand twice in a function's policy; no
 * processor gets Firehose's defaults; a stream is active at once and for ever.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { delimiter, join } from "node:path";
import { setTimeout } from "node:timers/promises";

/** How to get what is missing. */
const advice = "needs moto_server: pip install 'moto[server]'";

/** A running server. */
export interface MotoServer {
  readonly endpoint: string;
  /** Forgets everything that was created. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

function isInstalled(): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, "moto_server"), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * `describe` for tests that need the server. Without it they are skipped, with a notice that says how to install
 * it; in continuous integration (`CI=true`) they fail instead.
 */
export function describeWithMoto(name: string, tests: () => void): void {
  if (isInstalled()) {
    describe(name, tests);
  } else if (process.env.CI === "true") {
    test(`${name} (${advice})`, () => {
      throw new Error(`This test ${advice}.`);
    });
  } else {
    process.stderr.write(`Skipped: "${name}" ${advice}.\n`);
    describe.skip(`${name} (${advice})`, tests);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function isUp(endpoint: string): Promise<boolean> {
  try {
    return (await fetch(`${endpoint}/moto-api/`)).ok;
  } catch {
    return false;
  }
}

/**
 * Starts a server on a free port of this machine and waits until it answers.
 *
 * @throws Error with the server's own words if it ends, or does not answer within 60 s
 */
export async function startMotoServer(): Promise<MotoServer> {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const child = spawn("moto_server", ["-H", "127.0.0.1", "-p", String(port)], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let words = "";
  let hasEnded = false;
  child.stderr.on("data", (chunk: Buffer) => {
    words = (words + chunk.toString()).slice(-2_000);
  });
  child.on("error", (error) => {
    words = error.message;
    hasEnded = true;
  });
  child.on("exit", () => {
    hasEnded = true;
  });
  for (let tries = 0; !(await isUp(endpoint)); tries += 1) {
    if (hasEnded || tries === 240) {
      child.kill();
      throw new Error(`moto_server does not answer: ${words}`);
    }
    await setTimeout(250);
  }
  return {
    endpoint,
    async reset() {
      await fetch(`${endpoint}/moto-api/reset`, { method: "POST" });
    },
    stop: () => stop(child),
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const end = once(child, "exit");
  child.kill();
  await end;
}
