/** What a send carries: everything that the item says, and what it lacks from the event of the first send. */

import { originationOf } from "../../../functions/core/events/origination.ts";
import { completionOf } from "../../../functions/core/message/completion.ts";
import type { Message } from "../../../functions/core/message/message.ts";
import { sendRequestOf } from "../../../functions/core/sending/send-request.ts";
import { failureEvent, sentMessage } from "../../support/messages.ts";
import { world } from "../../support/world.ts";

/** An item as the README tells applications to write it. */
const byTheApplication: Message = {
  application_message_id: "order-4711",
  message_body: "Your code is 493817. It is valid for 10 minutes.",
};

const everything = {
  context: { shop: "berlin" },
  keyword: "SHOP_CODES",
  entity_id: "1101234567890123456",
  template_id: "1107123456789012345",
  configuration_set_name: "receipts",
  destination_country_parameters: { IN_TEMPLATE_ID: "1107000000000000000" },
  max_price: "0.05",
  protect_configuration_id: "protect-1",
  message_feedback_enabled: false,
};

describe("a send", () => {
  test("of an item that says little carries little", () => {
    expect(sendRequestOf({ ...byTheApplication, destination_number: "+447700900123" }, 0)).toStrictEqual({
      destinationNumber: "+447700900123",
      body: "Your code is 493817. It is valid for 10 minutes.",
      messageType: "TRANSACTIONAL",
      context: { application_message_id: "order-4711", retry_attempt: "0" },
    });
  });

  test("carries all that the item says", () => {
    expect(sendRequestOf(sentMessage(everything), 2)).toStrictEqual({
      destinationNumber: "+447700900123",
      body: "Your code is 493817. It is valid for 10 minutes.",
      messageType: "TRANSACTIONAL",
      originationNumber: "+447700900999",
      keyword: "SHOP_CODES",
      entityId: "1101234567890123456",
      templateId: "1107123456789012345",
      configurationSetName: "receipts",
      destinationCountryParameters: { IN_TEMPLATE_ID: "1107000000000000000" },
      maxPrice: "0.05",
      protectConfigurationId: "protect-1",
      messageFeedbackEnabled: false,
      context: { shop: "berlin", application_message_id: "order-4711", retry_attempt: "2" },
    });
  });

  test.each(["message_body", "destination_number"] as const)("without %s is none", (attribute) => {
    const { [attribute]: _, ...rest } = sentMessage();
    expect(sendRequestOf(rest, 1)).toBeUndefined();
  });

  test("cannot have its retry tag replaced by the application's context", () => {
    const context = { application_message_id: "another", retry_attempt: "9" };
    expect(sendRequestOf(sentMessage({ context }), 1)?.context).toEqual({
      application_message_id: "order-4711",
      retry_attempt: "1",
    });
  });
});

describe("the identity of a send", () => {
  /** What the send of an item with these identities says. */
  function identityOf(item: Partial<Message>, replacement?: string) {
    const { origination_number: _, ...rest } = sentMessage();
    const { originationNumber, senderId } = sendRequestOf({ ...rest, ...item }, 1, replacement) ?? {};
    return { originationNumber, senderId };
  }

  test.each([
    [{ origination_number: "+447700900999" }, "+447700900999", undefined],
    [{ origination_number: "MYBRAND" }, undefined, "MYBRAND"],
    [{ sender_id: "SHOP" }, undefined, "SHOP"],
    [{ sender_id: "2026" }, undefined, "2026"],
    [{ origination_number: "+447700900999", sender_id: "SHOP" }, "+447700900999", "SHOP"],
    [{ origination_number: "MYBRAND", sender_id: "SHOP" }, undefined, "SHOP"],
    [{}, undefined, undefined],
  ])("of an item with %j", (item, originationNumber, senderId) => {
    expect(identityOf(item)).toEqual({ originationNumber, senderId });
  });

  test("is the replacement alone where there is one", () => {
    const both = { origination_number: "+447700900999", sender_id: "SHOP" };
    expect(identityOf(both, "MYBRAND")).toEqual({ senderId: "MYBRAND" });
    expect(identityOf(both, "12345")).toEqual({ originationNumber: "12345" });
  });

  test.each([
    ["+447700900999", { originationNumber: "+447700900999" }],
    ["12345", { originationNumber: "12345" }],
    ["MYBRAND", { senderId: "MYBRAND" }],
    ["24seven", { senderId: "24seven" }],
  ])("%s is told by its letters", (origination, identity) => {
    expect(originationOf(origination)).toStrictEqual(identity);
  });
});

