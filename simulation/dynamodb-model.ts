/**
 * A model of one DynamoDB table: conditional writes, and reads that may be old. It understands the expressions
 * that `functions/adapters/dynamodb-message-store.ts` writes, so the real adapter runs on it.
 */
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import {
  BatchGetCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  UpdateCommand,
  type UpdateCommandInput,
} from "@aws-sdk/lib-dynamodb";
import { named } from "./named-error.ts";
import type { VirtualWorld, Worker } from "./virtual-world.ts";

type Item = Record<string, unknown>;

/** How old an eventually consistent read can be, in seconds. */
const oldestReadSeconds = 1;

/** The table, and the client that each worker sees it through. */
export interface TableModel {
  readonly items: ReadonlyMap<string, Item>;
  /** Every write that took effect, in order. */
  readonly writes: readonly {
    readonly at: number;
    readonly id: string;
    readonly before?: Item;
    readonly after: Item;
  }[];
  clientFor(worker: Worker): DynamoDBDocumentClient;
  /** An application's own conditional write: makes or changes an item, or leaves it where it gets undefined. */
  writeDirectly(id: string, change: (item: Item | undefined) => Item | undefined): void;
}

/** What a broken table does; see `breaks.ts`. */
export interface TableBreaks {
  readonly ignoresConditions?: boolean;
}

/** Makes an empty table. */
export function tableModel(world: VirtualWorld, breaks: TableBreaks = {}): TableModel {
  const items = new Map<string, Item>();
  const history = new Map<string, { until: number; item: Item | undefined }[]>();
  const writes: { at: number; id: string; before?: Item; after: Item }[] = [];

  const put = (id: string, item: Item): void => {
    const versions = history.get(id) ?? [];
    versions.push({ until: world.now, item: items.get(id) });
    history.set(id, versions);
    const before = items.get(id);
    writes.push({ at: world.now, id, ...(before !== undefined && { before }), after: item });
    items.set(id, item);
  };

  /** The item as it is, or as it was up to a second ago. */
  const readSometime = (id: string): Item | undefined => {
    const recent = (history.get(id) ?? []).filter(({ until }) => world.now - until < oldestReadSeconds);
    const old = recent[0];
    return old !== undefined && world.strikes("late-delivery", 40) ? old.item : items.get(id);
  };

  const refuse = (item: Item | undefined): never => {
    // The emulated refusal leaves the item out: the adapter reads it, as it must on an emulator.
    throw new ConditionalCheckFailedException({
      message: `The conditional request failed${item === undefined ? "" : "."}`,
      $metadata: {},
    });
  };

  const execute = (command: unknown): unknown => {
    if (command instanceof GetCommand) {
      return { Item: structuredClone(items.get(idOf(command.input.Key))) };
    }
    if (command instanceof BatchGetCommand) {
      const [table = ""] = Object.keys(command.input.RequestItems ?? {});
      const keys = command.input.RequestItems?.[table]?.Keys ?? [];
      const found = keys.flatMap((key) => structuredClone(readSometime(idOf(key))) ?? []);
      return { Responses: { [table]: found } };
    }
    if (command instanceof PutCommand) {
      const item = structuredClone(command.input.Item ?? {});
      const id = idOf(item);
      if (items.has(id) && breaks.ignoresConditions !== true) refuse(items.get(id));
      put(id, item);
      return {};
    }
    if (command instanceof UpdateCommand) {
      const id = idOf(command.input.Key);
      const item = items.get(id);
      if (breaks.ignoresConditions !== true && !holds(command.input, item ?? {})) refuse(item);
      const changed = update(command.input, structuredClone(item ?? { application_message_id: id }));
      put(id, changed);
      return { Attributes: structuredClone(changed) };
    }
    throw new Error("The model of DynamoDB does not know this command.");
  };

  return {
    items,
    writes,
    clientFor(worker) {
      const send = (command: { readonly constructor: { readonly name: string }; readonly input: unknown }) =>
        world.call(worker, `DynamoDB ${command.constructor.name}`, () => execute(command), {
          throttled: () => named("ProvisionedThroughputExceededException"),
          lost: () => named("TimeoutError"),
        });
      return { send } as unknown as DynamoDBDocumentClient;
    },
    writeDirectly(id, change) {
      const changed = change(structuredClone(items.get(id)));
      if (changed !== undefined) put(id, changed);
    },
  };
}

