/**
 * The retry queue: SQS, and EventBridge Scheduler for delays that SQS cannot hold; each stands in for the
 * other while that is down.
 */
import { createHash } from "node:crypto";
import { ConflictException, CreateScheduleCommand, type SchedulerClient } from "@aws-sdk/client-scheduler";
import { SendMessageBatchCommand, type SQSClient } from "@aws-sdk/client-sqs";
import pMap from "p-map";
import type { Clock } from "../../core/clock.ts";
import { errorName, type Telemetry } from "../../core/observability/telemetry.ts";
import type { QueueEntry, RetryQueue } from "../../core/queue/retry-queue.ts";

/** Longest `DelaySeconds` of SQS. */
const longestDelaySeconds = 900;

/** Most entries of one SendMessageBatch. */
const batchSize = 10;

/** Most bytes of one SendMessageBatch in every region and age of SQS: 256 KiB. */
const batchBytes = 262_144;

/**
 * How long EventBridge Scheduler tries to reach the queue: as long as it can, a day. What it gives up, at once where
 * a right or the queue is missing, goes to the dead-letter queue.
 *
 * @see https://docs.aws.amazon.com/scheduler/latest/APIReference/API_RetryPolicy.html
 */
const schedulerPatience = { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 };

/** Where delayed messages go. */
export interface RetryQueueTarget {
  readonly queueUrl: string;
  readonly queueArn: string;
  readonly scheduleGroupName: string;
  /** Role that EventBridge Scheduler assumes to put a message on the queue. */
  readonly schedulerRoleArn: string;
  /** Queue that keeps what Scheduler could not put on the retry queue. The same role writes to it. */
  readonly deadLetterQueueArn: string;
}

/** What the queue needs; the Scheduler's client is made at the first delay beyond 900 s. */
export interface RetryQueueClients {
  readonly sqs: SQSClient;
  readonly scheduler: () => Promise<SchedulerClient>;
}

interface NumberedEntry {
  readonly index: number;
  readonly entry: QueueEntry;
  readonly delaySeconds: number;
}

/** Everything that an entry's way onto the queue takes. */
interface RetryQueueParts {
  readonly clients: RetryQueueClients;
  readonly target: RetryQueueTarget;
  readonly telemetry: Telemetry;
}

/** The retry queue on SQS; see {@link RetryQueue}. Failures are logged by class and told by the flags. */
export function sqsRetryQueue(
  clients: RetryQueueClients,
  target: RetryQueueTarget,
  clock: Pick<Clock, "now">,
  telemetry: Telemetry,
): RetryQueue {
  const parts = { clients, target, telemetry };
  const send = (entries: readonly NumberedEntry[]) =>
    pMap(inBatches(entries), (batch) => sendBatch(batch, parts), { concurrency: 10 });
  const schedule = (entries: readonly NumberedEntry[]) =>
    pMap(entries, (entry) => createSchedule(entry, parts), { concurrency: 10 });

  return {
    async put(entries) {
      const now = clock.now();
      const numbered = entries.map((entry, index): NumberedEntry => {
        return { index, entry, delaySeconds: Math.max(0, Math.ceil(entry.dueAt - now)) };
      });
      const soon = numbered.filter(({ delaySeconds }) => delaySeconds <= longestDelaySeconds);
      const later = numbered.filter(({ delaySeconds }) => delaySeconds > longestDelaySeconds);
      const taken = new Set((await Promise.all([send(soon), schedule(later)])).flat(2));

      // Each stands in for the other. Scheduler keeps trying for a day to reach a queue that is down; a queue
      // brings a message back too early, and it is deferred then.
      const isRefused = ({ index }: NumberedEntry): boolean => !taken.has(index);
      const rescued = await Promise.all([
        schedule(soon.filter(isRefused).map((entry) => soonest(entry, now))),
        send(later.filter(isRefused).map(inQueueTime)),
      ]);
      for (const index of rescued.flat(2)) taken.add(index);
      return entries.map((_, index) => taken.has(index));
    },
  };
}

