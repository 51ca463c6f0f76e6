/**
 * One claimed attempt: send it and record what came of it (rule 1). The resend worker and the producer both
 * send by this, and nothing else sends.
 */
import type { Clock } from "../clock.ts";
import type { SmsService } from "../events/statuses.ts";
import { defer, expireUnsent, recordSent, recordSentLate } from "../message/attempt-changes.ts";
import type { Ending } from "../message/change-parts.ts";
import { isTooLate, type Message } from "../message/message.ts";
import { endSequence } from "../message/message-changes.ts";
import type { MessageStore } from "../message/message-store.ts";
import type { RetryPolicy } from "../message/retry-policy.ts";
import type { Permit } from "./gate/send-gate.ts";
import type { Route, Routing } from "./route.ts";
import { sendRequestOf } from "./send-request.ts";
import {
  afterIdentityRefused,
  type IdentityNotAllowed,
  isIdentityRefused,
  isServiceWorking,
  type SendRequest,
  type SendResult,
} from "./sms-sender.ts";

/** What sending needs. */
export interface SendDependencies {
  readonly store: MessageStore;
  readonly routing: Routing;
  readonly clock: Pick<Clock, "now">;
  readonly policy: Pick<RetryPolicy, "keptSeconds">;
}

/** What putting an attempt off needs. */
type DeferDependencies = Pick<SendDependencies, "store" | "clock" | "policy">;

/** When a message ends that ends now. */
function endingNow({ clock, policy }: Pick<SendDependencies, "clock" | "policy">): Ending {
  return { at: clock.now(), keptSeconds: policy.keptSeconds };
}

/** An attempt that this worker, and nobody else, may send. */
export interface ClaimedAttempt {
  /** The item as the claim left it. */
  readonly message: Message;
  readonly attempt: number;
  /** How it leaves. */
  readonly route: Route;
  /** How many identities were refused for it before this one. @default 0 */
  readonly identitiesRefused?: number;
  /** When to try again what is deferred for this reason; both times in epoch seconds. */
  readonly nextTryAt: (now: number, reason: string) => number;
  /** When it leaves; absent where the worker's own claim was found again and its permit is not known any more. */
  readonly permit: Permit | undefined;
}

/** What became of a claimed attempt; it is recorded in the item, save where it says otherwise. */
export type AttemptResult =
  | {
      readonly kind: "accepted";
      readonly message: Message;
      readonly messageId: string;
      /** What has taken it. */
      readonly service: SmsService;
      /** How many entries of the context the service had no room for; absent = none. */
      readonly contextLeftOut?: number;
    }
  /** Not sent, and not used up: comes again at `dueAt`. */
  | {
      readonly kind: "deferred";
      readonly reason: string;
      readonly dueAt: number;
      /** How many identities count as refused then; absent = as many as before. */
      readonly identitiesRefused?: number;
    }
  /** Not to be deferred any more: somebody else has moved the message on. */
  | { readonly kind: "superseded"; readonly current: Message | undefined; readonly dueAt: number }
  | { readonly kind: "expired" }
  | { readonly kind: "rejected" | "opted-out"; readonly reason: string }
  /** Perhaps sent. Nothing is recorded: the claim stays until its lease is over, and the guarantee decides then. */
  | { readonly kind: "unconfirmed"; readonly reason: string; readonly leaseEndsAt: number };

/**
 * How long a claim holds. Longer than a worker can live (the function's time-out is 30 s), shorter than the
 * queue's visibility time-out (six times that): when a dead worker's retry message comes back, its lease is over.
 */
export const claimLeaseSeconds = 60;

/** Why an attempt is deferred whose claim took so long that its permit's time was over. */
export const permitMissed = "permit-missed";

/** A worker with less than this left of its lease does not start a send: its answer could come too late. */
const leaseMarginSeconds = 20;

/**
 * Sends a claimed attempt at its permit's time, some hundredths of a second after the claim. Between them lie only looks
 * at the clock: a worker that was paused meanwhile may be taken for dead, and the deadline may have passed.
 *
 * @throws any error of the store
 */
export async function sendAttempt(
  claimed: ClaimedAttempt,
  dependencies: SendDependencies,
): Promise<AttemptResult> {
  const { store, clock } = dependencies;
  const { message, attempt, route } = claimed;
  const id = message.application_message_id;
  const request = sendRequestOf(message, attempt, "blocked" in route ? undefined : route.replacement);
  if (request === undefined) {
    const reason = "nothing-to-send";
    await store.change(id, endSequence(message, { status: "REJECTED", reason, ...endingNow(dependencies) }));
    return { kind: "rejected", reason };
  }
  if ("blocked" in route) return deferAttempt(claimed, route.blocked, dependencies);
  const { sender, service } = route;
  if ((await claimed.permit?.departs()) !== true) return deferAttempt(claimed, permitMissed, dependencies);
  const now = clock.now();
  if (isTooLate(message, now, sender.leastSecondsLeft)) {
    await store.change(id, expireUnsent(message, attempt, endingNow(dependencies)));
    return { kind: "expired" };
  }
  if ((message.claim_expires_at ?? now) - now < leaseMarginSeconds) {
    return deferAttempt(claimed, "lease-nearly-over", dependencies);
  }
  const result = await sender.send({ ...request, ...secondsLeftOf(message, now) });
  claimed.permit?.report(isServiceWorking(result));
  return record(result, service, claimed, dependencies);
}

