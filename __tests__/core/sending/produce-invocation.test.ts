/** The producer's invocation event: what may be asked for, and what is said of an event that is wrong. */
import { InvalidRequestError } from "../../../functions/core/errors.ts";
import {
  type InvocationDefaults,
  readProduceInvocation,
} from "../../../functions/core/sending/produce-invocation.ts";

/** A deployment that sends by Pinpoint alone. */
const byPinpoint = { smsService: "pinpoint", smsServices: new Set(["pinpoint"] as const) } as const;

const noDefaults: InvocationDefaults = {
  ...byPinpoint,
  destinationNumber: undefined,
  body: undefined,
  originationNumber: undefined,
  validitySeconds: 86_400,
};
const event = { destination_number: "+447700900123", message_body: "Your code is 493817." };
const plain = {
  destinationNumber: "+447700900123",
  body: "Your code is 493817.",
  messageType: "TRANSACTIONAL",
  validitySeconds: 86_400,
};

/** What else a message may carry. */
const carried = {
  context: { shop: "berlin" },
  keyword: "SHOP CODES",
  entity_id: "1101234567890123456",
  template_id: "1107123456789012345",
  configuration_set_name: "receipts",
  destination_country_parameters: { IN_ENTITY_ID: "1101234567890123456" },
  max_price: "0.05",
  protect_configuration_id: "protect-1",
  message_feedback_enabled: true,
  sms_service: "pinpoint",
};

/** The problems of an event; fails where it has none. */
function problemsOf(bad: unknown): readonly string[] {
  try {
    readProduceInvocation(bad, noDefaults);
  } catch (error) {
    if (error instanceof InvalidRequestError) return error.problems;
    throw error;
  }
  throw new Error("The event is taken.");
}

test("an event needs a number and a body, and has no field that it does not name", () => {
  expect(readProduceInvocation(event, noDefaults)).toEqual({ action: "produce", request: plain });
  expect(readProduceInvocation({ ...event, action: "produce" }, noDefaults)).toEqual({
    action: "produce",
    request: plain,
  });
});

test("an event may say everything about a message", () => {
  const all = {
    ...event,
    application_message_id: "order-4711",
    message_type: "PROMOTIONAL",
    origination_number: "+447700900999",
    sender_id: "SHOP",
    deadline: 1_795_435_200,
    validity_seconds: 1,
    delivery_guarantee: "at-most-once",
    ...carried,
  };
  expect(readProduceInvocation(all, noDefaults)).toEqual({
    action: "produce",
    request: {
      ...plain,
      applicationMessageId: "order-4711",
      messageType: "PROMOTIONAL",
      originationNumber: "+447700900999",
      senderId: "SHOP",
      deadline: 1_795_435_200,
      validitySeconds: 1,
      deliveryGuarantee: "at-most-once",
      carried,
    },
  });
});

test.each([
  [{ origination_number: "MYBRAND" }, { senderId: "MYBRAND" }],
  [{ origination_number: "12345" }, { originationNumber: "12345" }],
  [{ origination_number: "MYBRAND", sender_id: "SHOP" }, { senderId: "SHOP" }],
])(
  "%j: a sender id is told by its letters, in the event and in the deployment's default",
  (asked, identity) => {
    expect(readProduceInvocation({ ...event, ...asked }, noDefaults)).toEqual({
      action: "produce",
      request: { ...plain, ...identity },
    });
    const defaults = { ...noDefaults, originationNumber: asked.origination_number };
    const { origination_number: _, ...rest } = { ...asked };
    expect(readProduceInvocation({ ...event, ...rest }, defaults)).toEqual({
      action: "produce",
      request: { ...plain, ...identity },
    });
  },
);

describe("a key that nobody knows", () => {
  test("is refused by its name, with every other one and every other problem", () => {
    const bad = { ...event, validity_second: 60, Context: {}, constructor: 1, deadline: 1.5 };
    expect(problemsOf(bad)).toEqual([
      "validity_second is not known here.",
      "Context is not known here.",
      "constructor is not known here.",
      "deadline must be whole.",
    ]);
  });

  test("is not quoted where it could be a secret, but counted", () => {
    const bad = {
      ...event,
      "+447700900123": 1,
      "Your code is 493817.": 1,
      "": 1,
      ["x".repeat(65)]: 1,
      "493817": 1,
    };
    expect(problemsOf(bad)).toEqual(["5 of the keys cannot be the name of an attribute."]);
  });

  test("is refused in a cancellation too, also one that producing would know", () => {
    const bad = { action: "cancel", application_message_id: "order-4711", message_body: "x", reason: "used" };
    expect(problemsOf(bad)).toEqual(["message_body is not known here.", "reason is not known here."]);
  });
});

