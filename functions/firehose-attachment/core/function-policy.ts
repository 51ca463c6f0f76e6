/** The resource policy of a function: who may invoke it, whatever their own role says. */

/** A statement that lets one principal do one thing with the function. */
export interface PolicyStatement {
  readonly id: string;
  readonly action: string;
  /** ARN of a role; AWS puts an opaque id in its place when the role is deleted. */
  readonly principal: string;
}

/** Reads and changes resource policies. All but the named outcomes and busyness reject. */
export interface FunctionPolicies {
  /** The statements of a function's policy; none if the function is gone. */
  statements(functionArn: string): Promise<readonly PolicyStatement[]>;
  /** Adds a statement, or answers `taken` if one of that id is there. */
  add(functionArn: string, statement: PolicyStatement): Promise<"added" | "taken">;
  /** Removes a statement; succeeds if it, or the function, is not there. */
  remove(functionArn: string, id: string): Promise<void>;
}

/**
 * What Firehose does with a transformation. Fixed ids: a function serves one stream.
 *
 * @see https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html
 */
const granted = [
  { id: "sms-retry-firehose-invoke", action: "lambda:InvokeFunction" },
  { id: "sms-retry-firehose-read-configuration", action: "lambda:GetFunctionConfiguration" },
] as const;

/**
 * Lets a role use the function as a transformation, in place of the role that could before. Nothing is written
 * where all is as it should be.
 *
 * @returns `changed-meanwhile` if somebody else wrote one of the statements: read again
 */
export async function grantRole(
  policies: FunctionPolicies,
  functionArn: string,
  roleArn: string,
): Promise<"granted" | "changed-meanwhile"> {
  const present = new Map((await policies.statements(functionArn)).map((each) => [each.id, each]));
  for (const { id, action } of granted) {
    const statement = present.get(id);
    if (statement?.action === action && statement.principal === roleArn) continue;
    if (statement !== undefined) await policies.remove(functionArn, id);
    const outcome = await policies.add(functionArn, { id, action, principal: roleArn });
    if (outcome === "taken") return "changed-meanwhile";
  }
  return "granted";
}

/** Takes back what {@link grantRole} gave, and nothing else; safe to repeat, also when the function is gone. */
export async function revokeRole(policies: FunctionPolicies, functionArn: string): Promise<void> {
  const present = new Set((await policies.statements(functionArn)).map(({ id }) => id));
  for (const { id } of granted) {
    if (present.has(id)) await policies.remove(functionArn, id);
  }
}
