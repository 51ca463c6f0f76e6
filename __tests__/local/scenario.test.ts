import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Ajv } from "ajv";
import {
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

  it.each([
    ["no JSON", "{", "The scenario test is not JSON; correct the file."],
    [
      "an unknown key",
      JSON.stringify({ ...least, events: { doubeld: 1 } }),
      "events.doubeld: unknown key (the known keys are doubled, delayed, delay_seconds, reordered, lost).",
    ],
    ["a missing key", JSON.stringify({ messages: least.messages }), /description: .*received undefined/],
    [
      "no outcomes",
      JSON.stringify({ ...least, messages: [{ share: 1, outcomes: [] }] }),
      /messages\.0\.outcomes/,
    ],
    [
      "an outcome that does not exist",
      JSON.stringify({ ...least, messages: [{ share: 1, outcomes: ["GONE"] }] }),
      /messages\.0\.outcomes\.0: .*GONE/,
    ],
    [
      "an API answer that does not exist",
      JSON.stringify({ ...least, messages: [{ ...least.messages[0], api_answers: [["MAYBE"]] }] }),
      /messages\.0\.api_answers\.0\.0: .*MAYBE/,
    ],
    [
      "shares that do not add up",
      JSON.stringify({ ...least, messages: [{ share: 0.5, outcomes: ["DELIVERED"] }] }),
      /shares of `messages` do not add up to 1/,
    ],
    ["a rate above 1", JSON.stringify({ ...least, events: { doubled: 2 } }), /events\.doubled/],
  ])("with %s is refused", (_what, text, problem) => {
    expect(() => parseScenario(text, "test")).toThrow(InvalidScenarioError);
    expect(() => parseScenario(text, "test")).toThrow(problem);
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
