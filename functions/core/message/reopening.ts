/**
 * How an operator resends a message that has ended: a new retry sequence, under the rules of every other.
 *
 * The first row that fits wins.
 *
 * | item | action | reason |
 * |---|---|---|
 * | missing, or past `expires_at` | refuse | message-gone |
 * | `DELIVERED` | refuse | delivered |
 * | `OPTED_OUT` | refuse | opted-out |
 * | `CANCELLED` | refuse | cancelled |
 * | `RETRY_SCHEDULED`, resent before, not claimed since | requeue | already-resent |
 * | open, and not one whose failure is not retried | refuse | still-open |
 * | no time that tells its age | refuse | age-unknown |
 * | deadline passed | refuse | deadline |
 * | the highest attempt was made | refuse | attempts-used-up |
 * | no number | refuse | no-number |
 * | a body, and another one is given | refuse | has-a-body |
 * | no body, and none is given | refuse | nothing-to-send |
 * | body too long | refuse | body-too-long |
 * | anything else | reopen | resent |
 */
import type { Clock } from "../clock.ts";
import { ContentionError } from "../errors.ts";
import { highestMaxRetries } from "../events/send-context.ts";
import {
  isFinal,
  isGone,
  isNotRetried,
  latestAttemptOf,
  type Message,
  resentReason,
  statusOf,
} from "./message.ts";
import { reopen } from "./message-changes.ts";
import { isBodyTooLong } from "./message-parts.ts";
import type { MessageStore } from "./message-store.ts";
import type { RetryPolicy } from "./retry-policy.ts";

/** Why a message is not resent. */
export type ReopeningRefusal =
  | "message-gone"
  | "delivered"
  | "opted-out"
  | "cancelled"
  | "still-open"
  | "age-unknown"
  | "deadline"
  | "attempts-used-up"
  | "no-number"
  | "has-a-body"
  | "nothing-to-send"
  | "body-too-long";

/** What to do about a resend; the deadline is in epoch seconds. */
export type ReopeningDecision =
  | { readonly action: "refuse"; readonly reason: ReopeningRefusal }
  /** It waits for its first claim; its retry message may have been lost on its way to the queue. */
  | { readonly action: "requeue"; readonly reason: "already-resent" }
  | { readonly action: "reopen"; readonly reason: typeof resentReason; readonly deadline: number };

/** What a decision about a resend rests on besides the item. */
export interface ReopeningFacts {
  /** Epoch seconds. */
  readonly now: number;
  /** The body anew: the end of a message has taken it out of the item. */
  readonly body?: string;
  readonly policy: Pick<RetryPolicy, "messageValiditySeconds">;
}

/** Decides by the table above. */
export function decideReopening(
  message: Message | undefined,
  { now, body, policy }: ReopeningFacts,
): ReopeningDecision {
  const refuse = (reason: ReopeningRefusal) => ({ action: "refuse", reason }) as const;
  if (message === undefined || isGone(message, now)) return refuse("message-gone");
  const status = statusOf(message);
  if (status === "DELIVERED") return refuse("delivered");
  if (status === "OPTED_OUT") return refuse("opted-out");
  if (status === "CANCELLED") return refuse("cancelled");
  if (status === "RETRY_SCHEDULED" && isResentAndUnclaimed(message)) {
    return { action: "requeue", reason: "already-resent" };
  }
  if (!isFinal(status) && !(status === "SENT" && isNotRetried(message))) return refuse("still-open");
  const deadline = deadlineByAge(message, policy);
  if (deadline === undefined) return refuse("age-unknown");
  if (deadline <= now) return refuse("deadline");
  if (latestAttemptOf(message) >= highestMaxRetries) return refuse("attempts-used-up");
  if (message.destination_number === undefined) return refuse("no-number");
  const { message_body: stored } = message;
  if (stored !== undefined && body !== undefined) return refuse("has-a-body");
  const text = stored ?? body;
  if (text === undefined || text === "") return refuse("nothing-to-send");
  if (isBodyTooLong(text)) return refuse("body-too-long");
  return { action: "reopen", reason: resentReason, deadline };
}

function isResentAndUnclaimed(message: Message): boolean {
  return message.attempts?.[latestAttemptOf(message)]?.resent_at !== undefined;
}

/** What a first failure that is seen now would count from is no age: a resend may come days after it. */
function deadlineByAge(
  { deadline, created_at: since }: Message,
  { messageValiditySeconds }: ReopeningFacts["policy"],
): number | undefined {
  if (deadline !== undefined) return deadline;
  return since === undefined ? undefined : Math.floor(since + messageValiditySeconds);
}

/** What reopening needs. */
export interface ReopeningDependencies {
  readonly store: MessageStore;
  readonly clock: Pick<Clock, "now">;
  readonly policy: Pick<RetryPolicy, "keptSeconds" | "messageValiditySeconds">;
}

/** What an operator asks for. */
export interface ReopeningRequest {
  readonly id: string;
  /** Why; kept in the item. */
  readonly reason: string;
  /** See {@link ReopeningFacts}. */
  readonly body?: string;
}

/** What became of a resend. */
export type Reopened =
  | { readonly kind: "refused"; readonly reason: ReopeningRefusal }
  /** The retry message of `attempt`, due at `dueAt` (epoch seconds), has to be put on the queue. */
  | {
      readonly kind: "reopened" | "already-resent";
      readonly message: Message;
      readonly attempt: number;
      readonly dueAt: number;
    };

/** How often a resend is decided again because the item changed meanwhile. */
const maxDecisions = 6;

/**
 * Begins a new retry sequence of a message that has ended, with one conditional write; the same request again finds that
 * done. Its attempts are sent by the resend worker as every other retry is: whether its number has opted out, and
 * whether a gate lets it through, is found out there.
 *
 * @throws ContentionError if the item changed under every decision; any error of the store
 */
export async function reopenMessage(
  { id, reason, body }: ReopeningRequest,
  { store, clock, policy }: ReopeningDependencies,
): Promise<Reopened> {
  const given = body === undefined ? {} : { body };
  let message = await store.read(id);
  for (let decisions = 0; decisions < maxDecisions; decisions += 1) {
    const now = clock.now();
    const decision = decideReopening(message, { now, policy, ...given });
    if (decision.action === "refuse") return { kind: "refused", reason: decision.reason };
    if (message === undefined) throw new ContentionError(decisions);
    if (decision.action === "requeue") return waiting("already-resent", message, now);
    const { keptSeconds } = policy;
    const change = reopen(message, { now, reason, deadline: decision.deadline, keptSeconds, ...given });
    const result = await store.change(id, change);
    if (result.applied) return waiting("reopened", result.message, now);
    message = result.current;
  }
  throw new ContentionError(maxDecisions);
}

function waiting(kind: "reopened" | "already-resent", message: Message, now: number): Reopened {
  const attempt = latestAttemptOf(message) + 1;
  return { kind, message, attempt, dueAt: message.next_attempt_at ?? Math.floor(now) };
}
