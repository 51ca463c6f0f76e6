/** A batch of stream records seen from outside: its answers, its time, and what an operator sees of it. */

import type { Message } from "../../functions/core/message/message.ts";
import type { MessageStore } from "../../functions/core/message/message-store.ts";
import { type EventResult, reportEvent } from "../../functions/core/observability/reports.ts";
import { handleRecords, type RecordDependencies } from "../../functions/core/processing/handle-records.ts";
import { quarantine } from "../../functions/core/processing/quarantine.ts";
import type { QueueEntry } from "../../functions/core/queue/retry-queue.ts";
import { pinpointRecord, retryPolicy, sentMessage, startOfTest } from "../support/messages.ts";
import { recordedTelemetry } from "../support/recorded-telemetry.ts";
import { storeOnModel } from "../support/store-on-model.ts";
import { virtualTime } from "../support/virtual-time.ts";

const json = (id: string, ...values: unknown[]) => ({
  id,
  data: Buffer.from(values.map((value) => JSON.stringify(value)).join("\n")),
});
const email = { event_type: "_email.delivered" };
const failureOf = (id: string, event_type = "_SMS.FAILURE") =>
  pinpointRecord({
    event_type,
    attributes: { customer_context: { application_message_id: id, retry_attempt: "0" } },
  });

/** A deployment on virtual time, whose table and queue may be slow or down. */
function deployment(
  ids: readonly string[],
  changes: Partial<RecordDependencies> & { readonly table?: Partial<MessageStore> } = {},
) {
  const time = virtualTime(startOfTest);
  const telemetry = recordedTelemetry();
  const queued: QueueEntry[] = [];
  const items = ids.map((id) => sentMessage({ application_message_id: id }));
  const inMemory = storeOnModel(...items);
  const reads: string[][] = [];
  const store: MessageStore = {
    ...inMemory,
    readMany: async (keys) => {
      reads.push([...keys]);
      return inMemory.readMany(keys);
    },
    ...changes.table,
  };
  const handling: RecordDependencies = {
    policy: retryPolicy(),
    recordsEveryDelivery: false,
    smsServices: new Set<never>(),
    clock: time,
    random: { next: () => 0.5, id: () => "id" },
    queue: {
      async put(entries) {
        queued.push(...entries);
        return entries.map(() => true);
      },
    },
    telemetry,
    endsAt: startOfTest + 60,
    ...changes,
    store,
  };
  return {
    time,
    telemetry,
    queued,
    reads,
    handling,
    message: (id: string) => inMemory.items.get(id),
    inMemory,
  };
}

/** The same deployment, whose table writes in another way. */
function writing(
  world: ReturnType<typeof deployment>,
  writeWith: (change: MessageStore["change"]) => MessageStore["change"],
): ReturnType<typeof deployment> {
  const { store } = world.handling;
  const handling = { ...world.handling, store: { ...store, change: writeWith(store.change) } };
  return { ...world, handling };
}

/** The results, and when they were there. */
async function handle(
  records: Parameters<typeof handleRecords>[0],
  { handling, time }: Pick<ReturnType<typeof deployment>, "handling" | "time">,
) {
  let answeredAfter = Number.NaN;
  const work = handleRecords(records, handling).then((results) => {
    answeredAfter = time.now() - startOfTest;
    return results;
  });
  const [results] = await Promise.all([work, time.run()]);
  return { results, answeredAfter };
}

