/**
 * The SMS service, without HTTP and without a clock of its own: it takes sends or refuses them as the carrier's plan
 * says, lets their delivery events out when they are due, and writes down what really happened.
 *
 * `serve-sms-service.ts` puts it on a port for the local run and for tests; the simulation calls it directly.
 */
import { SegmentedMessage } from "sms-segments-calculator";
import type { EventStatus } from "../../functions/core/events/statuses.ts";
import type { Carrier, CarrierPlan, PlannedEvent } from "./carrier.ts";
import { endUserMessagingEvent, pricePerPart } from "./end-user-messaging-event.ts";
import { Ledger, type LedgerEvent } from "./ledger.ts";
import { pinpointEvent } from "./pinpoint-event.ts";
import { retryTagOf, type SmsRequest } from "./sms-request.ts";

/** Time as the service sees it. */
export interface ServiceClock {
  /** Epoch seconds. */
  now(): number;
  /** Does something later, in seconds from now. */
  after(seconds: number, fire: () => void): void;
}

/** What the service needs. */
export interface SmsServiceOptions {
  /** Of the events in Pinpoint's format. */
  readonly applicationId: string;
  readonly accountId: string;
  readonly carrier: Carrier;
  readonly clock: ServiceClock;
  /** Makes message ids. */
  readonly id: () => string;
  /** Lets a copy of an event out, now. */
  readonly emit: (event: EmittedEvent) => void;
}

/** A copy of a delivery event on its way to whoever listens. */
export interface EmittedEvent {
  readonly request: SmsRequest;
  readonly messageId: string;
  readonly planned: PlannedEvent;
  /** The event as the service writes it, as JSON; of a second copy the same bytes. */
  readonly data: string;
  /** To be called once the copy is where it is read from. */
  onPublished(): void;
}

/** One call of an API. */
export interface Call {
  readonly requestId: string;
  /** When it left the caller, epoch milliseconds. */
  readonly departedAt: number;
}

/** What the service answers about one recipient. */
export interface Reply {
  readonly destination: string;
  /** What the caller is told; absent = accepted. */
  readonly answer?: CarrierPlan["answer"];
  /** Only where the message was taken, also if the caller is not told so. */
  readonly messageId?: string;
}

/** A message that the service took. */
interface Sent {
  readonly request: SmsRequest;
  readonly messageId: string;
  readonly requestId: string;
  /** Epoch seconds. */
  readonly takenAt: number;
}

/** The number that messages come from when the request names none. */
const ownNumber = "+15550100000";

/**
 * What End User Messaging says at the call and by no event: it has no event type for either.
 *
 * @see https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-types.html
 */
const refusalsAtOnce: Readonly<Record<string, CarrierPlan>> = {
  OPTOUT: { answer: "OPT_OUT", events: [] },
  MAX_PRICE_EXCEEDED: {
    answer: {
      status: 400,
      name: "ServiceQuotaExceededException",
      fields: { Reason: "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT" },
    },
    events: [],
  },
} satisfies Partial<Record<EventStatus, CarrierPlan>>;

/** Most message parts of dry runs in a second. */
const dryRunParts = 5;

/** A price over the limit that the call sets. */
const tooExpensive: CarrierPlan = {
  answer: { status: 400, name: "ValidationException", fields: { Reason: "PRICE_OVER_THRESHOLD" } },
  events: [],
};

/** The service; see the module's comment. */
export class SmsService {
  readonly ledger = new Ledger();
  readonly #options: SmsServiceOptions;
  readonly #optedOut = new Map<string, number>();
  readonly #earlierCalls = new Map<string, number>();
  #dryRuns: readonly { readonly at: number; readonly parts: number }[] = [];
  #firstCallAt: number | undefined;

  constructor(options: SmsServiceOptions) {
    this.#options = options;
  }

  /** Numbers that have opted out, each with the second since when; they are refused from then on. */
  get optedOut(): ReadonlyMap<string, number> {
    return this.#optedOut;
  }

