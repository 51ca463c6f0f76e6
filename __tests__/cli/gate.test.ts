/** `sms-retry gate`, `pause` and `resume` as a user runs them, against an emulator of DynamoDB. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { type GateReport, gateReports, gatesText } from "../../cli/gate/gate-report.ts";
import { allGatesKey, dynamodbGateStore } from "../../functions/adapters/dynamodb/dynamodb-gate-store.ts";
import { systemClock } from "../../functions/adapters/system-clock.ts";
import { type Emulators, startEmulators } from "../../local/emulators/start-emulators.ts";
import { createTable } from "../../local/resources.ts";
import { type DynamodbProxy, startDynamodbProxy } from "../support/dynamodb-proxy.ts";
import { documentClientOf } from "../support/message-table.ts";
import { startOfTest } from "../support/messages.ts";
import { scriptRunner, signedIn } from "../support/script-run.ts";

const run = scriptRunner("sms-retry.ts");
const number = "+447700900999";

let emulators: Emulators<"dynamodb">;
let client: DynamoDBDocumentClient;
let sts: Server;
let proxy: DynamodbProxy;
let environment: Record<string, string>;
let callerArn: string;
let table: string;
let tables = 0;

beforeAll(async () => {
  emulators = await startEmulators(["dynamodb"]);
  client = documentClientOf(emulators.endpoints.dynamodb);
  proxy = await startDynamodbProxy(emulators.endpoints.dynamodb);
  // No emulator here knows STS.
  sts = createServer((incoming, outgoing) => {
    incoming.resume();
    const result = `<Account>123456789012</Account><UserId>A</UserId><Arn>${callerArn}</Arn>`;
    outgoing
      .writeHead(200, { "content-type": "text/xml" })
      .end(
        `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>${result}</GetCallerIdentityResult></GetCallerIdentityResponse>`,
      );
  });
  await new Promise<void>((resolve) => sts.listen(0, "127.0.0.1", resolve));
  environment = {
    ...signedIn,
    AWS_ENDPOINT_URL_DYNAMODB: emulators.endpoints.dynamodb,
    AWS_ENDPOINT_URL_STS: `http://127.0.0.1:${(sts.address() as AddressInfo).port}`,
  };
});
afterAll(async () => {
  client.destroy();
  sts.close();
  await proxy.close();
  await emulators.stop();
});
beforeEach(async () => {
  callerArn = "arn:aws:iam::123456789012:user/alice";
  proxy.reset();
  tables += 1;
  table = `sms-retry-send-gates-${tables}`;
  await createTable(client, table, "gate");
});

const behindProxy = () => ({ ...environment, AWS_ENDPOINT_URL_DYNAMODB: proxy.endpoint });
const command = (...given: string[]) => run(environment, ...given, "--table", table);
const put = (Item: Record<string, unknown>) => client.send(new PutCommand({ TableName: table, Item }));
const get = async (gate: string) =>
  (await client.send(new GetCommand({ TableName: table, Key: { gate }, ConsistentRead: true }))).Item;
const seconds = () => Date.now() / 1000;

/** The gates as `--json` prints them. */
async function gatesOf(...given: string[]): Promise<GateReport[]> {
  const { code, stdout, stderr } = await command(...given, "--json");
  expect([code, stderr]).toEqual([0, ""]);
  return (JSON.parse(stdout) as { gates: GateReport[] }).gates;
}

