/** Scripts as a user runs them: a process of their own, and nothing of the AWS environment of whoever runs the tests. */
import { type ChildProcess, execFile } from "node:child_process";
import { join } from "node:path";

/** An environment without credentials. */
export const signedOut: Readonly<Record<string, string>> = {
  PATH: process.env.PATH ?? "",
  AWS_EC2_METADATA_DISABLED: "true",
  AWS_CONFIG_FILE: "/nowhere/config",
  AWS_SHARED_CREDENTIALS_FILE: "/nowhere/credentials",
};

/** An environment with credentials that emulators take. */
export const signedIn: Readonly<Record<string, string>> = {
  ...signedOut,
  AWS_REGION: "us-east-1",
  AWS_ACCESS_KEY_ID: "test",
  AWS_SECRET_ACCESS_KEY: "test",
};

/** How a script ended. */
export interface ScriptRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A function that runs `cli/NAME` with an environment, the first arguments and its own, to its end, or to the end of the test
 * where that comes first. To be called outside of tests.
 */
export function scriptRunner(
  name: string,
  ...first: readonly string[]
): (environment: Readonly<Record<string, string>>, ...given: string[]) => Promise<ScriptRun> {
  const path = join(__dirname, "../../cli", name);
  const running = new Set<ChildProcess>();
  afterEach(() => {
    for (const child of running) child.kill("SIGKILL");
  });
  return (environment, ...given) =>
    new Promise((resolve) => {
      const child = execFile(
        process.execPath,
        [path, ...first, ...given],
        { env: environment },
        (_error, stdout, stderr) => {
          running.delete(child);
          resolve({ code: child.exitCode, stdout, stderr });
        },
      );
      running.add(child);
    });
}