  /** Handles a call. An error speaks for the whole call: nothing in it is taken then. */
  send(requests: readonly SmsRequest[], call: Call): Reply[] {
    const [first] = requests;
    if (first?.isDryRun === true) return [this.#dryRun(first)];
    const planned = requests.map((request) => ({ request, plan: this.#planOf(request) }));
    const error = planned.map(({ plan }) => plan.answer).find(isError);
    return planned.map(({ request, plan }) =>
      this.#handle(request, error === undefined ? plan : { answer: error, events: [] }, call),
    );
  }

  /** Looks at a request; nothing is sent, and the carrier hears nothing of it. */
  #dryRun(request: SmsRequest): Reply {
    const { clock, id } = this.#options;
    const { destination, body } = request;
    const at = clock.now();
    const dryRuns = [
      ...this.#dryRuns.filter((run) => run.at > at - 1),
      { at, parts: segmentsOf(body).parts },
    ];
    if (dryRuns.reduce((sum, { parts }) => sum + parts, 0) > dryRunParts) {
      return { destination, answer: "THROTTLED" };
    }
    this.#dryRuns = dryRuns;
    const refusal = this.#refusalOf(request)?.answer;
    return refusal === undefined ? { destination, messageId: id() } : { destination, answer: refusal };
  }

  /** What the service refuses by itself, whatever the carrier would do. */
  #refusalOf({ destination, maxPrice = Number.POSITIVE_INFINITY }: SmsRequest): CarrierPlan | undefined {
    if (this.#optedOut.has(destination)) return { answer: "OPT_OUT", events: [] };
    return maxPrice < pricePerPart.total ? tooExpensive : undefined;
  }

  #planOf(request: SmsRequest): CarrierPlan {
    const { carrier, clock } = this.#options;
    const { api, destination, timeToLive } = request;
    this.#firstCallAt ??= clock.now();
    const refusal = this.#refusalOf(request);
    if (refusal !== undefined) return refusal;
    const attempt = retryTagOf(request) ?? 0;
    const key = `${destination}/${attempt}`;
    const earlierCalls = this.#earlierCalls.get(key) ?? 0;
    this.#earlierCalls.set(key, earlierCalls + 1);
    const elapsedSeconds = clock.now() - this.#firstCallAt;
    const plan = carrier.plan({ request, attempt, earlierCalls, elapsedSeconds });
    if (api === "pinpoint" || plan.outcome === undefined) return plan;
    if (plan.outcome === ("OPTOUT" satisfies EventStatus)) this.#optedOut.set(destination, clock.now());
    return refusalsAtOnce[plan.outcome] ?? withinTimeToLive(plan, timeToLive);
  }

  /** Writes the call into the ledger, and sets the events of a message going that was taken. */
  #handle(request: SmsRequest, plan: CarrierPlan, { requestId, departedAt }: Call): Reply {
    const { answer, outcome } = plan;
    const messageId = outcome === undefined ? undefined : this.#options.id();
    const takenAt = this.#options.clock.now();
    const applicationMessageId = request.context?.application_message_id;
    this.ledger.add({
      at: departedAt,
      parts: segmentsOf(request.body).parts,
      ...(applicationMessageId !== undefined && { applicationMessageId }),
      attempt: retryTagOf(request) ?? 0,
      ...(answer !== undefined && { answer }),
      ...(messageId !== undefined && { messageId }),
      ...(outcome !== undefined && { outcome }),
      events:
        messageId === undefined
          ? []
          : plan.events.map((planned) => this.#announce(planned, { request, messageId, requestId, takenAt })),
    });
    const { destination } = request;
    return {
      destination,
      ...(answer !== undefined && { answer }),
      ...(messageId !== undefined && { messageId }),
    };
  }

  /** Lets the copies of an event out in their time. */
  #announce(planned: PlannedEvent, sent: Sent): LedgerEvent {
    const { clock, emit } = this.#options;
    const { kind, status, afterSeconds, copiesAfterSeconds } = planned;
    const { request, messageId } = sent;
    const entry = {
      id: `${messageId}:${kind}`,
      kind,
      status,
      copies: copiesAfterSeconds.length,
      published: 0,
    };
    if (kind === "opt-out") {
      clock.after(afterSeconds, () => this.#optedOut.set(request.destination, clock.now()));
    }
    let data: string | undefined;
    for (const seconds of copiesAfterSeconds) {
      clock.after(seconds, () => {
        data ??= JSON.stringify(this.#eventOf(planned, sent));
        const onPublished = () => {
          entry.published += 1;
        };
        emit({ request, messageId, planned, data, onPublished });
      });
    }
    return entry;
  }

  /** The event in the format of the API that the message came by. */
  #eventOf(planned: PlannedEvent, { request, messageId, requestId, takenAt }: Sent): object {
    const { applicationId, accountId, clock } = this.#options;
    const { kind, status, afterSeconds, clockErrorSeconds = 0, isUntagged = false } = planned;
    const { parts, encoding } = segmentsOf(request.body);
    const context = isUntagged ? withoutRetryTag(request.context) : request.context;
    const facts = {
      kind,
      status,
      messageId,
      destination: request.destination,
      origination: request.origination ?? ownNumber,
      messageType: request.messageType,
      messageParts: parts,
      ...(context !== undefined && { context }),
      occurredAt: milliseconds(takenAt + afterSeconds + clockErrorSeconds),
    };
    return request.api === "pinpoint"
      ? pinpointEvent({ ...facts, applicationId, accountId, requestId, arrivedAt: milliseconds(clock.now()) })
      : endUserMessagingEvent({ ...facts, encoding, requestedAt: milliseconds(takenAt) });
  }
}

/**
 * What becomes of a message that may be handed to its carrier for so long only: what would end later ends then, undelivered.
 *
 * @param timeToLive in seconds; absent = as long as it takes
 */
function withinTimeToLive(plan: CarrierPlan, timeToLive = Number.POSITIVE_INFINITY): CarrierPlan {
  const isTooLate = ({ kind, afterSeconds }: PlannedEvent) =>
    kind !== "buffered" && afterSeconds > timeToLive;
  if (!plan.events.some(isTooLate)) return plan;
  const events = plan.events.map((event): PlannedEvent => {
    if (!isTooLate(event)) return event;
    const earlier = event.afterSeconds - timeToLive;
    return {
      ...event,
      kind: "failure",
      status: "TTL_EXPIRED" satisfies EventStatus,
      afterSeconds: timeToLive,
      copiesAfterSeconds: event.copiesAfterSeconds.map((seconds) => seconds - earlier),
    };
  });
  return { ...plan, outcome: "TTL_EXPIRED", events };
}

function isError(answer: CarrierPlan["answer"]): boolean {
  return typeof answer === "object" || answer === "HTTP_429" || answer === "HTTP_500";
}

function milliseconds(seconds: number): number {
  return Math.round(seconds * 1000);
}

function withoutRetryTag(context: SmsRequest["context"]): SmsRequest["context"] {
  const { retry_attempt: _, ...rest } = context ?? {};
  return Object.keys(rest).length > 0 ? rest : undefined;
}

/** How a body is cut up and written. */
interface Segments {
  readonly parts: number;
  readonly encoding: "GSM" | "Unicode";
}

/** Cutting a body up takes about a millisecond, and the same few come again and again. */
const recentSegments = new Map<string, Segments>();
const mostRecentSegments = 1_000;

function segmentsOf(body: string): Segments {
  const known = recentSegments.get(body);
  if (known !== undefined) return known;
  if (recentSegments.size >= mostRecentSegments) recentSegments.clear();
  const { segmentsCount, encodingName } = new SegmentedMessage(body);
  const segments = { parts: segmentsCount, encoding: encodingName === "GSM-7" ? "GSM" : "Unicode" } as const;
  recentSegments.set(body, segments);
  return segments;
}
