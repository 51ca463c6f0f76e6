/** Reads the invocation event of the producer: what an application, or a person, may ask for. */
import * as v from "valibot";
import { InvalidRequestError } from "../errors.ts";
import { type MessageType, messageTypes } from "../events/delivery-event.ts";
import { originationOf } from "../events/origination.ts";
import { isRecord, longestTextBytes } from "../events/send-context.ts";
import type { SmsService } from "../events/statuses.ts";
import { type CarriedAttributes, requestedAttributes } from "../message/carried-attributes.ts";
import { deliveryGuarantees, latestSecond } from "../message/message.ts";
import { isPersonalId } from "../observability/personal-id.ts";
import type { ProduceRequest } from "./produce-message.ts";

/** What the event may leave out. */
export interface InvocationDefaults {
  readonly destinationNumber: string | undefined;
  readonly body: string | undefined;
  readonly originationNumber: string | undefined;
  readonly validitySeconds: number;
  /** The service of a message that names none. */
  readonly smsService: SmsService;
  /** The services that the deployment is set up for; one that an event names must be among them. */
  readonly smsServices: ReadonlySet<SmsService>;
}

/** What is asked for. */
export type ProduceInvocation =
  | { readonly action: "produce"; readonly request: ProduceRequest }
  | { readonly action: "cancel"; readonly applicationMessageId: string }
  | { readonly action: "status"; readonly applicationMessageId: string };

const filledText = v.pipe(v.string("must be a text"), v.nonEmpty("must not be empty"));
const seconds = v.pipe(
  v.number("must be a number"),
  v.integer("must be whole"),
  v.minValue(1, "must be 1 or more"),
);
/** 800 characters is what the context of a send holds under End User Messaging. */
const id = v.pipe(
  filledText,
  v.maxLength(800, "must have at most 800 characters"),
  v.maxBytes(longestTextBytes, "must have at most 2,048 bytes"),
);

/** The id of a message that does not exist yet: an item of such an id can still be withdrawn. */
const newId = v.pipe(
  id,
  v.check(
    (given) => !isPersonalId(given),
    "must be neither a phone number nor an e-mail address: ids stand in logs and queues",
  ),
);

const action = v.optional(
  v.picklist(["produce", "cancel", "status"], "must be produce, cancel or status"),
  "produce",
);

/** An event about a message that was produced before. */
const pointingEvent = v.object({ action, application_message_id: id });

/** Limits of the services: 1,600 characters a message, numbers in E.164. */
const produceEvent = v.object({
  action,
  application_message_id: v.optional(newId),
  destination_number: v.pipe(
    v.string("is missing, and no default is set"),
    v.regex(/^\+[1-9]\d{1,18}$/, "must be a number in E.164 format, like +4470000"),
  ),
  message_body: v.pipe(
    v.string("is missing, and no default is set"),
    v.nonEmpty("must not be empty"),
    v.maxLength(1_600, "must have at most 1,600 characters"),
  ),
  message_type: v.optional(
    v.picklist(messageTypes, `must be ${messageTypes.join(" or ")}`),
    "TRANSACTIONAL" satisfies MessageType,
  ),
  origination_number: v.optional(filledText),
  sender_id: v.optional(filledText),
  ...requestedAttributes,
  deadline: v.optional(v.pipe(seconds, v.maxValue(latestSecond, "must be in seconds, not milliseconds"))),
  validity_seconds: seconds,
  delivery_guarantee: v.optional(
    v.picklist(deliveryGuarantees, `must be ${deliveryGuarantees.join(" or ")}`),
  ),
});

/** The invocation event of the producer, in the words of the table. */
export type ProduceEvent = v.InferInput<typeof pointingEvent> | Partial<v.InferInput<typeof produceEvent>>;

/**
 * Reads an invocation event. A key that it does not know is refused: it would be a misspelt one, or something
 * that the send was to carry and does not.
 *
 * @throws InvalidRequestError listing every problem of the event, every unknown key among them; it quotes no value
 */
