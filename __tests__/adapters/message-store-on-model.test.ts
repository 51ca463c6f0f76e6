/**
 * The real adapter on the model of DynamoDB: shows that the model keeps the contract which the
 * emulator keeps, and that the adapter does in milliseconds, which the mutation check needs.
 */
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import {
  dynamodbMessageStore,
  unmarshallOptions,
  updateExpressions,
} from "../../functions/adapters/dynamodb/dynamodb-message-store.ts";
import { UnreadableMessageError } from "../../functions/core/errors.ts";
import { claimAttempt } from "../../functions/core/message/attempt-changes.ts";
import { readMessageItem } from "../../functions/core/message/message-item.ts";
import type { Change } from "../../functions/core/message/message-store.ts";
import { sentMessage, startOfTest } from "../support/messages.ts";
import { storeOnModel } from "../support/store-on-model.ts";
import { messageStoreContract } from "./message-store.contract.ts";

messageStoreContract("the model of DynamoDB", async () => {
  const store = storeOnModel();
  return {
    store,
    put: async (item) => void store.items.set(String(item.application_message_id), structuredClone(item)),
    get: async (id) => structuredClone(store.items.get(id)),
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

  test("has at most ten requests under way, however many ids there are", async () => {
    let underWay = 0;
    let most = 0;
    const { store, inputs } = scripted(async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
      return {};
    });

    await store.readMany(Array.from({ length: 1_500 }, (_, n) => `id-${n}`));

    expect(inputs).toHaveLength(15);
    expect(most).toBe(10);
  });

  test("of a hundred ids is one request", async () => {
    const { store, inputs } = scripted(() => ({}));

    const ids = Array.from({ length: 100 }, (_, n) => `id-${n}`);

    expect(await store.readMany(ids)).toEqual(new Map(ids.map((id) => [id, undefined])));

    expect(batchSizes(inputs)).toEqual([100]);
  });

  test("asks for what was left unprocessed five times, with doubling pauses, and keeps the rest", async () => {
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
    const { store, inputs } = scripted((_input, call) => {
      if (call === 1) throw new Error("The table is out of reach.");
      return { Item: sentMessage() };
    });
    const claim = { attempt: 1, claimId: "c", now: startOfTest, until: startOfTest + 60 };

    const call =
      method === "create" ? store.create(sentMessage()) : store.change("order-4711", claimAttempt(claim));

    await expect(call).rejects.toThrow("The table is out of reach.");
    expect(inputs).toHaveLength(1);
  });
});

