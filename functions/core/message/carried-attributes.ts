/**
 * What a send may carry beside body, number, type and identity, attribute by attribute, within the limits of
 * `SendTextMessage`; `SendMessages` documents none. The producer refuses what is not so; in an item that an
 * application wrote, it counts as absent.
 *
 * @see https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html
 */
import * as v from "valibot";
import { isOwnContextKey, isRecord, ownContextLimits, readOwnContext } from "../events/send-context.ts";
import { smsServices } from "../events/statuses.ts";

const text = v.string("must be a text");

const keyword = v.pipe(
  text,
  v.regex(/^[ \S]+$/, "must not be empty or have line breaks or tabs"),
  v.maxLength(30, "must have at most 30 characters"),
);

const countryParameter = v.pipe(
  text,
  v.regex(/^\S+$/, "must not be empty or have spaces"),
  v.maxLength(64, "must have at most 64 characters"),
);

const resource = v.pipe(
  text,
  v.regex(/^[A-Za-z0-9_:/-]+$/, "must be a name, an id or an ARN"),
  v.maxLength(256, "must have at most 256 characters"),
);

/** What the service takes as the highest price of a part: US dollars, always with a point. */
export const maxPricePattern = /^\d{0,2}\.\d{1,5}$/;

const maxPrice = v.pipe(text, v.regex(maxPricePattern, 'must be US dollars as a text, like "0.05"'));

/** Attributes whose form is the same in a request and in an item. */
const plain = {
  keyword,
  configuration_set_name: resource,
  protect_configuration_id: resource,
};

/** The attributes as the producer takes them: what is wrong is said, without its value. */
export const requestedAttributes = {
  context: v.exactOptional(
    v.pipe(
      // One check of the whole: the path of a problem inside would quote the application's key.
      v.custom<Record<string, string>>(isTextMap, "must be an object of texts"),
      v.check(
        (context) => Object.keys(context).every(isOwnContextKey),
        "must not have an empty key, __proto__, application_message_id or retry_attempt",
      ),
      v.check(
        (context) => Object.keys(context).length <= ownContextLimits.entries,
        `must have at most ${ownContextLimits.entries} entries`,
      ),
      v.check(
        (context) => Buffer.byteLength(Object.entries(context).flat().join("")) <= ownContextLimits.bytes,
        `must have at most ${ownContextLimits.bytes.toLocaleString("en-US")} bytes`,
      ),
    ),
  ),
  keyword: v.exactOptional(plain.keyword),
  entity_id: v.exactOptional(countryParameter),
  template_id: v.exactOptional(countryParameter),
  configuration_set_name: v.exactOptional(plain.configuration_set_name),
  destination_country_parameters: v.exactOptional(
    v.pipe(
      v.custom<Record<string, string>>(isTextMap, "must be an object of texts"),
      v.check(
        (parameters) => Object.keys(parameters).every((key) => countryKeys.includes(key)),
        "must have no keys but IN_ENTITY_ID and IN_TEMPLATE_ID",
      ),
      v.check(
        (parameters) => Object.values(parameters).every((value) => v.is(countryParameter, value)),
        "must have values of 1 to 64 characters without spaces",
      ),
    ),
  ),
  max_price: v.exactOptional(maxPrice),
  protect_configuration_id: v.exactOptional(plain.protect_configuration_id),
  message_feedback_enabled: v.exactOptional(v.boolean("must be true or false")),
  sms_service: v.exactOptional(v.picklist(smsServices, `must be ${smsServices.join(" or ")}`)),
};

/** Every key that `SendTextMessage` knows for a country; a retry may carry a later one, the producer does not. */
const countryKeys: readonly string[] = ["IN_ENTITY_ID", "IN_TEMPLATE_ID"];

/** An id of 19 digits that was written as a number is a bigint here, and whole. */
const countryParameterOrDigits = v.pipe(
  v.union([v.string(), v.bigint(), v.pipe(v.number(), v.safeInteger())]),
  v.transform(String),
  countryParameter,
);

const priceOrNumber = v.pipe(
  v.union([v.string(), v.pipe(v.number(), v.minValue(0))]),
  v.transform((price) => (typeof price === "number" ? price.toFixed(5) : price)),
  maxPrice,
);

/**
 * What a send carries beside body, number, message type and origination identity, as an item may have it: what is wrong
 * counts as absent and is not sent. The application writes it where its first send had it; every retry carries it again
 * (docs/protocol.md).
 */
export const storedAttributes = {
  /** The application's own entries of the send's context, without our `application_message_id` and `retry_attempt`. */
  context: v.optional(v.pipe(v.unknown(), v.transform(readOwnContext))),
  /** The keyword of the origination number's programme. */
  keyword: orAbsent(plain.keyword),
  /** India: id of the sender in the carriers' register (DLT), without which carriers there block a message. */
  entity_id: orAbsent(countryParameterOrDigits),
  /** India: id of the registered template that the body follows. */
  template_id: orAbsent(countryParameterOrDigits),
  /** End User Messaging: name or ARN of the configuration set; absent = the deployment's. */
  configuration_set_name: orAbsent(plain.configuration_set_name),
  /** End User Messaging: what a country asks for, e.g. `IN_ENTITY_ID`; goes over `entity_id` and `template_id`. */
  destination_country_parameters: v.optional(v.pipe(v.unknown(), v.transform(countryParametersOf))),
  /** End User Messaging: highest price of a message part in US dollars, e.g. `"0.05"`; a dearer one is not sent. */
  max_price: orAbsent(priceOrNumber),
  /** End User Messaging: id or ARN of the protect configuration; absent = the one that the account says. */
  protect_configuration_id: orAbsent(plain.protect_configuration_id),
  /** End User Messaging: whether the application tells the service which messages had their effect. */
  message_feedback_enabled: orAbsent(v.boolean()),
  /** What sent the message first, and sends every retry: `pinpoint` or `end-user-messaging`. */
  sms_service: orAbsent(v.picklist(smsServices)),
} satisfies Record<keyof typeof requestedAttributes, v.GenericSchema>;

/** What was read by a schema, once the keys without a value have been taken out: at every depth, not to be changed. */
export type Present<Value> = {
  readonly [Key in keyof Value]: Exclude<Value[Key], undefined> extends object
    ? Present<Exclude<Value[Key], undefined>>
    : Exclude<Value[Key], undefined>;
};

/** See {@link storedAttributes}. */
export type CarriedAttributes = Present<v.InferOutput<v.ObjectSchema<typeof storedAttributes, undefined>>>;

function orAbsent<const Schema extends v.GenericSchema>(schema: Schema) {
  return v.fallback(v.optional(schema), undefined);
}

/** The parameters in an item that could be right; the service knows the keys better than we do. */
function countryParametersOf(value: unknown): Readonly<Record<string, string>> | undefined {
  if (!isRecord(value)) return undefined;
  const right = Object.entries(value).flatMap(([key, parameter]) => {
    const read = v.safeParse(countryParameterOrDigits, parameter);
    return read.success && /^[A-Z]{2}_[A-Z_]{1,60}$/.test(key) ? [[key, read.output]] : [];
  });
  return right.length === 0 ? undefined : Object.fromEntries(right);
}

function isTextMap(value: unknown): boolean {
  return isRecord(value) && Object.values(value).every((entry) => typeof entry === "string");
}
