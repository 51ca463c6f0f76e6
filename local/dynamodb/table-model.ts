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
  const table = new Table(options);
  const execute = (command: unknown) => table.execute(command);
  return {
    items: table.items,
    put: (item) => table.put(item),
    remove: (id) => table.remove(id),
    execute,
    client: { send: async (command: unknown) => execute(command) } as unknown as DynamoDBDocumentClient,
  };
}

class Table {
  readonly items = new Map<string, Item>();
  readonly #options: TableOptions;
  /** The items as they were, for reads that may be old. */
  readonly #history = new Map<string, { until: number; item: Item | undefined }[]>();

  constructor(options: TableOptions) {
    this.#options = options;
  }

  put(item: Item): void {
    this.#write(copyOf(item));
  }

  remove(id: string): Item | undefined {
    const item = this.items.get(id);
    if (item !== undefined) this.#keepVersion(id);
    this.items.delete(id);
    return item;
  }

  execute(command: unknown): object {
    if (command instanceof GetCommand) return this.#getItem(command.input);
    if (command instanceof BatchGetCommand) return this.#batchGetItem(command.input);
    if (command instanceof PutCommand) return this.#putItem(command.input);
    if (command instanceof UpdateCommand) return this.#updateItem(command.input);
    throw new Error("The model of DynamoDB does not know this command.");
  }

  #getItem({ Key, ConsistentRead: isConsistent = false }: GetCommandInput): object {
    const item = this.#read(this.#idOf(Key), isConsistent);
    this.#countReads("GetItem", [item], isConsistent);
    return item === undefined ? {} : { Item: copyOf(item) };
  }

  #batchGetItem({ RequestItems = {} }: BatchGetCommandInput): object {
    const [[table, request] = ["", undefined], ...others] = Object.entries(RequestItems);
    if (others.length > 0) throw new Error("The model of DynamoDB has one table.");
    const ids = (request?.Keys ?? []).map((keys) => this.#idOf(keys));
    if (ids.length === 0 || ids.length > batchGetLimit || new Set(ids).size < ids.length) {
      throw validationException("A batch read takes 1 to 100 keys, each of them once");
    }
    const isConsistent = request?.ConsistentRead === true;
    const left = ids.filter((id) => this.#options.leavesUnprocessed?.(id));
    const found = ids.filter((id) => !left.includes(id)).map((id) => this.#read(id, isConsistent));
    this.#countReads("BatchGetItem", found, isConsistent);
    const unprocessed = { ...request, Keys: left.map((id) => ({ [this.#options.key]: id })) };
    return {
      Responses: { [table]: found.flatMap((item) => (item === undefined ? [] : [copyOf(item)])) },
      UnprocessedKeys: left.length > 0 ? { [table]: unprocessed } : {},
    };
  }

  #putItem(input: PutCommandInput): object {
    const item = written(input.Item ?? {});
    this.#writeIf("PutItem", input, this.#idOf(item), () => item);
    return {};
  }

  #updateItem(input: UpdateCommandInput): object {
    const { key } = this.#options;
    const id = this.#idOf(input.Key);
    const { ExpressionAttributeValues: values } = input;
    const expressions = { ...input, ExpressionAttributeValues: values && written(values) };
    const changed = this.#writeIf("UpdateItem", expressions, id, (before) => {
      const item = updated(expressions, before ?? { [key]: id });
      if (item[key] === id) return item;
      throw validationException(`Cannot update attribute ${key}. This attribute is part of the key`);
    });
    return input.ReturnValues === "ALL_NEW" ? { Attributes: copyOf(changed) } : {};
  }

  #idOf(keys: Item | undefined): string {
    const id = keys?.[this.#options.key];
    if (typeof id === "string" && id !== "" && Buffer.byteLength(id) <= longestKeyBytes) return id;
    throw validationException(
      "One or more parameter values were invalid: the key is no text of 1 to 2048 bytes",
    );
  }

  #read(id: string, isConsistent: boolean): Item | undefined {
    const { readsOld } = this.#options;
    const old = isConsistent ? undefined : this.#history.get(id)?.find((version) => this.#isSeen(version));
    return old !== undefined && readsOld?.() === true ? old.item : this.items.get(id);
  }

  /** Whether a read that may be old may still find a version. */
  #isSeen({ until }: { until: number }): boolean {
    return this.#options.now() - until < oldestReadSeconds;
  }

  #keepVersion(id: string): void {
    const { readsOld, now } = this.#options;
    if (readsOld === undefined) return;
    const versions = (this.#history.get(id) ?? []).filter((version) => this.#isSeen(version));
    versions.push({ until: now(), item: this.items.get(id) });
    this.#history.set(id, versions);
  }

  /** Writes what an item becomes, if the condition holds for what it is. */
  #writeIf(
    operation: CallCost["operation"],
    input: Expressions & RefusalOptions,
    id: string,
    become: (item: Item | undefined) => Item,
  ): Item {
    refuseInvalid(input);
    const before = this.items.get(id);
    let after = before;
    try {
      if (!conditionHolds(input, before ?? {})) throw refusal(input, before);
      after = become(before);
      this.#write(after);
      return after;
    } finally {
      this.#countWrite(operation, before, after);
    }
  }

  #write(after: Item): void {
    const id = this.#idOf(after);
    if (itemBytes(after) > largestItemBytes) {
      throw validationException("Item size has exceeded the maximum allowed size");
    }
    this.#keepVersion(id);
    const before = this.items.get(id);
    this.items.set(id, after);
    this.#options.onWrite?.({ id, ...(before !== undefined && { before }), after });
  }

  #countReads(
    operation: CallCost["operation"],
    found: readonly (Item | undefined)[],
    isConsistent: boolean,
  ): void {
    const { onCall } = this.#options;
    if (onCall === undefined) return;
    const units = found.map((item) => Math.max(1, Math.ceil(itemBytes(item ?? {}) / 4_096)));
    const readUnits = units.reduce((sum, unit) => sum + unit, 0) * (isConsistent ? 1 : 0.5);
    onCall({ operation, readUnits, writeUnits: 0 });
  }

  /** A refused write costs as much as one that leaves the item as it is. */
  #countWrite(operation: CallCost["operation"], before: Item | undefined, after: Item | undefined): void {
    const { onCall } = this.#options;
    if (onCall === undefined) return;
    const bytes = Math.max(itemBytes(before ?? {}), itemBytes(after ?? {}));
    onCall({ operation, readUnits: 0, writeUnits: Math.max(1, Math.ceil(bytes / 1_024)) });
  }
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
