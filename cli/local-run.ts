/** Where the local runs that are under way are to be found, for commands with `--local`. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { localCredentials, region } from "../local/aws-clients.ts";
import { UserError } from "./user-error.ts";

/** A file for each local run under way: its name is the process id, its text JSON of its {@link LocalEndpoints}. */
const folder = join(import.meta.dirname, "../dist/local-runs");

/** The base URLs of a local run's services. */
export interface LocalEndpoints {
  readonly dynamodb: string;
  readonly sqs: string;
}

/** What an SDK client needs to reach a service of a local run. */
export interface LocalAccess {
  readonly region: string;
  readonly endpoint: string;
  readonly credentials: typeof localCredentials;
}

/** Lets other commands find this process's local run; the answer takes that back. */
export function announceLocalRun({ dynamodb, sqs }: LocalEndpoints): () => void {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, String(process.pid));
  writeFileSync(file, JSON.stringify({ dynamodb, sqs }));
  return () => rmSync(file, { force: true });
}

/**
 * How to reach a service of a local run that is under way.
 *
 * @param processId of the run; `true` = the only one
 * @param service whose client it is for
 * @throws UserError if there is no such run, or more than one
 */
export function localAccess(
  processId: number | true,
  service: keyof LocalEndpoints = "dynamodb",
): LocalAccess {
  const [found, ...others] = runsUnderWay().filter((run) => processId === true || run === processId);
  if (found === undefined) {
    throw new UserError(
      processId === true
        ? "No local run is under way; start one in another terminal with npm start."
        : `No local run has the process id ${processId}; give --local alone, or start a run with npm start.`,
    );
  }
  if (others.length > 0) {
    throw new UserError(
      `${others.length + 1} local runs are under way; name one by its process id: --local ${[found, ...others].join(" or ")}.`,
    );
  }
  const endpoints = JSON.parse(readFileSync(join(folder, String(found)), "utf8")) as LocalEndpoints;
  return {
    region,
    endpoint: endpoints[service],
    credentials: localCredentials,
  };
}

function runsUnderWay(): number[] {
  try {
    return readdirSync(folder).map(Number).filter(isAlive);
  } catch {
    // None was ever started here.
    return [];
  }
}

/** A run that was killed leaves its file. */
function isAlive(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch {
    return false;
  }
}