describe("an item is completed from the event", () => {
  const facts = {
    destinationNumber: "+447700900123",
    messageType: "PROMOTIONAL",
    origination: "+447700900999",
    ownContext: { shop: "berlin" },
  } as const;

  test("with all that it lacks", () => {
    expect(completionOf(byTheApplication, 0, facts)).toStrictEqual({
      destination_number: "+447700900123",
      message_type: "PROMOTIONAL",
      origination_number: "+447700900999",
      context: { shop: "berlin" },
    });
    expect(completionOf(byTheApplication, 0, { origination: "MYBRAND" })).toStrictEqual({
      sender_id: "MYBRAND",
    });
    expect(completionOf(byTheApplication, 0, {})).toStrictEqual({});
  });

  test("with nothing that it has", () => {
    const full = sentMessage({ context: { shop: "ulm" } });
    expect(completionOf(full, 0, facts)).toStrictEqual({});
    const { origination_number: _, ...bySender } = sentMessage({ ...full, sender_id: "SHOP" });
    expect(completionOf(bySender, 0, facts)).toStrictEqual({});
  });

  test("of the producer with the identity alone, where the service chose it: it has its context", () => {
    const { origination_number: _, ...produced } = sentMessage();
    expect(completionOf(produced, 0, facts)).toStrictEqual({ origination_number: "+447700900999" });
  });

  test("with the identity of the first send alone: a retry's may be the deployment's", () => {
    expect(completionOf(byTheApplication, 1, facts)).toStrictEqual({
      destination_number: "+447700900123",
      message_type: "PROMOTIONAL",
      context: { shop: "berlin" },
    });
  });
});

describe("a retry of the item that the README tells applications to write", () => {
  test.each([
    ["+447700900999", { originationNumber: "+447700900999" }],
    ["MYBRAND", { senderId: "MYBRAND" }],
  ])(
    "goes out by the identity %s that sent the message first, and with its context",
    async (origination, identity) => {
      const { event, drain, sends, message } = world([byTheApplication]);

      await event(failureEvent({ origination, ownContext: { shop: "berlin" } }));
      await drain();
      await event(failureEvent({ attempt: 1, messageId: "msg-1", origination: "+447700900666" }));
      await drain();

      const carried = {
        destinationNumber: "+447700900123",
        body: byTheApplication.message_body,
        messageType: "TRANSACTIONAL",
        ...identity,
      };
      expect(sends).toMatchObject([carried, carried]);
      expect(sends.map(({ context }) => context)).toEqual(
        ["1", "2"].map((retry_attempt) => {
          return { shop: "berlin", application_message_id: "order-4711", retry_attempt };
        }),
      );
      expect(message().attempts?.["1"]).toMatchObject({ origination });
    },
  );

  test("goes out by the deployment's identity if it has one; the item keeps the first send's", async () => {
    const { event, drain, sends, message } = world([byTheApplication], { origination: "+447700900555" });
    await event(failureEvent({ origination: "MYBRAND" }));
    await drain();
    expect(sends[0]).toMatchObject({ originationNumber: "+447700900555" });
    expect(sends[0]).not.toHaveProperty("senderId");
    expect(message()).toMatchObject({ sender_id: "MYBRAND" });
  });

  test("fault 56: a forged event changes neither identity nor context that the item says", async () => {
    const { event, drain, sends } = world([sentMessage({ context: { shop: "berlin" } })]);
    await event(failureEvent({ origination: "EVIL", ownContext: { shop: "elsewhere", more: "evil" } }));
    await drain();
    expect(sends[0]).toMatchObject({ originationNumber: "+447700900999" });
    expect(sends[0]).not.toHaveProperty("senderId");
    expect(sends[0]?.context).toEqual({
      shop: "berlin",
      application_message_id: "order-4711",
      retry_attempt: "1",
    });
  });
});
