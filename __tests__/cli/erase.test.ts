/** `sms-retry erase` as a user runs it: the number comes by standard input, and is printed nowhere. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { type Emulators, startEmulators } from "../../local/emulators/start-emulators.ts";
import { createMessageTable, type MessageTable } from "../support/message-table.ts";
import { sentMessage } from "../support/messages.ts";
import { type ScriptRun, signedIn } from "../support/script-run.ts";

const number = "+447700900123";
const script = join(__dirname, "../../cli/sms-retry.ts");

let emulators: Emulators<"dynamodb">;
let table: MessageTable;
let tables = 0;

beforeAll(async () => {
  emulators = await startEmulators(["dynamodb"]);
});
afterAll(() => emulators.stop());
beforeEach(async () => {
  tables += 1;
  table = await createMessageTable(emulators.endpoints.dynamodb, `p-message-state-${tables}`);
  for (let n = 0; n < 150; n += 1) {
    const isTheirs = n % 50 === 7;
    await table.put(
      sentMessage({
        application_message_id: `order-${n}`,
        // An application may leave the plus out.
        destination_number: isTheirs ? (n === 57 ? number.slice(1) : number) : "+447700900124",
      }),
    );
  }
});

function erase(standardInput: string, ...given: string[]): Promise<ScriptRun> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [script, "erase", "--table", table.name, ...given],
      { env: { ...signedIn, AWS_ENDPOINT_URL: emulators.endpoints.dynamodb } },
      (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
    );
    child.stdin?.end(standardInput);
  });
}

const idsLeft = async () => (await table.all()).map((item) => item.application_message_id).sort();

test("with --yes exactly the messages to the number are deleted", async () => {
  const before = await idsLeft();

  const { code, stdout, stderr } = await erase(`${number}\n`, "--yes", "--json");

  expect([code, stderr]).toEqual([0, ""]);
  const { ids, ...report } = JSON.parse(stdout);
  expect(report).toEqual({ table: table.name, scanned: 150, found: 3, deleted: 3 });
  expect(ids.sort()).toEqual(["order-107", "order-57", "order-7"]);
  expect(await idsLeft()).toEqual(before.filter((id) => !ids.includes(id)));
  expect(stdout).not.toContain("447700900");
});

test("without --yes nothing is deleted, and the text says so", async () => {
  const { code, stdout } = await erase(number);

  expect(code).toBe(0);
  expect(stdout).toContain("150 items of");
  expect(stdout).toContain("3 hold the number.");
  expect(stdout).toContain("Nothing was deleted: that takes --yes.");
  expect(stdout).not.toContain("447700900");
  expect(await idsLeft()).toHaveLength(150);
});

test.each(["", "447700900123", "+44 7700 900123", `${number}\n${number}`, "x".repeat(10_000)])(
  "standard input that is no number is refused without repeating it: %j",
  async (input) => {
    expect(await erase(input, "--yes")).toEqual({
      code: 1,
      stdout: "",
      stderr:
        "Standard input must hold one phone number in E.164 format, a plus and at most 15 digits; give that and nothing else.\n",
    });
    expect(await idsLeft()).toHaveLength(150);
  },
);
