/**
 * What happens to a batch of messages from the retry queue: retries are sent, waiting events looked at again, and
 * attempts without an event found by their receipt checks.
 */
import pMap from "p-map";
import type { Clock } from "../clock.ts";
import type { Message } from "../message/message.ts";
import { reportEvent, reportReceiptCheck, reportRetryMessage } from "../observability/reports.ts";
import { errorName, type Telemetry } from "../observability/telemetry.ts";
import { type QueueMessage, readQueueMessage } from "../queue/queue-messages.ts";
import type { QueueEntry, RetryQueue } from "../queue/retry-queue.ts";
import { checkReceipt } from "../sending/receipt-check.ts";
import { type ResendDependencies, resendMessage } from "../sending/resend-message.ts";
import { isForOperator } from "../sending/sms-sender.ts";
import {
  aboutEvent,
  type EventDependencies,
  type HandledEvent,
  handleDeliveryEvent,
  outcomeOfItem,
} from "./handle-delivery-event.ts";
import { readBatch } from "./read-batch.ts";

/** A message as the queue hands it over. */
export interface ReceivedMessage {
  /** The queue's id of the message. */
  readonly id: string;
  readonly body: string;
}

/** What handling queue messages needs. */
export interface QueueDependencies {
  readonly resend: ResendDependencies;
  readonly events: EventDependencies;
  readonly queue: RetryQueue;
  readonly telemetry: Telemetry;
}

/** How many messages one worker has under way at once: a whole batch, so that it asks the gate together. */
const concurrency = 100;

/** What handling one message leads to. */
interface Handled {
  readonly entry?: QueueEntry;
  /** Counts and logs; called once the message is really handled. */
  readonly report: () => void;
}

/**
 * How long a message waits that could not be handled because something was out of reach: as long again as that has
 * lasted. A moment's fault costs a one-time password seconds, an outage few tries.
 */
const failedMessageWait = { shortestSeconds: 2, longestSeconds: 60 };

/** After so long it is no outage any more: the message goes to the dead-letter queue, where a person finds it. */
const longestFailureSeconds = 2 * 86_400;

/**
 * Handles messages and answers which have to come again by the queue's own redelivery.
 *
 * A message that cannot be handled now, because the table is out of reach, goes onto the queue anew: the queue moves
 * what it has handed over often to the dead-letter queue, and an outage is no fault of the message. What can never be
 * read comes again, until the queue moves it there: there it is kept.
 *
 * @returns ids of the messages to redeliver; never rejects
 */
export async function handleQueueMessages(
  received: readonly ReceivedMessage[],
  handling: QueueDependencies,
): Promise<string[]> {
  const { telemetry, queue } = handling;
  const read = received.map(({ id, body }) => ({ id, message: readQueueMessage(body) }));
  const known = await readBatch(
    read.flatMap(({ message }) =>
      message?.kind === "retry-message" ? [message.application_message_id] : [],
    ),
    "message",
    { store: handling.resend.store, telemetry },
  );
  const put = puttingTogether(queue, handling.resend.clock);
  const redeliver = await pMap(
    read,
    async ({ id, message }) => {
      const item =
        message === undefined ? unreadable(id, telemetry) : await handleOne(id, message, known, handling);
      if (item === undefined || (item.entry !== undefined && !(await put(item.entry)))) return [id];
      item.report();
      return [];
    },
    { concurrency },
  );
  return redeliver.flat();
}

/**
 * Puts entries on the queue, those of the same moment together. What is to come again soon does not wait for what is
 * still being sent.
 *
 * @returns tells of an entry whether it is on the queue
 */
function puttingTogether(
  queue: RetryQueue,
  clock: Pick<Clock, "sleep">,
): (entry: QueueEntry) => Promise<boolean> {
  let together: { readonly entries: QueueEntry[]; readonly areQueued: Promise<boolean[]> } | undefined;
  return async (entry) => {
    if (together === undefined) {
      const entries: QueueEntry[] = [];
      const areQueued = clock.sleep(0).then(() => {
        together = undefined;
        return queue.put(entries);
      });
      together = { entries, areQueued };
    }
    const { entries, areQueued } = together;
    const index = entries.push(entry) - 1;
    return (await areQueued)[index] === true;
  };
}

