/**
 * What happens when a retry message comes: look at the item, wait for the permit, claim the attempt, send, record.
 * This is the only place that sends a retry.
 *
 * The permit comes before the claim (rule 13, ADR 4): a message that ends while it waits for its permit is never
 * claimed, and between a claim and its send lies nothing but the call.
 */
import type { Random } from "../clock.ts";
import { ContentionError } from "../errors.ts";
import {
  type DeliveryGuarantee,
  isFinal,
  type Message,
  noReceiptOutcome,
  statusOf,
} from "../message/message.ts";
import {
  awaitReceipt,
  type Claim,
  claimAgain,
  claimAttempt,
  correctTimes,
  endSequence,
  unschedule,
} from "../message/message-changes.ts";
import { isBodyTooLong, partsOf } from "../message/message-parts.ts";
import type { Change } from "../message/message-store.ts";
import { decideRetryMessage, type RetryMessageDecision } from "../message/retry-message-decision.ts";
import { backOffUntil, type RetryPolicy } from "../message/retry-policy.ts";
import type { RetryMessageOutcome } from "../observability/outcomes.ts";
import type { QueueEntry, RetryMessage } from "../queue/retry-queue.ts";
import type { Permit, RateLimiter } from "./rate-limiter.ts";
import { receiptCheckEntry } from "./receipt-check.ts";
import {
  type AttemptResult,
  claimLeaseSeconds,
  deferAttempt,
  type NextTry,
  type SendDependencies,
  sendAttempt,
} from "./send-attempt.ts";

/** What resending needs. */
export interface ResendDependencies extends SendDependencies {
  readonly rateLimiter: RateLimiter;
  readonly policy: RetryPolicy;
  readonly guarantee: DeliveryGuarantee;
  readonly random: Random;
}

/** The result of one retry message. */
export interface HandledRetryMessage {
  readonly outcome: RetryMessageOutcome;
  readonly reason: string;
  /** How many entries of the context the service had no room for; absent = none. */
  readonly contextLeftOut?: number;
  /** What has to be put on the retry queue; until it is there the retry message is not handled. */
  readonly entry?: QueueEntry;
}

/** A spend limit passes when somebody raises it, not by asking often. */
const spendLimitPauseSeconds = 900;

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
  const permits = new PermitOnce(dependencies.rateLimiter);
  try {
    return await decideAndSend(retryMessage, permits, dependencies, known);
  } finally {
    permits.release();
  }
}

async function decideAndSend(
  retryMessage: RetryMessage,
  permits: PermitOnce,
  dependencies: ResendDependencies,
  known: Message | undefined,
): Promise<HandledRetryMessage> {
  const { store, sender, clock, random, guarantee, policy } = dependencies;
  const { application_message_id: id, attempt } = retryMessage;
  const claimId = random.id();
  const limits = { leastSecondsLeft: sender.leastSecondsLeft, areRetriesOff: policy.maxRetries === 0 };

  let message = known ?? (await store.read(id));
  let isOldRead = known !== undefined;
  for (let decisions = 0; decisions < maxDecisions; decisions += 1) {
    // The answer of our own claim was lost and the repeated write refused: the claim is ours all the same.
    if (message !== undefined && isClaimedBy(claimId, message, attempt))
      return sendClaimed(retryMessage, message, permits, dependencies);
    const now = clock.now();
    const decision = decideRetryMessage(message, attempt, now, guarantee, limits);
    const { reason } = decision;
    if (decision.action === "drop" || message === undefined) {
      // An end is an end, however old the read; anything else may have changed since.
      if (!isOldRead || (message !== undefined && isFinal(statusOf(message)))) {
        // A worker that recorded its send may have died before it queued the receipt check.
        return message !== undefined && reason === "already-sent"
          ? checkLater(message, policy, "absorbed", reason)
          : { outcome: "absorbed", reason };
      }
      message = await store.read(id);
      isOldRead = false;
      continue;
    }
    if (decision.action === "defer") {
      return { outcome: "not-due", reason, entry: { message: retryMessage, dueAt: decision.until } };
    }
    if (decision.action === "check-receipt") return checkLater(message, policy, "absorbed", reason);

    const isSend = decision.action === "claim" || decision.action === "claim-again";
    if (isSend && !isBodyTooLong(message.message_body ?? "")) {
      if (!(await permits.take(message.message_body ?? ""))) {
        // The service has deferred nothing, so the waits do not grow.
        const dueAt = backOffUntil(0, clock.now(), random.next());
        return { outcome: "not-due", reason: "no-permit", entry: { message: retryMessage, dueAt } };
      }
    }
    const result = await store.change(
      id,
      changeFor(decision, message, claimOf(attempt, claimId, dependencies)),
    );
    isOldRead = false;
    if (!result.applied) {
      message = result.current;
      continue;
    }
    if (decision.action === "claim" && message.timesAsWritten !== undefined) {
      message = result.message;
      continue;
    }
    if (decision.action === "expire") return { outcome: "expired", reason };
    if (decision.action === "unschedule") return { outcome: "retries-off", reason };
    if (decision.action === "await-receipt") {
      return checkLater(result.message, policy, "awaiting-receipt", reason);
    }
    if (statusOf(result.message) === "REJECTED") return { outcome: "rejected", reason: "body-too-long" };
    return sendClaimed(retryMessage, result.message, permits, dependencies);
  }
  throw new ContentionError(maxDecisions);
}

