/** What a simulated world is going to be like: its deployment, its messages, and what will go wrong. */
import { trackDeliveriesValues } from "../functions/contract/guarantees.ts";
import type { SimulatedInputs } from "./settings.ts";
import type { Tape } from "./tape.ts";
import { type Outage, outageKinds } from "./virtual-world.ts";

/** The plan of one world. */
export interface Plan {
  readonly inputs: SimulatedInputs;
  /** Where the delivery events come from; both have their own functions on the one table. */
  readonly sources: readonly ("kinesis" | "firehose")[];
  readonly messages: number;
  /** Whether all messages are produced in the same few seconds. */
  readonly isBurst: boolean;
  /** Whether anything goes wrong: without faults the number of sends is exactly the expected one. */
  readonly hasFaults: boolean;
  readonly worstSkewSeconds: number;
  readonly outages: readonly Outage[];
  /** Until when workers die, answers get lost and so on, outages aside; epoch seconds. */
  readonly faultsUntil: number;
  /** From when on nothing goes wrong any more; epoch seconds. */
  readonly calmFrom: number;
}

/** How long things go wrong, outages aside. */
const faultySeconds = 1_200;

/** Draws a plan. */
export function drawPlan(tape: Tape, startsAt: number): Plan {
  const hasFaults = tape.choose(4) !== 0;
  const isBurst = tape.choose(12) === 11;
  const maxSendsPerSecond = [20, 1, 0.2, 10][tape.choose(4)] ?? 20;
  const trackDeliveries = trackDeliveriesValues[tape.choose(3)] ?? "all";
  const inputs: SimulatedInputs = {
    maxRetries: 3 - tape.choose(4),
    retryDelaysSeconds: [[60, 300, 900], [0], [0, 5], [30, 1_800], [1]][tape.choose(5)] ?? [],
    guarantee: tape.choose(2) === 0 ? "at-least-once" : "at-most-once",
    trackDeliveries,
    receiptTimeoutSeconds: trackDeliveries === "none" ? 0 : ([0, 0, 0, 600][tape.choose(4)] ?? 0),
    dropsRetriedEvents: tape.choose(2) === 0,
    maxSendsPerSecond,
    senderConcurrency: Math.max(2, Math.ceil(maxSendsPerSecond / 10)),
    senderBatchSize: Math.max(1, Math.min(10, Math.floor(maxSendsPerSecond * 8))),
  };
  const sources = ([["kinesis"], ["firehose"], ["kinesis", "firehose"]] as const)[tape.choose(3)] ?? [];
  const messages = isBurst ? 8 + tape.choose(8) : 1 + tape.choose(3);
  const worstSkewSeconds = hasFaults && tape.choose(4) === 3 ? 60 : 0;
  const outages = hasFaults ? drawOutages(tape, startsAt, isBurst) : [];
  const faultsUntil = hasFaults ? startsAt + faultySeconds : startsAt;
  const calmFrom = outages.reduce((latest, { until }) => Math.max(latest, until), faultsUntil);
  return {
    inputs,
    sources,
    messages,
    isBurst,
    hasFaults,
    worstSkewSeconds,
    outages,
    faultsUntil,
    calmFrom,
  };
}

/** What can be out of order, as often as it stands here. */
const services = ["sms", "sms", "sms", "table", "table", "sqs", "scheduler", "s3"] as const;

function drawOutages(tape: Tape, startsAt: number, isBurst: boolean): Outage[] {
  const count = [0, 0, 0, 1, 1, 2][tape.choose(6)] ?? 0;
  return Array.from({ length: count }, () => {
    const from = startsAt + tape.choose(faultySeconds);
    // Hours of many messages that come again and again take long, and show no more than hours of few.
    const longest = isBurst ? 900 : 10_800;
    const seconds = Math.min([5, 60, 300, 900, 3_600, 10_800][tape.choose(6)] ?? 0, longest);
    return {
      service: services[tape.choose(services.length)] ?? "sms",
      kind: outageKinds[tape.choose(outageKinds.length)] ?? "refuses",
      from,
      until: from + seconds,
    };
  });
}
