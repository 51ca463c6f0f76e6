/** A time that Terraform writes down at the first apply and keeps. */
import type { Construct } from "../cdktf.ts";
import { KeptValue } from "../shared/kept-value.ts";

/** How long before the first plan the time lies: see {@link FirstApplyTime}. */
const leadMinutes = 5;

/**
 * `terraform_data.<name>`: the time of the plan that was applied first, less five minutes. The lead covers a planning
 * machine whose clock is fast, because Lambda refuses a starting position in the future.
 */
export class FirstApplyTime extends KeptValue {
  /** The time, in RFC 3339 and UTC. Terraform knows it only after the first apply. */
  readonly time: string;

  /** @param id `terraform_data.<name>` */
  constructor(scope: Construct, id: string) {
    super(scope, id, { hcl: `timeadd(plantimestamp(), "-${leadMinutes}m")` });
    this.time = `\${${this.kept}}`;
  }
}