/** Leaves a message that cannot be read to the queue. */
function unreadable(id: string, telemetry: Telemetry): undefined {
  telemetry.count("RetryMessageMalformed");
  telemetry.error(
    "A retry-queue message cannot be read; look at it in the dead-letter queue, where the queue moves it.",
    { record_id: id },
  );
}

/** Handles one message; `undefined` where the queue has to redeliver it. */
async function handleOne(
  id: string,
  message: QueueMessage,
  known: ReadonlyMap<string, Message | undefined>,
  handling: QueueDependencies,
): Promise<Handled | undefined> {
  const { telemetry } = handling;
  try {
    return await handle(withoutFailures(message), known, handling);
  } catch (error) {
    const ofItem = outcomeOfItem(error, aboutOf(message));
    if (ofItem === undefined) return failed(id, message, error, handling);
    if (ofItem.outcome !== "item-unreadable") return { report: () => reportEvent(ofItem, telemetry) };
    // Kept in the dead-letter queue: once the item has been corrected, it can be put back.
    reportEvent(ofItem, telemetry);
    return undefined;
  }
}

/** The item's key and the attempt that a message names. */
function aboutOf(message: QueueMessage): Pick<HandledEvent, "applicationMessageId" | "attempt"> {
  if (message.kind !== "waiting-event") {
    return { applicationMessageId: message.application_message_id, attempt: message.attempt };
  }
  return aboutEvent(message.event);
}

/**
 * A message that failed comes again by an entry of its own while the fault is one that passes. A fault of our own code
 * does not pass: then the queue redelivers it, and at last keeps it.
 */
function failed(
  id: string,
  message: QueueMessage,
  error: unknown,
  { resend: { clock, random }, telemetry }: QueueDependencies,
): Handled | undefined {
  telemetry.count("RetryMessageFailed");
  telemetry.error(
    "A retry-queue message could not be handled now, so it comes again; if that goes on, remove the cause.",
    {
      record_id: id,
      error: errorName(error),
    },
  );
  const now = clock.now();
  const { failing_since = Math.floor(now) } = message;
  const isPermanent = error instanceof TypeError || error instanceof RangeError;
  if (isPermanent || now - failing_since > longestFailureSeconds) return undefined;
  const { shortestSeconds, longestSeconds } = failedMessageWait;
  const wait = Math.min(Math.max(now - failing_since, shortestSeconds), longestSeconds);
  const dueAt = Math.ceil(now + wait * (0.5 + random.next() / 2));
  return { entry: { message: { ...message, failing_since }, dueAt }, report: () => {} };
}

/** The message as if it had never failed: what follows from it begins anew. */
function withoutFailures(message: QueueMessage): QueueMessage {
  const { failing_since: _, ...rest } = message;
  return rest as QueueMessage;
}

async function handle(
  message: QueueMessage,
  known: ReadonlyMap<string, Message | undefined>,
  handling: QueueDependencies,
): Promise<Handled> {
  const { resend, events, telemetry } = handling;
  switch (message.kind) {
    case "waiting-event": {
      const handled = await handleDeliveryEvent(message.event, events, undefined, message.first_seen_at);
      return { ...entryOf(handled), report: () => reportEvent(handled, telemetry) };
    }
    case "receipt-check": {
      const handled = await checkReceipt(message, resend);
      // While it is being sent, a check of an attempt is as good as its retry message.
      if (handled === "resend") return handle({ ...message, kind: "retry-message" }, new Map(), handling);
      return { ...entryOf(handled), report: () => reportReceiptCheck(message, handled, telemetry) };
    }
    case "retry-message": {
      const handled = await resendMessage(message, resend, known.get(message.application_message_id));
      const blocks = isForOperator(handled.reason);
      const result = { ...handled, ...(blocks !== undefined && { blocks }) };
      return { ...entryOf(handled), report: () => reportRetryMessage(message, result, telemetry) };
    }
  }
}

function entryOf({ entry }: { readonly entry?: QueueEntry }): Pick<Handled, "entry"> {
  return entry === undefined ? {} : { entry };
}