describe("a record", () => {
  test("of failures alone holds nothing else; with an email or a piece of junk it does", async () => {
    const world = deployment(["a", "b"]);
    const { results } = await handle(
      [
        json("alone", failureOf("a")),
        json("mixed", failureOf("b"), email),
        json("junk", email, { no: "event" }),
      ],
      world,
    );

    expect(results).toMatchObject([
      { id: "alone", result: "handled", holdsOthers: false, events: [{ outcome: "retry-scheduled" }] },
      { id: "mixed", result: "handled", holdsOthers: true, events: [{ outcome: "retry-scheduled" }] },
      {
        id: "junk",
        result: "malformed",
        problem: "neither event_type nor eventType",
        holdsOthers: true,
        events: [],
      },
    ]);
    expect(results[0]).not.toHaveProperty("problem");
    expect(world.telemetry.counts).toEqual({ RetryScheduled: 2, NotSms: 2, RecordMalformed: 1 });
  });

  test("that its wrapping calls unreadable is malformed for that reason, whatever is in it", async () => {
    const world = deployment(["a"]);
    const { results } = await handle([{ ...json("a", failureOf("a")), problem: "no data" }], world);

    expect(results).toEqual([
      { id: "a", result: "malformed", problem: "no data", holdsOthers: true, events: [] },
    ]);
    expect(world.reads).toEqual([]);
    expect(world.telemetry.lines).toEqual([
      [
        "warn",
        "A malformed record was quarantined; look at what writes it to the stream.",
        { record_id: "a", position: 0, reason: "no data" },
      ],
    ]);
  });

  test.each([
    [Buffer.from([0xff]), "not UTF-8"],
    [Buffer.from(" \n"), "empty"],
    [Buffer.from(""), "empty"],
    [Buffer.from("{"), "not JSON"],
    [Buffer.from("junk"), "not JSON"],
    [Buffer.from("7"), "not a JSON object"],
    [Buffer.from('{"event_type":7}'), "event_type is not a text"],
    [Buffer.from('{"eventType":7}'), "eventType is not a text"],
  ])("with the bytes %j is malformed: %s", async (data, problem) => {
    const { results } = await handle([{ id: "a", data }], deployment([]));
    expect(results).toMatchObject([{ result: "malformed", problem, holdsOthers: true }]);
  });
});

