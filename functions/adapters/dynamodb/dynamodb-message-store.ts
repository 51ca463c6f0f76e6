/** The `message-state` table in DynamoDB. */
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import {
  BatchGetCommand,
  type BatchGetCommandInput,
  type BatchGetCommandOutput,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  UpdateCommand,
  type UpdateCommandInput,
} from "@aws-sdk/lib-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import pMap from "p-map";
import type { Clock, Random } from "../../core/clock.ts";
import { UnreadableMessageError } from "../../core/errors.ts";
import type { Message } from "../../core/message/message.ts";
import { readMessageItem } from "../../core/message/message-item.ts";
import type {
  AttemptChange,
  Change,
  ChangeResult,
  Clause,
  MessageStore,
} from "../../core/message/message-store.ts";

/**
 * How numbers of an item are read. The SDK's own way throws at one that is large and no integer, such as 1.5e20: for
 * one item of a batch it would take the whole answer away. Gives new options each time: a client changes what it gets.
 */
export function unmarshallOptions() {
  return { wrapNumbers: numberOf };
}

/** An integer beyond what a number holds exactly is an id, e.g. India's of 19 digits: its digits must not get lost. */
function numberOf(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) || !/^-?\d{1,38}$/.test(text) ? value : BigInt(text);
}

/** Most keys that one BatchGetItem takes. */
const batchGetLimit = 100;

/** How often keys that a throttled table left unprocessed are asked for again. */
const unprocessedTries = 5;

/**
 * The store on a DynamoDB table whose key is `application_message_id` (S).
 *
 * @param client retries throttled calls by itself; its retried writes may be refused by their own effect,
 *   which {@link MessageStore.change} leaves to the caller to recognise
 */
export function dynamodbMessageStore(
  client: DynamoDBDocumentClient,
  tableName: string,
  clock: Pick<Clock, "sleep">,
  random: Pick<Random, "next">,
): MessageStore {
  const table = { client, tableName };
  const pause = (tries: number) => clock.sleep(0.05 * 2 ** tries * (0.5 + random.next() / 2));
  return {
    read: (id) => readItem(table, id),
    async readMany(ids) {
      const batches = chunks([...new Set(ids)], batchGetLimit);
      const readOne = (batch: readonly string[]) => readItems(table, batch, pause);
      return new Map((await pMap(batches, readOne, { concurrency: 10 })).flat());
    },
    create: (message) => createItem(table, message),
    change: (id, change) => changeItem(table, id, change),
  };
}

/** A table, and what it is called with. */
interface Table {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
}

async function readItem({ client, tableName }: Table, id: string): Promise<Message | undefined> {
  const { Item } = await client.send(
    new GetCommand({ TableName: tableName, Key: { application_message_id: id }, ConsistentRead: true }),
  );
  return Item === undefined ? undefined : readMessageItem(Item);
}

/**
 * The messages of at most {@link batchGetLimit} ids by id, in one eventually consistent read; `undefined` for an id
 * that has no item.
 *
 * @param pause waits before what a throttled table left out is asked for again
 */
async function readItems(
  { client, tableName }: Table,
  ids: readonly string[],
  pause: (tries: number) => Promise<void>,
): Promise<[string, Message | undefined][]> {
  const items: Record<string, unknown>[] = [];
  let unread: ReadonlySet<unknown> = new Set(ids);
  let request: BatchGetCommandInput["RequestItems"] = {
    [tableName]: { Keys: ids.map((id) => ({ application_message_id: id })) },
  };
  for (let tries = 0; tries < unprocessedTries; tries += 1) {
    const answer: BatchGetCommandOutput = await client.send(new BatchGetCommand({ RequestItems: request }));
    const { Responses, UnprocessedKeys: rest = {} } = answer;
    items.push(...(Responses?.[tableName] ?? []));
    unread = new Set(rest[tableName]?.Keys?.map(({ application_message_id: id }) => id));
    if (unread.size === 0) break;
    request = rest;
    await pause(tries);
  }
  // What is still missing then is read one by one, consistently, when its event is handled.
  const found = new Set(items.map(({ application_message_id: id }) => id));
  const absent = ids.filter((id) => !found.has(id) && !unread.has(id));
  return [...absent.map((id): [string, undefined] => [id, undefined]), ...messagesOf(items)];
}

