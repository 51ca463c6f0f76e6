/**
 * The SMS service on a port of loopback and in real time, by both of its APIs: Pinpoint's REST API with
 * `SendMessages` and the event stream, and `SendTextMessage` of End User Messaging.
 */
import { type RestRequest, type RestResponse, ServiceError, serveRestJson } from "../rest-json.ts";
import type { Carrier } from "./carrier.ts";
import {
  noSuchConfigurationSet,
  readSendTextMessage,
  sendTextMessageAnswer,
  sendTextMessageTarget,
} from "./end-user-messaging-api.ts";
import { eventTypeOf } from "./end-user-messaging-event.ts";
import type { EventPublisher } from "./event-stream.ts";
import type { Ledger } from "./ledger.ts";
import { readSendMessages, sendMessagesAnswer } from "./pinpoint-api.ts";
import { EventStreamSetting } from "./pinpoint-event-stream.ts";
import { type EmittedEvent, type ServiceClock, SmsService } from "./sms-service.ts";

/** What the served service needs. */
export interface ServedSmsServiceOptions {
  /** The one Pinpoint project (application) that exists. */
  readonly applicationId: string;
  readonly accountId: string;
  /**
   * The configuration sets that exist, each with the event types that its destination takes, all where there are none.
   *
   * @default every name is one, and takes all
   */
  readonly configurationSets?: ReadonlyMap<string, ReadonlySet<string> | undefined>;
  readonly carrier: Carrier;
  /**
   * The way to whatever takes the events; called once for each ARN that an event stream names, and once for each
   * configuration set that a send names.
   */
  readonly publisherOf: (streamArnOrConfigurationSet: string) => EventPublisher;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Makes message ids and request ids. */
  readonly id: () => string;
  /** @default any that is free */
  readonly port?: number;
}

/** A running service. */
export interface ServedSmsService {
  /** Base URL, for `AWS_ENDPOINT_URL_PINPOINT` and `AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2`. */
  readonly endpoint: string;
  readonly ledger: Ledger;
  /** Events that still have to reach whatever takes them. */
  readonly pendingEvents: number;
  /** Ends the API and drops the events that have not left. */
  close(): Promise<void>;
}

/**
 * Serves the service on a port of 127.0.0.1.
 *
 * @throws NodeJS.ErrnoException `EADDRINUSE` where the port that was asked for is not free
 */
export async function serveSmsService(options: ServedSmsServiceOptions): Promise<ServedSmsService> {
  const { applicationId, now } = options;
  const eventStream = new EventStreamSetting(applicationId, now);
  const events = outgoingEvents(options, eventStream);
  const clock = realTime(now);
  const service = new SmsService({ ...options, clock, emit: events.emit });
  const routed = { ...options, service, eventStream };
  const server = await serveRestJson(router(routed), options.id, options.port);
  return {
    endpoint: server.endpoint,
    ledger: service.ledger,
    get pendingEvents() {
      return clock.pending + events.waiting;
    },
    async close() {
      clock.stop();
      await server.close();
      await events.close();
    },
  };
}

interface Routed extends Pick<ServedSmsServiceOptions, "applicationId" | "configurationSets" | "now"> {
  readonly service: SmsService;
  readonly eventStream: EventStreamSetting;
}

function router(routed: Routed): (request: RestRequest, requestId: string) => RestResponse {
  return (request, requestId) =>
    request.target === undefined
      ? routePinpoint(request, requestId, routed)
      : routeEndUserMessaging(request, requestId, routed);
}

function routePinpoint(request: RestRequest, requestId: string, routed: Routed): RestResponse {
  const { method, path, departedAt = routed.now() } = request;
  const { service, eventStream } = routed;
  const [version, apps, applicationId, resource] = path;
  if (version !== "v1" || apps !== "apps" || path.length !== 4) {
    throw new ServiceError(404, "NotFoundException", "Resource not found.");
  }
  if (applicationId !== routed.applicationId) {
    throw new ServiceError(404, "NotFoundException", "Application does not exist.");
  }
  switch (`${method} ${resource}`) {
    case "POST messages": {
      const replies = service.send(readSendMessages(json(request)), { requestId, departedAt });
      return ok(sendMessagesAnswer(applicationId, requestId, replies));
    }
    case "POST eventstream":
      return ok(eventStream.put(json(request)));
    case "GET eventstream":
      return ok(eventStream.get());
    case "DELETE eventstream":
      return ok(eventStream.delete());
    default:
      throw new ServiceError(405, "MethodNotAllowedException", "Method not allowed.");
  }
}

function routeEndUserMessaging(request: RestRequest, requestId: string, routed: Routed): RestResponse {
  const { target, departedAt = routed.now() } = request;
  if (target !== sendTextMessageTarget) {
    throw new ServiceError(400, "UnknownOperationException", `There is no ${target} here.`);
  }
  const send = readSendTextMessage(json(request));
  const { configurationSetName: name } = send;
  if (name !== undefined && routed.configurationSets?.has(name) === false) throw noSuchConfigurationSet(name);
  const [reply] = routed.service.send([send], { requestId, departedAt });
  return reply && sendTextMessageAnswer(reply);
}

function ok(body: object | undefined): RestResponse {
  return body && { status: 200, body };
}

function json({ body }: RestRequest): object {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Answered below, as what is JSON and no object.
  }
  throw new ServiceError(400, "BadRequestException", "The request body is not JSON.");
}

/** Real time, which can be stopped. */
interface RealTime extends ServiceClock {
  /** What is still to be done. */
  readonly pending: number;
  /** Drops what is still to be done. */
  stop(): void;
}

/** @param now epoch milliseconds */
function realTime(now: () => number): RealTime {
  const timers = new Set<NodeJS.Timeout>();
  return {
    now: () => now() / 1000,
    after(seconds, fire) {
      const timer = setTimeout(() => {
        timers.delete(timer);
        fire();
      }, seconds * 1000);
      timers.add(timer);
    },
    get pending() {
      return timers.size;
    },
    stop() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}

/** Hands events to the publisher of the moment; what has no destination is dropped, as by the service. */
function outgoingEvents(
  { publisherOf, configurationSets }: Pick<ServedSmsServiceOptions, "publisherOf" | "configurationSets">,
  eventStream: Pick<EventStreamSetting, "destinationStreamArn">,
) {
  const publishers = new Map<string, EventPublisher>();
  const publisher = (destination: string): EventPublisher => {
    const known = publishers.get(destination) ?? publisherOf(destination);
    publishers.set(destination, known);
    return known;
  };
  return {
    emit({ request, messageId, planned, data, onPublished }: EmittedEvent): void {
      const { api, configurationSetName } = request;
      const destination = api === "pinpoint" ? eventStream.destinationStreamArn : configurationSetName;
      if (destination === undefined) return;
      const types = api === "pinpoint" ? undefined : configurationSets?.get(destination);
      if (types?.has(eventTypeOf(planned.status)) === false) return;
      publisher(destination).publish({ partitionKey: messageId, data, onPublished });
    },
    get waiting(): number {
      return [...publishers.values()].reduce((sum, { waiting }) => sum + waiting, 0);
    },
    close: () => Promise.all([...publishers.values()].map((each) => each.close())),
  };
}