test("what a message carries may be as large as a retry can carry it", () => {
  const widest = {
    ...event,
    context: Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`key-${n}`, ""])),
    keyword: "x".repeat(30),
    entity_id: "1".repeat(64),
    template_id: "1".repeat(64),
    configuration_set_name: "x".repeat(256),
    protect_configuration_id: "x".repeat(256),
    max_price: "99.99999",
  };
  expect(() => readProduceInvocation(widest, noDefaults)).not.toThrow();
  const mostBytes = { ...event, context: { k: "x".repeat(16_383) } };
  expect(() => readProduceInvocation(mostBytes, noDefaults)).not.toThrow();
});

test.each<[object, string]>([
  [{ context: "shop" }, "context must be an object of texts."],
  [{ context: ["shop"] }, "context must be an object of texts."],
  [{ context: null }, "context must be an object of texts."],
  [{ context: { shop: "berlin", till: 7 } }, "context must be an object of texts."],
  [
    { context: { retry_attempt: "1" } },
    "context must not have an empty key, __proto__, application_message_id or retry_attempt.",
  ],
  [
    { context: { "": "1" } },
    "context must not have an empty key, __proto__, application_message_id or retry_attempt.",
  ],
  [
    { context: Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`key-${n}`, ""])) },
    "context must have at most 20 entries.",
  ],
  [{ context: { k: "x".repeat(16_384) } }, "context must have at most 16,384 bytes."],
  [{ keyword: "" }, "keyword must not be empty or have line breaks or tabs."],
  [{ keyword: "x".repeat(31) }, "keyword must have at most 30 characters."],
  [{ entity_id: 1101 }, "entity_id must be a text."],
  [{ template_id: "11 01" }, "template_id must not be empty or have spaces."],
  [{ template_id: "1".repeat(65) }, "template_id must have at most 64 characters."],
  [{ configuration_set_name: "two words" }, "configuration_set_name must be a name, an id or an ARN."],
  [
    { protect_configuration_id: "x".repeat(257) },
    "protect_configuration_id must have at most 256 characters.",
  ],
  [{ max_price: 0.05 }, "max_price must be a text."],
  [{ max_price: "1" }, 'max_price must be US dollars as a text, like "0.05".'],
  [{ destination_country_parameters: [] }, "destination_country_parameters must be an object of texts."],
  [
    { destination_country_parameters: { "+447700900123": "x" } },
    "destination_country_parameters must have no keys but IN_ENTITY_ID and IN_TEMPLATE_ID.",
  ],
  [
    { destination_country_parameters: { IN_ENTITY_ID: "1", in: "x" } },
    "destination_country_parameters must have no keys but IN_ENTITY_ID and IN_TEMPLATE_ID.",
  ],
  [
    { destination_country_parameters: { IN_ENTITY_ID: "1", IN_TEMPLATE_ID: "1 1" } },
    "destination_country_parameters must have values of 1 to 64 characters without spaces.",
  ],
  [
    { context: { shop: "berlin", retry_attempt: "1" } },
    "context must not have an empty key, __proto__, application_message_id or retry_attempt.",
  ],
  [
    { destination_country_parameters: { IN_ENTITY_ID: "1 1" } },
    "destination_country_parameters must have values of 1 to 64 characters without spaces.",
  ],
])("%j is refused without its value", (bad, problem) => {
  expect(problemsOf({ ...event, ...bad })).toEqual([problem]);
});

test("defaults stand in for what the event leaves out, and for nothing else", () => {
  const defaults = {
    ...byPinpoint,
    destinationNumber: "+14254147755",
    body: "A trial.",
    originationNumber: "+447700900999",
    validitySeconds: 600,
  };
  expect(readProduceInvocation({}, defaults)).toEqual({
    action: "produce",
    request: {
      destinationNumber: "+14254147755",
      body: "A trial.",
      messageType: "TRANSACTIONAL",
      originationNumber: "+447700900999",
      validitySeconds: 600,
    },
  });
  expect(readProduceInvocation({ ...event, validity_seconds: 60 }, defaults)).toMatchObject({
    request: { ...plain, validitySeconds: 60 },
  });
});

