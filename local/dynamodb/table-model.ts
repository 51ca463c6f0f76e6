/**
 * A model of one DynamoDB table in memory, at the boundary of the document client: the real adapters run on it, with
 * the expressions that they write and the items that they read. What goes wrong with a call on its way is left to
 * whoever stands between: the model answers at once.
 *
 * Knows GetItem, BatchGetItem, PutItem and UpdateItem, on a key that is one text.
 */
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import {
  BatchGetCommand,
  type BatchGetCommandInput,
  type DynamoDBDocumentClient,
  GetCommand,
  type GetCommandInput,
  PutCommand,
  type PutCommandInput,
  UpdateCommand,
  type UpdateCommandInput,
} from "@aws-sdk/lib-dynamodb";
import { marshall } from "@aws-sdk/util-dynamodb";
import {
  conditionHolds,
  type Expressions,
  type Item,
  isMap,
  refuseInvalid,
  updated,
  validationException,
} from "./expressions.ts";
import { itemBytes, largestItemBytes } from "./item-size.ts";

/** How old an eventually consistent read can be, in seconds: usually less than one, now and then more. */
const oldestReadSeconds = 2;

/** Most keys that one BatchGetItem takes. */
const batchGetLimit = 100;

/** Most bytes of a key. */
const longestKeyBytes = 2_048;

/** A write that took effect. */
export interface ItemWrite {
  readonly id: string;
  readonly before?: Item;
  readonly after: Item;
}

/** What a call costs, refused ones included. One write unit is a KiB; one read unit 4 KiB, half of it if it may be old. */
export interface CallCost {
  readonly operation: "GetItem" | "BatchGetItem" | "PutItem" | "UpdateItem";
  readonly readUnits: number;
  readonly writeUnits: number;
}

/** What a table is like. */
export interface TableOptions {
  /** Its partition key, the only one. */
  readonly key: string;
  /** Time in seconds, by which an old read is told from one that would be too old. */
  readonly now: () => number;
  /** Whether a read that may be old is, asked where there is something old to read. @default never */
  readonly readsOld?: () => boolean;
  /** Whether a batch read leaves a key for later, as a throttled table does. @default never */
  readonly leavesUnprocessed?: (id: string) => boolean;
  /** Hears of every write that took effect, but not of what is done to `items`. */
  readonly onWrite?: (write: ItemWrite) => void;
  /** Hears what each call cost. */
  readonly onCall?: (cost: CallCost) => void;
}

/** A table; see the module's comment. */
export interface TableModel {
  /** The items by key, to look at and to write past everything, as a test may. */
  readonly items: Map<string, Item>;
  /** Writes an item without a condition. */
  put(item: Item): void;
  /** Deletes an item, as TTL does some time after its expiry. Gives it as it was. */
  remove(id: string): Item | undefined;
  /**
   * Does what a command says, and answers.
   *
   * @throws ConditionalCheckFailedException, and a `ValidationException` for what DynamoDB would not take
   */
  execute(command: unknown): object;
  /** `execute` as the client that the adapters take. */
  readonly client: DynamoDBDocumentClient;
}

