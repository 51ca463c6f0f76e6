/** The SMS service simulator, through the real SDK client of Pinpoint. */
import {
  DeleteEventStreamCommand,
  GetEventStreamCommand,
  type MessageRequest,
  PinpointClient,
  PutEventStreamCommand,
  SendMessagesCommand,
} from "@aws-sdk/client-pinpoint";
import { localCredentials, region } from "../../local/aws-clients.ts";
import { type CarrierPlan, scriptedCarrier } from "../../local/sms-simulator/carrier.ts";
import type { ApiAnswer } from "../../local/sms-simulator/scenario.ts";
import { parseScenario } from "../../local/sms-simulator/scenario.ts";
import { type SmsSimulator, startSmsSimulator } from "../../local/sms-simulator/simulator.ts";
import { failureNumbers, successNumbers } from "../../local/sms-simulator/simulator-numbers.ts";

const applicationId = "0123456789abcdef0123456789abcdef";
const streamArn = "arn:aws:kinesis:eu-west-1:000000000000:stream/events";
const roleArn = "arn:aws:iam::000000000000:role/event-stream";

let simulator: SmsSimulator;
let client: PinpointClient;
let published: { stream: string; partitionKey: string; data: string }[];

/** Starts a simulator whose service does the same with every call. */
async function start(plan: CarrierPlan | typeof carrierOfNumbers): Promise<void> {
  published = [];
  let ids = 0;
  simulator = await startSmsSimulator({
    applicationId,
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
    endpoint: simulator.endpoint,
    maxAttempts: 1,
    requestHandler: { requestTimeout: 300, throwOnRequestTimeout: true },
  });
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
  await simulator.close();
});

const delivered: CarrierPlan = {
  outcome: "DELIVERED",
  events: [{ kind: "success", status: "DELIVERED", copiesAfterSeconds: [0] }],
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
      StatusMessage: "The message was not sent.",
    });
    expect(simulator.ledger.sends).toEqual([]);
    expect(simulator.ledger.calls).toMatchObject([{ answer, applicationMessageId: "m-1", attempt: 2 }]);
  });

  it.each([
    ["HTTP_429", "TooManyRequestsException", 429],
    ["HTTP_500", "InternalServerErrorException", 500],
  ] as const)("answers %s as an exception of the SDK, and sends nothing", async (answer, name, code) => {
    await start({ answer, events: [] });

    await expect(send()).rejects.toMatchObject({ name, $metadata: { httpStatusCode: code } });
    expect(simulator.ledger.sends).toEqual([]);
  });

  it("takes the message and never answers when it hangs", async () => {
    await start({ ...delivered, answer: "HANG" });

    await expect(send()).rejects.toMatchObject({ name: "TimeoutError" });
    expect(simulator.ledger.sends).toHaveLength(1);
  });

  it("refuses a request without a message configuration, an unknown project and more than 100 recipients", async () => {
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

    const response = await fetch(`${simulator.endpoint}/v1/apps/${applicationId}/messages`);

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

  it("gets both copies of a doubled event with the same bytes, and no lost one; the ledger knows", async () => {
    await start({
      outcome: "UNREACHABLE",
      events: [
        { kind: "buffered", status: "PENDING", copiesAfterSeconds: [] },
        { kind: "failure", status: "UNREACHABLE", copiesAfterSeconds: [0, 0.01] },
      ],
    });
    await putEventStream();

    await send();
    await eventually(() => published[1]);

    expect(published[0]?.data).toBe(published[1]?.data);
    expect(simulator.pendingEvents).toBe(0);
    expect(simulator.ledger.eventCounts()).toEqual({ emitted: 2, duplicated: 1, lost: 1 });
    expect(simulator.ledger.sends[0]?.events).toEqual([
      { id: "id-3:buffered", kind: "buffered", status: "PENDING", copies: 0, published: 0 },
      { id: "id-3:failure", kind: "failure", status: "UNREACHABLE", copies: 2, published: 2 },
    ]);
  });
});

it.each([
  ["success", successNumbers.GB, "DELIVERED"],
  ["failure", failureNumbers.GB, "BLOCKED"],
])("AWS's simulator %s number ends as its name says", async (_kind, number, outcome) => {
  await start(carrierOfNumbers);

  await send({ Addresses: { [number]: { ChannelType: "SMS" } } });

  expect(simulator.ledger.sends).toMatchObject([{ outcome }]);
});
