/**
 * Fault 57: no message body and no phone number in anything that a function writes. A day in the life of the
 * system, with all that goes wrong, at the most talkative log level; then everything written is searched.
 */
import { type Deployment, kinesisRecord, sqsRecord, startDeployment } from "../support/deployment.ts";
import type { TableAnswer } from "../support/dynamodb-proxy.ts";
import { eventually } from "../support/eventually.ts";
import { failureRecord, recentlySent } from "../support/recent-messages.ts";

/** What must not be found: the parts of numbers and bodies that stand in no other text. */
const secrets = {
  "destination number": "7700900123",
  "another destination number": "7700900124",
  "forged number": "7700900666",
  "origination number": "7700900999",
  "default number": "4254147755",
  "one-time password": "493817",
  "body, its first words": "Your code is",
  "body with line breaks and emoji": "Parcel für",
  "default body": "A trial of the deployment",
} as const;

/** The names of the secrets in a text, plain or in base64. */
function secretsIn(text: string): string[] {
  const decoded = (text.match(/[A-Za-z0-9+/]{40,}={0,2}/g) ?? []).map((part) =>
    Buffer.from(part, "base64").toString("latin1"),
  );
  return Object.entries(secrets).flatMap(([name, secret]) =>
    [text, ...decoded].some((each) => each.includes(secret)) ? [name] : [],
  );
}

/** An answer of the table that the SDK does not ask for again. */
function refused(message: string): TableAnswer {
  return { status: 400, body: { __type: "com.amazon.coral.validate#ValidationException", message } };
}

const body = "Your code is 493817. It is valid for 10 minutes.";
const otherBody = "Parcel für\nAda 📦 493817";

function produceEvent(id: string, changes: object = {}): object {
  return {
    application_message_id: id,
    destination_number: "+447700900123",
    message_body: body,
    origination_number: "+447700900999",
    ...changes,
  };
}

/** What the service and its answers come to; each answer also says the number, as a real one may. */
async function produceAll({ invoke, tryInvoke, gates, pinpoint, proxy }: Deployment): Promise<void> {
  await invoke("produce", produceEvent("produced", { message_body: otherBody }));
  await invoke("produce", {});
  for (const deliveryStatus of ["THROTTLED", "OPT_OUT", "PERMANENT_FAILURE", "UNKNOWN_FAILURE"] as const) {
    pinpoint.answer = () => deliveryStatus;
    await tryInvoke("produce", produceEvent(`produced-${deliveryStatus}`));
  }
  for (const status of [400, 403, 429, 500]) {
    // Every answer is to be seen, so no breaker may hold the next call back.
    await gates.clear();
    pinpoint.answer = () => ({ status, name: "SomeException" });
    await tryInvoke("produce", produceEvent(`produced-${status}`));
  }
  await gates.clear();
  pinpoint.reset();
  await tryInvoke("produce", {
    message_type: body,
    destination_number: "447700900124",
    message_body: [body],
  });
  await tryInvoke("produce", `${body} +447700900123`);
  await invoke(
    "produce",
    produceEvent("produced-context", { context: { [body]: otherBody }, keyword: "493817" }),
  );
  await tryInvoke(
    "produce",
    produceEvent("x", { [body]: body, "+447700900123": 1, context: { [body]: 493817 } }),
  );
  await tryInvoke("produce", produceEvent("x", { message_body: body.repeat(50), deadline: "493817" }));
  proxy.intercept = () => refused("One or more parameter values were invalid.");
  await tryInvoke("produce", produceEvent("produced-without-table"));
  proxy.reset();
}

async function consumeAll({ consume, table, proxy }: Deployment): Promise<void> {
  const ids = ["a", "b", "c", "d", "e", "f", "g", "h"].map((letter) => `consumed-${letter}`);
  await Promise.all(ids.map((id) => table.put(recentlySent(id, { message_body: body }))));
  await table.put(recentlySent("unreadable", { retry_count: "+447700900123", message_body: body }));
  await table.put(recentlySent("expired", { deadline: 1, message_body: body }));
  const records = [
    ...ids.map((id) => failureRecord(id)),
    failureRecord("unreadable"),
    failureRecord("expired"),
    failureRecord("orphan", 0, { customer_context: null, message_id: null }),
    failureRecord("no-item"),
    failureRecord("no-item", 0, {
      customer_context: JSON.stringify({ application_message_id: "no-item", [body]: otherBody }),
    }),
    failureRecord(ids[0] ?? "", 0, { record_status: "Failed to send to +447700900123: Your code is 493817" }),
    failureRecord(ids[1] ?? "", 0, { destination_phone_number: "+447700900666", message_body: body }),
    { ...failureRecord(ids[2] ?? ""), event_type: "_SMS.SUCCESS" },
    { ...failureRecord(ids[3] ?? ""), event_type: "_SMS.OPTOUT" },
    { ...failureRecord(ids[4] ?? ""), event_type: "_SMS.+447700900123" },
    failureRecord(ids[5] ?? "", 0, { record_status: "BLOCKED" }),
    { event: "no event", to: "+447700900123", body },
  ].map(kinesisRecord);
  records.push(
    kinesisRecord(`${body} to +447700900123`),
    kinesisRecord(Buffer.from([0xff, 0x2b, 0x34, 0x34])),
  );
  await consume(records);
  proxy.intercept = () => refused("The number +447700900123 is not valid.");
  await consume(records.slice(6, 8));
  proxy.reset();
}

