/**
 * What a producer does: write the state item, then send, then record. The item comes first, so that no
 * delivery event can find its message missing.
 */
import type { Clock, Random } from "./clock.ts";
import { SendDeferredError } from "./errors.ts";
import {
  type CarriedAttributes,
  type DeliveryGuarantee,
  keptAfterDeadlineSeconds,
  type Message,
  type MessageStatus,
  type MessageType,
  statusOf,
} from "./message.ts";
import {
  awaitEvents,
  type Claim,
  claimAgain,
  claimFirstSend,
  endSeries,
  recordSent,
  recordSentLate,
  releaseFirstSend,
} from "./message-changes.ts";
import type { Change, MessageStore } from "./message-store.ts";
import { claimLeaseSeconds, isTooLate, maySendUnder, secondsLeftOf } from "./resend-message.ts";
import { sendRequestOf } from "./send-request.ts";
import type { SmsSender } from "./sms-sender.ts";

/** A message to produce. */
export interface ProduceRequest {
  /** The application's own id; absent = a new one. The same id again sends nothing twice. */
  readonly applicationMessageId?: string;
  readonly destinationNumber: string;
  readonly body: string;
  readonly messageType: MessageType;
  readonly originationNumber?: string;
  readonly senderId?: string;
  /** What else the send, and every retry, carries. */
  readonly carried?: CarriedAttributes;
  /** Epoch seconds after which the message is useless; absent = now + `validitySeconds`. */
  readonly deadline?: number;
  readonly validitySeconds: number;
  readonly deliveryGuarantee?: DeliveryGuarantee;
}

/** What producing needs. */
export interface Producing {
  readonly store: MessageStore;
  readonly sender: SmsSender;
  /** The deployment's guarantee; the request's own overrides it. */
  readonly guarantee: DeliveryGuarantee;
  readonly clock: Clock;
  readonly random: Random;
}

/** What the application gets back. */
export interface ProducedMessage {
  readonly application_message_id: string;
  /** Absent where the service refused the message or its answer was lost. */
  readonly pinpoint_message_id?: string;
  /** `SENT`, or why not: `REJECTED`, `OPTED_OUT`, `EXPIRED`; of an id produced before, its present status. */
  readonly status: MessageStatus;
  /** How many entries of the context the service had no room for, so that they were not sent; absent = none. */
  readonly context_left_out?: number;
}

/**
 * Produces one message. Invoked again with the same id it sends again only where the send before certainly
 * did not happen, or where it died half-way and its lease is over.
 *
 * @throws SendDeferredError if the service did not take the message now; invoke again with the same id
 */
export async function produceMessage(
  request: ProduceRequest,
  producing: Producing,
): Promise<ProducedMessage> {
  const { store, sender, clock } = producing;
  const claimed = await claimSend(request, producing);
  if ("result" in claimed) return claimed.result;
  const { message } = claimed;
  const id = message.application_message_id;

  // The stored message, also where this invocation came with another body: an id stands for one message.
  const send = sendRequestOf(message, 0);
  if (send === undefined) {
    await store.change(id, endSeries(message, "REJECTED", "nothing-to-send"));
    return { application_message_id: id, status: "REJECTED" };
  }
  const before = clock.now();
  if (isTooLate(message, before, sender)) {
    await store.change(id, endSeries(message, "EXPIRED", "deadline"));
    return { application_message_id: id, status: "EXPIRED" };
  }
  if (!maySendUnder(message, before)) {
    await store.change(id, releaseFirstSend(message, before, "lease-nearly-over"));
    throw new SendDeferredError(id, "lease-nearly-over");
  }

  const result = await sender.send({ ...send, ...secondsLeftOf(message, before) });
  const now = clock.now();
  switch (result.kind) {
    case "accepted": {
      const sent = { at: now, messageId: result.messageId };
      const recorded = await store.change(id, recordSent(message, 0, sent));
      if (!recorded.applied && recorded.current !== undefined) {
        await store.change(id, recordSentLate(recorded.current, 0, sent));
      }
      const { messageId, contextLeftOut } = result;
      return {
        application_message_id: id,
        pinpoint_message_id: messageId,
        status: "SENT",
        ...(contextLeftOut !== undefined && { context_left_out: contextLeftOut }),
      };
    }
    case "refused": {
      const status = result.optedOut ? "OPTED_OUT" : "REJECTED";
      const last = { attempt: 0, outcome: result.reason, at: now };
      await store.change(id, endSeries(message, status, result.reason, last));
      return { application_message_id: id, status };
    }
    case "deferred":
      await store.change(id, releaseFirstSend(message, now, result.reason));
      throw new SendDeferredError(id, result.reason);
    case "unconfirmed":
      await store.change(id, awaitEvents(message, 0, now));
      return { application_message_id: id, status: "SENT" };
  }
}

