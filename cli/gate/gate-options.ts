/** Options of the commands about gates. */
import { InvalidArgumentError } from "commander";
import { tableName, text } from "../options.ts";

/** `--table`: commander's arguments for an option with a default. */
export const gateTable: [string, string, (value: string) => string, string] = [
  "--table <name>",
  "the table of gates: the output send_gate_table_name",
  tableName,
  "sms-retry-send-gates",
];

/** An origination identity as `sms-retry gate` shows it, whatever an application has made of it. */
export const identity = text(/^[^#*\p{Cc}]{1,600}$/u, "must be a number, short code, sender id, pool or ARN");

const secondsOf = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** A time such as `30m`, in seconds. */
export function duration(value: string): number {
  const [, count, unit] = /^(\d{1,5})([smhd])$/.exec(value) ?? [];
  const seconds = Number(count) * secondsOf[(unit ?? "s") as keyof typeof secondsOf];
  if (seconds >= 1 && seconds <= 365 * 86_400) return seconds;
  throw new InvalidArgumentError("must be a time from 1s to 365d, such as 30m, 2h or 1d");
}
