/** Deletes the items of one phone number from the message-state table. */
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { DeleteCommand, type DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { calling } from "../aws-call.ts";
import { tableClient } from "../message-table.ts";
import { print } from "../options.ts";
import { UserError } from "../user-error.ts";
import { walkWithBar } from "../walk-with-bar.ts";

/** What the user asked for. */
export interface EraseRequest {
  readonly table: string;
  /** Whether to delete what is found; otherwise it is only counted. */
  readonly yes: boolean | undefined;
  /** Read units of the table a second; undefined = by the table's own capacity. */
  readonly readUnits: number | undefined;
  readonly json: boolean | undefined;
  readonly signal: AbortSignal;
}

/** What was found and deleted; `--json` prints it. The number is not in it. */
export interface EraseReport {
  readonly table: string;
  /** Items of the table that were looked at. */
  readonly scanned: number;
  /** Items of the number. */
  readonly found: number;
  /** Those that are deleted; 0 without `--yes`. */
  readonly deleted: number;
  /** Ids of the items that were found, for whoever looks for their events in the archive. */
  readonly ids: readonly string[];
}

/**
 * Deletes, and prints the report.
 *
 * @param standardInput holds the number and nothing else, in E.164 format
 * @throws UserError if it holds something else, or the table cannot be read or written
 */
export async function erase(
  { table, yes, readUnits, json, signal }: EraseRequest,
  standardInput: AsyncIterable<Buffer | string>,
): Promise<void> {
  const number = await numberIn(standardInput);
  const client = tableClient();
  const ids: string[] = [];
  let scanned = 0;
  let deleted = 0;
  await walkWithBar({
    client,
    tableName: table,
    question: {
      attributes: ["application_message_id", "destination_number"],
      filter: `#destination_number ${isEitherSpelling}`,
      values: () => spellingsOf(number),
    },
    readUnits,
    found: "found",
    signal,
    async onItems(items, looked) {
      scanned += looked;
      for (const { application_message_id } of items) {
        const id = String(application_message_id);
        ids.push(id);
        if (yes === true && (await isDeleted({ client, table, id, number }))) deleted += 1;
      }
      return ids.length;
    },
  });
  const report: EraseReport = { table, scanned, found: ids.length, deleted, ids };
  print(report, json, eraseText);
}

/** The report for people. */
export function eraseText({ table, scanned, found, deleted, ids }: EraseReport): string {
  const looked = `${scanned} items of ${table} were looked at; ${found} hold the number.`;
  const ending =
    found === 0
      ? "Nothing was deleted."
      : deleted === 0
        ? "Nothing was deleted: that takes --yes."
        : `${deleted} of them are deleted, and no retry of theirs is sent any more.`;
  const elsewhere =
    "The archive, queues and restore points may hold the number, too: docs/data-protection.md says until when.";
  return `${[looked, ...ids.map((id) => `  ${id}`), ending, elsewhere].join("\n")}\n`;
}

/** What a number is by E.164: a plus and at most 15 digits. */
const phoneNumber = /^\+[1-9]\d{1,14}$/;

/** The services take a number with its plus and without, so an item can hold either. */
const isEitherSpelling = "IN (:number, :digits)";

function spellingsOf(number: string): Record<":number" | ":digits", string> {
  return { ":number": number, ":digits": number.slice(1) };
}

/** A number on the command line would stay in the shell's history and in the list of processes. */
async function numberIn(standardInput: AsyncIterable<Buffer | string>): Promise<string> {
  let text = "";
  for await (const chunk of standardInput) {
    text += String(chunk);
    // No number is so long; who gives a file by mistake need not wait for its end.
    if (text.length > 100) break;
  }
  const number = text.trim();
  if (phoneNumber.test(number)) return number;
  throw new UserError(
    "Standard input must hold one phone number in E.164 format, a plus and at most 15 digits; give that and nothing else.",
  );
}

/** Deletes an item, unless it is about another number by now or gone already. */
function isDeleted({
  client,
  table,
  id,
  number,
}: {
  readonly client: DynamoDBDocumentClient;
  readonly table: string;
  readonly id: string;
  readonly number: string;
}): Promise<boolean> {
  return calling(client, "dynamodb:DeleteItem", async () => {
    try {
      await client.send(
        new DeleteCommand({
          TableName: table,
          Key: { application_message_id: id },
          ConditionExpression: `destination_number ${isEitherSpelling}`,
          ExpressionAttributeValues: spellingsOf(number),
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  });
}