async function resendAll({ table, gates, pinpoint, proxy, drain, invoke }: Deployment): Promise<void> {
  await drain();
  const now = Math.floor(Date.now() / 1000);
  const due = (id: string, changes: object = {}) =>
    table.put(
      recentlySent(id, {
        status: "RETRY_SCHEDULED",
        next_attempt_at: now - 1,
        message_body: body,
        ...changes,
      }),
    );
  const handle = (...ids: string[]) =>
    invoke("resend", {
      Records: ids.map((id) =>
        sqsRecord(id, JSON.stringify({ kind: "retry-message", application_message_id: id, attempt: 1 })),
      ),
    });
  for (const deliveryStatus of ["THROTTLED", "OPT_OUT", "DUPLICATE", "UNKNOWN_FAILURE"] as const) {
    await due(deliveryStatus);
    pinpoint.answer = () => deliveryStatus;
    await handle(deliveryStatus);
  }
  for (const status of [400, 403, 429, 500]) {
    await due(`http-${status}`);
    // Every answer is to be seen, so no breaker may hold the next call back.
    await gates.clear();
    pinpoint.answer = () => ({ status, name: "SomeException" });
    await handle(`http-${status}`);
  }
  await gates.clear();
  pinpoint.reset();
  await due("no-number", { destination_number: null });
  await due("other-body", { message_body: otherBody, destination_number: "+447700900124" });
  await due("lease-over", {
    status: "SENDING",
    retry_count: 1,
    claim_expires_at: now - 1,
    attempts: { "1": {} },
  });
  await due("past-deadline", { deadline: now - 1 });
  await handle("no-number", "other-body", "lease-over", "past-deadline", "not-there");
  await invoke("resend", {
    Records: [
      sqsRecord("none-of-ours", JSON.stringify({ to: "+447700900123", body })),
      sqsRecord("no-json", `${body} +447700900123`),
    ],
  });
  proxy.intercept = () => refused("The body is not valid: Your code is 493817.");
  await handle("other-body");
  proxy.reset();
}

test("the search finds a secret, plain, escaped and in base64", () => {
  expect(secretsIn('{"to":"+447700900123"}')).toEqual(["destination number"]);
  expect(secretsIn(Buffer.from(`the text is: ${body}`).toString("base64"))).toEqual([
    "one-time password",
    "body, its first words",
  ]);
  expect(secretsIn(JSON.stringify({ body: otherBody }))).toEqual([
    "one-time password",
    "body with line breaks and emoji",
  ]);
});

describe("fault 57: a body or a phone number in what the functions write", () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await startDeployment({
      environment: {
        produce: {
          DEFAULT_DESTINATION_NUMBER: "+14254147755",
          DEFAULT_MESSAGE_BODY: "A trial of the deployment",
        },
        resend: { ORIGINATION_NUMBER: "+447700900999" },
      },
    });
    await Promise.all(
      ["consume-kinesis", "resend"].map((name) => deployment.invoke(name as "resend", { Records: [] })),
    );
    await produceAll(deployment);
    await consumeAll(deployment);
    await resendAll(deployment);
  }, 120_000);
  afterAll(() => deployment?.stop());

  test("the day had all that a log tells of: every level, errors of invocations, metrics", async () => {
    await eventually(() => {
      const written = deployment.output.join("\n");
      for (const expected of [
        "A message was produced.",
        "InvalidRequestError",
        "SendDeferredError",
        "ValidationException",
        "A delivery event changed a message.",
        "A malformed record was quarantined; look at what writes it to the stream.",
        "An event has a status or a type that this version does not know, so it is not retried; look for a newer version.",
        "An event has no item in the table and was counted as an orphan; look when and where its item is written.",
        "An event could not be handled now, so its record comes again; if that goes on, remove the cause.",
        "A retry message was handled.",
        "The outcome of a send was lost; the delivery guarantee decides what follows.",
        "A retry-queue message cannot be read; look at it in the dead-letter queue, where the queue moves it.",
        "A retry-queue message could not be handled now, so it comes again; if that goes on, remove the cause.",
        "CloudWatchMetrics",
      ]) {
        expect(written).toContain(expected);
      }
    });
    expect(deployment.pinpoint.requests.length).toBeGreaterThan(0);
  });

  test("none of it holds a body or a phone number", () => {
    const leaks = deployment.output.flatMap((line) => secretsIn(line).map((secret) => ({ secret, line })));

    expect(leaks).toEqual([]);
  });

  test("the names of kept records hold none either", async () => {
    const keys = [...(await deployment.kept()).keys()];

    expect(keys.length).toBeGreaterThan(0);
    expect(keys.flatMap(secretsIn)).toEqual([]);
  });
});

test("fault 57: a cold start with wrong settings names them and quotes none", async () => {
  const deployment = await startDeployment({
    environment: {
      produce: {
        MESSAGE_VALIDITY_SECONDS: "call +447700900123",
        DELIVERY_GUARANTEE: body,
        DEFAULT_MESSAGE_BODY: otherBody,
        PINPOINT_APPLICATION_ID: "",
      },
    },
  });
  try {
    const result = await deployment.tryInvoke("produce", produceEvent("cold"));

    expect(result).toMatchObject({
      ok: false,
      error: {
        errorType: "InvalidSettingsError",
        errorMessage:
          "The function cannot start because of 3 wrong setting(s); correct the Terraform inputs and deploy again: " +
          "MESSAGE_VALIDITY_SECONDS must be a whole number of seconds, 1 or more. " +
          "DELIVERY_GUARANTEE must be at-least-once or at-most-once. " +
          "PINPOINT_APPLICATION_ID is empty.",
      },
    });
    expect(deployment.output.flatMap(secretsIn)).toEqual([]);
    expect(deployment.pinpoint.requests).toEqual([]);
  } finally {
    await deployment.stop();
  }
});
