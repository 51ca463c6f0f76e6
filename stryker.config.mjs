// Mutation testing of the core: makes every small change that Stryker knows and runs the tests that reach it. A change
// that no test detects is a gap in the tests, code without effect, or has its reason in docs/mutation.md.
//
// It is not part of `npm test`; run `npm run mutate` after larger changes of the core.

/** @type {import("@stryker-mutator/api/core").PartialStrykerOptions} */
export default {
  // The core decides and the store's adapter translates its decisions: an error there sends an SMS twice or never.
  mutate: [
    "functions/core/**/*.ts",
    "functions/firehose-attachment/core/**/*.ts",
    "functions/adapters/dynamodb/dynamodb-message-store.ts",
  ],
  // Our own runner, which also names the tests that take part; why not Jest's, and what was measured, is in
  // docs/decisions/0007-a-test-runner-for-mutants.md.
  plugins: ["./cli/mutation/in-process-runner.ts"],
  testRunner: "in-process",
  // Runs only those tests on a change that reach it.
  coverageAnalysis: "perTest",
  // The tests run on a copy of the tree; what they do not read is not copied.
  ignorePatterns: [
    "dist",
    "cdktf.out",
    "examples",
    "stacks",
    "__tests__/{functions,local,cli,stacks,terraform}",
  ],
  // A change that makes a loop endless, or a test wait for ever, counts as detected after this time. All tests together
  // take 6 s, and on a busy machine twice as long: less would call changes detected that are only slow.
  timeoutMS: 10_000,
  timeoutFactor: 1.5,
  concurrency: 2,
  // Changes to tables and schemas, which run while the code is loaded, take a new process each: they are an
  // eighth of all and most of the time, and the tables are what decides.
  warnings: { slow: false },
  reporters: ["clear-text", "progress", "json", "html"],
  clearTextReporter: { allowColor: true, logTests: false, reportTests: false, reportMutants: false },
  jsonReporter: { fileName: "reports/mutation/mutation.json" },
  htmlReporter: { fileName: "reports/mutation/mutation.html" },
  thresholds: { high: 97, low: 95, break: 95 },
};
