/** The bundled producer: the item first, then the send; never twice for one id. */
import type { ProducedMessage } from "../../functions/core/sending/produce-message.ts";
import { type Deployment, sqsRecord, startDeployment } from "../support/deployment.ts";
import { smsMessageOf } from "../support/sms-service.ts";

let deployment: Deployment;
beforeAll(async () => {
  deployment = await startDeployment({ maxEnvironments: 3 });
});
afterAll(() => deployment?.stop());
beforeEach(() => deployment.reset());

const sends = () => deployment.pinpoint.requests;
const produce = (event: object) => deployment.invoke<ProducedMessage>("produce", event);

function event(id: string, changes: object = {}): object {
  return {
    application_message_id: id,
    destination_number: "+447700900123",
    message_body: "Your code is 493817.",
    ...changes,
  };
}

/** The text of the error that an invocation ends with; fails where it ends well. */
async function errorOf(invocation: object): Promise<{ errorType: string; errorMessage: string }> {
  const result = await deployment.tryInvoke("produce", invocation);
  if (result.ok) throw new Error(`The invocation ended well: ${JSON.stringify(result.payload)}`);
  return result.error;
}

test("the item is written before the message is sent, and completed after", async () => {
  let atSend: Promise<Record<string, unknown> | undefined> | undefined;
  deployment.pinpoint.answer = () => {
    atSend = deployment.table.get("item-first");
    return undefined;
  };

  const produced = await produce(event("item-first"));

  expect(await atSend).toMatchObject({ status: "SENDING", message_body: "Your code is 493817." });
  expect(produced).toEqual({
    application_message_id: "item-first",
    pinpoint_message_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    status: "SENT",
  });
  expect(sends().map(({ input }) => input)).toEqual([
    {
      Addresses: { "+447700900123": { ChannelType: "SMS" } },
      Context: { application_message_id: "item-first", retry_attempt: "0" },
      MessageConfiguration: { SMSMessage: { Body: "Your code is 493817.", MessageType: "TRANSACTIONAL" } },
    },
  ]);
  expect(await deployment.table.get("item-first")).toMatchObject({
    status: "SENT",
    retry_count: 0,
    pinpoint_message_id: produced.pinpoint_message_id,
    attempts: { "0": { message_id: produced.pinpoint_message_id } },
  });
});

test("a status is told without body and number, and changes nothing", async () => {
  const { pinpoint_message_id: messageId } = await produce(event("item-asked"));
  const item = await deployment.table.get("item-asked");

  const told = await deployment.invoke<object>("produce", {
    action: "status",
    application_message_id: "item-asked",
  });

  expect(told).toMatchObject({
    application_message_id: "item-asked",
    status: "SENT",
    retry_count: 0,
    deadline: item?.deadline,
    is_over: false,
    steps: [
      { kind: "created" },
      { kind: "claimed", attempt: 0 },
      { kind: "accepted", attempt: 0, text: `The service took attempt 0 as ${messageId}.` },
    ],
    next: { text: expect.stringMatching(/^The delivery event of attempt 0\./) },
  });
  expect(JSON.stringify(told)).not.toMatch(/447700900123|493817/);
  expect(await deployment.table.get("item-asked")).toEqual(item);
  expect(sends()).toHaveLength(1);
});

test("a status of an id that nobody has produced is the id alone", async () => {
  expect(await deployment.invoke("produce", { action: "status", application_message_id: "none" })).toEqual({
    application_message_id: "none",
  });
});

test("the item is not written, so nothing is sent", async () => {
  deployment.proxy.intercept = () => ({ status: 400, body: { __type: "AccessDeniedException" } });

  expect(await errorOf(event("no-table"))).toMatchObject({ errorType: "AccessDeniedException" });
  expect(sends()).toEqual([]);
});

test("what the event leaves out gets an id of its own, and the item the deployment's validity", async () => {
  const before = Math.floor(Date.now() / 1000);

  const { application_message_id: id } = await produce({
    destination_number: "+447700900123",
    message_body: "Hello.",
  });

  const item = await deployment.table.get(id);
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
  expect(Number(item?.deadline) - before).toBeGreaterThanOrEqual(86_400);
  expect(Number(item?.deadline) - before).toBeLessThanOrEqual(86_410);
});

test("everything that the event may say reaches the send and the item", async () => {
  const deadline = Math.floor(Date.now() / 1000) + 300;
  const carried = {
    context: { shop: "Berlin Süd" },
    keyword: "SHOP CODES",
    entity_id: "1101234567890123456",
    template_id: "1107123456789012345",
    configuration_set_name: "receipts",
    destination_country_parameters: { IN_ENTITY_ID: "1101234567890123456" },
    max_price: "0.05",
    protect_configuration_id: "protect-1",
  };

  await produce(
    event("all-fields", {
      message_type: "PROMOTIONAL",
      origination_number: "+447700900999",
      sender_id: "SHOP",
      deadline,
      delivery_guarantee: "at-most-once",
      ...carried,
    }),
  );

  expect(sends().map(smsMessageOf)[0]).toEqual({
    Body: "Your code is 493817.",
    MessageType: "PROMOTIONAL",
    OriginationNumber: "+447700900999",
    SenderId: "SHOP",
    Keyword: "SHOP CODES",
    EntityId: "1101234567890123456",
    TemplateId: "1107123456789012345",
  });
  expect(sends()[0]?.context).toEqual({
    shop: "Berlin Süd",
    application_message_id: "all-fields",
    retry_attempt: "0",
  });
  expect(await deployment.table.get("all-fields")).toMatchObject({
    message_type: "PROMOTIONAL",
    origination_number: "+447700900999",
    sender_id: "SHOP",
    deadline,
    delivery_guarantee: "at-most-once",
    ...carried,
  });
});

