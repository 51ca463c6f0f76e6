/** A model of the SMS service: takes sends or not, decides what becomes of them, and says so in events. */
import {
  type PinpointClient,
  PinpointServiceException,
  type SendMessagesCommand,
} from "@aws-sdk/client-pinpoint";
import { named } from "./named-error.ts";
import { retryableStatuses } from "./settings.ts";
import type { VirtualWorld, Worker } from "./virtual-world.ts";

/** What a call came to, as far as its worker learned: nothing where the worker died first. */
export type CallOutcome = "accepted" | "deferred" | "refused" | "unconfirmed" | undefined;

/** A call of the API, whether the service took the message or not. */
export interface SmsCall {
  readonly id: string;
  readonly attempt: number;
  readonly at: number;
  /** Where it stands among all that happened to the table and the SMS service. */
  readonly order: number;
  readonly worker: Worker;
  /** Whether it began in the instant in which its worker was last answered about this message. */
  readonly followsAnswer: boolean;
  outcome: CallOutcome;
}

/** A send that the service took: an SMS that went out. */
export interface TakenSend {
  readonly id: string;
  readonly attempt: number;
  readonly at: number;
  readonly order: number;
  readonly messageId: string;
  readonly destination: string;
  readonly body: string;
  /** The call that it came by; undefined where the application sent by itself. */
  readonly call?: SmsCall;
}

/** What the service says of a send, from the moment when it is first said. */
export interface SaidEvent {
  readonly id: string;
  readonly attempt: number;
  readonly messageId: string;
  readonly kind: "success" | "retryable" | "permanent" | "opt-out";
  readonly status: string;
  readonly at: number;
  /** Whether the event carries the retry tag. */
  readonly isTagged: boolean;
}

/** The service, and the client that each worker sees it through. */
export interface SmsServiceModel {
  readonly sends: readonly TakenSend[];
  readonly calls: readonly SmsCall[];
  readonly said: readonly SaidEvent[];
  /** Messages whose recipient has opted out, with the second at which the service knew. */
  readonly optedOut: ReadonlyMap<string, number>;
  clientFor(worker: Worker): PinpointClient;
  /**
   * A send that the application makes by itself, with nothing but the message's id in its context, or with nothing
   * at all.
   *
   * @returns the service's id of the message
   */
  sendByApplication(id: string | undefined, destination: string, body: string): string;
}

const permanentFailures = ["BLOCKED", "INVALID", "TELEPORTED"];

/** How long a call waits for its answer. */
const patienceSeconds = 5;

/**
 * Calls of one attempt in a minute: more than doubling waits leave room for. A retry message waits ever longer, but
 * its copies, which faults make, each begin anew.
 */
const storm = 40;

interface Sent {
  readonly id: string;
  readonly attempt: number;
  readonly destination: string;
  readonly messageId: string;
  readonly context: Readonly<Record<string, string>>;
}

/**
 * Makes the service.
 *
 * @param emit puts an event on the streams
 */
