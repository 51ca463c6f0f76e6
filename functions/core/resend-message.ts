/**
 * What happens when a wake-up comes: claim the attempt, send, record (design rule 1). This is the only place
 * that sends a retry.
 */
import type { Clock, Random } from "./clock.ts";
import { ContentionError } from "./errors.ts";
import type { DeliveryGuarantee, Message } from "./message.ts";
import {
  awaitEvents,
  claimAgain,
  claimAttempt,
  endSeries,
  expireUnsent,
  giveBack,
  recordSent,
  recordSentLate,
} from "./message-changes.ts";
import type { Change, MessageStore } from "./message-store.ts";
import { backOffUntil } from "./retry-policy.ts";
import type { QueueEntry, WakeUp } from "./retry-queue.ts";
import type { Place, SendPace } from "./send-pace.ts";
import { sendRequestOf } from "./send-request.ts";
import type { SendRequest, SendResult, SmsSender } from "./sms-sender.ts";
import { decideWakeUp } from "./wake-up-decision.ts";

/** What resending needs. */
export interface Resending {
  readonly store: MessageStore;
  readonly sender: SmsSender;
  readonly pace: SendPace;
  readonly guarantee: DeliveryGuarantee;
  /** Origination number or sender id of every retry; absent = as the first send. */
  readonly origination?: string;
  readonly clock: Clock;
  readonly random: Random;
}

/** What became of a wake-up; each is a metric, see `telemetry.ts`. */
export type WakeUpOutcome =
  | "sent"
  /** Sent once more after a worker died; the recipient may get it twice. */
  | "sent-again"
  /** The outcome of the send is unknown. */
  | "unconfirmed"
  /** The service did not take it now. */
  | "deferred"
  | "rejected"
  | "opted-out"
  | "expired"
  /** Too early, no turn in this worker's time, or another worker is sending: comes again. */
  | "postponed"
  /** Nothing to do: done already, ended, or gone. */
  | "absorbed"
  /** The worker that claimed the attempt is dead and the guarantee forbids another send. */
  | "given-up";

/** The result of one wake-up. */
export interface HandledWakeUp {
  readonly outcome: WakeUpOutcome;
  readonly reason: string;
  /** How many entries of the context the service had no room for; absent = none. */
  readonly contextLeftOut?: number;
  /** What has to be put on the retry queue; until it is there the wake-up is not handled. */
  readonly entry?: QueueEntry;
}

/**
 * How long a claim holds. Longer than a worker can live (the function's time-out is 30 s), shorter than the
 * queue's visibility time-out (180 s): when a dead worker's wake-up comes back, its lease is over.
 */
export const claimLeaseSeconds = 60;

/** A worker with less than this left of its lease does not start a send: its answer could come too late. */
const leaseMarginSeconds = 20;

/** Whether a worker may still send under its claim; otherwise it may be taken for dead, and another sends. */
export function maySendUnder(claimed: Message, now: number): boolean {
  return (claimed.claim_expires_at ?? now) - now >= leaseMarginSeconds;
}

/** A spend limit passes when somebody raises it, not by asking often. */
const spendLimitPauseSeconds = 900;

/** How often a wake-up is decided again because the item changed meanwhile. */
const maxDecisions = 6;

/**
 * Handles one wake-up. Early, late, doubled or forged, at most one send results from an attempt, save the one
 * repetition that at-least-once allows after a lost outcome.
 *
 * The wake-up queues up for its turn before it claims anything: one that gets no turn costs no write.
 *
 * @throws ContentionError if the item changed under every decision; any error of the store
 */
export async function resendMessage(wakeUp: WakeUp, resending: Resending): Promise<HandledWakeUp> {
  const { pace, clock, random } = resending;
  const place = await pace.queueUp();
  if (place === undefined) {
    // The service has put nothing off, so the waits do not grow.
    const dueAt = backOffUntil(0, clock.now(), random.next());
    return { outcome: "postponed", reason: "no-turn", entry: { message: wakeUp, dueAt } };
  }
  try {
    return await claimAndSend(wakeUp, place, resending);
  } finally {
    place.leave();
  }
}

async function claimAndSend(wakeUp: WakeUp, place: Place, resending: Resending): Promise<HandledWakeUp> {
  const { store, clock, random, guarantee } = resending;
  const { application_message_id: id, attempt } = wakeUp;
  const claimId = random.id();

  let next: { claim: Change; again: boolean } = { claim: claimNow(), again: false };
  for (let decisions = 0; decisions < maxDecisions; decisions += 1) {
    const claimed = await store.change(id, next.claim);
    if (claimed.applied) return sendClaimed(wakeUp, claimed.message, next.again, place, resending);

    const current = claimed.current;
    // The answer of our own write was lost and the repeated write refused: the claim is ours all the same.
    if (current?.status === "SENDING" && current.attempts?.[attempt]?.claim_id === claimId) {
      return sendClaimed(wakeUp, current, next.again, place, resending);
    }
    const decision = decideWakeUp(current, attempt, clock.now(), guarantee);
    const { reason } = decision;
    if (decision.action === "drop" || current === undefined) return { outcome: "absorbed", reason };
    switch (decision.action) {
      case "postpone":
        return { outcome: "postponed", reason, entry: { message: wakeUp, dueAt: decision.until } };
      case "claim":
        next = { claim: claimNow(), again: false };
        break;
      case "claim-again":
        next = { claim: claimAgain(current, claim()), again: true };
        break;
      case "expire":
        if ((await store.change(id, endSeries(current, "EXPIRED", reason))).applied) {
          return { outcome: "expired", reason };
        }
        break;
      case "give-up":
        if ((await store.change(id, awaitEvents(current, attempt, clock.now()))).applied) {
          return { outcome: "given-up", reason };
        }
        break;
    }
  }
  throw new ContentionError(maxDecisions);

  function claim() {
    const now = clock.now();
    return { attempt, claimId, now, until: Math.ceil(now + claimLeaseSeconds) };
  }
  function claimNow(): Change {
    return claimAttempt(claim());
  }
}

