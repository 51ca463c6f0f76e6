/** The consumer behind an SNS topic: what comes by its queue goes through the same core as a stream's records. */
import type { SQSEvent } from "aws-lambda";
import { consumeSnsFunction } from "../../functions/consume-sns/consume-sns-function.ts";
import { defaultEnvironment, environmentNames } from "../../functions/contract/environment.ts";
import type { QueueEntry } from "../../functions/core/queue/retry-queue.ts";
import { readSettings } from "../../functions/settings.ts";
import { endUserMessagingRecord, pinpointRecord, sentMessage, startOfTest } from "../support/messages.ts";
import { recordedTelemetry } from "../support/recorded-telemetry.ts";
import { storeOnModel } from "../support/store-on-model.ts";
import { virtualTime } from "../support/virtual-time.ts";

const project = "0123456789abcdef0123456789abcdef";

/** The consumer of a deployment with these messages, over ports that remember. */
function consumer(
  ids: readonly string[],
  changes: {
    readonly environment?: Record<string, string>;
    readonly cannotWrite?: readonly string[];
    readonly takesEntries?: boolean;
    readonly keeps?: boolean;
  } = {},
) {
  const named = Object.fromEntries(environmentNames["consume-sns"].map((name) => [name, "x"]));
  const settings = readSettings("consume-sns", {
    ...named,
    POWERTOOLS_LOG_LEVEL: "INFO",
    ...defaultEnvironment,
    SMS_SERVICE: "end-user-messaging",
    PINPOINT_APPLICATION_ID: project,
    ...changes.environment,
  });
  const store = storeOnModel(...ids.map((id) => sentMessage({ application_message_id: id })));
  const telemetry = recordedTelemetry();
  const queued: QueueEntry[] = [];
  const kept = new Map<string, string>();
  const handle = consumeSnsFunction(settings, {
    clock: virtualTime(startOfTest + 10),
    random: { next: () => 0.5, id: () => "id" },
    telemetry: { ...telemetry, publish: () => {} },
    store: {
      ...store,
      async change(id, change) {
        if (changes.cannotWrite?.includes(id)) throw new Error("out of reach");
        return store.change(id, change);
      },
    },
    queue: {
      async put(entries) {
        if (changes.takesEntries === false) return entries.map(() => false);
        queued.push(...entries);
        return entries.map(() => true);
      },
    },
    failures: {
      async keep({ id, data }, problem) {
        if (changes.keeps === false) throw new Error("no bucket");
        kept.set(id, `${problem}: ${Buffer.from(data).toString()}`);
      },
    },
  });
  async function consume(bodies: Readonly<Record<string, string>>): Promise<string[]> {
    const Records = Object.entries(bodies).map(([messageId, body]) => ({ messageId, body }));
    const answer = await handle({ Records } as SQSEvent, { getRemainingTimeInMillis: () => 60_000 });
    return answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
  }
  return { consume, store, telemetry, queued, kept };
}

const v1 = (id: string, changes: Parameters<typeof pinpointRecord>[0] = {}) =>
  JSON.stringify(
    pinpointRecord({
      ...changes,
      attributes: { customer_context: { application_message_id: id, retry_attempt: "0" } },
    }),
  );
const v2 = (id: string, changes: Record<string, unknown> = {}) =>
  JSON.stringify(endUserMessagingRecord({ context: { application_message_id: id }, ...changes }));

/** What a subscription without raw delivery puts around a message. */
const envelope = (Message: string) =>
  JSON.stringify({
    Type: "Notification",
    MessageId: "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
    TopicArn: "arn:aws:sns:us-east-1:123456789012:sms-retry-events",
    Message,
    Timestamp: "2026-11-23T12:00:05.123Z",
    SignatureVersion: "1",
    Signature: "EXAMPLE",
    SigningCertURL: "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-example.pem",
    UnsubscribeURL: "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe",
  });

