import { availableParallelism } from "node:os";
import type { Config } from "jest";

const config: Config = {
  testEnvironment: "node",
  roots: ["<rootDir>/__tests__"],
  testMatch: ["**/*.test.ts"],
  transform: {
    "^.+\\.ts$|/p-map/": [
      "@swc/jest",
      { jsc: { target: "es2024", parser: { syntax: "typescript" } }, module: { type: "commonjs" } },
    ],
  },
  // The one ES-module-only package that the functions import; jest runs CommonJS.
  transformIgnorePatterns: ["/node_modules/(?!p-map/)"],
  // Jest would leave one core free, and so run one file at a time on two; the slow files wait more than they work.
  // Not as "150%": jest takes what is above 100 % for that many workers.
  maxWorkers: Math.ceil(availableParallelism() * 1.5),
  testSequencer: "<rootDir>/__tests__/support/longest-first.ts",
  // The pipeline tests start emulators and run real bundles; everything else ends in milliseconds.
  testTimeout: 30_000,
};

export default config;
