/** What `npm run bundle` produced, as the stacks ask for it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Artefacts } from "../stacks/shared/sms-retry-stack.ts";

const root = join(import.meta.dirname, "..");

/** The version in package.json. */
export function projectVersion(): string {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  return version;
}

/** The bundled functions and the version of this project; whether the zips exist is seen on synthesis. */
export function builtArtefacts(): Artefacts {
  return { version: projectVersion(), functionsFolder: join(root, "dist/functions") };
}
