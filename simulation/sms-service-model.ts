/**
 * The SMS service in a simulated world: called by the clients of its workers, with the faults of calls around it, and
 * watched for the evidence.
 */
import {
  type MessageRequest,
  type PinpointClient,
  PinpointServiceException,
  type SendMessagesCommand,
} from "@aws-sdk/client-pinpoint";
import { defaultRetryableStatuses as retryableStatuses } from "../functions/contract/statuses.ts";
import { anyIdentity } from "../functions/core/sending/gate/send-gate.ts";
import type { PlannedEvent } from "../local/sms-service/carrier.ts";
import {
  type MessageResponse,
  readSendMessages,
  sendMessagesAnswer,
} from "../local/sms-service/pinpoint-api.ts";
import { retryTagOf, type SmsRequest } from "../local/sms-service/sms-request.ts";
import { type EmittedEvent, SmsService } from "../local/sms-service/sms-service.ts";
import { chanceCarrier } from "./chance-carrier.ts";
import { named } from "./named-error.ts";
import { partsOfBody } from "./parts-of-body.ts";
import type { Call, CurrentWorker, VirtualWorld, Worker } from "./virtual-world.ts";

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
  /** Seconds since its worker was last answered about this message. */
  readonly sinceAnswer: number;
  /** The origination identity that it goes by, as its gate is named. */
  readonly identity: string;
  readonly parts: number;
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
  /** Numbers that have opted out, with the second at which the service knew. */
  readonly optedOut: ReadonlyMap<string, number>;
  clientFor(current: CurrentWorker): PinpointClient;
  /**
   * A send that the application makes by itself, with nothing but the message's id in its context, or with nothing
   * at all.
   *
   * @returns the service's id of the message
   */
  sendByApplication(id: string | undefined, destination: string, body: string): string;
}

/** How long a call waits for its answer. */
const patienceSeconds = 5;

/**
 * Calls of one attempt in a minute: more than doubling waits leave room for. A retry message waits ever longer, but
 * its copies, which faults make, each begin anew.
 */
const storm = 40;

/** The project, and whatever else the service wants a name for. */
const simulated = "simulated";

/**
 * Makes the service.
 *
 * @param emit puts an event, as JSON, on the streams
 */
export function smsServiceModel(world: VirtualWorld, emit: (data: string) => void): SmsServiceModel {
  const sends: TakenSend[] = [];
  const calls: SmsCall[] = [];
  const said: SaidEvent[] = [];
  const saidBefore = new Set<PlannedEvent>();
  const service = new SmsService({
    applicationId: simulated,
    accountId: simulated,
    carrier: chanceCarrier(world),
    clock: { now: () => world.now, after: (seconds, fire) => world.at(world.now + seconds, fire) },
    id: () => `sms-${sends.length}`,
    emit(event) {
      const { planned, data } = event;
      if (!saidBefore.has(planned)) said.push(saidEvent(event, world));
      saidBefore.add(planned);
      emit(data);
    },
  });

  /** Hands a `MessageRequest` to the service, and writes down what it took. */
  const take = (input: object, call?: SmsCall): MessageResponse | undefined => {
    const requests = readSendMessages(input);
    const replies = service.send(requests, { requestId: simulated, departedAt: world.now * 1_000 });
    for (const [index, { messageId }] of replies.entries()) {
      const request = requests[index];
      if (request === undefined || messageId === undefined) continue;
      sends.push(takenSend(request, messageId, call, world));
    }
    return sendMessagesAnswer(simulated, simulated, replies);
  };

  return {
    sends,
    calls,
    said,
    optedOut: service.optedOut,
    sendByApplication(id, destination, body) {
      take({
        Addresses: { [destination]: { ChannelType: "SMS" } },
        ...(id !== undefined && { Context: { application_message_id: id } }),
        MessageConfiguration: { SMSMessage: { Body: body, MessageType: "TRANSACTIONAL" } },
      });
      return sends.at(-1)?.messageId ?? "";
    },
    clientFor: (current) => clientOf(current, world, calls, take),
  };
}

