import fc from "fast-check";
import { classify, loggableStatus } from "../../../functions/core/events/classification.ts";
import { parseDeliveryEvent } from "../../../functions/core/events/parse-delivery-event.ts";
import { highestMaxRetries } from "../../../functions/core/events/send-context.ts";
import { defaultRetryableStatuses } from "../../../functions/core/events/statuses.ts";
import { pinpointRecord, startOfTest } from "../../support/messages.ts";

function smsEvent(value: unknown) {
  const parsed = parseDeliveryEvent(value);
  if (parsed.type !== "sms") throw new Error(`parsed as ${parsed.type}`);
  return parsed.event;
}

const endUserMessagingRecord = (changes: Record<string, unknown> = {}) => ({
  eventType: "TEXT_UNREACHABLE",
  eventVersion: "1.0",
  eventTimestamp: (startOfTest + 5) * 1000,
  isFinal: true,
  originationPhoneNumber: "+447700900999",
  destinationPhoneNumber: "+447700900123",
  isoCountryCode: "GB",
  messageId: "msg-0",
  messageRequestTimestamp: startOfTest * 1000,
  messageEncoding: "GSM",
  messageType: "TRANSACTIONAL",
  messageStatus: "UNREACHABLE",
  context: { application_message_id: "order-4711", retry_attempt: "2" },
  totalMessageParts: 1,
  ...changes,
});

describe("a Pinpoint event", () => {
  test("is read with all that we use of it", () => {
    expect(smsEvent(pinpointRecord())).toEqual({
      format: "pinpoint",
      kind: "failure",
      status: "UNREACHABLE",
      messageId: "msg-0",
      applicationMessageId: "order-4711",
      attempt: 0,
      destinationNumber: "+447700900123",
      messageType: "TRANSACTIONAL",
      occurredAt: startOfTest + 5,
    });
  });

  test("may carry its context as an object, as text, as nonsense, or not at all", () => {
    const contextOf = (customer_context: unknown) => {
      const { applicationMessageId, attempt } = smsEvent(
        pinpointRecord({ attributes: { customer_context } }),
      );
      return { applicationMessageId, attempt };
    };
    const full = { applicationMessageId: "a", attempt: 2 };
    expect(contextOf({ application_message_id: "a", retry_attempt: "2" })).toEqual(full);
    expect(contextOf('{"application_message_id":"a","retry_attempt":2}')).toEqual(full);
    expect(contextOf('{"application_message_id":"a","retry_attempt":"two"}')).toEqual({
      applicationMessageId: "a",
    });
    for (const nothing of ["not JSON", "[]", "null", 7, null, undefined, { application_message_id: "" }]) {
      expect(contextOf(nothing)).toEqual({});
    }
  });

  test("fault 15: a sentence as status, without number, type and price, is read for what it is", () => {
    const event = smsEvent({
      event_type: "_SMS.FAILURE",
      attributes: {
        record_status: "Failed to send because phoneNumber provided is empty or null.",
        iso_country_code: "XX",
      },
    });
    expect(event).toEqual({
      format: "pinpoint",
      kind: "failure",
      status: "Failed to send because phoneNumber provided is empty or null.",
    });
  });

  test("with attributes of wrong types keeps its right ones", () => {
    const event = smsEvent(
      pinpointRecord({ event_timestamp: "today", attributes: { destination_phone_number: 447700900123 } }),
    );
    expect(event).toMatchObject({ status: "UNREACHABLE", messageId: "msg-0" });
    expect(event).not.toHaveProperty("destinationNumber");
    expect(event).not.toHaveProperty("occurredAt");
  });

  test("fault 7: BUFFERED is in progress, whatever its status", () => {
    for (const record_status of ["PENDING", "SUCCESSFUL"]) {
      const value = pinpointRecord({ event_type: "_SMS.BUFFERED", attributes: { record_status } });
      expect(smsEvent(value).kind).toBe("in-progress");
    }
  });
});

