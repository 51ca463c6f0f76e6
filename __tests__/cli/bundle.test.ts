/** What is deployed: the zips that `npm run bundle` writes. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pureSchemas } from "../../cli/lean-sdk.ts";
import { currentBundles } from "../support/bundle-folder.ts";

const root = join(__dirname, "../..");

describe("fault 54: the same sources bundled twice", () => {
  const second = mkdtempSync(join(tmpdir(), "sms-retry-"));
  afterAll(() => rmSync(second, { recursive: true }));

  function zipsIn(folder: string) {
    const zips = readdirSync(folder).filter((file) => file.endsWith(".zip"));
    return Object.fromEntries(
      zips.map((file) => {
        const path = join(folder, file);
        const sha256 = createHash("sha256").update(readFileSync(path)).digest("hex");
        return [file, { sha256, bytes: statSync(path).size }];
      }),
    );
  }

  test("give byte-identical zips, each of at most 110 KiB, for every function", async () => {
    // Prepare: the first time was `npm run bundle`, which `npm test` begins with; a bundle costs seconds.
    const first = await currentBundles();

    // Act: a process of its own, since jest compiles to CommonJS and the bundler is an ES module.
    const script = `const { bundleFunctions } = await import(${JSON.stringify(join(root, "cli/bundle.ts"))}); await bundleFunctions(${JSON.stringify(join(second, "functions"))});`;
    execFileSync(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", script],
      // Neither the folder it is started in, nor the time zone, nor the clock may show.
      { cwd: second, env: { ...process.env, TZ: "Pacific/Kiritimati" } },
    );

    // Assess
    const zips = zipsIn(first);
    expect(Object.keys(zips)).toEqual(
      expect.arrayContaining(["consume-kinesis.zip", "produce.zip", "resend.zip"]),
    );
    expect(zipsIn(join(second, "functions"))).toEqual(zips);
    expect(Object.entries(zips).filter(([, { bytes }]) => bytes > 110 * 1024)).toEqual([]);
  });
});

describe("a bundle", () => {
  test("takes credentials from nowhere but Lambda's environment", async () => {
    const folder = await currentBundles();
    const bundles = readdirSync(folder).filter((name) => !name.endsWith(".zip"));
    expect(bundles).toContain("attach-transformation");
    for (const name of bundles) {
      const code = readFileSync(join(folder, name, "index.mjs"), "utf8");
      expect(code).toContain("AWS_SECRET_ACCESS_KEY");
      expect(code).not.toMatch(
        /AWS_WEB_IDENTITY_TOKEN_FILE|AWS_CONTAINER_CREDENTIALS|sso_start_url|AssumeRole/,
      );
    }
  });

  test("keeps of a client's schemas what it calls: their keys are texts and no constants", () => {
    const source = 'const _h = "http";\nvar A$ = [9, n0, _A, { [_h]: ["GET", "/", 200], [_x]: 1 }];\n';
    expect(pureSchemas(source)).toBe(
      'const _h = "http";\nvar A$ = [9, n0, _A, { "http": ["GET", "/", 200], [_x]: 1 }];\n',
    );
  });
});
