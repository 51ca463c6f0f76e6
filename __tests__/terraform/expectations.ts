/** Assertions whose failures are read in a terminal, beside Terraform's own words. */
import { isDeepStrictEqual } from "node:util";

/** @throws Error with the sentence if the condition does not hold */
export function check(condition: boolean, sentence: string): asserts condition {
  if (!condition) throw new Error(sentence);
}

/** @throws Error that names the thing and shows both values, if they differ */
export function same(name: string, actual: unknown, expected: unknown): void {
  if (isDeepStrictEqual(actual, expected)) return;
  const text = (value: unknown) => JSON.stringify(value, undefined, 2);
  throw new Error(`Not as expected: ${name}\nexpected: ${text(expected)}\nactual: ${text(actual)}`);
}
