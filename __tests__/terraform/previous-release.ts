/** The release before this one, built from the repository's history with the packages that its lock files name. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync } from "node:fs";
import { join } from "node:path";

const repository = join(import.meta.dirname, "../..");

/** What stands for the previous release until a tag does: the last commit before ended messages lost their bodies. */
const commitBeforeTags = "be1c9e78f705434b6abfa06f22b66d928432ab06";

/**
 * Bundles and synthesises the newest tag `v*` before this commit, in a folder of its own.
 *
 * @returns its name, and the folder of its stacks
 * @throws Error where the history is not there, as in a shallow clone
 */
export function synthesisePrevious(folder: string): { name: string; stacksFolder: string } {
  const name = previousTag() ?? commitBeforeTags;
  const project = join(folder, "project");
  mkdirSync(project, { recursive: true });
  execFileSync("tar", ["-x", "-C", project], { input: archiveOf(name) });
  for (const part of [".", "stacks"]) installPackages(part, project);
  const output = join(folder, "cdktf.out");
  execFileSync(process.execPath, ["--input-type=module", "-e", buildScript], {
    cwd: project,
    env: { ...process.env, OUTPUT: output, FUNCTIONS: join(folder, "functions") },
    stdio: ["ignore", "ignore", "inherit"],
  });
  return { name, stacksFolder: join(output, "stacks") };
}

/** The packages of the same lock file are here already; others are installed, which takes a minute. */
function installPackages(part: string, project: string): void {
  const here = join(repository, part);
  const there = join(project, part);
  const lockOf = (folder: string) => readFileSync(join(folder, "package-lock.json"), "utf8");
  const packages = join(here, "node_modules");
  if (lockOf(here) === lockOf(there) && existsSync(packages))
    symlinkSync(realpathSync(packages), join(there, "node_modules"));
  else
    execFileSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], {
      cwd: there,
      stdio: ["ignore", "ignore", "inherit"],
    });
}

function previousTag(): string | undefined {
  try {
    const parameters = ["describe", "--tags", "--match=v*", "--abbrev=0", "HEAD^"];
    return execFileSync("git", parameters, { cwd: repository, encoding: "utf8", stdio: "pipe" }).trim();
  } catch {
    // There is none yet.
    return undefined;
  }
}

function archiveOf(commit: string): Buffer {
  try {
    return execFileSync("git", ["archive", "--format=tar", commit], {
      cwd: repository,
      maxBuffer: 256 * 1024 * 1024,
      stdio: "pipe",
    });
  } catch (cause) {
    throw new Error(
      `The previous release, ${commit}, is not in the history here; git fetch --unshallow --tags.`,
      {
        cause,
      },
    );
  }
}

/** Runs in the old tree, by its own code. */
const buildScript = `
  const { bundleFunctions } = await import(process.cwd() + "/cli/bundle.ts");
  const { synthesise } = await import(process.cwd() + "/stacks/app.ts");
  await bundleFunctions(process.env.FUNCTIONS);
  synthesise({ version: "0.0.0-previous", functionsFolder: process.env.FUNCTIONS }, process.env.OUTPUT);
`;