describe("sms-retry pause", () => {
  test("stops all, until somebody resumes, and says who did it and why", async () => {
    await put({ gate: number, version: 4 });
    const before = Math.floor(seconds());

    const { code, stdout, stderr } = await command("pause", "--reason", "a wrong text");

    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout.split("\n")).toEqual([
      "All sends are paused: until resume, by alice: a wrong text.",
      "identity       rate/s  used  backlog  breaker  pause",
      "+447700900999  -       -     0 s      open     -",
      "",
    ]);
    const item = await get(allGatesKey);
    expect(item).toEqual({
      gate: allGatesKey,
      version: 1,
      paused_since: expect.any(Number),
      paused_by: "alice",
      pause_reason: "a wrong text",
    });
    expect(item?.paused_since).toBeGreaterThanOrEqual(before);
    expect(item?.paused_since).toBeLessThanOrEqual(seconds());
  });

  test("stops one identity for a time, by a role's session; its gate stays as it is", async () => {
    callerArn = "arn:aws:sts::123456789012:assumed-role/Admin/bob";
    const item = { gate: number, version: 4, next_free_at: 5.5, failures: 1 };
    await put(item);

    const [gate, ...others] = await gatesOf("pause", "--identity", number, "--for", "30m");

    expect(others).toEqual([]);
    expect(gate).toMatchObject({ identity: number, paused: true, pausedBy: "Admin/bob", pauseReason: null });
    expect(Math.abs((gate?.pausedUntil ?? 0) - seconds() - 1_800)).toBeLessThan(60);
    const paused = await get(number);
    expect(paused).toMatchObject({ ...item, version: 5, paused_by: "Admin/bob" });
    expect(Number(paused?.paused_until) - Number(paused?.paused_since)).toBe(1_800);
  });

  test("once more replaces the pause before, with its end and its reason", async () => {
    await command("pause", "--for", "1h", "--reason", "first");
    await command("pause");

    const item = await get(allGatesKey);
    expect(item).toMatchObject({ version: 2, paused_by: "alice" });
    expect(item).not.toHaveProperty("paused_until");
    expect(item).not.toHaveProperty("pause_reason");
  });

  test("says whose pause it replaces, and that an identity has sent nothing yet", async () => {
    await command("pause", "--reason", "fraud");
    callerArn = "arn:aws:iam::123456789012:user/bob";

    const shorter = await command("pause", "--for", "30m");
    expect(shorter.stdout.split("\n").at(-2)).toBe("It replaces the pause until resume, by alice: fraud.");
    const misspelt = await command("pause", "--identity", "SHPO");
    expect(misspelt.stdout.split("\n").at(-2)).toBe(
      "Nothing has left by SHPO yet: see whether it is spelt as messages name it.",
    );
  });

  test("does not wait for the name of who pauses", async () => {
    const unreachable = { ...environment, AWS_ENDPOINT_URL_STS: "http://127.0.0.1:9" };

    const { code, stdout } = await run(unreachable, "pause", "--table", table);

    expect([code, stdout.split("\n")[0]]).toEqual([0, "All sends are paused: until resume, by unknown."]);
  });

  test("is not taken for failed where the gates cannot be shown", async () => {
    proxy.intercept = (call, forward) =>
      call.operation === "Scan"
        ? { status: 400, body: { __type: "x#AccessDeniedException", message: "no right" } }
        : forward();

    const { code, stderr } = await run(behindProxy(), "pause", "--table", table);

    expect(code).toBe(0);
    expect(stderr).toMatch(
      /^The sends are paused, but the gates cannot be shown: .* no right to dynamodb:Scan/,
    );
    expect(await get(allGatesKey)).toMatchObject({ paused_by: "alice" });
  });

  test.each([-240, 240])(
    "lasts as long as it says where this machine's clock is off by %d s",
    async (off) => {
      proxy.intercept = async (_call, forward) => ({ ...(await forward()), date: seconds() - off });

      const { stdout } = await run(behindProxy(), "pause", "--for", "1m", "--json", "--table", table);

      expect(JSON.parse(stdout)).toMatchObject({ gates: [{ identity: allGatesKey, paused: true }] });
      const { paused_since: since, paused_until: until } = (await get(allGatesKey)) ?? {};
      expect(Math.abs(Number(since) - (seconds() - off))).toBeLessThan(10);
      expect(Number(until) - Number(since)).toBe(60);
    },
  );

  test("is seen by a worker that has read its gate before: its write is refused", async () => {
    const store = dynamodbGateStore(client, table, systemClock, { next: () => 0 });
    const [before] = await store.read(number, [0]);
    if (before === undefined) throw new Error("The store answered no item.");
    await command("pause", "--identity", number);

    const written = await store.write(number, 0, before, before);

    expect(written).toMatchObject({ isWritten: false, stored: { gate: { pause: { by: "alice" } } } });
  });
});

describe("sms-retry resume", () => {
  test("says whose pause it ends, and where there is none; it makes no gate of a wrong name", async () => {
    await command("pause", "--reason", "a wrong text");
    callerArn = "arn:aws:iam::123456789012:user/bob";

    const ended = await command("resume");
    expect(ended.stdout.split("\n").at(-2)).toBe("It ends the pause until resume, by alice: a wrong text.");
    const again = await command("resume");
    expect([again.code, again.stdout.split("\n").at(-2)]).toEqual([0, "There was no such pause to end."]);
    await command("resume", "--identity", "SHPO");
    expect(await get("SHPO")).toBeUndefined();
  });

  test("ends the pause of all, and that of one stays", async () => {
    await command("pause", "--for", "2h", "--reason", "a wrong text");
    await command("pause", "--identity", "SHOP");

    const gates = await gatesOf("resume");

    expect(gates.map(({ identity, paused }) => [identity, paused])).toEqual([
      [allGatesKey, false],
      ["SHOP", true],
    ]);
    expect(await get(allGatesKey)).toEqual({ gate: allGatesKey, version: 2 });
  });

  test("ends the pause of one, and that of all stays", async () => {
    await command("pause");
    await command("pause", "--identity", "SHOP");

    const { stdout } = await command("resume", "--identity", "SHOP");

    expect(stdout).toMatch(/^All sends are paused: until resume, by alice\.\n/);
    expect(stdout).toMatch(/^SHOP +- +- +0 s +open +-$/m);
  });
});

