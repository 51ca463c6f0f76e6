/** Where Terraform gets the AWS provider from. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

/**
 * The folder of a filesystem mirror: `TF_PLUGIN_MIRROR`, else what `../shared/tools/provider-mirror` prints, which
 * only some machines have; `undefined` leaves it to Terraform's own lookup.
 */
export function providerMirror(): string | undefined {
  const given = process.env.TF_PLUGIN_MIRROR;
  if (given) return given;
  const tool = join(import.meta.dirname, "../../../shared/tools/provider-mirror");
  if (!existsSync(tool)) return undefined;
  try {
    return execFileSync(tool, { encoding: "utf8" }).trim() || undefined;
  } catch {
    // The tool says so where the machine has no mirror.
    return undefined;
  }
}
