import fc from "fast-check";
import { decodeRecord, fromBase64 } from "../../../functions/core/events/event-records.ts";
import type { Change } from "../../../functions/core/message/message-store.ts";
import type { LogFields } from "../../../functions/core/observability/telemetry.ts";
import { handleRecords } from "../../../functions/core/processing/handle-records.ts";
import { quarantine } from "../../../functions/core/processing/quarantine.ts";
import type { StreamRecord } from "../../../functions/core/processing/stream-record.ts";
import { readQueueMessage } from "../../../functions/core/queue/queue-messages.ts";
import type { QueueEntry } from "../../../functions/core/queue/retry-queue.ts";
import {
  failureEvent,
  pinpointRecord,
  retryPolicy,
  sentMessage,
  startOfTest,
} from "../../support/messages.ts";
import { storeOnModel } from "../../support/store-on-model.ts";
import { virtualTime } from "../../support/virtual-time.ts";

/** Handling with everything remembered, and a queue that takes only what `takes` allows. */
function recordHandling(items = [sentMessage()], takes: (entry: QueueEntry) => boolean = () => true) {
  const counts: Record<string, number> = {};
  const logs: { text: string; fields?: LogFields | undefined }[] = [];
  const queued: QueueEntry[] = [];
  const log = (text: string, fields?: LogFields) => void logs.push({ text, fields });
  const store = storeOnModel(...items);
  return {
    store,
    counts,
    logs,
    queued,
    policy: retryPolicy(),
    recordsEveryDelivery: false,
    smsServices: new Set<never>(),
    // The time of a test stands still: only an abort ends a wait.
    clock: virtualTime(startOfTest + 10),
    endsAt: startOfTest + 60,
    random: { next: () => 0.5, id: () => "id" },
    queue: {
      async put(entries: readonly QueueEntry[]) {
        queued.push(...entries.filter(takes));
        return entries.map(takes);
      },
    },
    telemetry: {
      count(metric: string, value = 1) {
        counts[metric] = (counts[metric] ?? 0) + value;
      },
      info: log,
      warn: log,
      error: log,
    },
  };
}

/** An envelope of SNS around a text. */
const enveloped = (Message: string, Type = "Notification") => ({
  Type,
  MessageId: "m",
  TopicArn: "arn",
  Message,
});

const record = (id: string, value: unknown): StreamRecord => ({
  id,
  data: Buffer.from(typeof value === "string" ? value : JSON.stringify(value)),
});

/** A failure of one of many messages. */
const failureOf = (id: string) =>
  pinpointRecord({
    attributes: {
      customer_context: { application_message_id: id, retry_attempt: "0" },
      message_id: `sms-${id}`,
    },
  });

describe("an envelope of SNS", () => {
  test("is opened, and the event in it handled", async () => {
    const handling = recordHandling();
    const [result] = await handleRecords(
      [record("0", enveloped(JSON.stringify(failureOf("order-4711"))))],
      handling,
    );
    expect(result).toMatchObject({ result: "handled", events: [{ outcome: "retry-scheduled" }] });
  });

  test.each([
    ["around no JSON", enveloped("no event"), "not JSON"],
    ["around nothing", enveloped(""), "empty"],
  ])("%s is a broken record that says why", async (_what, value, problem) => {
    const [result] = await handleRecords([record("0", value)], recordHandling());
    expect(result).toMatchObject({ result: "malformed", problem, events: [] });
  });

  test("of another kind than a notification is not opened: whatever its text, it is no event", async () => {
    const value = enveloped(JSON.stringify(failureOf("order-4711")), "SubscriptionConfirmation");
    const [result] = await handleRecords([record("0", value)], recordHandling());
    expect(result).toMatchObject({ events: [] });
  });
});

test("a record that is no text at all is broken, says why and holds no event", async () => {
  const [result] = await handleRecords([{ id: "0", data: Uint8Array.of(0xff, 0xfe) }], recordHandling());
  expect(result).toMatchObject({ result: "malformed", problem: "not UTF-8", events: [] });
});

