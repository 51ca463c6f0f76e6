/**
 * The producer: writes the state item, then sends. The post's `PinpointDDBProducerLambdaFunction`, for
 * applications that have no producer of their own and for trying a deployment out.
 */
import { type EventPorts, eventHandling, eventPorts } from "../adapters/event-handling.ts";
import type { EventOutside } from "../adapters/outside.ts";
import { sendGates } from "../adapters/send-gates.ts";
import { routing, type SendingOutside } from "../adapters/senders/sms-senders.ts";
import { SendDeferredError, ShadowModeError } from "../core/errors.ts";
import { type CancelledMessage, cancelMessage } from "../core/message/cancel-message.ts";
import type { DeliveryGuarantee } from "../core/message/message.ts";
import { historyOf, type MessageHistory } from "../core/processing/message-history.ts";
import type { SendGate } from "../core/sending/gate/send-gate.ts";
import { type ProduceEvent, readProduceInvocation } from "../core/sending/produce-invocation.ts";
import { type ProducedMessage, produceMessage } from "../core/sending/produce-message.ts";
import { type Routing, servicesOf } from "../core/sending/route.ts";
import type { Settings } from "../settings.ts";

/** The ports of the core that the producer goes through. */
export interface ProducePorts extends EventPorts {
  readonly routing: Routing;
  /** The gate for one invocation, which gives no permit for a time after `until` (epoch seconds). */
  readonly gateUntil: (until: number) => SendGate;
}

/** An invocation waits no longer for its time; the message goes by the retry queue then. */
const longestWaitSeconds = 5;

/** The ports on AWS's clients. */
export function producePorts(
  settings: Settings<"produce">,
  outside: EventOutside & SendingOutside,
): ProducePorts {
  return {
    ...eventPorts(settings, outside),
    routing: routing(settings, outside),
    gateUntil: sendGates(settings, outside),
  };
}

/** What the producer tells of a message; the id alone where there is no such message. */
export type ToldStatus = Pick<MessageHistory, "application_message_id"> & Partial<MessageHistory>;

/**
 * The producer: produces one message, or with `action: "cancel"` withdraws the one that `application_message_id`
 * names, or with `action: "status"` tells where it stands, without its body and its number.
 *
 * @returns a function of the invocation's event. It answers with the message's id, the service's id and its
 *   status, or its history, in the table's words, and throws InvalidRequestError listing every problem of the event,
 *   SendDeferredError if the service did not take the message now: invoke again with the same id, or ShadowModeError
 *   where the deployment sends nothing
 */
export function produceFunction(
  settings: Settings<"produce">,
  ports: ProducePorts,
): (event: ProduceEvent) => Promise<ProducedMessage | CancelledMessage | ToldStatus> {
  const { telemetry } = ports;
  const { policy } = eventHandling(settings, ports);
  const producing = { ...ports, policy, guarantee: settings.DELIVERY_GUARANTEE };
  const defaults = {
    destinationNumber: settings.DEFAULT_DESTINATION_NUMBER,
    body: settings.DEFAULT_MESSAGE_BODY,
    originationNumber: ports.routing.identities.find((identity) => identity !== null),
    smsService: ports.routing.smsService,
    smsServices: servicesOf(ports.routing),
    validitySeconds: settings.MESSAGE_VALIDITY_SECONDS,
  };
  return async (event) => {
    try {
      const invocation = readProduceInvocation(event, defaults);
      if (invocation.action === "cancel") {
        const cancelled = await cancelMessage(invocation.applicationMessageId, producing);
        telemetry.info("A message was cancelled, or its retry sequence had ended before.", cancelled);
        return cancelled;
      }
      if (invocation.action === "status") return await tellStatus(invocation.applicationMessageId, producing);
      if (settings.SHADOW_MODE) throw new ShadowModeError();
      const gate = ports.gateUntil(ports.clock.now() + longestWaitSeconds);
      const produced = await produceMessage(invocation.request, { ...producing, gate });
      await gate.settle();
      telemetry.count("Produced");
      const { application_message_id, status, context_left_out } = produced;
      if (context_left_out !== undefined) telemetry.count("ContextLeftOut", context_left_out);
      telemetry.info("A message was produced.", { application_message_id, status });
      return produced;
    } catch (error) {
      if (error instanceof SendDeferredError) telemetry.count("SendDeferred");
      throw error;
    } finally {
      telemetry.publish();
    }
  };
}

/** Only reads: a status can be asked for at any time. */
async function tellStatus(
  id: string,
  {
    store,
    clock,
    guarantee,
  }: Pick<ProducePorts, "store" | "clock"> & { readonly guarantee: DeliveryGuarantee },
): Promise<ToldStatus> {
  const message = await store.read(id);
  if (message === undefined) return { application_message_id: id };
  return historyOf(message, { now: clock.now(), guarantee });
}
