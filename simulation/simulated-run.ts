/** One simulated run: a deployment with chance settings, some messages, faults, a calm end, and the checks. */

import { timeoutSecondsOf } from "../functions/contract/environment.ts";
import { eventMetrics } from "../functions/core/observability/outcomes.ts";
import type { MetricName } from "../functions/core/observability/telemetry.ts";
import { type ApplicationMessage, cancelLater, produceMessage, startApplication } from "./application.ts";
import type { Choices } from "./choices.ts";
import { evidenceOf } from "./evidence.ts";
import { type BreakPorts, resend } from "./functions.ts";
import { gateViolations } from "./gate-rules.ts";
import { violationsOf } from "./invariants.ts";
import { drawPlan, type Plan } from "./plan.ts";
import { progressViolations } from "./progress.ts";
import { queueModel } from "./queue-model.ts";
import { departures } from "./reference.ts";
import { type SimulatedVariables, senderMappingOf, simulatedSettings } from "./settings.ts";
import { simulatedTable, type TableBreaks } from "./simulated-table.ts";
import type { SimulatedWorld } from "./simulated-world.ts";
import { smsServiceModel } from "./sms-service-model.ts";
import { firehoseModel, kinesisModel, type StreamModel, snsModel } from "./stream-model.ts";
import { type Fault, VirtualWorld } from "./virtual-world.ts";

/** What a run can be given. */
export interface RunOptions {
  readonly keepsTrace?: boolean;
  readonly table?: TableBreaks;
  readonly breakPorts?: BreakPorts;
  /** Variables of the functions that are not as the stacks set them. */
  readonly variables?: Partial<SimulatedVariables>;
}

/** What a run leaves. */
export interface RunReport {
  /** Sentences about rules that did not hold; none in a good run. */
  readonly violations: readonly string[];
  readonly steps: number;
  readonly messages: number;
  readonly sends: number;
  readonly possibleDuplicates: number;
  readonly hasFaults: boolean;
  readonly injected: ReadonlyMap<Fault, number>;
  readonly counts: ReadonlyMap<MetricName, number>;
  readonly trace: readonly string[];
}

/** 2026-11-23T12:00:00Z. */
export const start = 1_795_435_200;

/** Runs one world from its choices to its end, and checks it. */
export async function simulate(choices: Choices, options: RunOptions = {}): Promise<RunReport> {
  const simulated = makeWorld(choices, drawPlan(choices, start), options);
  const { world, plan } = simulated;
  for (let number = 0; number < plan.messages; number += 1) {
    world.at(start + choices.below(plan.isBurst ? 3 : 30), () => {
      const message = plan.isBurst ? produceBurst(number, simulated) : startApplication(number, simulated);
      simulated.messages.push(message);
    });
  }
  putJunk(simulated);
  if (plan.pause !== undefined) {
    world.at(plan.pause.from, () => simulated.table.pauseAllGates(true));
    world.at(plan.pause.until, () => simulated.table.pauseAllGates(false));
  }
  return runToItsEnd(simulated);
}

