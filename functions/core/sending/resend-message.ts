/**
 * What happens when a retry message comes: look at the item, wait for the permit, claim the attempt, send, record.
 * This is the only place that sends a retry.
 *
 * The permit comes before the claim (rule 13, ADR 4): a message that ends while it waits for its permit is never
 * claimed, and between a claim and its send lies nothing but the call.
 */
import type { Clock, Random } from "../clock.ts";
import { ContentionError } from "../errors.ts";
import { awaitReceipt, type Claim, claimAgain, claimAttempt } from "../message/attempt-changes.ts";
import {
  type DeliveryGuarantee,
  isFinal,
  isReopenable,
  isTooLate,
  type Message,
  noReceiptOutcome,
  statusOf,
} from "../message/message.ts";
import { correctTimes, endSequence, shadowRetry, unschedule } from "../message/message-changes.ts";
import { partsOf } from "../message/message-parts.ts";
import type { Change } from "../message/message-store.ts";
import { decideRetryMessage, type RetryMessageDecision } from "../message/retry-message-decision.ts";
import { backOffUntil, operatorBackOffUntil, type RetryPolicy } from "../message/retry-policy.ts";
import type { RetryMessageOutcome } from "../observability/outcomes.ts";
import type { RetryMessageResult } from "../observability/reports.ts";
import type { RetryMessage } from "../queue/queue-messages.ts";
import type { QueueEntry } from "../queue/retry-queue.ts";
import { isReminderDue } from "./gate/gate.ts";
import type { NoPermit, SendGate } from "./gate/send-gate.ts";
import { HeldPermit } from "./held-permit.ts";
import { receiptCheckEntry } from "./receipt-check.ts";
import { type Route, routeOf } from "./route.ts";
import {
  type AttemptResult,
  type ClaimedAttempt,
  claimLeaseSeconds,
  deferAttempt,
  permitMissed,
  type SendDependencies,
  sendAttempt,
} from "./send-attempt.ts";
import { isForOperator } from "./sms-sender.ts";

/** What resending needs. */
export interface ResendDependencies extends SendDependencies {
  readonly gate: SendGate;
  readonly policy: RetryPolicy;
  readonly guarantee: DeliveryGuarantee;
  /** Whether retries are counted and nothing is sent. @default false */
  readonly isShadow?: boolean;
  readonly clock: Clock;
  readonly random: Random;
}

/** The result of one retry message. */
export interface HandledRetryMessage extends RetryMessageResult {
  /** What has to be put on the retry queue; until it is there the retry message is not handled. */
  readonly entry?: QueueEntry;
}

/** How often a retry message is decided again because the item changed meanwhile. */
const maxDecisions = 6;

/**
 * Handles one retry message. Early, late, doubled or forged, at most one send results from an attempt, save the
 * repetitions that at-least-once allows after a lost outcome.
 *
 * @param known the item where the caller has read it already, possibly an old version of it
 * @throws ContentionError if the item changed under every decision; any error of the store
 */
export async function resendMessage(
  retryMessage: RetryMessage,
  dependencies: ResendDependencies,
  known?: Message,
): Promise<HandledRetryMessage> {
  const permit = new HeldPermit(dependencies.gate);
  const claimId = dependencies.random.id();
  return decideAndAct({ ...dependencies, retryMessage, claimId, permit }, known);
}

/** One retry message on its way, and what it needs. */
interface Resend extends ResendDependencies {
  readonly retryMessage: RetryMessage;
  /** Tells this worker its own claim after a lost answer. */
  readonly claimId: string;
  readonly permit: HeldPermit;
}

/** What a step leads to: the end of the handling, or an item to decide from anew. */
type Step = { readonly handled: HandledRetryMessage } | { readonly decideFrom: Message | undefined };

