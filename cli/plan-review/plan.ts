/** A Terraform plan as `terraform show -json` writes it, as far as a review reads it. */

/** The plan. Its values may hold secrets in plain text: what is printed of it is chosen one by one. */
export interface Plan {
  /** Values of the inputs, secret ones in plain text among them. */
  readonly variables?: Readonly<Record<string, { readonly value?: unknown }>>;
  readonly configuration?: { readonly root_module?: { readonly module_calls?: ModuleCalls } };
  readonly resource_changes?: readonly ResourceChange[];
  readonly output_changes?: Readonly<Record<string, { readonly actions: readonly string[] }>>;
  readonly checks?: readonly CheckResult[];
}

/** Calls of modules, by name, with the values that stand in the call itself. */
export type ModuleCalls = Readonly<
  Record<string, { readonly expressions?: Readonly<Record<string, { readonly constant_value?: unknown }>> }>
>;

/** One resource and what becomes of it. */
export interface ResourceChange {
  readonly address: string;
  readonly mode: string;
  readonly type: string;
  readonly name: string;
  readonly change: {
    readonly actions: readonly string[];
    readonly before?: Values | null;
    readonly after?: Values | null;
    /** Attributes for whose sake the resource is replaced. */
    readonly replace_paths?: readonly (readonly (string | number)[])[];
  };
}

/** Attributes of a resource. */
export type Values = Readonly<Record<string, unknown>>;

/** A check, and what it found. */
export interface CheckResult {
  readonly address: { readonly kind: string; readonly name?: string; readonly to_display: string };
  readonly status: string;
  readonly instances?: readonly { readonly problems?: readonly { readonly message: string }[] }[];
}

/** What becomes of a resource. */
export type Action = "create" | "update" | "replace" | "destroy" | "forget" | "keep";

/** The action of a change; data sources and what stays as it is are kept. */
export function actionOf({ mode, change: { actions } }: ResourceChange): Action {
  if (mode !== "managed") return "keep";
  const has = (action: string) => actions.includes(action);
  if (has("create")) return has("delete") || has("forget") ? "replace" : "create";
  if (has("delete")) return "destroy";
  if (has("update")) return "update";
  return has("forget") ? "forget" : "keep";
}

/** The resources of a plan with their actions, kept ones included. */
export function changesOf({ resource_changes = [] }: Plan): { change: ResourceChange; action: Action }[] {
  return resource_changes.map((change) => ({ change, action: actionOf(change) }));
}

/** Finds one of our resources by type and name, at whatever depth of modules; no data source. */
export function find(plan: Plan, type: string, name: string): ResourceChange | undefined {
  return plan.resource_changes?.find(
    (change) => change.mode === "managed" && change.type === type && change.name === name,
  );
}

/** An attribute as it will be, or as it was where the resource goes; `undefined` where only the apply will tell. */
export function attribute(resource: ResourceChange | undefined, name: string): string | undefined {
  const { before, after } = resource?.change ?? {};
  return text(after?.[name]) ?? (after?.[name] === undefined ? text(before?.[name]) : undefined);
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
