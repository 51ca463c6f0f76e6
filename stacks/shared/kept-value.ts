/** A value that Terraform writes down at the first apply and keeps. */
import { type Construct, TerraformResource } from "../cdktf.ts";

/** What is kept. */
export interface KeptValueProps {
  /** HCL of the value; every plan computes it, and only that of the first apply counts. */
  readonly hcl: string;
  /**
   * HCL of a text with which the value is taken anew whenever it changes.
   * @default - never
   */
  readonly takenAnewWith?: string;
}

/**
 * `terraform_data.<name>`: holds the value of the plan that was applied first, and never changes by itself.
 * `terraform apply -replace=terraform_data.<name>` takes a new one.
 *
 * cdktf's own class for this resource runs `terraform version` at every synthesis and fails where there is none.
 *
 * @see https://developer.hashicorp.com/terraform/language/resources/terraform-data
 */
export class KeptValue extends TerraformResource {
  /** HCL of the kept value. Terraform knows it only after the first apply. */
  readonly kept: string;
  readonly #props: KeptValueProps;

  /** @param id `terraform_data.<name>` */
  constructor(scope: Construct, id: string, props: KeptValueProps) {
    super(scope, id, {
      terraformResourceType: "terraform_data",
      lifecycle: { ignoreChanges: ["input"] },
    });
    this.kept = `${id}.output`;
    this.#props = props;
  }

  protected override synthesizeAttributes(): Record<string, unknown> {
    const { hcl, takenAnewWith } = this.#props;
    return {
      input: `\${${hcl}}`,
      ...(takenAnewWith !== undefined && { triggers_replace: `\${${takenAnewWith}}` }),
    };
  }
}
