/**
 * A world for protocol tests: the real core and store on the model of DynamoDB, a queue that delivers when the clock says
 * so, and an SMS service that answers as told and remembers every send.
 */

import type { Random } from "../../functions/core/clock.ts";
import type { DeliveryEvent } from "../../functions/core/events/delivery-event.ts";
import type { SmsService } from "../../functions/core/events/statuses.ts";
import { type CancelledMessage, cancelMessage } from "../../functions/core/message/cancel-message.ts";
import type { DeliveryGuarantee, Message } from "../../functions/core/message/message.ts";
import type { RetryPolicy } from "../../functions/core/message/retry-policy.ts";
import {
  type HandledEvent,
  handleDeliveryEvent,
} from "../../functions/core/processing/handle-delivery-event.ts";
import type { QueueMessage } from "../../functions/core/queue/queue-messages.ts";
import type { QueueEntry } from "../../functions/core/queue/retry-queue.ts";
import type { SendGate } from "../../functions/core/sending/gate/send-gate.ts";
import { checkReceipt, type HandledReceiptCheck } from "../../functions/core/sending/receipt-check.ts";
import { type HandledRetryMessage, resendMessage } from "../../functions/core/sending/resend-message.ts";
import type { Routing } from "../../functions/core/sending/route.ts";
import type { SendRequest } from "../../functions/core/sending/sms-sender.ts";
import type { VirtualClock } from "../../local/virtual-clock.ts";
import { refuseUndefinedFields } from "./absent-fields.ts";
import { retryPolicy, startOfTest } from "./messages.ts";
import { openGate } from "./open-gate.ts";
import { routingBy, type ScriptedAnswer, scriptedSender } from "./scripted-sender.ts";
import { type StoreOnModel, storeOnModel } from "./store-on-model.ts";
import { virtualTime } from "./virtual-time.ts";

/** What a world can be given. */
export interface WorldOptions {
  readonly policy?: Partial<RetryPolicy>;
  readonly guarantee?: DeliveryGuarantee;
  /** The one identity of every retry. @default the message's own */
  readonly origination?: string;
  /** Whether the deployment only counts retries. @default false */
  readonly isShadow?: boolean;
  /** Other routing than by the one sender. */
  readonly routing?: Partial<Routing>;
  /** What the service asks for at least, in seconds until the deadline. */
  readonly leastSecondsLeft?: number;
  readonly recordsEveryDelivery?: boolean;
  /** The services that items are told. @default none */
  readonly smsServices?: readonly SmsService[];
  /** What chance says, in [0, 1). @default as high as it gets */
  readonly chance?: number;
  /** Every send has its permit at once by default. */
  readonly gate?: SendGate;
  /** Answers of the SMS service, in order; then it accepts. */
  readonly answers?: readonly ScriptedAnswer[];
}

/** The world; see the module's comment. */
export interface World {
  readonly store: StoreOnModel;
  readonly clock: VirtualClock;
  readonly sends: SendRequest[];
  readonly queue: QueueEntry[];
  /** Handles an event and puts its retry message on the queue, unless the worker `dies` before that. */
  event(event: DeliveryEvent, options?: { dies?: boolean; known?: Message }): Promise<HandledEvent>;
  /** Handles one queue message as it is, whenever it is due; what follows goes onto the queue. */
  retryMessage(
    message: QueueMessage,
    options?: { known?: Message },
  ): Promise<HandledRetryMessage | HandledEvent | HandledReceiptCheck>;
  /** Moves the clock to each due queue entry in turn and handles it, until none is left. */
  drain(): Promise<void>;
  /** Cancels a message as its application does. */
  cancel(id?: string): Promise<CancelledMessage>;
  message(id?: string): Message;
}

/** Makes a world that holds these items. */
export function world(items: Message[], options: WorldOptions = {}): World {
  const store = storeOnModel(...items);
  const queue: QueueEntry[] = [];
  const sender = scriptedSender(options);
  let ids = 0;
  const clock = virtualTime(startOfTest + 10);
  // Chance at its highest: a delay is as long as configured, so that tests can say when a retry is due.
  const random: Random = { next: () => options.chance ?? 1 - Number.EPSILON, id: () => `id-${++ids}` };
  const policy = retryPolicy(options.policy);
  const handling = {
    store,
    policy,
    recordsEveryDelivery: options.recordsEveryDelivery ?? false,
    smsServices: new Set(options.smsServices),
    clock,
    random,
  };
  const resend = {
    store,
    routing: routingBy(sender, {
      identities: options.origination === undefined ? [] : [options.origination],
      ...options.routing,
    }),
    gate: options.gate ?? openGate,
    policy,
    guarantee: options.guarantee ?? "at-least-once",
    isShadow: options.isShadow ?? false,
    clock,
    random,
  };

  async function handleMessage(message: QueueMessage, known?: Message) {
    switch (message.kind) {
      case "waiting-event":
        return handleDeliveryEvent(message.event, handling, undefined, message.first_seen_at);
      case "retry-message":
        return resendMessage(message, resend, known);
      case "receipt-check": {
        const handled = await checkReceipt(message, resend);
        return handled === "resend" ? resendMessage({ ...message, kind: "retry-message" }, resend) : handled;
      }
    }
  }

  const self: World = {
    store,
    clock,
    sends: sender.sends,
    queue,
    async event(event, { dies = false, known } = {}) {
      const handled = await handleDeliveryEvent(event, handling, known);
      refuseUndefinedFields(handled);
      if (handled.entry !== undefined && !dies) queue.push(handled.entry);
      return handled;
    },
    async retryMessage(message, { known } = {}) {
      const handled = await handleMessage(message, known);
      if (handled.entry !== undefined) queue.push(handled.entry);
      return handled;
    },
    async drain() {
      for (let steps = 0; queue.length > 0; steps += 1) {
        if (steps > 1_000) throw new Error("The queue does not drain.");
        queue.sort((a, b) => a.dueAt - b.dueAt);
        const entry = queue.shift() as QueueEntry;
        clock.advance(Math.max(0, entry.dueAt - clock.now()));
        await self.retryMessage(entry.message);
      }
    },
    cancel: (id = "order-4711") => cancelMessage(id, { store, clock, policy }),
    message(id = "order-4711") {
      const item = store.items.get(id);
      if (item === undefined) throw new Error(`no item ${id}`);
      return item as unknown as Message;
    },
  };
  return self;
}
