/** What `npm run release` writes; `npm run test:terraform` installs it. */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { Ajv } from "ajv";
import { changesOf, draftOf } from "../../cli/release/changelog.ts";
import { stackNames } from "../../stacks/stack-names.ts";
import { bomShape } from "../support/bom-shape.ts";
import { currentBundles } from "../support/bundle-folder.ts";
import { unzip } from "../terraform/unzip.ts";

const root = join(__dirname, "../..");
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
const repositoryName = "terraform-aws-sms-retry";

let folder: string;
let release: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sms-retry-release-test-"));
  release = join(folder, "release");
  expect(build(root, "--output", release)).toMatchObject({ status: 0, stderr: "" });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the command of a copy of the project. */
function build(project: string, ...parameters: string[]) {
  return spawnSync(process.execPath, [join(project, "cli/release/build-release.ts"), ...parameters], {
    encoding: "utf8",
    cwd: folder,
    env: {
      ...process.env,
      NODE_OPTIONS: "--disable-warning=ExperimentalWarning",
      TZ: project === root ? "UTC" : "Pacific/Kiritimati",
    },
  });
}

/** The project's sources in another folder, which the same packages serve. */
function copyOfProject(name: string): string {
  const copy = join(folder, name);
  const parts = ["cli", "functions", "stacks", "examples"];
  const files = ["package.json", "package-lock.json", "tsconfig.json", "LICENSE", "CHANGELOG.md"];
  for (const part of [...parts, ...files])
    cpSync(join(root, part), join(copy, part), {
      recursive: true,
      filter: (source) => !source.includes("node_modules"),
    });
  for (const packages of ["node_modules", "stacks/node_modules"].filter((path) =>
    existsSync(join(root, path)),
  ))
    symlinkSync(realpathSync(join(root, packages)), join(copy, packages));
  return copy;
}

