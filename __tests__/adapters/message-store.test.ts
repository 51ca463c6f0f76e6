import { NumberValue } from "@aws-sdk/lib-dynamodb";
import { dynamodbMessageStore } from "../../functions/adapters/dynamodb/dynamodb-message-store.ts";
import { UnreadableMessageError } from "../../functions/core/errors.ts";
import { claimAttempt } from "../../functions/core/message/attempt-changes.ts";
import { latestSecond, type Message } from "../../functions/core/message/message.ts";
import { handleDeliveryEvent } from "../../functions/core/processing/handle-delivery-event.ts";
import { resendMessage } from "../../functions/core/sending/resend-message.ts";
import { type Emulators, startEmulators } from "../../local/emulators/start-emulators.ts";
import { type DynamodbProxy, startDynamodbProxy, throttled } from "../support/dynamodb-proxy.ts";
import { createMessageTable, documentClientOf, type MessageTable } from "../support/message-table.ts";
import { failureEvent, retryPolicy, sentMessage, startOfTest } from "../support/messages.ts";
import { openGate } from "../support/open-gate.ts";
import { routingBy, scriptedSender } from "../support/scripted-sender.ts";
import { messageStoreContract } from "./message-store.contract.ts";

let emulators: Emulators<"dynamodb">;
let proxy: DynamodbProxy;
let table: MessageTable;
beforeAll(async () => {
  emulators = await startEmulators(["dynamodb"]);
  proxy = await startDynamodbProxy(emulators.endpoints.dynamodb);
  table = await createMessageTable(emulators.endpoints.dynamodb);
});
afterAll(async () => {
  await proxy?.close();
  await emulators?.stop();
});
beforeEach(() => proxy.reset());

const noSleep = { sleep: async () => {} };
const noChance = { next: () => 0 };

/** The store behind the proxy, with an SDK that tries a call twice. */
function tableStore(maxAttempts = 2) {
  const client = documentClientOf(proxy.endpoint, { maxAttempts });
  return dynamodbMessageStore(client, table.name, noSleep, noChance);
}

messageStoreContract("a table that leaves the item out of a refusal", async () => ({
  store: tableStore(),
  put: table.put,
  get: table.get,
}));

messageStoreContract("a table that hands the item over with a refusal", async () => {
  proxy.intercept = async (call, forward) => {
    const answer = await forward();
    const isRefusal = JSON.stringify(answer.body).includes("ConditionalCheckFailedException");
    if (!isRefusal || call.input.ReturnValuesOnConditionCheckFailure !== "ALL_OLD") return answer;
    const { TableName, Key } = call.input;
    const { body } = await forward({ operation: "GetItem", input: { TableName, Key, ConsistentRead: true } });
    return { ...answer, body: { ...answer.body, ...body } };
  };
  return { store: tableStore(), put: table.put, get: table.get };
});

const due = startOfTest + 65;

function scheduledMessage(id: string): Message {
  return sentMessage({ application_message_id: id, status: "RETRY_SCHEDULED", next_attempt_at: due });
}

/** A resend worker on the table, and what it sends. */
function worker(now = due + 1, ids = ["claim-1"]) {
  const sender = scriptedSender();
  const resend = {
    store: tableStore(),
    routing: routingBy(sender),
    gate: openGate,
    policy: retryPolicy(),
    guarantee: "at-least-once" as const,
    clock: { now: () => now, ...noSleep },
    random: { ...noChance, id: () => ids.shift() ?? "no id left" },
  };
  const handle = (id: string) =>
    resendMessage({ kind: "retry-message", application_message_id: id, attempt: 1 }, resend);
  return { sends: sender.sends, handle };
}

function handling() {
  return {
    store: tableStore(),
    policy: retryPolicy(),
    recordsEveryDelivery: false,
    smsServices: new Set<never>(),
    clock: { now: () => startOfTest + 10, ...noSleep },
    random: { ...noChance, id: () => "id" },
  };
}

test("a refusal that brings the item costs no second request", async () => {
  await table.put({ ...sentMessage({ application_message_id: "one-request" }) });
  proxy.intercept = async (_call, forward) => {
    const answer = await forward();
    return {
      ...answer,
      body: { ...answer.body, Item: { application_message_id: { S: "one-request" }, status: { S: "SENT" } } },
    };
  };

  const claim = { attempt: 1, claimId: "c", now: due, until: due + 60 };
  const result = await tableStore().change("one-request", claimAttempt(claim));

  expect(result).toEqual({
    applied: false,
    current: { application_message_id: "one-request", status: "SENT" },
  });
  expect(proxy.calls.map(({ operation }) => operation)).toEqual(["UpdateItem"]);
});

