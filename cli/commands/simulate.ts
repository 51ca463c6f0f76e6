/** `sms-retry simulate`: the functions under faults on a virtual clock. */
import { Command } from "commander";
import { breaks } from "../../simulation/breaks.ts";
import { unlessInterrupted } from "../interruption.ts";
import { oneOf, wholeNumber } from "../options.ts";
import type { SimulationRequest } from "../simulate/simulate.ts";

/** Most runs, and the highest seed. */
const most = 999_999_999;

export function simulateCommand(signal: AbortSignal): Command {
  return new Command("simulate")
    .summary("run the functions under faults on a virtual clock")
    .description(
      "Runs the real functions on a virtual clock against models of DynamoDB, SQS, Scheduler, Kinesis, Firehose and the " +
        "SMS service, injects faults at every step, and checks after each run what must never happen and what must " +
        "happen. A quarter of the runs has no faults: there, every send is compared with a reference.",
    )
    .addOption(wholeNumber("--runs <n>", "how many runs", 0, most).default(1_000))
    .addOption(wholeNumber("--seed <n>", "replay the run of one seed, with its steps", 0, most))
    .addOption(wholeNumber("--from <n>", "first seed", 0, most).default(0))
    .addOption(
      wholeNumber(
        "--races <n>",
        "race ends of messages against their retries instead, N at each of 0.2, 1 and 10 sends a second",
        0,
        most,
      ),
    )
    .addOption(oneOf("--break <name>", "break a rule of the protocol on purpose", Object.keys(breaks)))
    .addHelpText("after", "\nExit status: 0 if no rule was violated; 1 if one was.")
    .action(async (request: SimulationRequest) => {
      const { simulateAsAsked } = await import("../simulate/simulate.ts");
      await unlessInterrupted(signal, simulateAsAsked(request));
    });
}