/** Every file under a folder with the digest of its bytes. */
function digestsIn(of: string): Record<string, string> {
  const files = readdirSync(of, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort();
  return Object.fromEntries(paths.map((path) => [relative(of, path), sha256(readFileSync(path))]));
}

const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
const archivesOf = (name: string) => [`${name}-${version}.tar.gz`, `${name}-${version}.zip`];

test("a build of the same sources in another folder and time zone gives the same bytes", () => {
  const again = join(folder, "again");
  // Another folder, and another mode for what is written there.
  const umask = process.umask(0o077);
  try {
    expect(build(copyOfProject("elsewhere"), "--output", again)).toMatchObject({ status: 0, stderr: "" });
  } finally {
    process.umask(umask);
  }

  expect(digestsIn(again)).toEqual(digestsIn(release));
});

test("it holds two archives for each module, checksums of all, and the module repository", () => {
  const entries = readdirSync(release).sort();
  const published = [
    ...stackNames.flatMap(archivesOf),
    `sms-retry-${version}.cdx.json`,
    `${repositoryName}-${version}.tar.gz`,
  ];
  const sums = readFileSync(join(release, "SHA256SUMS"), "utf8").trim().split("\n");

  expect(entries).toEqual([...published, "SHA256SUMS", repositoryName].sort());
  expect(sums).toEqual(
    published.sort().map((name) => `${sha256(readFileSync(join(release, name)))}  ${name}`),
  );
});

describe.each(stackNames)("the release of %s", (name) => {
  const moduleFolder = () => join(release, repositoryName, "modules", name);
  const bom = () => JSON.parse(readFileSync(join(moduleFolder(), "sbom.cdx.json"), "utf8"));

  test("zip, tar and module repository hold the same files, sorted, with fixed times and modes", () => {
    const [tar = "", zip = ""] = archivesOf(name).map((file) => join(release, file));
    const files = digestsIn(moduleFolder());
    const unpacked = mkdtempSync(join(folder, "tar-"));
    execFileSync("tar", ["-xzf", tar, "-C", unpacked]);
    const listing = execFileSync("tar", ["-tvzf", tar], {
      encoding: "utf8",
      env: { ...process.env, TZ: "UTC" },
    });
    const zipped = [...unzip(readFileSync(zip))].map(([path, bytes]) => [path, sha256(bytes)]);

    expect(digestsIn(unpacked)).toEqual(files);
    expect(zipped).toEqual(Object.entries(files).sort());
    for (const line of listing.trim().split("\n")) {
      expect(line).toMatch(/^-rw-r--r-- /);
      expect(line).toMatch(/ (1980-01-01|Jan +1 +1980) /);
    }
  });

  test("it says under which licences the bundled code is, and brings their texts", () => {
    const page = readFileSync(join(moduleFolder(), "THIRD_PARTY_LICENSES.txt"), "utf8");
    const components: { group?: string; name: string; version: string; licenses: object[] }[] =
      bom().components;

    expect(components.length).toBeGreaterThan(10);
    for (const { group, name: local, version: of } of components)
      expect(page).toContain(`\n${group === undefined ? "" : `${group}/`}${local} ${of} (`);
    expect(page).toContain("Apache License");
    expect(page).toContain("Permission is hereby granted, free of charge");
    expect(existsSync(join(moduleFolder(), "LICENSE"))).toBe(true);
  });

  test("its bill of materials is CycloneDX and names the packages in its bundles, no other", async () => {
    // The source maps of the bundles know it too, by another way.
    const bundles = await currentBundles();
    const inMaps = readdirSync(join(moduleFolder(), "assets")).flatMap((lambda) => {
      const map = readFileSync(join(bundles, lambda, "index.mjs.map"), "utf8");
      const { sources } = JSON.parse(map) as { sources: string[] };
      return sources.flatMap((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []);
    });
    const components: { group?: string; name: string; "bom-ref": string; purl: string }[] = bom().components;
    const names = components.map((part) =>
      part.group === undefined ? part.name : `${part.group}/${part.name}`,
    );

    expect(shapeErrors(bom())).toEqual([]);
    expect([...new Set(names)].sort()).toEqual([...new Set(inMaps)].sort());
    expect(bom().metadata.component).toMatchObject({ name, version });
  });

  test("whoever a component asks for is in the bill of materials, and every reference is one", () => {
    const { components, dependencies, metadata } = bom();
    const refs = [metadata.component, ...components].map((part) => part["bom-ref"]);
    const asked: string[] = dependencies.flatMap((of: { dependsOn: string[] }) => of.dependsOn);

    expect(new Set(refs).size).toBe(refs.length);
    expect(dependencies.map(({ ref }: { ref: string }) => ref)).toEqual(refs);
    expect(refs).toEqual(expect.arrayContaining(asked));
    expect(
      dependencies.filter((of: { dependsOn: string[] }) => of.dependsOn.length > 1).length,
    ).toBeGreaterThan(5);
  });
});

/** What CycloneDX's schema says against a document. */
function shapeErrors(document: object) {
  const ajv = new Ajv({ strict: true, allErrors: true });
  const validate = ajv.compile(bomShape);
  validate(document);
  return validate.errors ?? [];
}

test("a document that is no bill of materials is seen", () => {
  const bom = JSON.parse(readFileSync(join(release, `sms-retry-${version}.cdx.json`), "utf8"));

  expect(shapeErrors(bom)).toEqual([]);
  expect(shapeErrors({ ...bom, serialNumber: "1" })).not.toEqual([]);
  expect(shapeErrors({ ...bom, components: [{ ...bom.components[0], type: "package" }] })).not.toEqual([]);
});

describe("the module repository", () => {
  const repository = () => join(release, repositoryName);
  const textOf = (...path: string[]) => readFileSync(join(repository(), ...path), "utf8");

  test("it has what a registry asks for, and every stack as a submodule", () => {
    const { version: readme } = /version = "(?<version>[^"]+)"/.exec(textOf("README.md"))?.groups ?? {};

    expect(readdirSync(repository())).toEqual(
      expect.arrayContaining(["LICENSE", "README.md", "examples", "modules", "CHANGELOG.md"]),
    );
    expect(readdirSync(repository()).some((file) => /^versions\.tf/.test(file))).toBe(true);
    expect(readdirSync(join(repository(), "modules")).sort()).toEqual([...stackNames].sort());
    expect(readme).toBe(version);
  });

  test("its examples call the modules beside them, and nothing of them has to be built", () => {
    for (const example of readdirSync(join(repository(), "examples"))) {
      const [, called] =
        /source = "\.\.\/\.\.\/modules\/([a-z-]+)"/.exec(textOf("examples", example, "main.tf")) ?? [];
      expect(stackNames).toContain(called);
      for (const file of readdirSync(join(repository(), "examples", example)))
        expect(textOf("examples", example, file)).not.toMatch(/npm|dist\/modules/);
    }
  });

  test("every link of its pages leads to a file of it", () => {
    const pages = readdirSync(repository(), { recursive: true, encoding: "utf8" }).filter(
      (file) => file.endsWith(".md") && file !== "CHANGELOG.md",
    );
    const targets = pages.flatMap((page) =>
      [...textOf(page).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)]
        .filter(([, target = ""]) => !/^[a-z]+:/.test(target))
        .map(([, target = ""]) => join(dirname(page), target)),
    );

    expect(targets.length).toBeGreaterThan(stackNames.length);
    expect(targets.filter((target) => !existsSync(join(repository(), target)))).toEqual([]);
  });
});