/** Makes a world in which nothing has happened yet. */
export function makeWorld(choices: Choices, plan: Plan, options: RunOptions): SimulatedWorld {
  const world = new VirtualWorld(choices, {
    startsAt: start,
    keepsTrace: options.keepsTrace ?? false,
    hasFaults: plan.hasFaults,
    outages: plan.outages,
    worstSkewSeconds: plan.worstSkewSeconds,
  });
  world.note(`plan: ${JSON.stringify(plan)}`);
  const counts = new Map<MetricName, number>();
  const emitted: SimulatedWorld["emitted"][number][] = [];
  const streams: StreamModel[] = plan.sources.map((source) => streamModels[source](world, () => simulated));
  const { inputs } = plan;
  const simulated: SimulatedWorld = {
    plan,
    world,
    streams,
    counts,
    emitted,
    messages: [],
    table: simulatedTable(world, options.table),
    service: smsServiceModel(world, (data, service) => {
      emitted.push({ data, service });
      putOn(streams, { data, service });
    }),
    queue: queueModel(world, {
      ...senderMappingOf(inputs),
      deliver: (batch, answered, died) => {
        world.start({
          name: "resend",
          timeoutSeconds: timeoutSecondsOf.resend,
          work: (worker) => resend(worker, batch, simulated),
          ended: (result) => ("value" in result ? answered(result.value) : died()),
          died,
        });
      },
    }),
    inputs,
    settings: simulatedSettings(inputs, options.variables),
    telemetry: {
      count: (metric, value = 1) => void counts.set(metric, (counts.get(metric) ?? 0) + value),
      info: () => {},
      warn: () => {},
      error: (text, fields) => world.note(`log: ${text} ${JSON.stringify(fields)}`),
      publish: () => {},
    },
    kept: new Set(),
    idle: { "consume-kinesis": [], "consume-sns": [], "transform-firehose": [], resend: [], produce: [] },
    calmFrom: plan.calmFrom,
    breakPorts: options.breakPorts ?? (() => ({})),
  };
  return simulated;
}

const streamModels = { kinesis: kinesisModel, firehose: firehoseModel, sns: snsModel } as const;

/** Puts an event on the streams that have events of its service. */
function putOn(streams: readonly StreamModel[], { data, service }: SimulatedWorld["emitted"][number]): void {
  for (const stream of streams) if (stream.services.includes(service)) stream.put(data);
}

/** A message of a burst: long ones and short ones, some withdrawn while they wait for their turn. */
function produceBurst(number: number, simulated: SimulatedWorld): ApplicationMessage {
  const { choices } = simulated.world;
  const message = produceMessage(
    {
      id: `m${number}`,
      destination: `+4477009${String(number).padStart(5, "0")}`,
      body: "a".repeat([20, 20, 20, 300, 1_200][choices.below(5)] ?? 20),
      isReadable: true,
      isProduced: true,
    },
    simulated,
    7_200,
  );
  if (choices.below(4) === 3) cancelLater(message, choices.below(120), simulated);
  return message;
}

/** Records of others, or unreadable ones: each harms only itself. */
function putJunk({ world, streams }: SimulatedWorld): void {
  const { choices } = world;
  const count = [0, 0, 1, 2][choices.below(4)] ?? 0;
  for (let number = 0; number < count; number += 1) {
    const data = junk[choices.below(junk.length)] ?? "";
    world.at(world.now + choices.below(120), () => {
      for (const stream of streams) stream.put(data);
    });
  }
}

const failure = (attributes: object, event_type = "_SMS.FAILURE"): string =>
  JSON.stringify({
    event_type,
    event_timestamp: start * 1_000,
    application: { app_id: "simulated" },
    attributes: { message_id: "other", record_status: "UNREACHABLE", ...attributes },
  });

const junk: readonly string[] = [
  "no JSON",
  JSON.stringify({ event_type: "_session.start" }),
  JSON.stringify({ event_type: "_SMS.BUFFERED", attributes: { record_status: "PENDING" } }),
  failure({
    customer_context: `{"application_message_id":"of nobody","retry_attempt":${"[".repeat(4_000)}${"]".repeat(4_000)}}`,
  }),
  failure({ customer_context: JSON.stringify({ application_message_id: "of nobody", retry_attempt: "1" }) }),
  failure({ customer_context: JSON.stringify({ application_message_id: "m0", retry_attempt: "9" }) }),
  failure({ message_id: "x".repeat(5_000), customer_context: "{" }),
  JSON.stringify({ eventType: "RCS_FAILED", isFinal: false, context: { application_message_id: "m0" } }),
  JSON.stringify({
    eventType: "TEXT_UNREACHABLE",
    messageId: "other",
    context: { application_message_id: 7 },
  }),
  // Of a type that nobody has listed, whatever it says: the message goes on.
  failure(
    { customer_context: JSON.stringify({ application_message_id: "m0", retry_attempt: "0" }) },
    "_SMS.RERATED",
  ),
];

