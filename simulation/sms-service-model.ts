/** A model of the SMS service: takes sends or not, decides what becomes of them, and says so in events. */
import {
  type PinpointClient,
  PinpointServiceException,
  type SendMessagesCommand,
} from "@aws-sdk/client-pinpoint";
import { named } from "./named-error.ts";
import type { VirtualWorld, Worker } from "./virtual-world.ts";

/** A send that the service took: an SMS that went out. */
export interface TakenSend {
  readonly id: string;
  readonly attempt: number;
  readonly at: number;
  readonly messageId: string;
  readonly destination: string;
  readonly body: string;
}

/** The service, and the client that each worker sees it through. */
export interface SmsServiceModel {
  readonly sends: TakenSend[];
  /** Calls that were made, taken or not, by message: the second at which each began. */
  readonly calls: { readonly id: string; readonly attempt: number; readonly at: number }[];
  /** Messages whose recipient has opted out, with the second at which the service knew. */
  readonly optedOut: Map<string, number>;
  clientFor(worker: Worker): PinpointClient;
  /** A send that the application makes by itself, with nothing but the message's id in its context. */
  sendByApplication(id: string, destination: string, body: string): void;
}

const failures = ["UNREACHABLE", "CARRIER_UNREACHABLE", "TTL_EXPIRED", "UNKNOWN"];
const permanentFailures = ["BLOCKED", "INVALID", "TELEPORTED"];

/**
 * Makes the service.
 *
 * @param emit puts an event on the stream
 */
export function smsServiceModel(world: VirtualWorld, emit: (event: object) => void): SmsServiceModel {
  const sends: TakenSend[] = [];
  const calls: SmsServiceModel["calls"] = [];
  const optedOut = new Map<string, number>();
  const { tape } = world;

  const take = ({ input }: SendMessagesCommand): unknown => {
    const request = input.MessageRequest;
    const [destination = ""] = Object.keys(request?.Addresses ?? {});
    const context = request?.Context ?? {};
    const id = context.application_message_id ?? "";
    const attempt = Number(context.retry_attempt);
    const answer = (DeliveryStatus: string, MessageId?: string) => ({
      MessageResponse: { Result: { [destination]: { DeliveryStatus, StatusCode: 200, MessageId } } },
    });
    if (optedOut.has(id)) return answer("OPT_OUT");
    if (world.strikes("throttle", 6)) return answer(tape.choose(2) === 0 ? "THROTTLED" : "TEMPORARY_FAILURE");
    if (world.strikes("throttle", 1)) return answer("PERMANENT_FAILURE");

    const messageId = `sms-${sends.length}`;
    const body = request?.MessageConfiguration?.SMSMessage?.Body ?? "";
    sends.push({ id, attempt, at: world.now, messageId, destination, body });
    world.note(`SMS SERVICE: takes ${id} attempt ${attempt} as ${messageId}`);
    becomeOf({ id, destination, messageId, context });
    // The service took the message, and says that it does not know.
    return world.strikes("lost-answer", 2) ? answer("UNKNOWN_FAILURE") : answer("SUCCESSFUL", messageId);
  };

  /** Decides what becomes of a send, and emits its events: some twice, late, or after one another was said. */
  const becomeOf = (sent: { id: string; destination: string; messageId: string; context: object }): void => {
    const fate = tape.choose(20);
    const soon = () => 1 + tape.choose(40);
    if (fate < 4) {
      say(sent, "_SMS.SUCCESS", "DELIVERED", soon());
    } else if (fate < 14) {
      say(sent, "_SMS.FAILURE", failures[tape.choose(failures.length)] ?? "", soon());
      // The carrier gave it up, and the handset got it all the same.
      if (world.strikes("late-delivery", 12)) say(sent, "_SMS.SUCCESS", "DELIVERED", soon() * 10);
    } else if (fate < 16) {
      say(sent, "_SMS.FAILURE", permanentFailures[tape.choose(permanentFailures.length)] ?? "", soon());
    } else if (fate < 17) {
      say(sent, "_SMS.FAILURE", "UNKNOWN", 72 * 3_600);
    } else if (fate < 18) {
      const after = soon();
      world.at(world.now + after, () => optedOut.set(sent.id, world.now));
      say(sent, "_SMS.OPTOUT", "OPTOUT", after);
    } else {
      say(sent, "_SMS.SUCCESS", "SUCCESSFUL", soon());
    }
  };

  const say = (
    sent: { destination: string; messageId: string; context: object },
    event_type: string,
    record_status: string,
    afterSeconds: number,
  ): void => {
    const event = {
      event_type,
      // The service's clock is up to five minutes off.
      event_timestamp: (world.now + afterSeconds + (tape.choose(3) - 1) * 300) * 1000,
      attributes: {
        message_id: sent.messageId,
        destination_phone_number: sent.destination,
        record_status,
        customer_context: JSON.stringify(sent.context),
      },
    };
    const copies = world.strikes("duplicate-delivery", 30) ? 2 + tape.choose(2) : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const late = world.strikes("late-delivery", 8) ? tape.choose(600) : 0;
      const apart = copy * ([0, 0, 0, 20][tape.choose(4)] ?? 0);
      world.at(world.now + afterSeconds + late + apart, () => emit(event));
    }
  };

  return {
    sends,
    calls,
    optedOut,
    sendByApplication(id, destination, body) {
      const messageId = `sms-${sends.length}`;
      sends.push({ id, attempt: 0, at: world.now, messageId, destination, body });
      world.note(`SMS SERVICE: takes ${id} from the application as ${messageId}`);
      becomeOf({ id, destination, messageId, context: { application_message_id: id } });
    },
    clientFor(worker) {
      const error = (name: string, httpStatusCode: number) =>
        new PinpointServiceException({ name, $fault: "server", $metadata: { httpStatusCode } });
      const send = (command: SendMessagesCommand) => {
        const context = command.input.MessageRequest?.Context ?? {};
        const id = context.application_message_id ?? "";
        calls.push({ id, attempt: Number(context.retry_attempt), at: world.now });
        return world.call(
          worker,
          `Pinpoint SendMessages ${id} attempt ${context.retry_attempt}`,
          () => take(command),
          {
            throttled: () => error("TooManyRequestsException", 429),
            lost: () =>
              tape.choose(2) === 0 ? named("TimeoutError") : error("InternalServerErrorException", 500),
          },
          ["throttle", "lost-answer"],
        );
      };
      return { send } as unknown as PinpointClient;
    },
  };
}
