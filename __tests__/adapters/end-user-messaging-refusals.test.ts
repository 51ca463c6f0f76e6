import * as service from "@aws-sdk/client-pinpoint-sms-voice-v2";
import {
  accessCauses,
  conflictCauses,
  quotaCauses,
  type RefusalCause,
  refusalOf,
  validationCauses,
} from "../../functions/adapters/senders/end-user-messaging-refusals.ts";

/** Each reason enum of the service, and the table that reads it. */
const tables: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  AccessDeniedExceptionReason: accessCauses,
  ConflictExceptionReason: conflictCauses,
  ServiceQuotaExceededExceptionReason: quotaCauses,
  ValidationExceptionReason: validationCauses,
};

test("every reason enum that the SDK has is read by a table", () => {
  const enums = Object.keys(service).filter((name) => name.endsWith("ExceptionReason"));

  expect(enums.sort()).toEqual(Object.keys(tables).sort());
});

test.each(Object.entries(tables))(
  "faults 22 and 24: every reason of %s has a cause, and no invented one",
  (name, causes) => {
    const reasons = (service as unknown as Record<string, Record<string, string>>)[name] ?? {};

    expect(Object.values(reasons).length).toBeGreaterThan(0);
    expect(Object.keys(causes).sort()).toEqual(Object.values(reasons).sort());
  },
);

/** Every reason that is not the operator's, by its cause. The first two are final, all else is deferred. */
const exceptions: Readonly<Record<Exclude<RefusalCause, "operator">, readonly string[]>> = {
  "opted-out": ["DESTINATION_PHONE_NUMBER_OPTED_OUT"],
  message: [
    "ATTACHMENT_TYPE_NOT_SUPPORTED",
    "CANNOT_PARSE",
    "DESTINATION_COUNTRY_BLOCKED",
    "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION",
    "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE",
    "FIELD_VALIDATION_FAILED",
    "INVALID_PARAMETER",
    "MAXIMUM_SIZE_EXCEEDED",
    "MEDIA_TYPE_NOT_SUPPORTED",
    "PRICE_OVER_THRESHOLD",
  ],
  identity: [
    "COUNTRY_CODE_MISMATCH",
    "INTERNATIONAL_SENDING_NOT_SUPPORTED",
    "INVALID_IDENTITY_FOR_DESTINATION_COUNTRY",
    "KEYWORD_MISMATCH",
    "MESSAGE_TYPE_MISMATCH",
    "NO_ORIGINATION_IDENTITIES_FOUND",
    "NUMBER_CAPABILITIES_MISMATCH",
    "SENDER_ID_NOT_REGISTERED",
    "SENDER_ID_NOT_SUPPORTED",
    "SENDER_ID_REQUIRES_REGISTRATION",
  ],
  destination: ["COUNTRY_NOT_ENABLED", "DESTINATION_PHONE_NUMBER_NOT_VERIFIED"],
  "spend-limit": [
    "DAILY_DESTINATION_CALL_LIMIT",
    "DAILY_NOTIFY_TIER_MESSAGE_LIMIT",
    "MONTHLY_SPEND_LIMIT_REACHED_FOR_MEDIA",
    "MONTHLY_SPEND_LIMIT_REACHED_FOR_NOTIFY",
    "MONTHLY_SPEND_LIMIT_REACHED_FOR_RCS",
    "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT",
    "MONTHLY_SPEND_LIMIT_REACHED_FOR_VOICE",
  ],
};

describe("fault 24: every reason of the SDK's enums has its class", () => {
  const causeOf = new Map(
    Object.entries(exceptions).flatMap(([cause, reasons]) => reasons.map((reason) => [reason, cause])),
  );
  const reasons = Object.keys(tables).flatMap((name) =>
    Object.values((service as unknown as Record<string, Record<string, string>>)[name] ?? {}).map(
      (reason) => [reason, causeOf.get(reason) ?? "operator", name] as const,
    ),
  );

  test("the table names no reason that no enum has", () => {
    const known = new Set(reasons.map(([reason]) => reason));
    expect([...causeOf.keys()].filter((reason) => !known.has(reason))).toEqual([]);
  });

  test.each(reasons)("%s: %s", (reason, cause, name) => {
    expect(tables[name]?.[reason]).toBe(cause);
  });
});

describe("a reason that is newer than the tables is for the operator", () => {
  const about = { message: "text about +447700900123", $metadata: {} };
  const withReason = <Options>(Reason: string) => ({ ...about, Reason }) as unknown as Options;
  const errors = (reason: string) => [
    new service.ConflictException(withReason(reason)),
    new service.ValidationException(withReason(reason)),
    new service.AccessDeniedException(withReason(reason)),
    new service.ServiceQuotaExceededException(withReason(reason)),
  ];

  test("its word is kept", () => {
    expect(errors("QUITE_NEW_REASON").map(refusalOf)).toEqual(
      Array.from({ length: 4 }, () => ({ cause: "operator", reason: "QUITE_NEW_REASON" })),
    );
  });

  test.each(["toString", "constructor"])("a word that every object knows, too: %s", (word) => {
    expect(errors(word).map((error) => refusalOf(error)?.cause)).toEqual(
      Array.from({ length: 4 }, () => "operator"),
    );
  });

  test("a sentence is not kept: it could quote the request", () => {
    const told = errors("The number +447700900123 is odd").map((error) => refusalOf(error)?.reason);

    expect(told).toEqual(["CONFLICT", "VALIDATION", "ACCESS_DENIED", "SERVICE_QUOTA_EXCEEDED"]);
  });
});

test("an error that is no refusal has no cause", () => {
  expect(refusalOf(new Error("other"))).toBeUndefined();
});
