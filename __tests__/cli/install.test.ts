import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { eventually } from "../support/eventually.ts";

const root = join(__dirname, "../..");

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sms-retry-install-"));
  mkdirSync(join(folder, "stacks"));
  mkdirSync(join(folder, "cli/old-host"), { recursive: true });
  cpSync(join(root, "cli/install.mjs"), join(folder, "cli/install.mjs"));
  cpSync(join(root, "cli/old-host/package.json"), join(folder, "cli/old-host/package.json"));
  writeFileSync(join(folder, "stacks/package-lock.json"), "{}");
  npmDoes("mkdir -p node_modules && touch node_modules/.package-lock.json");
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What stands in for npm: it notes where and how it was called, writes a line of its own, and does this. */
function npmDoes(commands: string): void {
  const npm = join(folder, "npm");
  writeFileSync(npm, `#!/bin/sh\necho "$PWD $*" >> "${folder}/calls"\necho added\n${commands}\n`);
  chmodSync(npm, 0o755);
}

const calls = () => (existsSync(join(folder, "calls")) ? readFileSync(join(folder, "calls"), "utf8") : "");

function install(part: string, options: readonly string[] = [], environment: NodeJS.ProcessEnv = {}) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...options, join(folder, "cli/install.mjs"), part],
    {
      encoding: "utf8",
      env: { ...environment, PATH: `${folder}${delimiter}${process.env.PATH}` },
    },
  );
  return { status, stdout, stderr };
}

describe("stacks", () => {
  test("missing packages are installed; one line says so, and standard output stays clean", () => {
    const { status, stdout, stderr } = install("stacks");

    expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
    expect(stderr).toMatch(/^Installing CDKTF \(650 MB\), once … \d+ s\n$/);
    expect(calls()).toMatch(/^\S+\/stacks ci --include=optional /);
  });

  test("packages that are there are left alone, without a word", () => {
    install("stacks");
    rmSync(join(folder, "calls"));

    expect(install("stacks")).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(calls()).toBe("");
  });

  test("a lock file that changed since is installed again", () => {
    install("stacks");
    const later = Date.now() / 1000 + 60;
    utimesSync(join(folder, "stacks/package-lock.json"), later, later);
    rmSync(join(folder, "calls"));

    install("stacks");

    expect(calls()).not.toBe("");
  });

  test("an installation that was interrupted is begun again", () => {
    mkdirSync(join(folder, "stacks/node_modules"));

    install("stacks");

    expect(calls()).not.toBe("");
  });

  test("a cdktf further up is good enough", () => {
    mkdirSync(join(folder, "node_modules/cdktf"), { recursive: true });
    writeFileSync(join(folder, "node_modules/cdktf/package.json"), "{}");

    expect(install("stacks")).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(calls()).toBe("");
  });

  test("a failure of npm is one, and says where", () => {
    npmDoes("echo no network >&2; exit 7");

    const { status, stderr } = install("stacks");

    expect(status).toBe(1);
    expect(stderr).toMatch(
      /no network\nnpm ci in \S+\/stacks failed; correct what npm says and try again\.\n$/,
    );
  });

  test("Ctrl-C ends it at once, npm and all that it started too, and the next call begins again", async () => {
    // Prepare: an npm that answers no signal, and half of the packages.
    npmDoes(`trap "" INT TERM; mkdir node_modules ../node_modules-half; sleep 60 & wait`);
    const started = spawn(process.execPath, [join(folder, "cli/install.mjs"), "stacks"], {
      env: { PATH: `${folder}${delimiter}${process.env.PATH}` },
    });
    let stderr = "";
    started.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk;
    });
    await eventually(() => expect(existsSync(join(folder, "node_modules-half"))).toBe(true));

    // Act
    started.kill("SIGINT");
    // Standard error is closed when the last of them has ended.
    const [status] = await once(started, "close");

    // Assess
    expect({ status, stderr }).toEqual({
      status: 130,
      stderr:
        "Installing CDKTF (650 MB), once … \nInterrupted; the same command begins the installation again.\n",
    });
    npmDoes("mkdir -p node_modules && touch node_modules/.package-lock.json");
    expect(install("stacks").status).toBe(0);
    expect(install("stacks").stderr).toBe("");
  });
});

describe("checks", () => {
  test("without the packages of tests and checks nothing is installed, and npm ci is named", () => {
    expect(install("checks")).toEqual({
      status: 1,
      stdout: "",
      stderr: "Tests and checks need packages that npm ci --omit=dev leaves out; run npm ci.\n",
    });
    expect(calls()).toBe("");
  });

  test("with them CDKTF is installed", () => {
    mkdirSync(join(folder, "node_modules/typescript"), { recursive: true });
    writeFileSync(join(folder, "node_modules/typescript/package.json"), "{}");

    expect(install("checks").status).toBe(0);
    expect(calls()).toMatch(/^\S+\/stacks ci /);
  });

  test("are asked for by every script of package.json that needs such a package", () => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const needing = Object.entries<string>(scripts)
      .filter(([, command]) => /\b(jest|tsc|biome|slow-tests|__tests__|check-cdktn|generate-)/.test(command))
      .filter(([, command]) => !command.startsWith("node cli/install.mjs checks && "));

    expect(needing.map(([name]) => name)).toEqual(["format"]);
  });
});

describe("node", () => {
  /** The options of a Node that runs no TypeScript. */
  const old = ["--no-experimental-strip-types"];
  const name = `node-${process.platform}-${process.arch}`;

  test("a host whose Node runs TypeScript gets none", () => {
    expect(install("node")).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(calls()).toBe("");
  });

  test("any other gets one that does, first in the path of npm's scripts, and nothing besides", () => {
    const file = join(folder, "cli/old-host/package.json");
    writeFileSync(file, JSON.stringify({ optionalDependencies: { [name]: "24.1.2" } }));
    npmDoes(`mkdir -p node_modules/${name}/bin && echo binary > node_modules/${name}/bin/node`);

    const { status, stderr } = install("node", old);

    expect(status).toBe(0);
    expect(stderr).toContain(`Installing Node 24.1.2, because ${process.version} runs no TypeScript`);
    expect(readFileSync(join(folder, "node_modules/.bin/node"), "utf8")).toBe("binary\n");
    expect(existsSync(join(folder, "cli/old-host/node_modules"))).toBe(false);
  });

  test("a host that there is no Node for is told what to install", () => {
    const file = join(folder, "cli/old-host/package.json");
    writeFileSync(file, JSON.stringify({ optionalDependencies: { "node-other-x64": "24.1.2" } }));

    const { status, stderr } = install("node", old);

    expect(status).toBe(1);
    expect(stderr).toContain("install Node 22.18 or newer");
    expect(calls()).toBe("");
  });

  test("nothing is installed where npm writes a lock file alone", () => {
    expect(install("node", old, { npm_config_package_lock_only: "true" }).status).toBe(0);
    expect(calls()).toBe("");
  });
});

test("an unknown part is a usage error", () => {
  expect(install("nodes")).toMatchObject({ status: 2, stderr: expect.stringContaining("Usage:") });
});
