/**
 * The rules about layers are those of `.dependency-cruiser.mjs` and `biome.json`, which `npm run lint`
 * applies. A rule that sees nothing would stay green for ever: here every one is broken on purpose.
 */
import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { promisify } from "node:util";

const root = join(__dirname, "..");
const tree = mkdtempSync(join(tmpdir(), "sms-retry-layers-"));
afterAll(() => rmSync(tree, { recursive: true }));

/** What breaks each rule: `file → what it imports`, or the file alone where the rule is about files. */
const broken: Readonly<Record<string, readonly string[]>> = {
  "no-cycle": ["cli/a.ts → cli/b.ts", "cli/c.ts → cli/d.ts (type)"],
  "no-unresolvable-import": ["cli/e.ts → no-such-package", "cli/e.ts → ./no-such-file.ts"],
  "no-undeclared-package": ["cli/e.ts → jest-circus"],
  "no-orphan": ["cli/orphan.ts"],
  "no-dead-file": ["functions/core/sending/needed-by-a-test.ts", "stacks/dead.ts", "cli/orphan.ts"],
  "no-dead-test-support": ["__tests__/support/dead.ts"],
  "tests-are-imported-by-tests": [
    "functions/adapters/x.ts → __tests__/support/x.ts",
    "stacks/x.ts → __tests__/support/x.ts (type)",
    "local/x.ts → __tests__/support/x.ts",
    "simulation/x.ts → __tests__/support/x.ts",
    "cli/x.ts → __tests__/support/x.ts",
    "main.ts → __tests__/support/x.ts",
  ],
  "tests-are-not-imported": ["__tests__/core/x.test.ts → __tests__/core/y.test.ts"],

  "core-knows-no-aws": [
    "functions/core/message/aws.ts → @aws-sdk/client-sqs (type)",
    "functions/core/clock.ts → @smithy/signature-v4",
    "functions/core/events/aws.ts → aws-lambda (type)",
    "functions/firehose-attachment/core/aws.ts → @aws-sdk/client-firehose",
    "functions/firehose-attachment/core/aws.ts → @smithy/node-http-handler",
  ],
  "core-reaches-nothing-outside": [
    "functions/core/queue/outside.ts → node:fs",
    "functions/core/errors.ts → node:crypto (type)",
    "functions/firehose-attachment/core/outside.ts → node:http",
  ],
  "core-is-the-lowest-layer": [
    "functions/core/sending/up.ts → functions/adapters/dynamodb/x.ts (type)",
    "functions/core/errors.ts → functions/settings.ts",
    "functions/core/message/up.ts → functions/contract/x.ts",
  ],
  "core-base-is-below-its-rooms": ["functions/core/clock.ts → functions/core/events/x.ts (type)"],
  "core-has-known-rooms": ["functions/core/processing/x.ts → functions/core/attic/x.ts"],
  "core-events-is-below-later-rooms": [
    "functions/core/events/up.ts → functions/core/message/x.ts",
    "functions/core/events/up.ts → functions/core/processing/x.ts (type)",
  ],
  "core-message-is-below-later-rooms": ["functions/core/message/up.ts → functions/core/queue/x.ts (type)"],
  "core-queue-is-below-later-rooms": ["functions/core/queue/up.ts → functions/core/observability/x.ts"],
  "core-observability-is-below-later-rooms": [
    "functions/core/observability/up.ts → functions/core/sending/x.ts",
  ],
  "core-sending-is-below-later-rooms": ["functions/core/sending/up.ts → functions/core/processing/x.ts"],
  "attachment-core-is-on-the-core-base": [
    "functions/firehose-attachment/core/up.ts → functions/firehose-attachment/adapters/x.ts (type)",
    "functions/firehose-attachment/core/up.ts → functions/core/message/x.ts",
  ],
  "attachment-adapters-are-on-the-cores": [
    "functions/firehose-attachment/adapters/up.ts → functions/settings.ts",
    "functions/firehose-attachment/adapters/up.ts → functions/contract/x.ts (type)",
  ],
  "adapters-are-on-the-core": [
    "functions/adapters/sqs/up.ts → functions/contract/x.ts",
    "functions/adapters/sqs/up.ts → functions/resend/resend-function.ts (type)",
  ],
  "contract-is-on-the-core": [
    "functions/contract/up.ts → functions/settings.ts",
    "functions/contract/up.ts → functions/adapters/x.ts (type)",
  ],
  "settings-are-on-core-and-contract": ["functions/settings.ts → functions/adapters/x.ts (type)"],
  "a-function-is-composed-over-a-given-outside": [
    "functions/resend/resend-function.ts → functions/adapters/aws-clients.ts",
    "functions/resend/resend-function.ts → functions/adapters/system-clock.ts",
    "functions/resend/resend-function.ts → functions/adapters/log-telemetry.ts",
    "functions/resend/resend-function.ts → @aws-sdk/client-sqs",
    "functions/produce/produce-function.ts → functions/adapters/aws-clients.ts",
  ],
  "a-function-is-composed-of-adapters-and-core": [
    "functions/resend/resend-function.ts → functions/settings.ts",
    "functions/resend/resend-function.ts → functions/produce/produce-function.ts",
  ],
  "handlers-are-thin": [
    "functions/resend/handler.ts → functions/produce/produce-function.ts",
    "functions/resend/handler.ts → @aws-sdk/client-sqs",
    "functions/resend/handler.ts → node:fs",
  ],
  "handlers-are-not-imported": [
    "local/x.ts → functions/resend/handler.ts",
    "functions/produce/produce-function.ts → functions/transform-firehose/handler.ts (type)",
  ],
  "functions-are-a-world-of-their-own": [
    "functions/adapters/x.ts → stacks/x.ts (type)",
    "functions/settings.ts → local/y.ts",
    "functions/resend/handler.ts → simulation/x.ts",
    "functions/contract/x.ts → cli/x.ts",
  ],
  "functions-bundle-no-dev-package": ["functions/adapters/x.ts → fast-check"],
  "functions-ask-the-machine-in-one-place": [
    "functions/adapters/x.ts → node:timers/promises",
    "functions/adapters/x.ts → node:process",
    "functions/adapters/x.ts → node:perf_hooks",
    "functions/adapters/x.ts → node:console",
    "functions/adapters/x.ts → node:timers",
  ],

  "stacks-share-the-contract-alone": [
    "stacks/kinesis/x.ts → functions/core/message/x.ts",
    "stacks/kinesis/x.ts → functions/firehose-attachment/core/x.ts",
  ],
  "stacks-take-names-as-types": [
    "stacks/kinesis/x.ts → functions/adapters/x.ts (type)",
    "stacks/kinesis/x.ts → functions/settings.ts (type)",
    "stacks/kinesis/x.ts → functions/resend/handler.ts (type)",
  ],
  "stacks-share-from-below": [
    "stacks/shared/x.ts → stacks/kinesis/x.ts (type)",
    "stacks/shared/y.ts → stacks/app.ts",
  ],
  "stacks-stand-side-by-side": ["stacks/kinesis/x.ts → stacks/firehose/x.ts (type)"],
  "stacks-need-no-tools": [
    "stacks/kinesis/x.ts → local/x.ts (type)",
    "stacks/kinesis/x.ts → simulation/x.ts",
    "stacks/kinesis/x.ts → cli/x.ts",
  ],
  "cdktf-in-one-module": [
    "stacks/kinesis/x.ts → cdktf (type)",
    "stacks/shared/cdktf.ts → constructs",
    "stacks/app.ts → @cdktf/provider-aws/lib/sqs-queue/index.js",
    "stacks/x.ts → @cdktf/hcl2json",
  ],
  "provider-classes-by-path": [
    "stacks/kinesis/x.ts → @cdktf/provider-aws (type)",
    "stacks/kinesis/y.ts → @cdktf/provider-aws/lib/index.js",
  ],

  "local-runs-the-bundles": [
    "local/x.ts → functions/adapters/x.ts (type)",
    "local/x.ts → functions/resend/handler.ts",
    "local/x.ts → stacks/x.ts",
    "local/x.ts → simulation/x.ts",
    "local/x.ts → cli/x.ts (type)",
  ],
  "simulation-runs-the-functions": ["simulation/x.ts → stacks/x.ts", "simulation/x.ts → cli/x.ts (type)"],
  "benchmark-runs-the-bundles": [
    "benchmark/x.ts → functions/adapters/x.ts (type)",
    "benchmark/x.ts → cli/x.ts",
    "benchmark/x.ts → simulation/x.ts",
  ],
  "main-is-for-synthesis": [
    "main.ts → functions/core/message/x.ts",
    "main.ts → local/x.ts",
    "main.ts → simulation/x.ts",
  ],
};

