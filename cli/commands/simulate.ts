/** `sms-retry simulate`: the functions under faults on a virtual clock. */
import { Command, Option } from "commander";
import { breaks } from "../../simulation/breaks.ts";
import { unlessInterrupted } from "../interruption.ts";
import { wholeNumber } from "../options.ts";
import type { SimulationRequest } from "../simulate/simulate.ts";

const number = wholeNumber(0, 999_999_999);
const count = wholeNumber(1, 999_999_999);

/** The command; see `MakeCommand`. */
export function simulateCommand(signal: AbortSignal): Command {
  return new Command("simulate")
    .summary("run the functions under faults on a virtual clock")
    .description(
      "Runs the real functions on a virtual clock against models of DynamoDB, SQS, Scheduler, Kinesis, Firehose and the " +
        "SMS service, injects faults at every step, and checks after each run what must never happen and what must " +
        "happen. A quarter of the runs has no faults: there, every send is compared with a reference.",
    )
    .addOption(new Option("--runs <n>", "how many runs").argParser(count).default(1_000))
    .addOption(
      new Option("--seed <n>", "replay the run of one seed, with its steps")
        .argParser(number)
        .conflicts(["runs", "from", "races", "backlog"]),
    )
    .option("--from <n>", "first seed", number, 0)
    .addOption(
      new Option(
        "--races <n>",
        "race ends of messages against their retries instead, N at each of 0.2, 1 and 10 sends a second",
      )
        .argParser(count)
        .conflicts(["runs", "from", "backlog"]),
    )
    .addOption(
      new Option(
        "--backlog <n>",
        "let N messages fail in an outage instead, a tenth of them one-time passwords",
      )
        .argParser(count)
        .conflicts(["runs", "from", "break"]),
    )
    .option("--outage-seconds <n>", "with --backlog: how long the outage lasts", wholeNumber(1, 86_400), 600)
    .option("--sends-per-second <n>", "with --backlog: the ceiling", wholeNumber(1, 4_000), 5)
    .addOption(
      new Option(
        "--ceilings",
        "measure instead how well ceilings from 0.5 to 1000 a second are kept and used, as a table (some minutes)",
      ).conflicts(["runs", "from", "races", "backlog", "seed", "break"]),
    )
    .addOption(
      new Option("--break <name>", "break a rule of the protocol on purpose").choices(Object.keys(breaks)),
    )
    .addHelpText("after", "\nExit status: 0 if no rule was violated; 1 if one was.")
    .action(async (request: SimulationRequest) => {
      const { simulateAsAsked } = await import("../simulate/simulate.ts");
      await unlessInterrupted(signal, simulateAsAsked(request));
    });
}
