/**
 * The types of options that the commands of `sms-retry` share: parsers for commander's `option`. Of a value that one
 * refuses the user is told the rule: `--messages must be a whole number from 1 to 100000; got 0.`
 */
import { resolve } from "node:path";
import { InvalidArgumentError } from "commander";

/** A whole number of a range, its ends included. */
export function wholeNumber(least: number, most: number): (value: string) => number {
  return (value) => {
    const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
    if (number >= least && number <= most) return number;
    throw new InvalidArgumentError(`must be a whole number from ${least} to ${most}`);
  };
}

/** A name or an id that has to look like something; the rule says like what, e.g. `must be the name of a queue`. */
export function text(pattern: RegExp, rule: string): (value: string) => string {
  return (value) => {
    if (pattern.test(value)) return value;
    throw new InvalidArgumentError(rule);
  };
}

/** The name of a DynamoDB table. */
export const tableName = text(/^[\w.-]{3,255}$/, "must be the name of a DynamoDB table");

/** The path of a file or folder, made absolute: what a command starts may run elsewhere. */
export function path(value: string): string {
  if (value !== "") return resolve(value);
  throw new InvalidArgumentError("must be the path of a file or folder");
}

/** The same, given once or several times. */
export function paths(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, path(value)];
}

/** `--json`: instead of text for people, stdout gets one JSON object on one line, and nothing else. */
export const json = ["--json", "print one JSON object"] as const;

/** `--local`: instead of a deployment on AWS, a local run; `true` where its process id is not given. */
export const local: [string, string, (value: string) => number] = [
  "--local [process id]",
  "the local run under way on this machine, instead of AWS",
  wholeNumber(1, 4_294_967_295),
];

/** Prints an answer as {@link json} says, or as text that ends with a line break. */
export function print<Answer extends object>(
  answer: Answer,
  isJson: boolean | undefined,
  textOf: (answer: Answer) => string,
): void {
  process.stdout.write(isJson === true ? `${JSON.stringify(answer)}\n` : textOf(answer));
}
