import { execFile } from "node:child_process";
import { join } from "node:path";
import { parseCommandLine, UsageError } from "../../local/command-line.ts";

describe("the command line", () => {
  it("has a default for everything", () => {
    expect(parseCommandLine([])).toEqual({
      messages: 200,
      rate: 50,
      seed: 1,
      maxRetries: 3,
      scenario: "mixed",
      via: "kinesis",
      json: false,
      help: false,
    });
  });

  it("takes every option", () => {
    const given =
      "--messages 5 --rate 2 --seed 9 --max-retries 0 --scenario ./a.json --via firehose --fault dynamodb-down --json --help".split(
        " ",
      );

    expect(parseCommandLine(given)).toEqual({
      messages: 5,
      rate: 2,
      seed: 9,
      maxRetries: 0,
      scenario: "./a.json",
      via: "firehose",
      fault: "dynamodb-down",
      json: true,
      help: true,
    });
  });

  it.each([
    [["--colour"], "Unknown option '--colour'; --help lists the options."],
    [["now"], /^Unexpected argument 'now'.*; --help lists the options\.$/],
    [["--messages"], /^Option '--messages <value>' argument missing; --help lists the options\.$/],
    [["--messages", "many"], '--messages must be a whole number from 1 to 100000, not "many".'],
    [["--messages", "0"], '--messages must be a whole number from 1 to 100000, not "0".'],
    [["--rate", "1.5"], '--rate must be a whole number from 1 to 1000, not "1.5".'],
    [["--via", "sns"], '--via must be kinesis or firehose, not "sns".'],
    [["--fault", "dynamodb"], '--fault must be dynamodb-down, not "dynamodb".'],
    [["--fault"], /^Option '--fault <value>' argument missing; --help lists the options\.$/],
    [["--max-retries=-1"], '--max-retries must be a whole number from 0 to 10, not "-1".'],
    [["--seed", ""], '--seed must be a whole number from 0 to 4294967295, not "".'],
  ])("refuses %j in one sentence", (given, sentence) => {
    expect(() => parseCommandLine(given)).toThrow(UsageError);
    expect(() => parseCommandLine(given)).toThrow(sentence);
  });
});

describe("node local/start.ts", () => {
  const start = (...given: string[]) =>
    new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
      const child = execFile(
        process.execPath,
        [join(__dirname, "../../local/start.ts"), ...given],
        (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
      );
    });

  it("prints its options and exits 0 with --help", async () => {
    const { code, stdout } = await start("--help");

    expect(code).toBe(0);
    expect(stdout).toMatch(/^Usage: npm start/);
  });

  it.each([
    [["--colour"], "Unknown option '--colour'; --help lists the options.\n"],
    [["--rate", "fast"], '--rate must be a whole number from 1 to 1000, not "fast".\n'],
    [["--fault", "flood"], '--fault must be dynamodb-down, not "flood".\n'],
    [["--scenario", "sunny"], /^There is no scenario "sunny"; use mixed, .* or the path of a JSON file\.\n$/],
    [["--scenario", "./no-such.json"], "The scenario file ./no-such.json cannot be read.\n"],
    [["--scenario", "./package.json"], /^The scenario \.\/package\.json is not valid: .*\.\n$/],
  ])("exits 2 with a sentence on stderr for %j", async (given, sentence) => {
    const { code, stdout, stderr } = await start(...given);

    expect(stderr).toMatch(sentence);
    expect(stdout).toBe("");
    expect(code).toBe(2);
  });
});
