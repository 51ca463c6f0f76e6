import { eventFilterPatterns } from "../../functions/contract/event-filter.ts";
import { type TrackDeliveries, trackDeliveriesValues } from "../../functions/contract/guarantees.ts";
import { parseDeliveryEvent } from "../../functions/core/events/parse-delivery-event.ts";
import {
  type EventKind,
  eventFormats,
  otherEventTypes,
  smsEventTypes,
} from "../../functions/core/events/statuses.ts";
import { eventMatcher, InvalidFilterPatternError } from "../../local/lambda/filter-pattern.ts";

describe("filter patterns", () => {
  const matches = (pattern: object, event: unknown) => eventMatcher([JSON.stringify(pattern)])(event);

  it("match exactly one of the listed values, in nested objects", () => {
    const pattern = { data: { event_type: ["_SMS.FAILURE", "_SMS.OPTOUT"] } };

    expect(matches(pattern, { data: { event_type: "_SMS.OPTOUT", more: 1 } })).toBe(true);
    expect(matches(pattern, { data: { event_type: "_SMS.BUFFERED" } })).toBe(false);
    expect(matches(pattern, { data: {} })).toBe(false);
    expect(matches(pattern, { data: "text" })).toBe(false);
    expect(matches(pattern, "text")).toBe(false);
  });

  it("match a list in the event if any of its values does", () => {
    expect(matches({ a: ["x"] }, { a: ["w", "x"] })).toBe(true);
    expect(matches({ a: ["x"] }, { a: [] })).toBe(false);
  });

  it("tell numbers from texts, and null from a missing key", () => {
    expect(matches({ a: [1] }, { a: "1" })).toBe(false);
    expect(matches({ a: [null] }, { a: null })).toBe(true);
    expect(matches({ a: [null] }, {})).toBe(false);
  });

  it("know exists, prefix and anything-but", () => {
    expect(matches({ a: [{ exists: true }] }, { a: 1 })).toBe(true);
    expect(matches({ a: [{ exists: true }] }, {})).toBe(false);
    expect(matches({ a: [{ exists: false }] }, {})).toBe(true);
    expect(matches({ a: [{ prefix: "_SMS" }] }, { a: "_SMS.SUCCESS" })).toBe(true);
    expect(matches({ a: [{ prefix: "_SMS" }] }, { a: 5 })).toBe(false);
    expect(matches({ a: [{ "anything-but": ["x"] }] }, { a: "y" })).toBe(true);
    expect(matches({ a: [{ "anything-but": ["x"] }] }, { a: "x" })).toBe(false);
    expect(matches({ a: [{ "anything-but": "x" }] }, {})).toBe(false);
  });

  it("know that exists looks at leaves: nothing exists below what is missing or no object", () => {
    const pattern = { data: { application: { app_id: [{ exists: false }, "ours"] } } };

    for (const data of [{}, { application: {} }, { application: { app_id: [] } }, { application: "x" }]) {
      expect(matches(pattern, { data })).toBe(true);
    }
    expect(matches(pattern, { data: { application: { app_id: { id: "ours" } } } })).toBe(true);
    expect(matches(pattern, { data: { application: { app_id: "ours", sdk: {} } } })).toBe(true);
    expect(matches(pattern, { data: { application: [{ app_id: "ours" }] } })).toBe(true);
    for (const app_id of ["theirs", "", null, 7, "OURS"]) {
      expect(matches(pattern, { data: { application: { app_id } } })).toBe(false);
    }
    expect(matches(pattern, { data: { application: [{ app_id: "theirs" }] } })).toBe(false);
    expect(matches({ a: [{ exists: true }] }, { a: { b: 1 } })).toBe(false);
  });

  it("let an event through if any of several matches, or if there is none", () => {
    const either = eventMatcher(['{"a":[1]}', '{"b":[1]}']);

    expect(either({ b: 1 })).toBe(true);
    expect(either({ c: 1 })).toBe(false);
    expect(eventMatcher([])({})).toBe(true);
  });

  it.each([
    ["no JSON", "{", /not JSON/],
    ["no object", "[]", /no JSON object/],
    ["a bare value as a rule", '{"a":1}', /"a" is neither/],
    [
      "what only an event bus excludes by",
      '{"a":[{"anything-but":{"prefix":"x"}}]}',
      /"anything-but" for "a"/,
    ],
    ["an operator that Lambda may know and this does not", '{"a":[{"cidr":"x"}]}', /"a" uses an unknown/],
  ])("refuse %s", (_what, pattern, problem) => {
    expect(() => eventMatcher([pattern])).toThrow(InvalidFilterPatternError);
    expect(() => eventMatcher([pattern])).toThrow(problem);
  });

  it("of the event source mapping let both event formats' final events through, and no others", () => {
    const reaches = eventMatcher(eventFilterPatterns("retried", "ours"));

    expect(reaches({ data: { event_type: "_SMS.SUCCESS" } })).toBe(true);
    expect(reaches({ data: { eventType: "TEXT_UNREACHABLE" } })).toBe(true);
    expect(reaches({ data: { event_type: "_SMS.BUFFERED" } })).toBe(false);
    expect(reaches({ data: { event_type: "_email.send" } })).toBe(false);
    expect(reaches({ data: { eventType: "TEXT_QUEUED" } })).toBe(false);
  });

  it.each(["_SMS.SOMETHING", "TEXT_SOMETHING"])(
    "fault 13: of the event source mapping let %s through, a type that nobody has listed",
    (type) => {
      const event = type.startsWith("_")
        ? { event_type: type, application: { app_id: "ours" } }
        : { eventType: type, messageStatus: "SOMETHING", isFinal: true };
      for (const tracking of trackDeliveriesValues) {
        expect(eventMatcher(eventFilterPatterns(tracking, "ours"))({ data: event })).toBe(true);
      }
    },
  );

  it("of the event source mapping agree with the parser about every listed type", () => {
    const kept = (tracking: TrackDeliveries, kind: EventKind) =>
      kind === "in-progress" || (kind === "success" && tracking === "none");
    const keys = { pinpoint: "event_type", "end-user-messaging": "eventType" };
    for (const tracking of trackDeliveriesValues) {
      const reaches = eventMatcher(eventFilterPatterns(tracking, "ours"));
      for (const format of eventFormats) {
        for (const [type, kind] of smsEventTypes[format].kinds) {
          const isKept = kept(tracking, kind);
          expect([type, tracking, reaches({ data: { [keys[format]]: type } })]).toEqual([
            type,
            tracking,
            !isKept,
          ]);
        }
        for (const type of otherEventTypes[format]) {
          expect([type, reaches({ data: { [keys[format]]: type } })]).toEqual([type, false]);
          expect([type, parseDeliveryEvent({ [keys[format]]: type })]).toEqual([type, { type: "not-sms" }]);
        }
      }
    }
  });

  it("of the event source mapping are within Lambda's 4,096 characters", () => {
    for (const pattern of eventFilterPatterns("none", "0".repeat(32)))
      expect(pattern.length).toBeLessThan(4_096);
  });

  it("fault 68: of the event source mapping hold another project's events back, and no others", () => {
    const reaches = eventMatcher(eventFilterPatterns("retried", "ours"));
    const event = { event_type: "_SMS.FAILURE" };

    expect(reaches({ data: { ...event, application: { app_id: "theirs", sdk: {} } } })).toBe(false);
    expect(reaches({ data: { ...event, application: { app_id: "ours", sdk: {} } } })).toBe(true);
    expect(reaches({ data: { ...event, application: { sdk: {} } } })).toBe(true);
    expect(reaches({ data: { eventType: "TEXT_UNREACHABLE", application: { app_id: "theirs" } } })).toBe(
      true,
    );
  });
});