describe("the table", () => {
  test("is read once for a batch, each key once, and not at all without events", async () => {
    const world = deployment(["a", "b"]);
    await handle([json("1", failureOf("a"), failureOf("a")), json("2", failureOf("b"))], world);
    expect(world.reads).toEqual([["a", "b"]]);

    const without = deployment([]);
    await handle([json("1", email)], without);
    expect(without.reads).toEqual([]);
  });

  test("that cannot be read for the batch is read for each event", async () => {
    const world = deployment(["a"], {
      table: {
        readMany: async () => {
          throw Object.assign(new Error("+447700900123"), { name: "ThrottlingException" });
        },
      },
    });
    const { results } = await handle([json("1", failureOf("a"))], world);

    expect(results).toMatchObject([{ result: "handled" }]);
    expect(world.telemetry.lines[0]).toEqual([
      "warn",
      "The batch read failed; every event reads its own item.",
      { error: "ThrottlingException" },
    ]);
  });

  test("is not asked again for what the batch read gave", async () => {
    let reads = 0;
    const world = deployment(["a"], {
      table: {
        read: async () => {
          reads += 1;
          return undefined;
        },
      },
    });
    await handle([json("1", failureOf("a"))], world);
    expect(reads).toBe(0);
    expect(world.telemetry.counts).toEqual({ RetryScheduled: 1 });
  });

  /** A delivery of a message that is not in the table; `retry_attempt` is the tag of our own sends. */
  const deliveryOf = (id: string, tag: { readonly retry_attempt?: string } = {}) =>
    pinpointRecord({
      event_type: "_SMS.SUCCESS",
      attributes: { record_status: "DELIVERED", customer_context: { application_message_id: id, ...tag } },
    });

  /** What became of a delivery, and how often the table was asked for its item alone. */
  async function delivered(
    event: object,
    changes: Partial<RecordDependencies> & { readonly readMany?: MessageStore["readMany"] } = {},
  ) {
    const { readMany, ...others } = changes;
    let reads = 0;
    const read = async () => {
      reads += 1;
      return undefined;
    };
    const world = deployment([], { ...others, table: { read, ...(readMany !== undefined && { readMany }) } });
    const { results } = await handle([json("1", event)], world);
    return [results[0]?.events.map(({ outcome }) => outcome), reads, world.reads.flat()];
  }

  test("is not asked again about a delivery whose message it does not have", async () => {
    expect(await delivered(deliveryOf("a"))).toEqual([["unknown-message"], 0, ["a"]]);
  });

  test("is asked again where it did not say that the message is absent", async () => {
    const readMany = async () => new Map();
    expect(await delivered(deliveryOf("a"), { readMany })).toEqual([["unknown-message"], 1, []]);
  });

  test("is asked again about a delivery with our tag, whose message was there when it was sent", async () => {
    const event = deliveryOf("a", { retry_attempt: "0" });
    expect(await delivered(event)).toEqual([["unknown-message"], 1, ["a"]]);
  });

  test("is asked again about a delivery where every one is recorded, and about a failure", async () => {
    const all = { recordsEveryDelivery: true };
    expect(await delivered(deliveryOf("a"), all)).toEqual([["waiting"], 1, ["a"]]);
    expect(await delivered(failureOf("a"))).toEqual([["waiting"], 1, ["a"]]);
  });

  test.each(["_SMS.BUFFERED", "_SMS.SOMETHING_NEW"])(
    "is not asked about an event of type %s",
    async (type) => {
      const [, reads, batch] = await delivered(failureOf("a", type));
      expect([reads, batch]).toEqual([0, []]);
    },
  );

  test("that does not answer leaves the others' retry messages five seconds, and time to answer", async () => {
    const world = writing(deployment(["a", "stuck"]), (change) => async (id, given) => {
      if (id === "stuck") await world.time.sleep(600);
      return change(id, given);
    });
    const records = [
      json("1", failureOf("stuck"), failureOf("stuck", "_SMS.SUCCESS")),
      json("2", failureOf("a")),
    ];
    const { results, answeredAfter } = await handle(records, world);

    expect(results).toMatchObject([
      { result: "failed", problem: "OutOfTime", events: [] },
      { result: "handled" },
    ]);
    expect(answeredAfter).toBe(55);
    expect(world.queued).toMatchObject([{ message: { application_message_id: "a" } }]);
    expect(world.telemetry.lines).toContainEqual([
      "error",
      "An event could not be handled now, so its record comes again; if that goes on, remove the cause.",
      { record_id: "1", position: 0, error: "OutOfTime" },
    ]);
    // What came after the answer is neither reported nor followed by the next event of the message.
    expect(world.telemetry.counts).toEqual({ RetryScheduled: 1, EventFailed: 1 });
    expect(world.message("stuck")).toMatchObject({ status: "RETRY_SCHEDULED" });
  });

  test("that fails after the answer changes nothing of the answer", async () => {
    const world = deployment(["stuck"], {
      table: {
        change: async () => {
          await world.time.sleep(600);
          throw new TypeError("too late");
        },
      },
    });
    const { results } = await handle([json("1", failureOf("stuck"))], world);
    expect(results).toMatchObject([{ result: "failed", problem: "OutOfTime" }]);
  });

  test.each([
    ["succeeds", undefined],
    ["fails", new TypeError("too late")],
  ])(
    "that %s while the retry messages go out is too late: its own would be missing",
    async (_how, failure) => {
      const queue = {
        put: async (entries: readonly QueueEntry[]) => {
          await world.time.sleep(3);
          return entries.map(() => true);
        },
      };
      const world = writing(deployment(["a", "slow"], { queue }), (change) => async (id, given) => {
        if (id === "slow") await world.time.sleep(56);
        if (id === "slow" && failure !== undefined) throw failure;
        return change(id, given);
      });
      const records = [json("1", failureOf("slow")), json("2", failureOf("a"))];
      const { results, answeredAfter } = await handle(records, world);

      expect(answeredAfter).toBe(58);
      expect(results).toMatchObject([{ result: "failed", problem: "OutOfTime" }, { result: "handled" }]);
    },
  );

  test("has at most fifty messages under way at once", async () => {
    const ids = Array.from({ length: 120 }, (_, index) => `m-${index}`);
    let underWay = 0;
    let most = 0;
    const world = writing(deployment(ids), (change) => async (id, given) => {
      underWay += 1;
      most = Math.max(most, underWay);
      await world.time.sleep(0.02);
      underWay -= 1;
      return change(id, given);
    });
    await handle([json("1", ...ids.map((id) => failureOf(id)))], world);
    expect(most).toBe(50);
  });
});