/** Whether it was created; not where there is one of its key. */
async function createItem({ client, tableName }: Table, message: Message): Promise<boolean> {
  try {
    await client.send(
      new PutCommand({
        TableName: tableName,
        Item: message,
        ConditionExpression: "attribute_not_exists(application_message_id)",
      }),
    );
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}

async function changeItem(table: Table, id: string, change: Change): Promise<ChangeResult> {
  try {
    const { Attributes } = await table.client.send(
      new UpdateCommand({
        TableName: table.tableName,
        Key: { application_message_id: id },
        ...updateExpressions(change),
        ReturnValues: "ALL_NEW",
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      }),
    );
    return { applied: true, message: readMessageItem(Attributes ?? {}) };
  } catch (error) {
    if (isRefusedForGood(error)) throw new UnreadableMessageError(["item"], { cause: error });
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    // DynamoDB hands the item over with its refusal, in its own notation; emulators leave it out.
    const current =
      error.Item === undefined
        ? await readItem(table, id)
        : readMessageItem(unmarshall(error.Item, unmarshallOptions()));
    return { applied: false, current };
  }
}

/** The messages that can be read, each with its id. */
function messagesOf(items: readonly Record<string, unknown>[]): [string, Message][] {
  return items.flatMap((item): [string, Message][] => {
    try {
      const message = readMessageItem(item);
      return [[message.application_message_id, message]];
    } catch {
      // What cannot be read is missing here; reading it alone tells why.
      return [];
    }
  });
}

/**
 * Whether DynamoDB says that this write of this item can never be: the item would be too large, or an attribute is of
 * a type that the write cannot go into. Tried again it would hold up its whole shard.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
 */
function isRefusedForGood(error: unknown): boolean {
  return error instanceof Error && error.name === "ValidationException";
}

function chunks<T>(values: readonly T[], size: number): T[][] {
  const result: T[][] = [];
  for (let start = 0; start < values.length; start += size) result.push(values.slice(start, start + size));
  return result;
}

type Expressions = Pick<
  UpdateCommandInput,
  "UpdateExpression" | "ConditionExpression" | "ExpressionAttributeNames" | "ExpressionAttributeValues"
>;

/** The names and values of an expression, each written once and meant by its placeholder. */
class Placeholders {
  readonly names: Record<string, string> = {};
  readonly values: Record<string, unknown> = {};

  /** The placeholders of an attribute's path. */
  path(attribute: string): string {
    const parts = attribute.split(".");
    for (const part of parts) this.names[`#${part}`] = part;
    return parts.map((part) => `#${part}`).join(".");
  }

  /** The placeholder of a value. */
  value(content: unknown): string {
    const name = `:v${Object.keys(this.values).length}`;
    this.values[name] = content;
    return name;
  }

  /** The condition that an attribute is DynamoDB's NULL. */
  isNull(attribute: string): string {
    this.values[":null"] = "NULL";
    return `attribute_type(${this.path(attribute)}, :null)`;
  }
}

/** A change in DynamoDB's expression language. Exported for its test. */
export function updateExpressions(change: Change): Expressions {
  const placeholders = new Placeholders();
  const conditions = Object.values(change.require).flatMap((clause) => conditionsOf(clause, placeholders));
  const attempts = (change.attempts ?? []).map(fieldsOf);
  const sets = [Object.entries(change.set), ...attempts.map(({ set }) => set)]
    .flat()
    .map(([path, content]) => `${placeholders.path(path)} = ${placeholders.value(content)}`);
  const removes = [change.remove ?? [], ...attempts.map(({ remove }) => remove)]
    .flat()
    .map((path) => placeholders.path(path));

  const update = [
    sets.length > 0 ? `SET ${sets.join(", ")}` : "",
    removes.length > 0 ? `REMOVE ${removes.join(", ")}` : "",
  ];
  const { names, values } = placeholders;
  return {
    UpdateExpression: update.filter((part) => part !== "").join(" "),
    ConditionExpression: conditions.join(" AND "),
    ExpressionAttributeNames: names,
    ...(Object.keys(values).length > 0 && { ExpressionAttributeValues: values }),
  };
}

/** What a change of attempts' records sets and removes, by the path. */
function fieldsOf(attempt: AttemptChange): {
  readonly set: readonly (readonly [string, unknown])[];
  readonly remove: readonly string[];
} {
  if (attempt.how === "map") return { set: [["attempts", attempt.records]], remove: [] };
  const record = `attempts.${attempt.number}`;
  switch (attempt.how) {
    case "record":
      return { set: [[record, attempt.set]], remove: [] };
    case "remove":
      return { set: [], remove: [record] };
    case "fields":
      return {
        set: Object.entries(attempt.set).map(([field, content]) => [`${record}.${field}`, content] as const),
        remove: (attempt.remove ?? []).map((field) => `${record}.${field}`),
      };
  }
}

/** A clause as conditions that must all hold. DynamoDB's NULL exists; for a clause it is absent. */
function conditionsOf(clause: Clause, placeholders: Placeholders): string[] {
  const name = placeholders.path(clause.path);
  switch (clause.is) {
    case "present":
      // The key of an item is never NULL.
      return clause.path === "application_message_id"
        ? [`attribute_exists(${name})`]
        : [`attribute_exists(${name})`, `NOT ${placeholders.isNull(clause.path)}`];
    case "absent":
      return [`(attribute_not_exists(${name}) OR ${placeholders.isNull(clause.path)})`];
    case "equal":
      return [`${name} = ${placeholders.value(clause.value)}`];
    case "other-than":
      return [`(attribute_not_exists(${name}) OR ${name} <> ${placeholders.value(clause.value)})`];
    case "at-most":
    case "more-than": {
      const comparison = `${name} ${clause.is === "at-most" ? "<=" : ">"} ${placeholders.value(clause.value)}`;
      return clause.orAbsent === true
        ? [`(attribute_not_exists(${name}) OR ${placeholders.isNull(clause.path)} OR ${comparison})`]
        : [comparison];
    }
  }
}
