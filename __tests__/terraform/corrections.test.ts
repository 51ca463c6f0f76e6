import type { AwsCall } from "./aws-call.ts";
import { jsonAnswer } from "./aws-call.ts";
import { type Correction, corrections } from "./corrections.ts";

// Each of these hides a difference between what was written and what is read. A new one needs a reason that is
// moto's fault alone.
test("exactly these answers of moto are corrected", () => {
  expect(corrections.map(({ name, reason }) => `${name}: ${reason}`)).toMatchInlineSnapshot(`
    [
      "sqs Policy: moto forgets the policy of a queue when any other attribute is set; AWS keeps what a call does not name.",
      "sqs RedrivePolicy: moto writes the JSON text anew, with spaces; AWS gives back what was set.",
      "sqs RedriveAllowPolicy: moto does not know the attribute and refuses to read it.",
      "s3 Policy: moto does not look at conditions: it takes the refusal of everything but TLS for one of everything.",
      "scheduler ConflictException: moto makes a schedule group anew where there is one of the name; AWS refuses it.",
      "kinesis Tags: moto does not keep the tags that a stream is created with.",
      "lambda LoggingConfig: moto does not keep the log group and format of a function.",
      "lambda StartingPositionTimestamp: moto keeps from when on an event source mapping reads, and does not tell it.",
    ]
  `);
});

const correction = (name: string): Required<Correction> => {
  const found = corrections.find((each) => each.name === name);
  if (found === undefined) throw new Error(`There is no correction ${name}.`);
  return { instead: () => undefined, correct: (answer) => answer, ...found };
};

const call = (parts: Partial<AwsCall>, body: object = {}): AwsCall => ({
  service: "sqs",
  operation: "",
  accessKeyId: "a",
  method: "POST",
  target: "/",
  path: [],
  headers: {},
  body: Buffer.from(JSON.stringify(body)),
  ...parts,
});

const queue = { QueueUrl: "http://127.0.0.1:1/123456789012/dead" };
const set = call({ operation: "SetQueueAttributes" }, { ...queue, Attributes: { RedriveAllowPolicy: "{}" } });
const get = call({ operation: "GetQueueAttributes" }, { ...queue, AttributeNames: ["RedriveAllowPolicy"] });
const refused = jsonAnswer({ __type: "com.amazonaws.sqs#InvalidAttributeName" }, 400);

test("an attribute of a queue comes back as it was set", () => {
  const memory = new Map();
  correction("sqs RedriveAllowPolicy").correct(jsonAnswer({}), set, memory);
  const answer = correction("sqs RedriveAllowPolicy").correct(refused, get, memory);
  expect(answer.status).toBe(200);
  expect(JSON.parse(answer.body.toString())).toEqual({
    Attributes: { RedriveAllowPolicy: "{}" },
  });
});

test("an attribute that moto refused to set does not come back", () => {
  const memory = new Map();
  correction("sqs RedriveAllowPolicy").correct(jsonAnswer({}, 400), set, memory);
  const answer = correction("sqs RedriveAllowPolicy").correct(refused, get, memory);
  expect(JSON.parse(answer.body.toString())).toEqual({ Attributes: {} });
});

test("a queue that is gone has no attribute", () => {
  const memory = new Map();
  const gone = jsonAnswer({ __type: "com.amazonaws.sqs#QueueDoesNotExist" }, 400);
  correction("sqs RedriveAllowPolicy").correct(jsonAnswer({}), set, memory);
  expect(correction("sqs RedriveAllowPolicy").correct(gone, get, memory)).toBe(gone);
});

test("a queue of the same name knows nothing of the one before it", () => {
  const memory = new Map();
  const remove = call({ operation: "DeleteQueue" }, queue);
  correction("sqs RedriveAllowPolicy").correct(jsonAnswer({}), set, memory);
  correction("sqs RedriveAllowPolicy").correct(jsonAnswer({}), remove, memory);
  const answer = correction("sqs RedriveAllowPolicy").correct(refused, get, memory);
  expect(JSON.parse(answer.body.toString())).toEqual({ Attributes: {} });
});

test("the logging of a function comes back in each answer about its configuration", () => {
  const memory = new Map();
  const logging = { LogFormat: "Text", LogGroup: "/aws/lambda/one" };
  const functions = { service: "lambda", path: ["2015-03-31", "functions"] };
  const one = { ...functions, path: [...functions.path, "one"], method: "GET" };
  const { correct } = correction("lambda LoggingConfig");
  const create = call(functions, {
    FunctionName: "one",
    LoggingConfig: logging,
  });
  correct(jsonAnswer({ FunctionName: "one" }, 201), create, memory);

  const told = correct(jsonAnswer({ Configuration: { FunctionName: "one" } }), call(one), memory);
  expect(JSON.parse(told.body.toString())).toEqual({
    Configuration: { FunctionName: "one", LoggingConfig: logging },
  });
  const aboutPolicy = jsonAnswer({ Policy: "{}" });
  expect(correct(aboutPolicy, call({ ...one, path: [...one.path, "policy"] }), memory)).toBe(aboutPolicy);
});

test("the policy of a bucket is kept from moto and comes back as it was put", () => {
  const memory = new Map();
  const { instead } = correction("s3 Policy");
  const about = (method: string, text = "") =>
    call({
      service: "s3",
      method,
      path: ["events"],
      target: "/events?policy=",
      body: Buffer.from(text),
    });
  expect(instead(about("GET"), memory)).toBeUndefined();
  expect(instead(about("PUT", "{}"), memory)?.status).toBe(204);
  expect(instead(about("GET"), memory)?.body.toString()).toBe("{}");
  expect(instead(about("DELETE"), memory)?.status).toBe(204);
  expect(instead(about("GET"), memory)).toBeUndefined();
  expect(
    instead(call({ service: "s3", path: ["events"], target: "/events?lifecycle=" }), memory),
  ).toBeUndefined();
});

test("an event source mapping tells from when on it reads; others are left as they are", () => {
  const memory = new Map();
  const mappings = { service: "lambda", path: ["2015-03-31", "event-source-mappings"] };
  const { correct } = correction("lambda StartingPositionTimestamp");
  const told = (method: string, body: object, answer: object) =>
    JSON.parse(correct(jsonAnswer(answer), call({ ...mappings, method }, body), memory).body.toString());

  expect(told("POST", { StartingPositionTimestamp: 1_795_474_198 }, { UUID: "one" })).toEqual({
    UUID: "one",
    StartingPositionTimestamp: 1_795_474_198,
  });
  expect(told("POST", {}, { UUID: "two" })).toEqual({ UUID: "two" });
  expect(told("GET", {}, { UUID: "one" })).toEqual({
    UUID: "one",
    StartingPositionTimestamp: 1_795_474_198,
  });
  expect(told("GET", {}, { EventSourceMappings: [{ UUID: "two" }, { UUID: "one" }] })).toEqual({
    EventSourceMappings: [{ UUID: "two" }, { UUID: "one", StartingPositionTimestamp: 1_795_474_198 }],
  });
});

test("a schedule group of a name that is there is refused, until it is gone", () => {
  const memory = new Map();
  const { instead } = correction("scheduler ConflictException");
  const about = (method: string) =>
    call({ service: "scheduler", method, path: ["schedule-groups", "retries"] });
  expect(instead(about("POST"), memory)).toBeUndefined();
  expect(instead(about("POST"), memory)?.status).toBe(409);
  expect(instead(about("GET"), memory)).toBeUndefined();
  instead(about("DELETE"), memory);
  expect(instead(about("POST"), memory)).toBeUndefined();
});
