/** What all commands of `sms-retry` have in common: help, exit status, and the style of what is told to the user. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { areStale } from "../../cli/bundled-functions.ts";
import { createProgram, smsRetry } from "../../cli/command-line.ts";
import { type ScriptRun, scriptRunner, signedIn, signedOut } from "../support/script-run.ts";

const planReview = scriptRunner("sms-retry.ts", "plan-review");
const { signal } = new AbortController();
const names = createProgram(signal).commands.map((command) => command.name());
const projectId = "0123456789abcdef0123456789abcdef";

/** Answers a command line within this process: only what does not get as far as a command's work. */
async function answer(...given: string[]): Promise<ScriptRun> {
  const written = { stdout: "", stderr: "" };
  const stream = (name: keyof typeof written) => ({
    write(text: string) {
      written[name] += text;
    },
  });
  const code = await smsRetry(given, signal, { stdout: stream("stdout"), stderr: stream("stderr") });
  return { code, ...written };
}

/** What a command is given to work with. */
async function parsed(name: string, ...given: string[]): Promise<unknown> {
  const program = createProgram(signal);
  const work = jest.fn();
  program.commands.find((command) => command.name() === name)?.action(work);
  await program.parseAsync([name, ...given], { from: "user" });
  return work.mock.calls[0]?.[0];
}

test("the help lists every command, and goes to stderr with exit status 2 where none is given", async () => {
  const { code, stdout, stderr } = await answer("--help");
  const lines = stdout
    .match(/^ {2}[a-z-]+(?= \[options\](?: [[<]id[\]>])? {2})/gm)
    ?.map((line) => line.trim());

  expect({ code, stderr, lines }).toEqual({ code: 0, stderr: "", lines: names });
  expect(await answer("-h")).toEqual({ code, stdout, stderr });
  expect(await answer()).toEqual({ code: 2, stdout: "", stderr: stdout });
});

