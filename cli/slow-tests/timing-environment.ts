/**
 * A test environment that notes how long every test and hook takes, and how long it may: jest's own report does not
 * know the limits. Appends a {@link Timing} as a line of JSON to the file that `TEST_TIMINGS_FILE` names.
 */
import { appendFileSync } from "node:fs";
import { TestEnvironment } from "jest-environment-node";

/** How long a test or one of its hooks took, without the others. */
export interface Timing {
  /** Path of the test file. */
  readonly file: string;
  /** Name of the test with those of its blocks; of a hook its kind and the block. */
  readonly name: string;
  readonly seconds: number;
  readonly limitSeconds: number;
}

/** A test or a block of tests, as far as names need it. */
interface Named {
  readonly name: string;
  readonly parent?: Named;
}

/** The part of jest's events that tells about time. */
interface TestEvent {
  readonly name: string;
  readonly test?: Named & { readonly timeout?: number };
  readonly hook?: { readonly type: string; readonly parent: Named; readonly timeout?: number };
}

const rootBlock = "ROOT_DESCRIBE_BLOCK";

function nameOf({ name, parent }: Named): string {
  if (name === rootBlock) return "";
  return `${parent === undefined ? "" : nameOf(parent)} ${name}`.trim();
}

/** Jest's environment for Node, with a watch. */
// biome-ignore lint/style/noDefaultExport: jest asks for it
export default class TimingEnvironment extends TestEnvironment {
  readonly #file: string;
  readonly #startedAt = new Map<object, number>();

  constructor(...given: ConstructorParameters<typeof TestEnvironment>) {
    super(...given);
    this.#file = given[1].testPath;
  }

  /** Called by jest for everything that happens to a test. */
  handleTestEvent({ name, test, hook }: TestEvent, { testTimeout }: { readonly testTimeout: number }): void {
    const subject = hook ?? test;
    if (subject === undefined || !/^(test_fn|hook)_/.test(name)) return;
    if (name.endsWith("_start")) {
      this.#startedAt.set(subject, performance.now());
      return;
    }
    const startedAt = this.#startedAt.get(subject);
    if (startedAt === undefined) return;
    this.#startedAt.delete(subject);
    const timing: Timing = {
      file: this.#file,
      name: hook === undefined ? nameOf(subject as Named) : `${hook.type} ${nameOf(hook.parent)}`.trim(),
      seconds: (performance.now() - startedAt) / 1000,
      limitSeconds: (subject.timeout ?? testTimeout) / 1000,
    };
    appendFileSync(process.env.TEST_TIMINGS_FILE ?? "", `${JSON.stringify(timing)}\n`);
  }
}
