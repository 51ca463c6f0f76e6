/**
 * The SMS service in a simulated world: called by the clients of its workers, with the faults of calls around it, and
 * watched for the evidence.
 */
import {
  type PinpointClient,
  PinpointServiceException,
  type SendMessagesCommand,
} from "@aws-sdk/client-pinpoint";
import {
  AccessDeniedException,
  ConflictException,
  InternalServerException,
  type PinpointSMSVoiceV2Client,
  PinpointSMSVoiceV2ServiceException,
  ResourceNotFoundException,
  type SendTextMessageCommand,
  ServiceQuotaExceededException,
  ThrottlingException,
  ValidationException,
} from "@aws-sdk/client-pinpoint-sms-voice-v2";
import type { SmsService as SmsServiceName } from "../functions/contract/environment.ts";
import { defaultRetryableStatuses as retryableStatuses } from "../functions/contract/statuses.ts";
import { anyIdentity } from "../functions/core/sending/gate/send-gate.ts";
import { ServiceError } from "../local/rest-json.ts";
import type { PlannedEvent } from "../local/sms-service/carrier.ts";
import { readSendTextMessage, sendTextMessageAnswer } from "../local/sms-service/end-user-messaging-api.ts";
import {
  type MessageResponse,
  readSendMessages,
  sendMessagesAnswer,
} from "../local/sms-service/pinpoint-api.ts";
import { retryTagOf, type SmsRequest } from "../local/sms-service/sms-request.ts";
import { type EmittedEvent, type Reply, SmsService } from "../local/sms-service/sms-service.ts";
import { chanceCarrier } from "./chance-carrier.ts";
import { named } from "./named-error.ts";
import { partsOfBody } from "./parts-of-body.ts";
import { configurationSetName } from "./settings.ts";
import type { Call, CallErrors, CurrentWorker, VirtualWorld, Worker } from "./virtual-world.ts";

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
  readonly service: SmsServiceName;
  /** Where the events of a call of End User Messaging go. */
  readonly configurationSetName?: string;
  /** Of a call of End User Messaging, in seconds. */
  readonly timeToLive?: number;
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
  readonly service: SmsServiceName;
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
  textClientFor(current: CurrentWorker): PinpointSMSVoiceV2Client;
  /**
   * A send that the application makes by itself, with nothing but the message's id in its context, or with nothing
   * at all.
   *
   * @returns the service's id of the message
   */
  sendByApplication(
    by: SmsServiceName,
    message: { readonly id?: string; readonly destination: string; readonly body: string },
  ): string;
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
 * @param emit puts an event, as JSON, on the streams that have events of its service
 */
export function smsServiceModel(
  world: VirtualWorld,
  emit: (data: string, service: SmsServiceName) => void,
): SmsServiceModel {
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
      const { request, planned, data } = event;
      const { api, configurationSetName } = request;
      // End User Messaging tells nobody of a send that names no configuration set.
      if (api === "end-user-messaging" && configurationSetName === undefined) return;
      if (!saidBefore.has(planned)) said.push(saidEvent(event, world));
      saidBefore.add(planned);
      emit(data, api);
    },
  });

  /** Hands requests to the service, and writes down what it took. */
  const take = (requests: readonly SmsRequest[], call?: SmsCall): Reply[] => {
    const replies = service.send(requests, { requestId: simulated, departedAt: world.now * 1_000 });
    for (const [index, { messageId }] of replies.entries()) {
      const request = requests[index];
      if (request === undefined || messageId === undefined) continue;
      sends.push(takenSend(request, messageId, call, world));
    }
    return replies;
  };

  return {
    sends,
    calls,
    said,
    optedOut: service.optedOut,
    sendByApplication(api, { id, destination, body }) {
      const request: SmsRequest = {
        api,
        destination,
        body,
        messageType: "TRANSACTIONAL",
        ...(id !== undefined && { context: { application_message_id: id } }),
        ...(api === "end-user-messaging" && { configurationSetName }),
        input: {},
      };
      take([request]);
      return sends.at(-1)?.messageId ?? "";
    },
    clientFor: (current) => pinpointClient({ current, world, calls, take }),
    textClientFor: (current) => textClient({ current, world, calls, take }),
  };
}

/** What a worker's client reaches. */
interface ClientParts {
  readonly current: CurrentWorker;
  readonly world: VirtualWorld;
  readonly calls: SmsCall[];
  take(requests: readonly SmsRequest[], call: SmsCall): Reply[];
}

/** Pinpoint's client of a worker, as far as a sender knows it. */
function pinpointClient(parts: ClientParts): PinpointClient {
  const send = async ({ input: { MessageRequest } }: SendMessagesCommand) => {
    const requests = readSendMessages(MessageRequest ?? {});
    const answer = await callService(
      parts,
      { requests, errors: pinpointErrors, outcomeOf: pinpointOutcome },
      (call) => sendMessagesAnswer(simulated, simulated, parts.take(requests, call)),
    );
    return { MessageResponse: answer };
  };
  return { send } as unknown as PinpointClient;
}

/** End User Messaging's client of a worker, as far as a sender knows it. */
function textClient(parts: ClientParts): PinpointSMSVoiceV2Client {
  const send = async ({ input }: SendTextMessageCommand) => {
    const request = readSendTextMessage(input);
    return callService(
      parts,
      { requests: [request], errors: textErrors, outcomeOf: () => "accepted" },
      (call) => {
        const [reply = { destination: request.destination }] = parts.take([request], call);
        return asTheSdkThrows(() => sendTextMessageAnswer(reply)?.body);
      },
    );
  };
  return { send } as unknown as PinpointSMSVoiceV2Client;
}

