import { execFile } from "node:child_process";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { PinpointClient } from "@aws-sdk/client-pinpoint";
import type { NodeHttpHandler } from "@smithy/node-http-handler";
import { pinpointClient } from "../../functions/adapters/aws-clients.ts";
import { pinpointSender } from "../../functions/adapters/senders/pinpoint-sender.ts";
import { sendContext } from "../../functions/core/events/send-context.ts";
import type { SendRequest, SendResult } from "../../functions/core/sending/sms-sender.ts";
import { emulatorAccess } from "../support/message-table.ts";
import {
  type ScriptedSmsService,
  smsMessageOf,
  startScriptedSmsService,
  unlistedStatus,
} from "../support/sms-service.ts";
import { awkwardBodies } from "./message-store.contract.ts";

const applicationId = "0123456789abcdef0123456789abcdef";

let service: ScriptedSmsService;
const environment = { ...process.env };
beforeAll(async () => {
  service = await startScriptedSmsService(applicationId);
});
afterAll(() => service.close());
beforeEach(() => {
  service.reset();
  Object.assign(process.env, {
    AWS_REGION: emulatorAccess.region,
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_ENDPOINT_URL_PINPOINT: service.endpoint,
  });
});
afterEach(() => {
  process.env = { ...environment };
});

function request(changes: Partial<SendRequest> = {}): SendRequest {
  return {
    destinationNumber: "+447700900123",
    body: "Your code is 493817.",
    messageType: "TRANSACTIONAL",
    context: sendContext("order-4711", 2),
    ...changes,
  };
}

/** Sends with the very client that the functions use. */
async function send(changes: Partial<SendRequest> = {}): Promise<SendResult> {
  return pinpointSender(await pinpointClient(), applicationId).send(request(changes));
}

/**
 * Sends from a process of its own: inside jest the SDK takes Node's errors for no errors, because their class
 * is of another realm, and drops their codes.
 */
async function sendOutsideJest(endpoint: string): Promise<unknown> {
  const script = join(__dirname, "../support/send-once.ts");
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", script, applicationId, JSON.stringify(request())],
    { env: { ...process.env, AWS_ENDPOINT_URL_PINPOINT: endpoint } },
  );
  return JSON.parse(stdout);
}

