/** `sms-retry run`: the whole system on this machine. */
import { Command, Option } from "commander";
import { highestMaxRetries } from "../../functions/contract/environment.ts";
import { eventSources } from "../../local/event-source.ts";
import { faultNames } from "../../local/faults.ts";
import { scenarioNames } from "../../local/sms-simulator/scenario.ts";
import { json, oneOf, wholeNumber } from "../options.ts";
import type { RunRequest } from "../run/start.ts";

export function runCommand(signal: AbortSignal): Command {
  return new Command("run")
    .summary("run the whole system on this machine, without AWS")
    .description(
      "Runs the whole system on this machine: produces messages through emulated AWS services and a simulated SMS " +
        "service, lets some of them fail, and shows which were recovered by a retry.",
    )
    .addOption(wholeNumber("--messages <n>", "messages to produce", 1, 100_000).default(200))
    .addOption(wholeNumber("--rate <n>", "messages produced per second", 1, 1_000).default(50))
    .addOption(
      wholeNumber(
        "--seed <n>",
        "seed of what is left to chance; same seed, same script",
        0,
        4_294_967_295,
      ).default(1),
    )
    .addOption(
      wholeNumber(
        "--max-retries <n>",
        "retries after the application's own send",
        0,
        highestMaxRetries,
      ).default(3),
    )
    .addOption(
      new Option(
        "--scenario <name or file>",
        `what happens to the messages: ${scenarioNames.join(", ")}, or a file as docs/scenario.schema.json describes it`,
      ).default("mixed"),
    )
    .addOption(
      oneOf(
        "--via <source>",
        "what the delivery events come through; a Firehose stream also fills an archive, in which every event must be in the end",
        eventSources,
      ).default("kinesis"),
    )
    .addOption(oneOf("--fault <name>", "what breaks in the middle of the run", faultNames))
    .addOption(json())
    .addHelpText(
      "after",
      `
Exit status: 0 if the sums add up, no message was sent more than 1 + max-retries
times, none is open without a lost event, retries never went faster than the
scenario allows and, with --via firehose, the archive has lost nothing; 1 if not.`,
    )
    .action(async (request: RunRequest) => {
      const { start } = await import("../run/start.ts");
      await start(request, signal);
    });
}
