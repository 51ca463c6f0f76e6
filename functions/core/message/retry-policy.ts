/** When the next attempt is due, and whether there may be one. Pure arithmetic: time and chance come in. */
import type { DeliveryEvent } from "../events/delivery-event.ts";
import { highestMaxRetries } from "../events/send-context.ts";
import { type Message, sequenceStartOf } from "./message.ts";

/** The deployment's rules about retries. */
export interface RetryPolicy {
  /** Retries after the application's own send: 0 sends none, 3 at most three more; at most {@link highestMaxRetries}. */
  readonly maxRetries: number;
  /** Longest delay before retry 1, 2, …; the last repeats; 0 = at once. Not empty. */
  readonly retryDelaysSeconds: readonly number[];
  /** Statuses worth another try, in canonical spelling. */
  readonly retryableStatuses: ReadonlySet<string>;
  /** Age at which a message without a deadline of its own is useless. */
  readonly messageValiditySeconds: number;
  /** How long an accepted attempt may go without an event before it counts as failed; 0 = for ever. */
  readonly receiptTimeoutSeconds: number;
  /** How long an item is kept after its message has ended, and at the longest after its deadline. */
  readonly keptSeconds: number;
}

/** Which retry of the message's present retry sequence an attempt is, from 1 on; 0 = the application's own send. */
export function retryNumberOf(message: Pick<Message, "attempts">, attempt: number): number {
  return attempt - sequenceStartOf(message);
}

/**
 * Whether the policy allows attempt number `attempt`; attempt 0 is the application's own send.
 *
 * @param message whose present retry sequence the attempt would belong to; default: one that nobody has resent
 */
export function allowsAttempt(
  policy: RetryPolicy,
  attempt: number,
  message: Pick<Message, "attempts"> = {},
): boolean {
  // An event names no higher attempt.
  return attempt <= highestMaxRetries && retryNumberOf(message, attempt) <= policy.maxRetries;
}

/** The configured delay before retry number `retry` (≥ 1) of a retry sequence, in seconds: the longest wait. */
export function delayBefore(policy: RetryPolicy, retry: number): number {
  const delays = policy.retryDelaysSeconds;
  return delays[Math.min(retry, delays.length) - 1] ?? 0;
}

/** What a retry needs between its due time and the deadline, in seconds: for the queue, its permit and the claim. */
const sendReserveSeconds = 10;

/** A retry whose time is to be found; times in epoch seconds. */
export interface NextAttempt {
  /** Its number in its retry sequence, at least 1; see {@link retryNumberOf}. */
  readonly attempt: number;
  readonly now: number;
  readonly deadline: number;
  /** A number in [0, 1). */
  readonly chance: number;
}

/**
 * When a retry is due: full jitter, so anywhere between now and the configured delay, or what is left until the
 * deadline where that is less. Failures of one carrier come together; without jitter their retries would too.
 *
 * @returns whole epoch seconds, before the deadline unless that has passed: of this second where the delay is 0 or
 *   less than two seconds are left, else never before `now`
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function dueAt(policy: RetryPolicy, { attempt, now, deadline, chance }: NextAttempt): number {
  const left = Math.max(0, deadline - now);
  // Close to the deadline half of the time is for the wait, and half for what comes after it.
  const longest = Math.min(delayBefore(policy, attempt), Math.max(left - sendReserveSeconds, left / 2));
  if (longest === 0) return Math.floor(now);
  const due = Math.ceil(now + longest * chance);
  return due < deadline ? due : Math.floor(now);
}

/** Shortest and longest wait after the service answered "not now", in seconds. */
const backOffSeconds = { first: 1, longest: 120 };

/**
 * When to try again after the service did not take an attempt: doubling waits with jitter over their upper
 * half, so that a throttled worker always pauses.
 *
 * @param deferrals how often this attempt was deferred before
 * @param chance a number in [0, 1)
 * @returns whole epoch seconds, at least one second after `now`
 */
export function backOffUntil(deferrals: number, now: number, chance: number): number {
  const longest = Math.min(backOffSeconds.first * 2 ** Math.min(deferrals, 10), backOffSeconds.longest);
  return Math.ceil(now + longest * (0.5 + chance / 2));
}

/** Shortest and longest wait for an operator, and near the deadline the shortest that is worth a try, in seconds. */
const operatorBackOffSeconds = { first: 10, longest: 900, least: 10 };

/**
 * When to try again what an operator has to make possible: doubling waits with jitter up to a quarter of an hour, and
 * near the deadline half of what is left, so that a try falls into it. A spend limit passes when somebody raises it,
 * not by asking often: it waits the longest at once.
 *
 * @param waiting how often this attempt was deferred before, and until when it is of use
 * @param chance a number in [0, 1)
 * @returns whole epoch seconds; at the deadline or later where too little is left for a try
 */
export function operatorBackOffUntil(
  waiting: {
    readonly deferrals: number;
    readonly isSpendLimit: boolean;
    readonly deadline: number | undefined;
  },
  now: number,
  chance: number,
): number {
  const { first, longest, least } = operatorBackOffSeconds;
  const { deferrals, isSpendLimit, deadline = Number.POSITIVE_INFINITY } = waiting;
  const wait = isSpendLimit
    ? longest
    : Math.min(first * 2 ** Math.min(deferrals, 10), longest) * (0.5 + chance / 2);
  const left = deadline - now;
  return Math.ceil(now + (wait < left - least ? wait : Math.max(left / 2, least)));
}

/**
 * The second after which the message is useless: its own deadline, else its age by our own record, else its
 * age since the first failure seen. The service's clock may only make that earlier, never later: it can be
 * wrong, and an event can be a day old when a stream is first attached.
 */
export function deadlineOf(message: Message, event: DeliveryEvent, policy: RetryPolicy, now: number): number {
  if (message.deadline !== undefined) return message.deadline;
  const since = message.created_at ?? Math.min(now, event.requestedAt ?? event.occurredAt ?? now);
  return Math.floor(since + policy.messageValiditySeconds);
}