/** A port of loopback where nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe("what goes over the wire", () => {
  test("one recipient, project, type and body, and the context that ties events to the attempt", async () => {
    await send();

    expect(service.requests.map(({ input }) => input)).toEqual([
      {
        Addresses: { "+447700900123": { ChannelType: "SMS" } },
        Context: { application_message_id: "order-4711", retry_attempt: "2" },
        MessageConfiguration: { SMSMessage: { Body: "Your code is 493817.", MessageType: "TRANSACTIONAL" } },
      },
    ]);
  });

  test.each([
    [{ originationNumber: "+447700900999" }, { OriginationNumber: "+447700900999" }],
    [{ senderId: "SHOP" }, { SenderId: "SHOP" }],
    [{ messageType: "PROMOTIONAL" as const }, { MessageType: "PROMOTIONAL" }],
    [{ keyword: "SHOP CODES" }, { Keyword: "SHOP CODES" }],
    [
      { entityId: "1101234567890123456", templateId: "1107123456789012345" },
      { EntityId: "1101234567890123456", TemplateId: "1107123456789012345" },
    ],
    // What only End User Messaging has is nothing that this API would take.
    [
      {
        configurationSetName: "receipts",
        maxPrice: "0.05",
        protectConfigurationId: "protect-1",
        destinationCountryParameters: { IN_ENTITY_ID: "1101234567890123456" },
      },
      {},
    ],
  ])("%j becomes %j", async (asked, sms) => {
    await send(asked);

    expect(service.requests.map(smsMessageOf)[0]).toEqual({
      Body: "Your code is 493817.",
      MessageType: "TRANSACTIONAL",
      ...sms,
    });
  });

  test("the application's own context goes with our two entries, however many it has", async () => {
    const own = Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`key ${n}`, ` value ${n} `]));
    await send({ context: sendContext("order-4711", 2, own) });

    expect(service.requests[0]?.context).toEqual({
      ...own,
      application_message_id: "order-4711",
      retry_attempt: "2",
    });
  });

  test.each(Object.entries(awkwardBodies))(
    "fault 47: a body with %s arrives byte for byte",
    async (_name, body) => {
      await send({ body });

      expect(Buffer.from(service.requests[0]?.body ?? "missing").equals(Buffer.from(body))).toBe(true);
    },
  );
});

describe("faults 19 and 20: HTTP 200 says nothing, the answer for the address does", () => {
  test.each<[string, SendResult]>([
    ["THROTTLED", { kind: "deferred", reason: "throttled" }],
    ["TEMPORARY_FAILURE", { kind: "deferred", reason: "temporary-failure" }],
    ["OPT_OUT", { kind: "refused", reason: "OPT_OUT", optedOut: true }],
    ["PERMANENT_FAILURE", { kind: "refused", reason: "PERMANENT_FAILURE", optedOut: false }],
    ["DUPLICATE", { kind: "refused", reason: "DUPLICATE", optedOut: false }],
    ["UNKNOWN_FAILURE", { kind: "unconfirmed", reason: "unknown-failure" }],
    ["TIMEOUT", { kind: "unconfirmed", reason: "unknown-failure" }],
    ["SOMETHING_NEW", { kind: "unconfirmed", reason: "unknown-failure" }],
  ])("%s → %j", async (deliveryStatus, result) => {
    service.answer = () => unlistedStatus(deliveryStatus);

    expect(await send()).toEqual(result);
    expect(service.requests).toHaveLength(1);
  });

  test("SUCCESSFUL is accepted, under the id that the service gave it", async () => {
    const result = await send();

    expect(result).toEqual({ kind: "accepted", messageId: service.ledger.sends.at(-1)?.messageId });
    expect(service.requests).toHaveLength(1);
  });
});

describe("HTTP errors: final only where it lies in the message", () => {
  test.each<[number, string, SendResult]>([
    [400, "BadRequestException", { kind: "refused", reason: "BadRequestException", optedOut: false }],
    [
      413,
      "PayloadTooLargeException",
      { kind: "refused", reason: "PayloadTooLargeException", optedOut: false },
    ],
    [403, "ForbiddenException", { kind: "deferred", reason: "not-allowed:ForbiddenException" }],
    [404, "NotFoundException", { kind: "deferred", reason: "not-allowed:NotFoundException" }],
    [405, "MethodNotAllowedException", { kind: "deferred", reason: "not-allowed:MethodNotAllowedException" }],
    [400, "SomethingNewException", { kind: "deferred", reason: "not-allowed:SomethingNewException" }],
    [500, "InternalServerErrorException", { kind: "unconfirmed", reason: "InternalServerErrorException" }],
  ])("%i %s → %j, after one request", async (httpStatus, error, result) => {
    service.answer = () => ({ status: httpStatus, name: error });

    expect(await send()).toEqual(result);
    expect(service.requests).toHaveLength(1);
  });
});

test("fault 18: by default a send waits one second to connect and five for its answer", async () => {
  const client = await pinpointClient();
  await pinpointSender(client, applicationId).send(request());

  expect((client.config.requestHandler as NodeHttpHandler).httpHandlerConfigs()).toMatchObject({
    connectionTimeout: 1_000,
    requestTimeout: 5_000,
    socketTimeout: 5_000,
    throwOnRequestTimeout: true,
  });
});

describe("fault 59: outside of jest the errors of Node's own sockets are read alike", () => {
  test.each([
    ["connection refused", async () => `http://127.0.0.1:${await closedPort()}`],
    ["a host name that does not exist", async () => "http://pinpoint.invalid"],
  ])("%s", async (_name, endpoint) => {
    expect(await sendOutsideJest(await endpoint())).toEqual({ kind: "deferred", reason: "unreachable" });
  });
});

test("a client that does not watch its connections: no credentials is not sent either", async () => {
  const client = new PinpointClient({
    region: emulatorAccess.region,
    endpoint: service.endpoint,
    credentials: async () => {
      throw Object.assign(new Error("none"), { name: "CredentialsProviderError" });
    },
  });

  expect(await pinpointSender(client, applicationId).send(request())).toEqual({
    kind: "deferred",
    reason: "not-allowed:CredentialsProviderError",
  });
  expect(service.requests).toEqual([]);
});
