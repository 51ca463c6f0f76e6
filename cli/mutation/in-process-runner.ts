/**
 * A test runner for Stryker that loads the tests once and then runs them in the same process, mutant after mutant.
 *
 * Jest loads every test file anew for each mutant: at least 1.1 s where our tests need 0.03 s, see
 * docs/decisions/0007-a-test-runner-for-mutants.md. The tests of the core share nothing and need nothing of Jest but
 * `describe`, `test` and `expect`, so Node itself runs them as they are. Only a mutant in code that runs while it
 * is loaded needs a new process, which Stryker starts.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { InstrumenterContext } from "@stryker-mutator/api/core";
import { declareClassPlugin, PluginKind } from "@stryker-mutator/api/plugin";
import {
  type DryRunResult,
  DryRunStatus,
  determineHitLimitReached,
  type MutantRunOptions,
  type MutantRunResult,
  type TestResult,
  type TestRunner,
  TestStatus,
  toMutantRunResult,
} from "@stryker-mutator/api/test-runner";
import { expect } from "expect";
import fc from "fast-check";
import { testFilesIn } from "./test-files.ts";

/** Load tests in files whose other tests take part, by a part of their name. */
const slowTest = /10 000 failures in one batch|one event a thousand times/;

/** Random inputs for each property of fast-check; and no search for a shorter one that fails, which takes seconds. */
const properties = { numRuns: 25, endOnFailure: true };

interface RegisteredTest {
  /** The names of the test and of all around it, with its file: the same in every process. */
  readonly id: string;
  readonly body: () => unknown;
}

/** Defines `describe`, `test` and `expect` as Jest does, as far as our tests use them. */
function defineGlobals(tests: RegisteredTest[], fileOf: () => string): void {
  const around: string[] = [];
  const ids = new Map<string, number>();
  const test = (name: string, body: () => unknown): void => {
    const name_ = [fileOf(), ...around, name].join(" › ");
    if (slowTest.test(name_)) return;
    const count = (ids.get(name_) ?? 0) + 1;
    ids.set(name_, count);
    tests.push({ id: count === 1 ? name_ : `${name_} (${count})`, body });
  };
  const each =
    (define: (name: string, body: () => unknown) => void) =>
    (rows: readonly unknown[]) =>
    (name: string, body: (...row: unknown[]) => unknown): void => {
      const areRows = rows.every(Array.isArray);
      for (const row of rows) define(name, () => body(...(areRows ? (row as unknown[]) : [row])));
    };
  const describe = (name: string, body: () => unknown): void => {
    around.push(name);
    body();
    around.pop();
  };
  Object.assign(globalThis, {
    expect,
    test: Object.assign(test, { each: each(test) }),
    describe: Object.assign(describe, { each: each(describe) }),
  });
}

/** See the module's comment. */
export class InProcessRunner implements TestRunner {
  readonly #tests: RegisteredTest[] = [];
  readonly #stryker: InstrumenterContext;
  #isLoaded = false;

  constructor() {
    const holder = globalThis as { __stryker__?: InstrumenterContext };
    holder.__stryker__ ??= {};
    this.#stryker = holder.__stryker__;
  }

  /** What is loaded stays: Stryker starts a new process for a change that acts while it is loaded. */
  capabilities() {
    return { reloadEnvironment: false };
  }

  async dryRun(): Promise<DryRunResult> {
    const mutantCoverage = { static: {}, perTest: {} };
    this.#stryker.mutantCoverage = mutantCoverage;
    await this.#load();
    const tests: TestResult[] = [];
    for (const test of this.#tests) {
      this.#stryker.currentTestId = test.id;
      tests.push(await run(test));
    }
    delete this.#stryker.currentTestId;
    return { status: DryRunStatus.Complete, tests, mutantCoverage };
  }

  async mutantRun(options: MutantRunOptions): Promise<MutantRunResult> {
    const { activeMutant, testFilter, hitLimit, mutantActivation } = options;
    const activate = (): void => {
      this.#stryker.activeMutant = activeMutant.id;
      delete this.#stryker.hitCount;
      if (hitLimit !== undefined) Object.assign(this.#stryker, { hitCount: 0, hitLimit });
    };
    if (mutantActivation === "static") activate();
    try {
      await this.#load();
    } catch (error) {
      // The code cannot even be loaded with the change: every test would fail.
      return toMutantRunResult({
        status: DryRunStatus.Complete,
        tests: [
          {
            id: "load",
            name: "load",
            timeSpentMs: 0,
            status: TestStatus.Failed,
            failureMessage: String(error),
          },
        ],
      });
    }
    activate();
    const chosen = testFilter === undefined ? undefined : new Set(testFilter);
    const tests: TestResult[] = [];
    for (const test of this.#tests.filter(({ id }) => chosen?.has(id) ?? true)) {
      const result = await run(test);
      tests.push(result);
      if (result.status === TestStatus.Failed) break;
    }
    delete this.#stryker.activeMutant;
    const endless = determineHitLimitReached(this.#stryker.hitCount, hitLimit);
    return toMutantRunResult(endless ?? { status: DryRunStatus.Complete, tests });
  }

  async #load(): Promise<void> {
    if (this.#isLoaded) return;
    this.#isLoaded = true;
    fc.configureGlobal(properties);
    let file = "";
    defineGlobals(this.#tests, () => file);
    for (const path of testFilesIn(process.cwd())) {
      file = path;
      await import(pathToFileURL(join(process.cwd(), path)).href);
    }
  }
}

async function run({ id, body }: RegisteredTest): Promise<TestResult> {
  const start = performance.now();
  try {
    await body();
    return { id, name: id, timeSpentMs: performance.now() - start, status: TestStatus.Success };
  } catch (error) {
    const failureMessage = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const timeSpentMs = performance.now() - start;
    return { id, name: id, timeSpentMs, status: TestStatus.Failed, failureMessage };
  }
}

/** What Stryker looks for in a plugin. */
export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, "in-process", InProcessRunner)];