describe("an End User Messaging event", () => {
  test("is read into the same form", () => {
    expect(smsEvent(endUserMessagingRecord())).toEqual({
      format: "end-user-messaging",
      kind: "failure",
      status: "UNREACHABLE",
      messageId: "msg-0",
      applicationMessageId: "order-4711",
      attempt: 2,
      destinationNumber: "+447700900123",
      messageType: "TRANSACTIONAL",
      origination: "+447700900999",
      occurredAt: startOfTest + 5,
      requestedAt: startOfTest,
    });
  });

  test("fault 7: queued, pending, sent and anything not final is in progress", () => {
    for (const eventType of ["TEXT_QUEUED", "TEXT_PENDING", "TEXT_SENT"]) {
      expect(smsEvent(endUserMessagingRecord({ eventType })).kind).toBe("in-progress");
    }
    expect(smsEvent(endUserMessagingRecord({ isFinal: false })).kind).toBe("in-progress");
  });

  test("fault 8: SUCCESSFUL is a delivery only where final; an UNREACHABLE after it is a failure", () => {
    const kindOf = (eventType: string, isFinal: boolean) => {
      return smsEvent(endUserMessagingRecord({ eventType, isFinal })).kind;
    };
    expect(kindOf("TEXT_SUCCESSFUL", true)).toBe("success");
    expect(kindOf("TEXT_SUCCESSFUL", false)).toBe("in-progress");
    expect(kindOf("TEXT_UNREACHABLE", true)).toBe("failure");
  });

  test("of a type that nobody knows is unrecognized", () => {
    expect(smsEvent(endUserMessagingRecord({ eventType: "TEXT_TELEPORTED" })).kind).toBe("unrecognized");
    expect(smsEvent(pinpointRecord({ event_type: "_SMS.TELEPORTED" })).kind).toBe("unrecognized");
    expect(smsEvent(pinpointRecord({ event_type: "_SMS.constructor" })).kind).toBe("unrecognized");
    const named = pinpointRecord({
      event_type: "_SMS.TELEPORTED",
      attributes: { record_status: "UNREACHABLE" },
    });
    expect(smsEvent(named).status).toBe("TELEPORTED");
  });
});

describe("what an event tells of its send", () => {
  const inBoth = (origination: unknown, context: unknown) => [
    smsEvent(
      pinpointRecord({
        attributes: { origination_phone_number: origination, customer_context: JSON.stringify(context) },
      }),
    ),
    smsEvent(endUserMessagingRecord({ originationPhoneNumber: origination, context })),
  ];

  test.each(["+447700900999", "12345", "MYBRAND", "24-seven_x"])(
    "is the identity %s, a number or a sender id",
    (origination) => {
      for (const event of inBoth(origination, {})) expect(event).toMatchObject({ origination });
    },
  );

  test.each(["", " ", "MY BRAND", "LONGERTHAN11", "+", `+1${"2".repeat(19)}`, 447700900999, null, ["SHOP"]])(
    "is no identity where it says %j",
    (origination) => {
      for (const event of inBoth(origination, {})) {
        expect(event).not.toHaveProperty("origination");
        expect(event).toMatchObject({ status: "UNREACHABLE", messageId: "msg-0" });
      }
    },
  );

  test("is the application's own context", () => {
    const context = { application_message_id: "order-4711", retry_attempt: "1", shop: "berlin", till: 7 };
    for (const event of inBoth("SHOP", context)) {
      expect(event).toMatchObject({ applicationMessageId: "order-4711", attempt: 1 });
      expect(event.ownContext).toStrictEqual({ shop: "berlin" });
    }
    for (const event of inBoth("SHOP", { application_message_id: "order-4711" })) {
      expect(event).not.toHaveProperty("ownContext");
    }
  });
});

