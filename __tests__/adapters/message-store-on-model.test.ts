/**
 * The real adapter on the simulation's model of DynamoDB: shows that the model keeps the contract which the
 * emulator keeps, and that the adapter does in milliseconds, which the mutation check needs.
 */
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { dynamodbMessageStore } from "../../functions/adapters/dynamodb-message-store.ts";
import { claimAttempt } from "../../functions/core/message-changes.ts";
import { tableModel } from "../../simulation/dynamodb-model.ts";
import type { VirtualWorld, Worker } from "../../simulation/virtual-world.ts";
import { sentMessage, startOfTest } from "../support/messages.ts";
import { messageStoreContract } from "./message-store.contract.ts";

const noSleep = { sleep: async () => {} };
const noChance = { next: () => 0 };
const worker: Worker = { name: "contract", isDead: false, died: () => {} };

/** A world without faults in which every call is answered at once. */
const quietWorld = {
  now: startOfTest,
  strikes: () => false,
  call: async (_worker: Worker, _label: string, effect: () => unknown) => effect(),
} as unknown as VirtualWorld;

messageStoreContract("the simulation's model of DynamoDB", async () => {
  const table = tableModel(quietWorld);
  return {
    store: dynamodbMessageStore(table.clientFor(worker), "message-state", noSleep, noChance),
    put: async (item) =>
      table.writeDirectly(String(item.application_message_id), () => structuredClone(item)),
    get: async (id) => structuredClone(table.items.get(id)),
  };
});

/** A store on a client that answers as told, and what it was asked. */
function scripted(answer: (input: Record<string, unknown>, call: number) => unknown) {
  const inputs: Record<string, unknown>[] = [];
  const sleeps: number[] = [];
  const client = {
    async send({ input }: { readonly input: Record<string, unknown> }) {
      inputs.push(input);
      return answer(input, inputs.length);
    },
  } as unknown as DynamoDBDocumentClient;
  const clock = { sleep: async (seconds: number) => void sleeps.push(seconds) };
  return { store: dynamodbMessageStore(client, "message-state", clock, { next: () => 0.5 }), inputs, sleeps };
}

type BatchInput = {
  readonly RequestItems: { "message-state": { Keys: { application_message_id: string }[] } };
};

const batchSizes = (inputs: readonly Record<string, unknown>[]): number[] =>
  inputs.map((input) => (input as BatchInput).RequestItems["message-state"].Keys.length);

describe("a batch read", () => {
  test("asks for each id once, at most 100 in a request", async () => {
    const ids = Array.from({ length: 250 }, (_, n) => `id-${n}`);
    const { store, inputs } = scripted(() => ({ Responses: {}, UnprocessedKeys: {} }));

    await store.readMany([...ids, ...ids]);

    expect(batchSizes(inputs)).toEqual([100, 100, 50]);
  });

  test("of a hundred ids is one request", async () => {
    const { store, inputs } = scripted(() => ({}));

    expect(await store.readMany(Array.from({ length: 100 }, (_, n) => `id-${n}`))).toEqual(new Map());

    expect(batchSizes(inputs)).toEqual([100]);
  });

  test("asks for what was left unprocessed, five times with doubling pauses, and keeps what it got", async () => {
    const first = sentMessage({ application_message_id: "first" });
    const { store, inputs, sleeps } = scripted((_input, call) => ({
      Responses: { "message-state": call === 1 ? [first] : [] },
      UnprocessedKeys: { "message-state": { Keys: [{ application_message_id: "second" }] } },
    }));

    const found = await store.readMany(["first", "second"]);

    expect(found).toEqual(new Map([["first", first]]));
    expect(batchSizes(inputs)).toEqual([2, 1, 1, 1, 1]);
    // Jitter over the upper half of 50, 100, 200, … ms; the chance here is in the middle.
    expect(sleeps.map((seconds) => Math.round(seconds * 10_000))).toEqual([375, 750, 1500, 3000, 6000]);
  });
});

describe("the requests to DynamoDB", () => {
  test("a single read is consistent", async () => {
    const { store, inputs } = scripted(() => ({}));

    expect(await store.read("order-4711")).toBeUndefined();

    expect(inputs).toEqual([
      { TableName: "message-state", Key: { application_message_id: "order-4711" }, ConsistentRead: true },
    ]);
  });

  test("an item is made only where there is none", async () => {
    const { store, inputs } = scripted(() => ({}));

    await store.create(sentMessage());

    expect(inputs).toEqual([
      {
        TableName: "message-state",
        Item: sentMessage(),
        ConditionExpression: "attribute_not_exists(application_message_id)",
      },
    ]);
  });

  test("a change asks for the item after it, and for the item with a refusal", async () => {
    const { store, inputs } = scripted(() => ({ Attributes: sentMessage() }));
    const claim = { attempt: 1, claimId: "c", now: startOfTest, until: startOfTest + 60 };

    await store.change("order-4711", claimAttempt(claim));

    expect(inputs).toMatchObject([
      {
        TableName: "message-state",
        Key: { application_message_id: "order-4711" },
        ReturnValues: "ALL_NEW",
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      },
    ]);
  });

  test("a refusal that brings the item costs no second request", async () => {
    const { store, inputs } = scripted(() => {
      throw new ConditionalCheckFailedException({
        message: "The conditional request failed",
        $metadata: {},
        Item: { application_message_id: { S: "order-4711" }, status: { S: "SENT" } },
      });
    });
    const claim = { attempt: 1, claimId: "c", now: startOfTest, until: startOfTest + 60 };

    expect(await store.change("order-4711", claimAttempt(claim))).toEqual({
      applied: false,
      current: { application_message_id: "order-4711", status: "SENT" },
    });
    expect(inputs).toHaveLength(1);
  });

  test.each(["change", "create"] as const)("any other error of a %s reaches the caller", async (method) => {
    const { store } = scripted(() => {
      throw new Error("The table is out of reach.");
    });
    const claim = { attempt: 1, claimId: "c", now: startOfTest, until: startOfTest + 60 };

    const call =
      method === "create" ? store.create(sentMessage()) : store.change("order-4711", claimAttempt(claim));

    await expect(call).rejects.toThrow("The table is out of reach.");
  });
});
