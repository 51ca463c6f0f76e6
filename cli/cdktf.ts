#!/usr/bin/env node
/** `npx cdktf …` in this project: CDKTF's own command line, installed when it is first asked for. */
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";

const stacks = join(import.meta.dirname, "../stacks");
try {
  execFileSync(process.execPath, [join(import.meta.dirname, "install.mjs"), "stacks"], { stdio: "inherit" });
} catch {
  // The installer has said why.
  process.exit(1);
}
const require = createRequire(join(stacks, "cdktf.ts"));
require(require.resolve("cdktf-cli/bundle/bin/cdktf"));