/** What is left until the deadline, for the service's own time to live. */
function secondsLeftOf(message: Message, now: number): Pick<SendRequest, "secondsLeft"> {
  return message.deadline === undefined ? {} : { secondsLeft: message.deadline - now };
}

async function record(
  result: SendResult,
  service: SmsService,
  claimed: ClaimedAttempt,
  dependencies: SendDependencies,
): Promise<AttemptResult> {
  const { message, attempt } = claimed;
  switch (result.kind) {
    case "accepted":
      return recordAccepted({ ...result, service }, claimed, dependencies);
    case "deferred":
      return isIdentityRefused(result.reason)
        ? deferRefusedIdentity(claimed, result.reason, dependencies)
        : deferAttempt(claimed, result.reason, dependencies);
    case "refused": {
      const { optedOut, reason } = result;
      const ending = endingNow(dependencies);
      const status = optedOut ? "OPTED_OUT" : "REJECTED";
      const last = { attempt, outcome: reason, at: ending.at };
      const end = endSequence(message, { status, reason, ...ending }, last);
      await dependencies.store.change(message.application_message_id, end);
      return { kind: optedOut ? "opted-out" : "rejected", reason };
    }
    case "unconfirmed": {
      const leaseEndsAt = message.claim_expires_at ?? Math.ceil(dependencies.clock.now());
      return { kind: "unconfirmed", reason: result.reason, leaseEndsAt };
    }
  }
}

/**
 * Defers an attempt whose identity the service does not take for it: the next one is tried at once. When all have been
 * refused, or there is but one, it waits for an operator, and then tries them from the first on.
 */
async function deferRefusedIdentity(
  claimed: ClaimedAttempt,
  reason: IdentityNotAllowed,
  dependencies: SendDependencies,
): Promise<AttemptResult> {
  const { route, identitiesRefused = 0 } = claimed;
  const identities = "blocked" in route ? 1 : route.identities;
  if (identities === 1) return deferAttempt(claimed, reason, dependencies);
  const refused = identitiesRefused + 1;
  const hasNext = refused < identities;
  const result = await deferAttempt(
    hasNext ? { ...claimed, nextTryAt: Math.floor } : claimed,
    afterIdentityRefused(reason, hasNext),
    dependencies,
  );
  return result.kind === "deferred" ? { ...result, identitiesRefused: hasNext ? refused : 0 } : result;
}

async function recordAccepted(
  {
    messageId,
    contextLeftOut,
    service,
  }: Extract<SendResult, { kind: "accepted" }> & {
    readonly service: SmsService;
  },
  { message, attempt, route }: ClaimedAttempt,
  { store, clock }: SendDependencies,
): Promise<AttemptResult> {
  const id = message.application_message_id;
  const origination = "blocked" in route ? undefined : route.identity;
  const sent = { at: clock.now(), messageId, ...(origination !== undefined && { origination }) };
  const accepted = {
    kind: "accepted" as const,
    messageId,
    service,
    ...(contextLeftOut !== undefined && { contextLeftOut }),
  };
  const recorded = await store.change(id, recordSent(message, attempt, sent));
  if (recorded.applied) return { ...accepted, message: recorded.message };
  const { current } = recorded;
  if (current === undefined) return { ...accepted, message };
  // An event about this very attempt, the end of the sequence, or another worker's patience was faster than we are.
  const late = await store.change(id, recordSentLate(current, attempt, sent));
  return { ...accepted, message: late.applied ? late.message : current };
}

/**
 * Defers a claimed attempt that was certainly not sent, or ends its message where a later try is too late.
 *
 * @throws any error of the store
 */
export async function deferAttempt(
  { message, attempt, nextTryAt }: ClaimedAttempt,
  reason: string,
  dependencies: DeferDependencies,
): Promise<AttemptResult> {
  const { store, clock } = dependencies;
  const id = message.application_message_id;
  const dueAt = nextTryAt(clock.now(), reason);
  if (message.deadline !== undefined && dueAt >= message.deadline) {
    await store.change(id, expireUnsent(message, attempt, endingNow(dependencies)));
    return { kind: "expired" };
  }
  const deferred = await store.change(id, defer(message, attempt, dueAt, reason));
  // Refused: the sequence ended or was taken over while we were asking; or our own write was refused by its own
  // effect, and the retry message is still owed.
  return deferred.applied
    ? { kind: "deferred", reason, dueAt }
    : { kind: "superseded", current: deferred.current, dueAt };
}
