// Mutation check of the protocol: changes the code in some 2,000 small ways and runs the tests on each. A change
// that no test notices is a hole in the tests, code that does nothing, or explained in docs/mutation.md.
//
// It takes many minutes, so it is no part of `npm test`; run `npm run mutate` after larger changes of the core.

/** @type {import("@stryker-mutator/api/core").PartialStrykerOptions} */
export default {
  // The core decides and the store's adapter translates its decisions: an error there sends an SMS twice or never.
  mutate: ["functions/core/**/*.ts", "functions/adapters/dynamodb-message-store.ts"],
  testRunner: "jest",
  jest: {
    configFile: "jest.config.ts",
    // Every change is found by running all tests that reach it, so only tests that take milliseconds take part:
    // no emulator, no bundle, no simulation. The adapter runs on the simulation's model of DynamoDB.
    config: {
      testMatch: ["**/__tests__/core/**/*.test.ts", "**/__tests__/adapters/message-store-on-model.test.ts"],
    },
    // The list above is short; looking for what each file imports would cost more than it saves.
    enableFindRelatedTests: false,
  },
  // Runs only those tests on a change that reach it.
  coverageAnalysis: "perTest",
  // The tests run on a copy of the tree; what they do not read is not copied.
  ignorePatterns: [
    "dist",
    "cdktf.out",
    "examples",
    "local",
    "stacks",
    "docs",
    "__tests__/functions/recorded",
  ],
  // A change that makes a loop endless is killed by time, and the tests here take far less than this.
  timeoutMS: 10_000,
  concurrency: 1,
  reporters: ["clear-text", "progress", "json", "html"],
  clearTextReporter: { allowColor: true, logTests: false, reportTests: false, reportMutants: false },
  jsonReporter: { fileName: "reports/mutation/mutation.json" },
  htmlReporter: { fileName: "reports/mutation/mutation.html" },
  thresholds: { high: 95, low: 90, break: 90 },
};