export function smsServiceModel(world: VirtualWorld, emit: (event: object) => void): SmsServiceModel {
  const sends: TakenSend[] = [];
  const calls: SmsCall[] = [];
  const said: SaidEvent[] = [];
  const optedOut = new Map<string, number>();
  const { choices } = world;

  const take = ({ input }: SendMessagesCommand, call: SmsCall): unknown => {
    const request = input.MessageRequest;
    const [destination = ""] = Object.keys(request?.Addresses ?? {});
    const context = request?.Context ?? {};
    const { id, attempt } = call;
    const answer = (DeliveryStatus: string, MessageId?: string) => ({
      MessageResponse: { Result: { [destination]: { DeliveryStatus, StatusCode: 200, MessageId } } },
    });
    if (optedOut.has(id)) return answer("OPT_OUT");
    if (world.strikes("throttle", 6))
      return answer(choices.below(2) === 0 ? "THROTTLED" : "TEMPORARY_FAILURE");
    if (world.strikes("throttle", 1)) return answer("PERMANENT_FAILURE");

    const messageId = `sms-${sends.length}`;
    const body = request?.MessageConfiguration?.SMSMessage?.Body ?? "";
    sends.push({ id, attempt, at: world.now, order: world.newId(), messageId, destination, body, call });
    world.note(`SMS SERVICE: takes ${id} attempt ${attempt} as ${messageId}`);
    becomeOf({ id, attempt, destination, messageId, context });
    // The service took the message, and says that it does not know.
    return world.strikes("lost-answer", 2) ? answer("UNKNOWN_FAILURE") : answer("SUCCESSFUL", messageId);
  };

  /** Decides what becomes of a send, and emits its events: some twice, late, or after one another was said. */
  const becomeOf = (sent: Sent): void => {
    const fate = choices.below(40);
    const soon = () => choices.below(40) + choices.below(10) / 10;
    if (fate < 7) {
      say(sent, "_SMS.SUCCESS", "DELIVERED", soon());
    } else if (fate < 28) {
      say(sent, "_SMS.FAILURE", retryableStatuses[choices.below(retryableStatuses.length)] ?? "", soon());
      // The carrier gave it up, and the handset got it all the same.
      if (world.strikes("late-delivery", 12)) say(sent, "_SMS.SUCCESS", "DELIVERED", soon() * 10);
    } else if (fate < 31) {
      say(sent, "_SMS.FAILURE", permanentFailures[choices.below(permanentFailures.length)] ?? "", soon());
    } else if (fate < 33) {
      say(sent, "_SMS.FAILURE", "UNKNOWN", 72 * 3_600);
    } else if (fate < 35) {
      const after = soon();
      world.at(world.now + after, () => optedOut.set(sent.id, world.now));
      say(sent, "_SMS.OPTOUT", "OPTOUT", after);
    } else if (fate < 37) {
      world.note(`SMS SERVICE: will say nothing of ${sent.messageId}`);
    } else {
      say(sent, "_SMS.SUCCESS", "SUCCESSFUL", soon());
    }
  };

  const say = (sent: Sent, event_type: string, record_status: string, afterSeconds: number): void => {
    // Now and then an event comes without the retry tag: its message id alone tells the attempt.
    const isTagged = sent.context.retry_attempt === undefined || !choices.happens(4);
    const { application_message_id } = sent.context;
    const context = isTagged ? sent.context : { ...(application_message_id && { application_message_id }) };
    const event = {
      event_type,
      // The service's clock is up to five minutes off.
      event_timestamp: Math.round((world.now + afterSeconds + (choices.below(3) - 1) * 300) * 1000),
      application: { app_id: "simulated" },
      attributes: {
        message_id: sent.messageId,
        destination_phone_number: sent.destination,
        record_status,
        ...(Object.keys(context).length > 0 && { customer_context: JSON.stringify(context) }),
      },
    };
    const copies = world.strikes("duplicate-delivery", 30) ? 2 + choices.below(2) : 1;
    let isSaid = false;
    for (let copy = 0; copy < copies; copy += 1) {
      const late = world.strikes("late-delivery", 8) ? choices.below(600) : 0;
      const apart = copy * ([0, 0, 0, 20][choices.below(4)] ?? 0);
      world.at(world.now + afterSeconds + late + apart, () => {
        if (!isSaid) {
          said.push({
            id: sent.id,
            attempt: sent.attempt,
            messageId: sent.messageId,
            kind: kindOf(event_type, record_status),
            status: record_status,
            at: world.now,
            isTagged,
          });
          world.note(
            `SMS SERVICE: says ${record_status} of ${sent.id} attempt ${sent.attempt}${isTagged ? "" : ", untagged"}`,
          );
        }
        isSaid = true;
        emit(event);
      });
    }
  };

  return {
    sends,
    calls,
    said,
    optedOut,
    sendByApplication(id, destination, body) {
      const messageId = `sms-${sends.length}`;
      const key = id ?? messageId;
      sends.push({ id: key, attempt: 0, at: world.now, order: world.newId(), messageId, destination, body });
      world.note(`SMS SERVICE: takes ${key} from the application as ${messageId}`);
      becomeOf({
        id: key,
        attempt: 0,
        destination,
        messageId,
        context: id === undefined ? {} : { application_message_id: id },
      });
      return messageId;
    },
    clientFor(worker) {
      const error = (name: string, httpStatusCode: number) =>
        new PinpointServiceException({ name, $fault: "server", $metadata: { httpStatusCode } });
      const send = async (command: SendMessagesCommand) => {
        const context = command.input.MessageRequest?.Context ?? {};
        const id = context.application_message_id ?? "";
        const { step, subject } = worker.lastAnswer;
        const call: SmsCall = {
          id,
          attempt: Number(context.retry_attempt),
          at: world.now,
          order: world.newId(),
          worker,
          followsAnswer: step === world.steps && subject === id,
          outcome: undefined,
        };
        calls.push(call);
        const before = calls.filter((other) => other.id === id && other.attempt === call.attempt).at(-storm);
        if (before !== undefined && call.at - before.at < 60 && before !== call) {
          world.stop(`${id} attempt ${call.attempt} was tried without a pause`);
        }
        try {
          const answer = await world.call(
            worker,
            {
              service: "sms",
              label: `Pinpoint SendMessages ${id} attempt ${context.retry_attempt}`,
              errors: {
                throttled: () => error("TooManyRequestsException", 429),
                failed: () => error("InternalServerErrorException", 500),
                timedOut: () => named("TimeoutError"),
              },
              patienceSeconds,
              isRepeated: false,
            },
            () => take(command, call),
          );
          call.outcome = outcomeOf(answer);
          return answer;
        } catch (failure) {
          call.outcome = isCertainlyNotSent(failure) ? "deferred" : "unconfirmed";
          throw failure;
        }
      };
      return { send } as unknown as PinpointClient;
    },
  };
}

function kindOf(eventType: string, status: string): SaidEvent["kind"] {
  if (eventType === "_SMS.SUCCESS") return "success";
  if (eventType === "_SMS.OPTOUT") return "opt-out";
  return (retryableStatuses as readonly string[]).includes(status) ? "retryable" : "permanent";
}

function outcomeOf(answer: unknown): CallOutcome {
  const { MessageResponse } = answer as {
    readonly MessageResponse: {
      readonly Result: Readonly<Record<string, { readonly DeliveryStatus: string }>>;
    };
  };
  const status = Object.values(MessageResponse.Result)[0]?.DeliveryStatus ?? "";
  if (status === "SUCCESSFUL") return "accepted";
  if (status === "THROTTLED" || status === "TEMPORARY_FAILURE") return "deferred";
  return status === "UNKNOWN_FAILURE" ? "unconfirmed" : "refused";
}

function isCertainlyNotSent(failure: unknown): boolean {
  if (failure instanceof PinpointServiceException) return failure.$metadata.httpStatusCode === 429;
  return failure instanceof Error && "code" in failure && failure.code === "ECONNREFUSED";
}
