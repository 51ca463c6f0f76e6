/** Programs that the tests start: each is a process group of its own, so that none of its children stays behind. */
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";

const running = new Set<ChildProcess>();

/** Starts a program as the leader of a new process group, which {@link endGroup} ends as a whole. */
export function startGroup(
  command: string,
  parameters: readonly string[],
  options: SpawnOptions,
): ChildProcess {
  const child = spawn(command, parameters, { ...options, detached: true });
  running.add(child);
  child.once("close", () => running.delete(child));
  return child;
}

/** Kills a program with everything it started; resolves when it is gone. */
export async function endGroup(child: ChildProcess): Promise<void> {
  // The leader may be gone while its children are not: the group is killed either way.
  const isOver = child.exitCode !== null || child.signalCode !== null;
  const gone = isOver ? undefined : once(child, "exit");
  kill(child);
  await gone;
}

/** Kills every group that still runs; for the moment at which this process itself ends. */
export function killAllGroups(): void {
  for (const child of running) kill(child);
}

function kill({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // The group has no process left.
  }
}
