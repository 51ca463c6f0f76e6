/** The SMS service on its port, through the real SDK clients of both of its APIs. */
import {
  DeleteEventStreamCommand,
  GetEventStreamCommand,
  type MessageRequest,
  PinpointClient,
  PutEventStreamCommand,
  SendMessagesCommand,
} from "@aws-sdk/client-pinpoint";
import {
  PinpointSMSVoiceV2Client,
  SendTextMessageCommand,
  type SendTextMessageCommandInput,
} from "@aws-sdk/client-pinpoint-sms-voice-v2";
import {
  accessCauses,
  conflictCauses,
  quotaCauses,
  refusalOf,
  validationCauses,
} from "../../functions/adapters/senders/end-user-messaging-refusals.ts";
import { parseDeliveryEvent } from "../../functions/core/events/parse-delivery-event.ts";
import { statusFacts } from "../../functions/core/events/statuses.ts";
import { localCredentials, region } from "../../local/aws-clients.ts";
import { type CarrierPlan, scriptedCarrier } from "../../local/sms-service/carrier.ts";
import { readSendTextMessage } from "../../local/sms-service/end-user-messaging-api.ts";
import { readSendMessages } from "../../local/sms-service/pinpoint-api.ts";
import {
  type ApiAnswer,
  attemptOutcomes,
  endUserMessagingAnswers,
  parseScenario,
} from "../../local/sms-service/scenario.ts";
import { type ServedSmsService, serveSmsService } from "../../local/sms-service/serve-sms-service.ts";
import { failureNumbers, successNumbers } from "../../local/sms-service/simulator-numbers.ts";
import { SmsService } from "../../local/sms-service/sms-service.ts";

const applicationId = "0123456789abcdef0123456789abcdef";
const streamArn = "arn:aws:kinesis:eu-west-1:000000000000:stream/events";
const roleArn = "arn:aws:iam::000000000000:role/event-stream";

let service: ServedSmsService;
let client: PinpointClient;
/** Short only where no answer ever comes: a busy machine needs its time. */
let requestTimeout: number;
let published: { stream: string; partitionKey: string; data: string }[];

/** Starts a service that does the same with every call. */
async function start(
  plan: CarrierPlan | typeof carrierOfNumbers,
  configurationSets?: ReadonlyMap<string, ReadonlySet<string> | undefined>,
): Promise<void> {
  published = [];
  requestTimeout = "answer" in plan && plan.answer === "HANG" ? 300 : 10_000;
  let ids = 0;
  service = await serveSmsService({
    applicationId,
    ...(configurationSets !== undefined && { configurationSets }),
    accountId: "000000000000",
    carrier: "plan" in plan ? plan : { plan: () => plan as CarrierPlan },
    publisherOf: (stream) => ({
      publish({ partitionKey, data, onPublished }) {
        published.push({ stream, partitionKey, data });
        onPublished();
      },
      waiting: 0,
      close: async () => {},
    }),
    now: () => 1_700_000_000_000,
    id: () => {
      ids += 1;
      return `id-${ids}`;
    },
  });
  client = new PinpointClient({
    region,
    credentials: localCredentials,
    endpoint: service.endpoint,
    maxAttempts: 1,
    requestHandler: { requestTimeout, throwOnRequestTimeout: true },
  });
}

/** A client of the v2 API. */
function textClient(): PinpointSMSVoiceV2Client {
  return new PinpointSMSVoiceV2Client({
    region,
    credentials: localCredentials,
    endpoint: service.endpoint,
    maxAttempts: 1,
    requestHandler: { requestTimeout, throwOnRequestTimeout: true },
  });
}

function sendText(changed: Partial<SendTextMessageCommandInput> = {}) {
  return textClient().send(
    new SendTextMessageCommand({
      DestinationPhoneNumber: "+15550000001",
      MessageBody: "Hello",
      MessageType: "TRANSACTIONAL",
      ConfigurationSetName: "receipts",
      Context: { application_message_id: "m-1", retry_attempt: "2" },
      ...changed,
    }),
  );
}

const carrierOfNumbers = scriptedCarrier(
  parseScenario('{"description":"T.","messages":[{"share":1,"outcomes":["DELIVERED"]}]}', "test"),
  1,
  new Map(),
  {
    success: new Set(Object.values(successNumbers)),
    failure: new Set(Object.values(failureNumbers)),
    failureStatus: "BLOCKED",
  },
);

afterEach(async () => {
  client.destroy();
  await service.close();
});

