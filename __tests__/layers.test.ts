/** The rules about layers (design section 8), and fault 54: the same sources give the same zips. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, normalize, relative } from "node:path";
import ts from "typescript";

const root = join(__dirname, "..");

/** A TypeScript file of the project. */
interface SourceFile {
  /** e.g. `functions/core/message/decision.ts` */
  readonly path: string;
  /** What it imports, types and dynamic imports included: package names, or paths from the root. */
  readonly imports: readonly string[];
  /** Those of them that bring code, not only types. */
  readonly codeImports: readonly string[];
  readonly tree: ts.SourceFile;
}

function readSource(path: string): SourceFile {
  const text = readFileSync(join(root, path), "utf8");
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const fromRoot = (imported: string) =>
    imported.startsWith(".") ? normalize(join(path, "..", imported)) : imported;
  const imports = ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fromRoot(fileName));
  const ofTypes = tree.statements
    .filter((statement) => ts.isImportDeclaration(statement) && bringsTypesAlone(statement))
    .map((statement) =>
      fromRoot(((statement as ts.ImportDeclaration).moduleSpecifier as ts.StringLiteral).text),
    );
  return { path, imports, codeImports: imports.filter((imported) => !ofTypes.includes(imported)), tree };
}

function bringsTypesAlone({ importClause }: ts.ImportDeclaration): boolean {
  if (importClause === undefined) return false;
  if (importClause.isTypeOnly) return true;
  const { name, namedBindings } = importClause;
  if (name !== undefined || namedBindings === undefined || ts.isNamespaceImport(namedBindings)) return false;
  return namedBindings.elements.every(({ isTypeOnly }) => isTypeOnly);
}

const { include } = JSON.parse(readFileSync(join(root, "tsconfig.json"), "utf8")) as { include: string[] };

/** What the type checker reads, but for the tests. */
const sources = include
  .filter((path) => !path.includes(".") && path !== "__tests__")
  .flatMap((folder) =>
    ts.sys
      .readDirectory(join(root, folder), [".ts"], ["**/node_modules"])
      .map((path) => relative(root, path).replaceAll("\\", "/")),
  )
  .concat("main.ts")
  .sort()
  .map(readSource);

const within = (...folders: string[]) =>
  sources.filter(({ path }) => folders.some((folder) => path.startsWith(folder)));

/** What breaks a rule about imports: `file → import`. */
function importsOf(files: readonly SourceFile[], isForbidden: (imported: string, file: string) => boolean) {
  return files.flatMap(({ path, imports }) =>
    imports.filter((imported) => isForbidden(imported, path)).map((imported) => `${path} → ${imported}`),
  );
}

/** Files with a piece of code of this kind. */
function filesWith(files: readonly SourceFile[], isFound: (node: ts.Node) => boolean): string[] {
  const contains = (node: ts.Node): boolean => isFound(node) || (ts.forEachChild(node, contains) ?? false);
  return files.filter(({ tree }) => contains(tree)).map(({ path }) => path);
}

/** Whether a node is `holder.name`, or `holder` alone without a name. */
function isMember(node: ts.Node, holder: string, name?: string): boolean {
  if (!ts.isPropertyAccessExpression(node) && !ts.isElementAccessExpression(node)) return false;
  if (node.expression.getText() !== holder) return false;
  if (name === undefined) return true;
  return ts.isPropertyAccessExpression(node)
    ? node.name.text === name
    : node.argumentExpression.getText().slice(1, -1) === name;
}

test("the sources are found", () => {
  const paths = sources.map(({ path }) => path);
  expect(paths).toEqual(
    expect.arrayContaining([
      "functions/core/message/decision.ts",
      "stacks/app.ts",
      "local/start.ts",
      "main.ts",
    ]),
  );
  expect(sources.every(({ imports, tree }) => imports.length > 0 || tree.statements.length > 0)).toBe(true);
});

/** `functions/<name>/<name>-function.ts`: what the handler of AWS and the simulation share. */
const isComposition = (path: string) => /^functions\/([a-z-]+)\/\1-function\.ts$/.test(path);

