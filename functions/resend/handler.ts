/** The resend worker on the retry queue: parse, call the core, answer with the messages to redeliver. */
import type { SQSHandler } from "aws-lambda";
import { pinpointClient } from "../adapters/aws-clients.ts";
import { awsEventHandling } from "../adapters/event-handling.ts";
import { pinpointSender } from "../adapters/pinpoint-sender.ts";
import { powertoolsTelemetry } from "../adapters/powertools-telemetry.ts";
import { systemClock, systemRandom } from "../adapters/system-clock.ts";
import { handleQueueMessages } from "../core/handle-queue-messages.ts";
import { steadyPace } from "../core/send-pace.ts";
import { readSettings } from "../settings.ts";

const settings = readSettings("resend");
const telemetry = powertoolsTelemetry(settings.SMS_RETRY_VERSION);
const { queue, ...events } = awsEventHandling(settings, telemetry);
const resending = {
  store: events.store,
  sender: pinpointSender(pinpointClient(), settings.PINPOINT_APPLICATION_ID),
  policy: events.policy,
  guarantee: settings.DELIVERY_GUARANTEE,
  ...(settings.ORIGINATION_NUMBER !== undefined && { origination: settings.ORIGINATION_NUMBER }),
  clock: systemClock,
  random: systemRandom,
};

// The event source mapping runs at most this many invocations at once, and each keeps its share.
const partsPerSecond = settings.MAX_SENDS_PER_SECOND / settings.SENDER_CONCURRENCY;

/** What a send and its record may take at worst; no send starts with less time left. */
const sendReserveSeconds = 12;

/** Handles a batch of retry-queue messages; answers with those that the queue shall redeliver. */
export const handler: SQSHandler = async (event, context) => {
  try {
    const sendsUntil = systemClock.now() + context.getRemainingTimeInMillis() / 1000 - sendReserveSeconds;
    const redeliver = await handleQueueMessages(
      event.Records.map(({ messageId, body }) => ({ id: messageId, body })),
      {
        resending: { ...resending, pace: steadyPace(partsPerSecond, systemClock, sendsUntil) },
        events,
        queue,
        telemetry,
      },
    );
    return { batchItemFailures: redeliver.map((itemIdentifier) => ({ itemIdentifier })) };
  } finally {
    telemetry.publish();
  }
};
