/** The item that the README tells applications to write: the command as a shell reads it, on a real table. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ConditionalCheckFailedException, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import { settingDefaults } from "../functions/contract/environment.ts";
import { readMessageItem } from "../functions/core/message/message-item.ts";
import { type Emulators, startEmulators } from "../local/emulators/start-emulators.ts";
import { awsCommandsOf } from "./support/documented-command.ts";
import { createMessageTable, documentClientOf, type MessageTable } from "./support/message-table.ts";

const readme = readFileSync(join(__dirname, "../README.md"), "utf8");

const keptAfterDeadlineSeconds = settingDefaults.ENDED_MESSAGE_RETENTION_DAYS * 86_400;

const [command] = awsCommandsOf(readme, "dynamodb put-item");
const option = (name: string): string => command?.option(name) ?? "";
const item = JSON.parse(option("--item"));

test("the command is one that the AWS CLI takes, and names the table of a default deployment", () => {
  expect(command?.words.filter((word) => word.startsWith("--"))).toEqual([
    "--table-name",
    "--condition-expression",
    "--item",
  ]);
  expect(option("--table-name")).toBe("sms-retry-message-state");
});

test("the item is read as it is meant, in seconds, and outlives its deadline as our own do", () => {
  const message = readMessageItem(unmarshall(item));

  expect(Object.keys(message).sort()).toEqual(Object.keys(item).sort());
  const { created_at = 0, deadline = 0, expires_at = 0 } = message;
  expect(created_at).toBeLessThan(deadline);
  expect(expires_at).toBe(deadline + keptAfterDeadlineSeconds);
  expect(new Date(created_at * 1_000).getUTCFullYear()).toBe(2026);
  expect(readme).toContain(`(${keptAfterDeadlineSeconds} seconds)`);
});

describe("on a table", () => {
  let emulators: Emulators;
  let table: MessageTable;
  beforeAll(async () => {
    emulators = await startEmulators();
    table = await createMessageTable(emulators.endpoints.dynamodb);
  });
  afterAll(() => emulators.stop());

  const put = () =>
    documentClientOf(emulators.endpoints.dynamodb).send(
      new PutItemCommand({
        TableName: table.name,
        ConditionExpression: option("--condition-expression"),
        Item: item,
      }),
    );

  test("a repeated write does not undo what happened to the message since", async () => {
    await put();
    const { application_message_id } = unmarshall(item);
    expect(await table.get(application_message_id)).toEqual(unmarshall(item));
    const claimed = { ...unmarshall(item), status: "SENDING", retry_count: 1 };
    await table.put(claimed);

    await expect(put()).rejects.toThrow(ConditionalCheckFailedException);

    expect(await table.get(application_message_id)).toEqual(claimed);
  });
});
