/** How long, and how often, what failed comes again: the stacks set it, the local run and the simulation behave by it. */
import { timeoutSecondsOf } from "./environment.ts";
import { senderScaling } from "./sender-scaling.ts";

/**
 * For how many seconds a message of the retry queue is hidden once it was handed over: six times the time-out of the
 * function that reads the queue and the time in which a batch is collected, as Lambda asks for.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
 */
export const visibilityTimeoutSeconds = 6 * timeoutSecondsOf.resend + senderScaling.collected.windowSeconds;

/**
 * Receives after which a message goes to the dead-letter queue. 50 receives, each hidden for 181 s, take 2.5 hours: an outage of
 * two hours moves none there, even where every worker dies or times out and nothing but the queue itself brings
 * the message back (40 receives would be two hours to the second).
 */
export const receivesBeforeDeadLetter = 50;

/**
 * The age in seconds at which Lambda gives a stream's record up: 20 hours, below the shortest retention of a stream
 * (24 hours), so that a record that never succeeds is kept in the bucket before Kinesis forgets it.
 */
export const mostRecordAgeSeconds = 72_000;