function isClaimedBy(claimId: string, message: Message, attempt: number): boolean {
  return message.status === "SENDING" && message.attempts?.[attempt]?.claim_id === claimId;
}

function claimOf(attempt: number, claimId: string, { clock }: ResendDependencies): Claim {
  const now = clock.now();
  return { attempt, claimId, now, until: Math.ceil(now + claimLeaseSeconds) };
}

/** The write of a decision; a body that no service takes ends the message instead of being claimed. */
function changeFor(
  decision: Exclude<RetryMessageDecision, { readonly action: "drop" | "defer" | "check-receipt" }>,
  message: Message,
  claim: Claim,
): Change {
  switch (decision.action) {
    case "expire":
      return endSequence(message, "EXPIRED", decision.reason);
    case "unschedule":
      return unschedule(message);
    case "await-receipt":
      return awaitReceipt(message, claim.attempt, claim.now);
    case "claim":
    case "claim-again":
      if (isBodyTooLong(message.message_body ?? "")) return endSequence(message, "REJECTED", "body-too-long");
      // The claim compares times in the table, so what the application wrote since must be seconds first.
      if (decision.action === "claim" && message.timesAsWritten !== undefined) return correctTimes(message);
      return decision.action === "claim-again"
        ? claimAgain(message, claim)
        : claimAttempt(claim, message.attempts?.[claim.attempt - 1]?.outcome === noReceiptOutcome);
  }
}

/** The receipt check of the latest attempt, where it has one; an attempt of unknown outcome always has. */
function checkLater(
  message: Message,
  policy: RetryPolicy,
  outcome: RetryMessageOutcome,
  reason: string,
): HandledRetryMessage {
  const entry = receiptCheckEntry(message, policy);
  return { outcome, reason, ...(entry !== undefined && { entry }) };
}

/** Sends a claimed attempt and says what is left to do. */
async function sendClaimed(
  retryMessage: RetryMessage,
  claimed: Message,
  permits: PermitOnce,
  dependencies: ResendDependencies,
): Promise<HandledRetryMessage> {
  const { attempt, deferrals = 0 } = retryMessage;
  const nextTryAt: NextTry = (now, reason) =>
    reason === "spend-limit"
      ? Math.ceil(now + spendLimitPauseSeconds)
      : backOffUntil(deferrals, now, dependencies.random.next());
  const now = dependencies.clock.now();
  // The application may have written a longer text since the item was read.
  const result = permits.covers(claimed.message_body ?? "")
    ? await sendAttempt(claimed, attempt, dependencies, nextTryAt, () => permits.depart())
    : await deferAttempt(claimed, attempt, dependencies, nextTryAt(now, "no-permit"), "no-permit");
  return handledOf(result, retryMessage, claimed, dependencies);
}

function handledOf(
  result: AttemptResult,
  retryMessage: RetryMessage,
  claimed: Message,
  { clock, guarantee, policy }: ResendDependencies,
): HandledRetryMessage {
  const { attempt, deferrals = 0 } = retryMessage;
  const again = { ...retryMessage, deferrals: deferrals + 1 };
  switch (result.kind) {
    case "accepted": {
      const isAgain = claimed.attempts?.[attempt]?.possible_duplicate === true;
      const handled: HandledRetryMessage = isAgain
        ? { outcome: "sent-again", reason: "outcome-unknown" }
        : { outcome: "sent", reason: "due" };
      const entry = receiptCheckEntry(result.message, policy);
      const { contextLeftOut } = result;
      return {
        ...handled,
        ...(contextLeftOut !== undefined && { contextLeftOut }),
        ...(entry !== undefined && { entry }),
      };
    }
    case "deferred":
      return { outcome: "deferred", reason: result.reason, entry: { message: again, dueAt: result.dueAt } };
    case "superseded": {
      const { action } = decideRetryMessage(result.current, attempt, clock.now(), guarantee);
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

/** The permit of one message: taken once, however often its claim is tried, and released if it does not go. */
class PermitOnce {
  readonly #rateLimiter: RateLimiter;
  #permit: Permit | undefined;
  #body: string | undefined;

  constructor(rateLimiter: RateLimiter) {
    this.#rateLimiter = rateLimiter;
  }

  /** Waits for the permit of a body; false where none comes in time. */
  async take(body: string): Promise<boolean> {
    if (this.#permit !== undefined && this.covers(body)) return true;
    this.release();
    this.#permit = await this.#rateLimiter.acquire(partsOf(body));
    this.#body = body;
    return this.#permit !== undefined;
  }

  /** Whether the permit is long enough for a body. */
  covers(body: string): boolean {
    if (body === this.#body) return true;
    return !isBodyTooLong(body) && partsOf(body) <= partsOf(this.#body ?? "");
  }

  depart(): void {
    this.#permit?.depart();
  }

  release(): void {
    this.#permit?.release();
    this.#permit = undefined;
  }
}
