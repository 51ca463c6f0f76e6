/** The one sender of the tests that is none: it answers as told and keeps every request. */
import type { Routing } from "../../functions/core/sending/route.ts";
import type { SendRequest, SendResult, SmsSender } from "../../functions/core/sending/sms-sender.ts";
import { refuseUndefinedFields } from "./absent-fields.ts";

/** What a send comes to; a function runs before its answer is given. */
export type ScriptedAnswer = SendResult | ((request: SendRequest) => SendResult | Promise<SendResult>);

/** All goes by this sender, whatever service a message names. */
export function routingBy(sender: SmsSender, changes: Partial<Routing> = {}): Routing {
  return {
    senders: { pinpoint: sender, "end-user-messaging": sender },
    smsService: "pinpoint",
    identities: [],
    ...changes,
  };
}

/** A sender, and what it was asked. */
export interface ScriptedSender extends SmsSender {
  readonly sends: SendRequest[];
}

/** Makes a sender. */
export function scriptedSender(
  options: {
    /** In order. */
    readonly answers?: readonly ScriptedAnswer[];
    /** After {@link answers}. @default it is accepted as `msg-1`, `msg-2`, … by the number of sends */
    readonly otherwise?: ScriptedAnswer;
    /** @default 0 */
    readonly leastSecondsLeft?: number;
  } = {},
): ScriptedSender {
  const sends: SendRequest[] = [];
  const answers = [...(options.answers ?? [])];
  return {
    sends,
    leastSecondsLeft: options.leastSecondsLeft ?? 0,
    async send(request) {
      refuseUndefinedFields(request);
      sends.push(request);
      const accepted: SendResult = { kind: "accepted", messageId: `msg-${sends.length}` };
      const answer = answers.shift() ?? options.otherwise ?? accepted;
      return typeof answer === "function" ? answer(request) : answer;
    },
  };
}