describe.each(names)("sms-retry %s", (name) => {
  const command = createProgram(signal).commands.find((one) => one.name() === name);
  const options = command?.options ?? [];
  const ids = command?.registeredArguments.map(() => "order-4711") ?? [];

  test("--help prints every option and the exit status, in 80 columns", async () => {
    const { code, stdout, stderr } = await answer(name, "--help");

    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(new RegExp(`^Usage: sms-retry ${name} `));
    expect(stdout).toContain("\nExit status: 0 if ");
    for (const { long } of options) expect(stdout).toContain(`\n  ${long} `);
    expect(Math.max(...stdout.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(81);
  });

  test("-h prints the same", async () => {
    expect(await answer(name, "-h")).toEqual(await answer(name, "--help"));
  });

  test("an option that does not exist, and an argument too many, exit 2 with one line on stderr", async () => {
    expect(await answer(name, "--wrong")).toEqual({
      code: 2,
      stdout: "",
      stderr: `There is no option --wrong. See sms-retry ${name} --help.\n`,
    });
    expect(await answer(name, ...ids, "now")).toEqual({
      code: 2,
      stdout: "",
      stderr: `${name} takes ${ids.length === 0 ? "options alone" : "one id"}; leave out now. See sms-retry ${name} --help.\n`,
    });
  });

  test("an option with a slip of the pen is answered with the right one", async () => {
    const long = options[0]?.long ?? "";

    expect((await answer(name, long.slice(0, -1))).stderr).toContain(`Did you mean ${long}?`);
  });
});

test.each<[string, string]>([
  ["rnu", "There is no command rnu. Did you mean run? See sms-retry --help."],
  ["--colour", "There is no option --colour. See sms-retry --help."],
  ["run --messages", "--messages needs a value."],
  ["run --messages many", "--messages must be a whole number from 1 to 100000; got many."],
  ["run --messages 0", "--messages must be a whole number from 1 to 100000; got 0."],
  ["run --messages 100001", "--messages must be a whole number from 1 to 100000; got 100001."],
  ["run --rate 1.5", "--rate must be a whole number from 1 to 1000; got 1.5."],
  ["run --max-retries=-1", "--max-retries must be a whole number from 0 to 10; got -1."],
  ["run --seed=", "--seed must be a whole number from 0 to 4294967295; got nothing."],
  ["run --via nats", "--via must be one of kinesis, firehose, sns; got nats."],
  ["run --via sns", "--via must be one of kinesis, firehose with --service pinpoint; got sns."],
  ["run --fault flood", "--fault must be one of dynamodb-down; got flood."],
  [
    "run --scenario sunny",
    'There is no scenario "sunny"; use mixed, all-delivered, outage, lost-events, lost-answers, throttled or the path of a JSON file.',
  ],
  [
    "run --scenario ./none.json",
    "The scenario file ./none.json cannot be read; give the path of a JSON file, or one of mixed, all-delivered, outage, lost-events, lost-answers, throttled.",
  ],
  ["simulate --runs some", "--runs must be a whole number from 1 to 999999999; got some."],
  ["simulate --runs 0", "--runs must be a whole number from 1 to 999999999; got 0."],
  ["simulate --races 0", "--races must be a whole number from 1 to 999999999; got 0."],
  ["simulate --backlog 0", "--backlog must be a whole number from 1 to 999999999; got 0."],
  ...[
    ["seed", "runs"],
    ["seed", "from"],
    ["seed", "races"],
    ["seed", "backlog"],
    ["races", "runs"],
    ["races", "from"],
    ["races", "backlog"],
    ["backlog", "runs"],
    ["backlog", "from"],
  ].map(([one, other]): [string, string] => [
    `simulate --${other} 10 --${one} 3`,
    `--${one} cannot be used with --${other}; leave out one of them.`,
  ]),
  [
    "simulate --backlog 10 --break no-breaker",
    "--backlog cannot be used with --break; leave out one of them.",
  ],
  [
    "run --service end-user-messaging --via kinesis",
    "--via must be one of sns, firehose with --service end-user-messaging; got kinesis.",
  ],
  ["run --port 0", "--port must be a whole number from 1 to 65535; got 0."],
  ["run --port 4010 --json", "--port cannot be used with --json; leave out one of them."],
  [
    "inspect --stream a --configuration-set b",
    "--stream cannot be used with --configuration-set; leave out one of them.",
  ],
  [
    "inspect --configuration-set a/b",
    "--configuration-set must be the name of a configuration set: 1 to 64 letters, digits, hyphens and underscores; got a/b.",
  ],
  ["inspect --stream a/b", "--stream must be the name of a Firehose stream; got a/b."],
  ["inspect --application-id x", "--application-id must be 32 hexadecimal digits in lower case; got x."],
  [
    `inspect --stream a --application-id ${projectId}`,
    "--stream cannot be used with --application-id; leave out one of them.",
  ],
  [
    "inspect --stream a --force",
    "--force has a meaning only with --write; leave it out, or give --write FILE.",
  ],
  ["inspect --stream a --write=", "--write must be the path of a file or folder; got nothing."],
  [
    "inspect --stream a --name-prefix SMS",
    "--name-prefix must be 2 to 24 lower-case letters, digits and hyphens, start with a letter and not end with a hyphen; got SMS.",
  ],
  ["plan-review", "Give --stack NAME or --folder DIR."],
  [
    "plan-review --stack sms-retry",
    "--stack must be one of sms-retry-end-user-messaging, sms-retry-new-stream, sms-retry-kinesis, sms-retry-firehose; got sms-retry.",
  ],
  [
    "plan-review --folder /none/infra",
    "There is no folder /none/infra; give --folder that of a Terraform configuration.",
  ],
  [
    "plan-review --folder /dev/null",
    "There is no folder /dev/null; give --folder that of a Terraform configuration.",
  ],
  [
    "plan-review --stack sms-retry-kinesis --folder b",
    "--stack cannot be used with --folder; leave out one of them.",
  ],
  [
    "plan-review --folder a --backend-config b",
    "--folder cannot be used with --backend-config; leave out one of them.",
  ],
  ["redrive", "Give --queue NAME, or --overdue --table NAME."],
  ["redrive --queue a/b", "--queue must be the name of a standard SQS queue; got a/b."],
  ["redrive --queue a --to a", "--to names the same queue as --queue; name another."],
  ["redrive --queue a --max 0", "--max must be a whole number from 1 to 999999999; got 0."],
  ["redrive --queue a --overdue", "--queue cannot be used with --overdue; leave out one of them."],
  [
    "redrive --queue a --table b-message-state",
    "--queue cannot be used with --table; leave out one of them.",
  ],
  ["redrive --queue a --read-units 5", "--queue cannot be used with --read-units; leave out one of them."],
  ["redrive --overdue", "Give --table NAME with --overdue."],
  ["redrive --overdue --table a/b", "--table must be the name of a DynamoDB table; got a/b."],
  [
    "redrive --overdue --table messages",
    "Give --to NAME: the retry queue of a table that is not named PREFIX-message-state.",
  ],
  [
    "redrive --overdue --table a-message-state --read-units 0.5",
    "--read-units must be a whole number from 1 to 999999999; got 0.5.",
  ],
  ["gate --table a/b", "--table must be the name of a DynamoDB table; got a/b."],
  ["resume --identity=", "--identity must be a number, short code, sender id, pool or ARN; got nothing."],
  ["status", "Give the id of a message, or --failed, or --expired."],
  ["status a --failed", "A list takes no id; leave out one of them."],
  ["status --failed --expired", "--failed cannot be used with --expired; leave out one of them."],
  ["status --expired --watch", "--watch has no meaning with a list; leave it out."],
  ["status a --since 1h", "--since has no meaning with one message; leave it out."],
  [
    "status --failed --since soon",
    "--since must be a time from 1s to 365d, such as 30m, 2h or 1d; got soon.",
  ],
  ["resend", "Give the id of a message."],
  ["resend a", "Give --reason TEXT: it is kept in the item."],
  [
    "resend a --reason b --table messages",
    "Give --queue NAME: the retry queue of a table that is not named PREFIX-message-state.",
  ],
  ["cancel a", "Give --reason TEXT: it is kept in the item."],
  ["cancel a --reason=", "--reason must be a line of at most 200 characters; got nothing."],
  ["pause --for 2", "--for must be a time from 1s to 365d, such as 30m, 2h or 1d; got 2."],
  ["pause --for 0s", "--for must be a time from 1s to 365d, such as 30m, 2h or 1d; got 0s."],
  ["pause --for 366d", "--for must be a time from 1s to 365d, such as 30m, 2h or 1d; got 366d."],
])("sms-retry %s exits 2 with a sentence and where to read on", async (given, sentence) => {
  const [name = ""] = given.split(" ");
  const stderr = sentence.endsWith("--help.") ? sentence : `${sentence} See sms-retry ${name} --help.`;

  expect(await answer(...given.split(" "))).toEqual({ code: 2, stdout: "", stderr: `${stderr}\n` });
});

test("a wrong break is answered with those that there are", async () => {
  expect((await answer("simulate", "--break", "all")).stderr).toMatch(
    /^--break must be one of no-conditions, .*, late-success-is-ignored; got all\. See /,
  );
});

test("a file that is no scenario is answered with its problems, an unknown key with the known", async () => {
  expect((await answer("run", "--scenario", join(__dirname, "../../package.json"))).stderr).toMatch(
    /^The scenario \S+ is not valid; correct the file: .*; name: unknown key \(the known keys are \$schema, description, .*\)\. See /,
  );
});

describe("what a command is given to work with", () => {
  test("run has a default for everything", async () => {
    const defaults = {
      messages: 200,
      rate: 50,
      seed: 1,
      maxRetries: 3,
      scenario: "mixed",
      service: "pinpoint",
    };

    expect(await parsed("run")).toEqual(defaults);
  });

  test("run takes every option", async () => {
    const given =
      "--messages 5 --rate 2 --seed 9 --max-retries 0 --scenario ./a.json --service end-user-messaging --via firehose --fault dynamodb-down --json";

    expect(await parsed("run", ...given.split(" "))).toEqual({
      messages: 5,
      rate: 2,
      seed: 9,
      maxRetries: 0,
      scenario: "./a.json",
      service: "end-user-messaging",
      via: "firehose",
      fault: "dynamodb-down",
      json: true,
    });
  });

  test("paths are those of the caller, and --var-file may be given several times", async () => {
    const given =
      "--stack sms-retry-kinesis --var-file a.tfvars --var-file=/b.tfvars --backend-config s3.tfbackend --output c.md";

    expect(await parsed("plan-review", ...given.split(" "))).toEqual({
      stack: "sms-retry-kinesis",
      varFile: [resolve("a.tfvars"), "/b.tfvars"],
      backendConfig: resolve("s3.tfbackend"),
      output: resolve("c.md"),
      inspect: true,
    });
    expect(await parsed("plan-review", "--folder", "infra", "--no-inspect")).toEqual({
      folder: resolve("infra"),
      inspect: false,
    });
  });
});

describe("sms-retry pause", () => {
  const table = "sms-retry-send-gates";

  test("has the table of a deployment without a prefix of its own, as gate and resume have", async () => {
    expect(await parsed("pause")).toEqual({ table });
    expect(await parsed("gate")).toEqual({ table });
    expect(await parsed("resume")).toEqual({ table });
  });

  test.each([
    ["1s", 1],
    ["30m", 1_800],
    ["2h", 7_200],
    ["365d", 365 * 86_400],
  ])("--for %s is %d seconds", async (given, forSeconds) => {
    const options = ["--identity", "+447700900999", "--for", given, "--reason", "a test", "--json"];

    expect(await parsed("pause", ...options)).toEqual({
      table,
      identity: "+447700900999",
      for: forSeconds,
      reason: "a test",
      json: true,
    });
  });
});

describe("a command that asks AWS", () => {
  const run = scriptRunner("sms-retry.ts");

  test.each<[string, Record<string, string>, string]>([
    [
      "a region",
      signedOut,
      "No AWS region is set; set AWS_REGION to the region of your deployment, and try again.",
    ],
    [
      "credentials",
      { ...signedOut, AWS_REGION: "us-east-1" },
      "There are no AWS credentials; set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and try again.",
    ],
    [
      "a way to AWS",
      { ...signedIn, AWS_ENDPOINT_URL: "http://127.0.0.1:9" },
      "AWS cannot be reached in the region us-east-1 (ECONNREFUSED); check the region, the network and AWS_ENDPOINT_URL, and try again.",
    ],
  ])("exits 1 with a sentence on stderr without %s", async (_what, environment, sentence) => {
    const expected = { code: 1, stdout: "", stderr: `${sentence}\n` };

    expect(await run(environment, "inspect", "--stream", "archive")).toEqual(expected);
    expect(await run(environment, "redrive", "--queue", "dead")).toEqual(expected);
    expect(await run(environment, "pause")).toEqual(expected);
  });
});

test("a plan without Terraform exits 1, and sentence and comment say what to install", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sms-retry-plan-"));
  const sentence = "There is no terraform on the PATH; install Terraform (>= 1.5.0) and plan again.";
  try {
    const run = await planReview({ ...signedOut, PATH: folder }, "--folder", folder);

    expect({ code: run.code, stderr: run.stderr }).toEqual({
      code: 1,
      stderr: `${basename(folder)}: ${sentence}\n`,
    });
    expect(run.stdout).toContain(sentence);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe("sms-retry simulate", () => {
  const simulate = scriptRunner("sms-retry.ts", "simulate");

  test("a run that fails names the line that replays it, its break too", async () => {
    const failed = await simulate(signedOut, "--runs", "100", "--break", "no-conditions");
    const [, line = ""] = /replay it with: npx sms-retry simulate (.*)\n$/.exec(failed.stderr) ?? [];

    expect(line).toMatch(/^--seed \d+ --break no-conditions$/);
    const replayed = await simulate(signedOut, ...line.split(" "));
    expect(replayed).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^Seed \d+ violates the protocol; /),
    });
    expect(failed.stdout).toContain(replayed.stdout);
  }, 30_000);

  test("a replay ends with its verdict, after its steps", async () => {
    const { code, stdout, stderr } = await simulate(signedOut, "--seed", "3");

    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/: starts\n.*\nNo violation\.\n$/s);
  });
});

