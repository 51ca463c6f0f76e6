/** `sms-retry redrive` as a user runs it, against an emulator of SQS. */
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { readQueueMessage } from "../../functions/core/queue/queue-messages.ts";
import { type Emulators, startEmulators } from "../../local/emulators/start-emulators.ts";
import { createMessageTable, emulatorAccess, type MessageTable } from "../support/message-table.ts";
import { failureEvent } from "../support/messages.ts";
import { scriptRunner, signedIn } from "../support/script-run.ts";

const run = scriptRunner("sms-retry.ts", "redrive");

describe("dead-letter queue messages", () => {
  let emulators: Emulators<"sqs">;
  let sqs: SQSClient;
  let front: Front;
  let count = 0;
  let names: { dead: string; source: string };
  let urls: { dead: string; source: string };

  beforeAll(async () => {
    emulators = await startEmulators(["sqs"]);
    front = await startFront(emulators.endpoints.sqs);
    sqs = new SQSClient({
      region: "us-east-1",
      endpoint: front.endpoint,
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    });
  });
  afterAll(async () => {
    sqs.destroy();
    await front.close();
    await emulators.stop();
  });

  beforeEach(async () => {
    count += 1;
    names = { dead: `dead-${count}`, source: `source-${count}` };
    const create = async (QueueName: string) => {
      const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName }));
      return QueueUrl;
    };
    urls = { dead: await create(names.dead), source: await create(names.source) };
    front.sources = [urls.source];
    front.refused.clear();
  });

  const retryMessage = (number: number) =>
    JSON.stringify({ kind: "retry-message", application_message_id: `order-${number}`, attempt: 1 });
  const receiptCheck = JSON.stringify({
    kind: "receipt-check",
    application_message_id: "order-1",
    attempt: 0,
  });
  const waitingEvent = JSON.stringify({
    kind: "waiting-event",
    first_seen_at: 1_795_435_200,
    event: failureEvent(),
  });

  async function die(...bodies: string[]): Promise<void> {
    for (let start = 0; start < bodies.length; start += 10) {
      await sqs.send(
        new SendMessageBatchCommand({
          QueueUrl: urls.dead,
          Entries: bodies
            .slice(start, start + 10)
            .map((MessageBody, index) => ({ Id: String(index), MessageBody })),
        }),
      );
    }
  }

  /** Messages that anybody can receive now. */
  async function visible(url: string): Promise<number> {
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["ApproximateNumberOfMessages"] }),
    );
    return Number(Attributes?.ApproximateNumberOfMessages);
  }

  async function bodiesOf(url: string): Promise<string[]> {
    const bodies: string[] = [];
    for (;;) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 10 }),
      );
      if (Messages.length === 0) return bodies.sort();
      bodies.push(...Messages.map(({ Body = "" }) => Body));
    }
  }

  const redrive = (...given: string[]) =>
    run({ ...signedIn, AWS_ENDPOINT_URL: front.endpoint }, "--queue", names.dead, ...given);

  test("are counted by what they are, and a dry run leaves them as they were", async () => {
    await die(...Array.from({ length: 23 }, (_, number) => retryMessage(number)), waitingEvent, "not ours");

    const { code, stdout, stderr } = await redrive();

    expect(stdout).toBe(
      `${[
        `${names.dead} holds about 25 messages of ${names.source}; 25 were looked at:`,
        "  23 retry messages",
        "  0 receipt checks",
        "  1 waiting events",
        "  0 delivery events",
        "  1 unreadable, which stay",
        stdout.match(/^The oldest is \d+ s old\.$/m)?.[0],
        "Nothing was changed; --yes puts them back.",
      ].join("\n")}\n`,
    );
    expect([code, stderr]).toEqual([0, ""]);
    expect(await visible(urls.dead)).toBe(25);
    expect(await visible(urls.source)).toBe(0);
  });

  test("go back to their queue byte for byte; unrecognized ones stay", async () => {
    const bodies = [
      ...Array.from({ length: 22 }, (_, number) => retryMessage(number)),
      receiptCheck,
      waitingEvent,
    ];
    await die(...bodies, "not ours");

    const { code, stdout } = await redrive("--yes", "--json");

    expect(JSON.parse(stdout)).toEqual({
      queue: names.dead,
      to: names.source,
      dryRun: false,
      waiting: 25,
      seen: { retryMessages: 22, receiptChecks: 1, waitingEvents: 1, deliveryEvents: 0, unreadable: 1 },
      oldestAgeSeconds: expect.any(Number),
      moved: 24,
      doubled: 0,
      refused: 0,
    });
    expect(code).toBe(0);
    expect(await bodiesOf(urls.source)).toEqual(bodies.sort());
    expect(await bodiesOf(urls.dead)).toEqual(["not ours"]);
  });

  test("of EventBridge Scheduler go back as the retry messages that they hold", async () => {
    const request = (body: string) => JSON.stringify({ MessageBody: body, QueueUrl: "https://sqs/1/retry" });
    await die(
      request(retryMessage(1)),
      retryMessage(2),
      request("not ours"),
      JSON.stringify({ MessageBody: 5 }),
      "null",
    );

    const { stdout } = await redrive("--yes", "--json");

    expect(JSON.parse(stdout)).toMatchObject({ seen: { retryMessages: 2, unreadable: 3 }, moved: 2 });
    expect(await bodiesOf(urls.source)).toEqual([retryMessage(1), retryMessage(2)]);
  });

  test("of End User Messaging's events go back as they came, raw or in an envelope of SNS", async () => {
    const recorded = join(__dirname, "../functions/recorded/events/eum-unreachable.json");
    const event = JSON.stringify(JSON.parse(readFileSync(recorded, "utf8")).event);
    const envelope = JSON.stringify({ Type: "Notification", Message: event });
    const voice = JSON.stringify({ eventType: "VOICE_BUSY", eventVersion: "1.0" });
    await die(event, envelope, voice, JSON.stringify({ Type: "Notification", Message: "not ours" }));

    const { stdout } = await redrive("--yes", "--json");

    expect(JSON.parse(stdout)).toMatchObject({ seen: { deliveryEvents: 2, unreadable: 2 }, moved: 2 });
    expect(await bodiesOf(urls.source)).toEqual([event, envelope].sort());
  });

  test("go back a part at a time with --max, and the rest by another run", async () => {
    await die(...Array.from({ length: 15 }, (_, number) => retryMessage(number)));

    expect(JSON.parse((await redrive("--yes", "--json", "--max", "4")).stdout)).toMatchObject({ moved: 4 });
    expect([await visible(urls.dead), await visible(urls.source)]).toEqual([11, 4]);
    expect(JSON.parse((await redrive("--yes", "--json")).stdout)).toMatchObject({ moved: 11 });
    expect(new Set(await bodiesOf(urls.source)).size).toBe(15);
  });

  test("that were put back and could not be deleted go back once more, and none is lost", async () => {
    await die(retryMessage(1), retryMessage(2));
    front.refused.add("DeleteMessageBatch");

    const { code, stderr } = await redrive("--yes");

    expect(stderr).toBe(
      "Your AWS credentials have no right to sqs:DeleteMessage (AccessDenied); use others, or have the right given to these.\n",
    );
    expect(code).toBe(1);
    expect(await bodiesOf(urls.source)).toEqual([retryMessage(1), retryMessage(2)]);
  });

  test("that the queue does not take stay where they are, at once for everybody", async () => {
    await die(retryMessage(1), retryMessage(2));
    front.refused.add("SendMessageBatch");

    const { code, stderr } = await redrive("--yes");

    expect(stderr).toContain("no right to sqs:SendMessage");
    expect(code).toBe(1);
    front.refused.clear();
    expect(await redrive("--yes")).toMatchObject({ code: 0 });
    expect(await visible(urls.source)).toBe(2);
  });

  test("of no queue, of several and of one that does not exist end with a sentence", async () => {
    front.sources = [];
    expect((await redrive()).stderr).toBe(
      `${names.dead} is the dead-letter queue of no queue; name one that is, or say with --to where its messages belong.\n`,
    );
    front.sources = ["http://sqs/1/one", "http://sqs/1/two"];
    expect((await redrive()).stderr).toBe(
      `${names.dead} is the dead-letter queue of one and two; say with --to where its messages belong.\n`,
    );
    expect(await redrive("--to", "nowhere")).toEqual({
      code: 1,
      stdout: "",
      stderr: "There is no queue nowhere in the region us-east-1; check the name and AWS_REGION.\n",
    });
    expect(JSON.parse((await redrive("--to", names.source, "--json")).stdout)).toMatchObject({
      to: names.source,
      waiting: 0,
    });
  });

  test("are printed nowhere", async () => {
    await die(retryMessage(4_711), waitingEvent, "secret");

    for (const given of [[], ["--json"], ["--yes"]]) {
      const { stdout, stderr } = await redrive(...given);
      expect(stdout + stderr).not.toMatch(/order-4711|447700900123|secret|msg-0/);
    }
  });
});

