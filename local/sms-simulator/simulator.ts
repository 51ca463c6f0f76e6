/**
 * The SMS service simulator: Pinpoint's (v1) REST API on loopback, with a carrier behind it.
 *
 * It accepts sends, answers as the carrier's plan says, and emits the delivery events of each send into the
 * Kinesis or Firehose stream that `PutEventStream` named. Its ledger knows what really happened.
 */
import { SegmentedMessage } from "sms-segments-calculator";
import { type RestRequest, type RestResponse, ServiceError, serveRestJson } from "../rest-json.ts";
import type { Carrier, CarrierPlan } from "./carrier.ts";
import type { EventPublisher } from "./event-stream.ts";
import { Ledger, type LedgerEvent } from "./ledger.ts";
import {
  acceptedResult,
  type MessageResult,
  parseSendMessages,
  parseWriteEventStream,
  refusedResult,
  type SendRequest,
} from "./pinpoint-api.ts";
import { pinpointEvent } from "./pinpoint-event.ts";

/** What the simulator needs. */
export interface SimulatorOptions {
  /** The one project (application) that exists. */
  readonly applicationId: string;
  readonly accountId: string;
  readonly carrier: Carrier;
  /** The way to a Kinesis or Firehose stream; called once for each ARN that an event stream names. */
  readonly publisherOf: (streamArn: string) => EventPublisher;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Makes message ids and request ids. */
  readonly id: () => string;
}

/** A running simulator. */
export interface SmsSimulator {
  /** Base URL of the API, for `AWS_ENDPOINT_URL_PINPOINT`. */
  readonly endpoint: string;
  readonly ledger: Ledger;
  /** Events that still have to reach the stream. */
  readonly pendingEvents: number;
  /** Ends the API and drops the events that have not left. */
  close(): Promise<void>;
}

/** `EventStream` in Pinpoint's model. */
interface EventStream {
  readonly ApplicationId: string;
  readonly DestinationStreamArn: string;
  readonly RoleArn: string;
  readonly LastModifiedDate: string;
}

/** One call of the API. */
interface Call {
  readonly requestId: string;
  /** Epoch milliseconds. */
  readonly departedAt: number;
}

/** A message that the service took. */
interface Sent {
  readonly request: SendRequest;
  readonly messageId: string;
  readonly requestId: string;
  readonly parts: number;
}

/** The number that messages come from when the request names none. */
const ownNumber = "+15550100000";