async function decideAndAct(resend: Resend, known: Message | undefined): Promise<HandledRetryMessage> {
  const { store, clock, guarantee, isShadow = false, retryMessage } = resend;
  const { application_message_id: id, attempt } = retryMessage;
  const areRetriesOff = resend.policy.maxRetries === 0;

  let message = known ?? (await store.read(id));
  let isOldRead = known !== undefined;
  for (let decisions = 0; decisions < maxDecisions; decisions += 1) {
    // The answer of our own claim was lost and the repeated write refused: the claim is ours all the same.
    if (message !== undefined && isClaimedBy(resend, message)) return send(resend, message);
    const now = clock.now();
    const leastSecondsLeft = leastSecondsLeftFor(message, resend);
    const facts = { attempt, now, guarantee, leastSecondsLeft, areRetriesOff, isShadow };
    const decision = decideRetryMessage(message, facts);
    if (isOldRead && decision.action === "drop" && !hasEnded(message)) {
      // Most ends are ends, however old the read; anything else may have changed since.
      message = await store.read(id);
    } else {
      const step = await act(decision, message, now, resend);
      if ("handled" in step) return { ...step.handled, ...latenessOf(decision, message, now) };
      message = step.decideFrom;
    }
    isOldRead = false;
  }
  throw new ContentionError(maxDecisions);
}

/** A retry is late where it was due so many seconds ago. */
const lateAfterSeconds = 1_800;

/**
 * Whether a retry is late that is to leave now, whether it does or has to wait again. Its item says so: on the queue it is
 * new each time that it gets no permit.
 */
function latenessOf(
  { action }: RetryMessageDecision,
  message: Message | undefined,
  now: number,
): Pick<HandledRetryMessage, "isLate"> {
  const dueAt = message?.next_attempt_at ?? now;
  return action === "claim" && now - dueAt > lateAfterSeconds ? { isLate: true } : {};
}

/** How the attempt leaves that the retry message names. */
function routeFor(message: Message, { retryMessage, routing }: Resend): Route {
  const { attempt, identities_refused: identitiesRefused = 0 } = retryMessage;
  return routeOf(message, { attempt, identitiesRefused }, routing);
}

/** What the service asks for until the deadline. */
function leastSecondsLeftFor(message: Message | undefined, resend: Resend): number {
  if (message === undefined) return 0;
  const route = routeFor(message, resend);
  return "blocked" in route ? 0 : route.sender.leastSecondsLeft;
}

/** Whether a message has ended for good: an operator may have reopened another end since it was read. */
function hasEnded(message: Message | undefined): boolean {
  const status = message && statusOf(message);
  return status !== undefined && isFinal(status) && !isReopenable(status);
}

function isClaimedBy({ claimId, retryMessage: { attempt } }: Resend, message: Message): boolean {
  return message.status === "SENDING" && message.attempts?.[attempt]?.claim_id === claimId;
}

async function act(
  decision: RetryMessageDecision,
  message: Message | undefined,
  now: number,
  resend: Resend,
): Promise<Step> {
  const { reason } = decision;
  if (decision.action === "drop" || message === undefined) {
    // A worker that recorded its send may have died before it queued the receipt check.
    const check = message !== undefined && reason === "already-sent" ? checkOf(message, resend) : {};
    return { handled: { outcome: "absorbed", reason, ...check } };
  }
  switch (decision.action) {
    case "defer":
      return { handled: notDue(resend, reason, decision.until) };
    case "check-receipt":
      return { handled: { outcome: "absorbed", reason, ...checkOf(message, resend) } };
    case "claim":
    case "claim-again":
      return permitClaimSend(decision.action, message, resend);
    default:
      return write(decision, message, now, resend);
  }
}

/**
 * The only way to a send. The permit comes first: a message that does not get it soon goes back to the queue
 * without having been claimed.
 */