test("one batch with both formats, envelopes, RCS and junk goes through one code path", async () => {
  const ids = ["v1", "v2", "v1-envelope", "v2-envelope", "v2-twice", "rcs", "other-project", "pending"];
  const { consume, store, telemetry, queued, kept } = consumer(ids);
  const junk = {
    "junk-text": "not JSON +447700900123",
    "junk-object": '{"detail-type":"Text Message Delivery Status Updated"}',
    "junk-list": `[${v2("v2")}]`,
    "junk-in-envelope": envelope("hello"),
    "junk-empty": "",
    "envelope-in-envelope": envelope(envelope(v2("v2"))),
  };

  const again = await consume({
    "1": v1("v1"),
    "2": v2("v2"),
    "3": envelope(v1("v1-envelope")),
    "4": envelope(v2("v2-envelope")),
    ...junk,
    "5": v2("v2-twice"),
    "6": envelope(v2("v2-twice")),
    "7": v2("rcs", { eventType: "RCS_SENT" }),
    "8": v1("other-project", { application: { app_id: "f".repeat(32) } }),
    "9": v2("pending", { eventType: "TEXT_PENDING", isFinal: false }),
    "10": JSON.stringify({ event_type: "_email.delivered" }),
  });

  expect(again).toEqual([]);
  const statuses = Object.fromEntries(ids.map((id) => [id, store.items.get(id)?.status]));
  const scheduled = ["v1", "v2", "v1-envelope", "v2-envelope", "v2-twice"];
  expect(statuses).toEqual(
    Object.fromEntries(ids.map((id) => [id, scheduled.includes(id) ? "RETRY_SCHEDULED" : "SENT"])),
  );
  expect(queued.map(({ message }) => message)).toEqual(
    scheduled.map((id) => ({ kind: "retry-message", application_message_id: id, attempt: 1 })),
  );
  // Kept as it came, with its envelope.
  expect(Object.fromEntries(kept)).toEqual({
    "junk-text": `not JSON: ${junk["junk-text"]}`,
    "junk-object": `neither event_type nor eventType: ${junk["junk-object"]}`,
    "junk-list": `not a JSON object: ${junk["junk-list"]}`,
    "junk-in-envelope": `not JSON: ${junk["junk-in-envelope"]}`,
    "junk-empty": "empty: ",
    "envelope-in-envelope": `neither event_type nor eventType: ${junk["envelope-in-envelope"]}`,
  });
  expect(telemetry.counts).toMatchObject({
    RetryScheduled: 5,
    EventAbsorbed: 1,
    RecordMalformed: 6,
    ForeignEvent: 1,
    NotSms: 1,
    EndUserMessagingEvent: 6,
  });
});

test("what is out of reach comes again by the queue, and its neighbours are handled", async () => {
  const { consume, store, queued } = consumer(["a", "b", "c"], { cannotWrite: ["b"] });

  expect(await consume({ "1": v2("a"), "2": v2("b"), "3": envelope(v2("c")) })).toEqual(["2"]);

  expect(["a", "b", "c"].map((id) => store.items.get(id)?.status)).toEqual([
    "RETRY_SCHEDULED",
    "SENT",
    "RETRY_SCHEDULED",
  ]);
  expect(queued).toHaveLength(2);
});

test("an event whose retry message did not get onto the queue comes again", async () => {
  const { consume } = consumer(["a"], { takesEntries: false });

  expect(await consume({ "1": v2("a"), "2": v2("a", { eventType: "TEXT_PENDING" }) })).toEqual(["1"]);
});

test("a body that nobody can read is not handed over for ever: once kept, the queue forgets it", async () => {
  expect(await consumer([]).consume({ "1": "junk" })).toEqual([]);
  expect(await consumer([], { keeps: false }).consume({ "1": "junk" })).toEqual(["1"]);
});

test("without a project of its own a deployment takes the events of every Pinpoint project", async () => {
  const { consume, store } = consumer(["a"], { environment: { PINPOINT_APPLICATION_ID: "" } });

  await consume({ "1": v1("a", { application: { app_id: "f".repeat(32) } }) });

  expect(store.items.get("a")?.status).toBe("RETRY_SCHEDULED");
});
