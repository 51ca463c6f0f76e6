import {
  allowedRetryableStatuses,
  canonicalStatus,
  defaultRetryableStatuses,
  eventStatuses,
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