/** Lets a world go on until it has come to rest, and checks it. */
export async function runToItsEnd(simulated: SimulatedWorld): Promise<RunReport> {
  const { world, plan, service, counts, streams, messages } = simulated;
  const violations: string[] = [];
  try {
    await world.run(plan.faultsUntil);
    world.areFaultsOn = false;
    world.note("-- no more faults but outages --");
    await world.run(plan.calmFrom);
    world.note("-- all is well --");
    await comeToRest(simulated);
    const evidence = evidenceOf(simulated);
    violations.push(
      ...streams.flatMap((stream) => stream.violations),
      ...violationsOf(simulated, evidence),
      ...gateViolations(simulated),
      ...progressViolations(simulated, evidence),
      ...departures(simulated, evidence),
      ...uncounted(simulated),
    );
    violations.push(...(await replayed(simulated)));
  } catch (error) {
    violations.push(error instanceof Error ? error.message : String(error));
  }
  return {
    violations,
    steps: world.steps,
    messages: messages.length,
    sends: service.sends.length,
    possibleDuplicates: counts.get("PossibleDuplicate") ?? 0,
    hasFaults: plan.hasFaults,
    injected: world.injected,
    counts,
    trace: world.trace,
  };
}

/** How often an operator looks after things are calm again, in seconds after that. */
const operatorRounds = [300, 900, 1_800, 3_600, 86_400, Number.POSITIVE_INFINITY];

/** Lets everything happen that still will, and puts back what was kept, as an operator does. */
async function comeToRest(simulated: SimulatedWorld): Promise<void> {
  const { world, calmFrom } = simulated;
  for (const seconds of operatorRounds) {
    await world.run(calmFrom + seconds);
    putBack(simulated);
  }
  for (let rounds = 0; rounds < 5; rounds += 1) {
    await world.run(Number.POSITIVE_INFINITY);
    if (!putBack(simulated)) return;
  }
  throw new Error("what was put back fails for ever");
}

function putBack({ world, streams, queue, messages }: SimulatedWorld): boolean {
  // What can never be handled is the application's to mend: nobody puts that back.
  const hopeless = messages.filter(({ isReadable }) => !isReadable).map(({ id }) => JSON.stringify(id));
  for (const [index, { body }] of [...queue.deadLetters].reverse().entries()) {
    if (hopeless.some((id) => body.includes(id))) {
      queue.deadLetters.splice(queue.deadLetters.length - 1 - index, 1);
    }
  }
  let count = queue.deadLetters.length;
  for (const stream of streams) {
    for (const data of stream.takeKept()) {
      stream.put(data);
      count += 1;
    }
  }
  queue.redrive();
  if (count > 0) world.note(`operator: puts back ${count} records and dead-letter queue messages`);
  return count > 0;
}

/** Every event that was emitted left a count on each way that it came, of its outcome or of its failure. */
function uncounted({ emitted, counts, streams, plan }: SimulatedWorld): string[] {
  const names: readonly MetricName[] = [...Object.values(eventMetrics), "EventFailed", "RecordMalformed"];
  const counted = names.reduce((total, name) => total + (counts.get(name) ?? 0), 0);
  const isFiltered = plan.inputs.trackDeliveries === "none";
  const reached = emitted.filter(({ data }) => !(isFiltered && successes.test(data)));
  const expected = reached.reduce(
    (sum, { service }) => sum + streams.filter(({ services }) => services.includes(service)).length,
    0,
  );
  return counted >= expected ? [] : [`of ${expected} events only ${counted} were counted`];
}

const successes = /"(?:_SMS\.SUCCESS|TEXT_DELIVERED|TEXT_SUCCESSFUL)"/;

/** Puts every event on the streams once more (fault 43): nothing may come of it. */
async function replayed({ world, service, streams, emitted }: SimulatedWorld): Promise<string[]> {
  const before = service.sends.length;
  for (const event of [...emitted]) putOn(streams, event);
  await world.run(Number.POSITIVE_INFINITY);
  const after = service.sends.length;
  return after === before ? [] : [`a replay of the archive led to ${after - before} send(s)`];
}