test("a command whose output nobody reads any more, as before `| head`, ends without a word", async () => {
  const given = [join(__dirname, "../../cli/sms-retry.ts"), "simulate", "--seed", "3"];
  const child = spawn(process.execPath, given, { env: signedOut, stdio: ["ignore", "pipe", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  child.stdout.destroy();

  const [code] = await once(child, "close");

  expect({ code, stderr }).toEqual({ code: 141, stderr: "" });
});

describe("the command itself", () => {
  const bin = join(__dirname, "../../cli/sms-retry.ts");
  // As npx does it: the shell finds the command and, by its first line, node.
  const path = [dirname(process.execPath), process.env.PATH].join(delimiter);
  // Names every file that is loaded.
  const loads = `data:text/javascript,${encodeURIComponent(
    'import { registerHooks } from "node:module"; registerHooks({ load: (url, context, next) => { process.stderr.write(url + "\\n"); return next(url, context); } });',
  )}`;
  const folder = mkdtempSync(join(tmpdir(), "sms-retry-command-"));
  let child: ChildProcess | undefined;
  let silent: Server;

  beforeAll(async () => {
    silent = createServer(() => {}).listen(0, "127.0.0.1");
    await once(silent, "listening");
    writeFileSync(join(folder, "terraform"), "#!/bin/sh\nexec sleep 60\n");
    chmodSync(join(folder, "terraform"), 0o755);
  });
  afterEach(() => child?.kill("SIGKILL"));
  afterAll(() => {
    silent.close();
    rmSync(folder, { recursive: true });
  });

  test("--help loads neither an AWS SDK nor cdktf nor esbuild, so that it is there at once", async () => {
    const env = { ...process.env, PATH: path, NODE_OPTIONS: `--import=${loads}` };
    const { stdout, stderr } = await promisify(execFile)(bin, ["--help"], { env });

    expect(stdout).toMatch(/^Usage: sms-retry /);
    expect(stderr).toContain("/commander/");
    expect(stderr).not.toMatch(/@aws-sdk|@smithy|cdktf|esbuild|cli-progress|simulated-run/);
  });

  test("run --json can be piped: one line of JSON on stdout, the progress on stderr", async () => {
    const reader = `let text = ""; for await (const part of process.stdin) text += part; console.log(text.split("\\n").length, JSON.stringify(JSON.parse(text).outcomes));`;
    const { stdout, stderr } = await promisify(execFile)(
      "sh",
      ["-c", `set -e; "$0" run --json --messages 10 --seed 5 | node --input-type=module -e '${reader}'`, bin],
      { env: { ...process.env, PATH: path } },
    );

    expect(stdout).toMatch(/^2 \{"deliveredAtOnce":\d+,.*"open":0\}\n$/);
    expect(stderr).toContain("Running");
  }, 120_000);

  test.each<[string, RegExp]>([
    ["run", /Running/],
    ["simulate --runs 1000000", /simulated-run\.ts/],
    ["inspect --stream archive", /inspect\/account\.ts/],
    ["redrive --queue dead", /redrive\/queues\.ts/],
    ["redrive --overdue --table a-message-state", /redrive\/queues\.ts/],
    ["gate", /gate\/gates\.ts/],
    ["pause", /gate\/gates\.ts/],
    ["resume", /gate\/gates\.ts/],
    ["status order-4711 --watch", /message\/status\.ts/],
    ["status --failed", /message\/status\.ts/],
    ["resend order-4711 --reason again", /message\/resend\.ts/],
    ["cancel order-4711 --reason wrong", /message\/cancel\.ts/],
    [`plan-review --folder ${folder}`, /plan-review\/terraform-plan\.ts/],
  ])(
    "%s that is interrupted exits 130 with a word and no stack trace",
    async (given, isAtWork) => {
      // A terminal tells the whole group, which a process of its own session stands for.
      const started = spawn(bin, given.split(" "), {
        detached: true,
        env: {
          ...signedIn,
          PATH: [folder, path].join(delimiter),
          AWS_ENDPOINT_URL: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`,
          NODE_OPTIONS: `--import=${loads}`,
        },
      });
      child = started;
      let stderr = "";
      started.stderr.on("data", (chunk: Buffer) => {
        const wasAtWork = isAtWork.test(stderr);
        stderr += chunk;
        if (!wasAtWork && isAtWork.test(stderr)) process.kill(-Number(started.pid), "SIGINT");
      });
      const [code] = await once(started, "close");

      expect(stderr).toMatch(/^Interrupted\.\n$/m);
      expect(stderr).not.toMatch(/^ {4}at | failed: /m);
      expect(code).toBe(130);
    },
    60_000,
  );
});

test("bundles are stale where they are missing or older than a source, and else not", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sms-retry-bundles-"));
  try {
    expect(await areStale(folder)).toBe(false);
    utimesSync(folder, new Date("2021-01-01"), new Date("2021-01-01"));
    expect(await areStale(folder)).toBe(true);
    expect(await areStale(join(folder, "none"))).toBe(true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