function idOf(key: Item | undefined): string {
  return String(key?.application_message_id);
}

type Expressions = Pick<
  UpdateCommandInput,
  "UpdateExpression" | "ConditionExpression" | "ExpressionAttributeNames" | "ExpressionAttributeValues"
>;

/** The names along a document path such as `#attempts.#1.#outcome`. */
function pathOf(text: string, { ExpressionAttributeNames: names }: Expressions): string[] {
  return text.split(".").map((part) => {
    const name = names?.[part];
    if (name === undefined) throw new Error(`The expression uses the name ${part} without saying it.`);
    return name;
  });
}

function read(path: readonly string[], item: Item): unknown {
  return path.reduce<unknown>((holder, key) => (holder as Item | null | undefined)?.[key], item);
}

/** Whether a condition of clauses joined by AND holds, each of them optionally alternatives `(… OR …)`. */
function holds(expressions: Expressions, item: Item): boolean {
  const clauses = (expressions.ConditionExpression ?? "").split(" AND ");
  return clauses.every((clause) =>
    clause
      .replace(/^\((.*)\)$/, "$1")
      .split(" OR ")
      .some((part) => holdsPart(part, expressions, item)),
  );
}

function holdsPart(part: string, expressions: Expressions, item: Item): boolean {
  const presence = /^attribute_(not_)?exists\((.+)\)$/.exec(part);
  if (presence !== null) {
    const isThere = read(pathOf(presence[2] ?? "", expressions), item) !== undefined;
    return presence[1] === undefined ? isThere : !isThere;
  }
  const type = /^(NOT )?attribute_type\((.+), (.+)\)$/.exec(part);
  if (type !== null) {
    const [, negation, path = "", name = ""] = type;
    if (expressions.ExpressionAttributeValues?.[name] !== "NULL") {
      throw new Error("The model of DynamoDB does not know this type.");
    }
    return (read(pathOf(path, expressions), item) === null) === (negation === undefined);
  }
  const [left = "", operator, right = ""] = part.split(" ");
  const actual = read(pathOf(left, expressions), item);
  const expected = expressions.ExpressionAttributeValues?.[right] as unknown;
  if (actual === undefined || typeof actual !== typeof expected) return false;
  switch (operator) {
    case "=":
      return actual === expected;
    case "<>":
      return actual !== expected;
    case "<=":
      return Number(actual) <= Number(expected);
    case ">":
      return Number(actual) > Number(expected);
    default:
      throw new Error(`The model of DynamoDB does not know the operator ${operator}.`);
  }
}

function update(expressions: Expressions, item: Item): Item {
  const [, sets = "", removes = ""] =
    /^(?:SET (.*?))?(?: ?REMOVE (.*))?$/.exec(expressions.UpdateExpression ?? "") ?? [];
  for (const assignment of sets.split(", ").filter((text) => text !== "")) {
    const [path = "", value = ""] = assignment.split(" = ");
    const keys = pathOf(path, expressions);
    holderOf(keys, item)[keys.at(-1) ?? ""] = structuredClone(
      expressions.ExpressionAttributeValues?.[value] as unknown,
    );
  }
  for (const path of removes.split(", ").filter((text) => text !== "")) {
    const keys = pathOf(path, expressions);
    delete holderOf(keys, item)[keys.at(-1) ?? ""];
  }
  return item;
}

function holderOf(keys: readonly string[], item: Item): Item {
  const holder = read(keys.slice(0, -1), item);
  if (typeof holder !== "object" || holder === null) throw named("ValidationException");
  return holder as Item;
}