test("a batch read asks again for keys that the table left unprocessed", async () => {
  const ids = Array.from({ length: 230 }, (_, n) => `unprocessed-${n}`);
  await Promise.all(ids.map((id) => table.put({ ...sentMessage({ application_message_id: id }) })));
  // The table answers at most 30 keys of a request.
  proxy.intercept = async (call, forward) => {
    const { Keys } = call.input.RequestItems[table.name];
    const taken = { ...call, input: { RequestItems: { [table.name]: { Keys: Keys.slice(0, 30) } } } };
    const answer = await forward(taken);
    const left = Keys.slice(30);
    return {
      ...answer,
      body: { ...answer.body, UnprocessedKeys: left.length > 0 ? { [table.name]: { Keys: left } } : {} },
    };
  };

  const found = await tableStore().readMany(ids);

  expect(found.size).toBe(230);
  // 100 keys take four requests, the last 30 one.
  expect(proxy.calls.map(({ operation }) => operation)).toEqual(Array(9).fill("BatchGetItem"));
});

test("fault 67: a number that no language holds exactly costs its item at most, not the batch", async () => {
  const huge = NumberValue.from("150000000000000000000.5");
  await table.put({ ...sentMessage({ application_message_id: "huge-visits" }), visits: huge });
  await table.put({ ...sentMessage({ application_message_id: "huge-deadline" }), deadline: huge });
  await table.put({ ...sentMessage({ application_message_id: "huge-count" }), retry_count: huge });
  await table.put({ ...sentMessage({ application_message_id: "beside-huge" }) });
  const store = tableStore();

  const found = await store.readMany(["huge-visits", "huge-deadline", "huge-count", "beside-huge"]);

  expect([...found.keys()].sort()).toEqual(["beside-huge", "huge-deadline", "huge-visits"]);
  expect(found.get("huge-deadline")).toMatchObject({ deadline: latestSecond });
  await expect(store.read("huge-count")).rejects.toThrow(UnreadableMessageError);
  const event = failureEvent({ applicationMessageId: "huge-deadline" });
  expect(await handleDeliveryEvent(event, handling())).toMatchObject({ outcome: "retry-scheduled" });
  expect(await table.get("huge-deadline")).toMatchObject({ deadline: latestSecond });
});

test("a batch read that gets nowhere gives what it has instead of asking for ever", async () => {
  proxy.intercept = (call) => ({
    status: 200,
    body: { Responses: { [table.name]: [] }, UnprocessedKeys: call.input.RequestItems },
  });

  expect(await tableStore().readMany(["never"])).toEqual(new Map());
  expect(proxy.calls).toHaveLength(5);
});