describe("sms-retry gate", () => {
  test("says that nobody has sent yet where the table is empty", async () => {
    expect(await command("gate")).toEqual({ code: 0, stdout: "No identity has sent yet.\n", stderr: "" });
    expect(await gatesOf("gate")).toEqual([]);
  });

  test("shows an item that cannot be read beside the others, and what to do about it", async () => {
    await put({ gate: number, version: 4 });
    await put({ gate: "SHOP", version: 1, next_free_at: "soon", failures: "none" });

    const { code, stdout } = await command("gate");

    expect(code).toBe(0);
    expect(stdout).toMatch(/^\+447700900999 +- /m);
    expect(stdout.split("\n").at(-2)).toBe(
      "The item SHOP cannot be read because of next_free_at, failures, so nothing leaves by it; delete it: it forms itself anew, but for a pause.",
    );
  });

  test("says which table there is not, and in which region", async () => {
    for (const given of [["gate"], ["pause"], ["resume"]]) {
      expect(await run(environment, ...given, "--table", "nobodys")).toEqual({
        code: 1,
        stdout: "",
        stderr: "There is no table nobodys in the region us-east-1; give --table and check AWS_REGION.\n",
      });
    }
  });
});

describe("the report", () => {
  const now = startOfTest;
  const item = (changes: object) => ({ ...absent, gate: "SHOP", ...changes });
  const absent = {
    version: 1,
    next_free_at: 0,
    recent_starts: "",
    backlog_until: [],
    failures: 0,
    closed_until: 0,
    closed_since: 0,
    probe_until: 0,
    opened_at: 0,
  };
  const open = { breaker: "open", probeAt: null };
  const goes = { paused: false, pausedUntil: null, pausedBy: null, pauseReason: null };

  test("has one line for all lanes of an identity: what they have sent, and the longest backlog", () => {
    const lanes = [
      item({ rate: 200, rate_until: now + 1, next_free_at: now, recent_starts: "5000:60 100:3" }),
      item({
        gate: "SHOP#1",
        next_free_at: now + 0.5,
        recent_starts: "6000:40 2000:50",
        backlog_until: [0, now + 90.4],
      }),
    ];

    expect(gateReports(lanes, now)).toEqual([
      // What starts later than now, or more than a second ago, is not counted.
      {
        identity: "SHOP",
        rate: 200,
        used: 103 / 200,
        nextFreeAt: now + 0.5,
        backlogSeconds: 90,
        ...open,
        ...goes,
      },
    ]);
  });

  test("has no rate where nobody has sent for a minute", () => {
    const [report] = gateReports([item({ rate: 10, rate_until: now, backlog_until: [now - 5] })], now);

    expect(report).toEqual({
      identity: "SHOP",
      rate: null,
      used: null,
      nextFreeAt: null,
      backlogSeconds: 0,
      ...open,
      ...goes,
    });
  });

  test("says when a closed breaker tries again, and does not take a pause that is over for one", () => {
    const closed = { closed_since: now - 9, closed_until: now + 5, probe_until: now + 21 };
    const over = { paused_since: now - 60, paused_by: "alice", paused_until: now };
    const reports = gateReports([item({ ...closed, ...over }), item({ gate: allGatesKey, ...over })], now);

    expect(reports).toMatchObject([
      { identity: allGatesKey, ...goes },
      { identity: "SHOP", breaker: "closed", probeAt: now + 21, ...goes },
    ]);
    expect(gatesText({ gates: reports, unreadable: [] })).toBe(
      "identity  rate/s  used  backlog  breaker                                   pause\n" +
        "SHOP      -       -     0 s      closed, tries at 2026-11-23 12:00:21 UTC  -\n",
    );
  });

  test("shows the rate, its use, and a pause with its end", () => {
    const pause = {
      paused_since: now,
      paused_by: "alice",
      paused_until: now + 1_800,
      pause_reason: "a test",
    };
    const used = { rate: 12.5, rate_until: now + 60, next_free_at: now, recent_starts: "1:10" };

    expect(gatesText({ gates: gateReports([item({ ...used, ...pause })], now), unreadable: [] })).toBe(
      "identity  rate/s  used  backlog  breaker  pause\n" +
        "SHOP      12.5    80 %  0 s      open     until 2026-11-23 12:30:00 UTC, by alice: a test\n",
    );
  });
});
