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
import type { Change, ChangeResult, Clause, MessageStore } from "../../core/message/message-store.ts";

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
  { sleep }: Pick<Clock, "sleep">,
  { next }: Pick<Random, "next">,
): MessageStore {
  async function read(id: string): Promise<Message | undefined> {
    const { Item } = await client.send(
      new GetCommand({ TableName: tableName, Key: { application_message_id: id }, ConsistentRead: true }),
    );
    return Item === undefined ? undefined : readMessageItem(Item);
  }

  async function readBatch(ids: readonly string[]): Promise<Record<string, unknown>[]> {
    const items: Record<string, unknown>[] = [];
    let request: BatchGetCommandInput["RequestItems"] = {
      [tableName]: { Keys: ids.map((id) => ({ application_message_id: id })) },
    };
    for (let tries = 0; tries < unprocessedTries; tries += 1) {
      const answer: BatchGetCommandOutput = await client.send(new BatchGetCommand({ RequestItems: request }));
      const { Responses, UnprocessedKeys } = answer;
      items.push(...(Responses?.[tableName] ?? []));
      if (UnprocessedKeys?.[tableName] === undefined) break;
      request = UnprocessedKeys;
      await sleep(0.05 * 2 ** tries * (0.5 + next() / 2));
    }
    // What is still missing then is read one by one, consistently, when its event is handled.
    return items;
  }

  return {
    read,

    async readMany(ids) {
      const batches = chunks([...new Set(ids)], batchGetLimit);
      const items = (await pMap(batches, readBatch, { concurrency: 10 })).flat();
      const messages = new Map<string, Message>();
      for (const item of items) {
        try {
          const message = readMessageItem(item);
          messages.set(message.application_message_id, message);
        } catch {
          // What cannot be read is missing here; reading it alone tells why.
        }
      }
      return messages;
    },

    async create(message) {
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
    },

    async change(id, change): Promise<ChangeResult> {
      try {
        const { Attributes } = await client.send(
          new UpdateCommand({
            TableName: tableName,
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
            ? await read(id)
            : readMessageItem(unmarshall(error.Item, unmarshallOptions()));
        return { applied: false, current };
      }
    },
  };
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

/** A change in DynamoDB's expression language. Exported for its test. */
export function updateExpressions(change: Change): Expressions {
  const names: Record<string, string> = {};
  const values: Record<string, unknown> = {};
  const path = (attribute: string): string =>
    attribute
      .split(".")
      .map((part) => {
        const name = `#${part}`;
        names[name] = part;
        return name;
      })
      .join(".");
  const value = (content: unknown): string => {
    const name = `:v${Object.keys(values).length}`;
    values[name] = content;
    return name;
  };

  const isNull = (attribute: string): string => {
    values[":null"] = "NULL";
    return `attribute_type(${path(attribute)}, :null)`;
  };

  const conditions = Object.values(change.require).flatMap((clause) =>
    conditionsOf(clause, { path, value, isNull }),
  );
  const sets = Object.entries(change.set).map(
    ([attribute, content]) => `${path(attribute)} = ${value(content)}`,
  );
  const removes = (change.remove ?? []).map((attribute) => path(attribute));
  for (const attempt of change.attempts ?? []) {
    if (attempt.how === "map") {
      sets.push(`${path("attempts")} = ${value(attempt.records)}`);
      continue;
    }
    const record = `attempts.${attempt.number}`;
    if (attempt.how === "record") sets.push(`${path(record)} = ${value(attempt.set)}`);
    if (attempt.how === "remove") removes.push(path(record));
    if (attempt.how === "fields") {
      for (const [field, content] of Object.entries(attempt.set)) {
        sets.push(`${path(`${record}.${field}`)} = ${value(content)}`);
      }
      removes.push(...(attempt.remove ?? []).map((field) => path(`${record}.${field}`)));
    }
  }

  const update = [
    sets.length > 0 ? `SET ${sets.join(", ")}` : "",
    removes.length > 0 ? `REMOVE ${removes.join(", ")}` : "",
  ];
  return {
    UpdateExpression: update.filter((part) => part !== "").join(" "),
    ConditionExpression: conditions.join(" AND "),
    ExpressionAttributeNames: names,
    ...(Object.keys(values).length > 0 && { ExpressionAttributeValues: values }),
  };
}

/** A clause as conditions that must all hold. DynamoDB's NULL exists; for a clause it is absent. */
function conditionsOf(
  clause: Clause,
  {
    path,
    value,
    isNull,
  }: {
    path(attribute: string): string;
    value(content: unknown): string;
    isNull(attribute: string): string;
  },
): string[] {
  const name = path(clause.path);
  switch (clause.is) {
    case "present":
      // The key of an item is never NULL.
      return clause.path === "application_message_id"
        ? [`attribute_exists(${name})`]
        : [`attribute_exists(${name})`, `NOT ${isNull(clause.path)}`];
    case "absent":
      return [`(attribute_not_exists(${name}) OR ${isNull(clause.path)})`];
    case "equal":
      return [`${name} = ${value(clause.value)}`];
    case "other-than":
      return [`(attribute_not_exists(${name}) OR ${name} <> ${value(clause.value)})`];
    case "at-most":
    case "more-than": {
      const comparison = `${name} ${clause.is === "at-most" ? "<=" : ">"} ${value(clause.value)}`;
      return clause.orAbsent === true
        ? [`(attribute_not_exists(${name}) OR ${isNull(clause.path)} OR ${comparison})`]
        : [comparison];
    }
  }
}
