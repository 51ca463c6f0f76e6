// Who may import whom: rules by folder, which `npm run lint` applies. Imports of types count as well, unless a rule says
// otherwise. __tests__/layers.test.ts breaks every rule on purpose.
import { readFileSync } from "node:fs";

/** The rooms of the core: each imports its own files and the rooms before it. */
const rooms = ["events", "message", "queue", "observability", "sending", "processing"];

/** Files that something starts: the commands of package.json, and what is started by its path instead of imported. */
const { scripts, bin = {} } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));
const commands = Object.values({ ...scripts, ...bin }).flatMap(
  (command) => command.match(/\w[\w/-]*\.(?:ts|mjs|js)/g) ?? [],
);
const startedByPath = ["bootstrap", "serve", "timing-environment", "in-process-runner"];
const starts = [
  `^(${commands.join("|").replaceAll(".", "\\.")})$`,
  "^functions/[^/]+/handler\\.ts$",
  `^(cli|local)/.+/(${startedByPath.join("|")})\\.ts$`,
  "^benchmark/(stub|environment)\\.(ts|mjs)$",
];
/** The same of the tests. */
const testStarts = [
  "\\.test\\.ts$",
  "^__tests__/terraform/(run|record-plans)\\.ts$",
  "/(longest-first|send-once)\\.ts$",
];

const awsPackage = "node_modules/(@types/aws|@aws|aws|@smithy|@middy)";
const valueImport = { dependencyTypesNot: ["type-only"] };
/** Every file of ours but those in these places. */
const oursBut = (...places) => ({ dependencyTypes: ["local"], pathNot: places.map((place) => `^${place}`) });