/** Starts a simulator on a free port of 127.0.0.1. */
export async function startSmsSimulator(options: SimulatorOptions): Promise<SmsSimulator> {
  const { carrier, now, id } = options;
  const ledger = new Ledger();
  const timers = new Set<NodeJS.Timeout>();
  const publishers = new Map<string, EventPublisher>();
  const earlierCalls = new Map<string, number>();
  let eventStream: EventStream | undefined;
  let firstSendAt: number | undefined;

  function handle({ method, path, body, departedAt = now() }: RestRequest, requestId: string): RestResponse {
    const [version, apps, applicationId, resource] = path;
    if (version !== "v1" || apps !== "apps" || path.length !== 4) {
      throw new ServiceError(404, "NotFoundException", "Resource not found.");
    }
    if (applicationId !== options.applicationId) {
      throw new ServiceError(404, "NotFoundException", "Application does not exist.");
    }
    switch (`${method} ${resource}`) {
      case "POST messages":
        return sendMessages(body, { requestId, departedAt });
      case "POST eventstream":
        return { status: 200, body: putEventStream(body) };
      case "GET eventstream":
        if (eventStream === undefined)
          throw new ServiceError(404, "NotFoundException", "Resource not found.");
        return { status: 200, body: eventStream };
      case "DELETE eventstream":
        return { status: 200, body: deleteEventStream() };
      default:
        throw new ServiceError(405, "MethodNotAllowedException", "Method not allowed.");
    }
  }

  function putEventStream(body: string): EventStream {
    const { DestinationStreamArn, RoleArn } = parseWriteEventStream(body);
    eventStream = {
      ApplicationId: options.applicationId,
      DestinationStreamArn,
      RoleArn,
      LastModifiedDate: new Date(now()).toISOString(),
    };
    return eventStream;
  }

  function deleteEventStream(): EventStream {
    if (eventStream === undefined) throw new ServiceError(404, "NotFoundException", "Resource not found.");
    const deleted = eventStream;
    eventStream = undefined;
    return deleted;
  }

  function sendMessages(body: string, call: Call): RestResponse {
    const { requestId } = call;
    const plans = parseSendMessages(body).map((request) => ({ request, plan: planOf(request) }));
    const answers = plans.map(({ plan }) => plan.answer);
    // An HTTP error speaks for the whole call: nothing in it is taken.
    const httpError = answers.find((answer) => answer === "HTTP_429" || answer === "HTTP_500");
    if (httpError !== undefined) {
      for (const { request } of plans) record(request, { answer: httpError, events: [] }, call);
      throw httpError === "HTTP_429"
        ? new ServiceError(429, "TooManyRequestsException", "Too many requests.")
        : new ServiceError(500, "InternalServerErrorException", "Internal server error.");
    }
    const results: Record<string, MessageResult> = {};
    for (const { request, plan } of plans) {
      const messageId = record(request, plan, call);
      results[request.destination] =
        messageId === undefined ? refusedResult(plan.answer ?? "UNKNOWN_FAILURE") : acceptedResult(messageId);
    }
    if (answers.includes("HANG")) return undefined;
    return {
      status: 200,
      body: { ApplicationId: options.applicationId, RequestId: requestId, Result: results },
    };
  }

  function planOf({ destination, context }: SendRequest): CarrierPlan {
    firstSendAt ??= now();
    const attempt = attemptOf(context);
    const key = `${destination}/${attempt}`;
    const calls = earlierCalls.get(key) ?? 0;
    earlierCalls.set(key, calls + 1);
    const elapsedSeconds = (now() - firstSendAt) / 1000;
    return carrier.plan({ destination, attempt, earlierCalls: calls, elapsedSeconds });
  }

  /** Writes the call into the ledger and sets its events going; answers with the id of a taken message. */
  function record(
    request: SendRequest,
    plan: CarrierPlan,
    { requestId, departedAt }: Call,
  ): string | undefined {
    const messageId = plan.outcome === undefined ? undefined : id();
    const parts = new SegmentedMessage(request.body).segmentsCount;
    const events =
      messageId === undefined
        ? []
        : plan.events.map((event) => emit(event, { request, messageId, requestId, parts }));
    const applicationMessageId = request.context?.application_message_id;
    ledger.add({
      at: departedAt,
      parts,
      ...(applicationMessageId !== undefined && { applicationMessageId }),
      attempt: attemptOf(request.context),
      ...(plan.answer !== undefined && { answer: plan.answer }),
      ...(messageId !== undefined && { messageId }),
      ...(plan.outcome !== undefined && { outcome: plan.outcome }),
      events,
    });
    return messageId;
  }

  function emit(event: CarrierPlan["events"][number], sent: Sent): LedgerEvent {
    const entry: LedgerEvent = {
      id: `${sent.messageId}:${event.kind}`,
      kind: event.kind,
      status: event.status,
      copies: event.copiesAfterSeconds.length,
      published: 0,
    };
    const occurredAt = now() + (event.copiesAfterSeconds[0] ?? 0) * 1000;
    let data: string | undefined;
    for (const afterSeconds of event.copiesAfterSeconds) {
      const timer = setTimeout(() => {
        timers.delete(timer);
        // A second copy is the same bytes.
        data ??= JSON.stringify(eventOf(event, sent, occurredAt));
        publisher()?.publish({
          partitionKey: sent.messageId,
          data,
          onPublished: () => {
            entry.published += 1;
          },
        });
      }, afterSeconds * 1000);
      timers.add(timer);
    }
    return entry;
  }

  function eventOf(event: CarrierPlan["events"][number], sent: Sent, occurredAt: number): object {
    const { request, messageId, requestId, parts } = sent;
    return pinpointEvent({
      applicationId: options.applicationId,
      accountId: options.accountId,
      kind: event.kind,
      status: event.status,
      messageId,
      requestId,
      destination: request.destination,
      origination: request.origination ?? ownNumber,
      messageType: request.messageType,
      messageParts: parts,
      ...(request.context !== undefined && { context: request.context }),
      occurredAt: Math.floor(occurredAt),
      arrivedAt: now(),
    });
  }

  /** The way to the stream of the moment; without an event stream the events are dropped, as Pinpoint does. */
  function publisher(): EventPublisher | undefined {
    const streamArn = eventStream?.DestinationStreamArn;
    if (streamArn === undefined) return undefined;
    const known = publishers.get(streamArn) ?? options.publisherOf(streamArn);
    publishers.set(streamArn, known);
    return known;
  }

  const server = await serveRestJson(handle, id);
  return {
    endpoint: server.endpoint,
    ledger,
    get pendingEvents() {
      return [...publishers.values()].reduce((sum, { waiting }) => sum + waiting, timers.size);
    },
    async close() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
      await server.close();
      await Promise.all([...publishers.values()].map((each) => each.close()));
    },
  };
}

/** The retry tag of a send; an application's own send may have none. */
function attemptOf(context: SendRequest["context"]): number {
  const attempt = Number(context?.retry_attempt ?? 0);
  return Number.isInteger(attempt) && attempt >= 0 ? attempt : 0;
}
