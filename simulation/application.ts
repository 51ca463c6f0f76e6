/** Applications of a simulated deployment: some produce, some send by themselves, some withdraw what they sent. */

import { timeoutSecondsOf } from "../functions/contract/environment.ts";
import { SendDeferredError } from "../functions/core/errors.ts";
import type { ProduceEvent } from "../functions/core/sending/produce-invocation.ts";
import { produce, type SimulationParts } from "./functions.ts";
import { senderId } from "./plan.ts";

/** A message as its application knows it. */
export interface ApplicationMessage {
  /** Key of its item. */
  readonly id: string;
  readonly body: string;
  readonly destination: string;
  /** Whether its item can be read: the application may have written nonsense. */
  readonly isReadable: boolean;
  /** Whether the function `produce` sent it. */
  readonly isProduced: boolean;
  /** When the application asked for its cancellation first. */
  cancelledAt?: number;
}

/** Parts of a body, as often as they stand here. */
const partsOfBodies = [1, 1, 1, 2, 1, 3, 1, 6];

function bodyOf(number: number, parts: number): string {
  const start = `Code of m${number}: [{}]\n`;
  // 153 characters of the GSM alphabet a part; the four in brackets count twice.
  return parts === 1 ? `${start}🔐 €` : start + "a".repeat(parts * 153 - start.length - 4);
}

/** Starts the application of one message. */
export function startApplication(number: number, simulation: SimulationParts): ApplicationMessage {
  const { choices } = simulation.world;
  const destination = `+4477009${String(number).padStart(5, "0")}`;
  const body = bodyOf(number, partsOfBodies[choices.below(partsOfBodies.length)] ?? 1);
  const about = { body, destination, isReadable: true, isProduced: true };
  const message =
    choices.below(4) === 3
      ? sendAndWrite(number, about, simulation)
      : produceMessage({ ...about, id: `m${number}` }, simulation);
  if (choices.below(8) === 7) cancelLater(message, choices.below(300), simulation);
  return message;
}

/** Invokes the producer, now and then twice at once, and then perhaps with another text. */
export function produceMessage(
  message: ApplicationMessage,
  simulation: SimulationParts,
  validity = [3_600, 30, 86_400, 300][simulation.world.choices.below(4)] ?? 0,
): ApplicationMessage {
  const { world } = simulation;
  const { choices } = world;
  const event: ProduceEvent = {
    application_message_id: message.id,
    destination_number: message.destination,
    message_body: message.body,
    deadline: Math.floor(world.now) + validity,
    ...(choices.below(4) === 3 ? { sender_id: senderId } : ownNumber(simulation)),
    ...(choices.below(6) === 5 && { delivery_guarantee: "at-most-once" as const }),
  };
  invokeProducer(event, simulation);
  if (choices.below(8) === 7) {
    const second = choices.below(2) === 0 ? event : { ...event, message_body: `${message.body} again` };
    world.at(world.now + choices.below(30) / 10, () => invokeProducer(second, simulation));
  }
  return message;
}

/** By End User Messaging nothing leaves without an origination identity; Pinpoint chooses one. */
function ownNumber({ inputs: { services } }: SimulationParts): { readonly origination_number?: string } {
  return services[0] === "pinpoint" ? {} : { origination_number: "+447700900000" };
}

/**
 * Lambda's asynchronous invocation: an error or a death leads to another invocation with the same event. So does an
 * answer that leaves open whether the message is sent.
 */
function invokeProducer(event: ProduceEvent, simulation: SimulationParts, invocation = 1): void {
  const { world } = simulation;
  const again = () => {
    if (world.now > simulation.calmFrom + 600) return;
    world.at(world.now + 62 * Math.min(invocation, 10), () =>
      invokeProducer(event, simulation, invocation + 1),
    );
  };
  world.start({
    name: "produce",
    timeoutSeconds: timeoutSecondsOf.produce,
    work: (worker) => produce(worker, event, simulation),
    ended(result) {
      if ("value" in result ? result.value.status === "SENDING" : true) again();
      if ("error" in result && !(result.error instanceof SendDeferredError)) {
        world.note(`produce: fails by ${result.error instanceof Error ? result.error.name : "?"}`);
      }
    },
    died: again,
  });
}

