/**
 * Races between the end of a message and its retry: many retries wait for their permits while their messages are
 * withdrawn, delivered or opted out of. Once the end is written, no send may start.
 */
import { type ApplicationMessage, cancelLater } from "./application.ts";
import { type Choices, seededChoices } from "./choices.ts";
import { evidenceOf } from "./evidence.ts";
import { gateViolations } from "./gate-rules.ts";
import { violationsOf } from "./invariants.ts";
import type { Plan } from "./plan.ts";
import { makeWorld, type RunOptions, start } from "./simulated-run.ts";
import type { SimulatedWorld } from "./simulated-world.ts";

/** What a world of races leaves. */
export interface RaceReport {
  readonly violations: readonly string[];
  /** Messages that were ended while a retry was scheduled or sent. */
  readonly races: number;
  /** Of those, the ones whose retry was sent: its claim came first. */
  readonly sent: number;
  readonly trace: readonly string[];
}

/** How many messages race in one world. */
const messages = 8;

/** Runs one world of races from its choices to its end, and checks what must never happen. */
export async function simulateRaces(
  choices: Choices,
  maxSendsPerSecond: number,
  options: RunOptions = {},
): Promise<RaceReport> {
  const simulated = makeWorld(choices, planOf(choices, maxSendsPerSecond), options);
  const { world } = simulated;
  // Until the last of them may have had its permit.
  const window = 8 + (2 * messages) / maxSendsPerSecond;
  for (let number = 0; number < messages; number += 1) {
    race(number, choices.below(Math.ceil(window * 20)) / 20, simulated);
  }
  await world.run(simulated.plan.faultsUntil);
  world.areFaultsOn = false;
  await world.run(Number.POSITIVE_INFINITY);
  const evidence = evidenceOf(simulated);
  const ended = evidence.filter(({ ending }) => ends.includes(String(ending?.after.status)));
  return {
    violations: [...violationsOf(simulated, evidence), ...gateViolations(simulated)],
    races: ended.length,
    sent: ended.filter(({ calls }) => calls.length > 0).length,
    trace: world.trace,
  };
}

const ends: readonly string[] = ["CANCELLED", "DELIVERED", "OPTED_OUT"];

function planOf(choices: Choices, maxSendsPerSecond: number): Plan {
  const hasFaults = choices.below(2) === 1;
  const faultsUntil = hasFaults ? start + 300 : start;
  return {
    inputs: {
      services: ["pinpoint"],
      maxRetries: 1,
      retryDelaysSeconds: [choices.below(2)],
      guarantee: choices.below(2) === 0 ? "at-least-once" : "at-most-once",
      trackDeliveries: "all",
      receiptTimeoutSeconds: 0,
      dropsRetriedEvents: false,
      maxSendsPerSecond,
      sendRates: {},
    },
    sources: [choices.below(2) === 0 ? "kinesis" : "firehose"],
    messages,
    isBurst: true,
    hasFaults,
    worstSkewSeconds: 0,
    outages: [],
    faultsUntil,
    calmFrom: faultsUntil,
  };
}

/** A message whose first send has failed, and what ends it some seconds later. */
function race(number: number, seconds: number, simulated: SimulatedWorld): void {
  const { world, table, streams } = simulated;
  const id = `m${number}`;
  const message: ApplicationMessage = {
    id,
    body: "a".repeat(number % 4 === 3 ? 300 : 20),
    destination: `+4477009${String(number).padStart(5, "0")}`,
    isReadable: true,
    isProduced: false,
  };
  simulated.messages.push(message);
  table.writeDirectly(id, () => ({
    application_message_id: id,
    message_body: message.body,
    destination_number: message.destination,
    pinpoint_message_id: `first-${number}`,
    status: "SENT",
    retry_count: 0,
    created_at: start,
    deadline: start + 86_400,
    attempts: { "0": { message_id: `first-${number}`, sent_at: start } },
  }));
  const say = (event_type: string, record_status: string, at: number): void => {
    const event = {
      event_type,
      event_timestamp: at * 1_000,
      application: { app_id: "simulated" },
      attributes: {
        message_id: `first-${number}`,
        destination_phone_number: message.destination,
        record_status,
        customer_context: JSON.stringify({ application_message_id: id, retry_attempt: "0" }),
      },
    };
    world.at(at, () => {
      world.note(`SMS SERVICE: says ${record_status} of ${id} attempt 0`);
      for (const stream of streams) stream.put(JSON.stringify(event));
    });
  };
  say("_SMS.FAILURE", "UNREACHABLE", world.now);
  switch (world.choices.below(3)) {
    case 0:
      cancelLater(message, seconds, simulated);
      break;
    case 1:
      say("_SMS.SUCCESS", "DELIVERED", world.now + seconds);
      break;
    default:
      say("_SMS.OPTOUT", "OPTOUT", world.now + seconds);
  }
}

/** The sums over many worlds of races, and the first that fails. */
export interface RaceTotals {
  races: number;
  sent: number;
  runs: number;
  failure?: { readonly seed: number; readonly violations: readonly string[] };
}

/** Runs worlds of consecutive seeds until there were so many races, or one world fails. */
export async function simulateManyRaces(
  races: number,
  maxSendsPerSecond: number,
  options: RunOptions = {},
): Promise<RaceTotals> {
  const totals: RaceTotals = { races: 0, sent: 0, runs: 0 };
  for (let seed = 0; totals.races < races; seed += 1) {
    const report = await simulateRaces(seededChoices(seed), maxSendsPerSecond, options);
    totals.runs += 1;
    totals.races += report.races;
    totals.sent += report.sent;
    if (report.violations.length > 0) {
      return { ...totals, failure: { seed, violations: report.violations } };
    }
  }
  return totals;
}