/** Sends a claimed attempt and records what came of it. */
async function sendClaimed(
  wakeUp: WakeUp,
  message: Message,
  again: boolean,
  place: Place,
  resending: Resending,
): Promise<HandledWakeUp> {
  const { store, clock, sender } = resending;
  const { application_message_id: id, attempt } = wakeUp;
  const request = sendRequestOf(message, attempt, resending.origination);
  if (request === undefined) {
    await store.change(id, endSeries(message, "REJECTED", "nothing-to-send"));
    return { outcome: "rejected", reason: "nothing-to-send" };
  }

  const isInTurn = await place.turn(request.body);
  const now = clock.now();
  if (isTooLate(message, now, sender)) {
    await store.change(id, expireUnsent(message, attempt));
    return { outcome: "expired", reason: "deadline" };
  }
  if (!isInTurn) return putOff(wakeUp, message, resending, now, "no-turn");
  // Paused for long between claim and send, the worker may be taken for dead: another may send.
  if (!maySendUnder(message, now)) {
    return putOff(wakeUp, message, resending, now, "lease-nearly-over");
  }

  const result = await sender.send({ ...request, ...secondsLeftOf(message, now) });
  return record(result, wakeUp, message, again, resending);
}

/** Whether a message is useless, or will be before the service could take it (rule 6). */
export function isTooLate(message: Message, now: number, sender: SmsSender): boolean {
  if (message.deadline === undefined) return false;
  return message.deadline <= now || message.deadline - now < sender.leastSecondsLeft;
}

/** What is left until the deadline, for the service's own time to live. */
export function secondsLeftOf(message: Message, now: number): Pick<SendRequest, "secondsLeft"> {
  return message.deadline === undefined ? {} : { secondsLeft: message.deadline - now };
}

async function record(
  result: SendResult,
  wakeUp: WakeUp,
  message: Message,
  again: boolean,
  resending: Resending,
): Promise<HandledWakeUp> {
  const { store, clock } = resending;
  const { application_message_id: id, attempt } = wakeUp;
  const now = clock.now();
  switch (result.kind) {
    case "accepted": {
      const origination = resending.origination ?? message.origination_number ?? message.sender_id;
      const sent = {
        at: now,
        messageId: result.messageId,
        ...(origination !== undefined && { origination }),
      };
      const recorded = await store.change(id, recordSent(message, attempt, sent));
      // An event about this very attempt, or the end of the series, was faster than we are.
      if (!recorded.applied && recorded.current !== undefined) {
        await store.change(id, recordSentLate(recorded.current, attempt, sent));
      }
      const { contextLeftOut } = result;
      return {
        ...(again ? { outcome: "sent-again", reason: "lease-over" } : { outcome: "sent", reason: "due" }),
        ...(contextLeftOut !== undefined && { contextLeftOut }),
      };
    }
    case "deferred":
      return putOff(wakeUp, message, resending, now, result.reason);
    case "refused": {
      const status = result.optedOut ? "OPTED_OUT" : "REJECTED";
      const last = { attempt, outcome: result.reason, at: now };
      await store.change(id, endSeries(message, status, result.reason, last));
      return { outcome: result.optedOut ? "opted-out" : "rejected", reason: result.reason };
    }
    case "unconfirmed":
      // The claim stays: when its lease is over, the guarantee decides whether to send once more.
      return {
        outcome: "unconfirmed",
        reason: result.reason,
        entry: { message: wakeUp, dueAt: message.claim_expires_at ?? now },
      };
  }
}

/** Gives the claim back and comes again later, or ends the message where later is too late. */
async function putOff(
  wakeUp: WakeUp,
  message: Message,
  resending: Resending,
  now: number,
  reason: string,
): Promise<HandledWakeUp> {
  const { store, random } = resending;
  const { application_message_id: id, attempt, deferrals = 0 } = wakeUp;
  const dueAt =
    reason === "spend-limit"
      ? Math.ceil(now + spendLimitPauseSeconds)
      : backOffUntil(deferrals, now, random.next());
  if (message.deadline !== undefined && dueAt >= message.deadline) {
    await store.change(id, expireUnsent(message, attempt));
    return { outcome: "expired", reason: "deadline" };
  }
  const given = await store.change(id, giveBack(message, attempt, dueAt, reason));
  // Refused: the series ended or was taken over while we were asking, and nothing is left to come back for;
  // or our own write was refused by its own effect, and the wake-up is still owed.
  if (!given.applied && decideWakeUp(given.current, attempt, now, resending.guarantee).action === "drop") {
    return { outcome: "absorbed", reason: "superseded-attempt" };
  }
  return { outcome: "deferred", reason, entry: { message: { ...wakeUp, deferrals: deferrals + 1 }, dueAt } };
}