describe("overdue messages", () => {
  let emulators: Emulators;
  let sqs: SQSClient;
  let table: MessageTable;
  let queueUrl: string;
  let count = 0;
  const hour = 3_600;
  const long = Math.floor(Date.now() / 1_000) - 2 * hour;

  beforeAll(async () => {
    emulators = await startEmulators();
    sqs = new SQSClient({ ...emulatorAccess, endpoint: emulators.endpoints.sqs });
  });
  afterAll(async () => {
    sqs.destroy();
    await emulators.stop();
  });
  beforeEach(async () => {
    count += 1;
    table = await createMessageTable(emulators.endpoints.dynamodb, `p${count}-message-state`);
    const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName: `p${count}-retry` }));
    queueUrl = QueueUrl;
  });

  const redrive = (...given: string[]) =>
    run(
      {
        ...signedIn,
        AWS_ENDPOINT_URL_DYNAMODB: emulators.endpoints.dynamodb,
        AWS_ENDPOINT_URL_SQS: emulators.endpoints.sqs,
      },
      "--overdue",
      "--table",
      table.name,
      ...given,
    );

  const personal = { message_body: "Your code is 493817", destination_number: "+447700900123" };

  /** Items of every kind; the ids of those that are overdue say what they need. */
  async function fill(): Promise<void> {
    const items = [
      {
        application_message_id: "retry-message 2",
        status: "RETRY_SCHEDULED",
        retry_count: 1,
        next_attempt_at: long,
      },
      {
        application_message_id: "retry-message 0",
        status: "SENDING",
        retry_count: 0,
        claim_expires_at: long,
      },
      {
        application_message_id: "receipt-check 1",
        status: "SENT",
        status_reason: "outcome-unknown",
        retry_count: 1,
        attempts: { 1: { outcome: "UNCONFIRMED", outcome_at: long } },
      },
      {
        application_message_id: "retry-message 1",
        status: "RETRY_SCHEDULED",
        next_attempt_at: long - hour,
        deadline: long,
      },
      { application_message_id: "soon", status: "RETRY_SCHEDULED", next_attempt_at: long + 2 * hour },
      { application_message_id: "over", status: "EXPIRED", next_attempt_at: long },
      { application_message_id: "written by the application" },
      {
        application_message_id: "unreadable",
        status: "SENDING",
        claim_expires_at: long,
        retry_count: "twice",
      },
      ...Array.from({ length: 300 }, (_, n) => ({
        application_message_id: `sent-${n}`,
        status: "SENT",
        attempts: { 0: { sent_at: long } },
      })),
    ];
    await Promise.all(items.map((item) => table.put({ ...personal, ...item })));
  }

  async function taken(): Promise<string[]> {
    const bodies: string[] = [];
    for (;;) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10 }),
      );
      if (Messages.length === 0) return bodies.sort();
      bodies.push(...Messages.map(({ Body = "" }) => Body));
    }
  }

  test("are counted by what they wait for, and a dry run changes nothing", async () => {
    await fill();

    const { code, stdout, stderr } = await redrive();

    expect(stdout).toBe(
      `${[
        `308 items of p${count}-message-state were looked at; 4 are overdue:`,
        "  2 retries that are scheduled",
        "  1 sends that were begun and have no end",
        "  1 sends of which nobody knows the outcome",
        "The first of them was due 3 hours ago.",
        "1 of them are past their deadline and will end as such, unsent.",
        "1 items cannot be read; they are left as they are.",
        "Nothing was changed; --yes queues them again.",
      ].join("\n")}\n`,
    );
    expect([code, stderr]).toEqual([0, ""]);
    expect(await taken()).toEqual([]);
  });

  test("fault 63: whose retry message is lost get a retry message or a receipt check each", async () => {
    await fill();
    const before = await table.all();

    const { code, stdout } = await redrive("--yes", "--json", "--read-units", "5000");

    expect(JSON.parse(stdout)).toEqual({
      table: table.name,
      to: `p${count}-retry`,
      dryRun: false,
      waiting: 0,
      scanned: 308,
      overdue: { retry: 2, send: 1, receipt: 1 },
      pastDeadline: 1,
      unreadable: 1,
      longestOverdueSeconds: expect.any(Number),
      queued: 4,
      refused: 0,
    });
    expect(code).toBe(0);
    const bodies = await taken();
    const pointers = bodies.map((body) => JSON.parse(body));
    // Nothing is queued that the function could only refuse.
    expect(bodies.map(readQueueMessage)).toEqual(pointers);
    expect(pointers.map(({ kind, attempt }) => `${kind} ${attempt}`)).toEqual(
      pointers.map(({ application_message_id }) => application_message_id),
    );
    expect(pointers).toHaveLength(4);
    expect(await table.all()).toEqual(before);
  });

  test("are queued a part at a time with --max, and twice where it is run twice", async () => {
    for (let n = 0; n < 25; n += 1)
      await table.put({ application_message_id: `o-${n}`, status: "SENDING", claim_expires_at: long });

    expect(JSON.parse((await redrive("--yes", "--json", "--max", "7")).stdout)).toMatchObject({ queued: 7 });
    expect((await redrive("--yes")).stdout).toContain(
      `p${count}-retry holds about 7 messages, some of which may be theirs; a second one does no harm.`,
    );
    expect(await taken()).toHaveLength(32);
  });

  test("go to the queue that is named, where the names follow no prefix", async () => {
    await fill();
    await sqs.send(new CreateQueueCommand({ QueueName: `another-${count}` }));

    const { stdout } = await redrive("--yes", "--json", "--to", `another-${count}`);

    expect(JSON.parse(stdout)).toMatchObject({ to: `another-${count}`, queued: 4 });
    expect(await taken()).toEqual([]);
  });

  test("nobody's: an empty table, one that does not exist, a queue that does not exist", async () => {
    expect(await redrive()).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("There is nothing to queue."),
    });
    expect(await redrive("--table", "nobody-message-state")).toEqual({
      code: 1,
      stdout: "",
      stderr:
        "There is no table nobody-message-state in the region us-east-1; check the name and AWS_REGION.\n",
    });
    expect(await redrive("--to", "nowhere")).toMatchObject({
      code: 1,
      stderr: "There is no queue nowhere in the region us-east-1; check the name and AWS_REGION.\n",
    });
  });

  test("are printed nowhere", async () => {
    await fill();

    for (const given of [[], ["--json"], ["--yes"]]) {
      const { stdout, stderr } = await redrive(...given);
      expect(stdout + stderr).not.toMatch(/493817|447700900123|receipt-check|retry-message/);
    }
  });
});

