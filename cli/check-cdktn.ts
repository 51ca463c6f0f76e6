/**
 * `npm run check:cdktn`: whether CDK Terrain (`cdktn`), the fork of the archived CDKTF, still writes what `cdktf`
 * writes from these stacks; see docs/decisions/0003-cdktf-today-cdk-terrain-tomorrow.md.
 *
 * A copy of the stacks imports `cdktn` and `@cdktn/provider-aws` in the place of `cdktf` and `@cdktf/provider-aws`, and
 * both are synthesised. Only the metadata in the comments (`//`) may differ. Exits 0 if so, 1 if not, 2 if an option is
 * wrong. The packages are no dependencies of this project: a folder in which they are installed is named, and without
 * one nothing is checked, with a notice and exit status 0.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { environmentNames } from "../functions/contract/environment.ts";

const root = join(import.meta.dirname, "..");

/** What has to be installed in the folder of `--packages`. */
const neededPackages = ["cdktn", "@cdktn/provider-aws", "constructs"] as const;

const helpText = `Usage: npm run check:cdktn -- [--packages DIR]

Synthesises the stacks with cdktf and, in a copy whose imports are renamed, with cdktn, and compares: nothing but
metadata may differ. Without a folder nothing is checked.

  --packages DIR   folder with node_modules/cdktn and node_modules/@cdktn/provider-aws; also CDKTN_PACKAGES
  -h, --help       print this

  npm install --prefix DIR cdktn @cdktn/provider-aws    # needs Node >= 22.11

Exit status: 0 if they are equal, or if nothing was checked; 1 if they differ, or DIR lacks a package; 2 if an option
is wrong.
`;

