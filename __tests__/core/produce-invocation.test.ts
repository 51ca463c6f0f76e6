/** The producer's invocation event: what may be asked for, and what is said of an event that is wrong. */
import { InvalidRequestError } from "../../functions/core/errors.ts";
import { type InvocationDefaults, readProduceInvocation } from "../../functions/core/produce-invocation.ts";

const noDefaults: InvocationDefaults = {
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
    },
  });
});

test("defaults stand in for what the event leaves out, and for nothing else", () => {
  const defaults = {
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
  ["another action", { ...event, action: "delete" }, ["action must be produce or cancel."]],
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
    "a body too long",
    { ...event, message_body: "€".repeat(1_601) },
    ["message_body must have at most 1,600 characters."],
  ],
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
  ["a list", [event], missing],
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
