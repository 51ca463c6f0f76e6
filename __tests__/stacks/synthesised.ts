/** The stacks as Terraform would read them, for the tests of this folder; empty zips stand in for the bundles. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { environmentNames, type FunctionName } from "../../functions/contract/environment.ts";
import { type StackName, stackNames, synthesise } from "../../stacks/app.ts";

type Attributes = Readonly<Record<string, unknown>>;

/** The parts of a `cdk.tf.json` that the tests read. */
export interface SynthesisedStack {
  readonly terraform: {
    readonly backend: { readonly local: { readonly path: string } };
    readonly required_version: string;
    readonly required_providers: { readonly aws: { readonly source: string; readonly version: string } };
  };
  readonly provider: { readonly aws: readonly Attributes[] };
  readonly data: Readonly<Record<string, Readonly<Record<string, Attributes>>>>;
  readonly resource: Readonly<Record<string, Readonly<Record<string, Attributes>>>>;
  readonly variable: Readonly<
    Record<
      string,
      {
        readonly type?: string;
        readonly description?: string;
        readonly default?: unknown;
        readonly nullable?: boolean;
        readonly sensitive?: boolean;
        readonly validation?: readonly { readonly condition: string; readonly error_message: string }[];
      }
    >
  >;
  /** Only where the stack has some. */
  readonly locals?: Readonly<Record<string, unknown>>;
  readonly output: Readonly<Record<string, { readonly description?: string; readonly value: string }>>;
  /** Only where the stack has checks. */
  readonly check?: Readonly<
    Record<
      string,
      {
        readonly data?: Readonly<Record<string, Readonly<Record<string, Attributes>>>>;
        readonly assert: readonly { readonly condition: string; readonly error_message: string }[];
      }
    >
  >;
}

/** The functions of each stack. */
export const functionsOf: Readonly<Record<StackName, readonly FunctionName[]>> = {
  "sms-retry-end-user-messaging": ["consume-sns", "produce", "resend"],
  "sms-retry-new-stream": ["consume-kinesis", "produce", "resend"],
  "sms-retry-kinesis": ["consume-kinesis", "produce", "resend"],
  "sms-retry-firehose": ["attach-transformation", "produce", "resend", "transform-firehose"],
};

/** The stacks on the events of a Pinpoint project. */
export const pinpointStackNames = [
  "sms-retry-new-stream",
  "sms-retry-kinesis",
  "sms-retry-firehose",
] as const;

/** The stacks that read a Kinesis stream and keep an archive of it. */
export const kinesisStackNames = ["sms-retry-new-stream", "sms-retry-kinesis"] as const;

/** Every stack, as the bytes of its `cdk.tf.json`. */
export function synthesiseTexts(hasRemoteState = false): Record<StackName, string> {
  const folder = mkdtempSync(join(tmpdir(), "sms-retry-stacks-"));
  try {
    for (const name of Object.keys(environmentNames)) writeFileSync(join(folder, `${name}.zip`), name);
    const output = join(folder, "out");
    synthesise({ version: "1.2.3", functionsFolder: folder }, output, hasRemoteState);
    return Object.fromEntries(
      stackNames.map((name) => [name, readFileSync(join(output, "stacks", name, "cdk.tf.json"), "utf8")]),
    ) as Record<StackName, string>;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Every stack, parsed. */
export function synthesiseAll(): Record<StackName, SynthesisedStack> {
  const texts = synthesiseTexts();
  return Object.fromEntries(stackNames.map((name) => [name, JSON.parse(texts[name])])) as Record<
    StackName,
    SynthesisedStack
  >;
}

/** The addresses of all resources of a stack, sorted. */
export function addressesOf(stack: SynthesisedStack): string[] {
  return Object.entries(stack.resource)
    .flatMap(([type, byName]) => Object.keys(byName).map((name) => `${type}.${name}`))
    .sort();
}

/** What a resource names as what it waits for; what it refers to besides is not among it. */
export function dependenciesOf(stack: SynthesisedStack, address: string): string[] {
  return [resource(stack, address).depends_on ?? []].flat().map(String);
}

/** All resources of a type, by name; fails where there is none, so that no loop over them is empty. */
export function resourcesOf(stack: SynthesisedStack, type: string): [name: string, Attributes][] {
  const found = Object.entries(stack.resource[type] ?? {});
  if (found.length === 0) throw new Error(`The stack has no ${type}.`);
  return found;
}

/** One resource by its address. */
export function resource(stack: SynthesisedStack, address: string): Attributes {
  const [type = "", name = ""] = address.split(".");
  const found = stack.resource[type]?.[name];
  if (found === undefined) throw new Error(`The stack has no ${address}.`);
  return found;
}

/** A statement of a policy, with lists where AWS allows both a list and one value. */
export interface PolicyStatement {
  readonly sid: string;
  readonly effect: string;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly principal: unknown;
  readonly condition: unknown;
}

/** The statements of a policy document. */
export function statementsOf(policy: unknown): PolicyStatement[] {
  // A list that Terraform makes stands outside quotes; here it is the HCL of the list.
  const text = String(policy).replaceAll(/:\$\{jsonencode\(([\w.]+)\)\}/g, ':"$1"');
  const { Statement } = JSON.parse(text) as { Statement: Record<string, unknown>[] };
  return Statement.map((statement) => ({
    sid: String(statement.Sid),
    effect: String(statement.Effect),
    actions: [statement.Action ?? []].flat() as string[],
    resources: [statement.Resource ?? []].flat() as string[],
    principal: statement.Principal,
    condition: statement.Condition,
  }));
}
