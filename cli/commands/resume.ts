/** `sms-retry resume`: ends a pause. */
import { Command } from "commander";
import { gateTable, identity } from "../gate/gate-options.ts";
import type { GateSelection } from "../gate/gates.ts";
import { unlessInterrupted } from "../interruption.ts";
import { json, local } from "../options.ts";

/** The command; see `MakeCommand`. */
export function resumeCommand(signal: AbortSignal): Command {
  return new Command("resume")
    .summary("end a pause")
    .description(
      "Ends the pause of all gates, or of one. What waits comes after as long as the pause lasted, within a minute, no faster than the ceiling.",
    )
    .option(...gateTable)
    .option(...local)
    .option("--identity <identity>", "only the pause of this identity; a pause of all gates stays", identity)
    .option(...json)
    .addHelpText(
      "after",
      `
Rights that are used: dynamodb:UpdateItem and dynamodb:Scan on the table of
gates; kms:Decrypt where it has a key of yours.

Exit status: 0 if the pause is over; 1 if not.`,
    )
    .action(async (options: GateSelection) => {
      const { resume } = await import("../gate/gates.ts");
      await unlessInterrupted(signal, resume(options));
    });
}