describe("the queue", () => {
  test("that does not answer fails its records when the time is over", async () => {
    const world = deployment(["a"], {
      queue: {
        put: async (entries) => {
          await world.time.sleep(600);
          return entries.map(() => true);
        },
      },
    });
    const { results, answeredAfter } = await handle([json("1", failureOf("a"))], world);

    expect(results).toMatchObject([{ result: "failed", problem: "NotQueued" }]);
    expect(answeredAfter).toBe(60);
    expect(world.telemetry.counts).toEqual({ EventFailed: 1 });
  });

  test("is not reached by what is behind an event that takes all the time: nothing new is begun", async () => {
    let changes = 0;
    const world = deployment(["a"], {
      table: {
        change: async () => {
          changes += 1;
          await world.time.sleep(600);
          throw new Error("never");
        },
      },
    });

    const { results } = await handle([json("1", failureOf("a")), json("2", failureOf("a"))], world);

    expect(results.map(({ result }) => result)).toEqual(["failed", "failed"]);
    expect(changes).toBe(1);
  });

  test("is not asked where nothing follows", async () => {
    const world = deployment(["a"], {
      queue: {
        put: async () => {
          throw new Error("asked");
        },
      },
    });
    await handle([json("1", failureOf("a", "_SMS.SUCCESS"))], world);
    expect(world.telemetry.counts).toEqual({ DeliveredAtOnce: 1 });
  });

  test("brings back an event that failed where its stream will not, half a minute later", async () => {
    const change = async (): Promise<never> => {
      throw new TypeError("down");
    };
    const world = deployment(["a"], { queuesFailedEvents: true, table: { change } });
    const { results } = await handle([json("1", failureOf("a"))], world);

    // For the stream's own answer it has failed all the same.
    expect(results).toMatchObject([{ result: "failed", problem: "TypeError" }]);
    expect(world.queued).toMatchObject([
      {
        message: {
          kind: "waiting-event",
          first_seen_at: startOfTest,
          event: { applicationMessageId: "a", status: "UNREACHABLE" },
        },
        dueAt: startOfTest + 30,
      },
    ]);

    const again = deployment(["a"], { table: { change } });
    await handle([json("1", failureOf("a"))], again);
    expect(again.queued).toEqual([]);
  });

  test("does not bring back an event whose item can never be read", async () => {
    const world = deployment([], { queuesFailedEvents: true });
    world.inMemory.items.set("a", { application_message_id: "a", retry_count: "many" });
    const { results } = await handle([json("1", failureOf("a"))], world);

    expect(results).toMatchObject([{ result: "malformed", problem: "unreadable item" }]);
    expect(world.queued).toEqual([]);
    expect(world.telemetry.counts).toEqual({ ItemUnreadable: 1 });
  });

  test("is asked again only for what it did not take", async () => {
    const asked: string[][] = [];
    const world = deployment(["a", "b"], {
      queuesFailedEvents: true,
      queue: {
        put: async (entries) => {
          const ids = entries.map(({ message }) =>
            message.kind === "retry-message" ? message.application_message_id : message.kind,
          );
          asked.push(ids);
          return ids.map((id) => id === "a" || asked.length === 2);
        },
      },
    });
    const { results, answeredAfter } = await handle(
      [json("1", failureOf("a")), json("2", failureOf("b"))],
      world,
    );

    expect(asked).toEqual([["a", "b"], ["b"]]);
    expect(answeredAfter).toBe(1);
    expect(results).toMatchObject([{ result: "handled" }, { result: "handled" }]);
  });
});

describe("what an operator sees of an event", () => {
  const changed = "A delivery event changed a message.";
  const fields = { application_message_id: "a", attempt: 1, reason: "no-item" };
  const about: Pick<EventResult, "applicationMessageId" | "attempt" | "reason"> = {
    applicationMessageId: "a",
    attempt: 1,
    reason: "no-item",
  };

  test.each([
    ["retry-scheduled", "RetryScheduled", changed],
    ["exhausted", "RetriesExhausted", changed],
    ["expired", "MessageExpired", changed],
    ["rejected", "MessageRejected", changed],
    ["opted-out", "RecipientOptedOut", changed],
    ["delivered", "SequenceDelivered", changed],
    ["delivered-at-once", "DeliveredAtOnce", undefined],
    ["absorbed", "EventAbsorbed", undefined],
    ["in-progress", "EventInProgress", undefined],
    ["waiting", "EventWaiting", undefined],
    ["unknown-message", "DeliveryUnknown", undefined],
  ] as const)("%s is counted as %s, logged: %s", (outcome, metric, text) => {
    const telemetry = recordedTelemetry();
    reportEvent({ ...about, outcome }, telemetry);
    expect(telemetry.counts).toEqual({ [metric]: 1 });
    expect(telemetry.lines).toEqual(text === undefined ? [] : [["info", text, { ...fields, outcome }]]);
  });

  test("an orphan is a warning", () => {
    const telemetry = recordedTelemetry();
    reportEvent({ outcome: "orphaned", reason: "no-item" }, telemetry);
    expect(telemetry.counts).toEqual({ EventOrphaned: 1 });
    expect(telemetry.lines).toStrictEqual([
      [
        "warn",
        "An event has no item in the table and was counted as an orphan; look when and where its item is written.",
        { outcome: "orphaned", reason: "no-item" },
      ],
    ]);
  });

  test("a status that this version does not know is a warning with its name, whatever the outcome", () => {
    const telemetry = recordedTelemetry();
    reportEvent({ ...about, outcome: "rejected", unrecognizedStatus: "TELEPORTED" }, telemetry);
    expect(telemetry.counts).toEqual({ MessageRejected: 1, StatusUnrecognized: 1 });
    expect(telemetry.lines).toEqual([
      [
        "warn",
        "An event has a status or a type that this version does not know, so it is not retried; look for a newer version.",
        { ...fields, outcome: "rejected", status: "TELEPORTED" },
      ],
    ]);
  });
});

