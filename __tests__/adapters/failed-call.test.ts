/** How both senders read the answers of their services, over the wire and with the clients of the functions. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { resultOfFailedCall } from "../../functions/adapters/senders/failed-call.ts";
import { type SmsService, smsServices } from "../../functions/contract/environment.ts";
import type { SendResult } from "../../functions/core/sending/sms-sender.ts";
import { senderOn, sendRequest } from "../support/sending-clients.ts";

interface Answer {
  readonly status: number;
  readonly body: string;
}

let answer: Answer = { status: 200, body: "" };
let requests = 0;
const server = createServer((request, response) => {
  requests += 1;
  request.resume().on("end", () => {
    response.writeHead(answer.status, { "content-type": "application/json" });
    response.end(answer.body);
  });
});
const environment = { ...process.env };
beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
afterAll(() => {
  process.env = { ...environment };
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
});

/** Sends once and has it answered so. */
async function sendAnswered(service: SmsService, given: Answer): Promise<SendResult> {
  answer = given;
  requests = 0;
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const result = await senderOn(service, endpoint).send(sendRequest);
  expect(requests).toBe(1);
  return result;
}

const error = (status: number, name: string, message = "text"): Answer => ({
  status,
  body: JSON.stringify({ __type: name, message }),
});
const page = "<html>no</html>";

describe.each(smsServices)("%s", (service) => {
  test.each([
    ...[
      "ThrottlingException",
      "Throttling",
      "ThrottledException",
      "TooManyRequestsException",
      "RequestLimitExceeded",
      "RequestThrottled",
      "RequestThrottledException",
      "BandwidthLimitExceeded",
      "PriorRequestNotComplete",
    ].map((name) => [400, name, error(400, name)] as const),
    [400, "a name with its namespace", error(400, "com.amazonaws.sms#ThrottlingException")] as const,
    [429, "TooManyRequestsException", error(429, "TooManyRequestsException")] as const,
    [429, "a new name", error(429, "QuiteNewException")] as const,
    [429, "a page", { status: 429, body: page }] as const,
    [503, "SlowDown", error(503, "SlowDown")] as const,
    [500, "ThrottlingException", error(500, "ThrottlingException")] as const,
  ])("throttled, and not sent: %i %s", async (_status, _name, given) => {
    expect(await sendAnswered(service, given)).toEqual({ kind: "deferred", reason: "throttled" });
  });

  test.each([
    [400, "RequestTimeTooSkewed"],
    [400, "RequestExpired"],
    [400, "RequestInTheFuture"],
    [403, "SignatureDoesNotMatch"],
    [403, "InvalidSignatureException"],
    [400, "InvalidSignatureException"],
    [400, "ExpiredTokenException"],
    [403, "ExpiredToken"],
    [400, "UnrecognizedClientException"],
    [403, "InvalidClientTokenId"],
    [400, "IncompleteSignature"],
    [400, "MissingAuthenticationTokenException"],
  ])("the sender is not recognised, and nothing was sent: %i %s", async (status, name) => {
    const result = await sendAnswered(service, error(status, name, "Signature expired: is now earlier"));

    expect(result).toEqual({ kind: "deferred", reason: `not-allowed:${name}` });
  });

  test.each([
    ["408", { status: 408, body: "" }],
    ["408 with a page", { status: 408, body: page }],
    ["408 RequestTimeoutException", error(408, "RequestTimeoutException")],
    ["400 RequestTimeout", error(400, "RequestTimeout")],
    ["503 ServiceUnavailable", error(503, "ServiceUnavailable")],
    ["503 ServiceUnavailableException", error(503, "ServiceUnavailableException")],
  ])("not taken now, and not sent: %s", async (_name, given) => {
    expect(await sendAnswered(service, given)).toEqual({ kind: "deferred", reason: "temporary-failure" });
  });

  test.each([
    ["400 with a new name", error(400, "QuiteNewException"), "not-allowed:QuiteNewException"],
    ["400 without a name", { status: 400, body: "" }, "not-allowed:http-400"],
    ["403 with a page", { status: 403, body: page }, "not-allowed:http-403"],
    ["407 of a proxy", { status: 407, body: "" }, "not-allowed:http-407"],
    ["404 for a name that is a sentence", error(404, "no number +447700900123"), "not-allowed:http-404"],
  ])("refused, and nothing says that it is the message: %s", async (_name, given, reason) => {
    expect(await sendAnswered(service, given)).toEqual({ kind: "deferred", reason });
  });

  test.each([
    ["500 InternalServerException", error(500, "InternalServerException"), "InternalServerException"],
    ["500 with a sentence for a name", error(500, "lost +447700900123"), "http-500"],
    ["500 RequestTimeout", error(500, "RequestTimeout"), "RequestTimeout"],
    ["502 with a page", { status: 502, body: page }, "http-502"],
    ["503 with a page", { status: 503, body: page }, "http-503"],
    ["503 without a name", { status: 503, body: "" }, "http-503"],
    ["504 GatewayTimeout", error(504, "GatewayTimeout"), "GatewayTimeout"],
    ["500 ServiceUnavailable", error(500, "ServiceUnavailable"), "ServiceUnavailable"],
    ["200 with a page", { status: 200, body: page }, "http-200"],
    ["302", { status: 302, body: "" }, "http-302"],
  ])("fault 18: perhaps sent: %s", async (_name, given, reason) => {
    expect(await sendAnswered(service, given)).toEqual({ kind: "unconfirmed", reason });
  });

  test.each([
    ["no body", ""],
    ["an object of nothing", "{}"],
  ])("fault 18: HTTP 200 with %s may have been a send", async (_name, body) => {
    expect((await sendAnswered(service, { status: 200, body })).kind).toBe("unconfirmed");
  });
});

