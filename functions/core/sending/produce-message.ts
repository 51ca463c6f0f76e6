/**
 * What a producer does: write the state item, then send, then record. The item comes first, so that no
 * delivery event can find its message missing.
 */
import type { Clock, Random } from "../clock.ts";
import { SendDeferredError } from "../errors.ts";
import type { MessageType } from "../events/delivery-event.ts";
import { type Claim, claimAgain } from "../message/attempt-changes.ts";
import type { CarriedAttributes } from "../message/carried-attributes.ts";
import {
  type DeliveryGuarantee,
  expiresAtOf,
  latestSecond,
  type Message,
  type MessageStatus,
  statusOf,
} from "../message/message.ts";
import type { MessageStore } from "../message/message-store.ts";
import { decideRetryMessage } from "../message/retry-message-decision.ts";
import type { RetryPolicy } from "../message/retry-policy.ts";
import { countAccepted, countClosedGate } from "../observability/reports.ts";
import type { Telemetry } from "../observability/telemetry.ts";
import type { RetryMessage } from "../queue/queue-messages.ts";
import type { QueueEntry, RetryQueue } from "../queue/retry-queue.ts";
import { isReminderDue } from "./gate/gate.ts";
import type { NoPermit, SendGate } from "./gate/send-gate.ts";
import { HeldPermit } from "./held-permit.ts";
import { receiptCheckEntry } from "./receipt-check.ts";
import { type Routing, routeOf } from "./route.ts";
import {
  type ClaimedAttempt,
  claimLeaseSeconds,
  deferAttempt,
  permitMissed,
  sendAttempt,
} from "./send-attempt.ts";

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
export interface ProduceDependencies {
  readonly store: MessageStore;
  readonly routing: Routing;
  /** A gate of this invocation. */
  readonly gate: SendGate;
  /** The deployment's guarantee; the request's own overrides it. */
  readonly guarantee: DeliveryGuarantee;
  /** The retry queue, for a first send of unknown outcome and for receipt checks. */
  readonly queue: RetryQueue;
  readonly telemetry: Pick<Telemetry, "count">;
  readonly policy: RetryPolicy;
  readonly clock: Clock;
  readonly random: Random;
}

/** What the application gets back. */
export interface ProducedMessage {
  readonly application_message_id: string;
  /** Absent where the service refused the message or its answer was lost. */
  readonly pinpoint_message_id?: string;
  /**
   * `SENT`, or why not: `REJECTED`, `OPTED_OUT`, `EXPIRED`; `SENDING` where the service's answer was lost; of an id
   * produced before, its present status.
   */
  readonly status: MessageStatus;
  /** How many entries of the context the service had no room for, so that they were not sent; absent = none. */
  readonly context_left_out?: number;
}

/**
 * Produces one message. Invoked again with the same id it sends again only where the send before certainly
 * did not happen, or where its outcome is unknown, its lease is over and the guarantee allows a repetition.
 *
 * Where the answer of the service is lost, the retry queue brings the message to the resend worker when the lease is
 * over, which does the same (rule 8).
 *
 * @throws SendDeferredError if the service did not take the message now; invoke again with the same id
 */
export async function produceMessage(
  request: ProduceRequest,
  dependencies: ProduceDependencies,
): Promise<ProducedMessage> {
  const id = request.applicationMessageId ?? dependencies.random.id();
  const message = firstSend(request, id, dependencies);
  const permit = new HeldPermit(dependencies.gate);
  const refused = await permit.take(
    message,
    routeOf(message, firstSendIs, dependencies.routing),
    firstSendAsks,
  );
  if (refused !== undefined) return sendLater(message, refused, dependencies);

  const claimed = await claimSend(message, permit, dependencies);
  if ("result" in claimed) return claimed.result;
  const route = routeOf(claimed.message, firstSendIs, dependencies.routing);
  const attempt: ClaimedAttempt = {
    message: claimed.message,
    attempt: 0,
    route,
    nextTryAt: (now) => now,
    permit: permit.permit,
  };
  // What is stored may leave by another identity than this request says.
  const result = permit.covers(claimed.message, route)
    ? await sendAttempt(attempt, dependencies)
    : await deferAttempt(attempt, permitMissed, dependencies);
  switch (result.kind) {
    case "accepted":
      countAccepted(result.service, dependencies.telemetry);
      await put(receiptCheckEntry(result.message, dependencies.policy), dependencies);
      return {
        application_message_id: id,
        pinpoint_message_id: result.messageId,
        status: "SENT",
        ...(result.contextLeftOut !== undefined && { context_left_out: result.contextLeftOut }),
      };
    case "expired":
      return { application_message_id: id, status: "EXPIRED" };
    case "rejected":
      return { application_message_id: id, status: "REJECTED" };
    case "opted-out":
      return { application_message_id: id, status: "OPTED_OUT" };
    case "deferred":
      // The service was not asked: that the claim took long is no matter of the application's.
      if (result.reason === permitMissed)
        return byQueue(id, firstSendEntry(id, result.dueAt), result, dependencies);
      throw new SendDeferredError(id, result.reason);
    case "superseded":
      if (result.current === undefined) throw new SendDeferredError(id, "superseded");
      return present(result.current);
    case "unconfirmed":
      await put(firstSendEntry(id, result.leaseEndsAt), dependencies);
      return { application_message_id: id, status: "SENDING" };
  }
}