/** The client of a worker, as far as a sender knows it. */
function clientOf(
  current: CurrentWorker,
  world: VirtualWorld,
  calls: SmsCall[],
  take: (input: object, call: SmsCall) => MessageResponse | undefined,
): PinpointClient {
  const send = async ({ input: { MessageRequest } }: SendMessagesCommand) => {
    const worker = current();
    const call = beginCall(MessageRequest, worker, world);
    calls.push(call);
    stopStorm(call, calls, world);
    try {
      const answer = await world.call(worker, apiCall(call), () => take(MessageRequest ?? {}, call));
      call.outcome = outcomeOf(answer);
      return { MessageResponse: answer };
    } catch (failure) {
      call.outcome = isCertainlyNotSent(failure) ? "deferred" : "unconfirmed";
      throw failure;
    }
  };
  return { send } as unknown as PinpointClient;
}

function takenSend(
  request: SmsRequest,
  messageId: string,
  call: SmsCall | undefined,
  world: VirtualWorld,
): TakenSend {
  const { destination, body } = request;
  const [id, attempt] = [idOf(request, messageId), retryTagOf(request) ?? 0];
  world.note(`SMS SERVICE: takes ${id} attempt ${attempt} as ${messageId}`);
  const send = { id, attempt, at: world.now, order: world.newId(), messageId, destination, body };
  return call === undefined ? send : { ...send, call };
}

/** A message is known by its id in the context, else by the service's. */
function idOf({ context }: SmsRequest, messageId: string): string {
  return context?.application_message_id ?? messageId;
}

function saidEvent({ request, messageId, planned }: EmittedEvent, world: VirtualWorld): SaidEvent {
  const [id, attempt] = [idOf(request, messageId), retryTagOf(request) ?? 0];
  const isTagged = planned.isUntagged !== true;
  const { status } = planned;
  world.note(`SMS SERVICE: says ${status} of ${id} attempt ${attempt}${isTagged ? "" : ", untagged"}`);
  return { id, attempt, messageId, kind: kindOf(planned), status, at: world.now, isTagged };
}

function kindOf({ kind, status }: PlannedEvent): SaidEvent["kind"] {
  if (kind === "success" || kind === "opt-out") return kind;
  return (retryableStatuses as readonly string[]).includes(status) ? "retryable" : "permanent";
}

function beginCall(request: MessageRequest | undefined, worker: Worker, world: VirtualWorld): SmsCall {
  const { application_message_id: id = "", retry_attempt } = request?.Context ?? {};
  const { Body = "", OriginationNumber, SenderId } = request?.MessageConfiguration?.SMSMessage ?? {};
  return {
    id,
    attempt: Number(retry_attempt),
    at: world.now,
    order: world.newId(),
    worker,
    sinceAnswer: world.now - (worker.answeredAt.get(id) ?? 0),
    identity: OriginationNumber ?? SenderId ?? anyIdentity,
    parts: partsOfBody(Body),
    outcome: undefined,
  };
}

function stopStorm(call: SmsCall, calls: readonly SmsCall[], world: VirtualWorld): void {
  const { id, attempt, at } = call;
  const before = calls.filter((other) => other.id === id && other.attempt === attempt).at(-storm);
  if (before === undefined || before === call || at - before.at >= 60) return;
  world.stop(`${id} attempt ${attempt} was tried without a pause`);
}

function apiCall({ id, attempt }: SmsCall): Call {
  const error = (name: string, httpStatusCode: number) =>
    new PinpointServiceException({ name, $fault: "server", $metadata: { httpStatusCode } });
  return {
    service: "sms",
    label: `Pinpoint SendMessages ${id} attempt ${attempt}`,
    errors: {
      throttled: () => error("TooManyRequestsException", 429),
      failed: () => error("InternalServerErrorException", 500),
      timedOut: () => named("TimeoutError"),
    },
    patienceSeconds,
    isRepeated: false,
  };
}

function outcomeOf(answer: MessageResponse | undefined): CallOutcome {
  const [{ DeliveryStatus = "" } = {}] = Object.values(answer?.Result ?? {});
  if (DeliveryStatus === "SUCCESSFUL") return "accepted";
  if (DeliveryStatus === "THROTTLED" || DeliveryStatus === "TEMPORARY_FAILURE") return "deferred";
  return DeliveryStatus === "UNKNOWN_FAILURE" ? "unconfirmed" : "refused";
}

function isCertainlyNotSent(failure: unknown): boolean {
  if (failure instanceof PinpointServiceException) return failure.$metadata.httpStatusCode === 429;
  return failure instanceof Error && "code" in failure && failure.code === "ECONNREFUSED";
}
