/** `sms-retry run`: the whole system on this machine. */
import { Command, Option } from "commander";
import { highestMaxRetries, smsServices } from "../../functions/contract/environment.ts";
import { eventSources } from "../../local/event-source.ts";
import { faultNames } from "../../local/faults.ts";
import { scenarioNames } from "../../local/sms-service/scenario.ts";
import { json, wholeNumber } from "../options.ts";
import type { RunRequest } from "../run/start.ts";

/** The command; see `MakeCommand`. */
export function runCommand(signal: AbortSignal): Command {
  return new Command("run")
    .summary("run the whole system on this machine, without AWS")
    .description(
      "Runs the whole system on this machine: produces messages through emulated AWS services and a simulated SMS " +
        "service, lets some of them fail, and shows which were recovered by a retry.",
    )
    .option("--messages <n>", "messages to produce", wholeNumber(1, 100_000), 200)
    .option("--rate <n>", "messages produced per second", wholeNumber(1, 1_000), 50)
    .option("--seed <n>", "seed of chance; same seed, same script", wholeNumber(0, 4_294_967_295), 1)
    .option("--max-retries <n>", "retries after the first send", wholeNumber(0, highestMaxRetries), 3)
    .option(
      "--scenario <name or file>",
      `what happens to the messages: ${scenarioNames.join(", ")}, or a file as docs/scenario.schema.json describes it`,
      "mixed",
    )
    .addOption(
      new Option("--service <service>", "what the messages are sent by")
        .choices(smsServices)
        .default("pinpoint"),
    )
    .addOption(
      new Option(
        "--via <source>",
        "what the delivery events come through (default: kinesis, with end-user-messaging sns); a Firehose stream also fills an archive, in which every event must be in the end",
      ).choices(eventSources),
    )
    .addOption(new Option("--fault <name>", "what breaks in the middle of the run").choices(faultNames))
    .addOption(
      new Option(
        "--port <port>",
        "serve the SMS simulator alone, with the APIs of both services, on this port of 127.0.0.1; its delivery events go to stdout",
      )
        .argParser(wholeNumber(1, 65_535))
        .conflicts(["messages", "rate", "maxRetries", "via", "fault", "json"]),
    )
    .option(...json)
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