describe("a batch of records", () => {
  test("fault 34: 10 000 failures in one batch are handled in their time, by one write each", async () => {
    const ids = Array.from({ length: 10_000 }, (_, index) => `m-${index}`);
    const handling = recordHandling(ids.map((id) => sentMessage({ application_message_id: id })));
    const time = virtualTime(startOfTest + 10);
    const calls = { readMany: 0, read: 0, change: 0, put: 0 };
    const { store } = handling;
    // A table that takes 20 ms for everything; a batch read of the adapter asks for 100 keys at a time.
    const slowly = {
      readMany: async (keys: readonly string[]) => {
        calls.readMany += 1;
        await time.sleep(0.02 * Math.ceil(keys.length / 1_000));
        return store.readMany(keys);
      },
      read: async (id: string) => {
        calls.read += 1;
        await time.sleep(0.02);
        return store.read(id);
      },
      create: store.create,
      change: async (id: string, change: Change) => {
        calls.change += 1;
        await time.sleep(0.02);
        return store.change(id, change);
      },
    };
    const queue = {
      put: async (entries: readonly QueueEntry[]) => {
        calls.put += 1;
        await time.sleep(0.02 * Math.ceil(entries.length / 100));
        return entries.map(() => true);
      },
    };
    let answeredAt = Number.POSITIVE_INFINITY;
    const answered = handleRecords(
      ids.map((id) => record(id, failureOf(id))),
      { ...handling, store: slowly, queue, clock: time, endsAt: startOfTest + 60 },
    ).then((results) => {
      answeredAt = time.now();
      return results;
    });
    const [results] = await Promise.all([answered, time.run()]);

    expect(results.filter(({ result }) => result === "handled")).toHaveLength(10_000);
    expect(calls).toEqual({ readMany: 1, read: 0, change: 10_000, put: 1 });
    expect(answeredAt).toBeLessThan(startOfTest + 10 + 10);
  });

  test("answers every record once and in order, whatever the bytes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 20 }), async (datas) => {
        const records = datas.map((data, index) => ({ id: `r${index}`, data }));
        const results = await handleRecords(records, recordHandling());
        expect(results.map(({ id }) => id)).toEqual(records.map(({ id }) => id));
      }),
    );
  });

  test("fault 38: poison is isolated by position, its neighbours are handled", async () => {
    const poison = [Buffer.from([0xff, 0xfe]), Buffer.from("{"), Buffer.from(""), Buffer.from("not JSON")];
    const handling = recordHandling([sentMessage(), sentMessage({ application_message_id: "other" })]);
    const results = await handleRecords(
      [
        record("a", failureOf("order-4711")),
        ...poison.map((data, index) => ({ id: `p${index}`, data })),
        record("z", failureOf("other")),
      ],
      handling,
    );
    expect(results.map(({ result }) => result)).toEqual([
      "handled",
      "malformed",
      "malformed",
      "malformed",
      "malformed",
      "handled",
    ]);
    expect(handling.counts).toMatchObject({ RecordMalformed: 4, RetryScheduled: 2 });
    expect(handling.logs.flatMap(({ fields }) => fields?.position ?? [])).toEqual([1, 2, 3, 4]);
    expect(handling.queued).toHaveLength(2);
  });

  test("fault 65: a retry tag that no parser stands harms nobody, its own message neither", async () => {
    const handling = recordHandling([sentMessage(), sentMessage({ application_message_id: "other" })]);
    const nested = JSON.parse(`${"[".repeat(4_000)}${"]".repeat(4_000)}`) as unknown;
    const tagged = `{"event_type":"_SMS.FAILURE","attributes":{"record_status":"UNREACHABLE","message_id":"msg-0","customer_context":{"application_message_id":"other","retry_attempt":${"[".repeat(4_000)}${"]".repeat(4_000)}}}}`;
    expect(() => Number(nested)).toThrow(RangeError);

    const results = await handleRecords(
      [record("a", failureOf("order-4711")), record("b", tagged)],
      handling,
    );

    expect(results.map(({ result }) => result)).toEqual(["handled", "handled"]);
    expect(handling.counts).toEqual({ RetryScheduled: 2 });
  });

  test("fault 38: a record that throws in the parser is malformed, and the batch goes on", async () => {
    const handling = recordHandling();
    const impossible = {
      id: "x",
      get data(): Uint8Array {
        throw new RangeError("Maximum call stack size exceeded");
      },
    };

    const results = await handleRecords([impossible, record("a", pinpointRecord())], handling);

    expect(results).toEqual([
      {
        id: "x",
        result: "malformed",
        problem: "not readable: RangeError",
        events: [],
        holdsOthers: true,
      },
      expect.objectContaining({ id: "a", result: "handled" }),
    ]);
    expect(handling.counts).toEqual({ RecordMalformed: 1, RetryScheduled: 1 });
  });

  test("fault 12: both event formats in one batch are handled", async () => {
    const handling = recordHandling([sentMessage(), sentMessage({ application_message_id: "v2" })]);
    const v2 = {
      eventType: "TEXT_UNREACHABLE",
      isFinal: true,
      messageId: "msg-0",
      context: { application_message_id: "v2" },
    };
    await handleRecords([record("a", failureOf("order-4711")), record("b", v2)], handling);
    expect(handling.counts).toMatchObject({ RetryScheduled: 2 });
  });

  test("fault 14: events of other channels pass and are counted", async () => {
    const handling = recordHandling();
    const results = await handleRecords([record("a", { event_type: "_email.delivered" })], handling);
    expect(results[0]).toMatchObject({ result: "handled", events: [] });
    expect(handling.counts).toEqual({ NotSms: 1 });
  });

  test("fault 13: a status that nobody knows is counted and logged by its name", async () => {
    const handling = recordHandling();
    await handleRecords(
      [record("a", pinpointRecord({ attributes: { record_status: "TELEPORTED" } }))],
      handling,
    );
    expect(handling.counts).toMatchObject({ StatusUnrecognized: 1, MessageRejected: 1 });
    expect(handling.logs[0]?.fields).toMatchObject({ status: "TELEPORTED" });
  });

  test("several events of one message are handled in their order", async () => {
    const handling = recordHandling();
    const success = pinpointRecord({
      event_type: "_SMS.SUCCESS",
      attributes: { record_status: "DELIVERED" },
    });
    await handleRecords([record("a", pinpointRecord()), record("b", success)], handling);
    expect(handling.store.items.get("order-4711")).toMatchObject({ status: "DELIVERED" });
  });

  test("a record whose retry message did not get onto the queue has failed, and no other", async () => {
    const handling = recordHandling(
      [sentMessage(), sentMessage({ application_message_id: "other" })],
      ({ message }) => message.kind === "retry-message" && message.application_message_id === "other",
    );
    const batch = [record("a", failureOf("order-4711")), record("b", failureOf("other"))];
    expect((await handleRecords(batch, handling)).map(({ result }) => result)).toEqual(["failed", "handled"]);

    // Handed over again: the decision stands, only the retry message is repeated.
    const before = structuredClone(handling.store.items.get("order-4711"));
    handling.queue.put = async (entries) => {
      handling.queued.push(...entries);
      return entries.map(() => true);
    };
    expect((await handleRecords(batch.slice(0, 1), handling))[0]?.result).toBe("handled");
    expect(handling.store.items.get("order-4711")).toEqual(before);
    expect(handling.queued.map(({ dueAt }) => dueAt)).toContain(before?.next_attempt_at);
  });

  test.each([
    ["four times", 60, [0, 1, 3, 6]],
    ["and not once the answer is due", 4, [0, 1, 3]],
    ["nor in the moment in which it is", 3, [0, 1]],
  ])("tries a queue that is down again where nobody else will: %s", async (_name, secondsLeft, tries) => {
    const clock = virtualTime(startOfTest);
    const triedAt: number[] = [];
    const handling = {
      ...recordHandling(),
      clock,
      endsAt: startOfTest + secondsLeft,
      queuesFailedEvents: true,
      queue: {
        async put(entries: readonly QueueEntry[]) {
          triedAt.push(clock.now() - startOfTest);
          return entries.map(() => false);
        },
      },
    };

    const [results] = await Promise.all([
      handleRecords([record("a", pinpointRecord())], handling),
      clock.run(),
    ]);

    expect(results[0]).toMatchObject({ result: "failed", problem: "NotQueued" });
    expect(triedAt).toEqual(tries);
  });

  test("a record with one event a thousand times asks for one retry message, and one look later", async () => {
    const handling = recordHandling();
    const copies = (value: unknown) => record("a", JSON.stringify(value).repeat(1_000));

    const results = await handleRecords([copies(pinpointRecord()), copies(failureOf("no item"))], handling);

    expect(results.map(({ result }) => result)).toEqual(["handled", "handled"]);
    expect(handling.counts).toEqual({ RetryScheduled: 1, EventAbsorbed: 999, EventWaiting: 1_000 });
    expect(handling.queued.map(({ message }) => message.kind)).toEqual(["retry-message", "waiting-event"]);
  });

  test("a message that does not get onto the queue fails every record that waits for it", async () => {
    const handling = recordHandling([sentMessage()], () => false);

    const results = await handleRecords(
      [record("a", pinpointRecord()), record("b", pinpointRecord())],
      handling,
    );

    expect(results.map(({ result, problem }) => [result, problem])).toEqual([
      ["failed", "NotQueued"],
      ["failed", "NotQueued"],
    ]);
  });

  test("fault 35: an item whose table is out of reach fails its own record only", async () => {
    const handling = recordHandling([sentMessage(), sentMessage({ application_message_id: "other" })]);
    const { change } = handling.store;
    handling.store.change = async (id, given) => {
      if (id === "other") throw Object.assign(new Error("slow down"), { name: "ThrottlingException" });
      return change(id, given);
    };
    handling.store.readMany = async () => {
      throw new Error("slow down");
    };
    const results = await handleRecords(
      [record("a", failureOf("order-4711")), record("b", failureOf("other"))],
      handling,
    );
    expect(results.map(({ result }) => result)).toEqual(["handled", "failed"]);
    expect(handling.counts).toMatchObject({ EventFailed: 1, RetryScheduled: 1 });
  });

  test("an item that cannot be read makes its record malformed, not eternal", async () => {
    const handling = recordHandling();
    handling.store.items.set("order-4711", { application_message_id: "order-4711", retry_count: "many" });
    const results = await handleRecords([record("a", pinpointRecord())], handling);
    expect(results[0]).toMatchObject({ result: "malformed", problem: "unreadable item" });
  });
});