interface Front {
  readonly endpoint: string;
  /** What it answers to `ListDeadLetterSourceQueues`, which the emulator does not know. */
  sources: string[];
  /** Actions that it refuses as AWS does without a right. */
  readonly refused: Set<string>;
  close(): Promise<void>;
}

/** A server in front of the emulator. */
async function startFront(endpoint: string): Promise<Front> {
  const { port } = new URL(endpoint);
  async function forward(incoming: IncomingMessage, outgoing: ServerResponse, action: string): Promise<void> {
    const { method, url, headers } = incoming;
    const input = JSON.parse(await text(incoming));
    // A long poll of a queue that is empty waits its whole second: here it is answered at once.
    if (action === "ReceiveMessage") input.WaitTimeSeconds = 0;
    const body = JSON.stringify(input);
    const forwarded = request({
      host: "127.0.0.1",
      port,
      method,
      path: url,
      headers: { ...headers, "content-length": Buffer.byteLength(body) },
    });
    forwarded.on("error", () => outgoing.destroy());
    forwarded.on("response", (response) => {
      outgoing.writeHead(response.statusCode ?? 500, response.headers);
      response.pipe(outgoing);
    });
    forwarded.end(body);
  }

  const server: Server = createServer((incoming, outgoing) => {
    const action = String(incoming.headers["x-amz-target"] ?? "").replace("AmazonSQS.", "");
    const answer = (status: number, body: object) => {
      incoming.resume();
      outgoing.writeHead(status, { "content-type": "application/x-amz-json-1.0" }).end(JSON.stringify(body));
    };
    if (action === "ListDeadLetterSourceQueues") {
      answer(200, { queueUrls: front.sources });
    } else if (front.refused.has(action)) {
      answer(403, { __type: "com.amazon.coral.service#AccessDenied", message: "Not allowed." });
    } else {
      forward(incoming, outgoing, action).catch(() => outgoing.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const front: Front = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sources: [],
    refused: new Set(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return front;
}
