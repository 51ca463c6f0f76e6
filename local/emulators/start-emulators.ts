/** Emulators of the AWS services that the functions use, as servers of our own on loopback. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** Which server stands for which services. */
const emulatorNames = {
  dynamodb: "dynalite",
  kinesis: "kinesis-local",
  sqs: "fauxqs",
  sns: "fauxqs",
  s3: "fauxqs",
} as const;

type EmulatorName = (typeof emulatorNames)[Service];

/** A service that an emulator stands for. */
export type Service = keyof typeof emulatorNames;

/** Where each service answers, e.g. `http://127.0.0.1:41234`. */
export type Endpoints<Wanted extends Service = Service> = Readonly<Record<Wanted, string>>;

/** Running emulators. */
export interface Emulators<Wanted extends Service = Service> {
  readonly endpoints: Endpoints<Wanted>;
  /** Rejects as soon as one of them dies by itself, with the end of what it wrote to stderr. */
  readonly died: Promise<never>;
  /** Ends all of them; resolves when they are gone. May be called twice. */
  stop(): Promise<void>;
}

/** How emulators differ from their defaults. */
export interface EmulatorSettings {
  /**
   * The longest delay of a message on a queue, whatever its sender asks for: a test need not wait for half a minute.
   * @default none, as on AWS
   */
  readonly longestDelaySeconds?: number;
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
 * Starts dynalite (DynamoDB), kinesis-local (Kinesis) and fauxqs (SQS, SNS, S3), or those of them that stand for
 * the wanted services, each in a process of its own on a free port of 127.0.0.1, and resolves when all of them
 * listen. kinesis-local takes more than a second of CPU to start: whoever needs no stream leaves it out.
 *
 * @param wanted services that are needed; default: all
 * @throws EmulatorError if one of them does not come up within 20 s; the others are stopped then
 */
export async function startEmulators<Wanted extends Service = Service>(
  wanted: readonly Wanted[] = Object.keys(emulatorNames) as Wanted[],
  settings: EmulatorSettings = {},
): Promise<Emulators<Wanted>> {
  const children: ChildProcess[] = [];
  let isStopping = false;
  const stop = async () => {
    isStopping = true;
    await Promise.all(children.map(end));
  };
  const names = [...new Set(wanted.map((service): EmulatorName => emulatorNames[service]))];
  try {
    const started = new Map(
      await Promise.all(
        names.map(async (name) => [name, await start(name, settings, children, () => isStopping)] as const),
      ),
    );
    const died = Promise.race([...started.values()].map((emulator) => emulator.died));
    // Whoever does not watch for a death must not be ended by it as an unhandled rejection.
    died.catch(() => {});
    const endpoints = wanted.map((service) => [service, started.get(emulatorNames[service])?.endpoint]);
    return { endpoints: Object.fromEntries(endpoints) as Endpoints<Wanted>, died, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  name: EmulatorName,
  settings: EmulatorSettings,
  children: ChildProcess[],
  isStopping: () => boolean,
): Promise<EmulatorProcess> {
  const child = fork(join(import.meta.dirname, "serve.ts"), [name, JSON.stringify(settings)], {
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
      const reason = [
        `The emulator ${name} ended (${signal ?? `exit code ${code}`}); run it again, or mend what it says:`,
        ...errorLines,
      ];
      reject(new EmulatorError(reason.join("\n")));
    });
  });
  died.catch(() => {});

  const listening = once(child, "message", { signal: AbortSignal.timeout(startTimeoutSeconds * 1000) }).catch(
    (cause: unknown) => {
      throw new EmulatorError(
        `The emulator ${name} did not start in ${startTimeoutSeconds} s; run it again when the machine has less to do.`,
        { cause },
      );
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