test("a question about a status names its message, and nothing else", () => {
  const asked = { action: "status", application_message_id: "order-4711" };
  expect(readProduceInvocation(asked, noDefaults)).toEqual({
    action: "status",
    applicationMessageId: "order-4711",
  });
  expect(() => readProduceInvocation({ ...asked, message_body: "x" }, noDefaults)).toThrow(
    "message_body is not known here.",
  );
});

test("a cancellation names its message", () => {
  expect(
    readProduceInvocation({ action: "cancel", application_message_id: "order-4711" }, noDefaults),
  ).toEqual({ action: "cancel", applicationMessageId: "order-4711" });
});

test.each([
  ["+12", true],
  [`+1${"2".repeat(18)}`, true],
  [`+1${"2".repeat(19)}`, false],
  ["+1", false],
  ["+02", false],
  ["12", false],
  ["a+12", false],
  ["+12a", false],
])("the number %s is E.164: %s", (destination_number, isNumber) => {
  const read = () => readProduceInvocation({ ...event, destination_number }, noDefaults);
  if (isNumber) expect(read).not.toThrow();
  else expect(read).toThrow("destination_number must be a number in E.164 format, like +4470000.");
});

test("what just fits is taken", () => {
  const widest = {
    ...event,
    application_message_id: "x".repeat(800),
    message_body: "€".repeat(1_600),
    deadline: 1,
  };
  expect(() => readProduceInvocation(widest, noDefaults)).not.toThrow();
  const mostBytes = { ...event, application_message_id: "東".repeat(682) };
  expect(() => readProduceInvocation(mostBytes, noDefaults)).not.toThrow();
});

const missing = [
  "destination_number is missing, and no default is set.",
  "message_body is missing, and no default is set.",
];

test.each<[string, unknown, readonly string[]]>([
  ["nothing", {}, missing],
  ["another action", { ...event, action: "delete" }, ["action must be produce, cancel or status."]],
  [
    "everything wrong",
    {
      application_message_id: "",
      destination_number: "07700 900123",
      message_body: "",
      message_type: "URGENT",
      origination_number: 44,
      sender_id: "",
      deadline: "tomorrow",
      validity_seconds: 0,
      delivery_guarantee: "exactly-once",
    },
    [
      "application_message_id must not be empty.",
      "destination_number must be a number in E.164 format, like +4470000.",
      "message_body must not be empty.",
      "message_type must be TRANSACTIONAL or PROMOTIONAL.",
      "origination_number must be a text.",
      "sender_id must not be empty.",
      "deadline must be a number.",
      "validity_seconds must be 1 or more.",
      "delivery_guarantee must be at-least-once or at-most-once.",
    ],
  ],
  ["half a second", { ...event, deadline: 1.5 }, ["deadline must be whole."]],
  [
    "feedback that is neither on nor off",
    { ...event, message_feedback_enabled: "yes" },
    ["message_feedback_enabled must be true or false."],
  ],
  [
    "milliseconds",
    { ...event, deadline: 1_795_435_200_000 },
    ["deadline must be in seconds, not milliseconds."],
  ],
  [
    "a body too long",
    { ...event, message_body: "€".repeat(1_601) },
    ["message_body must have at most 1,600 characters."],
  ],
  ...["+447700900123", "someone@example.com"].map((application_message_id): [string, object, string[]] => [
    `the id ${application_message_id}`,
    { ...event, application_message_id },
    [
      "application_message_id must be neither a phone number nor an e-mail address: ids stand in logs and queues.",
    ],
  ]),
  [
    "an id too long",
    { ...event, application_message_id: "x".repeat(801) },
    ["application_message_id must have at most 800 characters."],
  ],
  [
    "an id too long for a key",
    { ...event, application_message_id: "東".repeat(683) },
    ["application_message_id must have at most 2,048 bytes."],
  ],
  [
    "a number and a body that are no texts",
    { destination_number: 447700900123, message_body: 493817 },
    missing,
  ],
  [
    "a cancellation of nothing",
    { action: "cancel" },
    ["application_message_id is missing, and no default is set."],
  ],
  ["a list", [event], ["The event must be a JSON object."]],
  ["a text", "+447700900123", ["The event must be a JSON object."]],
  ["null", null, ["The event must be a JSON object."]],
  ["not even an event", undefined, ["The event must be a JSON object."]],
])("%s: one error with every problem, and none of the values", (_name, bad, problems) => {
  expect(problemsOf(bad)).toEqual(problems);
});

