/**
 * Installs what a first look does without, once it is needed; docs/decisions/0008-light-install.md says why.
 *
 *   node cli/install.mjs stacks   CDKTF, for whatever synthesises, checks or tests the stacks; nothing if it is there
 *   node cli/install.mjs node     where the host's Node runs no TypeScript, one that does, as `node_modules/.bin/node`
 *
 * What it says goes to stderr. Exits 1 if npm fails, or if there is no Node for the host. Plain JavaScript, because the
 * host's own Node runs it.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Installs what the lock file in `folder` says; one line on stderr tells what, and how long it took. */
function install(folder, what) {
  process.stderr.write(`Installing ${what}, once … `);
  const start = performance.now();
  // A build for the machine is an optional dependency; the options of the npm that runs this are not for here.
  const options = ["--include=optional", "--no-audit", "--no-fund", "--loglevel=error"];
  const { status } = spawnSync("npm", ["ci", ...options], {
    cwd: folder,
    // Standard output may be what a caller reads.
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32",
  });
  if (status !== 0) {
    process.stderr.write(`npm ci in ${folder} failed.\n`);
    process.exit(1);
  }
  process.stderr.write(`${Math.ceil((performance.now() - start) / 1000)} s\n`);
}

/** Whether the stacks find cdktf, and it is what the lock file asks for. */
function hasStacksPackages(folder) {
  const writtenAt = (file) => statSync(join(folder, file), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (existsSync(join(folder, "node_modules")))
    // npm writes this file last.
    return writtenAt("node_modules/.package-lock.json") >= writtenAt("package-lock.json");
  try {
    createRequire(join(folder, "cdktf.ts")).resolve("cdktf/package.json");
    return true;
  } catch {
    return false;
  }
}

function installStacks() {
  const folder = join(root, "stacks");
  if (!hasStacksPackages(folder)) install(folder, "CDKTF (650 MB)");
}

function installNode() {
  // Node 22.18 and newer leave the types out of TypeScript themselves.
  if (process.features.typescript) return;
  // npm runs scripts also where it writes a lock file alone.
  if (process.env.npm_config_package_lock_only === "true") return;
  const folder = join(root, "cli/old-host");
  const { optionalDependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const name = `node-${process.platform}-${process.arch}`;
  const version = optionalDependencies[name];
  if (version === undefined) {
    process.stderr.write(
      `Node ${process.version} is too old: install Node 22.18 or newer, then npm ci again.\n`,
    );
    process.exit(1);
  }
  install(folder, `Node ${version}, because ${process.version} runs no TypeScript (120 MB)`);
  // First in the path of every npm script and of npx. Its headers, half as large again, go.
  mkdirSync(join(root, "node_modules/.bin"), { recursive: true });
  renameSync(join(folder, "node_modules", name, "bin/node"), join(root, "node_modules/.bin/node"));
  rmSync(join(folder, "node_modules"), { recursive: true });
}

const [part] = process.argv.slice(2);
if (part === "stacks") installStacks();
else if (part === "node") installNode();
else {
  process.stderr.write("Usage: node cli/install.mjs stacks|node\n");
  process.exit(2);
}
