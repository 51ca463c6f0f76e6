/**
 * Installs what a first look does without, once it is needed; docs/decisions/0008-light-install.md says why.
 *
 *   node cli/install.mjs stacks   CDKTF, for whatever synthesises, checks or tests the stacks; nothing if it is there
 *   node cli/install.mjs checks   the same for tests and checks, which also need what `npm ci --omit=dev` leaves out
 *   node cli/install.mjs node     where the host's Node runs no TypeScript, one that does, as `node_modules/.bin/node`
 *
 * What it says goes to stderr. Exits 1 if npm fails, if there is no Node for the host, or if a check lacks packages;
 * 130 if it is interrupted. Plain JavaScript, because the host's own Node runs it.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

const isWindows = process.platform === "win32";

/** Installs what the lock file in `folder` says; one line on stderr tells what, and how long it took. */
async function install(folder, what) {
  process.stderr.write(`Installing ${what}, once … `);
  const start = performance.now();
  // A build for the machine is an optional dependency; the options of the npm that runs this are not for here.
  const options = ["--include=optional", "--no-audit", "--no-fund", "--loglevel=error"];
  const npm = spawn("npm", ["ci", ...options], {
    cwd: folder,
    // Standard output may be what a caller reads.
    stdio: ["ignore", "ignore", "inherit"],
    shell: isWindows,
    // A group of its own, which ends as one: npm by itself takes up to a minute to.
    detached: !isWindows,
  });
  for (const name of ["SIGINT", "SIGTERM"]) process.once(name, () => interrupt(npm));
  const [status] = await once(npm, "close").catch((error) => [error.message]);
  if (status !== 0) {
    process.stderr.write(`npm ci in ${folder} failed; correct what npm says and try again.\n`);
    process.exit(1);
  }
  process.stderr.write(`${Math.ceil((performance.now() - start) / 1000)} s\n`);
}

/** Ends at once. What npm leaves behind lacks the file that it writes last, so that the next call begins anew. */
function interrupt(npm) {
  if (isWindows) npm.kill();
  else process.kill(-npm.pid, "SIGKILL");
  process.stderr.write("\nInterrupted; the same command begins the installation again.\n");
  process.exit(130);
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

async function installStacks() {
  const folder = join(root, "stacks");
  if (!hasStacksPackages(folder)) await install(folder, "CDKTF (650 MB)");
}

async function installForChecks() {
  try {
    createRequire(join(root, "package.json")).resolve("typescript/package.json");
  } catch {
    process.stderr.write("Tests and checks need packages that npm ci --omit=dev leaves out; run npm ci.\n");
    process.exit(1);
  }
  await installStacks();
}

async function installNode() {
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
  await install(folder, `Node ${version}, because ${process.version} runs no TypeScript (120 MB)`);
  // First in the path of every npm script and of npx. Its headers, half as large again, go.
  mkdirSync(join(root, "node_modules/.bin"), { recursive: true });
  renameSync(join(folder, "node_modules", name, "bin/node"), join(root, "node_modules/.bin/node"));
  rmSync(join(folder, "node_modules"), { recursive: true });
}

const parts = { stacks: installStacks, checks: installForChecks, node: installNode };
const [part] = process.argv.slice(2);
if (!Object.hasOwn(parts, part)) {
  process.stderr.write(`Usage: node cli/install.mjs ${Object.keys(parts).join("|")}\n`);
  process.exit(2);
}
await parts[part]();
