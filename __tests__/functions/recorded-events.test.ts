import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { SQSBatchResponse } from "aws-lambda";
import {
  type Deployment,
  type KinesisRecord,
  kinesisRecord,
  sqsRecord,
  startDeployment,
} from "../support/deployment.ts";
import { eventually } from "../support/eventually.ts";
import { recentlySent } from "../support/recent-messages.ts";
import { smsMessageOf } from "../support/sms-service.ts";

interface RecordedEvent {
  readonly about: string;
  readonly event: object;
  readonly expected: {
    readonly key: string;
    readonly status: string;
    readonly reason?: string;
    readonly retryMessages: number;
    readonly metric: string;
  };
}

interface RecordedInvocation {
  readonly about: string;
  readonly event: { readonly Records: readonly KinesisRecord[] };
  readonly expected: {
    readonly items: Readonly<Record<string, string>>;
    readonly retryMessages: number | "any";
    readonly kept: number;
  };
}

/** The files of a folder, by their names without `.json`. */
function recorded<T>(folder: string): [name: string, content: T][] {
  const path = join(__dirname, "recorded", folder);
  return readdirSync(path)
    .sort()
    .map((file) => [file.replace(/\.json$/, ""), JSON.parse(readFileSync(join(path, file), "utf8")) as T]);
}

let deployment: Deployment;
beforeAll(async () => {
  deployment = await startDeployment();
});
afterAll(() => deployment?.stop());
beforeEach(() => deployment.reset());

describe("one event of functions/recorded/events, handed to the bundled consumer", () => {
  const events = recorded<RecordedEvent>("events");

  test.each(events)("%s", async (name, { event, expected }) => {
    expect(expected.key).toBe(name);
    await deployment.table.put(recentlySent(expected.key));
    const countBefore = deployment.metric(expected.metric);

    const again = await deployment.consume([kinesisRecord(event)]);

    expect(again).toEqual([]);
    const item = await deployment.table.get(expected.key);
    expect(item?.status).toBe(expected.status);
    expect(item?.status_reason).toBe(expected.reason);
    expect(await deployment.queued()).toBe(expected.retryMessages);
    await eventually(() => expect(deployment.metric(expected.metric)).toBe(countBefore + 1));
    expect(await deployment.kept()).toEqual(new Map());
  });

  test("fault 12: all of them in one batch come to the same, whatever their event format", async () => {
    await Promise.all(events.map(([name]) => deployment.table.put(recentlySent(name))));

    const again = await deployment.consume(events.map(([, { event }]) => kinesisRecord(event)));

    expect(again).toEqual([]);
    const statuses = await Promise.all(
      events.map(async ([name]) => [name, (await deployment.table.get(name))?.status]),
    );
    expect(statuses).toEqual(events.map(([name, { expected }]) => [name, expected.status]));
    const retryMessages = events.reduce((sum, [, { expected }]) => sum + expected.retryMessages, 0);
    expect(await deployment.queued()).toBe(retryMessages);
  });
});

test("all of them by the queue of an SNS topic, raw and in envelopes, come to the same", async () => {
  const events = recorded<RecordedEvent>("events");
  await Promise.all(events.map(([name]) => deployment.table.put(recentlySent(name))));
  const Records = events.map(([name, { event }], index) => {
    const raw = JSON.stringify(event);
    const enveloped = { Type: "Notification", MessageId: name, TopicArn: "arn", Message: raw };
    return sqsRecord(name, index % 2 === 0 ? raw : JSON.stringify(enveloped));
  });

  const { batchItemFailures } = await deployment.invoke<SQSBatchResponse>("consume-sns", { Records });

  expect(batchItemFailures).toEqual([]);
  const statuses = await Promise.all(
    events.map(async ([name]) => [name, (await deployment.table.get(name))?.status]),
  );
  expect(statuses).toEqual(events.map(([name, { expected }]) => [name, expected.status]));
  expect(await deployment.queued()).toBe(
    events.reduce((sum, [, { expected }]) => sum + expected.retryMessages, 0),
  );
});

/** What each of these events tells of its send, so that its retry carries it. */
const told: readonly (readonly [name: string, sms: object, context: object])[] = [
  ["pinpoint-failure-unreachable", { OriginationNumber: "+447700900999" }, {}],
  ["pinpoint-failure-sender-id", { SenderId: "EXAMPLE" }, {}],
  [
    "pinpoint-failure-own-context",
    { OriginationNumber: "+447700900999" },
    { shop: "Berlin Süd", "basket.id": "4711" },
  ],
  [
    "eum-sender-id-own-context",
    { SenderId: "EXAMPLE" },
    { shop: "Berlin Süd", basket: "4711", step: "2", tenant: "a-b" },
  ],
];

test("a retry of the README's item carries what the first send did", async () => {
  const events = new Map(recorded<RecordedEvent>("events"));
  const deadline = Math.floor(Date.now() / 1000) + 600;
  const registered = {
    keyword: "SHOP",
    entity_id: "1101234567890123456",
    template_id: "1107123456789012345",
  };
  for (const [name] of told) {
    const item = {
      application_message_id: name,
      message_body: "Your code is 493817.",
      deadline,
      ...registered,
    };
    await deployment.table.put(item);
  }

  expect(
    await deployment.consume(told.map(([name]) => kinesisRecord(events.get(name)?.event ?? ""))),
  ).toEqual([]);
  await deployment.drain();

  const { requests } = deployment.pinpoint;
  expect(requests).toHaveLength(told.length);
  for (const [name, sms, context] of told) {
    const sent = requests.find((request) => request.context?.application_message_id === name);
    expect(sent?.destination).toBe("+447700900123");
    expect(sent?.context).toEqual({ ...context, application_message_id: name, retry_attempt: "1" });
    expect(sent && smsMessageOf(sent)).toEqual({
      Body: "Your code is 493817.",
      MessageType: "TRANSACTIONAL",
      Keyword: "SHOP",
      EntityId: "1101234567890123456",
      TemplateId: "1107123456789012345",
      ...sms,
    });
  }
});

describe("one invocation of functions/recorded/kinesis, handed to the bundled consumer", () => {
  test.each(recorded<RecordedInvocation>("kinesis"))("%s", async (_name, { event, expected }) => {
    const keys = Object.keys(expected.items);
    await Promise.all(keys.map((key) => deployment.table.put(recentlySent(key))));
    const keptBefore = (await deployment.kept()).size;

    const again = await deployment.consume(event.Records);

    expect(again).toEqual([]);
    const statuses = await Promise.all(
      keys.map(async (key) => [key, (await deployment.table.get(key))?.status]),
    );
    expect(Object.fromEntries(statuses)).toEqual(expected.items);
    if (expected.retryMessages !== "any") expect(await deployment.queued()).toBe(expected.retryMessages);
    expect((await deployment.kept()).size - keptBefore).toBe(expected.kept);
  });
});