export function readProduceInvocation(event: unknown, defaults: InvocationDefaults): ProduceInvocation {
  if (isRecord(event) && (event.action === "cancel" || event.action === "status")) {
    const { application_message_id: applicationMessageId } = read(pointingEvent, event);
    return { action: event.action, applicationMessageId };
  }
  const namesSender = isRecord(event) && event.sender_id !== undefined;
  const withDefaults = {
    destination_number: defaults.destinationNumber,
    message_body: defaults.body,
    // A sender id of the event's stands alone: a send has one origination identity.
    ...(!namesSender && { origination_number: defaults.originationNumber }),
    validity_seconds: defaults.validitySeconds,
  };
  const {
    action: _,
    application_message_id: applicationMessageId,
    destination_number: destinationNumber,
    message_body: body,
    message_type: messageType,
    origination_number: origination,
    sender_id: senderId,
    deadline,
    validity_seconds: validitySeconds,
    delivery_guarantee: deliveryGuarantee,
    ...carried
  } = read(produceEvent, isRecord(event) ? { ...withDefaults, ...event } : event);
  const problem = problemOfService(
    carried.sms_service ?? defaults.smsService,
    origination ?? senderId,
    defaults,
  );
  if (problem !== undefined) throw new InvalidRequestError([problem]);
  return {
    action: "produce",
    request: {
      destinationNumber,
      body,
      messageType,
      validitySeconds,
      ...(applicationMessageId !== undefined && { applicationMessageId }),
      ...(origination !== undefined && originationOf(origination)),
      ...(senderId !== undefined && { senderId }),
      ...(deadline !== undefined && { deadline }),
      ...(deliveryGuarantee !== undefined && { deliveryGuarantee }),
      // A key of the event that is neither taken above nor carried would come into the item unseen.
      ...(Object.keys(carried).length > 0 && {
        carried: carried satisfies Record<Exclude<keyof typeof carried, keyof CarriedAttributes>, never>,
      }),
    },
  };
}

/** What keeps a message from being sent by this service; the service itself would find out later, or not at all. */
function problemOfService(
  service: SmsService,
  identity: string | undefined,
  { smsServices }: InvocationDefaults,
): string | undefined {
  if (!smsServices.has(service)) {
    return `sms_service must be what the deployment is set up for: ${[...smsServices].join()}.`;
  }
  if (service !== "end-user-messaging" || identity !== undefined) return undefined;
  return "origination_number or sender_id is missing, and no default is set; End User Messaging needs one of them.";
}

type EventSchema = typeof pointingEvent | typeof produceEvent;

function read<Schema extends EventSchema>(schema: Schema, event: unknown): v.InferOutput<Schema> {
  if (!isRecord(event)) throw new InvalidRequestError(["The event must be a JSON object."]);
  const parsed = v.safeParse(schema, event);
  const problems = [...unknownKeys(schema, event), ...(parsed.issues ?? []).map(problemOf)];
  if (parsed.success && problems.length === 0) return parsed.output;
  throw new InvalidRequestError(problems);
}

function problemOf(issue: v.BaseIssue<unknown>): string {
  // The event is an object, so every issue is one of its keys.
  const path = v.getDotPath(issue) as string;
  // A key that is missing has Valibot's own text, which quotes nothing but "undefined".
  const isMissing = issue.received === "undefined";
  return `${path} ${isMissing ? "is missing, and no default is set" : issue.message}.`;
}

/**
 * A key is quoted only where it looks like one: an application may have put a number or a text in its place, and
 * several digits in a row may be a code.
 */
function unknownKeys(schema: EventSchema, event: Record<string, unknown>): string[] {
  const unknown = Object.keys(event).filter((key) => !Object.hasOwn(schema.entries, key));
  const named = unknown.filter((key) => /^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(key) && !/\d{4}/.test(key));
  const unnamed = unknown.length - named.length;
  return [
    ...named.map((key) => `${key} is not known here.`),
    ...(unnamed > 0 ? [`${unnamed} of the keys cannot be the name of an attribute.`] : []),
  ];
}
