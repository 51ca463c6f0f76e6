/** Emulators of the AWS services that the functions use, as servers of our own on loopback. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** Which server stands for which services. */
const emulatorNames = ["dynalite", "kinesis-local", "fauxqs"] as const;

type EmulatorName = (typeof emulatorNames)[number];

/** Where each service answers, e.g. `http://127.0.0.1:41234`. */
export interface Endpoints {
  readonly dynamodb: string;
  readonly kinesis: string;
  readonly sqs: string;
  readonly sns: string;
  readonly s3: string;
}

/** Running emulators. */
export interface Emulators {
  readonly endpoints: Endpoints;
  /** Rejects as soon as one of them dies by itself, with the end of what it wrote to stderr. */
  readonly died: Promise<never>;
  /** Ends all of them; resolves when they are gone. May be called twice. */
  stop(): Promise<void>;
}

/** An emulator that did not come up in time, or ended before it was told to. */
export class EmulatorError extends Error {
  override readonly name = "EmulatorError";
}

const startTimeoutSeconds = 20;
const keptErrorLines = 20;

interface EmulatorProcess {
  readonly endpoint: string;
  readonly child: ChildProcess;
  readonly died: Promise<never>;
}

/**
 * Starts dynalite (DynamoDB), kinesis-local (Kinesis) and fauxqs (SQS, SNS, S3), each in a process of its own
 * on a free port of 127.0.0.1, and resolves when all of them listen.
 *
 * @throws EmulatorError if one of them does not come up within 20 s; the others are stopped then
 */
export async function startEmulators(): Promise<Emulators> {
  const children: ChildProcess[] = [];
  let isStopping = false;
  const stop = async () => {
    isStopping = true;
    await Promise.all(children.map(end));
  };
  const startOne = (name: EmulatorName) => start(name, children, () => isStopping);
  try {
    const [dynalite, kinesis, fauxqs] = await Promise.all([
      startOne("dynalite"),
      startOne("kinesis-local"),
      startOne("fauxqs"),
    ]);
    const died = Promise.race([dynalite.died, kinesis.died, fauxqs.died]);
    // Whoever does not watch for a death must not be ended by it as an unhandled rejection.
    died.catch(() => {});
    return {
      endpoints: {
        dynamodb: dynalite.endpoint,
        kinesis: kinesis.endpoint,
        sqs: fauxqs.endpoint,
        sns: fauxqs.endpoint,
        s3: fauxqs.endpoint,
      },
      died,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  name: EmulatorName,
  children: ChildProcess[],
  isStopping: () => boolean,
): Promise<EmulatorProcess> {
  const child = fork(join(import.meta.dirname, "serve.ts"), [name], {
    execArgv: ["--disable-warning=ExperimentalWarning"],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  children.push(child);

  const errorLines: string[] = [];
  if (child.stderr !== null) {
    createInterface({ input: child.stderr }).on("line", (line) => {
      errorLines.push(line);
      if (errorLines.length > keptErrorLines) errorLines.shift();
    });
  }
  const died = new Promise<never>((_resolve, reject) => {
    child.once("exit", (code, signal) => {
      if (isStopping()) return;
      const reason = [`The emulator ${name} ended (${signal ?? `exit code ${code}`}).`, ...errorLines];
      reject(new EmulatorError(reason.join("\n")));
    });
  });
  died.catch(() => {});

  const listening = once(child, "message", { signal: AbortSignal.timeout(startTimeoutSeconds * 1000) }).catch(
    (cause: unknown) => {
      throw new EmulatorError(`The emulator ${name} did not start in ${startTimeoutSeconds} s.`, { cause });
    },
  );
  const [message] = (await Promise.race([listening, died])) as [{ port: number }];
  return { endpoint: `http://127.0.0.1:${message.port}`, child, died };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}
