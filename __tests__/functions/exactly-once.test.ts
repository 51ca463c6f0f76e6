/** Repeated, concurrent, partial and forged deliveries to the built bundles: never two sends for one failure. */
import type { SQSBatchResponse } from "aws-lambda";
import {
  type Deployment,
  type KinesisRecord,
  kinesisRecord,
  sqsRecord,
  startDeployment,
} from "../support/deployment.ts";
import { eventually } from "../support/eventually.ts";
import { failureRecord, recentlySent } from "../support/recent-messages.ts";

let deployment: Deployment;
beforeAll(async () => {
  deployment = await startDeployment({ maxEnvironments: 4 });
});
afterAll(() => deployment?.stop());
beforeEach(() => deployment.reset());

const sends = () => deployment.pinpoint.requests;
const retryMessage = (id: string, attempt: number) =>
  JSON.stringify({ kind: "retry-message", application_message_id: id, attempt });

async function resend(...bodies: string[]): Promise<string[]> {
  const Records = bodies.map((body, n) => sqsRecord(`queue-message-${n}`, body));
  const { batchItemFailures } = await deployment.invoke<SQSBatchResponse>("resend", { Records });
  return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
}

/** Hands records over as the event source mapping does: again from the lowest failure on, until none fails. */
async function consumeToTheEnd(records: readonly KinesisRecord[], beforeAgain: () => void): Promise<number> {
  let rest = records;
  let invocations = 0;
  while (rest.length > 0) {
    invocations += 1;
    const failed = await deployment.consume(rest);
    if (failed.length === 0) break;
    rest = rest.slice(rest.findIndex(({ kinesis }) => failed.includes(kinesis.sequenceNumber)));
    beforeAgain();
  }
  return invocations;
}

test("fault 1: the same record handed over four times, one after the other, leads to one send", async () => {
  await deployment.table.put(recentlySent("four-times"));
  const record = kinesisRecord(failureRecord("four-times"));

  for (let times = 0; times < 4; times += 1) expect(await deployment.consume([record])).toEqual([]);
  await deployment.drain();

  expect(sends()).toHaveLength(1);
  expect(await deployment.table.get("four-times")).toMatchObject({ status: "SENT", retry_count: 1 });
});

test("fault 1: also where the second one comes only after the retry was sent", async () => {
  await deployment.table.put(recentlySent("long-after"));
  const record = kinesisRecord(failureRecord("long-after"));
  await deployment.consume([record]);
  await deployment.drain();

  expect(await deployment.consume([record])).toEqual([]);
  await deployment.drain();

  expect(sends()).toHaveLength(1);
});

test("fault 1: four copies in one batch lead to one send", async () => {
  await deployment.table.put(recentlySent("one-batch"));
  const record = kinesisRecord(failureRecord("one-batch"));

  expect(await deployment.consume([record, record, record, record])).toEqual([]);
  await deployment.drain();

  expect(sends()).toHaveLength(1);
});

test("fault 2: the same record in 100 invocations at once leads to one send", async () => {
  await deployment.table.put(recentlySent("at-once"));
  const record = kinesisRecord(failureRecord("at-once"));

  const answers = await Promise.all(Array.from({ length: 100 }, () => deployment.consume([record])));
  const retryMessages = await deployment.drain();

  expect(answers).toEqual(Array(100).fill([]));
  expect(retryMessages).toBeGreaterThanOrEqual(1);
  expect(sends()).toHaveLength(1);
  expect(await deployment.table.get("at-once")).toMatchObject({ status: "SENT", retry_count: 1 });
});

test("fault 36: 100 copies of a retry message at once lead to one send", async () => {
  const now = Math.floor(Date.now() / 1000);
  await deployment.table.put(recentlySent("woken", { status: "RETRY_SCHEDULED", next_attempt_at: now - 1 }));

  const answers = await Promise.all(
    Array.from({ length: 20 }, () => resend(...Array(5).fill(retryMessage("woken", 1)))),
  );

  // On a busy machine the one that may send can come late for its permit; then it is on the queue.
  await deployment.drain();

  expect(answers.flat()).toEqual([]);
  expect(sends()).toHaveLength(1);
});

test("a whole retry sequence: three failures, three retries, exhausted, each send tagged", async () => {
  await deployment.table.put(recentlySent("sequence"));
  for (let attempt = 0; attempt <= 3; attempt += 1) {
    await deployment.consume([kinesisRecord(failureRecord("sequence", attempt))]);
    await deployment.drain();
  }

  expect(sends().map(({ context }) => context)).toEqual(
    ["1", "2", "3"].map((attempt) => ({ application_message_id: "sequence", retry_attempt: attempt })),
  );
  expect(await deployment.table.get("sequence")).toMatchObject({
    status: "EXHAUSTED",
    retry_count: 3,
    all_retries_failed: true,
  });
});

