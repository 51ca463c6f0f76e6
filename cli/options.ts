/** The types of options that the subcommands of `sms-retry` share, and what a wrong value of each is told. */
import { resolve } from "node:path";
import { Option } from "commander";
import { UsageError } from "./user-error.ts";

/** A whole number of a range, its ends included. */
export function wholeNumber(flags: string, description: string, least: number, most: number): Option {
  return checked(flags, description, `must be a whole number from ${least} to ${most}`, (value) => {
    const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
    return number >= least && number <= most ? number : undefined;
  });
}

/** One of some words; the help lists them. */
export function oneOf(flags: string, description: string, choices: readonly string[]): Option {
  const list = new Intl.ListFormat("en", { type: "disjunction" }).format(choices);
  const parse = (value: string) => choices.find((choice) => choice === value);
  const option = checked(flags, description, `must be ${list}`, parse);
  option.argChoices = [...choices];
  return option;
}

/** A name or an id that has to look like something; `rule` says like what, e.g. `must be the name of a queue`. */
export function text(flags: string, description: string, pattern: RegExp, rule: string): Option {
  return checked(flags, description, rule, (value) => (pattern.test(value) ? value : undefined));
}

/** The path of a file or folder, made absolute: what a command starts may run elsewhere. */
export function file(flags: string, description: string): Option {
  return checked(flags, description, "must be the path of a file or folder", pathOf);
}

/** The same, given once or several times: an array. */
export function files(flags: string, description: string): Option {
  const one = file(flags, description);
  const parse = one.parseArg as (value: string, previous: unknown) => string;
  return one
    .default([], "none")
    .argParser((value, previous: readonly string[]) => [...previous, parse(value, undefined)]);
}

/** `--json`: instead of text for people, stdout gets one JSON object on one line, and nothing else. */
export function json(): Option {
  return new Option("--json", "print one JSON object");
}

/** Prints an answer as {@link json} says, or as text that ends with a line break. */
export function print<Answer extends object>(
  answer: Answer,
  isJson: boolean | undefined,
  textOf: (answer: Answer) => string,
): void {
  process.stdout.write(isJson === true ? `${JSON.stringify(answer)}\n` : textOf(answer));
}

/** An option whose value is parsed; where that gives undefined, the rule is told. */
function checked<Value>(
  flags: string,
  description: string,
  rule: string,
  parse: (value: string) => Value | undefined,
): Option {
  const option = new Option(flags, description);
  return option.argParser((value: string) => {
    const parsed = parse(value);
    if (parsed !== undefined) return parsed;
    throw new UsageError(`${option.long} ${rule}; got ${value === "" ? "nothing" : value}.`);
  });
}

function pathOf(value: string): string | undefined {
  return value === "" ? undefined : resolve(value);
}