type About = Omit<ApplicationMessage, "id">;

/** As in the post: the application sends, and writes an item, perhaps after the first event. */
function sendAndWrite(number: number, about: About, simulation: SimulationParts): ApplicationMessage {
  const { world, table, service } = simulation;
  const { choices, now } = world;
  const { body, destination } = about;
  const kind = choices.below(8);
  const isKeyedByMessageId = kind === 4;
  // While a deployment moves to another service, an application may still send by the former one.
  const { services } = simulation.inputs;
  const by = services[choices.below(services.length)] ?? services[0];
  const messageId = service.sendByApplication(by, {
    ...(!isKeyedByMessageId && { id: `m${number}` }),
    destination,
    body,
  });
  const id = isKeyedByMessageId ? messageId : `m${number}`;
  const item = { application_message_id: id, message_body: body, ...attributes(kind, now, messageId, about) };
  world.at(now + choices.below(60), () => {
    world.note(`application: writes the item of ${id}`);
    table.writeDirectly(id, (existing) => (existing ? undefined : item));
    if ("expires_at" in item && typeof item.expires_at === "number") {
      world.at(item.expires_at + choices.below(600), () => table.deleteExpired(id));
    }
  });
  return { ...about, id, isProduced: false, isReadable: kind !== 5 && kind !== 6 };
}

/** What an application may write beside the id and the body. */
function attributes(kind: number, now: number, messageId: string, { destination }: About): object {
  const seconds = Math.floor(now);
  switch (kind) {
    case 1:
      return { destination_number: null, deadline: null, expires_at: null, sender_id: null, status: null };
    case 2:
      // Milliseconds, where seconds are asked for.
      return { deadline: (seconds + 3_600) * 1_000, created_at: seconds * 1_000 };
    case 3:
      return { created_at: seconds, expires_at: seconds + 200 + 200 * (seconds % 5) };
    case 5:
      return { deadline: "soon" };
    case 6:
      // Of a version to come.
      return { status: "ARCHIVED" };
    case 7:
      return {
        pinpoint_message_id: messageId,
        destination_number: destination,
        created_at: seconds,
        deadline: seconds + 7_200,
      };
    default:
      return {};
  }
}

/** Withdraws a message after some seconds: by the function, or by the write that `docs/protocol.md` gives. */
export function cancelLater(message: ApplicationMessage, seconds: number, simulation: SimulationParts): void {
  const { world, table } = simulation;
  world.at(world.now + seconds, () => {
    world.note(`application: cancels ${message.id}`);
    message.cancelledAt = world.now;
    if (world.choices.below(2) === 0) table.writeDirectly(message.id, cancelled);
    else invokeCancel(message.id, simulation);
  });
}

function invokeCancel(id: string, simulation: SimulationParts): void {
  const { world } = simulation;
  const again = () => world.at(world.now + 10, () => invokeCancel(id, simulation));
  world.start({
    name: "cancel",
    timeoutSeconds: timeoutSecondsOf.produce,
    work: (worker) => produce(worker, { action: "cancel", application_message_id: id }, simulation),
    ended(result) {
      if ("error" in result && world.now < simulation.calmFrom + 600) again();
    },
    died: again,
  });
}

/** The conditional write by which an application cancels, as documented in `docs/protocol.md`. */
function cancelled(item: Record<string, unknown> | undefined): Record<string, unknown> | undefined {
  const isOpen = ["SENDING", "SENT", "RETRY_SCHEDULED", undefined].includes(
    item?.status as string | undefined,
  );
  if (item === undefined || !isOpen) return undefined;
  const { next_attempt_at: _, claim_expires_at: __, message_body: ___, ...rest } = item;
  return { ...rest, status: "CANCELLED", status_reason: "cancelled" };
}