/** Puts a batch on the queue; returns the numbers of those that are there. */
async function sendBatch(
  batch: readonly NumberedEntry[],
  { clients, target, telemetry }: RetryQueueParts,
): Promise<number[]> {
  try {
    const { Successful, Failed } = await clients.sqs.send(
      new SendMessageBatchCommand({
        QueueUrl: target.queueUrl,
        Entries: batch.map(({ index, entry, delaySeconds }) => ({
          Id: String(index),
          MessageBody: queueMessageText(entry.message),
          DelaySeconds: delaySeconds,
        })),
      }),
    );
    for (const failure of Failed ?? []) {
      telemetry.error(
        "SQS did not take a retry-queue message; if that goes on, look at the queue and its key.",
        { error: failure.Code ?? "unknown" },
      );
    }
    return (Successful ?? []).map(({ Id }) => Number(Id));
  } catch (error) {
    telemetry.error(
      "SQS did not take a batch of retry-queue messages; if that goes on, look at the queue and its key.",
      { error: errorName(error) },
    );
    return [];
  }
}

/** Has Scheduler put an entry on the queue when it is due; returns its number, or nothing where it is not taken. */
async function createSchedule(
  { index, entry }: NumberedEntry,
  { clients, target, telemetry }: RetryQueueParts,
): Promise<number[]> {
  const body = queueMessageText(entry.message);
  const second = Math.ceil(entry.dueAt);
  try {
    await (await clients.scheduler()).send(
      new CreateScheduleCommand({
        Name: scheduleName(body, second),
        GroupName: target.scheduleGroupName,
        ScheduleExpression: `at(${new Date(second * 1000).toISOString().slice(0, 19)})`,
        FlexibleTimeWindow: { Mode: "OFF" },
        ActionAfterCompletion: "DELETE",
        Target: {
          Arn: target.queueArn,
          RoleArn: target.schedulerRoleArn,
          Input: body,
          RetryPolicy: schedulerPatience,
          DeadLetterConfig: { Arn: target.deadLetterQueueArn },
        },
      }),
    );
    return [index];
  } catch (error) {
    // The same message for the same second is scheduled already.
    if (error instanceof ConflictException) return [index];
    telemetry.error(
      "EventBridge Scheduler did not take a retry-queue message; if that goes on, look at its group and its role.",
      {
        error: errorName(error),
      },
    );
    return [];
  }
}

/** Batches that SQS takes: one that is too large would be refused whole. */
function inBatches(entries: readonly NumberedEntry[]): NumberedEntry[][] {
  const batches: NumberedEntry[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const numbered of entries) {
    const last = batches.at(-1);
    bytes += queueMessageText(numbered.entry.message).length;
    if (last !== undefined && last.length < batchSize && bytes <= batchBytes) {
      last.push(numbered);
    } else {
      batches.push([numbered]);
      bytes = queueMessageText(numbered.entry.message).length;
    }
  }
  return batches;
}

function inQueueTime(numbered: NumberedEntry): NumberedEntry {
  return { ...numbered, delaySeconds: Math.min(numbered.delaySeconds, longestDelaySeconds) };
}

/** Scheduler refuses times that have passed, and starts up to a minute late. */
function soonest(numbered: NumberedEntry, now: number): NumberedEntry {
  const { entry } = numbered;
  return { ...numbered, entry: { ...entry, dueAt: Math.max(entry.dueAt, now + 60) } };
}

/**
 * The message as JSON in ASCII alone: SQS refuses some characters that an id or a status may hold (U+FFFF),
 * and emulators refuse more (emoji); a refused message would never get onto the queue.
 */
export function queueMessageText(message: object): string {
  return JSON.stringify(message).replaceAll(
    /[^ -~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A schedule's name holds 64 characters of a small alphabet; a digest also keeps ids out of it. */
function scheduleName(body: string, second: number): string {
  return createHash("sha256").update(`${body}@${second}`).digest("hex");
}