describe("an RCS event, by its type, its final flag and what it says of a fallback", () => {
  const kindOf = (event: object) => {
    const parsed = parseDeliveryEvent(event);
    return parsed.type === "sms" ? [parsed.event.kind, parsed.event.status] : parsed.type;
  };
  test.each<[string, object, string]>([
    ["RCS_DELIVERED", { isFinal: true }, "success"],
    // It may still be read.
    ["RCS_DELIVERED", { isFinal: false }, "success"],
    ["RCS_DELIVERED", {}, "success"],
    ["RCS_READ", { isFinal: true }, "success"],
    ["RCS_FAILED", { isFinal: true }, "failure"],
    ["RCS_FAILED", {}, "failure"],
    ["RCS_FAILED", { isFinal: false }, "in-progress"],
    ["RCS_FAILED", { isFinal: true, fallbackChannel: "SMS" }, "in-progress"],
    ["RCS_FAILED", { isFinal: true, fallback: { channel: "SMS" } }, "in-progress"],
    ["RCS_FAILED", { isFinal: true, fallbackTriggered: false }, "failure"],
    ["RCS_FAILED", { isFinal: true, fallbackChannel: "none" }, "failure"],
    ["RCS_FAILED", { isFinal: true, fallbackMessageId: null }, "failure"],
    ["RCS_FAILED", { isFinal: true, fallbackMessageId: "" }, "failure"],
    ["RCS_FAILED", { isFinal: true, fallbackTriggered: "false" }, "failure"],
    ["RCS_FAILED", { isFinal: true, without_fallback: true }, "failure"],
    ["RCS_TTL_EXPIRED", { isFinal: true }, "failure"],
    ["RCS_TTL_EXPIRED", { isFinal: true, fallbackMessageId: "m" }, "in-progress"],
    ["RCS_FALLEN_BACK_TO_SMS", { isFinal: true }, "in-progress"],
    ["RCS_QUEUED", { isFinal: false }, "in-progress"],
    ["RCS_SENT", { isFinal: true }, "in-progress"],
    ["RCS_PROTECT_BLOCKED", { isFinal: true }, "in-progress"],
    ["RCS_QUITE_NEW", { isFinal: true }, "unrecognized"],
    ["RCS_QUITE_NEW", { isFinal: true, fallbackChannel: "SMS" }, "unrecognized"],
  ])("%s with %j is %s", (eventType, fields, kind) => {
    expect(kindOf({ eventType, ...fields })).toEqual([kind, eventType.slice("RCS_".length)]);
  });

  test.each([
    ["TEXT_SUCCESSFUL", { isFinal: true }, "success"],
    ["TEXT_SUCCESSFUL", { isFinal: false }, "in-progress"],
    ["TEXT_SUCCESSFUL", {}, "in-progress"],
    // What only RCS says of a fallback does not concern an SMS.
    ["TEXT_UNREACHABLE", { isFinal: true, fallbackChannel: "SMS" }, "failure"],
    ["TEXT_UNREACHABLE", { isFinal: false }, "in-progress"],
  ])("as %s with %j is %s", (eventType, fields, kind) => {
    expect(kindOf({ eventType, ...fields })).toEqual([kind, eventType.slice("TEXT_".length)]);
  });
});

describe("what is not an SMS event", () => {
  test.each(["_email.delivered", "_campaign.send", "_journey.send", "_session.start", "_VOICE.SUCCESS"])(
    "fault 14: %s passes through",
    (event_type) => expect(parseDeliveryEvent({ event_type, attributes: {} })).toEqual({ type: "not-sms" }),
  );

  test.each(["VOICE_COMPLETED", "MEDIA_DELIVERED"])("fault 14: %s passes through", (eventType) =>
    expect(parseDeliveryEvent({ eventType })).toEqual({ type: "not-sms" }),
  );

  test.each([null, 7, "text", [], {}, { event_type: 7 }, { eventType: null }])("%j is malformed", (value) =>
    expect(parseDeliveryEvent(value)).toMatchObject({ type: "malformed" }),
  );
});

describe("the parser", () => {
  test("never throws and never quotes, whatever JSON comes", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const parsed = parseDeliveryEvent(value);
        expect(["sms", "not-sms", "malformed"]).toContain(parsed.type);
      }),
    );
  });

  test("never throws on an event with any attributes", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("_SMS.FAILURE", "_SMS.SUCCESS", "_SMS.OPTOUT"),
        fc.dictionary(
          fc.constantFrom("message_id", "record_status", "customer_context", "destination_phone_number", "x"),
          fc.jsonValue(),
        ),
        (event_type, attributes) => {
          expect(parseDeliveryEvent({ event_type, attributes }).type).toBe("sms");
        },
      ),
    );
  });
});