async function permitClaimSend(
  action: "claim" | "claim-again",
  message: Message,
  resend: Resend,
): Promise<Step> {
  const { store, permit, retryMessage, clock } = resend;
  const refused = await permit.take(message, routeFor(message, resend), {
    isFirstSend: retryMessage.attempt === 0,
    ...(retryMessage.waits_as !== undefined && { waitsAs: retryMessage.waits_as }),
  });
  if (refused !== undefined) return { handled: waitsForGate(resend, refused) };
  // The deadline may have come while the permit did (rule 6).
  if (isTooLate(message, clock.now(), leastSecondsLeftFor(message, resend))) return { decideFrom: message };

  const claim = claimOf(resend);
  const claimed = await store.change(
    message.application_message_id,
    action === "claim-again"
      ? claimAgain(message, claim)
      : claimAttempt({ ...claim, followsNoReceipt: followsNoReceipt(message, claim.attempt) }),
  );
  if (!claimed.applied) return { decideFrom: claimed.current };

  return { handled: await send(resend, claimed.message) };
}

function claimOf({ retryMessage: { attempt }, claimId, clock }: Resend): Claim {
  const now = clock.now();
  return { attempt, claimId, now, until: Math.ceil(now + claimLeaseSeconds) };
}

function followsNoReceipt({ attempts }: Message, attempt: number): boolean {
  return attempts?.[attempt - 1]?.outcome === noReceiptOutcome;
}

/** The decisions that are written down and send nothing. */
type WrittenDecision = Exclude<
  RetryMessageDecision,
  { readonly action: "drop" | "defer" | "check-receipt" | "claim" | "claim-again" }
>;

/** The write of each, and what the retry message then counts as; without that it is decided anew. */
const writes: Readonly<
  Record<
    WrittenDecision["action"],
    {
      readonly change: (message: Message, attempt: number, now: number, policy: RetryPolicy) => Change;
      readonly outcome?: RetryMessageOutcome;
    }
  >
> = {
  expire: {
    change: (message, _, at, { keptSeconds }) =>
      endSequence(message, { status: "EXPIRED", reason: "deadline", at, keptSeconds }),
    outcome: "expired",
  },
  reject: {
    change: (message, _, at, { keptSeconds }) =>
      endSequence(message, { status: "REJECTED", reason: "body-too-long", at, keptSeconds }),
    outcome: "rejected",
  },
  unschedule: { change: unschedule, outcome: "retries-off" },
  shadow: {
    change: (message, attempt, now) => shadowRetry(message, attempt, now, shadowPartsOf(message)),
    outcome: "shadowed",
  },
  "await-receipt": { change: awaitReceipt, outcome: "awaiting-receipt" },
  "correct-times": { change: correctTimes },
};

async function write(
  { action, reason }: WrittenDecision,
  message: Message,
  now: number,
  resend: Resend,
): Promise<Step> {
  const { change, outcome } = writes[action];
  const { attempt } = resend.retryMessage;
  const result = await resend.store.change(
    message.application_message_id,
    change(message, attempt, now, resend.policy),
  );
  if (!result.applied) return { decideFrom: result.current };
  if (outcome === undefined) return { decideFrom: result.message };
  const check = action === "await-receipt" ? checkOf(result.message, resend) : {};
  const shadow = action === "shadow" ? { shadowParts: shadowPartsOf(message) } : {};
  return { handled: { outcome, reason, ...check, ...shadow } };
}

/** The parts of a retry that is only counted. */
function shadowPartsOf({ message_body: body }: Message): number {
  return partsOf(body);
}

/** The same retry message, at another time. */
function notDue({ retryMessage }: Resend, reason: string, dueAt: number): HandledRetryMessage {
  return { outcome: "not-due", reason, entry: { message: retryMessage, dueAt } };
}

/** The same retry message, when the gate is to be asked again; it is counted among what waits there. */
function waitsForGate(
  { retryMessage, clock }: Resend,
  { reason, until, pause, waitsAs }: NoPermit,
): HandledRetryMessage {
  const message: RetryMessage = { ...retryMessage, ...(waitsAs !== undefined && { waits_as: waitsAs }) };
  return {
    outcome: "not-due",
    reason,
    entry: { message, dueAt: until },
    ...(pause !== undefined && { remindsOfPause: isReminderDue(pause, clock.now()) }),
  };
}