/** Makes a call of either API, with its faults, and writes down what it came to. */
async function callService<Answer>(
  { current, world, calls }: ClientParts,
  about: {
    readonly requests: readonly SmsRequest[];
    readonly errors: CallErrors;
    readonly outcomeOf: (answer: Answer) => CallOutcome;
  },
  effect: (call: SmsCall) => Answer,
): Promise<Answer> {
  const worker = current();
  const call = beginCall(about.requests[0], worker, world);
  calls.push(call);
  stopStorm(call, calls, world);
  try {
    const answer = await world.call(worker, apiCall(call, about.errors), () => effect(call));
    call.outcome = about.outcomeOf(answer);
    return answer;
  } catch (failure) {
    call.outcome = outcomeOfFailure(failure);
    throw failure;
  }
}

/** An error of the service, as the client of End User Messaging throws it: by its class, where its model has one. */
function asTheSdkThrows<Answer>(work: () => Answer): Answer {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    const { name, message, status, fields } = error;
    const $metadata = { httpStatusCode: status };
    const Exception = exceptions.find(({ name: own }) => own === name);
    if (Exception === undefined) {
      throw new PinpointSMSVoiceV2ServiceException({ name, $fault: "server", $metadata, message });
    }
    throw Object.assign(new Exception({ message, Message: message, $metadata }), fields);
  }
}

const exceptions = [
  AccessDeniedException,
  ConflictException,
  InternalServerException,
  ResourceNotFoundException,
  ServiceQuotaExceededException,
  ThrottlingException,
  ValidationException,
] as const;

function takenSend(
  request: SmsRequest,
  messageId: string,
  call: SmsCall | undefined,
  world: VirtualWorld,
): TakenSend {
  const { destination, body, api: service } = request;
  const [id, attempt] = [idOf(request, messageId), retryTagOf(request) ?? 0];
  world.note(`SMS SERVICE: takes ${id} attempt ${attempt} as ${messageId}`);
  const send = { id, attempt, at: world.now, order: world.newId(), messageId, destination, body, service };
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

function beginCall(request: SmsRequest | undefined, worker: Worker, world: VirtualWorld): SmsCall {
  const {
    context,
    body = "",
    origination,
    api = "pinpoint",
    configurationSetName,
    timeToLive,
  } = request ?? {};
  const { application_message_id: id = "", retry_attempt } = context ?? {};
  return {
    id,
    attempt: Number(retry_attempt),
    at: world.now,
    order: world.newId(),
    worker,
    sinceAnswer: world.now - (worker.answeredAt.get(id) ?? 0),
    identity: origination ?? anyIdentity,
    parts: partsOfBody(body),
    service: api,
    ...(configurationSetName !== undefined && { configurationSetName }),
    ...(timeToLive !== undefined && { timeToLive }),
    outcome: undefined,
  };
}

function stopStorm(call: SmsCall, calls: readonly SmsCall[], world: VirtualWorld): void {
  const { id, attempt, at } = call;
  const before = calls.filter((other) => other.id === id && other.attempt === attempt).at(-storm);
  if (before === undefined || before === call || at - before.at >= 60) return;
  world.stop(`${id} attempt ${attempt} was tried without a pause`);
}

function apiCall({ id, attempt, service }: SmsCall, errors: CallErrors): Call {
  return {
    service: "sms",
    label: `${service} ${id} attempt ${attempt}`,
    errors,
    patienceSeconds,
    isRepeated: false,
  };
}

const pinpointError = (name: string, httpStatusCode: number) =>
  new PinpointServiceException({ name, $fault: "server", $metadata: { httpStatusCode } });

const pinpointErrors: CallErrors = {
  throttled: () => pinpointError("TooManyRequestsException", 429),
  failed: () => pinpointError("InternalServerErrorException", 500),
  timedOut: () => named("TimeoutError"),
};

const textErrors: CallErrors = {
  throttled: () => new ThrottlingException({ message: "", Message: "", $metadata: { httpStatusCode: 400 } }),
  failed: () => new InternalServerException({ message: "", Message: "", $metadata: { httpStatusCode: 500 } }),
  timedOut: () => named("TimeoutError"),
};

function pinpointOutcome(answer: MessageResponse | undefined): CallOutcome {
  const [{ DeliveryStatus = "" } = {}] = Object.values(answer?.Result ?? {});
  if (DeliveryStatus === "SUCCESSFUL") return "accepted";
  if (DeliveryStatus === "THROTTLED" || DeliveryStatus === "TEMPORARY_FAILURE") return "deferred";
  return DeliveryStatus === "UNKNOWN_FAILURE" ? "unconfirmed" : "refused";
}

/** What is certain after an error: it is told by the status, save for the few conflicts that lie in the message. */
function outcomeOfFailure(failure: unknown): CallOutcome {
  if (
    !(failure instanceof PinpointServiceException || failure instanceof PinpointSMSVoiceV2ServiceException)
  ) {
    const isUnreachable = failure instanceof Error && "code" in failure && failure.code === "ECONNREFUSED";
    return isUnreachable ? "deferred" : "unconfirmed";
  }
  const { httpStatusCode = 500 } = failure.$metadata;
  if (httpStatusCode >= 500 && failure.name !== "ServiceUnavailableException") return "unconfirmed";
  return "Reason" in failure && finalReasons.has(failure.Reason) ? "refused" : "deferred";
}

/** Reasons of End User Messaging by which this carrier refuses a message for good. */
const finalReasons: ReadonlySet<unknown> = new Set([
  "DESTINATION_PHONE_NUMBER_OPTED_OUT",
  "INVALID_PARAMETER",
  "FIELD_VALIDATION_FAILED",
]);
