/** What goes to `SendTextMessage`, and what its answers mean, over the wire and with the client of the functions. */
import { endUserMessagingClient, type SendTimeLimits } from "../../functions/adapters/aws-clients.ts";
import {
  type EndUserMessagingDefaults,
  endUserMessagingSender,
} from "../../functions/adapters/senders/end-user-messaging-sender.ts";
import type { SendRequest } from "../../functions/core/sending/sms-sender.ts";
import type { ErrorAnswer } from "../../local/sms-service/carrier.ts";
import { emulatorAccess } from "../support/message-table.ts";
import { carriesNothing, longLimits, shortLimits } from "../support/sending-clients.ts";
import {
  type ScriptedAnswer,
  type ScriptedSmsService,
  startScriptedSmsService,
} from "../support/sms-service.ts";

let service: ScriptedSmsService;
const environment = { ...process.env };
beforeAll(async () => {
  service = await startScriptedSmsService("no project");
});
afterAll(() => service.close());
beforeEach(() => {
  service.reset();
  Object.assign(process.env, {
    AWS_REGION: emulatorAccess.region,
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2: service.endpoint,
  });
});
afterEach(() => {
  process.env = { ...environment };
});

const request: SendRequest = {
  destinationNumber: "+447700900123",
  body: "Código €12 🔐\nEnde",
  messageType: "TRANSACTIONAL",
  originationNumber: "+447700900999",
  secondsLeft: 599.9,
  context: { application_message_id: "order-4711", retry_attempt: "2" },
};

/** Sends with the very client that the functions use. */
async function send(
  asked: SendRequest,
  defaults: Partial<EndUserMessagingDefaults> = {},
  limits: SendTimeLimits = longLimits,
) {
  const client = await endUserMessagingClient(limits);
  return endUserMessagingSender(client, { ...carriesNothing, ...defaults }).send(asked);
}

/** What {@link request} comes to where the service answers so. */
function sendAnswered(answer: ScriptedAnswer, limits?: SendTimeLimits) {
  service.answer = () => answer;
  return send(request, {}, limits);
}

const inputs = () => service.requests.map(({ input }) => input);
const accepted = () => ({ kind: "accepted", messageId: service.ledger.sends.at(-1)?.messageId });

/** A refusal as the service words it. */
const error = (name: string, fields: object = {}): ErrorAnswer => ({ status: 400, name, fields });
const conflict = (Reason: string) => error("ConflictException", { Reason });
const invalid = (Reason: string) => error("ValidationException", { Reason });

