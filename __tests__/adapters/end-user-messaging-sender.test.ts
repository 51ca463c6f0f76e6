import {
  AccessDeniedException,
  ConflictException,
  InternalServerException,
  PinpointSMSVoiceV2Client,
  ResourceNotFoundException,
  SendTextMessageCommand,
  ServiceQuotaExceededException,
  ThrottlingException,
  ValidationException,
} from "@aws-sdk/client-pinpoint-sms-voice-v2";
import { mockClient } from "aws-sdk-client-mock";
import { endUserMessagingSender } from "../../functions/adapters/senders/end-user-messaging-sender.ts";
import type { SendRequest } from "../../functions/core/sending/sms-sender.ts";

const request: SendRequest = {
  destinationNumber: "+447700900123",
  body: "Código €12 🔐\nEnde",
  messageType: "TRANSACTIONAL",
  originationNumber: "+447700900999",
  secondsLeft: 599.9,
  context: { application_message_id: "order-4711", retry_attempt: "2" },
};

/** A sender whose service answers every call so. */
function sender(answer: Error | { readonly MessageId?: string }, configurationSetName?: string) {
  const client = new PinpointSMSVoiceV2Client({ region: "eu-west-1" });
  const service = mockClient(client);
  if (answer instanceof Error) service.on(SendTextMessageCommand).rejects(answer);
  else service.on(SendTextMessageCommand).resolves(answer);
  return {
    send: endUserMessagingSender(client, configurationSetName).send,
    inputs: () => service.commandCalls(SendTextMessageCommand).map(({ args }) => args[0].input),
  };
}

const about = { message: "text about +447700900123", $metadata: {} };

