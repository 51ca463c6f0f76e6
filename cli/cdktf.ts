#!/usr/bin/env node
/** `npx cdktf …` in this project: CDKTF's own command line, installed when it is first asked for. */
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";

/** Runs a script of Node's to its end, and gives its exit status. */
function run(script: string, parameters: readonly string[]): number {
  return spawnSync(process.execPath, [script, ...parameters], { stdio: "inherit" }).status ?? 1;
}

const { resolve } = createRequire(join(import.meta.dirname, "../stacks/cdktf.ts"));
process.exitCode =
  run(join(import.meta.dirname, "install.mjs"), ["stacks"]) ||
  run(resolve("cdktf-cli/bundle/bin/cdktf"), process.argv.slice(2));