describe("a send by End User Messaging", () => {
  test("carries number, body, identity, retry tag and configuration set", async () => {
    expect(await send(request, { configurationSetName: "receipts" })).toEqual(accepted());
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

  test("carries what the first send carried; its configuration set replaces the deployment's", async () => {
    const asked = {
      ...request,
      keyword: "SHOP CODES",
      entityId: "1101234567890123456",
      templateId: "1107123456789012345",
      configurationSetName: "shop-receipts",
      destinationCountryParameters: { IN_TEMPLATE_ID: "1107000000000000000" },
      maxPrice: "0.05",
      protectConfigurationId: "protect-1",
      messageFeedbackEnabled: true,
    };
    await send(asked, {
      configurationSetName: "receipts",
      maxPrice: "0.01",
      protectConfigurationId: "protect-0",
      messageFeedbackEnabled: false,
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
        MessageFeedbackEnabled: true,
        DestinationCountryParameters: {
          IN_ENTITY_ID: "1101234567890123456",
          IN_TEMPLATE_ID: "1107000000000000000",
        },
      },
    ]);
  });

  test("carries what the deployment says where the item says nothing, and no more", async () => {
    const defaults = { maxPrice: "0.01", protectConfigurationId: "protect-0", messageFeedbackEnabled: true };
    await send(request, defaults);
    await send({ ...request, messageFeedbackEnabled: false }, defaults);
    const said = { MaxPrice: "0.01", ProtectConfigurationId: "protect-0" };
    expect(inputs()).toMatchObject([{ ...said, MessageFeedbackEnabled: true }, said]);
    expect(inputs()[1]).not.toHaveProperty("MessageFeedbackEnabled");
  });

  test("goes out by a sender id where there is no number", async () => {
    const { originationNumber: _, ...numberless } = request;
    await send({ ...numberless, senderId: "SHOP" });
    expect(inputs()).toMatchObject([{ OriginationIdentity: "SHOP" }]);
  });

  test("takes three entries of the application's context, and says how many it left out", async () => {
    // A key that is a number comes first in every JavaScript object.
    const own = { "7": "seven", shop: "berlin", till: "3", more: "than fits", most: "too" };
    const sent = await send({ ...request, context: { ...own, ...request.context } });

    expect(sent).toEqual({ ...accepted(), contextLeftOut: 2 });
    expect(inputs()[0]).toHaveProperty("Context", {
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
    const fitting = { ["y".repeat(100)]: `${"x y\n".repeat(199)}abcd`, z: "z" };

    const sent = await send({ ...request, context: { ...own, ...fitting, ...request.context } });

    expect(sent).toEqual({ ...accepted(), contextLeftOut: 1 });
    expect(inputs()[0]).toHaveProperty("Context", { ...fitting, ...request.context });
  });

  test("fault 27: an attempt lives as long as is left, but no longer than the deployment says", async () => {
    const { secondsLeft: _, ...endless } = request;
    for (const [left, validity, lives] of [
      [7.2, 900, 7],
      [5, 900, 5],
      // The clock went on since it was looked at.
      [4.9, 900, 5],
      [899.9, 900, 899],
      [86_400, 900, 900],
      [86_400, 30, 30],
      [400_000, 259_200, 259_200],
      [undefined, 900, 900],
    ] as const) {
      const asked = left === undefined ? endless : { ...request, secondsLeft: left };
      await send(asked, { attemptValiditySeconds: validity });
      expect([left, validity, inputs().at(-1)]).toMatchObject([left, validity, { TimeToLive: lives }]);
    }
    const sender = endUserMessagingSender(await endUserMessagingClient(), carriesNothing);
    expect(sender.leastSecondsLeft).toBe(5);
  });

  test("fault 22: an opt-out is told at once", async () => {
    expect(await sendAnswered("OPT_OUT")).toEqual({
      kind: "refused",
      reason: "DESTINATION_PHONE_NUMBER_OPTED_OUT",
      optedOut: true,
    });
  });

  test.each<[string, ErrorAnswer]>([
    ["RESOURCE_NOT_ACTIVE", conflict("RESOURCE_NOT_ACTIVE")],
    ["CONFLICT", error("ConflictException")],
    ["RESOURCE_NOT_ACCESSIBLE", invalid("RESOURCE_NOT_ACCESSIBLE")],
    ["RESOURCE_NOT_FOUND:phone-number", error("ResourceNotFoundException", { ResourceType: "phone-number" })],
    ["RESOURCE_NOT_FOUND", error("ResourceNotFoundException")],
    ["ACCOUNT_DISABLED", error("AccessDeniedException", { Reason: "ACCOUNT_DISABLED" })],
    ["ACCESS_DENIED", error("AccessDeniedException")],
  ])("fault 22: what an operator can mend is deferred: %s", async (word, answer) => {
    expect(await sendAnswered(answer)).toEqual({ kind: "deferred", reason: `not-allowed:${word}` });
  });

  test.each<[string, ErrorAnswer]>([
    ["identity-not-allowed:NO_ORIGINATION_IDENTITIES_FOUND", conflict("NO_ORIGINATION_IDENTITIES_FOUND")],
    ["identity-not-allowed:MESSAGE_TYPE_MISMATCH", conflict("MESSAGE_TYPE_MISMATCH")],
    ["identity-not-allowed:SENDER_ID_NOT_REGISTERED", invalid("SENDER_ID_NOT_REGISTERED")],
    [
      "destination-not-allowed:DESTINATION_PHONE_NUMBER_NOT_VERIFIED",
      conflict("DESTINATION_PHONE_NUMBER_NOT_VERIFIED"),
    ],
    ["destination-not-allowed:COUNTRY_NOT_ENABLED", invalid("COUNTRY_NOT_ENABLED")],
  ])("fault 22: what one identity or recipient alone meets is told apart: %s", async (reason, answer) => {
    expect(await sendAnswered(answer)).toEqual({ kind: "deferred", reason });
  });

  test.each<[string, ErrorAnswer]>([
    ["INVALID_PARAMETER", invalid("INVALID_PARAMETER")],
    [
      "INVALID_PARAMETER",
      error("ValidationException", {
        Reason: "INVALID_PARAMETER",
        Fields: [{ Name: "MessageBody", Message: "too long" }],
      }),
    ],
    ["VALIDATION", error("ValidationException")],
    ["PRICE_OVER_THRESHOLD", invalid("PRICE_OVER_THRESHOLD")],
    ["DESTINATION_COUNTRY_BLOCKED", invalid("DESTINATION_COUNTRY_BLOCKED")],
    [
      "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION",
      conflict("DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION"),
    ],
  ])("fault 24: what lies in the message is refused: %s", async (reason, answer) => {
    expect(await sendAnswered(answer)).toEqual({ kind: "refused", reason, optedOut: false });
  });

  test.each(["originationIdentity", "ConfigurationSetName", "MaxPrice", "Context", "MessageType", "Newer"])(
    "fault 24: a wrong %s is not the message's fault: it is neither number nor text",
    async (Name) => {
      const answer = error("ValidationException", {
        Reason: "INVALID_PARAMETER",
        Fields: [{ Name, Message: "text about MYBRAND" }],
      });
      expect(await sendAnswered(answer)).toEqual({
        kind: "deferred",
        reason: "not-allowed:INVALID_PARAMETER",
      });
    },
  );

  test.each([
    ["MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT", "spend-limit"],
    ["DAILY_DESTINATION_CALL_LIMIT", "spend-limit"],
    ["SENDER_IDS_PER_ACCOUNT", "not-allowed:SENDER_IDS_PER_ACCOUNT"],
  ])("fault 23: the quota %s defers: %s", async (Reason, reason) => {
    expect(await sendAnswered(error("ServiceQuotaExceededException", { Reason }))).toEqual({
      kind: "deferred",
      reason,
    });
  });

  test("throttling defers what was certainly not sent", async () => {
    expect(await sendAnswered("THROTTLED")).toEqual({ kind: "deferred", reason: "throttled" });
  });

  test("fault 18: a failure inside the service, or no answer, may have been sent", async () => {
    expect(await sendAnswered("HTTP_500")).toEqual({
      kind: "unconfirmed",
      reason: "InternalServerException",
    });
    expect(await sendAnswered("HANG", shortLimits)).toEqual({ kind: "unconfirmed", reason: "TimeoutError" });
  });
});