describe("a send by End User Messaging", () => {
  test("carries number, body, identity, retry tag and configuration set", async () => {
    const { send, inputs } = sender({ MessageId: "sms-1" }, "receipts");
    expect(await send(request)).toEqual({ kind: "accepted", messageId: "sms-1" });
    expect(inputs()).toEqual([
      {
        DestinationPhoneNumber: "+447700900123",
        MessageBody: "Código €12 🔐\nEnde",
        MessageType: "TRANSACTIONAL",
        OriginationIdentity: "+447700900999",
        ConfigurationSetName: "receipts",
        Context: { application_message_id: "order-4711", retry_attempt: "2" },
        TimeToLive: 599,
      },
    ]);
  });

  test("carries whatever the first send carried; the message's configuration set goes over the deployment's", async () => {
    const { send, inputs } = sender({ MessageId: "sms-1" }, "receipts");
    await send({
      ...request,
      keyword: "SHOP CODES",
      entityId: "1101234567890123456",
      templateId: "1107123456789012345",
      configurationSetName: "shop-receipts",
      destinationCountryParameters: { IN_TEMPLATE_ID: "1107000000000000000" },
      maxPrice: "0.05",
      protectConfigurationId: "protect-1",
    });
    expect(inputs()).toEqual([
      {
        DestinationPhoneNumber: "+447700900123",
        MessageBody: "Código €12 🔐\nEnde",
        MessageType: "TRANSACTIONAL",
        OriginationIdentity: "+447700900999",
        ConfigurationSetName: "shop-receipts",
        Context: { application_message_id: "order-4711", retry_attempt: "2" },
        TimeToLive: 599,
        Keyword: "SHOP CODES",
        MaxPrice: "0.05",
        ProtectConfigurationId: "protect-1",
        DestinationCountryParameters: {
          IN_ENTITY_ID: "1101234567890123456",
          IN_TEMPLATE_ID: "1107000000000000000",
        },
      },
    ]);
  });

  test("goes out by a sender id where there is no number", async () => {
    const { send, inputs } = sender({ MessageId: "sms-1" });
    const { originationNumber: _, ...numberless } = request;
    await send({ ...numberless, senderId: "SHOP" });
    expect(inputs()).toMatchObject([{ OriginationIdentity: "SHOP" }]);
  });

  test("takes three entries of the application's context beside ours, and says how many it left out", async () => {
    const { send, inputs } = sender({ MessageId: "sms-1" });
    // A key that is a number comes first in every JavaScript object.
    const own = { "7": "seven", shop: "berlin", till: "3", more: "than fits", most: "too" };
    const sent = await send({ ...request, context: { ...own, ...request.context } });

    expect(sent).toEqual({ kind: "accepted", messageId: "sms-1", contextLeftOut: 2 });
    expect(inputs()[0]?.Context).toEqual({
      application_message_id: "order-4711",
      retry_attempt: "2",
      "7": "seven",
      shop: "berlin",
      till: "3",
    });
  });

  test.each([
    ["a key with a space", { "my shop": "berlin" }],
    ["a key of 101 characters", { ["x".repeat(101)]: "berlin" }],
    ["an empty value", { shop: "" }],
    ["a value of 801 characters", { shop: "x".repeat(801) }],
    ["a value that begins with a space", { shop: " berlin" }],
    ["a value that ends with a line break", { shop: "berlin\n" }],
  ])("leaves out %s, for which the service would refuse the message", async (_what, own) => {
    const { send, inputs } = sender({ MessageId: "sms-1" });
    const fitting = { ["y".repeat(100)]: `${"x y\n".repeat(199)}abcd`, z: "z" };

    const sent = await send({ ...request, context: { ...own, ...fitting, ...request.context } });

    expect(sent).toEqual({ kind: "accepted", messageId: "sms-1", contextLeftOut: 1 });
    expect(inputs()[0]?.Context).toEqual({ ...fitting, ...request.context });
  });

  test("fault 27: the time to live is clipped to the deadline, and to what the service takes", async () => {
    const { send, inputs } = sender({ MessageId: "sms-1" });
    await send({ ...request, secondsLeft: 7.2 });
    await send({ ...request, secondsLeft: 400_000 });
    const { secondsLeft: _, ...endless } = request;
    await send(endless);
    expect(inputs().map(({ TimeToLive }) => TimeToLive)).toEqual([7, 259_200, 259_200]);
    expect(endUserMessagingSender(new PinpointSMSVoiceV2Client({}), undefined).leastSecondsLeft).toBe(5);
  });

  test("fault 18: an answer without a message id may have been a send", async () => {
    const { send } = sender({});
    expect(await send(request)).toEqual({ kind: "unconfirmed", reason: "no-message-id" });
  });

  test("fault 22: an opt-out is told at once", async () => {
    const { send } = sender(
      new ConflictException({ ...about, Reason: "DESTINATION_PHONE_NUMBER_OPTED_OUT" }),
    );
    expect(await send(request)).toEqual({
      kind: "refused",
      reason: "DESTINATION_PHONE_NUMBER_OPTED_OUT",
      optedOut: true,
    });
  });

  test.each<[string, Error]>([
    [
      "NO_ORIGINATION_IDENTITIES_FOUND",
      new ConflictException({ ...about, Reason: "NO_ORIGINATION_IDENTITIES_FOUND" }),
    ],
    ["RESOURCE_NOT_ACTIVE", new ConflictException({ ...about, Reason: "RESOURCE_NOT_ACTIVE" })],
    [
      "DESTINATION_PHONE_NUMBER_NOT_VERIFIED",
      new ConflictException({ ...about, Reason: "DESTINATION_PHONE_NUMBER_NOT_VERIFIED" }),
    ],
    ["MESSAGE_TYPE_MISMATCH", new ConflictException({ ...about, Reason: "MESSAGE_TYPE_MISMATCH" })],
    [
      "NUMBER_CAPABILITIES_MISMATCH",
      new ConflictException({ ...about, Reason: "NUMBER_CAPABILITIES_MISMATCH" }),
    ],
    ["CONFLICT", new ConflictException(about)],
    ["RESOURCE_NOT_ACCESSIBLE", new ValidationException({ ...about, Reason: "RESOURCE_NOT_ACCESSIBLE" })],
    ["SENDER_ID_NOT_REGISTERED", new ValidationException({ ...about, Reason: "SENDER_ID_NOT_REGISTERED" })],
    [
      "RESOURCE_NOT_FOUND:phone-number",
      new ResourceNotFoundException({ ...about, ResourceType: "phone-number" }),
    ],
    ["RESOURCE_NOT_FOUND", new ResourceNotFoundException(about)],
    ["ACCOUNT_DISABLED", new AccessDeniedException({ ...about, Reason: "ACCOUNT_DISABLED" })],
    ["ACCESS_DENIED", new AccessDeniedException(about)],
  ])("fault 22: what an operator can mend is deferred: %s", async (word, error) => {
    expect(await sender(error).send(request)).toEqual({ kind: "deferred", reason: `not-allowed:${word}` });
  });

  test.each<[string, Error]>([
    ["INVALID_PARAMETER", new ValidationException({ ...about, Reason: "INVALID_PARAMETER" })],
    [
      "INVALID_PARAMETER",
      new ValidationException({
        ...about,
        Reason: "INVALID_PARAMETER",
        Fields: [{ Name: "MessageBody", Message: "too long" }],
      }),
    ],
    ["VALIDATION", new ValidationException(about)],
    ["PRICE_OVER_THRESHOLD", new ValidationException({ ...about, Reason: "PRICE_OVER_THRESHOLD" })],
    [
      "DESTINATION_COUNTRY_BLOCKED",
      new ValidationException({ ...about, Reason: "DESTINATION_COUNTRY_BLOCKED" }),
    ],
    [
      "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION",
      new ConflictException({ ...about, Reason: "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION" }),
    ],
  ])("fault 24: what lies in the message is refused: %s", async (reason, error) => {
    expect(await sender(error).send(request)).toEqual({ kind: "refused", reason, optedOut: false });
  });

  test("fault 24: a field that the deployment sets is not the message's fault", async () => {
    const { send } = sender(
      new ValidationException({
        ...about,
        Reason: "INVALID_PARAMETER",
        Fields: [{ Name: "originationIdentity", Message: "text about MYBRAND" }],
      }),
    );
    expect(await send(request)).toEqual({ kind: "deferred", reason: "not-allowed:INVALID_PARAMETER" });
  });

  test.each([
    ["MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT" as const, "spend-limit"],
    ["DAILY_DESTINATION_CALL_LIMIT" as const, "spend-limit"],
    ["SENDER_IDS_PER_ACCOUNT" as const, "not-allowed:SENDER_IDS_PER_ACCOUNT"],
  ])("fault 23: the quota %s defers: %s", async (Reason, reason) => {
    const { send } = sender(new ServiceQuotaExceededException({ ...about, Reason }));
    expect(await send(request)).toEqual({ kind: "deferred", reason });
  });

  test("throttling and a refused connection deferred what was certainly not sent", async () => {
    expect(await sender(new ThrottlingException(about)).send(request)).toEqual({
      kind: "deferred",
      reason: "throttled",
    });
    expect(await sender(Object.assign(new Error("refused"), { code: "ECONNREFUSED" })).send(request)).toEqual(
      { kind: "deferred", reason: "unreachable" },
    );
  });

  test("fault 18: a failure inside the service, or no answer, may have been sent", async () => {
    expect(await sender(new InternalServerException(about)).send(request)).toEqual({
      kind: "unconfirmed",
      reason: "InternalServerException",
    });
    const lost = Object.assign(new Error("late"), { name: "TimeoutError" });
    expect(await sender(lost).send(request)).toEqual({ kind: "unconfirmed", reason: "TimeoutError" });
  });
});
