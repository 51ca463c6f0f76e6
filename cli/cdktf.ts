#!/usr/bin/env node
/** `npx cdktf …` in this project: CDKTF's own command line, installed when it is first asked for. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { join } from "node:path";
import { withBackendConfig } from "./remote-state.ts";
import { UserError } from "./user-error.ts";

const env = environment();

function environment(): NodeJS.ProcessEnv {
  try {
    return withBackendConfig(process.env);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}

/** Runs a script of Node's to its end, and gives its exit status. */
async function run(script: string, parameters: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [script, ...parameters], { stdio: "inherit", env });
  const end = () => child.kill("SIGTERM");
  process.once("SIGTERM", end);
  const [status] = await once(child, "close");
  process.off("SIGTERM", end);
  return status ?? 1;
}

// Ctrl-C reaches what runs here, too; how that ends is the answer.
process.on("SIGINT", () => {});
const { resolve } = createRequire(join(import.meta.dirname, "../stacks/cdktf.ts"));
process.exitCode =
  (await run(join(import.meta.dirname, "install.mjs"), ["stacks"])) ||
  (await run(resolve("cdktf-cli/bundle/bin/cdktf"), process.argv.slice(2)));
