/** The store of gates: its contract, and what it does about a throttled table. */
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { dynamodbGateStore } from "../../functions/adapters/dynamodb/dynamodb-gate-store.ts";
import { newGate, newLane } from "../../functions/core/sending/gate/gate.ts";
import { tableModel } from "../../local/dynamodb/table-model.ts";
import { type Emulators, startEmulators } from "../../local/emulators/start-emulators.ts";
import { createTable } from "../../local/resources.ts";
import { documentClientOf } from "../support/message-table.ts";
import { startOfTest } from "../support/messages.ts";
import { gateStoreContract, gateStoreOf } from "./gate-store.contract.ts";

const TableName = "send-gates";

gateStoreContract("the model of DynamoDB", async () => {
  const table = tableModel({ key: "gate", now: () => startOfTest });
  return {
    store: gateStoreOf(table.client),
    put: async (item) => table.put(item),
    get: async (key) => table.items.get(key),
  };
});

describe("on an emulator", () => {
  let emulators: Emulators<"dynamodb">;
  let client: DynamoDBDocumentClient;
  beforeAll(async () => {
    emulators = await startEmulators(["dynamodb"]);
    client = documentClientOf(emulators.endpoints.dynamodb);
    await createTable(client, TableName, "gate");
  });
  afterAll(async () => {
    client.destroy();
    await emulators.stop();
  });

  gateStoreContract("dynalite", async () => ({
    store: gateStoreOf(client),
    put: async (Item) => void (await client.send(new PutCommand({ TableName, Item }))),
    get: async (gate) => {
      const { Item } = await client.send(new GetCommand({ TableName, Key: { gate }, ConsistentRead: true }));
      return Item;
    },
  }));
});

describe("a throttled table", () => {
  test("is asked five times for what it left unprocessed, with doubling pauses; the rest is new", async () => {
    let leaves = (id: string): boolean => id === "SHOP";
    const table = tableModel({ key: "gate", now: () => startOfTest, leavesUnprocessed: (id) => leaves(id) });
    const calls: object[] = [];
    const client = {
      async send(command: { readonly input: object }) {
        calls.push(command.input);
        return table.execute(command);
      },
    } as unknown as DynamoDBDocumentClient;
    const sleeps: number[] = [];
    const clock = { now: () => startOfTest, sleep: async (seconds: number) => void sleeps.push(seconds) };
    const store = dynamodbGateStore(client, TableName, clock, { next: () => 0.5 });
    table.put({ gate: "SHOP", version: 2 });
    table.put({ gate: "SHOP#1", version: 5 });

    const read = await store.read("SHOP", [0, 1]);

    expect(read.map(({ version }) => version)).toEqual([0, 5]);
    expect(calls).toHaveLength(5);
    expect(calls[1]).toEqual({
      RequestItems: { [TableName]: { ConsistentRead: true, Keys: [{ gate: "SHOP" }] } },
    });
    expect(sleeps.map((seconds) => Math.round(seconds * 1e4))).toEqual([750, 1500, 3000, 6000]);
    // The write on top of what was not read is refused, and tells what there is.
    leaves = () => false;
    const after = { lane: newLane, gate: newGate };
    const write = await store.write("SHOP", 0, read[0] ?? { ...after, version: 0 }, after);
    expect(write).toMatchObject({ isWritten: false, stored: { version: 2 } });
  });

  test("that does not say whether all sends are paused lets nothing through", async () => {
    const table = tableModel({ key: "gate", now: () => startOfTest, leavesUnprocessed: (id) => id === "*" });
    const store = gateStoreOf(table.client);
    table.put({ gate: "*", version: 1, paused_since: startOfTest, paused_by: "alice" });
    table.put({ gate: "SHOP", version: 2 });

    await expect(store.read("SHOP", [0])).rejects.toMatchObject({ name: "PauseUnknownError" });
  });

  test("that is out of reach fails a read and a write", async () => {
    const client = {
      send: () => Promise.reject(new Error("out of reach")),
    } as unknown as DynamoDBDocumentClient;
    const store = gateStoreOf(client);
    const item = { lane: newLane, gate: newGate };

    await expect(store.read("SHOP", [0])).rejects.toThrow("out of reach");
    await expect(store.write("SHOP", 0, { ...item, version: 0 }, item)).rejects.toThrow("out of reach");
  });
});
