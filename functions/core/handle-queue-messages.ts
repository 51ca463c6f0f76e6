/** What happens to a batch of messages from the retry queue: wake-ups are sent, waiting events looked at again. */
import pMap from "p-map";
import {
  type EventHandling,
  type HandledEvent,
  handleDeliveryEvent,
  itemKeyOf,
  outcomeOfItem,
} from "./handle-delivery-event.ts";
import { report } from "./handle-records.ts";
import { readQueueMessage } from "./queue-messages.ts";
import { type HandledWakeUp, type Resending, resendMessage } from "./resend-message.ts";
import type { QueueEntry, QueueMessage, RetryQueue, WakeUp } from "./retry-queue.ts";
import { errorName, type Telemetry, wakeUpMetrics } from "./telemetry.ts";

/** A message as the queue hands it over. */
export interface ReceivedMessage {
  /** The queue's id of the message. */
  readonly id: string;
  readonly body: string;
}

/** What handling queue messages needs. */
export interface QueueHandling {
  readonly resending: Resending;
  readonly events: EventHandling;
  readonly queue: RetryQueue;
  readonly telemetry: Telemetry;
}

/** How many wake-ups one worker has under way at once; its pace, not this, limits the rate. */
const concurrency = 10;

/** What handling one message leads to. */
interface Handled {
  readonly entry?: QueueEntry;
  /** Counts and logs; called once the message is really handled. */
  readonly report: () => void;
}

/**
 * Handles messages and answers which have to come again by the queue's own redelivery: those for which the
 * table or the queue was out of reach. A message that can never be read also comes again, until the queue
 * moves it to the dead letters: there it is kept.
 *
 * @returns ids of the messages to redeliver; never rejects
 */
export async function handleQueueMessages(
  received: readonly ReceivedMessage[],
  handling: QueueHandling,
): Promise<string[]> {
  const { telemetry, queue } = handling;
  const handled = await pMap(
    received,
    async ({ id, body }): Promise<Handled | undefined> => {
      const message = readQueueMessage(body);
      if (message === undefined) {
        telemetry.count("WakeUpMalformed");
        telemetry.error("A retry-queue message is none of ours; it goes to the dead letters.", {
          record_id: id,
        });
        return undefined;
      }
      try {
        return await handle(message, handling);
      } catch (error) {
        const ofItem = outcomeOfItem(error, aboutOf(message));
        if (ofItem?.outcome === "item-unreadable") {
          // Kept among the dead letters: once the item has been corrected, it can be put back.
          report(ofItem, telemetry);
          return undefined;
        }
        if (ofItem !== undefined) return { report: () => report(ofItem, telemetry) };
        telemetry.count("WakeUpFailed");
        telemetry.error("A retry-queue message could not be handled now; it comes again.", {
          record_id: id,
          error: errorName(error),
        });
        return undefined;
      }
    },
    { concurrency },
  );

  const entries = handled.flatMap((item) => (item?.entry === undefined ? [] : [item.entry]));
  const areQueued = entries.length === 0 ? [] : await queue.put(entries);
  const notQueued = new Set(entries.filter((_, index) => areQueued[index] !== true));
  return received.flatMap(({ id }, index) => {
    const item = handled[index];
    if (item === undefined || (item.entry !== undefined && notQueued.has(item.entry))) return [id];
    item.report();
    return [];
  });
}

/** The item's key and the attempt that a message names. */
function aboutOf(message: QueueMessage): Pick<HandledEvent, "applicationMessageId" | "attempt"> {
  if (message.kind === "wake-up") {
    return { applicationMessageId: message.application_message_id, attempt: message.attempt };
  }
  const key = itemKeyOf(message.event);
  const { attempt } = message.event;
  return {
    ...(key !== undefined && { applicationMessageId: key }),
    ...(attempt !== undefined && { attempt }),
  };
}

async function handle(
  message: QueueMessage,
  { resending, events, telemetry }: QueueHandling,
): Promise<Handled> {
  if (message.kind === "waiting-event") {
    const handled = await handleDeliveryEvent(message.event, events, undefined, message.first_seen_at);
    return {
      ...(handled.entry !== undefined && { entry: handled.entry }),
      report: () => report(handled, telemetry),
    };
  }
  const handled = await resendMessage(message, resending);
  return {
    ...(handled.entry !== undefined && { entry: handled.entry }),
    report: () => reportWakeUp(message, handled, telemetry),
  };
}

/** Reasons that an operator has to remove, and no retry will. */
const blockingReasons: ReadonlySet<string> = new Set([
  "not-allowed",
  "spend-limit",
  "NO_ORIGINATION_IDENTITIES_FOUND",
]);

function reportWakeUp(wakeUp: WakeUp, { outcome, reason }: HandledWakeUp, telemetry: Telemetry): void {
  telemetry.count(wakeUpMetrics[outcome]);
  if (blockingReasons.has(reason)) telemetry.count("SendBlocked");
  const fields = {
    application_message_id: wakeUp.application_message_id,
    attempt: wakeUp.attempt,
    outcome,
    reason,
  };
  if (outcome === "sent-again" || outcome === "unconfirmed" || outcome === "given-up") {
    telemetry.warn("The outcome of a send was lost; the delivery guarantee decides what follows.", fields);
  } else if (outcome !== "absorbed" && outcome !== "postponed") {
    telemetry.info("A wake-up was handled.", fields);
  }
}