test("the error says what to do", () => {
  expect(() => readProduceInvocation({ ...event, deadline: 1.5 }, noDefaults)).toThrow(
    "The message cannot be produced; correct the invocation event: deadline must be whole.",
  );
});

test("a sender id of the event's goes alone, without the deployment's number", () => {
  const event = { destination_number: "+447700900123", message_body: "Hello", sender_id: "MYBRAND" };
  const invocation = readProduceInvocation(event, {
    ...byPinpoint,
    destinationNumber: undefined,
    body: undefined,
    originationNumber: "+447700900999",
    validitySeconds: 600,
  });
  expect(invocation).toMatchObject({ request: { senderId: "MYBRAND" } });
  expect(invocation).not.toHaveProperty("request.originationNumber");
});

test("a key with several digits in a row is not quoted: they may be a code or a number", () => {
  const event = { code_493817_for_447700900123: "x", misspelt_2: "y" };
  const defaults = {
    ...byPinpoint,
    destinationNumber: "+447700900123",
    body: "Hello",
    originationNumber: undefined,
  };
  const read = () => readProduceInvocation(event, { ...defaults, validitySeconds: 600 });
  expect(read).toThrow("misspelt_2 is not known here.");
  expect(read).not.toThrow(/493817/);
});

describe("a deployment that sends by End User Messaging", () => {
  const defaults: InvocationDefaults = {
    ...noDefaults,
    smsService: "end-user-messaging",
    smsServices: new Set(["end-user-messaging", "pinpoint"] as const),
  };
  const problemsIn = (changes: object, given = defaults) => {
    try {
      readProduceInvocation({ ...event, ...changes }, given);
      return [];
    } catch (error) {
      return (error as InvalidRequestError).problems;
    }
  };

  test.each([
    [{ origination_number: "+447700900999" }],
    [{ sender_id: "SHOP" }],
    [{ origination_number: "pool-0123456789abcdef" }],
    [{ sms_service: "pinpoint" }],
  ])("takes an event with %j", (changes) => {
    expect(problemsIn(changes)).toEqual([]);
  });

  test("takes an event without an identity only where the deployment has one", () => {
    expect(problemsIn({})).toEqual([
      "origination_number or sender_id is missing, and no default is set; End User Messaging needs one of them.",
    ]);
    expect(problemsIn({}, { ...defaults, originationNumber: "SHOP" })).toEqual([]);
  });

  test("refuses a service that it is not set up for", () => {
    const alone = { ...defaults, smsServices: new Set(["end-user-messaging"] as const) };
    expect(problemsIn({ sms_service: "pinpoint" }, alone)).toEqual([
      "sms_service must be what the deployment is set up for: end-user-messaging.",
    ]);
    expect(problemsIn({ sms_service: "sns" })).toEqual([
      "sms_service must be pinpoint or end-user-messaging.",
    ]);
    const none = { ...defaults, smsServices: new Set<never>() };
    expect(problemsIn({ sms_service: "pinpoint" }, none)).toEqual([
      "sms_service must be what the deployment is set up for: .",
    ]);
  });
});

test.each(["4711", "447700900123", "order-4711", "+4711", "a@b", "order@4711.", "+447700900123-2026"])(
  "%s is an id like any other",
  (application_message_id) => {
    expect(readProduceInvocation({ ...event, application_message_id }, noDefaults)).toMatchObject({
      request: { applicationMessageId: application_message_id },
    });
  },
);

test("what was written under such an id can still be withdrawn", () => {
  const cancel = { action: "cancel", application_message_id: "+447700900123" };
  expect(readProduceInvocation(cancel, noDefaults)).toEqual({
    action: "cancel",
    applicationMessageId: "+447700900123",
  });
});