describe("fault 35: the table is throttled, or loses an answer", () => {
  const isUpdateTo = (
    status: string,
    input: { ExpressionAttributeValues?: Record<string, { S?: string }> },
  ) =>
    Object.entries(input.ExpressionAttributeValues ?? {}).some(
      ([name, value]) => name !== ":v0" && value.S === status,
    );

  test("throttled on the read of an event: nothing is decided, and the event comes again", async () => {
    await table.put({ ...sentMessage({ application_message_id: "read" }) });
    proxy.intercept = (call, forward) => (call.operation === "GetItem" ? throttled : forward());

    await expect(
      handleDeliveryEvent(failureEvent({ applicationMessageId: "read" }), handling()),
    ).rejects.toThrow(expect.objectContaining({ name: "ProvisionedThroughputExceededException" }));
    expect(await table.get("read")).toEqual(sentMessage({ application_message_id: "read" }));

    proxy.reset();
    const again = await handleDeliveryEvent(failureEvent({ applicationMessageId: "read" }), handling());
    expect(again.outcome).toBe("retry-scheduled");
  });

  test("throttled on the claim: nothing is sent, and the retry message comes again", async () => {
    await table.put({ ...scheduledMessage("claim") });
    proxy.intercept = (call, forward) => (call.operation === "UpdateItem" ? throttled : forward());
    const { sends, handle } = worker(due + 1, ["claim-1", "claim-2"]);

    await expect(handle("claim")).rejects.toThrow(
      expect.objectContaining({ name: "ProvisionedThroughputExceededException" }),
    );
    expect(sends).toEqual([]);
    expect(await table.get("claim")).toEqual(scheduledMessage("claim"));

    proxy.reset();
    expect(await handle("claim")).toMatchObject({ outcome: "sent" });
    expect(sends).toHaveLength(1);
  });

  test("throttled on the record: the claim stands, and nothing is sent before its lease is over", async () => {
    await table.put({ ...scheduledMessage("record") });
    proxy.intercept = (call, forward) => (isUpdateTo("SENT", call.input) ? throttled : forward());
    const { sends, handle } = worker(due + 1, ["claim-1", "claim-2"]);

    await expect(handle("record")).rejects.toThrow(
      expect.objectContaining({ name: "ProvisionedThroughputExceededException" }),
    );
    expect(sends).toHaveLength(1);
    expect(await table.get("record")).toMatchObject({ status: "SENDING", retry_count: 1 });

    proxy.reset();
    expect(await handle("record")).toMatchObject({ outcome: "not-due", reason: "being-sent" });
    expect(sends).toHaveLength(1);
  });

  test("the answer to the claim is lost: the worker knows its own claim and sends once", async () => {
    await table.put({ ...scheduledMessage("lost-claim") });
    let lost = 0;
    proxy.intercept = async (call, forward) => {
      const answer = await forward();
      if (lost > 0 || !isUpdateTo("SENDING", call.input)) return answer;
      lost += 1;
      return "hang-up";
    };
    const { sends, handle } = worker();

    expect(await handle("lost-claim")).toMatchObject({ outcome: "sent" });

    expect(lost).toBe(1);
    expect(sends).toHaveLength(1);
    expect(await table.get("lost-claim")).toMatchObject({ status: "SENT", retry_count: 1 });
  });

  test("the answer to the record is lost: the item is right, a second retry message sends nothing", async () => {
    await table.put({ ...scheduledMessage("lost-record") });
    let lost = 0;
    proxy.intercept = async (call, forward) => {
      const answer = await forward();
      if (lost > 0 || !isUpdateTo("SENT", call.input)) return answer;
      lost += 1;
      return "hang-up";
    };
    const { sends, handle } = worker(due + 1, ["claim-1", "claim-2"]);

    expect(await handle("lost-record")).toMatchObject({ outcome: "sent" });
    expect(await handle("lost-record")).toMatchObject({ outcome: "absorbed", reason: "already-sent" });

    expect(lost).toBe(1);
    expect(sends).toHaveLength(1);
    expect(await table.get("lost-record")).toMatchObject({
      status: "SENT",
      pinpoint_message_id: "msg-1",
      attempts: { "1": { message_id: "msg-1" } },
    });
  });

  test("the answer to a schedule is lost: one retry is scheduled, and its retry message goes out", async () => {
    await table.put({ ...sentMessage({ application_message_id: "lost-schedule" }) });
    let lost = 0;
    proxy.intercept = async (call, forward) => {
      const answer = await forward();
      if (lost > 0 || call.operation !== "UpdateItem") return answer;
      lost += 1;
      return "hang-up";
    };

    const handled = await handleDeliveryEvent(
      failureEvent({ applicationMessageId: "lost-schedule" }),
      handling(),
    );

    expect(lost).toBe(1);
    expect(handled.entry?.message).toEqual({
      kind: "retry-message",
      application_message_id: "lost-schedule",
      attempt: 1,
    });
    expect(await table.get("lost-schedule")).toMatchObject({ status: "RETRY_SCHEDULED", retry_count: 0 });
  });
});

test("fault 45: an item past expires_at that is still readable is not sent and not scheduled", async () => {
  await table.put({ ...scheduledMessage("gone"), expires_at: startOfTest });
  await table.put({ ...sentMessage({ application_message_id: "gone-too", expires_at: startOfTest }) });
  const { sends, handle } = worker();

  expect(await handle("gone")).toEqual({ outcome: "absorbed", reason: "message-gone" });
  const handled = await handleDeliveryEvent(failureEvent({ applicationMessageId: "gone-too" }), handling());

  expect(sends).toEqual([]);
  expect(handled).toMatchObject({ outcome: "waiting", reason: "no-item" });
  expect(await table.get("gone-too")).toMatchObject({ status: "SENT" });
});

test("fault 46: a decision from an old read of yesterday's item changes nothing twice", async () => {
  const old = sentMessage({ application_message_id: "old-read" });
  await table.put({ ...old });
  const event = failureEvent({ applicationMessageId: "old-read" });
  await handleDeliveryEvent(event, handling(), old);
  const { sends, handle } = worker();
  await handle("old-read");
  const before = await table.get("old-read");

  const handled = await handleDeliveryEvent(event, handling(), old);

  expect(handled).toMatchObject({ outcome: "absorbed", reason: "superseded-attempt" });
  expect(handled.entry).toBeUndefined();
  expect(sends).toHaveLength(1);
  expect(await table.get("old-read")).toEqual(before);
});
