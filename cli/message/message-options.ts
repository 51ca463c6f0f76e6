/** Options of the commands about single messages. */
import { InvalidArgumentError } from "commander";
import { settingDefaults } from "../../functions/contract/environment.ts";
import { tableName, text, wholeNumber } from "../options.ts";

/** `--table`: commander's arguments for an option with a default. */
export const messageTable: [string, string, (value: string) => string, string] = [
  "--table <name>",
  "the message-state table: the output message_table_name",
  tableName,
  "sms-retry-message-state",
];

/** The id of a message, as an application may have chosen it. */
export function messageId(value: string): string {
  if (value !== "" && Buffer.byteLength(value) <= 2_048) return value;
  throw new InvalidArgumentError("must be an application_message_id of 1 to 2048 bytes");
}

/** `--reason`: why an operator does something; it is kept in the item. */
export const reason: [string, string, (value: string) => string] = [
  "--reason <text>",
  "why; it is kept in the item, so name no number in it",
  text(/^[^\p{Cc}]{1,200}$/u, "must be a line of at most 200 characters"),
];

/** `--retention-days`: how long the item of an ended message is kept. */
export const retentionDays: [string, string, (value: string) => number, number] = [
  "--retention-days <n>",
  "the input ended_message_retention_days of the deployment",
  wholeNumber(1, 3_650),
  settingDefaults.ENDED_MESSAGE_RETENTION_DAYS,
];