describe("malformed records", () => {
  const malformed = {
    id: "a",
    result: "malformed",
    problem: "not JSON",
    events: [],
    holdsOthers: true,
  } as const;

  test("are kept with all their bytes", async () => {
    const kept: unknown[] = [];
    const data = Buffer.from([0, 255, 10]);
    const results = await quarantine(
      [malformed],
      [{ id: "a", data }],
      {
        async keep(given, problem) {
          kept.push(given, problem);
        },
      },
      recordHandling().telemetry,
    );
    expect(kept).toEqual([{ id: "a", data }, "not JSON"]);
    expect(results).toEqual([malformed]);
  });

  test("fault 37: that cannot be kept fail rather than get lost", async () => {
    const results = await quarantine(
      [malformed, { ...malformed, id: "b", result: "handled" }],
      [record("a", "x"), record("b", "y")],
      {
        async keep() {
          throw new Error("no bucket");
        },
      },
      recordHandling().telemetry,
    );
    expect(results.map(({ result }) => result)).toEqual(["failed", "handled"]);
  });
});

describe("the bytes of a record", () => {
  test("come from its base64 text; what is none is kept as it came, with the problem", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
        const { data, problem } = fromBase64(Buffer.from(bytes).toString("base64"));
        expect([...data]).toEqual([...bytes]);
        expect(problem).toBeUndefined();
      }),
      { numRuns: 50 },
    );
    expect(fromBase64("%%% ÿ")).toEqual({ data: Buffer.from("%%% ÿ"), problem: "not base64" });
    expect(fromBase64("AA")).toEqual({ data: Buffer.from("AA"), problem: "not base64" });
    for (const nothing of [undefined, null, 7, {}]) {
      expect(fromBase64(nothing)).toEqual({ data: new Uint8Array(), problem: "no data" });
    }
  });

  test("hold one JSON value or several, joined by line breaks or by nothing", () => {
    fc.assert(
      fc.property(
        fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { minLength: 1, maxLength: 5 }),
        fc.constantFrom("\n", "", "\r\n", " "),
        (values, joint) => {
          const texts = values.map((value) => JSON.stringify(value));
          expect(decodeRecord(Buffer.from(texts.join(joint)))).toEqual({
            type: "values",
            values: texts.map((text) => JSON.parse(text) as unknown),
          });
        },
      ),
    );
  });

  test("hold the objects of a text as they are cut, and nothing of what is between them", () => {
    const values = [{ a: '}"{\\' }, { b: { c: "\\" } }];
    const text = ` \n${values.map((value) => JSON.stringify(value)).join(" \r\n")}\n `;
    expect(decodeRecord(Buffer.from(text))).toEqual({ type: "values", values });
    expect(decodeRecord(Buffer.from('{"a":1} 7'))).toEqual({ type: "values", values: [{ a: 1 }, 7] });
    expect(decodeRecord(Buffer.from('[{"a":1}]'))).toEqual({ type: "values", values: [[{ a: 1 }]] });
    expect(decodeRecord(Buffer.from("[1] [2]"))).toEqual({ type: "malformed", problem: "not JSON" });
  });

  test("are malformed as a whole where a part cannot be read", () => {
    for (const text of ['{"a":1}{"b":', '{"a":1}\nrest', "{}}", "{'a':1}", "   "]) {
      expect(decodeRecord(Buffer.from(text)).type).toBe("malformed");
    }
  });
});

describe("messages of the retry queue", () => {
  test("come out as they went in", () => {
    const retryMessage = { kind: "retry-message", application_message_id: "a", attempt: 2, deferrals: 1 };
    const waiting = { kind: "waiting-event", event: failureEvent(), first_seen_at: startOfTest };
    expect(readQueueMessage(JSON.stringify(retryMessage))).toEqual(retryMessage);
    expect(readQueueMessage(JSON.stringify(waiting))).toEqual(waiting);
    const check = {
      kind: "receipt-check",
      application_message_id: "a",
      attempt: 0,
      failing_since: startOfTest,
    };
    expect(readQueueMessage(JSON.stringify(check))).toEqual(check);
  });

  test("of other projects are not read, whatever they are", () => {
    for (const body of [
      "",
      "{",
      "null",
      "{}",
      '{"kind":"retry-message","application_message_id":"a","attempt":-1}',
      '{"kind":"receipt-check","application_message_id":"a"}',
    ]) {
      expect(readQueueMessage(body)).toBeUndefined();
    }
    fc.assert(fc.property(fc.string(), (body) => expect(readQueueMessage(body)).toBeUndefined()));
  });
});
