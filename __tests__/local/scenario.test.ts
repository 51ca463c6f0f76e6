import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Ajv } from "ajv";
import {
  apiAnswers,
  attemptOutcomes,
  endUserMessagingAnswers,
  InvalidScenarioError,
  loadScenario,
  parseScenario,
  scenarioFolder,
  scenarioNames,
} from "../../local/sms-service/scenario.ts";

const root = join(__dirname, "../..");

const least = { description: "One.", messages: [{ share: 1, outcomes: ["DELIVERED"] }] };
const parse = (value: object) => parseScenario(JSON.stringify(value), "test");

describe("a scenario", () => {
  it("needs only shares and outcomes; everything else has a default", () => {
    expect(parse(least)).toEqual({
      ...least,
      carrier_delay_seconds: [0.2, 0.6],
      events: { doubled: 0, delayed: 0, delay_seconds: [0.2, 2], reordered: 0, lost: 0 },
      outages: [],
      settings: {
        max_sends_per_second: 200,
        retry_delays_seconds: [1, 1, 2],
        message_validity_seconds: 86_400,
        send_rates: {},
      },
      time_limit_seconds: 120,
    });
  });

  const refused = (text: string) => {
    try {
      return parseScenario(text, "test");
    } catch (error) {
      if (!(error instanceof InvalidScenarioError)) throw error;
      return error.message;
    }
  };

  it("that is no JSON is refused", () => {
    expect(refused("{")).toBe("The scenario test is not JSON; correct the file.");
  });

  const [message] = least.messages;
  const outcomes = attemptOutcomes.join(", ");
  const sharesOf = (...shares: number[]) => shares.map((share) => ({ ...message, share }));
  it.each<[string, object, string]>([
    [
      "an unknown key",
      { events: { doubeld: 1 } },
      "events.doubeld: unknown key (the known keys are doubled, delayed, delay_seconds, reordered, lost)",
    ],
    ["a missing key", { description: undefined }, "description: is missing"],
    ["a list for an object", { events: 5 }, "events: must be an object; got 5"],
    ["no text", { description: 7 }, "description: must be a text; got 7"],
    ["no list", { outages: {} }, "outages: must be a list; got an object"],
    ["no messages", { messages: [] }, "messages: must have at least one entry"],
    [
      "no outcomes",
      { messages: [{ share: 1, outcomes: [] }] },
      "messages.0.outcomes: must have at least one entry",
    ],
    [
      "an outcome that does not exist",
      { messages: [{ share: 1, outcomes: ["GONE"] }] },
      `messages.0.outcomes.0: must be one of ${outcomes}; got "GONE"`,
    ],
    [
      "an API answer that does not exist",
      { messages: [{ ...message, api_answers: [["MAYBE"]] }] },
      `messages.0.api_answers.0.0: must be one of ${[...apiAnswers, ...endUserMessagingAnswers].join(", ")}; got "MAYBE"`,
    ],
    [
      "shares that do not add up",
      { messages: sharesOf(0.5, 0.25) },
      "messages: the shares must add up to 1; got 0.75",
    ],
    ["a rate above 1", { events: { doubled: 2 } }, "events.doubled: must be a number from 0 to 1; got 2"],
    [
      "a rate that is none",
      { events: { lost: "all" } },
      'events.lost: must be a number from 0 to 1; got "all"',
    ],
    [
      "too high a rate of sends",
      { settings: { max_sends_per_second: 5_000 } },
      "settings.max_sends_per_second: must be a number from 0.2 to 4000; got 5000",
    ],
    [
      "half a second of validity",
      { settings: { message_validity_seconds: 0.5 } },
      "settings.message_validity_seconds: must be a whole number from 1 to 604800; got 0.5",
    ],
    [
      "a message without validity",
      { messages: [{ ...message, validity_seconds: 0 }] },
      "messages.0.validity_seconds: must be a whole number, at least 1; got 0",
    ],
    [
      "the longest delay first",
      { carrier_delay_seconds: [2, 1] },
      "carrier_delay_seconds: must be two numbers from 0 to 3600, the lower first; got [2,1]",
    ],
    [
      "one delay",
      { carrier_delay_seconds: [1] },
      "carrier_delay_seconds.1: must be a number from 0 to 3600; got nothing",
    ],
    [
      "three delays",
      { carrier_delay_seconds: [1, 2, 3] },
      "carrier_delay_seconds.2: must be left out: a range is two numbers, the lower first",
    ],
    [
      "a number for a range",
      { events: { delay_seconds: 1 } },
      "events.delay_seconds: must be two numbers from 0 to 3600, the lower first; got 1",
    ],
    [
      "too long a delay",
      { events: { delay_seconds: [1, 3_601] } },
      "events.delay_seconds.1: must be a number from 0 to 3600; got 3601",
    ],
  ])("with %s is refused in one sentence", (_what, changes, problem) => {
    expect(refused(JSON.stringify({ ...least, ...changes }))).toBe(
      `The scenario test is not valid; correct the file: ${problem}.`,
    );
  });

  it("may have two equal delays", () => {
    expect(parse({ ...least, carrier_delay_seconds: [1, 1] }).carrier_delay_seconds).toEqual([1, 1]);
  });

  it("the published schema refuses a third delay, too", async () => {
    const schema: object = JSON.parse(await readFile(join(root, "docs/scenario.schema.json"), "utf8"));
    const ajv = new Ajv({ strictTuples: false });

    expect(ajv.validate(schema, { ...least, carrier_delay_seconds: [1, 2] })).toBe(true);
    expect(ajv.validate(schema, { ...least, carrier_delay_seconds: [1, 2, 3] })).toBe(false);
    expect(ajv.validate(schema, { ...least, carrier_delay_seconds: [1] })).toBe(false);
  });

  it("that no file has is refused with the names that there are", async () => {
    await expect(loadScenario("sunny")).rejects.toThrow(
      'There is no scenario "sunny"; use mixed, all-delivered,',
    );
    await expect(loadScenario("./sunny.json")).rejects.toThrow(
      "The scenario file ./sunny.json cannot be read; give the path of a JSON file, or one of mixed,",
    );
  });

  it.each(scenarioNames)("%s can be loaded and fits the published schema", async (name) => {
    const schema: object = JSON.parse(await readFile(join(root, "docs/scenario.schema.json"), "utf8"));
    const text = await readFile(join(scenarioFolder, `${name}.json`), "utf8");
    const ajv = new Ajv({ strictTuples: false });

    expect((await loadScenario(name)).description).not.toBe("");
    ajv.validate(schema, JSON.parse(text));
    expect(ajv.errors).toBeNull();
  });
});

it("every file in the folder of scenarios has its name in the list", async () => {
  const files = await readdir(scenarioFolder);

  expect(files.toSorted()).toEqual(scenarioNames.map((name) => `${name}.json`).toSorted());
});

it("the published JSON schema is the one that reads the files", async () => {
  const check = promisify(execFile)(process.execPath, ["cli/generate-scenario-schema.ts", "--check"], {
    cwd: root,
  });

  await expect(check).resolves.toMatchObject({ stderr: "" });
});
