/** Reads the invocation event of the producer: what an application, or a person, may ask for. */
import * as v from "valibot";
import { InvalidRequestError } from "./errors.ts";
import { deliveryGuarantees } from "./message.ts";
import type { ProduceRequest } from "./produce-message.ts";
import { longestTextBytes } from "./send-context.ts";

/** What the event may leave out. */
export interface InvocationDefaults {
  readonly destinationNumber: string | undefined;
  readonly body: string | undefined;
  readonly originationNumber: string | undefined;
  readonly validitySeconds: number;
}

/** What is asked for. */
export type ProduceInvocation =
  | { readonly action: "produce"; readonly request: ProduceRequest }
  | { readonly action: "cancel"; readonly applicationMessageId: string };

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

const action = v.optional(v.picklist(["produce", "cancel"], "must be produce or cancel"), "produce");

const cancelEvent = v.object({ action, application_message_id: id });

/** Limits of the services: 1,600 characters a message, numbers in E.164. */
const produceEvent = v.object(
  {
    action,
    application_message_id: v.optional(id),
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
      v.picklist(["TRANSACTIONAL", "PROMOTIONAL"], "must be TRANSACTIONAL or PROMOTIONAL"),
      "TRANSACTIONAL",
    ),
    origination_number: v.optional(filledText),
    sender_id: v.optional(filledText),
    deadline: v.optional(seconds),
    validity_seconds: seconds,
    delivery_guarantee: v.optional(
      v.picklist(deliveryGuarantees, `must be ${deliveryGuarantees.join(" or ")}`),
    ),
  },
  // Valibot's own text for a value of the wrong type quotes the value.
  "must be a JSON object",
);

/** The invocation event of the producer, in the words of the table. */
export type ProduceEvent = v.InferInput<typeof cancelEvent> | Partial<v.InferInput<typeof produceEvent>>;

/**
 * Reads an invocation event.
 *
 * @throws InvalidRequestError listing every problem of the event; it quotes no value
 */
export function readProduceInvocation(event: unknown, defaults: InvocationDefaults): ProduceInvocation {
  const isObject = typeof event === "object" && event !== null;
  if (isObject && "action" in event && event.action === "cancel") {
    return { action: "cancel", applicationMessageId: read(cancelEvent, event).application_message_id };
  }
  const withDefaults = {
    destination_number: defaults.destinationNumber,
    message_body: defaults.body,
    origination_number: defaults.originationNumber,
    validity_seconds: defaults.validitySeconds,
  };
  const request = read(produceEvent, isObject ? { ...withDefaults, ...event } : event);
  return {
    action: "produce",
    request: {
      destinationNumber: request.destination_number,
      body: request.message_body,
      messageType: request.message_type,
      validitySeconds: request.validity_seconds,
      ...(request.application_message_id !== undefined && {
        applicationMessageId: request.application_message_id,
      }),
      ...(request.origination_number !== undefined && { originationNumber: request.origination_number }),
      ...(request.sender_id !== undefined && { senderId: request.sender_id }),
      ...(request.deadline !== undefined && { deadline: request.deadline }),
      ...(request.delivery_guarantee !== undefined && { deliveryGuarantee: request.delivery_guarantee }),
    },
  };
}

function read<Schema extends v.GenericSchema>(schema: Schema, event: unknown): v.InferOutput<Schema> {
  const parsed = v.safeParse(schema, event);
  if (parsed.success) return parsed.output;
  const problems = parsed.issues.map((issue) => {
    const path = v.getDotPath(issue);
    // A key that is missing has Valibot's own text, which quotes nothing but "undefined".
    const isMissing = path !== null && issue.received === "undefined";
    return `${path ?? "The event"} ${isMissing ? "is missing, and no default is set" : issue.message}.`;
  });
  throw new InvalidRequestError(problems);
}