/** What a first send is for its route. */
const firstSendIs = { attempt: 0 } as const;

/** What a first send is for its gate. */
const firstSendAsks = { isFirstSend: true } as const;

/** The retry message that brings a first send of unknown outcome, or one that waits, to the resend worker. */
function firstSendMessage(id: string): RetryMessage {
  return { kind: "retry-message", application_message_id: id, attempt: 0 };
}

function firstSendEntry(id: string, dueAt: number): QueueEntry {
  return { message: firstSendMessage(id), dueAt };
}

/**
 * Puts an entry on the retry queue. One that does not get there is counted; the application that is told `SENDING`
 * invokes again, and `redrive --overdue` finds what is left.
 */
async function put(entry: QueueEntry | undefined, { queue, telemetry }: ProduceDependencies): Promise<void> {
  if (entry === undefined) return;
  const [isQueued] = await queue.put([entry]);
  if (isQueued !== true) telemetry.count("RetryMessageNotQueued");
}

/** The item of a message that nobody has sent, deferred by nobody and claimed by nobody. */
function firstSend(
  request: ProduceRequest,
  id: string,
  { clock, routing, policy }: ProduceDependencies,
): Message {
  const now = clock.now();
  const deadline = request.deadline ?? Math.min(Math.floor(now + request.validitySeconds), latestSecond);
  return {
    application_message_id: id,
    message_body: request.body,
    destination_number: request.destinationNumber,
    message_type: request.messageType,
    ...(request.originationNumber !== undefined && { origination_number: request.originationNumber }),
    ...(request.senderId !== undefined && { sender_id: request.senderId }),
    sms_service: routing.smsService,
    ...request.carried,
    ...(request.deliveryGuarantee !== undefined && { delivery_guarantee: request.deliveryGuarantee }),
    status: "SENDING",
    retry_count: 0,
    all_retries_failed: false,
    deadline,
    expires_at: expiresAtOf(deadline, policy.keptSeconds),
    created_at: Math.floor(now),
  };
}

/**
 * Leaves a message that the gate does not let through now to the resend worker: written down as a deferred first send,
 * and on the retry queue for when the gate is to be asked again.
 *
 * @throws SendDeferredError if it does not get onto the queue
 */
async function sendLater(
  message: Message,
  { until, reason, pause, waitsAs }: NoPermit,
  dependencies: ProduceDependencies,
): Promise<ProducedMessage> {
  const { store, telemetry, clock } = dependencies;
  countClosedGate(reason, pause !== undefined && isReminderDue(pause, clock.now()), telemetry);
  const id = message.application_message_id;
  const dueAt = Math.ceil(until);
  const isNew = await store.create({ ...message, claim_expires_at: dueAt, attempts: { "0": {} } });
  if (!isNew) {
    const existing = await store.read(id);
    if (existing !== undefined && !isFreeFirstSend(existing, clock.now())) {
      return answerOf(existing, dependencies);
    }
  }
  const entry = {
    message: { ...firstSendMessage(id), ...(waitsAs !== undefined && { waits_as: waitsAs }) },
    dueAt,
  };
  return byQueue(id, entry, { reason }, dependencies);
}

