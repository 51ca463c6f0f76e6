/** Items as an application may have written them. */
import { readMessageItem } from "../../functions/core/message-item.ts";
import { sentMessage } from "../support/messages.ts";

describe("an item", () => {
  test("is read with all its fields", () => {
    const item = sentMessage({
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
      status_reason: "UNREACHABLE",
      delivery_guarantee: "at-most-once",
      next_attempt_at: 1,
      claim_expires_at: 2,
      attempts: {
        "0": {
          claim_id: "c",
          claimed_at: 1,
          sent_at: 2,
          message_id: "m",
          origination: "SHOP",
          outcome: "UNREACHABLE",
          outcome_at: 3,
          retry_scheduled_at: 4,
          possible_duplicate: true,
        },
      },
    });
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
      destination_country_parameters: { IN_ENTITY_ID: 1_101_234_567_890_123_456n, "not a key": "x" },
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

  test("with wrong values where the protocol rests on them is refused by the names of the attributes", () => {
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
