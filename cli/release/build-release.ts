/**
 * `npm run release`: builds what a release holds into `dist/release/`, from nothing but the sources and the lock file.
 *
 *   --output DIR   another folder, which is replaced
 *   --tag vX.Y.Z   first sees that the tag is package.json's version and that the changelog has it; also writes
 *                  `release-notes.md`
 *
 * docs/release.md says what is in the folder. The same sources give the same bytes, in whichever folder they lie.
 */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { stackNames } from "../../stacks/stack-names.ts";
import { projectVersion } from "../artefacts.ts";
import { buildModules } from "../build-modules.ts";
import { type BundledFunction, bundleFunctions } from "../bundle.ts";
import { entriesOf, writeTarGz, writeZip } from "./archives.ts";
import { type BundledPackage, readBundledPackages } from "./bundled-packages.ts";
import { changelogFile, changesOf } from "./changelog.ts";
import { moduleRepositoryName, writeModuleRepository } from "./module-repository.ts";
import { sbomOf } from "./sbom.ts";
import { thirdPartyLicences } from "./third-party-licences.ts";

const project = join(import.meta.dirname, "../..");

/** Name of the bill of materials inside a module. */
const sbomFile = "sbom.cdx.json";

/**
 * Builds the release of the version that package.json names.
 *
 * @param output folder that is replaced
 * @throws Error if a package of the bundles is not what the lock file says, or has no licence
 */
export async function buildRelease(output: string): Promise<void> {
  const version = projectVersion();
  const work = mkdtempSync(join(tmpdir(), "sms-retry-release-"));
  try {
    const functionsFolder = join(work, "functions");
    const functions = await bundleFunctions(functionsFolder);
    const modules = join(work, "modules");
    buildModules({ version, functionsFolder }, modules);
    for (const name of stackNames) addMaterials(join(modules, name), { name, version }, functions);

    rmSync(output, { recursive: true, force: true });
    mkdirSync(output, { recursive: true });
    for (const name of stackNames) await archive(join(modules, name), join(output, `${name}-${version}`));
    const repository = join(output, moduleRepositoryName);
    writeModuleRepository(repository, { version, modules, project });
    writeTarGz(join(output, `${moduleRepositoryName}-${version}.tar.gz`), entriesOf(repository));
    const all = packagesOf(functions);
    writeFileSync(join(output, `sms-retry-${version}.cdx.json`), sbomOf({ name: "sms-retry", version }, all));
    writeChecksums(output);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Puts beside a module's functions what is in them: the bill of materials and the licences. */
function addMaterials(
  folder: string,
  product: { name: string; version: string },
  functions: readonly BundledFunction[],
): void {
  const deployed = readdirSync(join(folder, "assets"));
  const packages = packagesOf(functions.filter(({ name }) => deployed.includes(name)));
  writeFileSync(join(folder, sbomFile), sbomOf(product, packages));
  writeFileSync(join(folder, "THIRD_PARTY_LICENSES.txt"), thirdPartyLicences(packages));
}

function packagesOf(functions: readonly BundledFunction[]): BundledPackage[] {
  return readBundledPackages(
    functions.flatMap(({ packageFolders }) => packageFolders),
    join(project, "package-lock.json"),
  );
}

async function archive(folder: string, name: string): Promise<void> {
  const entries = entriesOf(folder);
  await writeZip(`${name}.zip`, entries);
  writeTarGz(`${name}.tar.gz`, entries);
}

/** The form that `sha256sum --check` reads. */
function writeChecksums(folder: string): void {
  const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
  const lines = files
    .map(({ name }) => name)
    .sort()
    .map((name) => {
      const digest = createHash("sha256")
        .update(readFileSync(join(folder, name)))
        .digest("hex");
      return `${digest}  ${name}\n`;
    });
  writeFileSync(join(folder, "SHA256SUMS"), lines.join(""));
}

/**
 * What the changelog says of a tag's version.
 *
 * @throws Error if the tag is not `v` and package.json's version, or the changelog has no such section
 */
function releaseNotes(tag: string): string {
  const version = projectVersion();
  if (tag !== `v${version}`)
    throw new Error(
      `The tag is ${tag} and package.json says ${version}; set the version, commit, and tag that commit v${version}.`,
    );
  return changesOf(readFileSync(join(project, changelogFile), "utf8"), version);
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { output: { type: "string" }, tag: { type: "string" } } });
  const output = values.output ?? join(project, "dist/release");
  const notes = values.tag === undefined ? undefined : releaseNotes(values.tag);
  await buildRelease(output);
  if (notes !== undefined) writeFileSync(join(output, "release-notes.md"), notes);
  console.log(`Wrote the release ${projectVersion()} into ${relative(process.cwd(), output) || "."}.`);
}

if (import.meta.main)
  await main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