/** What a rule might take for broken and is not, and the ways back of the cycles. */
const allowed = [
  "cli/b.ts → cli/a.ts",
  "cli/d.ts → cli/c.ts",
  "functions/core/processing/x.ts → functions/core/message/x.ts",
  "functions/core/processing/x.ts → valibot",
  "functions/firehose-attachment/core/x.ts → functions/core/clock.ts",
  "functions/resend/resend-function.ts → functions/adapters/aws-clients.ts (type)",
  "functions/resend/handler.ts → functions/resend/resend-function.ts",
  "functions/resend/handler.ts → aws-lambda (type)",
  "functions/adapters/system-clock.ts → node:timers/promises",
  "stacks/cdktf.ts → constructs",
  "stacks/kinesis/x.ts → functions/contract/x.ts",
  "stacks/kinesis/x.ts → functions/core/message/x.ts (type)",
  "simulation/x.ts → functions/adapters/x.ts",
  "cli/x.ts → stacks/x.ts",
  "__tests__/core/x.test.ts → functions/core/sending/needed-by-a-test.ts",
];

/** Writes the files that break the rules, with empty ones for all that they import of ours. */
function writeTree(imports: readonly string[]): void {
  const statements = new Map<string, string[]>();
  const fileNamed = (path: string) => {
    const lines = statements.get(path) ?? [];
    statements.set(path, lines);
    return lines;
  };
  for (const line of imports) {
    const [, from = "", to, type] = /^(\S+)(?: → (\S+)( \(type\))?)?$/.exec(line) ?? [];
    const lines = fileNamed(from);
    if (to === undefined) continue;
    const isOurs = /^(functions|stacks|local|simulation|benchmark|cli|__tests__)\/|^main\.ts$/.test(to);
    if (isOurs) fileNamed(to);
    const path = isOurs ? relative(dirname(from), to).replace(/^(?!\.)/, "./") : to;
    lines.push(`import ${type === undefined ? "" : "type "}* as name${lines.length} from "${path}";`);
  }
  for (const [path, lines] of statements) {
    mkdirSync(join(tree, dirname(path)), { recursive: true });
    writeFileSync(join(tree, path), [...lines, "export const nothing = 0;", ""].join("\n"));
  }
}