describe("malformed records", () => {
  const malformed = { id: "a", result: "malformed", events: [], holdsOthers: true } as const;

  test("that cannot be kept are logged by their place, without their bytes", async () => {
    const telemetry = recordedTelemetry();
    const destination = {
      keep: async () => {
        throw new RangeError("the record's text");
      },
    };
    const results = await quarantine([malformed], [json("a", email)], destination, telemetry);

    expect(results).toEqual([{ ...malformed, result: "failed" }]);
    expect(telemetry.lines).toEqual([
      [
        "error",
        "A malformed record could not be kept, so its batch comes again; look at the bucket and its key.",
        { record_id: "a", position: 0, error: "RangeError" },
      ],
    ]);
  });

  test("are kept twenty at a time", async () => {
    let underWay = 0;
    let most = 0;
    const problems: string[] = [];
    const many = Array.from({ length: 50 }, () => malformed);
    const records = many.map(() => json("a", email));
    const keep = async (_: unknown, problem: string) => {
      problems.push(problem);
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise<void>((resolve) => setImmediate(resolve));
      underWay -= 1;
    };
    await quarantine(many, records, { keep }, recordedTelemetry());
    expect(most).toBe(20);
    expect(new Set(problems)).toEqual(new Set(["malformed"]));
  });
});

test("events without any id are handled on their own, and end as orphans", async () => {
  const world = deployment([]);
  const nameless = {
    event_type: "_SMS.FAILURE",
    attributes: { record_status: "UNREACHABLE" },
  };
  const { results } = await handle([json("1", nameless, nameless)], world);

  expect(results).toMatchObject([
    { result: "handled", events: [{ outcome: "orphaned" }, { outcome: "orphaned" }] },
  ]);
  expect(world.telemetry.counts).toEqual({ EventOrphaned: 2 });
  expect(world.reads).toEqual([]);
});

/** The whole item after a batch, for changes that must leave the rest alone. */
test("a batch leaves an item's own fields as they were", async () => {
  const world = deployment(["a"]);
  const before = structuredClone(world.message("a")) as unknown as Message;
  await handle([json("1", failureOf("a"))], world);
  expect(world.message("a")).toMatchObject({
    message_body: before.message_body,
    destination_number: before.destination_number,
    deadline: before.deadline,
  });
});

