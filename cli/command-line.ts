/**
 * The command line `sms-retry`. A command is a file in `commands/` and its line here. It declares its options and
 * imports what does the work only when that is asked for, so that the help and a wrong option cost nothing.
 */
import { Command, CommanderError } from "commander";
import { projectVersion } from "./artefacts.ts";
import { cancelCommand } from "./commands/cancel.ts";
import { eraseCommand } from "./commands/erase.ts";
import { gateCommand } from "./commands/gate.ts";
import { inspectCommand } from "./commands/inspect.ts";
import { pauseCommand } from "./commands/pause.ts";
import { planReviewCommand } from "./commands/plan-review.ts";
import { redriveCommand } from "./commands/redrive.ts";
import { resendCommand } from "./commands/resend.ts";
import { resumeCommand } from "./commands/resume.ts";
import { runCommand } from "./commands/run.ts";
import { shadowCommand } from "./commands/shadow.ts";
import { simulateCommand } from "./commands/simulate.ts";
import { statusCommand } from "./commands/status.ts";
import { UsageError, UserError } from "./user-error.ts";

/** Exit statuses of every command; the last two are those of a process that SIGINT or SIGPIPE has ended. */
export const exitCodes = { success: 0, failure: 1, usage: 2, interrupted: 130, nobodyReads: 141 } as const;

/**
 * Makes a command. What its action throws decides the exit status: a {@link UsageError} is 2, another
 * {@link UserError} 1, anything after the signal has aborted 130.
 */
export type MakeCommand = (signal: AbortSignal) => Command;

const commands: readonly MakeCommand[] = [
  runCommand,
  simulateCommand,
  inspectCommand,
  planReviewCommand,
  statusCommand,
  resendCommand,
  cancelCommand,
  redriveCommand,
  gateCommand,
  pauseCommand,
  resumeCommand,
  shadowCommand,
  eraseCommand,
];

/** Where a command line is answered. */
export type Output = Readonly<Record<"stdout" | "stderr", { write(text: string): unknown }>>;

/** The whole command line; errors of it are thrown, and nothing ends the process. */
export function createProgram(signal: AbortSignal, { stdout, stderr }: Output = process): Command {
  const program = new Command("sms-retry")
    .description(
      "Gives failed transactional SMS a second chance on AWS: tries it out, sets it up, operates it.",
    )
    .version(projectVersion(), "--version", "print the version")
    .helpOption("-h, --help", "print this")
    .helpCommand("help [command]", "print the options of a command")
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      outputError: () => {},
    })
    .exitOverride()
    .addHelpText(
      "after",
      `
Exit status of every command: 0 if it did what was asked, 1 if not, 2 if the
command line is wrong, 130 if it was interrupted, 141 if nobody reads its output.`,
    );
  for (const make of commands) program.addCommand(make(signal).copyInheritedSettings(program));
  return program;
}

/**
 * Does what a command line asks for.
 *
 * @param given the arguments, without those of Node
 * @returns the exit status
 * @throws what is an error of ours and not of the user
 */
export async function smsRetry(
  given: readonly string[],
  signal: AbortSignal,
  output: Output = process,
): Promise<number> {
  const program = createProgram(signal, output);
  try {
    await program.parseAsync(given, { from: "user" });
    return exitCodes.success;
  } catch (error) {
    if (signal.aborted) {
      output.stderr.write("Interrupted.\n");
      return exitCodes.interrupted;
    }
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return exitCodes.success;
      // Without a command the help is printed, on stderr.
      if (error.code === "commander.help") return exitCodes.usage;
    } else if (!(error instanceof UserError)) {
      throw error;
    }
    const isUsage = error instanceof CommanderError || error instanceof UsageError;
    const sentence =
      error instanceof CommanderError ? sentenceOf(error, meant(program, given)) : error.message;
    output.stderr.write(`${sentence}${isUsage ? ` See ${nameIn(program, given)} --help.` : ""}\n`);
    return isUsage ? exitCodes.usage : exitCodes.failure;
  }
}

/** The command that was meant, if it is one. */
function meant(program: Command, given: readonly string[]): Command | undefined {
  const operand = given.find((word) => !word.startsWith("-"));
  return program.commands.find((one) => one.name() === operand);
}

/** The same, as the user writes it. */
function nameIn(program: Command, given: readonly string[]): string {
  return [program, meant(program, given)].flatMap((one) => one?.name() ?? []).join(" ");
}

/** What commander says, in the words of all our errors. */
function sentenceOf({ code, message }: CommanderError, command: Command | undefined): string {
  const [text = "", near] = message.replace(/^error: /, "").split("\n");
  const [name, other] = [...text.matchAll(/'([^' ]*)[^']*'/g)].map(([, found]) => found);
  const suggestion = near === undefined ? "" : ` ${near.slice(1, -1)}`;
  switch (code) {
    case "commander.unknownOption":
      return `There is no option ${name}.${suggestion}`;
    case "commander.unknownCommand":
      return `There is no command ${name}.${suggestion}`;
    case "commander.excessArguments": {
      const taken = command?.registeredArguments.length ?? 0;
      const what = taken === 0 ? "options alone" : "one id";
      return `${command?.name()} takes ${what}; leave out ${command?.args.slice(taken).join(" ")}.`;
    }
    case "commander.missingArgument":
      return `Give the ${name} of a message.`;
    case "commander.optionMissingArgument":
      return `${name} needs a value.`;
    case "commander.conflictingOption":
      return `${name} cannot be used with ${other}; leave out one of them.`;
    case "commander.invalidArgument": {
      const [, value = "", rule = ""] = /argument '(.*)' is invalid\. (.*?)\.?$/.exec(text) ?? [];
      return `${name} ${rule.replace("Allowed choices are", "must be one of")}; got ${value || "nothing"}.`;
    }
    default:
      return `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\.$/, "")}.`;
  }
}
