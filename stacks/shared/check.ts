/** Terraform's `check` block, which cdktf has no class for. */
import { type Construct, TerraformElement } from "../cdktf.ts";

/** What a check expects of what stands outside it. */
export interface CheckDefinition {
  /** Expectations; each that does not hold is a warning of its own. */
  readonly assertions: readonly {
    /** HCL that must hold. */
    readonly condition: string;
    /** HCL of the sentence a user reads where it does not. */
    readonly message: string;
  }[];
}

/**
 * `check.<name>`: looked at after every plan and apply. It only ever warns. It has no data source of its own, which every
 * plan would count as a change.
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
    const { assertions } = this.#definition;
    return {
      check: {
        [this.friendlyUniqueId]: {
          assert: assertions.map(({ condition, message }) => ({
            condition: `\${${condition}}`,
            error_message: `\${${message}}`,
          })),
        },
      },
    };
  }
}