const delivered: CarrierPlan = {
  outcome: "DELIVERED",
  events: [{ kind: "success", status: "DELIVERED", afterSeconds: 0, copiesAfterSeconds: [0] }],
};

function send(changed: Partial<MessageRequest> = {}) {
  return client.send(
    new SendMessagesCommand({
      ApplicationId: applicationId,
      MessageRequest: {
        Addresses: { "+15550000001": { ChannelType: "SMS" } },
        Context: { application_message_id: "m-1", retry_attempt: "2" },
        MessageConfiguration: { SMSMessage: { Body: "Hello", MessageType: "TRANSACTIONAL" } },
        ...changed,
      },
    }),
  );
}

const putEventStream = () =>
  client.send(
    new PutEventStreamCommand({
      ApplicationId: applicationId,
      WriteEventStream: { DestinationStreamArn: streamArn, RoleArn: roleArn },
    }),
  );

async function eventually<T>(value: () => T | undefined): Promise<T> {
  for (;;) {
    const found = value();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

describe("SendMessages", () => {
  it("answers per address with a message id", async () => {
    await start(delivered);

    const { MessageResponse } = await send();

    expect(MessageResponse).toEqual({
      ApplicationId: applicationId,
      RequestId: "id-1",
      Result: {
        "+15550000001": {
          DeliveryStatus: "SUCCESSFUL",
          StatusCode: 200,
          MessageId: "id-2",
          StatusMessage: "MessageId: id-2",
        },
      },
    });
  });

  it.each<[ApiAnswer, number]>([
    ["THROTTLED", 429],
    ["TEMPORARY_FAILURE", 500],
    ["UNKNOWN_FAILURE", 500],
    ["PERMANENT_FAILURE", 400],
    ["OPT_OUT", 400],
    ["DUPLICATE", 400],
  ])("answers %s inside an HTTP 200, and sends nothing", async (answer, code) => {
    await start({ answer, events: [] });

    const { MessageResponse, $metadata } = await send();

    expect($metadata.httpStatusCode).toBe(200);
    expect(MessageResponse?.Result?.["+15550000001"]).toEqual({
      DeliveryStatus: answer,
      StatusCode: code,
      StatusMessage: "The message to +15550000001 was not sent.",
    });
    expect(service.ledger.sends).toEqual([]);
    expect(service.ledger.calls).toMatchObject([{ answer, applicationMessageId: "m-1", attempt: 2 }]);
  });

  it.each([
    ["HTTP_429", "TooManyRequestsException", 429],
    ["HTTP_500", "InternalServerErrorException", 500],
  ] as const)("answers %s as an exception of the SDK, and sends nothing", async (answer, name, code) => {
    await start({ answer, events: [] });

    await expect(send()).rejects.toMatchObject({ name, $metadata: { httpStatusCode: code } });
    expect(service.ledger.sends).toEqual([]);
  });

  it("takes the message and never answers when it hangs", async () => {
    await start({ ...delivered, answer: "HANG" });

    await expect(send()).rejects.toMatchObject({ name: "TimeoutError" });
    expect(service.ledger.sends).toHaveLength(1);
  });

  it("refuses a request without configuration, an unknown project, more than 100 recipients", async () => {
    await start(delivered);
    const many = Object.fromEntries(
      Array.from({ length: 101 }, (_, index) => [`+15550000${index + 100}`, { ChannelType: "SMS" as const }]),
    );

    await expect(send({ MessageConfiguration: undefined })).rejects.toMatchObject({
      name: "BadRequestException",
    });
    await expect(send({ Addresses: many })).rejects.toMatchObject({ name: "BadRequestException" });
    const elsewhere = new SendMessagesCommand({
      ApplicationId: "other",
      MessageRequest: { MessageConfiguration: {} },
    });
    await expect(client.send(elsewhere)).rejects.toMatchObject({ name: "NotFoundException" });
  });

  it("answers a method that it does not have with 405", async () => {
    await start(delivered);

    const response = await fetch(`${service.endpoint}/v1/apps/${applicationId}/messages`);

    expect(response.status).toBe(405);
    expect(response.headers.get("x-amzn-ErrorType")).toBe("MethodNotAllowedException");
  });
});

describe("the event stream", () => {
  it("does not exist at first, and is what was put last", async () => {
    await start(delivered);
    const get = () => client.send(new GetEventStreamCommand({ ApplicationId: applicationId }));

    await expect(get()).rejects.toMatchObject({
      name: "NotFoundException",
      $metadata: { httpStatusCode: 404 },
    });
    await putEventStream();

    expect((await get()).EventStream).toEqual({
      ApplicationId: applicationId,
      DestinationStreamArn: streamArn,
      RoleArn: roleArn,
      LastModifiedDate: "2023-11-14T22:13:20.000Z",
    });
  });

  it("is gone after it was deleted, and cannot be deleted twice", async () => {
    await start(delivered);
    await putEventStream();
    const remove = () => client.send(new DeleteEventStreamCommand({ ApplicationId: applicationId }));

    expect((await remove()).EventStream?.DestinationStreamArn).toBe(streamArn);

    await expect(remove()).rejects.toMatchObject({ name: "NotFoundException" });
    await expect(
      client.send(new GetEventStreamCommand({ ApplicationId: applicationId })),
    ).rejects.toMatchObject({ name: "NotFoundException" });
  });

  it("gets the events of a send in the full shape of Pinpoint's", async () => {
    await start(delivered);
    await putEventStream();

    await send({
      Addresses: { "+15550000001": { ChannelType: "SMS", Context: { flow: "login" } } },
      MessageConfiguration: {
        SMSMessage: { Body: "x".repeat(200), MessageType: "TRANSACTIONAL", SenderId: "SHOP" },
      },
    });
    const entry = await eventually(() => published[0]);

    expect(entry).toMatchObject({ stream: streamArn, partitionKey: "id-3" });
    expect(JSON.parse(entry.data)).toEqual({
      event_type: "_SMS.SUCCESS",
      event_timestamp: 1_700_000_000_000,
      arrival_timestamp: 1_700_000_000_000,
      event_version: "3.1",
      application: { app_id: applicationId, sdk: {} },
      client: { client_id: "id-2" },
      device: { platform: {} },
      session: {},
      attributes: {
        sender_request_id: "id-2",
        origination_phone_number: "SHOP",
        destination_phone_number: "+15550000001",
        record_status: "DELIVERED",
        iso_country_code: "US",
        mcc_mnc: "310260",
        treatment_id: "0",
        number_of_message_parts: "2",
        message_id: "id-3",
        message_type: "Transactional",
        customer_context: '{"application_message_id":"m-1","retry_attempt":"2","flow":"login"}',
      },
      metrics: { price_in_millicents_usd: 1290 },
      awsAccountId: "000000000000",
    });
  });

  it("gets both copies of a doubled event with equal bytes, and no lost one; the ledger knows", async () => {
    await start({
      outcome: "UNREACHABLE",
      events: [
        { kind: "buffered", status: "PENDING", afterSeconds: 0, copiesAfterSeconds: [] },
        { kind: "failure", status: "UNREACHABLE", afterSeconds: 0, copiesAfterSeconds: [0, 0.01] },
      ],
    });
    await putEventStream();

    await send();
    await eventually(() => published[1]);

    expect(published[0]?.data).toBe(published[1]?.data);
    expect(service.pendingEvents).toBe(0);
    expect(service.ledger.eventCounts()).toEqual({ emitted: 2, duplicated: 1, lost: 1 });
    expect(service.ledger.sends[0]?.events).toEqual([
      { id: "id-3:buffered", kind: "buffered", status: "PENDING", copies: 0, published: 0 },
      { id: "id-3:failure", kind: "failure", status: "UNREACHABLE", copies: 2, published: 2 },
    ]);
  });
});

/** Every reason that the model has. */
const listedCauses: Readonly<Record<string, string>> = {
  ...conflictCauses,
  ...validationCauses,
  ...accessCauses,
  ...quotaCauses,
};

describe("SendTextMessage", () => {
  it("answers with a message id, and the ledger has the send as one of the other API", async () => {
    await start(delivered);

    const [{ MessageId }] = [await sendText(), await send()];

    expect(service.ledger.sends).toMatchObject([
      { messageId: MessageId, applicationMessageId: "m-1", attempt: 2, parts: 1, outcome: "DELIVERED" },
      { applicationMessageId: "m-1", attempt: 2, parts: 1, outcome: "DELIVERED" },
    ]);
  });

  it.each<[ApiAnswer, string, object]>([
    ["THROTTLED", "ThrottlingException", {}],
    ["HTTP_429", "ThrottlingException", {}],
    ["TEMPORARY_FAILURE", "ServiceUnavailableException", {}],
    ["UNKNOWN_FAILURE", "InternalServerException", {}],
    ["HTTP_500", "InternalServerException", {}],
    ["PERMANENT_FAILURE", "ValidationException", { Reason: "INVALID_PARAMETER" }],
    ["DUPLICATE", "ValidationException", { Reason: "INVALID_PARAMETER" }],
    ["OPT_OUT", "ConflictException", { Reason: "DESTINATION_PHONE_NUMBER_OPTED_OUT" }],
    ["RESOURCE_NOT_ACTIVE", "ConflictException", { Reason: "RESOURCE_NOT_ACTIVE" }],
    ["COUNTRY_NOT_ENABLED", "ValidationException", { Reason: "COUNTRY_NOT_ENABLED" }],
    ["ACCOUNT_DISABLED", "AccessDeniedException", { Reason: "ACCOUNT_DISABLED" }],
    ["RESOURCE_NOT_FOUND", "ResourceNotFoundException", { ResourceType: "phone-number" }],
  ])("says %s as %s, and sends nothing", async (answer, name, fields) => {
    await start({ answer, events: [] });

    await expect(sendText()).rejects.toMatchObject({ name, ...fields });
    expect(service.ledger.sends).toEqual([]);
    expect(service.ledger.calls).toMatchObject([{ answer, attempt: 2 }]);
  });

  it("takes the message and never answers when it hangs", async () => {
    await start({ ...delivered, answer: "HANG" });

    await expect(sendText()).rejects.toMatchObject({ name: "TimeoutError" });
    expect(service.ledger.sends).toHaveLength(1);
  });

  it.each(endUserMessagingAnswers)("says %s by a reason that its model has", async (answer) => {
    await start({ answer, events: [] });

    const refusal = refusalOf(await sendText().catch((thrown: unknown) => thrown));

    const isResource = answer === "RESOURCE_NOT_FOUND";
    expect(refusal).toEqual(
      isResource
        ? { cause: "operator", reason: "RESOURCE_NOT_FOUND:phone-number" }
        : { cause: listedCauses[answer], reason: answer },
    );
    expect(service.ledger.sends).toEqual([]);
  });

  it("refuses a configuration set that does not exist", async () => {
    await start(delivered, new Map([["other", undefined]]));

    await expect(sendText()).rejects.toMatchObject({
      name: "ResourceNotFoundException",
      ResourceType: "configuration-set",
      ResourceId: "receipts",
    });
    expect(service.ledger.calls).toEqual([]);
  });

  it("puts out only the types of events that the configuration set's destination takes", async () => {
    const buffered = {
      kind: "buffered",
      status: "PENDING",
      afterSeconds: 0,
      copiesAfterSeconds: [0],
    } as const;
    await start(
      { ...delivered, events: [buffered, ...delivered.events] },
      new Map([["receipts", new Set(["TEXT_DELIVERED"])]]),
    );

    await sendText();
    await eventually(() => (service.pendingEvents === 0 ? true : undefined));

    expect(published.map(({ data }) => JSON.parse(data).eventType)).toEqual(["TEXT_DELIVERED"]);
  });

  it("refuses a send that costs more than it may, and takes one that does not", async () => {
    await start(delivered);

    await expect(sendText({ MaxPrice: "0.00580" })).rejects.toMatchObject({ Reason: "PRICE_OVER_THRESHOLD" });
    expect(service.ledger.sends).toEqual([]);
    await sendText({ MaxPrice: "0.00581" });
    expect(service.ledger.sends).toHaveLength(1);
  });

  it("takes five parts of dry runs a second, of which nothing comes", async () => {
    await start(delivered);

    for (let run = 1; run <= 5; run += 1) {
      expect(await sendText({ DryRun: true })).toMatchObject({ MessageId: expect.any(String) });
    }

    await expect(sendText({ DryRun: true })).rejects.toMatchObject({ name: "ThrottlingException" });
    await expect(sendText()).resolves.toBeDefined();
    expect(service.ledger.sends).toHaveLength(1);
  });

  it("says at the call what it has no event for", async () => {
    await start({ ...delivered, outcome: "MAX_PRICE_EXCEEDED" });

    await expect(sendText()).rejects.toMatchObject({
      name: "ServiceQuotaExceededException",
      Reason: "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT",
    });
    expect(service.ledger.sends).toEqual([]);
  });

  it.each<[string, string, Partial<SendTextMessageCommandInput>]>([
    ["a number that is none", "DestinationPhoneNumber", { DestinationPhoneNumber: "0123" }],
    ["a body of 1 601 characters", "MessageBody", { MessageBody: "x".repeat(1_601) }],
    ["a time to live of 4 s", "TimeToLive", { TimeToLive: 4 }],
    ["a time to live of more than three days", "TimeToLive", { TimeToLive: 259_201 }],
    ["a price without its dot", "MaxPrice", { MaxPrice: "5" }],
    ["six entries of context", "Context", { Context: { a: "1", b: "2", c: "3", d: "4", e: "5", f: "6" } }],
    ["a context value with a space at its edge", "Context", { Context: { shop: " Berlin" } }],
    ["a context key with a space", "Context", { Context: { "a key": "Berlin" } }],
  ])("refuses %s, naming %s", async (_what, Name, changed) => {
    await start(delivered);

    await expect(sendText(changed)).rejects.toMatchObject({
      name: "ValidationException",
      Fields: [{ Name }],
    });
    expect(service.ledger.calls).toEqual([]);
  });

  it("puts the events of a send where its configuration set says, in the full shape", async () => {
    await start(delivered);

    await sendText({ MessageBody: "é".repeat(161), OriginationIdentity: "SHOP" });
    const entry = await eventually(() => published[0]);

    expect(entry).toMatchObject({ stream: "receipts", partitionKey: "id-2" });
    expect(JSON.parse(entry.data)).toEqual({
      eventType: "TEXT_DELIVERED",
      eventVersion: "1.0",
      eventTimestamp: 1_700_000_000_000,
      isFinal: true,
      originationPhoneNumber: "SHOP",
      destinationPhoneNumber: "+15550000001",
      isoCountryCode: "US",
      mcc: "310",
      mnc: "260",
      messageId: "id-2",
      messageRequestTimestamp: 1_700_000_000_000,
      messageEncoding: "GSM",
      messageType: "TRANSACTIONAL",
      messageStatus: "DELIVERED",
      messageStatusDescription: "The message is DELIVERED.",
      context: { application_message_id: "m-1", retry_attempt: "2" },
      totalMessageParts: 2,
      totalMessagePrice: 0.01162,
      totalCarrierFee: 0.006,
    });
  });

  it("has no event of a send without a configuration set", async () => {
    await start(delivered);

    await sendText({ ConfigurationSetName: undefined });
    await sendText();
    await eventually(() => published[0]);

    expect(service.pendingEvents).toBe(0);
    expect(published).toHaveLength(1);
    expect(service.ledger.sends.map(({ events }) => events[0]?.published)).toEqual([0, 1]);
  });
});

/** What both formats have an event for. */
const outcomesOfBoth = attemptOutcomes.filter((outcome) => statusFacts(outcome)?.formats.length === 2);

it.each(outcomesOfBoth)(
  "both formats say the same of a message that ends as %s, to whom reads them",
  async (outcome) => {
    const kind = outcome === "DELIVERED" || outcome === "SUCCESSFUL" ? "success" : "failure";
    await start({
      outcome,
      events: [
        { kind: "buffered", status: "PENDING", afterSeconds: 0, copiesAfterSeconds: [0] },
        { kind: "buffered", status: "SUCCESSFUL", afterSeconds: 0, copiesAfterSeconds: [0] },
        { kind, status: outcome, afterSeconds: 0, copiesAfterSeconds: [0] },
      ],
    });
    await putEventStream();
    await send();
    await sendText();
    await eventually(() => published[5]);

    const told = published.map(({ data }) => {
      const parsed = parseDeliveryEvent(JSON.parse(data));
      if (parsed.type !== "sms") throw new Error(parsed.type);
      const { kind, status, destinationNumber, attempt, occurredAt, messageType } = parsed.event;
      return { kind, status, destinationNumber, attempt, occurredAt, messageType };
    });
    expect(told.slice(3)).toEqual(told.slice(0, 3));
    expect(told.map(({ kind }) => kind).slice(0, 3)).toEqual(["in-progress", "in-progress", kind]);
  },
);

describe("a number that opts out", () => {
  const optOut: CarrierPlan = {
    outcome: "OPTOUT",
    events: [{ kind: "opt-out", status: "OPTOUT", afterSeconds: 0, copiesAfterSeconds: [0] }],
  };
  const refused = { name: "ConflictException", Reason: "DESTINATION_PHONE_NUMBER_OPTED_OUT" };

  it("is said by an event to Pinpoint, and refused by both APIs from then on", async () => {
    await start(optOut);
    await putEventStream();
    await send();
    await eventually(() => published[0]);

    expect((await send()).MessageResponse?.Result?.["+15550000001"]?.DeliveryStatus).toBe("OPT_OUT");
    await expect(sendText()).rejects.toMatchObject(refused);
    expect(service.ledger.sends).toHaveLength(1);
  });

  it("is said to End User Messaging by a refusal alone, since there is no such event", async () => {
    await start(optOut);

    await expect(sendText()).rejects.toMatchObject(refused);
    expect(service.ledger.sends).toEqual([]);
  });
});

test.each([
  [5, ["TEXT_PENDING 0.05", "TEXT_TTL_EXPIRED 5", "TEXT_TTL_EXPIRED 7"]],
  [60, ["TEXT_PENDING 0.05", "TEXT_DELIVERED 60", "TEXT_DELIVERED 62"]],
])("a time to live of %i s ends what is not over after it, copies and all", (TimeToLive, expected) => {
  const timers: { after: number; fire: () => void }[] = [];
  const emitted: string[] = [];
  let now = 0;
  const direct = new SmsService({
    applicationId,
    accountId: "000000000000",
    carrier: {
      plan: () => ({
        outcome: "DELIVERED",
        events: [
          { kind: "buffered", status: "PENDING", afterSeconds: 0.05, copiesAfterSeconds: [0.05] },
          { kind: "success", status: "DELIVERED", afterSeconds: 60, copiesAfterSeconds: [60, 62] },
        ],
      }),
    },
    clock: { now: () => now, after: (after, fire) => timers.push({ after, fire }) },
    id: () => "sms-1",
    emit: ({ data }) => emitted.push(`${JSON.parse(data).eventType} ${now}`),
  });
  const request = readSendTextMessage({
    DestinationPhoneNumber: "+15550000001",
    MessageBody: "Hello",
    ConfigurationSetName: "receipts",
    TimeToLive,
  });

  direct.send([request], { requestId: "r", departedAt: 0 });
  for (const { after, fire } of timers) {
    now = after;
    fire();
  }

  expect(emitted).toEqual(expected);
  expect(direct.ledger.sends).toMatchObject([{ outcome: TimeToLive === 5 ? "TTL_EXPIRED" : "DELIVERED" }]);
});

it("lets events out by the clock that it was given, with the time at which they happened", () => {
  const timers: { at: number; fire: () => void }[] = [];
  const emitted: { at: number; event: object }[] = [];
  let now = 1_700_000_000;
  const direct = new SmsService({
    applicationId,
    accountId: "000000000000",
    carrier: {
      plan: () => ({
        outcome: "UNREACHABLE",
        events: [
          {
            kind: "failure",
            status: "UNREACHABLE",
            afterSeconds: 5,
            copiesAfterSeconds: [65, 3_600],
            clockErrorSeconds: -300,
            isUntagged: true,
          },
        ],
      }),
    },
    clock: { now: () => now, after: (seconds, fire) => timers.push({ at: now + seconds, fire }) },
    id: () => "sms-1",
    emit: ({ data }) => emitted.push({ at: now, event: JSON.parse(data) }),
  });
  const [request] = readSendMessages({
    Addresses: { "+15550000001": { ChannelType: "SMS" } },
    Context: { application_message_id: "m-1", retry_attempt: "2" },
    MessageConfiguration: { SMSMessage: { Body: "Hello" } },
  });

  const replies = direct.send(request === undefined ? [] : [request], { requestId: "r", departedAt: 0 });
  for (const { at, fire } of timers) {
    now = at;
    fire();
  }

  const event = {
    event_timestamp: (1_700_000_000 + 5 - 300) * 1_000,
    arrival_timestamp: (1_700_000_000 + 65) * 1_000,
    attributes: { message_id: "sms-1", customer_context: '{"application_message_id":"m-1"}' },
  };
  expect(replies).toEqual([{ destination: "+15550000001", messageId: "sms-1" }]);
  expect(emitted).toMatchObject([
    { at: 1_700_000_065, event },
    { at: 1_700_003_600, event },
  ]);
});

it.each([
  ["success", successNumbers.GB, "DELIVERED"],
  ["failure", failureNumbers.GB, "BLOCKED"],
])("AWS's simulator %s number ends as its name says", async (_kind, number, outcome) => {
  await start(carrierOfNumbers);

  await send({ Addresses: { [number]: { ChannelType: "SMS" } } });

  expect(service.ledger.sends).toMatchObject([{ outcome }]);
});
