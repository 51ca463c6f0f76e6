/** The resend worker on the retry queue: parse, call the core, answer with the messages to redeliver. */
import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import { type EventPorts, eventHandling, eventPorts } from "../adapters/event-handling.ts";
import type { EventOutside, InvocationContext } from "../adapters/outside.ts";
import { sendGates } from "../adapters/send-gates.ts";
import { routing, type SendingOutside } from "../adapters/senders/sms-senders.ts";
import { handleQueueMessages } from "../core/processing/handle-queue-messages.ts";
import type { SendGate } from "../core/sending/gate/send-gate.ts";
import type { Routing } from "../core/sending/route.ts";
import type { Settings } from "../settings.ts";

/** The ports of the core that the worker goes through. */
export interface ResendPorts extends EventPorts {
  readonly routing: Routing;
  /** The gate for one invocation, which gives no permit for a time after `until` (epoch seconds). */
  readonly gateUntil: (until: number) => SendGate;
}

/** The ports on AWS's clients. */
export function resendPorts(
  settings: Settings<"resend">,
  outside: EventOutside & SendingOutside,
): ResendPorts {
  return {
    ...eventPorts(settings, outside),
    routing: routing(settings, outside),
    gateUntil: sendGates(settings, outside),
  };
}

/** What a send and its record may take at worst; no send starts with less time left. */
const sendReserveSeconds = 12;

/** The worker: handles a batch of retry-queue messages; answers with those that the queue shall redeliver. */
export function resendFunction(
  settings: Settings<"resend">,
  ports: ResendPorts,
): (event: SQSEvent, context: InvocationContext) => Promise<SQSBatchResponse> {
  const { clock, random, store, routing, queue, telemetry } = ports;
  const events = eventHandling(settings, ports);
  const resend = {
    store,
    routing,
    policy: events.policy,
    guarantee: settings.DELIVERY_GUARANTEE,
    isShadow: settings.SHADOW_MODE,
    clock,
    random,
  };
  return async (event, context) => {
    try {
      const sendsUntil = clock.now() + context.getRemainingTimeInMillis() / 1000 - sendReserveSeconds;
      const gate = ports.gateUntil(sendsUntil);
      const redeliver = await handleQueueMessages(
        event.Records.map(({ messageId, body }) => ({ id: messageId, body })),
        { resend: { ...resend, gate }, events, queue, telemetry },
      );
      await gate.settle();
      return { batchItemFailures: redeliver.map((itemIdentifier) => ({ itemIdentifier })) };
    } finally {
      telemetry.publish();
    }
  };
}
