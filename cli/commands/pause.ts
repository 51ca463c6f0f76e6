/** `sms-retry pause`: stops the sends of a deployment without a deployment. */
import { Command } from "commander";
import { duration, gateTable, identity } from "../gate/gate-options.ts";
import type { PauseRequest } from "../gate/gates.ts";
import { unlessInterrupted } from "../interruption.ts";
import { json, local } from "../options.ts";

type Options = Omit<PauseRequest, "seconds"> & { readonly for?: number };

/** The command; see `MakeCommand`. */
export function pauseCommand(signal: AbortSignal): Command {
  return new Command("pause")
    .summary("stop the sends, of one origination identity or of all")
    .description(
      "Within five seconds no send starts anywhere: no retry, and no first send of the function produce. Retries wait; " +
        "their deadlines go on. Events are still handled and archived.",
    )
    .option(...gateTable)
    .option(...local)
    .option("--identity <identity>", "only sends by this number, short code, sender id or pool", identity)
    .option("--for <time>", "how long, e.g. 30m, 2h or 1d (until resume)", duration)
    .option("--reason <text>", "stands in the gate, for whoever asks")
    .option(...json)
    .addHelpText(
      "after",
      `
Rights that are used: dynamodb:UpdateItem and dynamodb:Scan on the table of
gates; kms:Decrypt where it has a key of yours. Who paused is kept: the name of
your AWS identity.

Exit status: 0 if the sends are paused; 1 if not.`,
    )
    .action(async (options: Options) => {
      const { pause } = await import("../gate/gates.ts");
      await unlessInterrupted(signal, pause({ ...options, seconds: options.for }));
    });
}