describe("classification", () => {
  const retryable = new Set(defaultRetryableStatuses);
  const classOf = (record_status: string, event_type = "_SMS.FAILURE", statuses = retryable) =>
    classify(smsEvent(pinpointRecord({ event_type, attributes: { record_status } })), statuses);

  test("knows the four retryable statuses and the alias EXPIRED", () => {
    for (const status of [...defaultRetryableStatuses, "EXPIRED"]) expect(classOf(status)).toBe("retryable");
  });

  test("lets a deployment retry what AWS calls permanent, and leave out what it calls retryable", () => {
    expect(classOf("BLOCKED", "_SMS.FAILURE", new Set(["BLOCKED"]))).toBe("retryable");
    expect(classOf("UNKNOWN", "_SMS.FAILURE", new Set(["BLOCKED"]))).toBe("permanent");
  });

  test("never retries a success, an opt-out or an event in progress by its status", () => {
    expect(classOf("UNREACHABLE", "_SMS.SUCCESS")).toBe("delivered");
    expect(classOf("UNREACHABLE", "_SMS.OPTOUT")).toBe("opted-out");
    expect(classOf("UNREACHABLE", "_SMS.BUFFERED")).toBe("in-progress");
    expect(classOf("OPTED_OUT")).toBe("opted-out");
  });
});

describe("fields that an event does not have", () => {
  test("are absent, not undefined", () => {
    expect(smsEvent({ event_type: "_SMS.OPTOUT" })).toStrictEqual({
      format: "pinpoint",
      kind: "opt-out",
      status: "OPTOUT",
    });
    expect(smsEvent({ eventType: "TEXT_BLOCKED" })).toStrictEqual({
      format: "end-user-messaging",
      kind: "failure",
      status: "BLOCKED",
    });
  });

  test.each([
    ["Promotional", { messageType: "PROMOTIONAL" }],
    ["transactional", { messageType: "TRANSACTIONAL" }],
    ["MARKETING", {}],
  ])("a message type of %s is read in both event formats as %j", (messageType, expected) => {
    expect(smsEvent({ eventType: "TEXT_BLOCKED", messageType })).toStrictEqual({
      format: "end-user-messaging",
      kind: "failure",
      status: "BLOCKED",
      ...expected,
    });
    expect(smsEvent({ event_type: "_SMS.OPTOUT", attributes: { message_type: messageType } })).toStrictEqual({
      format: "pinpoint",
      kind: "opt-out",
      status: "OPTOUT",
      ...expected,
    });
  });
});

describe("the kind of an End User Messaging event", () => {
  const kindOf = (eventType: string, isFinal?: unknown) => smsEvent({ eventType, isFinal }).kind;

  test("is what AWS lists for its type, unless the event says that it is not final", () => {
    expect(kindOf("TEXT_DELIVERED")).toBe("success");
    expect(kindOf("TEXT_DELIVERED", true)).toBe("success");
    expect(kindOf("TEXT_DELIVERED", false)).toBe("in-progress");
    expect(kindOf("TEXT_SUCCESSFUL")).toBe("in-progress");
    expect(kindOf("TEXT_SUCCESSFUL", "yes")).toBe("in-progress");
    expect(kindOf("TEXT_TELEPORTED", false)).toBe("in-progress");
  });
});

