/** What a simulated world is going to be like: its deployment, its messages, and what will go wrong. */
import { trackDeliveriesValues } from "../functions/contract/guarantees.ts";
import type { Choices } from "./choices.ts";
import type { SimulatedInputs } from "./settings.ts";
import { type Outage, outageKinds } from "./virtual-world.ts";

/** The plan of one world. */
export interface Plan {
  readonly inputs: SimulatedInputs;
  /** Where the delivery events come from; each has its own function on the one table. */
  readonly sources: readonly ("kinesis" | "firehose" | "sns")[];
  readonly messages: number;
  /** Whether all messages are produced in the same few seconds. */
  readonly isBurst: boolean;
  /** Whether anything goes wrong: without faults the number of sends is exactly the expected one. */
  readonly hasFaults: boolean;
  readonly worstSkewSeconds: number;
  readonly outages: readonly Outage[];
  /** When an operator pauses all gates, and resumes; epoch seconds. */
  readonly pause?: { readonly from: number; readonly until: number };
  /** Until when workers die, answers get lost and so on, outages aside; epoch seconds. */
  readonly faultsUntil: number;
  /** From when on nothing goes wrong any more; epoch seconds. */
  readonly calmFrom: number;
}

/** The sender id of some messages; the others go by whatever the service chooses. */
export const senderId = "SHOP";

/** How long things go wrong, outages aside. */
const faultySeconds = 1_200;

/** Draws a plan. */
export function drawPlan(choices: Choices, startsAt: number): Plan {
  const hasFaults = choices.below(4) !== 0;
  const isBurst = choices.below(12) === 11;
  const maxSendsPerSecond = [20, 1, 0.2, 10, 150][choices.below(5)] ?? 20;
  const trackDeliveries = trackDeliveriesValues[choices.below(3)] ?? "all";
  const inputs: SimulatedInputs = {
    services: servicesDrawn(choices),
    maxRetries: 3 - choices.below(4),
    retryDelaysSeconds: [[60, 300, 900], [0], [0, 5], [30, 1_800], [1]][choices.below(5)] ?? [],
    guarantee: choices.below(2) === 0 ? "at-least-once" : "at-most-once",
    trackDeliveries,
    receiptTimeoutSeconds: trackDeliveries === "none" ? 0 : ([0, 0, 0, 600][choices.below(4)] ?? 0),
    dropsRetriedEvents: choices.below(2) === 0,
    maxSendsPerSecond,
    sendRates: [{}, {}, { [senderId]: 0.5 }, { [senderId]: 3 }][choices.below(4)] ?? {},
  };
  const sources = sourcesDrawn(choices, inputs);
  const messages = isBurst ? 8 + choices.below(8) : 1 + choices.below(3);
  const worstSkewSeconds = hasFaults && choices.below(4) === 3 ? 60 : 0;
  const outages = hasFaults ? drawOutages(choices, startsAt, isBurst) : [];
  const faultsUntil = hasFaults ? startsAt + faultySeconds : startsAt;
  const pause = hasFaults && choices.below(5) === 4 ? drawPause(choices, startsAt) : undefined;
  const calmFrom = Math.max(faultsUntil, pause?.until ?? 0, ...outages.map(({ until }) => until));
  return {
    inputs,
    sources,
    messages,
    isBurst,
    hasFaults,
    worstSkewSeconds,
    outages,
    ...(pause !== undefined && { pause }),
    faultsUntil,
    calmFrom,
  };
}

/** Half of all deployments are as they were made for Pinpoint; of those that move, old messages go on by it. */
function servicesDrawn(choices: Choices): SimulatedInputs["services"] {
  const drawn = choices.below(4);
  if (drawn < 2) return ["pinpoint"];
  return drawn === 2 ? ["end-user-messaging"] : ["end-user-messaging", "pinpoint"];
}

/** A stream of Pinpoint's is a Kinesis or a Firehose stream, a destination of End User Messaging a topic or the latter. */
function sourcesDrawn(choices: Choices, { services }: SimulatedInputs): Plan["sources"] {
  const own = services.map((service) => (service === "pinpoint" ? "kinesis" : "sns"));
  return [own, ["firehose"] as const, [...own, "firehose"] as const][choices.below(3)] ?? own;
}

function drawPause(choices: Choices, startsAt: number): NonNullable<Plan["pause"]> {
  const from = startsAt + choices.below(faultySeconds / 2);
  return { from, until: from + ([60, 120, 300, 900][choices.below(4)] ?? 0) };
}

/** What can be out of order, as often as it stands here. */
const services = ["sms", "sms", "sms", "table", "table", "gates", "sqs", "scheduler", "s3"] as const;

function drawOutages(choices: Choices, startsAt: number, isBurst: boolean): Outage[] {
  const count = [0, 0, 0, 1, 1, 2][choices.below(6)] ?? 0;
  return Array.from({ length: count }, () => {
    const from = startsAt + choices.below(faultySeconds);
    // Hours of many messages that come again and again take long, and show no more than hours of few.
    const longest = isBurst ? 900 : 10_800;
    const seconds = Math.min([5, 60, 300, 900, 3_600, 10_800][choices.below(6)] ?? 0, longest);
    return {
      service: services[choices.below(services.length)] ?? "sms",
      kind: outageKinds[choices.below(outageKinds.length)] ?? "refuses",
      from,
      until: from + seconds,
    };
  });
}
