import { originationPattern } from "../../../functions/core/events/origination.ts";
import {
  allowedRetryableStatuses,
  canonicalStatus,
  defaultRetryableStatuses,
  eventStatuses,
  otherEventTypes,
  smsEventTypes,
  statusesOf,
  statusFacts,
} from "../../../functions/core/events/statuses.ts";

describe("the table of statuses", () => {
  test("has AWS's four retryable ones as the default, in the order of its blog post", () => {
    expect(defaultRetryableStatuses).toEqual([
      "UNREACHABLE",
      "UNKNOWN",
      "CARRIER_UNREACHABLE",
      "TTL_EXPIRED",
    ]);
  });

  test.each([
    ...defaultRetryableStatuses,
    "EXPIRED",
    "BLOCKED",
    "CARRIER_BLOCKED",
    "SPAM",
    "MAX_PRICE_EXCEEDED",
  ])("allows to retry %s, which may pass", (status) => expect(allowedRetryableStatuses).toContain(status));

  test.each([
    ...["DELIVERED", "SUCCESSFUL", "QUEUED", "PENDING", "SENT"],
    ...["INVALID", "INVALID_MESSAGE", "PROTECT_BLOCKED", "OPTOUT", "OPTED_OUT"],
    ...["UNREACHABEL", "TEXT_UNREACHABLE", "unreachable", ""],
  ])("does not allow to retry %j", (status) => expect(allowedRetryableStatuses).not.toContain(status));

  test("reads an alias as what it stands for, and leaves every other word as it is", () => {
    expect(canonicalStatus("EXPIRED")).toBe("TTL_EXPIRED");
    expect(statusFacts("EXPIRED")).toBe(eventStatuses.TTL_EXPIRED);
    expect(canonicalStatus("TELEPORTED")).toBe("TELEPORTED");
    for (const word of ["TELEPORTED", "constructor", "__proto__", ""])
      expect(statusFacts(word)).toBeUndefined();
  });

  test("says which of them each event format writes", () => {
    const [pinpoint, endUserMessaging] = [statusesOf("pinpoint"), statusesOf("end-user-messaging")];

    expect(pinpoint).toEqual(expect.arrayContaining(["UNREACHABLE", "MAX_PRICE_EXCEEDED", "OPTOUT"]));
    expect(endUserMessaging).toEqual(
      expect.arrayContaining(["UNREACHABLE", "PROTECT_BLOCKED", "QUEUED", "SENT"]),
    );
    for (const status of ["PROTECT_BLOCKED", "QUEUED", "SENT"]) expect(pinpoint).not.toContain(status);
    for (const status of ["MAX_PRICE_EXCEEDED", "OPTOUT"]) expect(endUserMessaging).not.toContain(status);
  });
});

test("an allowed status is one of the table's, in a spelling that is read as it", () => {
  expect(allowedRetryableStatuses.filter((status) => statusFacts(status) === undefined)).toEqual([]);
});

describe("the types of events", () => {
  test("of SMS begin with the format's prefix, as the filter of the stream asks", () => {
    const { pinpoint, "end-user-messaging": endUserMessaging } = smsEventTypes;

    expect([...pinpoint.kinds.keys()].sort()).toEqual(
      ["BUFFERED", "FAILURE", "OPTOUT", "RECEIVED", "SEND", "SUCCESS"].map((name) => `_SMS.${name}`),
    );
    for (const { prefixes, kinds } of [pinpoint, endUserMessaging])
      expect([...kinds.keys()].filter((type) => !prefixes.some((prefix) => type.startsWith(prefix)))).toEqual(
        [],
      );
  });

  test("of other things are those that AWS documents, by their groups", () => {
    const counted = (types: readonly string[], group: RegExp) => {
      const groups = Map.groupBy(types, (type) => group.exec(type)?.[1] ?? type);
      return Object.fromEntries([...groups].map(([name, all]) => [name, all.length]));
    };

    expect(counted(otherEventTypes.pinpoint, /^_([a-z]+)\.[a-z_]+$/)).toEqual({
      email: 10,
      campaign: 4,
      journey: 4,
      session: 4,
    });
    expect(counted(otherEventTypes["end-user-messaging"], /^([A-Z]+)_[A-Z_]+$/)).toEqual({
      MEDIA: 16,
      VOICE: 8,
    });
    expect(counted([...smsEventTypes["end-user-messaging"].kinds.keys()], /^(RCS)_[A-Z_]+$/)).toMatchObject({
      RCS: 8,
    });
  });
});

test("an origination is a number with or without a plus, a short code, or a sender id", () => {
  const isOne = (text: string) => originationPattern.test(text);

  expect(
    ["+447700900123", "447700900123", "12345", "SHOP", "My_Shop-1"].filter((text) => !isOne(text)),
  ).toEqual([]);
  expect(["+047700900123", "047700900123", "", "a shop", "LongerThanEleven", "+1"].filter(isOne)).toEqual([]);
});
