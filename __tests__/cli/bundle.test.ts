/** What is deployed: the zips that `npm run bundle` writes. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(__dirname, "../..");

describe("fault 54: the same sources bundled twice", () => {
  // The first time was `npm run bundle`, which `npm test` begins with; a bundle costs seconds.
  const first = join(root, "dist/functions");
  const second = mkdtempSync(join(tmpdir(), "sms-retry-"));
  afterAll(() => rmSync(second, { recursive: true }));

  /** When a file in one of these places was written last. */
  function writtenAt(...places: string[]): number {
    const files = places.flatMap((place) => {
      const entries = statSync(place).isDirectory() ? readdirSync(place, { recursive: true }) : [""];
      return entries.map((entry) => statSync(join(place, String(entry))).mtimeMs);
    });
    return Math.max(...files);
  }

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

  test("give byte-identical zips, each below 400 KiB, for every function", () => {
    // Prepare
    const sources = ["functions", "cli/bundle.ts", "package-lock.json"].map((path) => join(root, path));
    if (writtenAt(...sources) > writtenAt(join(first, "produce.zip"))) {
      throw new Error("The sources were changed after they were bundled: npm run bundle");
    }

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
    expect(Object.entries(zips).filter(([, { bytes }]) => bytes >= 400 * 1024)).toEqual([]);
  });
});
