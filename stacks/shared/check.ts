/** Terraform's `check` block, which cdktf has no class for. */
import { type Construct, TerraformElement } from "../cdktf.ts";

/** What a check reads and what it expects. */
export interface CheckDefinition {
  /**
   * A data source that only the check sees; Terraform turns its failure into a warning, and takes it for a change at
   * every plan.
   * @default - the assertions look at what stands outside
   */
  readonly data?: {
    readonly type: string;
    readonly name: string;
    readonly attributes: Readonly<Record<string, string>>;
  };
  /** Expectations; each that does not hold is a warning of its own. */
  readonly assertions: readonly {
    /** HCL that must hold. */
    readonly condition: string;
    /** HCL of the sentence a user reads where it does not. */
    readonly message: string;
  }[];
}

/**
 * `check.<name>`: looked at after every plan and apply. It only ever warns.
 *
 * @see https://developer.hashicorp.com/terraform/language/block/check
 */
export class Check extends TerraformElement {
  readonly #definition: CheckDefinition;

  constructor(scope: Construct, name: string, definition: CheckDefinition) {
    super(scope, `check.${name}`);
    this.#definition = definition;
  }

  override toTerraform(): object {
    const { data, assertions } = this.#definition;
    return {
      check: {
        [this.friendlyUniqueId]: {
          ...(data !== undefined && { data: { [data.type]: { [data.name]: data.attributes } } }),
          assert: assertions.map(({ condition, message }) => ({
            condition: `\${${condition}}`,
            error_message: `\${${message}}`,
          })),
        },
      },
    };
  }
}
