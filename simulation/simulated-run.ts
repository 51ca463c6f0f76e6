/** One simulated run: a deployment with chance settings, some messages, faults, a calm end, and the checks. */

import { SendDeferredError } from "../functions/core/errors.ts";
import type { ProduceEvent } from "../functions/core/produce-invocation.ts";
import { eventMetrics, type MetricName } from "../functions/core/telemetry.ts";
import { timeoutSecondsOf } from "../functions/environment.ts";
import { type TableBreaks, tableModel } from "./dynamodb-model.ts";
import { type PortBreaks, produce, resend, type Surroundings } from "./functions.ts";
import { violationsOf } from "./invariants.ts";
import { queueModel } from "./queue-model.ts";
import { type SimulatedSettings, simulatedSettings } from "./settings.ts";
import { smsServiceModel } from "./sms-service-model.ts";
import { firehoseModel, kinesisModel, type StreamModel } from "./stream-model.ts";
import type { Tape } from "./tape.ts";
import { type Fault, VirtualWorld } from "./virtual-world.ts";

/** What a run can be given. */
export interface RunOptions {
  readonly keepsTrace?: boolean;
  readonly table?: TableBreaks;
  readonly ports?: PortBreaks;
}

/** What a run leaves. */
export interface RunReport {
  /** Sentences about rules that did not hold; none in a good run. */
  readonly violations: readonly string[];
  readonly steps: number;
  readonly messages: number;
  readonly sends: number;
  readonly possibleDuplicates: number;
  readonly injected: ReadonlyMap<Fault, number>;
  readonly counts: ReadonlyMap<MetricName, number>;
  readonly trace: readonly string[];
}

/** 2026-11-23T12:00:00Z. */
const start = 1_795_435_200;

/** After this many seconds of faults, the world calms down. */
const faultySeconds = 1_200;

/** Runs one world from a tape to its end, and checks it. */
export async function simulate(tape: Tape, options: RunOptions = {}): Promise<RunReport> {
  const world = new VirtualWorld(tape, start, options.keepsTrace ?? false);
  const settings = chanceSettings(tape);
  const counts = new Map<MetricName, number>();
  const telemetry = {
    count: (metric: MetricName, value = 1) => void counts.set(metric, (counts.get(metric) ?? 0) + value),
    info: () => {},
    warn: () => {},
    error: () => {},
    publish: () => {},
  };
  const emitted: object[] = [];

  const table = tableModel(world, options.table);
  const stream: StreamModel = (tape.choose(2) === 0 ? kinesisModel : firehoseModel)(
    world,
    () => surroundings,
  );
  const service = smsServiceModel(world, (event) => {
    emitted.push(event);
    stream.put(event);
  });
  const queue = queueModel(world, (batch, answered) => {
    world.start(
      "resend",
      timeoutSecondsOf.resend,
      (worker) => resend(worker, batch, surroundings),
      (result) => {
        if ("value" in result) answered(result.value);
      },
      () => {},
    );
  });
  const surroundings: Surroundings = {
    world,
    table,
    queue,
    service,
    settings,
    telemetry,
    putObject: async () => {},
    ports: options.ports ?? {},
  };

  const messages = 1 + tape.choose(3);
  for (let number = 0; number < messages; number += 1) {
    world.at(start + tape.choose(30), () => application(`m${number}`, surroundings));
  }

  const violations: string[] = [];
  try {
    await world.run(start + faultySeconds);
    world.areFaultsOn = false;
    world.note("-- no more faults --");
    await comeToRest(world, stream, queue);
    violations.push(...stream.violations, ...violationsOf(surroundings), ...uncounted(emitted, counts));
    violations.push(...(await replayed(emitted, stream, surroundings)));
  } catch (error) {
    violations.push(error instanceof Error ? error.message : String(error));
  }
  return {
    violations,
    steps: world.steps,
    messages,
    sends: service.sends.length,
    possibleDuplicates: counts.get("PossibleDuplicate") ?? 0,
    injected: world.injected,
    counts,
    trace: world.trace,
  };
}

function chanceSettings(tape: Tape): SimulatedSettings {
  return simulatedSettings({
    maxRetries: 3 - tape.choose(4),
    retryDelaysSeconds: [[60, 300, 900], [0], [0, 5], [30, 1_800], [1]][tape.choose(5)] ?? [],
    guarantee: tape.choose(2) === 0 ? "at-least-once" : "at-most-once",
    // Every delivery is known then, so that "no send after a known delivery" can be checked to the letter.
    trackDeliveries: "all",
    dropsRetriedEvents: tape.choose(2) === 0,
    maxSendsPerSecond: 20,
    senderConcurrency: 2,
  });
}

