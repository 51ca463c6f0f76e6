/**
 * One claimed attempt: send it and record what came of it (design rule 1). The resend worker and the producer both
 * send by this, and nothing else sends.
 */
import type { Clock } from "../clock.ts";
import { isTooLate, type Message } from "../message/message.ts";
import { defer, endSequence, expireUnsent, recordSent, recordSentLate } from "../message/message-changes.ts";
import type { MessageStore } from "../message/message-store.ts";
import { sendRequestOf } from "./send-request.ts";
import type { SendRequest, SendResult, SmsSender } from "./sms-sender.ts";

/** What sending needs. */
export interface SendDependencies {
  readonly store: MessageStore;
  readonly sender: SmsSender;
  /** Origination number or sender id of every send; absent = as the item says. */
  readonly origination?: string;
  readonly clock: Pick<Clock, "now">;
}

/** When to try again what was deferred for this reason, in epoch seconds. */
export type NextTry = (now: number, reason: string) => number;

/** What became of a claimed attempt; it is recorded in the item, save where it says otherwise. */
export type AttemptResult =
  | {
      readonly kind: "accepted";
      readonly message: Message;
      readonly messageId: string;
      /** How many entries of the context the service had no room for; absent = none. */
      readonly contextLeftOut?: number;
    }
  /** Not sent, and not used up: comes again at `dueAt`. */
  | { readonly kind: "deferred"; readonly reason: string; readonly dueAt: number }
  /** Not to be deferred any more: somebody else has moved the message on. */
  | { readonly kind: "superseded"; readonly current: Message | undefined; readonly dueAt: number }
  | { readonly kind: "expired" }
  | { readonly kind: "rejected" | "opted-out"; readonly reason: string }
  /** Perhaps sent. Nothing is recorded: the claim stays until its lease is over, and the guarantee decides then. */
  | { readonly kind: "unconfirmed"; readonly reason: string; readonly leaseEndsAt: number };

/**
 * How long a claim holds. Longer than a worker can live (the function's time-out is 30 s), shorter than the
 * queue's visibility time-out (180 s): when a dead worker's retry message comes back, its lease is over.
 */
export const claimLeaseSeconds = 60;

/** A worker with less than this left of its lease does not start a send: its answer could come too late. */
const leaseMarginSeconds = 20;

/**
 * Sends a claimed attempt. Between the claim and the call lie only looks at the clock: a worker that was paused
 * meanwhile may be taken for dead, and the deadline may have passed.
 *
 * @param claimed the item as the claim left it
 * @param nextTryAt when to try again what the service does not take now
 * @param departs called when the request goes out
 * @throws any error of the store
 */
export async function sendAttempt(
  claimed: Message,
  attempt: number,
  dependencies: SendDependencies,
  nextTryAt: NextTry,
  departs: () => void = () => {},
): Promise<AttemptResult> {
  const { store, sender, clock } = dependencies;
  const id = claimed.application_message_id;
  const request = sendRequestOf(claimed, attempt, dependencies.origination);
  if (request === undefined) {
    await store.change(id, endSequence(claimed, "REJECTED", "nothing-to-send"));
    return { kind: "rejected", reason: "nothing-to-send" };
  }
  const now = clock.now();
  if (isTooLate(claimed, now, sender.leastSecondsLeft)) {
    await store.change(id, expireUnsent(claimed, attempt));
    return { kind: "expired" };
  }
  if ((claimed.claim_expires_at ?? now) - now < leaseMarginSeconds) {
    return deferAttempt(
      claimed,
      attempt,
      dependencies,
      nextTryAt(now, "lease-nearly-over"),
      "lease-nearly-over",
    );
  }
  departs();
  const result = await sender.send({ ...request, ...secondsLeftOf(claimed, now) });
  return record(result, claimed, attempt, dependencies, nextTryAt);
}

/** What is left until the deadline, for the service's own time to live. */
function secondsLeftOf(message: Message, now: number): Pick<SendRequest, "secondsLeft"> {
  return message.deadline === undefined ? {} : { secondsLeft: message.deadline - now };
}

async function record(
  result: SendResult,
  claimed: Message,
  attempt: number,
  dependencies: SendDependencies,
  nextTryAt: NextTry,
): Promise<AttemptResult> {
  const { store, clock } = dependencies;
  const id = claimed.application_message_id;
  const now = clock.now();
  switch (result.kind) {
    case "accepted": {
      const { messageId } = result;
      const origination = dependencies.origination ?? claimed.origination_number ?? claimed.sender_id;
      const sent = { at: now, messageId, ...(origination !== undefined && { origination }) };
      const recorded = await store.change(id, recordSent(claimed, attempt, sent));
      const { contextLeftOut } = result;
      const accepted = {
        kind: "accepted" as const,
        messageId,
        ...(contextLeftOut !== undefined && { contextLeftOut }),
      };
      if (recorded.applied) return { ...accepted, message: recorded.message };
      const { current } = recorded;
      if (current === undefined) return { ...accepted, message: claimed };
      // An event about this very attempt, the end of the sequence, or another worker's patience was faster than we are.
      const late = await store.change(id, recordSentLate(current, attempt, sent));
      if (late.applied) return { ...accepted, message: late.message };
      return { ...accepted, message: current };
    }
    case "deferred":
      return deferAttempt(claimed, attempt, dependencies, nextTryAt(now, result.reason), result.reason);
    case "refused": {
      const status = result.optedOut ? "OPTED_OUT" : "REJECTED";
      await store.change(
        id,
        endSequence(claimed, status, result.reason, { attempt, outcome: result.reason, at: now }),
      );
      return { kind: result.optedOut ? "opted-out" : "rejected", reason: result.reason };
    }
    case "unconfirmed":
      return {
        kind: "unconfirmed",
        reason: result.reason,
        leaseEndsAt: claimed.claim_expires_at ?? Math.ceil(now),
      };
  }
}

/**
 * Gives a claimed attempt back that was certainly not sent, or ends its message where a later try is too late.
 *
 * @throws any error of the store
 */
export async function deferAttempt(
  claimed: Message,
  attempt: number,
  { store }: Pick<SendDependencies, "store">,
  dueAt: number,
  reason: string,
): Promise<AttemptResult> {
  const id = claimed.application_message_id;
  if (claimed.deadline !== undefined && dueAt >= claimed.deadline) {
    await store.change(id, expireUnsent(claimed, attempt));
    return { kind: "expired" };
  }
  const deferred = await store.change(id, defer(claimed, attempt, dueAt, reason));
  // Refused: the sequence ended or was taken over while we were asking; or our own write was refused by its own
  // effect, and the retry message is still owed.
  return deferred.applied
    ? { kind: "deferred", reason, dueAt }
    : { kind: "superseded", current: deferred.current, dueAt };
}