/** Runs a command of `node_modules/.bin` in the tree, and gives what it prints whether it found something or not. */
async function outputOf(command: string, args: readonly string[]): Promise<string> {
  const run = promisify(execFile)(join(root, "node_modules/.bin", command), args, {
    cwd: tree,
    maxBuffer: 64 * 1024 * 1024,
  });
  const { stdout } = await run.catch((error: { stdout: string; stderr: string }) => error);
  return stdout;
}

beforeAll(() => {
  for (const folder of ["functions", "__tests__"]) mkdirSync(join(tree, folder));
  for (const file of [
    "package.json",
    "tsconfig.json",
    "biome.json",
    "functions/asks-the-machine.grit",
    "__tests__/long-names.grit",
    ".gitignore",
  ])
    copyFileSync(join(root, file), join(tree, file));
  symlinkSync(join(root, "node_modules"), join(tree, "node_modules"));
  mkdirSync(join(tree, "stacks"));
  copyFileSync(join(root, "stacks/package.json"), join(tree, "stacks/package.json"));
  symlinkSync(join(root, "stacks/node_modules"), join(tree, "stacks/node_modules"));
});

describe("the rules of .dependency-cruiser.mjs", () => {
  interface Violation {
    readonly rule: { readonly name: string };
    readonly from: string;
    readonly to: string;
    /** The import as it is written; absent where the rule is about a file. */
    readonly unresolvedTo?: string;
    readonly dependencyTypes?: readonly string[];
  }
  let rules: readonly string[] = [];
  /** For each rule what broke it, in the words of {@link broken}. */
  let found: Readonly<Record<string, readonly string[] | undefined>> = {};

  function inWords({ from, to, unresolvedTo, dependencyTypes: types = [] }: Violation): string {
    if (unresolvedTo === undefined) return from;
    const imported = types.includes("local") ? to : `${types.includes("core") ? "node:" : ""}${unresolvedTo}`;
    return `${from} → ${imported}${types.includes("type-only") ? " (type)" : ""}`;
  }

  beforeAll(async () => {
    writeTree([...Object.values(broken).flat(), ...allowed]);
    const config = join(root, ".dependency-cruiser.mjs");
    const places = ["functions", "stacks", "local", "simulation", "benchmark", "cli", "main.ts", "__tests__"];
    const { summary } = JSON.parse(await outputOf("depcruise", ["-c", config, "-T", "json", ...places])) as {
      summary: { violations: Violation[]; ruleSetUsed: { forbidden: { name: string }[] } };
    };
    rules = summary.ruleSetUsed.forbidden.map(({ name }) => name);
    const pairs = summary.violations.map((violation) => [violation.rule.name, inWords(violation)] as const);
    found = Object.fromEntries(
      rules.map((rule) => [rule, pairs.filter(([name]) => name === rule).map(([, what]) => what)]),
    );
  });

  test("are all broken here", () => {
    expect(Object.keys(broken).sort()).toEqual([...rules].sort());
  });

  test.each(Object.entries(broken))("%s sees what breaks it", (rule, expected) => {
    expect(found[rule]).toEqual(expect.arrayContaining([...expected]));
  });

  test("see nothing in what is allowed", () => {
    const refused = Object.values(found).flatMap((each) => each ?? []);
    expect(allowed.filter((each) => refused.includes(each))).toEqual([]);
  });
});