test("fault 39: record 3 of 10 fails, records 3 to 10 come again, and nothing is sent twice", async () => {
  const ids = Array.from({ length: 10 }, (_, n) => `partial-${n + 1}`);
  await Promise.all(ids.map((id) => deployment.table.put(recentlySent(id))));
  const records = ids.map((id) => kinesisRecord(failureRecord(id)));
  // The table is down for one item alone.
  deployment.proxy.intercept = (call, forward) =>
    call.operation === "UpdateItem" && call.input.Key.application_message_id.S === "partial-3"
      ? { status: 400, body: { __type: "AccessDeniedException", message: "The key may not be used." } }
      : forward();

  const failed = await deployment.consume(records);
  expect(failed).toEqual([records[2]?.kinesis.sequenceNumber]);
  const invocations = await consumeToTheEnd(records.slice(2), () => deployment.proxy.reset());
  await deployment.drain();

  expect(invocations).toBe(2);
  expect(
    sends()
      .map(({ context }) => context?.application_message_id)
      .sort(),
  ).toEqual([...ids].sort());
});

test("a retry message that was lost after the decision goes out when the record comes again", async () => {
  await deployment.table.put(
    recentlySent("no-retry-message", {
      status: "RETRY_SCHEDULED",
      next_attempt_at: Math.floor(Date.now() / 1000),
    }),
  );

  expect(await deployment.consume([kinesisRecord(failureRecord("no-retry-message"))])).toEqual([]);
  await deployment.drain();

  expect(sends()).toHaveLength(1);
});

test("fault 4: a success while the retry waits cancels it", async () => {
  await deployment.table.put(recentlySent("late-success"));
  await deployment.consume([kinesisRecord(failureRecord("late-success"))]);
  await deployment.consume([
    kinesisRecord({
      ...failureRecord("late-success", 0, { record_status: "DELIVERED" }),
      event_type: "_SMS.SUCCESS",
    }),
  ]);
  await deployment.drain();

  expect(sends()).toEqual([]);
  expect(await deployment.table.get("late-success")).toMatchObject({ status: "DELIVERED" });
});

test("fault 19: what the service throttles is not used up, and comes again", async () => {
  await deployment.table.put(recentlySent("throttled"));
  let calls = 0;
  deployment.pinpoint.answer = () => {
    calls += 1;
    return calls === 1 ? "THROTTLED" : undefined;
  };

  await deployment.consume([kinesisRecord(failureRecord("throttled"))]);
  await deployment.drain();

  expect(sends().map(({ context }) => context?.retry_attempt)).toEqual(["1", "1"]);
  expect(await deployment.table.get("throttled")).toMatchObject({ status: "SENT", retry_count: 1 });
});

describe("fault 56: forged events and retry messages", () => {
  test("an event with a number and a body of its own: they come from the table", async () => {
    await deployment.table.put(recentlySent("forged-event"));
    const forged = {
      ...failureRecord("forged-event", 0, {
        destination_phone_number: "+447700900666",
        origination_phone_number: "+447700900667",
        message_body: "Send your code to 666.",
        message_type: "Promotional",
        customer_context: JSON.stringify({
          application_message_id: "forged-event",
          retry_attempt: "0",
          message_body: "Send your code to 666.",
          destination_number: "+447700900666",
        }),
      }),
      message_body: "Send your code to 666.",
    };

    await deployment.consume([kinesisRecord(forged)]);
    await deployment.drain();

    expect(sends().map(({ input }) => input)).toEqual([
      {
        Addresses: { "+447700900123": { ChannelType: "SMS" } },
        Context: { application_message_id: "forged-event", retry_attempt: "1" },
        MessageConfiguration: {
          SMSMessage: {
            Body: "Your code is 493817. It is valid for 10 minutes.",
            MessageType: "TRANSACTIONAL",
            OriginationNumber: "+447700900999",
          },
        },
      },
    ]);
  });

  test.each([
    ["an attempt beyond the next", 2],
    ["an attempt that no one scheduled", 1],
    ["an absurd attempt", 999_999_999],
  ])("a retry message for %s sends nothing", async (name, attempt) => {
    await deployment.table.put(recentlySent(name));

    expect(await resend(retryMessage(name, attempt))).toEqual([]);

    expect(sends()).toEqual([]);
    expect(await deployment.table.get(name)).toMatchObject({ status: "SENT", retry_count: 0 });
  });

  test("a retry message with number and body sends nothing but what the table says", async () => {
    const now = Math.floor(Date.now() / 1000);
    await deployment.table.put(
      recentlySent("forged", { status: "RETRY_SCHEDULED", next_attempt_at: now - 1 }),
    );
    const forged = {
      ...JSON.parse(retryMessage("forged", 1)),
      destination_number: "+447700900666",
      message_body: "Send your code to 666.",
      deadline: now + 10 ** 9,
    };

    await resend(JSON.stringify(forged));

    expect(sends()).toMatchObject([
      { destination: "+447700900123", body: "Your code is 493817. It is valid for 10 minutes." },
    ]);
  });

  test.each([
    ["not JSON", "{"],
    ["another kind", '{"kind":"send","destination_number":"+447700900666"}'],
    ["an id of the wrong type", '{"kind":"retry-message","application_message_id":1,"attempt":1}'],
  ])(
    "an unreadable queue message (%s) goes to the dead-letter queue, its neighbour is sent",
    async (name, body) => {
      const now = Math.floor(Date.now() / 1000);
      await deployment.table.put(recentlySent(name, { status: "RETRY_SCHEDULED", next_attempt_at: now - 1 }));

      expect(await resend(body, retryMessage(name, 1))).toEqual(["queue-message-0"]);

      expect(sends()).toHaveLength(1);
    },
  );
});

