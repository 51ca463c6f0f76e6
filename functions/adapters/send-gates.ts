/** The gates of a function that sends, from its settings. */
import { type SendGate, sendGate } from "../core/sending/gate/send-gate.ts";
import { SendTiming } from "../core/sending/gate/send-timing.ts";
import { type Settings, sendRateOf } from "../settings.ts";
import { dynamodbGateStore } from "./dynamodb/dynamodb-gate-store.ts";
import { tableClockOf } from "./dynamodb/table-clock.ts";
import type { Outside } from "./outside.ts";

/**
 * Makes gates, one for each invocation. What is known of the table's time, and of the length of
 * calls, is kept between them.
 *
 * @returns a function of the time, in epoch seconds, after which the invocation sends nothing
 */
export function sendGates(
  settings: Settings<"resend"> | Settings<"produce">,
  { table, clock, random }: Pick<Outside, "table" | "clock" | "random">,
): (until: number) => SendGate {
  const store = dynamodbGateStore(table, settings.GATE_TABLE_NAME, clock, random);
  const gateClock = tableClockOf(table, clock);
  const rateOf = (identity: string) => sendRateOf(settings, identity);
  const timing = new SendTiming();
  return (until) => sendGate({ store, gateClock, clock, random, rateOf, timing, until });
}
