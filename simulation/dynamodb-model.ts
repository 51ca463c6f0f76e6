/**
 * A model of one DynamoDB table: conditional writes, and reads that may be old. It understands the expressions
 * that `functions/adapters/dynamodb/dynamodb-message-store.ts` writes, so the real adapter runs on it.
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
import { marshall } from "@aws-sdk/util-dynamodb";
import { named } from "./named-error.ts";
import type { VirtualWorld, Worker } from "./virtual-world.ts";

type Item = Record<string, unknown>;

/** How old an eventually consistent read can be, in seconds: usually less than one, now and then more. */
const oldestReadSeconds = 2;

/** How long the client tries, six times by three seconds at worst. */
const patienceSeconds = 18;

/** A write that took effect. */
export interface TableWrite {
  readonly at: number;
  /** Where it stands among all that happened to the table and the SMS service. */
  readonly order: number;
  readonly id: string;
  /** The worker that made it; undefined for the application. */
  readonly worker?: string;
  readonly before?: Item;
  readonly after: Item;
}

/** The table, and the client that each worker sees it through. */
export interface TableModel {
  readonly items: ReadonlyMap<string, Item>;
  /** Every write that took effect, in order. */
  readonly writes: readonly TableWrite[];
  /** Items that DynamoDB's TTL has deleted, as they were. */
  readonly deleted: ReadonlyMap<string, Item>;
  clientFor(worker: Worker): DynamoDBDocumentClient;
  /** An application's own conditional write: makes or changes an item, or leaves it where it gets undefined. */
  writeDirectly(id: string, change: (item: Item | undefined) => Item | undefined): void;
  /** What TTL does to an item some time after its `expires_at`. */
  deleteExpired(id: string): void;
}

/** What a broken table does; see `breaks.ts`. */
export interface TableBreaks {
  readonly ignoresConditions?: boolean;
  /** Every read is eventually consistent, whatever it asks for. */
  readonly ignoresConsistency?: boolean;
}

/** Makes an empty table. */
export function tableModel(world: VirtualWorld, breaks: TableBreaks = {}): TableModel {
  const items = new Map<string, Item>();
  const deleted = new Map<string, Item>();
  const history = new Map<string, { until: number; item: Item | undefined }[]>();
  const writes: TableWrite[] = [];

  const keepVersion = (id: string): void => {
    const versions = (history.get(id) ?? []).filter(({ until }) => world.now - until < oldestReadSeconds);
    versions.push({ until: world.now, item: items.get(id) });
    history.set(id, versions);
  };

  const put = (id: string, after: Item, worker?: Worker): void => {
    keepVersion(id);
    const before = items.get(id);
    writes.push({
      at: world.now,
      order: world.newId(),
      id,
      ...(worker !== undefined && { worker: worker.name }),
      ...(before !== undefined && { before }),
      after,
    });
    items.set(id, after);
  };

  /** The item as it is, or as it was up to two seconds ago. */
  const readSometime = (id: string): Item | undefined => {
    const old = history.get(id)?.find(({ until }) => world.now - until < oldestReadSeconds);
    return old !== undefined && world.strikes("stale-read", 40) ? old.item : items.get(id);
  };

  const refuse = (item: Item | undefined): never => {
    // DynamoDB hands the item over with its refusal.
    throw new ConditionalCheckFailedException({
      message: "The conditional request failed",
      $metadata: {},
      ...(item !== undefined && { Item: marshall(item) }),
    });
  };

  const execute = (command: unknown, worker: Worker): unknown => {
    if (command instanceof GetCommand) {
      const id = idOf(command.input.Key);
      const isConsistent = command.input.ConsistentRead === true && breaks.ignoresConsistency !== true;
      return { Item: structuredClone(isConsistent ? items.get(id) : readSometime(id)) };
    }
    if (command instanceof BatchGetCommand) {
      const [table = ""] = Object.keys(command.input.RequestItems ?? {});
      const keys = command.input.RequestItems?.[table]?.Keys ?? [];
      // A throttled table leaves some of the keys for later.
      const left = keys.filter(() => world.strikes("throttle", 1));
      const found = keys
        .filter((key) => !left.includes(key))
        .flatMap((key) => structuredClone(readSometime(idOf(key))) ?? []);
      return {
        Responses: { [table]: found },
        ...(left.length > 0 && { UnprocessedKeys: { [table]: { Keys: left } } }),
      };
    }
    if (command instanceof PutCommand) {
      const item = structuredClone(command.input.Item ?? {});
      const id = idOf(item);
      if (items.has(id) && breaks.ignoresConditions !== true) refuse(items.get(id));
      put(id, item, worker);
      return {};
    }
    if (command instanceof UpdateCommand) {
      const id = idOf(command.input.Key);
      const item = items.get(id);
      if (breaks.ignoresConditions !== true && !holds(command.input, item ?? {})) refuse(item);
      const changed = update(command.input, structuredClone(item ?? { application_message_id: id }));
      put(id, changed, worker);
      return { Attributes: structuredClone(changed) };
    }
    throw new Error("The model of DynamoDB does not know this command.");
  };

  return {
    items,
    writes,
    deleted,
    clientFor(worker) {
      const send = (command: { readonly constructor: { readonly name: string }; readonly input: Item }) => {
        const key = command.input.Key ?? command.input.Item;
        const subject = key === undefined ? {} : { subject: idOf(key as Item) };
        return world.call(
          worker,
          {
            service: "table",
            label: `DynamoDB ${command.constructor.name} ${subject.subject ?? ""}`,
            ...subject,
            errors: {
              throttled: () => named("ProvisionedThroughputExceededException"),
              failed: () => named("InternalServerError"),
              timedOut: () => named("TimeoutError"),
            },
            patienceSeconds,
            isRepeated: true,
          },
          () => execute(command, worker),
        );
      };
      return { send } as unknown as DynamoDBDocumentClient;
    },
    writeDirectly(id, change) {
      const changed = change(structuredClone(items.get(id)));
      if (changed !== undefined) put(id, changed);
    },
    deleteExpired(id) {
      const item = items.get(id);
      if (item === undefined) return;
      world.note(`table: TTL deletes ${id}`);
      keepVersion(id);
      deleted.set(id, item);
      items.delete(id);
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
