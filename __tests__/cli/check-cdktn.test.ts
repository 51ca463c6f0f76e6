import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { differences, withCdktnImports } from "../../cli/check-cdktn.ts";
import { scriptRunner, signedOut } from "../support/script-run.ts";

const run = scriptRunner("check-cdktn.ts");
/** The folder of a package that the stacks import. */
const { resolve } = createRequire(join(__dirname, "../../stacks/cdktf.ts"));
const packageOf = (name: string) => dirname(resolve(`${name}/package.json`));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sms-retry-check-cdktn-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Installs this project's own cdktf under the names of the fork; `source` can stand in for its main package. */
function installStandIns(source?: string): void {
  mkdirSync(join(folder, "node_modules/@cdktn"), { recursive: true });
  symlinkSync(packageOf("constructs"), join(folder, "node_modules/constructs"));
  symlinkSync(packageOf("@cdktf/provider-aws"), join(folder, "node_modules/@cdktn/provider-aws"));
  const cdktn = join(folder, "node_modules/cdktn");
  if (source === undefined) {
    symlinkSync(packageOf("cdktf"), cdktn);
    return;
  }
  mkdirSync(cdktn);
  const { version } = JSON.parse(readFileSync(join(packageOf("cdktf"), "package.json"), "utf8"));
  const manifest = { name: "cdktn", version, type: "module", exports: "./index.js" };
  writeFileSync(join(cdktn, "package.json"), JSON.stringify(manifest));
  writeFileSync(join(cdktn, "index.js"), source);
}

test("without a folder nothing is checked, and the notice says so", async () => {
  const { code, stdout } = await run(signedOut);

  expect(code).toBe(0);
  expect(stdout).toContain("Nothing was checked");
});

test("a named folder that lacks a package is an error, so that no job passes without it", async () => {
  mkdirSync(join(folder, "node_modules/cdktn"), { recursive: true });

  const { code, stderr } = await run({ ...signedOut, CDKTN_PACKAGES: folder });

  expect(code).toBe(1);
  expect(stderr).toContain("has no @cdktn/provider-aws, constructs");
});

test("an unknown option is a usage error", async () => {
  expect(await run(signedOut, "--package", folder)).toMatchObject({ code: 2 });
});

test("a fork that writes the same passes, and every stack was compared", async () => {
  installStandIns();

  const { code, stdout, stderr } = await run(signedOut, "--packages", folder);

  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^4 stacks, \d+ files: equal but for metadata\.$/m);
});

test("a fork that writes something else fails, and the difference is named", async () => {
  const cdktf = pathToFileURL(join(packageOf("cdktf"), "lib/index.js")).href;
  installStandIns(`
    import * as cdktf from ${JSON.stringify(cdktf)};
    export * from ${JSON.stringify(cdktf)};
    export class TerraformStack extends cdktf.TerraformStack {
      constructor(scope, name) {
        super(scope, name);
        this.addOverride("terraform.experiments", ["other"]);
      }
    }`);

  const { code, stderr } = await run(signedOut, "--packages", folder);

  expect(code).toBe(1);
  expect(stderr).toContain('cdk.tf.json.terraform.experiments: nothing, ["other"]');
});

test("every form of import of cdktf is renamed, and nothing else", () => {
  const text = `import { App } from "cdktf";
import type { S3Bucket } from '@cdktf/provider-aws/lib/s3-bucket/index.js';
const cli = import("cdktf-cli"); // cdktf
import { Construct } from "constructs";`;

  expect(withCdktnImports(text)).toBe(`import { App } from "cdktn";
import type { S3Bucket } from '@cdktn/provider-aws/lib/s3-bucket/index.js';
const cli = import("cdktf-cli"); // cdktf
import { Construct } from "constructs";`);
});

describe("differences", () => {
  test.each<[what: string, one: unknown, other: unknown, found: string[]]>([
    ["equal", { a: [1, { b: null }] }, { a: [1, { b: null }] }, []],
    ["another order of keys", { a: 1, b: 2 }, { b: 2, a: 1 }, []],
    ["metadata at any depth", { "//": 1, a: { "//": 2 } }, { "//": 3, a: {} }, []],
    ["another value", { a: { b: 1 } }, { a: { b: 2 } }, ["a.b: 1, 2"]],
    ["a value that is missing", { a: 1 }, {}, ["a: 1, nothing"]],
    ["a value that was added", {}, { a: null }, ["a: nothing, null"]],
    ["another order of a list", { a: [1, 2] }, { a: [2, 1] }, ["a.0: 1, 2", "a.1: 2, 1"]],
    ["a list for an object", { a: [] }, { a: {} }, ["a: [], {}"]],
    ["null for an object", { a: {} }, { a: null }, ["a: {}, null"]],
  ])("%s", (_what, one, other, found) => {
    expect(differences(one, other)).toEqual(found);
  });
});
