/**
 * Terraform's JSON form as HCL, formatted as `terraform fmt` does: the subset that our stacks use. The JSON form does not
 * say what is a block and what a map; {@link mapAttributes} does.
 */

import {
  aligned,
  brokenExpression,
  type Item,
  lineWidth,
  templateParts,
  textExpression,
} from "./hcl-expression.ts";

/** A body of a block in the JSON form: attributes and nested blocks by their names. */
export type JsonBody = Readonly<Record<string, unknown>>;

/** Attributes whose value is a map; every other object, or list of objects, is a block. */
const mapAttributes = [
  "dimensions",
  "environment.variables",
  "required_providers.aws",
  "tags",
  "triggers",
  "variable.default",
];

/** Attributes whose text is JSON: they are written as `jsonencode({ … })`, whose keys Terraform sorts. */
export const jsonAttributes = ["assume_role_policy", "policy", "redrive_allow_policy", "redrive_policy"];

/** Attributes whose texts are references or types, and no templates. */
const bareAttributes = [
  "depends_on",
  "lifecycle.ignore_changes",
  "lifecycle.replace_triggered_by",
  "moved.from",
  "moved.to",
  "variable.type",
];

/** Whether an attribute is in a list, which names it alone or after the block that it stands in. */
const isIn = (names: readonly string[], block: string, name: string): boolean =>
  names.includes(name) || names.includes(`${block}.${name}`);

/**
 * A block as HCL, without a line break at its end.
 *
 * @param head type and labels, e.g. `resource "aws_sqs_queue" "retry"`
 * @throws Error for a template directive (`%{`), which no stack uses
 */
export function hclBlock(head: string, body: JsonBody): string {
  return block(head, body).join("\n");
}

/** A name as a label of a block. */
export const label = (name: string): string => JSON.stringify(name);

function block(head: string, body: JsonBody): string[] {
  const [type = ""] = head.split(" ");
  const entries = Object.entries(body);
  if (entries.length === 0) return [`${head} {}`];
  const isBlock = ([name, value]: [string, unknown]) => isBlockOf(type, name, value);
  const attributes = entries.filter((entry) => !isBlock(entry)).map((entry) => attribute(type, entry));
  const [last, others] = [true, false].map((is) =>
    attributes.filter(({ key }) => (key === "depends_on") === is),
  );
  const parts = [
    aligned((others ?? []).sort((a, b) => rankOf(a) - rankOf(b))),
    ...entries
      .filter(isBlock)
      .sort(([a], [b]) => Number(a === "lifecycle") - Number(b === "lifecycle"))
      .flatMap(([name, value]) => nestedBlocks(name, value)),
    aligned(last ?? []),
  ].filter((lines) => lines.length > 0);
  return [
    `${head} {`,
    ...indented(parts.flatMap((lines, index) => (index === 0 ? lines : ["", ...lines]))),
    "}",
  ];
}

/** What says how often a block is there stands first, what takes several lines behind what takes one. */
function rankOf({ key, lines }: Item): number {
  if (["count", "for_each", "source"].includes(key)) return 0;
  return lines.length === 1 ? 1 : 2;
}

function isBlockOf(block: string, name: string, value: unknown): boolean {
  if (isIn(mapAttributes, block, name)) return false;
  return isObject(value) || (Array.isArray(value) && value.length > 0 && value.every(isObject));
}

function nestedBlocks(name: string, value: unknown): string[][] {
  if (name === "dynamic")
    return Object.entries(value as JsonBody).map(([of, body]) =>
      block(`${name} ${label(of)}`, body as JsonBody),
    );
  const bodies = (Array.isArray(value) ? value : [value]) as JsonBody[];
  return bodies.map((body) => block(name, body));
}

function attribute(block: string, [name, value]: [string, unknown]): Item {
  if (isIn(bareAttributes, block, name)) return { key: name, lines: bare(value) };
  const json = jsonAttributes.includes(name) ? parsed(value) : undefined;
  if (json === undefined) return { key: name, lines: expression(value) };
  const lines = expression(json);
  return { key: name, lines: [`jsonencode(${lines[0]}`, ...lines.slice(1, -1), `${lines.at(-1)})`] };
}

/**
 * The object that a text holds as JSON, its interpolations inside texts of it; `undefined` where it holds none, as when a
 * value is interpolated that is neither in quotes nor encoded as JSON.
 */
function parsed(value: unknown): unknown {
  if (typeof value !== "string" || !value.startsWith("{")) return undefined;
  let json = "";
  for (const { text, isExpression } of templateParts(value)) {
    const encoded = /^\$\{jsonencode\((.*)\)\}$/s.exec(text)?.[1];
    if (!isExpression) json += text;
    else if (isInText(json)) json += JSON.stringify(text).slice(1, -1);
    else if (encoded !== undefined) json += JSON.stringify(`\${${encoded}}`);
    else return undefined;
  }
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** Whether JSON that is cut off at a place is cut off inside a text. */
function isInText(json: string): boolean {
  return json.replaceAll(/\\./gs, "").split('"').length % 2 === 0;
}

function bare(value: unknown): string[] {
  if (!Array.isArray(value)) return [String(value)];
  return list(value.map((item) => [String(item)]));
}

/** A value as HCL, line by line; the lines after the first are indented as from its own column. */
function expression(value: unknown): string[] {
  if (typeof value === "string") return brokenExpression(textExpression(value));
  if (Array.isArray(value)) return list(value.map(expression));
  if (!isObject(value)) return [JSON.stringify(value)];
  const items = Object.entries(value).map(([name, member]) => ({
    key: /^[A-Za-z_][\w-]*$/.test(name) ? name : textExpression(name),
    lines: expression(member),
  }));
  return items.length === 0 ? ["{}"] : ["{", ...indented(aligned(items)), "}"];
}

function list(items: readonly (readonly string[])[]): string[] {
  const line = `[${items.join(", ")}]`;
  if (items.every(({ length }) => length === 1) && (line.length <= lineWidth || items.length < 2))
    return [line];
  return ["[", ...indented(items.flatMap((lines) => [...lines.slice(0, -1), `${lines.at(-1)},`])), "]"];
}

const indented = (lines: readonly string[]): string[] =>
  lines.map((line) => (line === "" ? line : `  ${line}`));

const isObject = (value: unknown): value is JsonBody =>
  typeof value === "object" && value !== null && !Array.isArray(value);
