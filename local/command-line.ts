/** The command line of `npm start`. */
import { parseArgs } from "node:util";
import { highestMaxRetries } from "../functions/contract/environment.ts";
import { type FaultName, faultNames } from "./faults.ts";
import { type WayIn, waysIn } from "./resources.ts";
import { scenarioNames } from "./sms-service/scenario.ts";

/** What the user asked for. */
export interface CommandLine {
  readonly messages: number;
  readonly rate: number;
  readonly seed: number;
  readonly maxRetries: number;
  /** Name or file. */
  readonly scenario: string;
  readonly via: WayIn;
  readonly fault?: FaultName;
  readonly json: boolean;
  readonly help: boolean;
}

/** A command line that cannot be understood; its message is one sentence for the user. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const numbers = {
  messages: { default: 200, least: 1, most: 100_000 },
  rate: { default: 50, least: 1, most: 1_000 },
  seed: { default: 1, least: 0, most: 4_294_967_295 },
  "max-retries": { default: 3, least: 0, most: highestMaxRetries },
} as const;

/** What `--help` prints. */
export const helpText = `Usage: npm start -- [options]

Runs the whole system on this machine: produces messages through emulated AWS services and a simulated
SMS service, lets some of them fail, and shows which were recovered by a retry.

Options:
  --messages N          messages to produce (${numbers.messages.default})
  --rate N              messages produced per second (${numbers.rate.default})
  --seed N              seed of everything that is left to chance (${numbers.seed.default}); same seed, same script
  --max-retries N       retries after the application's own send (${numbers["max-retries"].default})
  --scenario NAME|FILE  what happens to the messages (mixed); NAME is one of
                        ${scenarioNames.join(", ")};
                        FILE is described by docs/scenario.schema.json
  --via ${waysIn.join("|")}
                        what the delivery events come through (kinesis); a Firehose stream also fills an
                        archive, in which every event must be in the end
  --fault NAME          what breaks in the middle of the run; NAME is
                        ${faultNames.join(", ")}
  --json                print the summary as one JSON object on the last line
  --help                print this

Exit status: 0 if the sums add up, no message was sent more than 1 + max-retries times, none is open without a
lost event, retries never went faster than the scenario allows and, with --via firehose, the archive has lost
nothing; 1 if not; 2 if an option is wrong.
`;

/**
 * Reads the command line.
 *
 * @throws UsageError naming the option that is wrong and what is allowed
 */
export function parseCommandLine(given: readonly string[]): CommandLine {
  const values = parse(given);
  return {
    messages: wholeNumber("messages", values.messages),
    rate: wholeNumber("rate", values.rate),
    seed: wholeNumber("seed", values.seed),
    maxRetries: wholeNumber("max-retries", values["max-retries"]),
    scenario: values.scenario ?? "mixed",
    via: oneOf("via", waysIn, values.via ?? "kinesis"),
    ...(values.fault !== undefined && { fault: oneOf("fault", faultNames, values.fault) }),
    json: values.json ?? false,
    help: values.help ?? false,
  };
}

function parse(given: readonly string[]) {
  try {
    return parseArgs({
      args: [...given],
      options: {
        messages: { type: "string" },
        rate: { type: "string" },
        seed: { type: "string" },
        "max-retries": { type: "string" },
        scenario: { type: "string" },
        via: { type: "string" },
        fault: { type: "string" },
        json: { type: "boolean" },
        help: { type: "boolean" },
      },
    }).values;
  } catch (cause) {
    const [sentence = ""] = String((cause as Error).message).split(/\. |\n/);
    throw new UsageError(`${sentence.replace(/\.$/, "")}; --help lists the options.`, { cause });
  }
}

function wholeNumber(option: keyof typeof numbers, value: string | undefined): number {
  const { default: standard, least, most } = numbers[option];
  if (value === undefined) return standard;
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new UsageError(`--${option} must be a whole number from ${least} to ${most}, not "${value}".`);
}

function oneOf<const Name extends string>(option: string, names: readonly Name[], value: string): Name {
  const found = names.find((name) => name === value);
  if (found !== undefined) return found;
  throw new UsageError(`--${option} must be ${names.join(" or ")}, not "${value}".`);
}