test("a key that nobody knows is refused by its name, before anything is written or sent", async () => {
  expect(await errorOf(event("misspelt", { origination: "SHOP", "+447700900123": "x" }))).toEqual(
    expect.objectContaining({
      errorType: "InvalidRequestError",
      errorMessage:
        "The message cannot be produced; correct the invocation event: origination is not known here. 1 of the keys cannot be the name of an attribute.",
    }),
  );
  expect(sends()).toEqual([]);
  expect(await deployment.table.get("misspelt")).toBeUndefined();
});

test("the same id a second time sends nothing and tells what became of the first", async () => {
  const first = await produce(event("same-id"));

  const second = await produce(event("same-id", { message_body: "Another text." }));

  expect(second).toEqual(first);
  expect(sends()).toHaveLength(1);
});

test("the same id in ten invocations at once leads to one send", async () => {
  const results = await Promise.all(Array.from({ length: 10 }, () => produce(event("ten-times"))));

  expect(results.map(({ application_message_id: id }) => id)).toEqual(Array(10).fill("ten-times"));
  expect(sends()).toHaveLength(1);
});

test("throttled, and invoked again with another body: the stored one is sent", async () => {
  deployment.pinpoint.answer = () => "THROTTLED";
  await errorOf(event("stored-body", { sender_id: "SHOP" }));
  deployment.pinpoint.answer = () => undefined;

  await produce(event("stored-body", { message_body: "Another text.", sender_id: "OTHER" }));

  expect(sends().map(({ body, origination }) => [body, origination])).toEqual(
    Array(2).fill(["Your code is 493817.", "SHOP"]),
  );
});

test("throttled: an error that names the id and no secret; the same request again sends", async () => {
  deployment.pinpoint.answer = () => "THROTTLED";

  const error = await errorOf(event("put-off"));
  deployment.pinpoint.answer = () => undefined;
  const produced = await produce(event("put-off"));
  const again = await produce(event("put-off"));

  expect(error).toMatchObject({
    errorType: "SendDeferredError",
    errorMessage:
      'The SMS service did not take the message now (throttled); invoke again with application_message_id "put-off".',
  });
  expect(produced.status).toBe("SENT");
  expect(again).toEqual(produced);
  expect(sends()).toHaveLength(2);
});

test.each([
  ["PERMANENT_FAILURE", "REJECTED"],
  ["OPT_OUT", "OPTED_OUT"],
] as const)(
  "the service's answer %s: the message is %s and the id is not sent again",
  async (deliveryStatus, status) => {
    deployment.pinpoint.answer = () => deliveryStatus;

    const produced = await produce(event(deliveryStatus));
    deployment.pinpoint.reset();
    const again = await produce(event(deliveryStatus));

    expect([produced, again]).toEqual(Array(2).fill({ application_message_id: deliveryStatus, status }));
    expect(sends()).toEqual([]);
  },
);

test("fault 60: a lost answer of the first send brings the message to resend after the lease", async () => {
  deployment.pinpoint.answer = () => "HTTP_500";

  const produced = await produce(event("lost"));
  deployment.pinpoint.reset();
  const again = await produce(event("lost"));

  expect([produced.status, again.status]).toEqual(["SENDING", "SENDING"]);
  expect(sends()).toEqual([]);
  // Each puts the message there: neither knows whether the other did.
  expect(await deployment.queued()).toBe(2);

  // The lease is over: the retry message sends what the item holds, once, and marks it.
  const item = await deployment.table.get("lost");
  await deployment.table.put({ ...item, claim_expires_at: Math.floor(Date.now() / 1000) - 1 });
  const body = JSON.stringify({ kind: "retry-message", application_message_id: "lost", attempt: 0 });
  const Records = [sqsRecord("first", body), sqsRecord("second", body)];
  await deployment.invoke("resend", { Records });
  expect(sends()).toHaveLength(1);
  expect(await deployment.table.get("lost")).toMatchObject({
    status: "SENT",
    retry_count: 0,
    attempts: { "0": { possible_duplicate: true } },
  });
});

test("a bad event gets one error with all its problems, and quotes none of its values", async () => {
  expect(await errorOf({ destination_number: "07700 900123", validity_seconds: 0 })).toMatchObject({
    errorType: "InvalidRequestError",
    errorMessage:
      "The message cannot be produced; correct the invocation event: destination_number must be a number in E.164 format, like +4470000. message_body is missing, and no default is set. validity_seconds must be 1 or more.",
  });
  expect(sends()).toEqual([]);
});

test("defaults of the deployment stand in for number and body", async () => {
  const withDefaults = await startDeployment({
    environment: {
      produce: {
        DEFAULT_DESTINATION_NUMBER: "+14254147755",
        DEFAULT_MESSAGE_BODY: "A trial.",
        ORIGINATION_NUMBER: "MYBRAND",
      },
    },
  });
  try {
    await withDefaults.invoke("produce", {});
    await withDefaults.invoke("produce", { origination_number: "+447700900999" });

    const { requests } = withDefaults.pinpoint;
    expect(requests.map((request) => [request.destination, smsMessageOf(request)])).toEqual([
      ["+14254147755", { Body: "A trial.", MessageType: "TRANSACTIONAL", SenderId: "MYBRAND" }],
      [
        "+14254147755",
        { Body: "A trial.", MessageType: "TRANSACTIONAL", OriginationNumber: "+447700900999" },
      ],
    ]);
  } finally {
    await withDefaults.stop();
  }
});
