/**
 * Looks at the messages of a dead-letter queue, and puts them back.
 *
 * Not by SQS's own `StartMessageMoveTask`: that moves everything, also what the function can only refuse again, and
 * it cannot say beforehand what there is.
 */
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { parseDeliveryEvent } from "../../functions/core/events/parse-delivery-event.ts";
import { valuesIn } from "../../functions/core/processing/stream-record.ts";
import { type QueueMessage, readQueueMessage } from "../../functions/core/queue/queue-messages.ts";
import { calling } from "../aws-call.ts";

/** What a message of a dead-letter queue is; the delivery events are those of the queue behind a topic. */
export type Kind = "retryMessages" | "receiptChecks" | "waitingEvents" | "deliveryEvents" | "unreadable";

/** What was seen, and what became of it. */
export interface Tally {
  readonly seen: Readonly<Record<Kind, number>>;
  /** Age of the oldest message seen, in seconds since it first came to a queue. */
  readonly oldestAgeSeconds: number;
  /** Put back and deleted. */
  readonly moved: number;
  /** Put back but not deleted: on both queues now, which does no harm. */
  readonly doubled: number;
  /** Not taken by the other queue: still in the dead-letter queue. */
  readonly refused: number;
}

/** What a walk through the dead-letter queue needs. */
export interface WalkOptions {
  readonly sqs: SQSClient;
  readonly deadLetterUrl: string;
  /** Queue to put them on; absent = only look. */
  readonly targetUrl?: string;
  readonly most: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly onProgress: (seen: number) => void;
  /** Ends the walk between two batches; it then rejects with the signal's reason. */
  readonly signal: AbortSignal;
}

/** How long messages that are being looked at stay hidden from others. */
const hiddenSeconds = 60;

/** Empty answers in a row after which the queue counts as empty; one may come from a server that holds none. */
const emptyAnswers = 2;

/** Most messages in a call of SQS. */
const batchSize = 10;

/**
 * Walks through the dead-letter queue once, looking at each message at most once.
 *
 * @throws UserError with a sentence for the user; what was moved before stays moved
 */
export async function walk(options: WalkOptions): Promise<Tally> {
  const { most, now, onProgress, signal } = options;
  const seen: Record<Kind, number> = {
    retryMessages: 0,
    receiptChecks: 0,
    waitingEvents: 0,
    deliveryEvents: 0,
    unreadable: 0,
  };
  const known = new Set<string>();
  const kept: Message[] = [];
  let [moved, doubled, refused, oldestAgeSeconds] = [0, 0, 0, 0];
  try {
    for (let empty = 0; empty < emptyAnswers && known.size < most; ) {
      signal.throwIfAborted();
      const messages = await receive(options, Math.min(batchSize, most - known.size));
      const fresh = messages.filter(({ MessageId = "" }) => !known.has(MessageId));
      empty = fresh.length === 0 ? empty + 1 : 0;
      const readable: Message[] = [];
      for (const message of fresh) {
        known.add(message.MessageId ?? "");
        const kind = kindOf(message);
        seen[kind] += 1;
        const ageSeconds = (now() - Number(message.Attributes?.SentTimestamp ?? now())) / 1_000;
        oldestAgeSeconds = Math.max(oldestAgeSeconds, Math.round(ageSeconds));
        if (kind === "unreadable" || options.targetUrl === undefined) kept.push(message);
        else readable.push(message);
      }
      const result = await moveBatch(options, readable).catch((error: unknown) => {
        kept.push(...readable);
        throw error;
      });
      kept.push(...result.refused);
      moved += result.moved;
      doubled += result.doubled;
      refused += result.refused.length;
      onProgress(known.size);
    }
  } finally {
    await release(options, kept);
  }
  return { seen, oldestAgeSeconds, moved, doubled, refused };
}

const kinds: Readonly<Record<QueueMessage["kind"], Kind>> = {
  "retry-message": "retryMessages",
  "receipt-check": "receiptChecks",
  "waiting-event": "waitingEvents",
};

function kindOf(message: Message): Kind {
  const read = readQueueMessage(retryMessageIn(message));
  if (read !== undefined) return kinds[read.kind];
  return isDeliveryEvent(message) ? "deliveryEvents" : "unreadable";
}

/** Whether `consume-sns` would find an event of an SMS in it, as it is or in an envelope of SNS. */
function isDeliveryEvent({ Body = "" }: Message): boolean {
  return valuesIn(Buffer.from(Body)).values.some((value) => parseDeliveryEvent(value).type === "sms");
}

/**
 * The body for the retry queue in a message of the dead-letter queue. SQS moves a message as it is. Of what EventBridge Scheduler could
 * not deliver, AWS shows as the body the request that it made of the schedule (`{"MessageBody": …, "QueueUrl": …}`)
 * and says nothing of the form for a target that is a queue's ARN, where it may be our text itself: both are read.
 *
 * @see https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
 */
function retryMessageIn({ Body = "" }: Message): string {
  try {
    const { MessageBody } = Object(JSON.parse(Body));
    return typeof MessageBody === "string" ? MessageBody : Body;
  } catch {
    return Body;
  }
}

async function receive({ sqs, deadLetterUrl }: WalkOptions, limit: number): Promise<Message[]> {
  const command = new ReceiveMessageCommand({
    QueueUrl: deadLetterUrl,
    MaxNumberOfMessages: limit,
    VisibilityTimeout: hiddenSeconds,
    // Long polling asks every server.
    WaitTimeSeconds: 1,
    MessageSystemAttributeNames: ["SentTimestamp"],
  });
  const { Messages = [] } = await calling(sqs, "sqs:ReceiveMessage", () => sqs.send(command));
  return Messages;
}

/** Puts messages back, then deletes those that were taken: in this order none can get lost. */
async function moveBatch(
  { sqs, deadLetterUrl, targetUrl }: WalkOptions,
  messages: readonly Message[],
): Promise<{ moved: number; doubled: number; refused: Message[] }> {
  if (targetUrl === undefined || messages.length === 0) return { moved: 0, doubled: 0, refused: [] };
  const send = new SendMessageBatchCommand({
    QueueUrl: targetUrl,
    Entries: messages.map((message, index) => ({ Id: String(index), MessageBody: retryMessageIn(message) })),
  });
  const sent = await calling(sqs, "sqs:SendMessage", () => sqs.send(send));
  const isTaken = new Set((sent.Successful ?? []).map(({ Id }) => Number(Id)));
  const taken = messages.filter((_, index) => isTaken.has(index));
  const refused = messages.filter((_, index) => !isTaken.has(index));
  if (taken.length === 0) return { moved: 0, doubled: 0, refused };
  const remove = new DeleteMessageBatchCommand({
    QueueUrl: deadLetterUrl,
    Entries: taken.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle })),
  });
  const deleted = await calling(sqs, "sqs:DeleteMessage", () => sqs.send(remove));
  const moved = deleted.Successful?.length ?? 0;
  return { moved, doubled: taken.length - moved, refused };
}

/** Shows messages to others at once; where that fails they show up by themselves within a minute. */
async function release({ sqs, deadLetterUrl }: WalkOptions, messages: readonly Message[]): Promise<void> {
  for (let start = 0; start < messages.length; start += batchSize) {
    const batch = messages.slice(start, start + batchSize);
    await sqs
      .send(
        new ChangeMessageVisibilityBatchCommand({
          QueueUrl: deadLetterUrl,
          Entries: batch.map(({ ReceiptHandle }, index) => ({
            Id: String(index),
            ReceiptHandle,
            VisibilityTimeout: 0,
          })),
        }),
      )
      .catch(() => {});
  }
}
