/** A time that Terraform writes down at the first apply and keeps. */
import { type Construct, TerraformResource } from "../cdktf.ts";

/** How long before the first plan the time lies: see {@link FirstApplyTime}. */
const leadMinutes = 5;

/**
 * `terraform_data.<name>`: holds the time of the plan that was applied first, less five minutes, and never changes
 * by itself. The lead covers a planning machine whose clock is fast, because Lambda refuses a starting position in
 * the future. `terraform apply -replace=terraform_data.<name>` takes a new time.
 *
 * cdktf's own class for this resource runs `terraform version` at every synthesis and fails where there is none.
 *
 * @see https://developer.hashicorp.com/terraform/language/resources/terraform-data
 */
export class FirstApplyTime extends TerraformResource {
  /** The time, in RFC 3339 and UTC. Terraform knows it only after the first apply. */
  readonly time: string;

  /** @param id `terraform_data.<name>` */
  constructor(scope: Construct, id: string) {
    super(scope, id, {
      terraformResourceType: "terraform_data",
      // Every plan computes another time; only that of the first creation counts.
      lifecycle: { ignoreChanges: ["input"] },
    });
    this.time = `\${${id}.output}`;
  }

  protected override synthesizeAttributes(): Record<string, unknown> {
    return { input: `\${timeadd(plantimestamp(), "-${leadMinutes}m")}` };
  }
}