describe("an item that is not as it should be", () => {
  const unreadable = { application_message_id: "u", retry_count: "many", deadline: "soon" };
  const ofNewerVersion = { application_message_id: "n", status: "PAUSED", since: 7 };

  test.each([false, true])(
    "fault 67: that cannot be read is counted with its key, others are handled (back: %s)",
    async (queuesFailedEvents) => {
      const world = deployment(["a", "b"], { queuesFailedEvents });
      world.inMemory.items.set("u", unreadable);

      const { results } = await handle(
        [json("1", failureOf("a")), json("2", failureOf("u")), json("3", failureOf("b"))],
        world,
      );

      expect(results).toMatchObject([
        { result: "handled" },
        {
          result: "malformed",
          problem: "unreadable item",
          events: [{ outcome: "item-unreadable", applicationMessageId: "u", attempt: 0 }],
        },
        { result: "handled" },
      ]);
      expect(world.telemetry.counts).toEqual({ RetryScheduled: 2, ItemUnreadable: 1 });
      expect(world.telemetry.lines.filter(([level]) => level === "error")).toEqual([
        [
          "error",
          "An item cannot be read, so its message is not sent again; correct the attributes and what writes them.",
          {
            application_message_id: "u",
            attempt: 0,
            outcome: "item-unreadable",
            reason: "unreadable-item",
            attributes: ["retry_count", "deadline"],
          },
        ],
      ]);
      expect(world.queued.map(({ message }) => message.kind)).toEqual(["retry-message", "retry-message"]);
      expect(world.message("u")).toEqual(unreadable);
    },
  );

  test("fault 67: that a newer version wrote is left alone and counted, and its record is done", async () => {
    const world = deployment(["a"]);
    world.inMemory.items.set("n", ofNewerVersion);

    const { results } = await handle([json("1", failureOf("a"), failureOf("n"))], world);

    expect(results).toMatchObject([
      {
        result: "handled",
        events: [
          { outcome: "retry-scheduled", isRetried: true },
          { outcome: "item-status-unknown", applicationMessageId: "n", attempt: 0 },
        ],
      },
    ]);
    // Not every event of the record is retried, so an archive keeps it.
    expect(results[0]?.events[1]).not.toHaveProperty("isRetried");
    expect(world.telemetry.counts).toEqual({ RetryScheduled: 1, ItemStatusUnknown: 1 });
    expect(world.message("n")).toEqual(ofNewerVersion);
  });

  test("does not hide that another event of its record has failed, whichever comes first", async () => {
    for (const ids of [
      ["u", "a"],
      ["a", "u"],
    ]) {
      const world = deployment(["a"]);
      world.inMemory.items.set("u", unreadable);
      const failing = writing(world, () => async () => {
        throw new TypeError("down");
      });

      const { results } = await handle([json("1", ...ids.map((id) => failureOf(id)))], failing);

      expect(results).toMatchObject([{ result: "failed", problem: "TypeError" }]);
    }
  });
});

describe("fault 68: an event of another Pinpoint project", () => {
  const ofProject = (id: string, application: unknown) => ({ ...failureOf(id), application });

  test("is counted and left alone, with the very ids of a message of ours too", async () => {
    const world = deployment(["a", "b"], { pinpointApplicationId: "ours" });

    const { results } = await handle(
      [
        json("1", ofProject("a", { app_id: "theirs" })),
        json("2", ofProject("b", { app_id: "ours" }), ofProject("b", { app_id: "theirs" })),
      ],
      world,
    );

    expect(results).toMatchObject([
      { result: "handled", events: [], holdsOthers: true },
      { result: "handled", events: [{ outcome: "retry-scheduled" }], holdsOthers: true },
    ]);
    expect(world.telemetry.counts).toEqual({ ForeignEvent: 2, RetryScheduled: 1 });
    expect(world.message("a")).toEqual(sentMessage({ application_message_id: "a" }));
    expect(world.reads).toEqual([["b"]]);
    expect(world.queued).toHaveLength(1);
  });

  test.each<[string, unknown]>([
    ["names none", undefined],
    ["has an empty one", {}],
    ["has null", { app_id: null }],
    ["has a number", { app_id: 7 }],
    ["has an empty text", { app_id: "" }],
    ["has a text for all of it", "theirs"],
  ])("is not what an event is that %s", async (_what, application) => {
    const world = deployment(["a"], { pinpointApplicationId: "ours" });

    await handle([json("1", ofProject("a", application))], world);

    expect(world.telemetry.counts).toEqual({ RetryScheduled: 1 });
  });

  test("is not what an End User Messaging event is, which knows no projects", async () => {
    const world = deployment(["a"], { pinpointApplicationId: "ours" });
    const event = {
      eventType: "TEXT_UNREACHABLE",
      isFinal: true,
      messageId: "msg-0",
      application: { app_id: "theirs" },
      context: { application_message_id: "a", retry_attempt: "0" },
    };

    await handle([json("1", event)], world);

    expect(world.telemetry.counts).toEqual({ RetryScheduled: 1, EndUserMessagingEvent: 1 });
  });

  test("is nobody's where a deployment does not say which project is its own", async () => {
    const world = deployment(["a"]);

    await handle([json("1", ofProject("a", { app_id: "theirs" }))], world);

    expect(world.telemetry.counts).toEqual({ RetryScheduled: 1 });
  });
});
