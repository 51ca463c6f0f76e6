/** One input of a stack: a Terraform variable, with the few readings of it that a stack may make. */
import { type Construct, type IResolvable, TerraformVariable, Token } from "../cdktf.ts";

/** What a user of the stack reads about an input, and what Terraform refuses. */
export interface InputDefinition {
  /** Terraform type, e.g. `list(string)`. */
  readonly type: string;
  /** What the value is, its unit, what null or the default does, the allowed values; whole sentences. */
  readonly description: string;
  /**
   * Value when the user gives none.
   * @default - the input is required
   */
  readonly default?: unknown;
  /**
   * Whether a user may pass null on purpose; where not, null means the default.
   * @default - only if the default is null
   */
  readonly nullable?: boolean;
  /**
   * Whether Terraform hides the value.
   * @default false
   */
  readonly sensitive?: boolean;
  /**
   * What must hold, as HCL, and the sentence a user sees when it does not.
   * @default - every value of the type is allowed
   */
  readonly validation?: { readonly condition: string; readonly message: string };
}

/**
 * A Terraform variable. Its readings are tokens that only Terraform can compute with; conditions are written
 * as HCL around {@link Input.hcl}, never in TypeScript.
 */
export class Input {
  /** The reference as HCL, `var.<name>`, for use inside an expression. */
  readonly hcl: string;
  readonly #variable: TerraformVariable;

  constructor(scope: Construct, name: string, definition: InputDefinition) {
    this.hcl = `var.${name}`;
    const { validation, default: defaultValue, ...rest } = definition;
    this.#variable = new TerraformVariable(scope, this.hcl, {
      ...rest,
      nullable: rest.nullable ?? defaultValue === null,
      ...(defaultValue !== undefined && defaultValue !== null ? { default: defaultValue } : {}),
      ...(validation
        ? { validation: [{ condition: `\${${validation.condition}}`, errorMessage: validation.message }] }
        : {}),
    });
    // cdktf cannot pass a null default through its own property.
    if (defaultValue === null) this.#variable.addOverride("default", null);
  }

  /** The value as text; numbers are converted by Terraform. */
  get text(): string {
    return this.#variable.stringValue;
  }

  /** The value as a number token. */
  get number(): number {
    return Token.asNumber(`\${${this.hcl}}`);
  }

  /** The value as a boolean token. */
  get flag(): IResolvable {
    return expression(this.hcl);
  }

  /** The value as text, the empty string for null: an environment variable has no null. */
  get textOrEmpty(): string {
    return `\${${this.hcl} == null ? "" : ${this.hcl}}`;
  }

  /** The value as JSON text. */
  get json(): string {
    return `\${jsonencode(${this.hcl})}`;
  }

  /** HCL that gives one of two HCL values, depending on whether the input is null. */
  ifNull(whenNull: string, otherwise: string): string {
    return `\${${this.hcl} == null ? ${whenNull} : ${otherwise}}`;
  }
}

/** An HCL expression where cdktf asks for a boolean. */
export function expression(hcl: string): IResolvable {
  return Token.asAny(`\${${hcl}}`);
}

/**
 * A text as a literal of HCL, for use inside an expression; what Terraform fills into the text stays what it is.
 *
 * @param text may hold `${…}`, within which there is no brace
 */
export function hclText(text: string): string {
  const parts = text.split(/(\$\{[^}]*\})/);
  return `"${parts.map((part, index) => (index % 2 === 1 ? part : JSON.stringify(part).slice(1, -1))).join("")}"`;
}