describe("the expressions of a change are what DynamoDB takes: no empty list, no path twice", () => {
  const exists = { exists: { path: "application_message_id", is: "present" } } as const;

  test.each<[string, Change, ReturnType<typeof updateExpressions>]>([
    [
      "that sets and removes",
      {
        require: {
          scheduled: { path: "status", is: "equal", value: "RETRY_SCHEDULED" },
          isDue: { path: "next_attempt_at", is: "at-most", value: 70 },
          isAlive: { path: "deadline", is: "more-than", value: 60, orAbsent: true },
        },
        set: { status: "SENT", retry_count: 1 },
        remove: ["claim_expires_at", "next_attempt_at"],
      },
      {
        ConditionExpression:
          "#status = :v0 AND #next_attempt_at <= :v1 AND (attribute_not_exists(#deadline) OR attribute_type(#deadline, :null) OR #deadline > :v2)",
        UpdateExpression: "SET #status = :v4, #retry_count = :v5 REMOVE #claim_expires_at, #next_attempt_at",
        ExpressionAttributeNames: {
          "#status": "status",
          "#next_attempt_at": "next_attempt_at",
          "#deadline": "deadline",
          "#retry_count": "retry_count",
          "#claim_expires_at": "claim_expires_at",
        },
        ExpressionAttributeValues: {
          ":v0": "RETRY_SCHEDULED",
          ":v1": 70,
          ":v2": 60,
          ":null": "NULL",
          ":v4": "SENT",
          ":v5": 1,
        },
      },
    ],
    [
      "that only removes",
      { require: exists, set: {}, remove: ["claim_expires_at"] },
      {
        ConditionExpression: "attribute_exists(#application_message_id)",
        UpdateExpression: "REMOVE #claim_expires_at",
        ExpressionAttributeNames: {
          "#application_message_id": "application_message_id",
          "#claim_expires_at": "claim_expires_at",
        },
      },
    ],
    [
      "that makes the map of attempts",
      {
        require: { none: { path: "attempts", is: "absent" } },
        set: {},
        attempts: [
          { how: "map", records: { "0": { outcome: "INVALID" }, "1": { possible_duplicate: true } } },
        ],
      },
      {
        ConditionExpression: "(attribute_not_exists(#attempts) OR attribute_type(#attempts, :null))",
        UpdateExpression: "SET #attempts = :v1",
        ExpressionAttributeNames: { "#attempts": "attempts" },
        ExpressionAttributeValues: {
          ":null": "NULL",
          ":v1": { "0": { outcome: "INVALID" }, "1": { possible_duplicate: true } },
        },
      },
    ],
    [
      "that puts a record",
      {
        require: { none: { path: "attempts.1", is: "absent" } },
        set: {},
        attempts: [{ number: 1, how: "record", set: { claim_id: "c", claimed_at: 70 } }],
      },
      {
        ConditionExpression: "(attribute_not_exists(#attempts.#1) OR attribute_type(#attempts.#1, :null))",
        UpdateExpression: "SET #attempts.#1 = :v1",
        ExpressionAttributeNames: { "#attempts": "attempts", "#1": "1" },
        ExpressionAttributeValues: { ":null": "NULL", ":v1": { claim_id: "c", claimed_at: 70 } },
      },
    ],
    [
      "that sets fields of a record",
      {
        require: { record: { path: "attempts.1", is: "present" } },
        set: {},
        attempts: [{ number: 1, how: "fields", set: { sent_at: 71, message_id: "m" } }],
      },
      {
        ConditionExpression: "attribute_exists(#attempts.#1) AND NOT attribute_type(#attempts.#1, :null)",
        UpdateExpression: "SET #attempts.#1.#sent_at = :v1, #attempts.#1.#message_id = :v2",
        ExpressionAttributeNames: {
          "#attempts": "attempts",
          "#1": "1",
          "#sent_at": "sent_at",
          "#message_id": "message_id",
        },
        ExpressionAttributeValues: { ":null": "NULL", ":v1": 71, ":v2": "m" },
      },
    ],
    [
      "that sets and takes out fields of a record",
      {
        require: exists,
        set: { status: "SENT" },
        remove: ["claim_expires_at"],
        attempts: [{ number: 1, how: "fields", set: { sent_at: 71 }, remove: ["outcome", "outcome_at"] }],
      },
      {
        ConditionExpression: "attribute_exists(#application_message_id)",
        UpdateExpression:
          "SET #status = :v0, #attempts.#1.#sent_at = :v1 REMOVE #claim_expires_at, #attempts.#1.#outcome, #attempts.#1.#outcome_at",
        ExpressionAttributeNames: {
          "#application_message_id": "application_message_id",
          "#status": "status",
          "#claim_expires_at": "claim_expires_at",
          "#attempts": "attempts",
          "#1": "1",
          "#sent_at": "sent_at",
          "#outcome": "outcome",
          "#outcome_at": "outcome_at",
        },
        ExpressionAttributeValues: { ":v0": "SENT", ":v1": 71 },
      },
    ],
    [
      "that only takes out fields of a record",
      {
        require: exists,
        set: {},
        attempts: [{ number: 0, how: "fields", set: {}, remove: ["claim_id"] }],
      },
      {
        ConditionExpression: "attribute_exists(#application_message_id)",
        UpdateExpression: "REMOVE #attempts.#0.#claim_id",
        ExpressionAttributeNames: {
          "#application_message_id": "application_message_id",
          "#attempts": "attempts",
          "#0": "0",
          "#claim_id": "claim_id",
        },
      },
    ],
    [
      "that takes a record away and touches two others",
      {
        require: { other: { path: "attempts.0.outcome", is: "other-than", value: "NO_RECEIPT" } },
        set: {},
        attempts: [
          { number: 0, how: "fields", set: { outcome: "DELIVERED" } },
          { number: 1, how: "remove" },
          { number: 2, how: "record", set: { possible_duplicate: true } },
        ],
      },
      {
        ConditionExpression: "(attribute_not_exists(#attempts.#0.#outcome) OR #attempts.#0.#outcome <> :v0)",
        UpdateExpression: "SET #attempts.#0.#outcome = :v1, #attempts.#2 = :v2 REMOVE #attempts.#1",
        ExpressionAttributeNames: {
          "#attempts": "attempts",
          "#0": "0",
          "#1": "1",
          "#2": "2",
          "#outcome": "outcome",
        },
        ExpressionAttributeValues: {
          ":v0": "NO_RECEIPT",
          ":v1": "DELIVERED",
          ":v2": { possible_duplicate: true },
        },
      },
    ],
  ])("of one %s", (_what, change, expressions) => {
    expect(updateExpressions(change)).toStrictEqual(expressions);
  });
});

describe("what DynamoDB says", () => {
  test("a write that can never be is told by its item, so that it holds up nobody else", async () => {
    const validation = Object.assign(new Error("Item size has exceeded"), { name: "ValidationException" });
    const client = { send: async () => Promise.reject(validation) } as unknown as DynamoDBDocumentClient;
    const store = dynamodbMessageStore(client, "message-state", { sleep: async () => {} }, { next: () => 0 });
    const change = { require: {}, set: { status: "SENT" as const } };
    const refusal = store.change("order-4711", change);
    await expect(refusal).rejects.toThrow(UnreadableMessageError);
    await expect(refusal).rejects.toMatchObject({ attributes: ["item"], cause: validation });
  });

  test("an id of 19 digits that was written as a number keeps its digits; a huge time is a time", () => {
    const item = unmarshall(
      {
        application_message_id: { S: "order-4711" },
        entity_id: { N: "1101456789012345678" },
        deadline: { N: "9223372036854775807" },
        created_at: { N: "1795435200" },
      },
      unmarshallOptions(),
    );
    expect(readMessageItem(item)).toMatchObject({
      entity_id: "1101456789012345678",
      deadline: 99_999_999_999,
      created_at: 1_795_435_200,
    });
  });

  test("attempts that are a list are no attempts that a write could go into", () => {
    const item = { application_message_id: "order-4711", attempts: [] };
    expect(() => readMessageItem(item)).toThrow(UnreadableMessageError);
  });
});
