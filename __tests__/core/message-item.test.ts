/** Items as an application may have written them. */
import { readMessageItem } from "../../functions/core/message-item.ts";
import { sentMessage } from "../support/messages.ts";

describe("an item", () => {
  test("is read with all its fields", () => {
    const item = sentMessage({
      message_type: "PROMOTIONAL",
      sender_id: "SHOP",
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