/** Writes the item, or takes over the first send of an item whose producer did not get to the end. */
async function claimSend(
  request: ProduceRequest,
  { store, clock, random, guarantee }: Producing,
): Promise<{ readonly message: Message } | { readonly result: ProducedMessage }> {
  const now = clock.now();
  const claimId = random.id();
  const id = request.applicationMessageId ?? random.id();
  const until = Math.ceil(now + claimLeaseSeconds);
  const deadline = request.deadline ?? Math.floor(now + request.validitySeconds);
  const message: Message = {
    application_message_id: id,
    message_body: request.body,
    destination_number: request.destinationNumber,
    message_type: request.messageType,
    ...(request.originationNumber !== undefined && { origination_number: request.originationNumber }),
    ...(request.senderId !== undefined && { sender_id: request.senderId }),
    ...request.carried,
    ...(request.deliveryGuarantee !== undefined && { delivery_guarantee: request.deliveryGuarantee }),
    status: "SENDING",
    retry_count: 0,
    all_retries_failed: false,
    deadline,
    expires_at: deadline + keptAfterDeadlineSeconds,
    created_at: Math.floor(now),
    claim_expires_at: until,
    attempts: { "0": { claim_id: claimId, claimed_at: Math.floor(now) } },
  };
  if (await store.create(message)) return { message };

  const existing = await store.read(id);
  if (existing === undefined) return { result: { application_message_id: id, status: "SENDING" } };
  if (existing.status === "SENDING" && existing.retry_count === 0) {
    const first = existing.attempts?.["0"];
    // The answer of our own create was lost and the repeated one refused.
    if (first?.claim_id === claimId) return { message: existing };
    const claim = { attempt: 0, claimId, now, until };
    const takeOver = takeOverOf(existing, claim, existing.delivery_guarantee ?? guarantee);
    const taken = takeOver && (await store.change(id, takeOver));
    if (taken?.applied) {
      const { message } = taken;
      return message.status === "SENDING" ? { message } : { result: present(message) };
    }
  }
  return { result: present(existing) };
}

/** What the application is told of a message that was produced before. */
function present(message: Message): ProducedMessage {
  return {
    application_message_id: message.application_message_id,
    ...(message.pinpoint_message_id !== undefined && { pinpoint_message_id: message.pinpoint_message_id }),
    status: statusOf(message),
  };
}

/**
 * How to take over a first send: at once where it was given back; after its lease once more, or not at all
 * where the guarantee forbids it (rule 8); not yet while the lease holds.
 */
function takeOverOf(existing: Message, claim: Claim, guarantee: DeliveryGuarantee): Change | undefined {
  const first = existing.attempts?.["0"];
  if (first?.claim_id === undefined) return claimFirstSend(existing, claim);
  if ((existing.claim_expires_at ?? 0) > claim.now) return undefined;
  return guarantee === "at-least-once" && first.possible_duplicate !== true
    ? claimAgain(existing, claim)
    : awaitEvents(existing, 0, claim.now);
}