test("fault 18: HTTP 200 of End User Messaging without a message id may have been a send", async () => {
  expect(await sendAnswered("end-user-messaging", { status: 200, body: "{}" })).toEqual({
    kind: "unconfirmed",
    reason: "no-message-id",
  });
});

test.each([
  ["no result at all", {}],
  [
    "a result for another number only",
    { "+447700900666": { DeliveryStatus: "SUCCESSFUL", StatusCode: 200 } },
  ],
])("fault 18: HTTP 200 of Pinpoint with %s may have been a send", async (_name, Result) => {
  const body = JSON.stringify({ ApplicationId: "project", RequestId: "r", Result });

  expect(await sendAnswered("pinpoint", { status: 200, body })).toEqual({
    kind: "unconfirmed",
    reason: "unknown-failure",
  });
});

describe("an error without an answer, of a client that does not watch its connections", () => {
  const resultOf = (thrown: unknown) => resultOfFailedCall(thrown, () => undefined);
  const coded = (code: string, name = "Error") => Object.assign(new Error("text"), { name, code });

  test.each(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN"])("%s: nobody was reached", (code) => {
    expect(resultOf(coded(code))).toEqual({ kind: "deferred", reason: "unreachable" });
  });

  test.each(["ECONNRESET", "EPIPE", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH"])(
    "%s also comes from a connection in use: unconfirmed",
    (code) => {
      expect(resultOf(coded(code, "TimeoutError"))).toEqual({ kind: "unconfirmed", reason: "TimeoutError" });
    },
  );

  test.each([
    ["a text", "lost", "no-answer"],
    ["nothing", undefined, "no-answer"],
    ["an error whose name is a sentence", Object.assign(new Error(""), { name: "to +44" }), "no-answer"],
  ])("%s is unconfirmed, and not quoted", (_name, thrown, reason) => {
    expect(resultOf(thrown)).toEqual({ kind: "unconfirmed", reason });
  });

  test("the trait of throttling counts, whatever the name", () => {
    const hinted = Object.assign(new Error(""), { name: "QuiteNew", $retryable: { throttling: true } });
    const retryable = Object.assign(new Error(""), { name: "QuiteNew", $retryable: {} });

    expect(resultOf(hinted)).toEqual({ kind: "deferred", reason: "throttled" });
    expect(resultOf(retryable)).toEqual({ kind: "unconfirmed", reason: "QuiteNew" });
  });
});