describe("the rules of biome.json", () => {
  const asksTheMachine = [
    "new Date()",
    "Date()",
    "Date.now()",
    "[1].map(Date.now)",
    "new Date",
    'Date["now"]()',
    "Date",
    "[Date]",
    "Reflect.construct(Date, [])",
    "(clock = Date) => clock.now()",
    "Math.random()",
    'Math["random"]()',
    "[Math]",
    "Math",
    "performance.now()",
    "setTimeout(() => {}, 1)",
    "setInterval(() => {}, 1)",
    "setImmediate(() => {})",
    "crypto.randomUUID()",
    "globalThis.Date",
    'import("node:crypto").then(({ randomUUID }) => randomUUID())',
    "process.hrtime()",
    "process.env.NAME",
    'process["env"]',
    "process.stdout",
    "process.stderr",
    "console.log",
  ];
  const lines = (codes: readonly string[]) =>
    codes.map((code, index) => `export const value${index} = ${code};\n`);

  /** Which lines of a file of the functions are refused. */
  async function refusedLines(
    path: string,
    codes: readonly string[],
  ): Promise<readonly (string | undefined)[]> {
    mkdirSync(join(tree, dirname(path)), { recursive: true });
    writeFileSync(join(tree, path), lines(codes).join(""));
    const output = await outputOf("biome", ["lint", "--reporter=github", "--max-diagnostics=none", path]);
    const refused = [...output.matchAll(/^::error .*?line=(\d+)/gm)].map(([, line]) => Number(line));
    const codeOfLine = lines(codes).flatMap((text, index) =>
      Array<number>(text.split("\n").length - 1).fill(index),
    );
    const found = new Set(refused.map((line) => codeOfLine[line - 1]));
    return codes.filter((_, index) => found.has(index));
  }

  test("let a function ask the machine for nothing: no time, chance, environment or output", async () => {
    expect(await refusedLines("functions/core/machine.ts", asksTheMachine)).toEqual(asksTheMachine);
  });

  test("let a function read and write times that it is given, and calculate", async () => {
    const given = ["new Date(1_000)", 'Date.parse("2026-01-01")', "Date.UTC(2026, 0)", "Math.max(1, 2)"];

    expect(await refusedLines("functions/core/given.ts", [...given, "Date"])).toEqual(["Date"]);
  });

  test("let a function have sixty lines and four parameters, but not more", async () => {
    const ofLines = (count: number) => `() => {${"\n  f();".repeat(count - 2)}\n}`;
    const codes = ["(a, b, c, d) => a", "(a, b, c, d, e) => a", ofLines(60), ofLines(61)];

    for (const folder of ["functions/core", "stacks", "cli", "local", "simulation"]) {
      expect(await refusedLines(`${folder}/long.ts`, codes)).toEqual([codes[1], codes[3]]);
    }
  });

  test("let the name of a test, or of a group of tests, have fewer than 90 characters", async () => {
    const calls = ["test", "it", "describe", "test.each([1])", "describe.each<number>([1])"];
    const named = (length: number) => calls.map((call) => `${call}("${"n".repeat(length)}", () => {})`);

    expect(await refusedLines("__tests__/core/names.test.ts", [...named(89), ...named(90)])).toEqual(
      named(90),
    );
  });
});
