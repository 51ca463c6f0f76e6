/** What a plan changes, as texts that a test compares. */
import { isDeepStrictEqual } from "node:util";
import type { Plan } from "./plan-review.ts";

/** A plan's JSON with its changes. */
export interface PlanWithChanges extends Plan {
  readonly resource_changes: readonly {
    readonly address: string;
    readonly mode: string;
    readonly action_reason?: string;
    readonly change: {
      readonly actions: readonly string[];
      readonly before: unknown;
      readonly after: unknown;
      readonly after_unknown: unknown;
    };
  }[];
  readonly output_changes?: Readonly<Record<string, { readonly actions: readonly string[] }>>;
}

/** Every action of a plan, `<action> <address>` with the reason if Terraform gives one, and every changed output. */
export function actionsOf({ resource_changes, output_changes = {} }: PlanWithChanges): string[] {
  const outputs = Object.entries(output_changes).map(([name, change]) => ({
    address: `output.${name}`,
    change,
    action_reason: undefined,
  }));
  return [...resource_changes, ...outputs]
    .filter(({ change }) => change.actions[0] !== "no-op")
    .map(({ address, change, action_reason: reason }) =>
      [change.actions.join("+"), address, ...(reason === undefined ? [] : [reason])].join(" "),
    );
}

/** Attributes that AWS sets anew at every change of a function. */
const changedByAws = ["last_modified"];

/** Every change as `<action> <address> <attribute>`, sorted; one line for each attribute that changes. */
export function changesOf({ resource_changes }: PlanWithChanges): string[] {
  return resource_changes
    .filter(({ mode, change }) => mode !== "data" && change.actions[0] !== "no-op")
    .flatMap(({ address, change: { actions, before, after, after_unknown } }) => {
      const unknown = leavesOf(after_unknown, "").flatMap(([path, value]) => (value === true ? [path] : []));
      const was = new Map(leavesOf(before, ""));
      const willBe = new Map(leavesOf(after, ""));
      const differing = [...new Set([...was.keys(), ...willBe.keys()])].filter(
        (path) => !unknown.includes(path) && !isDeepStrictEqual(was.get(path), willBe.get(path)),
      );
      return [...differing, ...unknown.filter((path) => !changedByAws.includes(path))].map(
        (path) => `${actions.join("+")} ${address} ${path}`,
      );
    })
    .sort();
}

function leavesOf(value: unknown, path: string): [path: string, value: unknown][] {
  if (value === null || typeof value !== "object") return [[path, value]];
  return Object.entries(value).flatMap(([key, part]) => leavesOf(part, path === "" ? key : `${path}.${key}`));
}

/** What a reviewer reads of a resource. */
const textsOfPlan: Readonly<Record<string, readonly string[]>> = {
  aws_cloudcontrolapi_resource: ["desired_state"],
  aws_iam_role: ["assume_role_policy", "name"],
  aws_iam_role_policy: ["policy", "role"],
  aws_lambda_event_source_mapping: ["event_source_arn", "function_name"],
  aws_lambda_function: ["environment", "role"],
  aws_s3_bucket_policy: ["policy"],
  aws_sns_topic_policy: ["policy"],
  aws_sns_topic_subscription: ["redrive_policy"],
  aws_sqs_queue_policy: ["policy"],
  aws_sqs_queue_redrive_allow_policy: ["redrive_allow_policy"],
};

/** What a reviewer reads of the resources of a plan, as `<address> <attribute>`: of what is known, and of what is not. */
export function readableOf({ resource_changes }: PlanWithChanges): { known: string[]; unknown: string[] } {
  const texts = resource_changes.flatMap(({ address, change: { after_unknown } }) =>
    (textsOfPlan[address.split(".")[0] ?? ""] ?? []).map((attribute) => ({
      text: `${address} ${attribute}`,
      isUnknown: isUnknown(Object(after_unknown)[attribute]),
    })),
  );
  const those = (unknown: boolean) =>
    texts.filter(({ isUnknown: is }) => is === unknown).map(({ text }) => text);
  return { known: those(false), unknown: those(true) };
}

function isUnknown(value: unknown): boolean {
  if (value === true) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(isUnknown);
}
