/** The tables of a deployment on an emulator: `message-state` and `send-gates`. */
import { DynamoDBClient, type DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
import {
  BatchWriteCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  ScanCommand,
} from "@aws-sdk/lib-dynamodb";
import { unmarshallOptions } from "../../functions/adapters/dynamodb/dynamodb-message-store.ts";
import { createTable } from "../../local/resources.ts";

/** A table to look into and to write past the protocol, as an application may. */
export interface MessageTable {
  readonly name: string;
  put(item: Record<string, unknown>): Promise<void>;
  /** Puts many items, which must differ in their keys, in a tenth of the time that as many calls of `put` take. */
  putAll(items: readonly Record<string, unknown>[]): Promise<void>;
  get(id: string): Promise<Record<string, unknown> | undefined>;
  /** All items. */
  all(): Promise<Record<string, unknown>[]>;
  /** Deletes all items. */
  clear(): Promise<void>;
}

/** Credentials and region that every emulator accepts. */
export const emulatorAccess = {
  region: "us-east-1",
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
} as const;

/** Most items in a `BatchWriteItem`. */
const mostInABatch = 25;

/** A document client of an emulator or a proxy. */
export function documentClientOf(
  endpoint: string,
  options: DynamoDBClientConfig = {},
): DynamoDBDocumentClient {
  return DynamoDBDocumentClient.from(new DynamoDBClient({ ...emulatorAccess, endpoint, ...options }), {
    marshallOptions: { removeUndefinedValues: true },
    unmarshallOptions: unmarshallOptions(),
  });
}

/** Creates the table with the key that the stacks give it. */
export async function createMessageTable(endpoint: string, name = "message-state"): Promise<MessageTable> {
  const client = documentClientOf(endpoint);
  await createTable(client, name, "application_message_id");
  return tableWith(client, name, "application_message_id");
}

/** Creates the table of gates; what is in it goes by its `clear`. */
export async function createGateTable(endpoint: string, name = "send-gates"): Promise<MessageTable> {
  const client = documentClientOf(endpoint);
  await createTable(client, name, "gate");
  return tableWith(client, name, "gate");
}

function tableWith(client: DynamoDBDocumentClient, name: string, key: string): MessageTable {
  const table: MessageTable = {
    name,
    async put(item) {
      await client.send(new PutCommand({ TableName: name, Item: item }));
    },
    async putAll(items) {
      for (let start = 0; start < items.length; start += mostInABatch) {
        const requests = items.slice(start, start + mostInABatch).map((Item) => ({ PutRequest: { Item } }));
        const { UnprocessedItems = {} } = await client.send(
          new BatchWriteCommand({ RequestItems: { [name]: requests } }),
        );
        if (UnprocessedItems[name] !== undefined) throw new Error("The emulator left items unprocessed.");
      }
    },
    async get(id) {
      const { Item } = await client.send(
        new GetCommand({ TableName: name, Key: { [key]: id }, ConsistentRead: true }),
      );
      return Item;
    },
    async all() {
      const items: Record<string, unknown>[] = [];
      let start: Record<string, unknown> | undefined;
      do {
        const page = await client.send(
          new ScanCommand({ TableName: name, ...(start !== undefined && { ExclusiveStartKey: start }) }),
        );
        items.push(...(page.Items ?? []));
        start = page.LastEvaluatedKey;
      } while (start !== undefined);
      return items;
    },
    async clear() {
      const items = await table.all();
      await Promise.all(
        items.map((item) => client.send(new DeleteCommand({ TableName: name, Key: { [key]: item[key] } }))),
      );
    },
  };
  return table;
}