/** @type {(name: string, comment: string, from: object, to: object) => object} */
const forbid = (name, comment, from, to) => ({ name, comment, severity: "error", from, to });

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    forbid(
      "no-cycle",
      "Files that import each other can only be understood together.",
      {},
      { circular: true },
    ),
    forbid("no-unresolvable-import", "The file or package is not there.", {}, { couldNotResolve: true }),
    forbid(
      "no-undeclared-package",
      "A package that package.json does not name is there by chance.",
      {},
      { dependencyTypes: ["npm-no-pkg", "npm-unknown"] },
    ),
    forbid("no-orphan", "Nothing imports this file and it imports nothing.", { orphan: true }, {}),
    forbid(
      "no-dead-file",
      "No command, function or stack needs this file, at most a test does.",
      { path: starts },
      {
        path: "^(functions|stacks|local|simulation|cli|benchmark)/",
        pathNot: starts,
        reachable: false,
      },
    ),
    forbid(
      "no-dead-test-support",
      "No test needs this file.",
      { path: testStarts },
      { path: "^__tests__/", pathNot: testStarts, reachable: false },
    ),
    forbid(
      "tests-are-imported-by-tests",
      "What runs needs nothing of the tests.",
      { pathNot: "^__tests__/" },
      { path: "^__tests__/" },
    ),
    forbid(
      "tests-are-not-imported",
      "Shared parts of tests are files of their own.",
      {},
      { path: "\\.test\\.ts$" },
    ),

    forbid(
      "core-knows-no-aws",
      "The core decides over ports, so that a decision needs no AWS to be tested.",
      { path: ["^functions/core/", "^functions/[^/]+/core/"] },
      { path: awsPackage },
    ),
    forbid(
      "core-reaches-nothing-outside",
      "What Node reaches outside the process (files, network, time, chance) is a port.",
      { path: ["^functions/core/", "^functions/[^/]+/core/"] },
      { dependencyTypes: ["core"] },
    ),
    forbid(
      "core-is-the-lowest-layer",
      "The core imports nothing of ours but itself.",
      { path: "^functions/core/" },
      oursBut("functions/core/"),
    ),
    forbid(
      "core-base-is-below-its-rooms",
      "What all rooms of the core share (clock, errors) imports no room.",
      { path: "^functions/core/[^/]+$" },
      { path: "^functions/core/[^/]+/" },
    ),
    forbid(
      "core-has-known-rooms",
      "A new folder of the core needs its place in the order above.",
      {},
      { path: "^functions/core/[^/]+/", pathNot: `^functions/core/(${rooms.join("|")})/` },
    ),
    ...rooms
      .slice(0, -1)
      .map((room, index) =>
        forbid(
          `core-${room}-is-below-later-rooms`,
          "A room of the core imports its own files and the rooms before it.",
          { path: `^functions/core/${room}/` },
          { path: `^functions/core/(${rooms.slice(index + 1).join("|")})/` },
        ),
      ),
    forbid(
      "attachment-core-is-on-the-core-base",
      "Attaching to a Firehose stream shares clock and errors with the core, and no rule of sending.",
      { path: "^functions/firehose-attachment/core/" },
      oursBut("functions/firehose-attachment/(core/|[^/]+$)", "functions/core/[^/]+$"),
    ),
    forbid(
      "attachment-adapters-are-on-the-cores",
      "They translate for the attachment's core, as the other adapters do for the core.",
      { path: "^functions/firehose-attachment/adapters/" },
      oursBut("functions/firehose-attachment/", "functions/(adapters|core)/"),
    ),
    forbid(
      "adapters-are-on-the-core",
      "An adapter implements a port of the core and knows no function that uses it.",
      { path: "^functions/adapters/" },
      oursBut("functions/(adapters|core)/", "functions/[^/]+$"),
    ),
    forbid(
      "contract-is-on-the-core",
      "What the stacks share with the functions brings no adapter and no settings with it.",
      { path: "^functions/contract/" },
      oursBut("functions/(contract|core)/"),
    ),
    forbid(
      "settings-are-on-core-and-contract",
      "Settings are values: reading them makes nothing of AWS.",
      { path: "^functions/[^/]+$" },
      oursBut("functions/(contract|core)/"),
    ),
    forbid(
      "a-function-is-composed-over-a-given-outside",
      "The simulation gives it another outside, so it imports nothing that makes clients, reads a clock or writes logs.",
      { path: "^functions/[^/]+/[^/]+-function\\.ts$" },
      {
        ...valueImport,
        path: [awsPackage, "^functions/adapters/(aws-clients|system-clock|log-telemetry)\\.ts$"],
      },
    ),
    forbid(
      "a-function-is-composed-of-adapters-and-core",
      "A function imports neither settings nor another function.",
      { path: "^functions/[^/]+/[^/]+-function\\.ts$" },
      { ...oursBut("functions/(adapters|core)/"), ...valueImport },
    ),
    forbid(
      "handlers-are-thin",
      "A handler of AWS parses, calls its function and answers; it uses no client by itself.",
      { path: "^functions/([^/]+)/handler\\.ts$" },
      {
        path: ".",
        pathNot: [
          "^functions/(adapters|core|firehose-attachment)/",
          "^functions/[^/]+$",
          "^functions/$1/",
          "node_modules/(valibot|@types/aws-lambda)/",
        ],
      },
    ),
    forbid(
      "handlers-are-not-imported",
      "Loading a handler reads the environment and makes clients.",
      { path: "^(functions|stacks|local|simulation|cli|benchmark|main)" },
      { path: "^functions/[^/]+/handler\\.ts$" },
    ),
    forbid(
      "functions-are-a-world-of-their-own",
      "What is deployed needs nothing of stacks, local run, simulation or commands.",
      { path: "^functions/" },
      oursBut("functions/"),
    ),
    forbid(
      "functions-bundle-no-dev-package",
      "What is bundled is a dependency, so that an update of it is seen as one.",
      { path: "^functions/" },
      { dependencyTypes: ["npm-dev"], ...valueImport },
    ),
    forbid(
      "functions-ask-the-machine-in-one-place",
      "Time, environment and output have one place each in the functions; Biome refuses the globals of these modules.",
      { path: "^functions/", pathNot: "^functions/adapters/system-clock\\.ts$" },
      { path: "^(node:)?(timers|timers/promises|perf_hooks|process|console)$" },
    ),

    forbid(
      "stacks-share-the-contract-alone",
      "Of the functions' code a stack runs the contract and nothing else.",
      { path: "^stacks/" },
      { path: "^functions/", pathNot: "^functions/contract/", ...valueImport },
    ),
    forbid(
      "stacks-take-names-as-types",
      "Names that a stack must spell right come as types of a core, never of an adapter or a handler.",
      { path: "^stacks/" },
      { path: "^functions/", pathNot: "^functions/(contract|core|firehose-attachment/core)/" },
    ),
    forbid(
      "stacks-share-from-below",
      "What all stacks share knows none of them.",
      { path: "^stacks/shared/" },
      { path: "^stacks/(?!shared/|inputs/|cdktf\\.ts$)" },
    ),
    forbid(
      "stacks-stand-side-by-side",
      "A stack of one event source can be read, and left out, without the others.",
      { path: "^stacks/(?!shared/|inputs/)([^/]+)/" },
      { path: "^stacks/[^/]+/", pathNot: "^stacks/($1|shared|inputs)/" },
    ),
    forbid(
      "stacks-need-no-tools",
      "A stack describes what is deployed and needs neither local run nor simulation nor commands.",
      { path: "^stacks/" },
      oursBut("stacks/", "functions/"),
    ),
    forbid(
      "cdktf-in-one-module",
      "CDKTF is archived: a move to its fork must stay a change of one file.",
      { pathNot: "^stacks/cdktf\\.ts$" },
      { path: "node_modules/(cdktf|cdktf-cli|constructs|@cdktf)/" },
    ),
    forbid(
      "provider-classes-by-path",
      "The barrel of the provider costs four times the time and memory of the classes that we use.",
      {},
      { path: "node_modules/@cdktf/provider-[a-z-]+/lib/index\\.(js|d\\.ts)$" },
    ),

    forbid(
      "local-runs-the-bundles",
      "The local run starts what was built: of the sources it knows core and contract.",
      { path: "^local/" },
      oursBut("local/", "functions/(core|contract)/"),
    ),
    forbid(
      "simulation-runs-the-functions",
      "The simulation composes the functions over models and needs neither stacks nor commands.",
      { path: "^simulation/" },
      oursBut("simulation/", "local/", "functions/"),
    ),
    forbid(
      "benchmark-runs-the-bundles",
      "It measures what is built, with the local run's models beside it: of commands it needs the bundling alone.",
      { path: "^benchmark/" },
      oursBut("benchmark/", "local/", "functions/(core|contract)/", "cli/bundled-functions\\.ts$"),
    ),
    forbid(
      "main-is-for-synthesis",
      "What `cdktf synth` starts needs stacks and bundled files alone.",
      { path: "^main\\.ts$" },
      oursBut("stacks/", "cli/"),
    ),
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    // Packages that offer an ES module alone are there, too.
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
    },
    skipAnalysisNotInRules: true,
  },
};
