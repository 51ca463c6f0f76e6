/** Reads an item of the table as a {@link Message}: the table is open to the application, so nothing is sure. */
import * as v from "valibot";
import { storedAttributes } from "./carried-attributes.ts";
import { UnreadableMessageError } from "./errors.ts";
import { deliveryGuarantees, type Message, messageStatuses } from "./message.ts";

const wholeNumber = v.pipe(v.number(), v.integer(), v.minValue(0));

/** What the protocol rests on must be right; what is only noted may be anything and then counts as absent. */
const optionalText = v.fallback(v.optional(v.string()), undefined);
const optionalNumber = v.fallback(v.optional(v.pipe(v.number(), v.finite())), undefined);

const attempt = v.object({
  claim_id: optionalText,
  claimed_at: optionalNumber,
  sent_at: optionalNumber,
  message_id: optionalText,
  origination: optionalText,
  outcome: optionalText,
  outcome_at: optionalNumber,
  retry_scheduled_at: optionalNumber,
  possible_duplicate: v.fallback(v.optional(v.boolean()), undefined),
  repeats: optionalNumber,
});

const item = v.object({
  application_message_id: v.string(),
  message_body: v.optional(v.string()),
  pinpoint_message_id: optionalText,
  destination_number: v.optional(v.string()),
  message_type: v.fallback(v.optional(v.picklist(["TRANSACTIONAL", "PROMOTIONAL"])), undefined),
  origination_number: optionalText,
  sender_id: optionalText,
  ...storedAttributes,
  status: v.optional(v.picklist(messageStatuses)),
  status_reason: optionalText,
  retry_count: v.optional(wholeNumber),
  all_retries_failed: v.fallback(v.optional(v.boolean()), undefined),
  deadline: v.optional(v.pipe(v.number(), v.finite())),
  expires_at: v.optional(v.pipe(v.number(), v.finite())),
  created_at: optionalNumber,
  next_attempt_at: v.optional(v.pipe(v.number(), v.finite())),
  claim_expires_at: v.optional(v.pipe(v.number(), v.finite())),
  delivery_guarantee: v.optional(v.picklist(deliveryGuarantees)),
  attempts: v.optional(v.record(v.string(), attempt)),
});

/**
 * The message in an item.
 *
 * @throws UnreadableMessageError naming the attributes that have a wrong type or value
 */
export function readMessageItem(attributes: Record<string, unknown>): Message {
  const parsed = v.safeParse(item, attributes);
  if (!parsed.success) {
    const paths = parsed.issues.map((issue) => v.getDotPath(issue)?.split(".")[0] ?? "item");
    throw new UnreadableMessageError([...new Set(paths)]);
  }
  return withoutUndefined(parsed.output) as Message;
}

/** Takes out keys whose value is undefined, which validation leaves behind where it fell back. */
function withoutUndefined(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, entry]) => entry !== undefined)
      .map(([key, entry]) => [key, withoutUndefined(entry)]),
  );
}