describe("functions", () => {
  test("the core imports nothing of AWS, no adapter and no settings", () => {
    const isForbidden = (imported: string) =>
      /^@?aws|^@smithy|^@middy/.test(imported) ||
      (imported.startsWith("functions/") && !imported.startsWith("functions/core/"));

    expect(importsOf(within("functions/core/"), isForbidden)).toEqual([]);
  });

  test("a room of the core imports its own files and the rooms below it", () => {
    const rooms = ["events", "message", "queue", "observability", "sending", "processing"];
    const roomOf = (path: string) => rooms.indexOf(path.split("/")[2] ?? "");
    const goesUp = (imported: string, file: string) =>
      imported.startsWith("functions/core/") && roomOf(imported) > roomOf(file);
    const outOfRooms = within("functions/core/").filter(({ path }) => roomOf(path) === -1);

    expect(importsOf(within("functions/core/"), goesUp)).toEqual([]);
    expect(outOfRooms.map(({ path }) => path)).toEqual([
      "functions/core/clock.ts",
      "functions/core/errors.ts",
    ]);
  });

  test("the core of the Firehose attachment imports nothing of AWS, and of the other core its clock and errors", () => {
    const isForbidden = (imported: string) =>
      /^@?aws|^@smithy|^node:/.test(imported) ||
      (imported.startsWith("functions/") &&
        !/^functions\/(firehose-attachment\/(core|errors)|core\/(clock|errors)\.ts$)/.test(imported));

    expect(importsOf(within("functions/firehose-attachment/core/"), isForbidden)).toEqual([]);
  });

  test("the core imports nothing of Node that reaches outside the process", () => {
    const isForbidden = (imported: string) => imported.startsWith("node:");

    expect(importsOf(within("functions/core/"), isForbidden)).toEqual([]);
  });

  test("handlers import nothing but adapters, core, settings, the schema library and types of Lambda", () => {
    const handlers = within("functions/").filter(({ path }) => path.endsWith("/handler.ts"));
    const isForbidden = (imported: string) =>
      !/^functions\/(adapters|core|firehose-attachment)\/|^functions\/settings\.ts$|^valibot$|^aws-lambda$/.test(
        imported,
      ) && !isComposition(imported);

    expect(handlers.length).toBeGreaterThanOrEqual(3);
    expect(importsOf(handlers, isForbidden)).toEqual([]);
  });

  test("a function is composed of adapters and core, over an outside that it is given", () => {
    const compositions = within("functions/").filter(({ path }) => isComposition(path));
    const makesTheOutside = (imported: string) =>
      !/^functions\/(adapters|core)\//.test(imported) ||
      /^functions\/adapters\/(aws-clients|system-clock|powertools-telemetry)\.ts$/.test(imported);
    const found = compositions.flatMap(({ path, codeImports }) =>
      codeImports.filter(makesTheOutside).map((imported) => `${path} → ${imported}`),
    );

    expect(compositions.map(({ path }) => path.split("/")[1])).toEqual([
      "consume-kinesis",
      "produce",
      "resend",
      "transform-firehose",
    ]);
    expect(found).toEqual([]);
  });

  test("adapters import no handler and no environment contract", () => {
    const isForbidden = (imported: string) =>
      imported.startsWith("functions/") && !/^functions\/(adapters\/|core\/|settings\.ts$)/.test(imported);

    expect(importsOf(within("functions/adapters/"), isForbidden)).toEqual([]);
  });

  test("functions import nothing of the stacks, the local run or the command line", () => {
    const isForbidden = (imported: string) => /^(stacks|local|cli|__tests__)\//.test(imported);

    expect(importsOf(within("functions/"), isForbidden)).toEqual([]);
  });

  test("process.env is read in functions/settings.ts alone", () => {
    expect(filesWith(within("functions/"), (node) => isMember(node, "process", "env"))).toEqual([
      "functions/settings.ts",
    ]);
  });

  test("time and chance come from functions/adapters/system-clock.ts alone", () => {
    const asksTheMachine = (node: ts.Node) =>
      isMember(node, "Date", "now") ||
      isMember(node, "Math", "random") ||
      isMember(node, "performance") ||
      isMember(node, "process", "hrtime") ||
      // With an argument it only converts.
      (ts.isNewExpression(node) && node.expression.getText() === "Date" && !node.arguments?.length) ||
      (ts.isCallExpression(node) &&
        /^(Date|setTimeout|setInterval|randomUUID|randomBytes|randomInt)$/.test(node.expression.getText()));

    expect(filesWith(within("functions/"), asksTheMachine)).toEqual(["functions/adapters/system-clock.ts"]);
  });

  test("nothing writes to the console past the logger", () => {
    const writes = (node: ts.Node) =>
      (ts.isIdentifier(node) && node.text === "console") ||
      isMember(node, "process", "stdout") ||
      isMember(node, "process", "stderr");

    expect(filesWith(within("functions/"), writes)).toEqual([]);
  });
});

describe("stacks", () => {
  test("of the functions' code they know the environment contract and the event filter alone", () => {
    const shared = ["functions/contract/environment.ts", "functions/contract/event-filter.ts"];
    const found = within("stacks/").flatMap(({ path, codeImports }) =>
      codeImports
        .filter((imported) => imported.startsWith("functions/") && !shared.includes(imported))
        .map((imported) => `${path} → ${imported}`),
    );

    expect(found).toEqual([]);
  });

  test("names of the core that a stack must spell right come as types", () => {
    const isForbidden = (imported: string) =>
      /^functions\/(adapters\/|settings|[^/]+\/handler)/.test(imported);

    expect(importsOf(within("stacks/"), isForbidden)).toEqual([]);
  });

  test("cdktf is imported in stacks/cdktf.ts alone", () => {
    const isCdktf = (imported: string) => /^(cdktf|cdktf-cli|constructs|@cdktf\/)/.test(imported);
    const others = sources.filter(({ path }) => path !== "stacks/cdktf.ts");

    expect(importsOf(others, isCdktf)).toEqual([]);
    expect(importsOf(within("stacks/cdktf.ts"), isCdktf).length).toBeGreaterThan(0);
  });

  test("provider classes are imported by path, never from the barrel", () => {
    const isBarrel = (imported: string) =>
      /^@cdktf\/provider-[a-z-]+(\/lib(\/index(\.js)?)?)?$/.test(imported);

    expect(importsOf(sources, isBarrel)).toEqual([]);
  });

  test("they import nothing of the local run", () => {
    expect(importsOf(within("stacks/"), (imported) => imported.startsWith("local/"))).toEqual([]);
  });
});

describe("local", () => {
  test("it runs the built bundles: of the functions' sources it imports no handler and no adapter", () => {
    const isForbidden = (imported: string) =>
      /^functions\/(adapters\/|[^/]+\/handler\.ts)/.test(imported) || imported.startsWith("stacks/");

    expect(importsOf(within("local/"), isForbidden)).toEqual([]);
  });
});

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