/** The receipt check of the latest attempt, where it has one; an attempt of unknown outcome always has. */
function checkOf(message: Message, { policy }: Resend): Pick<HandledRetryMessage, "entry"> {
  const entry = receiptCheckEntry(message, policy);
  return entry === undefined ? {} : { entry };
}

/** Sends a claimed attempt and says what is left to do. */
async function send(resend: Resend, message: Message): Promise<HandledRetryMessage> {
  const { permit, random } = resend;
  const { attempt, deferrals = 0, identities_refused: identitiesRefused = 0 } = resend.retryMessage;
  const route = routeFor(message, resend);
  const claimed: ClaimedAttempt = {
    message,
    attempt,
    route,
    identitiesRefused,
    nextTryAt: (now, reason) =>
      isForOperator(reason) === undefined
        ? backOffUntil(deferrals, now, random.next())
        : operatorBackOffUntil(
            { deferrals, isSpendLimit: reason === "spend-limit", deadline: message.deadline },
            now,
            random.next(),
          ),
    permit: permit.permit,
  };
  // The application may have written a longer text, or another identity, since the item was read.
  const result = permit.covers(message, route)
    ? await sendAttempt(claimed, resend)
    : await deferAttempt(claimed, permitMissed, resend);
  return handledOf(result, message, resend);
}

/** The retry message of a deferred attempt. */
function deferredMessage(
  retryMessage: RetryMessage,
  { identitiesRefused }: Extract<AttemptResult, { readonly kind: "deferred" }>,
): RetryMessage {
  const deferrals = (retryMessage.deferrals ?? 0) + 1;
  if (identitiesRefused === undefined) return { ...retryMessage, deferrals };
  const { identities_refused: _, ...fromFirst } = retryMessage;
  // All were refused: from the first on again.
  if (identitiesRefused === 0) return { ...fromFirst, deferrals };
  // The next has a gate of its own, and a wait of its own there.
  const { waits_as: __, ...byNext } = fromFirst;
  return { ...byNext, identities_refused: identitiesRefused };
}

function handledOf(result: AttemptResult, claimed: Message, resend: Resend): HandledRetryMessage {
  const { clock, guarantee, retryMessage } = resend;
  const { attempt, deferrals = 0 } = retryMessage;
  const again = { ...retryMessage, deferrals: deferrals + 1 };
  switch (result.kind) {
    case "accepted": {
      const isAgain = claimed.attempts?.[attempt]?.possible_duplicate === true;
      const { contextLeftOut, service } = result;
      return {
        service,
        outcome: isAgain ? "sent-again" : "sent",
        reason: isAgain ? "outcome-unknown" : "due",
        ...(contextLeftOut !== undefined && { contextLeftOut }),
        ...checkOf(result.message, resend),
      };
    }
    case "deferred":
      return {
        outcome: "deferred",
        reason: result.reason,
        entry: { message: deferredMessage(retryMessage, result), dueAt: result.dueAt },
      };
    case "superseded": {
      const { action } = decideRetryMessage(result.current, { attempt, now: clock.now(), guarantee });
      return action === "drop"
        ? { outcome: "absorbed", reason: "superseded-attempt" }
        : {
            outcome: "deferred",
            reason: "superseded-attempt",
            entry: { message: again, dueAt: result.dueAt },
          };
    }
    case "expired":
      return { outcome: "expired", reason: "deadline" };
    case "rejected":
    case "opted-out":
      return { outcome: result.kind, reason: result.reason };
    case "unconfirmed":
      return {
        outcome: "unconfirmed",
        reason: result.reason,
        entry: { message: retryMessage, dueAt: result.leaseEndsAt },
      };
  }
}