describe("a tag", () => {
  test("one that is not package.json's version is refused, and nothing is written", () => {
    const output = join(folder, "refused");
    const { status, stderr } = build(root, "--output", output, "--tag", "v99.0.0");

    expect(status).toBe(1);
    expect(stderr).toBe(
      `The tag is v99.0.0 and package.json says ${version}; set the version, commit, and tag that commit v${version}.\n`,
    );
    expect(existsSync(output)).toBe(false);
  });

  test("one whose version the changelog has is released with what the changelog says", () => {
    const project = copyOfProject("tagged");
    const output = join(folder, "tagged-release");
    const changelog = readFileSync(join(project, "CHANGELOG.md"), "utf8");
    writeFileSync(
      join(project, "CHANGELOG.md"),
      changelog.replace(
        /^## \[Unreleased\]$/m,
        `## [Unreleased]\n\n## [${version}] - 2026-12-01\n\nThe first one.`,
      ),
    );

    expect(build(project, "--output", output, "--tag", `v${version}`)).toMatchObject({
      status: 0,
      stderr: "",
    });
    expect(readFileSync(join(output, "release-notes.md"), "utf8")).toMatch(/^The first one\.\n/);
  });
});

describe("the changelog", () => {
  const changelog = [
    "# Changelog\n",
    "## [Unreleased]\n\nSoon.\n",
    "## [1.2.0] - 2026-12-01\n\n### Added\n\n* One\n\n### Fixed\n\n* Two\n",
    "## [1.1.0] - 2026-11-01\n",
    "## [1.0.0]\n\nNo date.\n",
  ].join("\n");

  test("a release takes its own section, without the heading", () => {
    expect(changesOf(changelog, "1.2.0")).toBe("### Added\n\n* One\n\n### Fixed\n\n* Two\n");
  });

  test.each(["1.1.0", "1.0.0", "1.3.0", "2.0"])("%s has no section, an empty one or no date", (missing) => {
    expect(() => changesOf(changelog, missing)).toThrow(`no section "## [${missing}] - <date>"`);
  });

  test("a draft has the conventional commits that a user notices, breaking ones first", () => {
    const draft = draftOf([
      "feat: alarms on throttles",
      "docs: threat model",
      "fix(cli)!: erase asks before it deletes",
      "fix: a number without its plus is found",
      "Merge branch 'main'",
      "perf: one write less",
      "feat(stacks): a second stream",
    ]);

    expect(draft).toBe(
      [
        "### Breaking\n\n* erase asks before it deletes\n",
        "### Added\n\n* alarms on throttles\n* a second stream\n",
        "### Changed\n\n* one write less\n",
        "### Fixed\n\n* a number without its plus is found\n",
      ].join("\n"),
    );
  });

  test("commits that change nothing for users give an empty draft", () => {
    expect(draftOf(["test: more", ""])).toBe("");
  });
});