/** An application: produces a message until it gets an answer, or sends by itself, and now and then cancels. */
function application(id: string, surroundings: Surroundings): void {
  const { world, table, service } = surroundings;
  const destination = `+4477009${id.slice(1).padStart(5, "0")}`;
  const body = `Code of ${id}: 🔐 €[{}]\n`;

  if (world.tape.choose(4) === 3) {
    // As in the post: the application sends, and writes id and body, perhaps after the first event.
    service.sendByApplication(id, destination, body);
    world.at(world.now + world.tape.choose(60), () =>
      table.writeDirectly(id, (item) =>
        item ? undefined : { application_message_id: id, message_body: body },
      ),
    );
  } else {
    const validity = [3_600, 30, 86_400, 300][world.tape.choose(4)] ?? 0;
    const request: ProduceEvent = {
      application_message_id: id,
      destination_number: destination,
      message_body: body,
      deadline: Math.floor(world.now) + validity,
    };
    invokeProducer(request, surroundings);
  }
  if (world.tape.choose(8) === 7) {
    world.at(world.now + world.tape.choose(300), () => {
      world.note(`application: cancels ${id}`);
      table.writeDirectly(id, cancelled);
    });
  }
}

/** The conditional write by which an application cancels, as documented in `docs/protocol.md`. */
function cancelled(item: Record<string, unknown> | undefined): Record<string, unknown> | undefined {
  const isOpen = ["SENDING", "SENT", "RETRY_SCHEDULED", undefined].includes(
    item?.status as string | undefined,
  );
  if (item === undefined || !isOpen) return undefined;
  const { next_attempt_at: _, claim_expires_at: __, ...rest } = item;
  return { ...rest, status: "CANCELLED" };
}

/** Lambda's asynchronous invocation: an error or a death leads to another invocation with the same event. */
function invokeProducer(request: ProduceEvent, surroundings: Surroundings, invocation = 1): void {
  const { world } = surroundings;
  const again = () => {
    // Longer than there are faults; after that a message that is still being sent is so by a retry.
    if (invocation * 62 > faultySeconds * 1.5) return;
    world.at(world.now + 62, () => invokeProducer(request, surroundings, invocation + 1));
  };
  world.start(
    "produce",
    timeoutSecondsOf.produce,
    (worker) => produce(worker, request, surroundings),
    (result) => {
      if ("value" in result ? result.value.status === "SENDING" : true) again();
      if ("error" in result && !(result.error instanceof SendDeferredError)) {
        world.note(`produce: fails by ${result.error instanceof Error ? result.error.name : "?"}`);
      }
    },
    again,
  );
}

/** Lets everything happen that still will, and puts back what was kept, as an operator does. */
async function comeToRest(
  world: VirtualWorld,
  stream: StreamModel,
  queue: Surroundings["queue"],
): Promise<void> {
  for (let rounds = 0; rounds < 10; rounds += 1) {
    await world.run(Number.POSITIVE_INFINITY);
    const kept = stream.takeKept();
    if (kept.length === 0 && queue.deadLetters.length === 0) return;
    world.note(`operator: puts back ${kept.length} events and ${queue.deadLetters.length} dead letters`);
    for (const event of kept) stream.put(event);
    queue.redrive();
  }
  throw new Error("What was put back fails for ever.");
}

/** (f) Every event that was emitted left a count, of its outcome or of its failure. */
function uncounted(events: readonly object[], counts: ReadonlyMap<MetricName, number>): string[] {
  const names: readonly MetricName[] = [...Object.values(eventMetrics), "EventFailed", "RecordMalformed"];
  const counted = names.reduce((total, name) => total + (counts.get(name) ?? 0), 0);
  return counted >= events.length ? [] : [`of ${events.length} events only ${counted} were counted`];
}

/** Puts every event on the stream once more (fault 43): nothing may come of it. */
async function replayed(
  events: readonly object[],
  stream: StreamModel,
  { world, service }: Surroundings,
): Promise<string[]> {
  const before = service.sends.length;
  for (const event of events) stream.put(event);
  await world.run(Number.POSITIVE_INFINITY);
  const after = service.sends.length;
  return after === before ? [] : [`a replay of the archive led to ${after - before} send(s)`];
}
