/**
 * What travels through the retry queue. It is read as strictly as it is written: a queue is open to whoever has the
 * right to write to it.
 */
import * as v from "valibot";
import { deliveryEvent } from "../events/delivery-event.ts";

const wholeNumber = v.pipe(v.number(), v.integer(), v.minValue(0));
const text = v.pipe(v.string(), v.nonEmpty());
const second = v.pipe(v.number(), v.finite());

/** What every message of the queue may carry besides. */
const maybeFailing = {
  /** Since when it could not be handled because something was out of reach, epoch seconds; absent while it is not. */
  failing_since: v.exactOptional(second),
};

const retryMessage = v.object({
  kind: v.literal("retry-message"),
  application_message_id: text,
  /** The attempt that is due; 0 only where the outcome of the producer's first send is unknown. */
  attempt: wholeNumber,
  /** How often the service has put this attempt off; only lengthens the back-off. */
  deferrals: v.exactOptional(wholeNumber),
  /** How urgent it was when it was counted among what waits for the gate, 0 = most; absent = it is not counted. */
  waits_as: v.exactOptional(wholeNumber),
  /** How many origination identities the service has refused for this attempt; the next one is to be tried. */
  identities_refused: v.exactOptional(wholeNumber),
  ...maybeFailing,
});

const receiptCheck = v.object({
  kind: v.literal("receipt-check"),
  application_message_id: text,
  attempt: wholeNumber,
  ...maybeFailing,
});

const waitingEvent = v.object({
  kind: v.literal("waiting-event"),
  event: deliveryEvent,
  /** When the event was first seen without an item, epoch seconds. */
  first_seen_at: second,
  ...maybeFailing,
});

const queueMessage = v.variant("kind", [retryMessage, receiptCheck, waitingEvent]);

/** "Attempt n of this message is due": a pointer to an item, without authority, number or body. */
export type RetryMessage = Readonly<v.InferOutput<typeof retryMessage>>;

/** "Look whether attempt n got an event" (docs/protocol.md): a pointer as {@link RetryMessage} is. */
export type ReceiptCheck = Readonly<v.InferOutput<typeof receiptCheck>>;

/** An event that came before its item (rule 9): it waits a while and is looked at again. */
export type WaitingEvent = Readonly<v.InferOutput<typeof waitingEvent>>;

/** What travels through the retry queue. */
export type QueueMessage = RetryMessage | ReceiptCheck | WaitingEvent;

/** The message in a queue message's body; `undefined` where the body is none that this system writes. Never throws. */
export function readQueueMessage(body: string): QueueMessage | undefined {
  try {
    const parsed = v.safeParse(queueMessage, JSON.parse(body));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}
