/** Items as an application may have written them. */
import { UnknownItemStatusError, UnreadableMessageError } from "../../../functions/core/errors.ts";
import { type Attempt, latestSecond, type Message } from "../../../functions/core/message/message.ts";
import { readMessageItem } from "../../../functions/core/message/message-item.ts";
import { sentMessage } from "../../support/messages.ts";

describe("an item", () => {
  test("is read with all its fields", () => {
    // A new attribute does not compile until it has a value here, and then it must come back.
    const record: Required<Attempt> = {
      claim_id: "c",
      claimed_at: 1,
      sent_at: 2,
      message_id: "m",
      origination: "SHOP",
      outcome: "UNREACHABLE",
      outcome_at: 3,
      retry_scheduled_at: 4,
      shadowed_at: 5,
      shadow_parts: 2,
      possible_duplicate: true,
      repeats: 1,
      resent_at: 6,
      resend_reason: "the carrier is back",
    };
    const item: Required<Omit<Message, "timesAsWritten">> = {
      application_message_id: "order-4711",
      message_body: "Your code is 493817.",
      destination_number: "+447700900123",
      origination_number: "+447700900999",
      pinpoint_message_id: "msg-0",
      status: "RETRY_SCHEDULED",
      retry_count: 0,
      all_retries_failed: false,
      deadline: 1_795_435_800,
      expires_at: 1_795_781_400,
      created_at: 1_795_435_200,
      message_type: "PROMOTIONAL",
      sender_id: "SHOP",
      context: { shop: "berlin" },
      keyword: "SHOP CODES",
      entity_id: "1101234567890123456",
      template_id: "1107123456789012345",
      configuration_set_name: "arn:aws:sms-voice:eu-west-1:123456789012:configuration-set/receipts",
      destination_country_parameters: { IN_ENTITY_ID: "1101234567890123456" },
      max_price: "0.05",
      protect_configuration_id: "protect-1",
      message_feedback_enabled: false,
      sms_service: "end-user-messaging",
      status_reason: "UNREACHABLE",
      delivery_guarantee: "at-most-once",
      next_attempt_at: 1,
      claim_expires_at: 2,
      ended_at: 3,
      corrected_from: "EXPIRED",
      cancelled_reason: "a wrong text",
      attempts: { "0": record },
    };
    expect(readMessageItem({ ...item, a_field_of_the_application: 7 })).toStrictEqual(item);
  });

  test("with wrong values where nothing rests on them is read without them, at any depth", () => {
    const item = {
      application_message_id: "a",
      sender_id: 7,
      message_type: "URGENT",
      attempts: { "0": { claim_id: 7, outcome: "UNREACHABLE" } },
    };
    expect(readMessageItem(item)).toStrictEqual({
      application_message_id: "a",
      attempts: { "0": { outcome: "UNREACHABLE" } },
    });
  });

  test.each<[string, unknown[]]>([
    ["context", [7, "shop", null, [], {}, { shop: 7 }, { retry_attempt: "1" }]],
    ["keyword", [7, null, "", "x".repeat(31), "TWO\nLINES"]],
    ["entity_id", [1.5, null, "", "11 01", "1".repeat(65), true]],
    ["template_id", [1.5, null, "", "11 01", "1".repeat(65), true]],
    ["configuration_set_name", [7, null, "", "two words", "x".repeat(257)]],
    ["destination_country_parameters", [7, null, {}, { in: "x" }, { IN_ENTITY_ID: "1 1" }, ["x"]]],
    ["max_price", [-1, null, "", "1", "0,05", "0.123456", "100.0", 100, Number.NaN]],
    ["protect_configuration_id", [7, null, "", "two words", "x".repeat(257)]],
  ])("is read without a %s that the service would refuse, and is not refused for it", (attribute, wrong) => {
    for (const value of wrong) {
      const item = { application_message_id: "a", [attribute]: value };
      expect(readMessageItem(item)).toStrictEqual({ application_message_id: "a" });
    }
  });

  test("may have ids of 19 digits and a price as numbers", () => {
    const item = {
      application_message_id: "a",
      // DynamoDB's own reader makes a bigint of a number with so many digits.
      entity_id: 1_101_234_567_890_123_456n,
      template_id: 4711,
      destination_country_parameters: {
        IN_ENTITY_ID: 1_101_234_567_890_123_456n,
        "not a key": "x",
        "the IN_ENTITY_ID": "x",
        "IN_ENTITY_ID too": "x",
      },
      max_price: 0.05,
    };
    expect(readMessageItem(item)).toStrictEqual({
      application_message_id: "a",
      entity_id: "1101234567890123456",
      template_id: "4711",
      destination_country_parameters: { IN_ENTITY_ID: "1101234567890123456" },
      max_price: "0.05000",
    });
  });

  test("keeps the right ones of the entries of its context", () => {
    const context = { shop: "berlin", till: 7, application_message_id: "b" };
    expect(readMessageItem({ application_message_id: "a", context }).context).toStrictEqual({
      shop: "berlin",
    });
  });

  test("fault 67: with nulls is read as if they were not there, at any depth", () => {
    const nulls = Object.fromEntries(Object.keys(sentMessage()).map((key) => [key, null]));
    expect(readMessageItem({ ...nulls, application_message_id: "a" })).toStrictEqual({
      application_message_id: "a",
    });
    const attempts = { "0": { claim_id: null, outcome: "UNKNOWN", possible_duplicate: null }, "1": null };
    expect(readMessageItem({ application_message_id: "a", status: "SENT", attempts })).toStrictEqual({
      application_message_id: "a",
      status: "SENT",
      attempts: { "0": { outcome: "UNKNOWN" } },
    });
  });

  describe("fault 67: a time of the application's", () => {
    const timesOf = (deadline: unknown) => {
      const { deadline: seconds, timesAsWritten } = readMessageItem({
        application_message_id: "a",
        deadline,
      });
      return { seconds, written: timesAsWritten?.deadline };
    };

    test.each<[string, unknown, number]>([
      ["in milliseconds", 1_795_438_800_000, 1_795_438_800],
      ["in milliseconds of no whole second", 1_795_438_800_999, 1_795_438_800],
      ["in milliseconds with a fraction", 1_795_438_800_123.5, 1_795_438_800],
      ["the first that is in milliseconds", 100_000_000_000, 100_000_000],
      ["the last millisecond of the year 9999, which many take for never", 253_402_300_799_999, latestSecond],
      ["the largest integer of other languages", 2 ** 63, latestSecond],
      ["as text", "1795438800", 1_795_438_800],
      ["as text with a fraction", "1795438800.25", 1_795_438_800.25],
      ["as text in milliseconds", "1795438800123", 1_795_438_800],
    ])("is read as the seconds that it says: %s", (_form, written, seconds) => {
      expect(timesOf(written)).toEqual({ seconds, written });
      // Written back, it is what it was read as.
      expect(timesOf(seconds)).toEqual({ seconds, written: undefined });
    });

    test.each([0, 1, 1_795_438_800, 1_795_438_800.5, latestSecond])(
      "in seconds is left as it is: %d",
      (seconds) => expect(timesOf(seconds)).toEqual({ seconds, written: undefined }),
    );

    test.each([
      "",
      "soon",
      "20261124",
      "202611241200",
      "20261124120000",
      "2026-11-24T12:00:00Z",
      "1e10",
      true,
    ])("that could mean several things, or nothing, is not guessed: %j", (time) => {
      expect(() => timesOf(time)).toThrow("because of its attribute(s) deadline;");
      // When the message was made is only noted: the first failure is late enough to count from.
      expect(readMessageItem({ application_message_id: "a", created_at: time })).toStrictEqual({
        application_message_id: "a",
      });
    });

    test("is read wherever an application writes one", () => {
      const item = { application_message_id: "a", expires_at: "1795438801", created_at: 1_795_438_802_000 };
      expect(readMessageItem(item)).toStrictEqual({
        application_message_id: "a",
        expires_at: 1_795_438_801,
        created_at: 1_795_438_802,
        timesAsWritten: { expires_at: "1795438801", created_at: 1_795_438_802_000 },
      });
    });
  });

  test("fault 67: with a status of a newer version is known by its error, whatever else is in it", () => {
    for (const status of ["PAUSED", "sent", "", "constructor"]) {
      const item = { application_message_id: "a", status, attempts: 7, deadline: "soon" };
      expect(() => readMessageItem(item)).toThrow(UnknownItemStatusError);
    }
    expect(() => readMessageItem({ application_message_id: "a", status: 7 })).toThrow(UnreadableMessageError);
  });

  test("has no attributes but its own, whatever its map of attributes inherits", () => {
    const inherited = Object.create({ status: "DELIVERED", retry_count: 3 }) as Record<string, unknown>;
    inherited.application_message_id = "a";
    expect(readMessageItem(inherited)).toStrictEqual({ application_message_id: "a" });
  });

  test.each([2 ** 53, 1e20, -1e20])(
    "with a number that no condition could compare is refused: %d",
    (number) => {
      for (const attribute of ["retry_count", "next_attempt_at", "claim_expires_at"]) {
        expect(() => readMessageItem({ application_message_id: "a", [attribute]: number })).toThrow(
          `because of its attribute(s) ${attribute};`,
        );
      }
    },
  );

  test("with wrong values where the protocol rests on them is refused by the attributes' names", () => {
    const item = {
      application_message_id: "a",
      message_body: 493817,
      retry_count: -1,
      deadline: Number.NaN,
      attempts: { "0": 1, "1": 2 },
    };
    expect(() => readMessageItem(item)).toThrow(
      "A message-state item cannot be read because of its attribute(s) message_body, retry_count, deadline, attempts; correct the code that writes the item.",
    );
  });
});
