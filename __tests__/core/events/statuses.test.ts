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

  test("allows to retry failures that may pass, in every spelling, and nothing else", () => {
    const refused = Object.keys(eventStatuses).filter((status) => !allowedRetryableStatuses.includes(status));

    expect(allowedRetryableStatuses).toEqual([
      ...defaultRetryableStatuses,
      "EXPIRED",
      ...["BLOCKED", "CARRIER_BLOCKED", "SPAM", "MAX_PRICE_EXCEEDED"],
    ]);
    expect(refused).toEqual([
      ...["DELIVERED", "SUCCESSFUL"],
      ...["INVALID", "INVALID_MESSAGE", "PROTECT_BLOCKED"],
      ...["OPTOUT", "OPTED_OUT"],
      ...["QUEUED", "PENDING", "SENT"],
    ]);
  });

  test("reads an alias as what it stands for, and leaves every other word as it is", () => {
    expect(canonicalStatus("EXPIRED")).toBe("TTL_EXPIRED");
    expect(statusFacts("EXPIRED")).toBe(eventStatuses.TTL_EXPIRED);
    expect(canonicalStatus("TELEPORTED")).toBe("TELEPORTED");
    for (const word of ["TELEPORTED", "constructor", "__proto__", ""])
      expect(statusFacts(word)).toBeUndefined();
  });

  test("says which of them each event format writes", () => {
    const pinpoint = statusesOf("pinpoint");
    const endUserMessaging = statusesOf("end-user-messaging");

    expect(pinpoint.filter((status) => !endUserMessaging.includes(status))).toEqual([
      "MAX_PRICE_EXCEEDED",
      "OPTOUT",
    ]);
    expect(endUserMessaging.filter((status) => !pinpoint.includes(status))).toEqual([
      "PROTECT_BLOCKED",
      "QUEUED",
      "SENT",
    ]);
  });
});
