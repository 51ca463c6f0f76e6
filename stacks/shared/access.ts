/**
 * Permissions, and the environment variables that tell a function what they are for: granting one without
 * naming the other is not possible here.
 */
import { type Construct, IamRolePolicy, Token } from "../cdktf.ts";
import { hasKmsKey, type SharedInputs } from "../inputs/inputs.ts";

/** A list that Terraform makes, as HCL: for resources whose number only the inputs tell. */
export interface HclList {
  readonly hcl: string;
}

/** One statement of an IAM policy, as AWS writes it. */
export interface Statement {
  readonly Sid: string;
  /** @default "Allow" */
  readonly Effect?: "Allow" | "Deny";
  /** @default - none: the policy is not attached to a resource */
  readonly Principal?: "*" | Readonly<Record<string, string>>;
  readonly Action: string | readonly string[];
  /** @default - none: the statement is part of a trust policy */
  readonly Resource?: string | readonly string[] | HclList;
  /** @default - no condition */
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** What a function may do with something, and the environment variables that lead it there. */
export interface Access<Name extends string> {
  readonly statements: readonly Statement[];
  readonly environment: Readonly<Record<Name, string>>;
}

type NamesOf<Part> = Part extends Access<infer Name> ? Name : never;

/** Several accesses as one. */
export function allOf<Parts extends readonly Access<string>[]>(
  ...parts: Parts
): Access<NamesOf<Parts[number]>> {
  return {
    statements: parts.flatMap((part) => part.statements),
    environment: Object.assign({}, ...parts.map((part) => part.environment)) as Record<
      NamesOf<Parts[number]>,
      string
    >,
  };
}

/** An IAM policy document as JSON text. Values that Terraform fills in must not contain quotes: ARNs do not. */
export function policyDocument(...statements: readonly Statement[]): string {
  const document = JSON.stringify({
    Version: "2012-10-17",
    Statement: statements.map(({ Sid, Effect = "Allow", ...rest }) => ({ Sid, Effect, ...rest })),
  });
  // A list of Terraform's comes in where its HCL stands.
  return document.replaceAll(/\{"hcl":"([^"]*)"\}/g, (_, hcl: string) => `\${jsonencode(${hcl})}`);
}

/** The document by which a role trusts one AWS service. */
export function trustPolicy(service: string, condition?: NonNullable<Statement["Condition"]>): string {
  return policyDocument({
    Sid: "Assume",
    Principal: { Service: service },
    Action: "sts:AssumeRole",
    ...(condition ? { Condition: condition } : {}),
  });
}

/** The statement of a resource policy that refuses every unencrypted connection. */
export function onlyOverTls(action: string, resources: readonly string[]): Statement {
  return {
    Sid: "OnlyOverTls",
    Effect: "Deny",
    Principal: "*",
    // A denial is complete only if it names everything.
    Action: action,
    Resource: resources,
    Condition: { Bool: { "aws:SecureTransport": "false" } },
  };
}

/** A KMS key that a user may have given. */
export interface GivenKey {
  /** HCL of whether it was. */
  readonly isGiven: string;
  /** Its ARN. */
  readonly arn: string;
}

/** The key that encrypts everything of the deployment. */
export function deploymentKey(inputs: SharedInputs): GivenKey {
  return { isGiven: hasKmsKey, arn: inputs.kmsKeyArn.text };
}

/**
 * Lets a role use a KMS key if the user gave one; without one nothing is created.
 *
 * @param name last part of the address: `aws_iam_role_policy.<name>_key`
 */
export function grantKeyUse(
  scope: Construct,
  name: string,
  options: { readonly role: string; readonly key: GivenKey; readonly actions: readonly string[] },
): IamRolePolicy {
  return new IamRolePolicy(scope, `aws_iam_role_policy.${name}`, {
    count: Token.asNumber(`\${${options.key.isGiven} ? 1 : 0}`),
    name: name.replaceAll("_", "-"),
    role: options.role,
    policy: policyDocument({ Sid: "UseKey", Action: options.actions, Resource: options.key.arn }),
  });
}