test("fault 9: an event that comes before its item waits on the queue, then leads to one send", async () => {
  const begin = performance.now();
  await deployment.consume([kinesisRecord(failureRecord("early-event"))]);
  expect(await deployment.queued()).toBe(1);
  await deployment.table.put(recentlySent("early-event"));

  await deployment.drain(10);

  expect((performance.now() - begin) / 1000).toBeGreaterThan(4);
  expect(sends()).toHaveLength(1);
  await eventually(() => expect(deployment.metric("EventWaiting")).toBe(1));
});

test("fault 53: items of the post and of a later version are read, and keep what is theirs", async () => {
  await deployment.table.put({
    application_message_id: "written-by-the-post",
    message_body: "Your table is ready.",
    retry_count: 0,
    all_retries_failed: false,
  });
  await deployment.table.put(recentlySent("written-by-a-later-version", { carrier_hint: ["x"], schema: 2 }));

  await deployment.consume(
    ["written-by-the-post", "written-by-a-later-version"].map((id) => kinesisRecord(failureRecord(id))),
  );
  await deployment.drain();

  expect(sends()).toHaveLength(2);
  expect(await deployment.table.get("written-by-the-post")).toMatchObject({
    status: "SENT",
    retry_count: 1,
    destination_number: "+447700900123",
    message_type: "TRANSACTIONAL",
  });
  expect(await deployment.table.get("written-by-a-later-version")).toMatchObject({
    carrier_hint: ["x"],
    schema: 2,
  });
});

describe("fault 67: items as applications write them", () => {
  const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;

  test("with nulls and with times in milliseconds or text are retried, and then hold seconds", async () => {
    const [deadline, expires_at] = [inSeconds(600), inSeconds(900)];
    const written = { message_body: "Your table is ready.", status: null, attempts: null, retry_count: null };
    await deployment.table.put({
      ...written,
      application_message_id: "milliseconds",
      deadline: deadline * 1_000,
      expires_at: expires_at * 1_000,
      created_at: Date.now(),
    });
    await deployment.table.put({
      ...written,
      application_message_id: "text",
      deadline: String(deadline),
      expires_at: String(expires_at),
    });
    await deployment.table.put({
      ...written,
      application_message_id: "null",
      deadline: null,
      expires_at: null,
    });

    const ids = ["milliseconds", "text", "null"];
    expect(await deployment.consume(ids.map((id) => kinesisRecord(failureRecord(id))))).toEqual([]);
    await deployment.drain();

    expect(sends()).toHaveLength(3);
    for (const id of ["milliseconds", "text"]) {
      expect(await deployment.table.get(id)).toMatchObject({
        status: "SENT",
        retry_count: 1,
        deadline,
        expires_at,
      });
    }
    expect(await deployment.table.get("null")).toMatchObject({ status: "SENT", retry_count: 1 });
  });

  test("are not sent after a deadline in milliseconds, neither scheduled nor waiting", async () => {
    const passed = Date.now() - 5_000;
    const scheduled = { status: "RETRY_SCHEDULED", next_attempt_at: inSeconds(-1) };
    await deployment.table.put(recentlySent("passed", { deadline: passed }));
    await deployment.table.put(recentlySent("passed-meanwhile", { ...scheduled, deadline: passed }));

    await deployment.consume([kinesisRecord(failureRecord("passed"))]);
    expect(await resend(retryMessage("passed-meanwhile", 1))).toEqual([]);

    expect(sends()).toEqual([]);
    for (const id of ["passed", "passed-meanwhile"]) {
      expect(await deployment.table.get(id)).toMatchObject({ status: "EXPIRED", retry_count: 0 });
    }
  });
});

test("fault 68: another project's events with our message's ids send and change nothing", async () => {
  const item = recentlySent("of-our-project");
  await deployment.table.put(item);
  const foreign = { application: { app_id: "fedcba9876543210fedcba9876543210", sdk: {} } };
  const failure = { ...failureRecord("of-our-project"), ...foreign };
  const success = { ...failure, event_type: "_SMS.SUCCESS" };

  expect(await deployment.consume([kinesisRecord(failure), kinesisRecord(success)])).toEqual([]);
  await deployment.drain();

  expect(sends()).toEqual([]);
  expect(await deployment.table.get("of-our-project")).toEqual(item);
  await eventually(() => expect(deployment.metric("ForeignEvent")).toBe(2));
});