/** Makes an empty table. */
export function tableModel(options: TableOptions): TableModel {
  const { key, now, readsOld, leavesUnprocessed = () => false, onWrite, onCall } = options;
  const items = new Map<string, Item>();
  const history = new Map<string, { until: number; item: Item | undefined }[]>();

  const idOf = (keys: Item | undefined): string => {
    const id = keys?.[key];
    if (typeof id === "string" && id !== "" && Buffer.byteLength(id) <= longestKeyBytes) return id;
    throw validationException(
      "One or more parameter values were invalid: the key is no text of 1 to 2048 bytes",
    );
  };

  const isOldEnough = ({ until }: { until: number }): boolean => now() - until < oldestReadSeconds;

  /** Keeps the item as it is for reads that may be old. */
  const keepVersion = (id: string): void => {
    if (readsOld === undefined) return;
    const versions = (history.get(id) ?? []).filter(isOldEnough);
    versions.push({ until: now(), item: items.get(id) });
    history.set(id, versions);
  };

  const read = (id: string, isConsistent: boolean): Item | undefined => {
    const old = isConsistent ? undefined : history.get(id)?.find(isOldEnough);
    return old !== undefined && readsOld?.() === true ? old.item : items.get(id);
  };

  const write = (after: Item): void => {
    const id = idOf(after);
    if (itemBytes(after) > largestItemBytes) {
      throw validationException("Item size has exceeded the maximum allowed size");
    }
    keepVersion(id);
    const before = items.get(id);
    items.set(id, after);
    onWrite?.({ id, ...(before !== undefined && { before }), after });
  };

  const costOfReads = (found: readonly (Item | undefined)[], isConsistent: boolean): number => {
    const units = found.map((item) => Math.max(1, Math.ceil(itemBytes(item ?? {}) / 4_096)));
    return units.reduce((sum, unit) => sum + unit, 0) * (isConsistent ? 1 : 0.5);
  };

  function get({ Key, ConsistentRead: isConsistent = false }: GetCommandInput) {
    const item = read(idOf(Key), isConsistent);
    onCall?.({ operation: "GetItem", readUnits: costOfReads([item], isConsistent), writeUnits: 0 });
    return item === undefined ? {} : { Item: copyOf(item) };
  }

  function batchGet({ RequestItems = {} }: BatchGetCommandInput) {
    const [[table, request] = ["", undefined], ...others] = Object.entries(RequestItems);
    if (others.length > 0) throw new Error("The model of DynamoDB has one table.");
    const keys = request?.Keys ?? [];
    const ids = keys.map(idOf);
    if (ids.length === 0 || ids.length > batchGetLimit || new Set(ids).size < ids.length) {
      throw validationException("A batch read takes 1 to 100 keys, each of them once");
    }
    const isConsistent = request?.ConsistentRead === true;
    const left = ids.filter(leavesUnprocessed);
    const found = ids.filter((id) => !left.includes(id)).map((id) => read(id, isConsistent));
    onCall?.({ operation: "BatchGetItem", readUnits: costOfReads(found, isConsistent), writeUnits: 0 });
    const unprocessed = { ...request, Keys: left.map((id) => ({ [key]: id })) };
    return {
      Responses: { [table]: found.flatMap((item) => (item === undefined ? [] : [copyOf(item)])) },
      UnprocessedKeys: left.length > 0 ? { [table]: unprocessed } : {},
    };
  }

  /** Writes what an item becomes, if the condition holds for what it is. */
  function writeIf(
    operation: CallCost["operation"],
    input: Expressions & RefusalOptions,
    id: string,
    become: (item: Item | undefined) => Item,
  ): Item {
    refuseInvalid(input);
    const before = items.get(id);
    let after = before;
    try {
      if (!conditionHolds(input, before ?? {})) throw refusal(input, before);
      after = become(before);
      write(after);
      return after;
    } finally {
      // A refused write costs as much as one that leaves the item as it is.
      const bytes = onCall === undefined ? 0 : Math.max(itemBytes(before ?? {}), itemBytes(after ?? {}));
      onCall?.({ operation, readUnits: 0, writeUnits: Math.max(1, Math.ceil(bytes / 1_024)) });
    }
  }

  function put(input: PutCommandInput) {
    const item = written(input.Item ?? {});
    writeIf("PutItem", input, idOf(item), () => item);
    return {};
  }

  function update(input: UpdateCommandInput) {
    const id = idOf(input.Key);
    const { ExpressionAttributeValues: values } = input;
    const expressions = { ...input, ExpressionAttributeValues: values && written(values) };
    const changed = writeIf("UpdateItem", expressions, id, (before) => {
      const item = updated(expressions, before ?? { [key]: id });
      if (item[key] === id) return item;
      throw validationException(`Cannot update attribute ${key}. This attribute is part of the key`);
    });
    return input.ReturnValues === "ALL_NEW" ? { Attributes: copyOf(changed) } : {};
  }

  const execute = (command: unknown): object => {
    if (command instanceof GetCommand) return get(command.input);
    if (command instanceof BatchGetCommand) return batchGet(command.input);
    if (command instanceof PutCommand) return put(command.input);
    if (command instanceof UpdateCommand) return update(command.input);
    throw new Error("The model of DynamoDB does not know this command.");
  };

  return {
    items,
    put: (item) => write(copyOf(item)),
    remove(id) {
      const item = items.get(id);
      if (item !== undefined) keepVersion(id);
      items.delete(id);
      return item;
    },
    execute,
    client: { send: async (command: unknown) => execute(command) } as unknown as DynamoDBDocumentClient,
  };
}

type RefusalOptions = Pick<UpdateCommandInput, "ReturnValuesOnConditionCheckFailure">;

/** DynamoDB hands the item over with its refusal where it is asked to, in its own notation. */
function refusal(
  { ReturnValuesOnConditionCheckFailure: values }: RefusalOptions,
  item: Item | undefined,
): Error {
  return new ConditionalCheckFailedException({
    message: "The conditional request failed",
    $metadata: { httpStatusCode: 400 },
    ...(values === "ALL_OLD" && item !== undefined && { Item: marshall(item) }),
  });
}

/** A copy of what is written, without undefined fields. Numbers that the document client refuses are errors. */
function written(item: Item): Item {
  const copy = { ...item };
  for (const name in copy) {
    const value = copy[name];
    if (value === undefined) delete copy[name];
    else if (isMap(value)) copy[name] = written(value);
    else if (Array.isArray(value)) copy[name] = Object.values(written({ ...value }));
    else if (typeof value === "number" && !(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) {
      throw new Error(`The document client writes no number such as ${value}.`);
    }
  }
  return copy;
}

/** A copy that shares nothing with the original. */
function copyOf<T>(value: T): T {
  if (!isMap(value)) return Array.isArray(value) ? (value.map(copyOf) as T) : value;
  // Several times as fast as one made field by field, or by `structuredClone`.
  const copy: Item = { ...value };
  for (const name in copy) if (typeof copy[name] === "object") copy[name] = copyOf(copy[name]);
  return copy as T;
}