/**
 * Lets the resend worker make a first send.
 *
 * @throws SendDeferredError if the entry does not get onto the queue
 */
async function byQueue(
  id: string,
  entry: QueueEntry,
  { reason }: { readonly reason: string },
  { queue }: ProduceDependencies,
): Promise<ProducedMessage> {
  const [isQueued] = await queue.put([entry]);
  if (isQueued !== true) throw new SendDeferredError(id, reason);
  return { application_message_id: id, status: "SENDING" };
}

/**
 * What the application is told of a message that an invocation before has produced. That one may have died before it
 * put on the queue what follows from its send: so that is put there once more.
 */
async function answerOf(existing: Message, dependencies: ProduceDependencies): Promise<ProducedMessage> {
  const { application_message_id: id, status, retry_count, claim_expires_at: leaseEndsAt = 0 } = existing;
  if (status === "SENT") await put(receiptCheckEntry(existing, dependencies.policy), dependencies);
  if (status === "SENDING" && retry_count === 0) {
    await put(firstSendEntry(id, Math.max(leaseEndsAt, dependencies.clock.now())), dependencies);
  }
  return present(existing);
}

/** Whether an item is a first send that nobody has claimed, or whose producer has died. */
function isFreeFirstSend(
  { status, retry_count, attempts, claim_expires_at: leaseEndsAt = 0 }: Message,
  now: number,
): boolean {
  const isUnclaimed = attempts?.["0"]?.claim_id === undefined || leaseEndsAt <= now;
  return status === "SENDING" && retry_count === 0 && isUnclaimed;
}

/** Writes the item, or takes over the first send of an item whose producer did not get to the end. */
async function claimSend(
  given: Message,
  permit: HeldPermit,
  dependencies: ProduceDependencies,
): Promise<{ readonly message: Message } | { readonly result: ProducedMessage }> {
  const { store, clock, random } = dependencies;
  const now = clock.now();
  const claimId = random.id();
  const id = given.application_message_id;
  const until = Math.ceil(now + claimLeaseSeconds);
  const message: Message = {
    ...given,
    claim_expires_at: until,
    attempts: { "0": { claim_id: claimId, claimed_at: Math.floor(now) } },
  };
  if (await store.create(message)) return { message };

  const existing = await store.read(id);
  if (existing === undefined) return { result: { application_message_id: id, status: "SENDING" } };
  if (existing.status !== "SENDING") {
    return { result: await answerOf(existing, dependencies) };
  }
  // The answer of our own create was lost and the repeated one refused.
  if (existing.attempts?.["0"]?.claim_id === claimId) return { message: existing };
  return takeOver(existing, { attempt: 0, claimId, now, until }, permit, dependencies);
}

/**
 * Takes a first send over: at once where it was deferred; after its lease once more, where the guarantee allows it
 * (rule 8). What the guarantee forbids, a lease that holds, or a body that is too long is left to the resend worker.
 */
async function takeOver(
  existing: Message,
  claim: Claim,
  permit: HeldPermit,
  dependencies: ProduceDependencies,
): Promise<{ readonly message: Message } | { readonly result: ProducedMessage }> {
  const { guarantee } = dependencies;
  const { action } = decideRetryMessage(existing, { attempt: claim.attempt, now: claim.now, guarantee });
  if (action !== "claim-again") return { result: await answerOf(existing, dependencies) };
  // What is stored leaves, whatever this request says: its text may be longer.
  const route = routeOf(existing, firstSendIs, dependencies.routing);
  const refused = await permit.take(existing, route, firstSendAsks);
  if (refused !== undefined) return { result: await sendLater(existing, refused, dependencies) };
  const taken = await dependencies.store.change(existing.application_message_id, claimAgain(existing, claim));
  if (taken.applied) return { message: taken.message };
  // The answer of our own claim was lost and the repeated one refused.
  if (taken.current?.attempts?.["0"]?.claim_id === claim.claimId) return { message: taken.current };
  return { result: present(taken.current ?? existing) };
}

/** What the application is told of a message that was produced before. */
function present(message: Message): ProducedMessage {
  return {
    application_message_id: message.application_message_id,
    ...(message.pinpoint_message_id !== undefined && { pinpoint_message_id: message.pinpoint_message_id }),
    status: statusOf(message),
  };
}
