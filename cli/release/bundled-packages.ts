/** The packages of which the bundles hold code: who made them, under which licence, and what they need of each other. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** A package, as it lies in `node_modules` and in the lock file. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX identifier or expression. */
  readonly licence: string;
  /**
   * Texts of its licence and notice files, in the order of their names. Some packages name a licence and bring no text:
   * then the licence's own.
   */
  readonly licenceTexts: readonly string[];
  /** SHA-512 of the package as the registry serves it, in hexadecimal digits, where the lock file has it. */
  readonly sha512: string | undefined;
  /** What it asks for and is bundled too, as `<name>@<version>`, sorted. */
  readonly needs: readonly string[];
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly integrity?: string }>>;
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/**
 * Reads the packages in these folders, in the order of name and version; one that lies in two folders is one.
 *
 * @param lockFile `package-lock.json` of the project
 * @throws Error for a package without a licence, without its text, or not installed as the lock file says
 */
export function readBundledPackages(folders: readonly string[], lockFile: string): BundledPackage[] {
  const lock = JSON.parse(readFileSync(lockFile, "utf8")) as Lock;
  const bundled = new Set(folders);
  const packages = [...bundled].map((folder) => readPackage(folder, lock, bundled));
  const byId = new Map(packages.map((found) => [idOf(found), found]));
  return [...byId.values()].sort((a, b) => compare(a.name, b.name) || compare(a.version, b.version));
}

function readPackage(folder: string, lock: Lock, bundled: ReadonlySet<string>): BundledPackage {
  const { name, version, license, dependencies = {} } = manifestIn(folder);
  const locked = lock.packages[folder.slice(folder.indexOf(`${modules}/`))];
  if (locked?.version !== version)
    throw new Error(`${name} ${version} is not what package-lock.json names; run npm ci.`);
  const integrity = /^sha512-(.+)$/.exec(locked.integrity ?? "")?.[1];
  const licenceTexts = licenceTextsIn(folder);
  const standardFile = standardTexts.get(license ?? "");
  if (licenceTexts.length === 0 && standardFile !== undefined) licenceTexts.push(textOf(standardFile));
  if (license === undefined || licenceTexts.length === 0)
    throw new Error(
      `${name} ${version} has no licence, or not its text; say in cli/release/bundled-packages.ts where it stands.`,
    );
  return {
    name,
    version,
    licence: license,
    licenceTexts,
    sha512: integrity === undefined ? undefined : Buffer.from(integrity, "base64").toString("hex"),
    needs: Object.keys(dependencies)
      .flatMap((dependency) => found(dependency, folder, bundled) ?? [])
      .map((needed) => idOf(manifestIn(needed)))
      .sort(),
  };
}

/** `<name>@<version>`: what a package is called in {@link BundledPackage.needs}. */
export function idOf({ name, version }: Pick<BundledPackage, "name" | "version">): string {
  return `${name}@${version}`;
}

function manifestIn(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
}

function licenceTextsIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((file) => /^(licen[cs]e|copying|notice)\b/i.test(file))
    .sort()
    .map((file) => textOf(join(folder, file)));
}

const textOf = (file: string): string => readFileSync(file, "utf8").replaceAll("\r\n", "\n").trim();

/** Files with the texts of licences that packages name without bringing them. */
const standardTexts: ReadonlyMap<string, string> = new Map([
  ["Apache-2.0", join(import.meta.dirname, "../../LICENSE")],
  ["MIT-0", join(import.meta.dirname, "MIT-0.txt")],
]);

const modules = "node_modules";

/** Where Node finds a package from another one's folder; `undefined` if that one is not bundled. */
function found(name: string, from: string, bundled: ReadonlySet<string>): string | undefined {
  for (let folder = from; folder !== dirname(folder); folder = dirname(folder)) {
    if (basename(folder) === modules) continue;
    const candidate = join(folder, modules, name);
    if (existsSync(join(candidate, "package.json"))) return bundled.has(candidate) ? candidate : undefined;
  }
  return undefined;
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