describe("the context of a send", () => {
  const contextOf = (customer_context: unknown) => {
    const {
      format: _,
      kind: __,
      status: ___,
      ...context
    } = smsEvent({
      event_type: "_SMS.FAILURE",
      attributes: { customer_context },
    });
    return context;
  };

  test("gives an id of up to 2,048 bytes, the longest key of a table", () => {
    const id = "€".repeat(682);
    expect(contextOf({ application_message_id: `${id}ab` })).toEqual({ applicationMessageId: `${id}ab` });
    expect(contextOf({ application_message_id: `${id}abc` })).toStrictEqual({});
  });

  test.each(["half\ud800", "\udc00", "x\udbff x"])("gives no id for %j, which has no UTF-8 form", (id) => {
    expect(contextOf({ application_message_id: id })).toStrictEqual({});
  });

  test("gives every attempt that a deployment can have, as a number or as its decimal text", () => {
    for (let attempt = 0; attempt <= highestMaxRetries; attempt += 1) {
      expect(contextOf({ retry_attempt: attempt })).toStrictEqual({ attempt });
      expect(contextOf({ retry_attempt: String(attempt) })).toStrictEqual({ attempt });
    }
    expect(contextOf('{"retry_attempt":-0}')).toStrictEqual({ attempt: 0 });
  });

  const nested = JSON.parse(`${"[".repeat(4_000)}1${"]".repeat(4_000)}`) as unknown;
  test.each<[string, unknown]>([
    ["a number below 0", -1],
    ["a text below 0", "-1"],
    ["a fraction", 0.5],
    ["a number above every max_retries", highestMaxRetries + 1],
    ["the largest integer", Number.MAX_SAFE_INTEGER],
    ["null", null],
    ["true", true],
    ["an empty text", ""],
    ["a blank", " "],
    ["a number with a blank", " 1"],
    ["a leading zero", "01"],
    ["a plus", "+1"],
    ["a point", "1."],
    ["hexadecimal", "0x1"],
    ["an exponent", "1e0"],
    ["an exponent beyond all numbers", "1e999"],
    ["another script's digit", "١"],
    ["8 kB of digits", "1".repeat(8_192)],
    ["a list of one", [1]],
    ["a list of nothing, which converts to 0", []],
    ["4 000 nested lists", nested],
    ["an object", {}],
    ["an object that converts itself", { valueOf: 1, toString: 1 }],
  ])("fault 65: gives no attempt for %s", (_what, retry_attempt) => {
    expect(contextOf({ retry_attempt })).toStrictEqual({});
    expect(contextOf({ application_message_id: "a", retry_attempt })).toStrictEqual({
      applicationMessageId: "a",
    });
  });

  test("is not looked for in the JSON text of a JSON text", () => {
    const text = JSON.stringify({ application_message_id: "a", retry_attempt: "1" });
    expect(contextOf(text)).toStrictEqual({ applicationMessageId: "a", attempt: 1 });
    expect(contextOf(JSON.stringify(text))).toStrictEqual({});
  });

  test("takes its fields from itself alone, whatever it says its prototype is", () => {
    expect(contextOf('{"__proto__":{"application_message_id":"a","retry_attempt":1}}')).toStrictEqual({});
    expect(({} as Record<string, unknown>).application_message_id).toBeUndefined();
  });
});

describe("the class of a status", () => {
  const classOf = (record_status: string) =>
    classify(
      smsEvent(pinpointRecord({ event_type: "_SMS.FAILURE", attributes: { record_status } })),
      new Set(defaultRetryableStatuses),
    );

  test.each([
    "INVALID",
    "INVALID_MESSAGE",
    "BLOCKED",
    "CARRIER_BLOCKED",
    "SPAM",
    "PROTECT_BLOCKED",
    "MAX_PRICE_EXCEEDED",
  ])("%s is permanent", (status) => expect(classOf(status)).toBe("permanent"));

  test("OPTOUT is an opt-out, and a word that nobody knows is unrecognized", () => {
    expect(classOf("OPTOUT")).toBe("opted-out");
    expect(classOf("TELEPORTED")).toBe("unrecognized");
    const unknownType = smsEvent(pinpointRecord({ event_type: "_SMS.TELEPORTED" }));
    expect(classify(unknownType, new Set(["UNREACHABLE"]))).toBe("unrecognized-type");
  });

  test.each([
    ["UNREACHABLE", "UNREACHABLE"],
    ["PROTECT_BLOCKED", "PROTECT_BLOCKED"],
    [`A${"_".repeat(63)}`, `A${"_".repeat(63)}`],
    [`A${"_".repeat(64)}`, "FREE_TEXT"],
    ["+447700900123", "FREE_TEXT"],
    ["to 447700900123 BLOCKED", "FREE_TEXT"],
    ["BLOCKED for +447700900123", "FREE_TEXT"],
    ["", "FREE_TEXT"],
  ])("%j may be logged as %s", (status, logged) => expect(loggableStatus(status)).toBe(logged));
});
