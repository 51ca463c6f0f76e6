/** The real message store on the model of DynamoDB: milliseconds for what takes seconds on an emulator. */
import { dynamodbMessageStore } from "../../functions/adapters/dynamodb/dynamodb-message-store.ts";
import type { Message } from "../../functions/core/message/message.ts";
import type { MessageStore } from "../../functions/core/message/message-store.ts";
import { type TableModel, tableModel } from "../../local/dynamodb/table-model.ts";
import { refuseUndefinedFields } from "./absent-fields.ts";

/** The store, and its items to look at and to write past the protocol, as an application may. */
export interface StoreOnModel extends MessageStore {
  readonly items: TableModel["items"];
}

/** Makes a store on a table that holds these items. No call of it fails, waits or reads what is old. */
export function storeOnModel(...items: Message[]): StoreOnModel {
  const table = tableModel({ key: "application_message_id", now: () => 0 });
  for (const item of items) table.put({ ...item });
  const store = dynamodbMessageStore(
    table.client,
    "message-state",
    { sleep: async () => {} },
    { next: () => 0 },
  );
  return {
    ...store,
    items: table.items,
    // The client of the functions would leave such a field out; it is a mistake all the same.
    async create(message) {
      refuseUndefinedFields(message);
      return store.create(message);
    },
    async change(id, change) {
      refuseUndefinedFields(change);
      return store.change(id, change);
    },
  };
}

/** The same store for a caller that was slow: before its first write `meanwhile` happens. */
export function writtenAfter(store: MessageStore, meanwhile: () => Promise<unknown>): MessageStore {
  let isFirst = true;
  return {
    ...store,
    async change(id, change) {
      if (isFirst) {
        isFirst = false;
        await meanwhile();
      }
      return store.change(id, change);
    },
  };
}
