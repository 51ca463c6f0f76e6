/** Reads what comes out of the retry queue; a queue is open to whoever has the right to write to it. */
import * as v from "valibot";
import { originationPattern } from "../events/origination.ts";
import type { QueueMessage } from "./retry-queue.ts";

const wholeNumber = v.pipe(v.number(), v.integer(), v.minValue(0));
const text = v.pipe(v.string(), v.nonEmpty());

const failing_since = v.exactOptional(v.pipe(v.number(), v.finite()));

const queueMessage = v.variant("kind", [
  v.object({
    kind: v.literal("retry-message"),
    application_message_id: text,
    attempt: wholeNumber,
    deferrals: v.exactOptional(wholeNumber),
    failing_since,
  }),
  v.object({
    kind: v.literal("receipt-check"),
    application_message_id: text,
    attempt: wholeNumber,
    failing_since,
  }),
  v.object({
    kind: v.literal("waiting-event"),
    first_seen_at: v.pipe(v.number(), v.finite()),
    failing_since,
    event: v.object({
      format: v.picklist(["pinpoint", "end-user-messaging"]),
      kind: v.picklist(["in-progress", "success", "failure", "opt-out", "unrecognized"]),
      status: v.string(),
      messageId: v.exactOptional(text),
      applicationMessageId: v.exactOptional(text),
      attempt: v.exactOptional(wholeNumber),
      destinationNumber: v.exactOptional(text),
      messageType: v.exactOptional(v.picklist(["TRANSACTIONAL", "PROMOTIONAL"])),
      origination: v.exactOptional(v.pipe(v.string(), v.regex(originationPattern))),
      ownContext: v.exactOptional(v.record(v.string(), v.string())),
      occurredAt: v.exactOptional(v.number()),
      requestedAt: v.exactOptional(v.number()),
    }),
  }),
]);

/** The message in a queue message's body; `undefined` where the body is none that this system writes. Never throws. */
export function readQueueMessage(body: string): QueueMessage | undefined {
  try {
    const parsed = v.safeParse(queueMessage, JSON.parse(body));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}