/** The imports of `cdktf` and its provider packages, in the text of a TypeScript file. */
const cdktfImport = /(["'])(@?)cdktf(\/[^"']*)?\1/g;

/** The text of a TypeScript file with every import of `cdktf` and `@cdktf/…` made one of `cdktn` and `@cdktn/…`. */
export function withCdktnImports(text: string): string {
  return text.replaceAll(cdktfImport, "$1$2cdktn$3$1");
}

/**
 * Where two parsed `cdk.tf.json` differ, each as `path: one value, other value`; the comments (`//`) in which CDKTF
 * keeps its metadata are left out. Empty if they are equal.
 */
export function differences(one: unknown, other: unknown, path = ""): string[] {
  if (isContainer(one) && isContainer(other) && Array.isArray(one) === Array.isArray(other)) {
    const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
    keys.delete("//");
    return [...keys].flatMap((key) =>
      differences(one[key], other[key], path === "" ? key : `${path}.${key}`),
    );
  }
  return one === other ? [] : [`${path}: ${shown(one)}, ${shown(other)}`];
}

function isContainer(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function shown(value: unknown): string {
  const text = value === undefined ? "nothing" : JSON.stringify(value);
  return text.length <= 100 ? text : `${text.slice(0, 99)}…`;
}

/** Everything that a synthesis wrote for the stacks: path below `stacks` → text, or the parsed configuration. */
type Output = Readonly<Record<string, unknown>>;

function readOutput(folder: string): Output {
  const stacks = join(folder, "stacks");
  const files = readdirSync(stacks, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => {
      const path = join(parentPath, name);
      const text = readFileSync(path, "latin1");
      const content = name === "cdk.tf.json" ? JSON.parse(readFileSync(path, "utf8")) : text;
      return [path.slice(stacks.length + 1), content];
    }),
  );
}

/** The versions of CDKTF or CDK Terrain that a synthesis names in its metadata. */
function writersOf(output: Output): string[] {
  return Object.entries(output)
    .filter(([file]) => file.endsWith("cdk.tf.json"))
    .map(([, stack]) => (stack as { "//": { metadata: { version: string } } })["//"].metadata.version);
}

/** Synthesises the stacks of `project` into `output`. The zips of the functions are stand-ins: their bytes do not matter. */
async function synthesised(project: string, zips: string, output: string): Promise<Output> {
  const app = pathToFileURL(join(project, "stacks/app.ts")).href;
  const { synthesise } = (await import(app)) as typeof import("../stacks/app.ts");
  synthesise({ version: "0.0.0", functionsFolder: zips }, output);
  return readOutput(output);
}

/**
 * Copies what the stacks are made of, with renamed imports in the one file that has them; `packages` are found before
 * those of this project.
 */
function copyWithCdktn(copy: string, packages: string): void {
  const filter = (path: string) => basename(path) !== "node_modules";
  for (const part of ["stacks", "functions", "package.json"])
    cpSync(join(root, part), join(copy, part), { recursive: true, filter });
  const path = join(copy, "stacks/cdktf.ts");
  writeFileSync(path, withCdktnImports(readFileSync(path, "utf8")));
  symlinkSync(join(packages, "node_modules"), join(copy, "node_modules"), "dir");
  symlinkSync(join(root, "node_modules"), join(copy, "../node_modules"), "dir");
}

/** Where the stacks import a package from: their own `node_modules`. */
const { resolve: ownPackage } = createRequire(join(root, "stacks/cdktf.ts"));

function manifestOf(packages: string, name: string): string {
  return join(packages, "node_modules", name, "package.json");
}

function versionOf(name: string, manifest: string): string {
  const { version } = JSON.parse(readFileSync(manifest, "utf8"));
  return `${name} ${version}`;
}

async function check(packages: string): Promise<number> {
  const missing = neededPackages.filter((name) => !existsSync(join(packages, "node_modules", name)));
  if (missing.length > 0) {
    console.error(
      `${packages} has no ${missing.join(", ")}: npm install --prefix ${packages} cdktn @cdktn/provider-aws`,
    );
    return 1;
  }
  const folder = mkdtempSync(join(tmpdir(), "sms-retry-cdktn-"));
  try {
    const zips = join(folder, "zips");
    mkdirSync(zips);
    for (const name of Object.keys(environmentNames)) writeFileSync(join(zips, `${name}.zip`), name);
    const copy = join(folder, "copy");
    copyWithCdktn(copy, packages);
    const ours = await synthesised(root, zips, join(folder, "cdktf"));
    const theirs = await synthesised(copy, zips, join(folder, "cdktn"));
    const version = versionOf("cdktn", manifestOf(packages, "cdktn"));
    const others = writersOf(theirs).filter((writer) => `cdktn ${writer}` !== version);
    if (others.length > 0)
      throw new Error(
        `The copy was written by ${others.join(", ")}, not by ${version}; look at the packages of --packages.`,
      );
    return report(ours, theirs, packages);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function report(ours: Output, theirs: Output, packages: string): number {
  const cdktf = ["cdktf", "@cdktf/provider-aws", "constructs"]
    .map((name) => versionOf(name, ownPackage(`${name}/package.json`)))
    .join(", ");
  const cdktn = neededPackages.map((name) => versionOf(name, manifestOf(packages, name))).join(", ");
  const stacks = Object.keys(ours).filter((file) => file.endsWith("cdk.tf.json")).length;
  const found = differences(ours, theirs);
  console.log(`${cdktf}\n${cdktn}`);
  if (found.length === 0) {
    console.log(`${stacks} stacks, ${Object.keys(ours).length} files: equal but for metadata.`);
    return 0;
  }
  console.error(`${found.length} differences; first cdktf, then cdktn:`);
  for (const difference of found.slice(0, 50)) console.error(`  ${difference}`);
  return 1;
}

async function main(given: readonly string[]): Promise<number> {
  let values: { packages?: string; help?: boolean };
  try {
    ({ values } = parseArgs({
      args: [...given],
      options: { packages: { type: "string" }, help: { type: "boolean", short: "h" } },
    }));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n--help shows the options.`);
    return 2;
  }
  if (values.help === true) {
    console.log(helpText);
    return 0;
  }
  const packages = values.packages ?? process.env.CDKTN_PACKAGES;
  if (packages === undefined || packages === "") {
    console.log("Nothing was checked: no folder with cdktn was named. --help says how.");
    return 0;
  }
  return await check(resolve(packages));
}

if (import.meta.main) {
  void main(process.argv.slice(2)).then((code) => {
    process.exitCode = code;
  });
}
