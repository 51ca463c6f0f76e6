/** `sms-retry gate`: the state of all gates. */
import { Command } from "commander";
import { gateTable } from "../gate/gate-options.ts";
import type { GateSelection } from "../gate/gates.ts";
import { unlessInterrupted } from "../interruption.ts";
import { json, local } from "../options.ts";

/** The command; see `MakeCommand`. */
export function gateCommand(signal: AbortSignal): Command {
  return new Command("gate")
    .summary("show whether sends go: rate, backlog, breaker, pause")
    .description(
      "Shows for each origination identity its rate, how long what waits will take, whether the breaker is closed, and " +
        "who has paused it.",
    )
    .option(...gateTable)
    .option(...local)
    .option(...json)
    .addHelpText(
      "after",
      `
Rights that are used: dynamodb:Scan on the table of gates; kms:Decrypt where it
has a key of yours.

Exit status: 0 if the gates were read; 1 if not.`,
    )
    .action(async (options: GateSelection) => {
      const { showGates } = await import("../gate/gates.ts");
      await unlessInterrupted(signal, showGates(options));
    });
}
