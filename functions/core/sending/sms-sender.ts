/** The port to the SMS service: one send, and what its answer means for the attempt. */

import type { SendContext } from "../events/send-context.ts";
import type { Message } from "../message/message.ts";

/**
 * How long End User Messaging may try to hand one attempt over, in seconds, least and most: the limits of `TimeToLive`.
 *
 * @see https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html
 */
export const attemptValiditySeconds = { least: 5, most: 259_200 } as const;

/** One SMS to hand over. Body and number are secrets: never log a request. */
export interface SendRequest {
  readonly destinationNumber: string;
  readonly body: string;
  readonly messageType: NonNullable<Message["message_type"]>;
  /** Origination number of the send; absent = the service chooses. */
  readonly originationNumber?: string;
  /** Sender id of the send. */
  readonly senderId?: string;
  /** Seconds until the message is useless; a service that can gives it up by itself then. */
  readonly secondsLeft?: number;
  /** Keyword of the origination number's programme. */
  readonly keyword?: string;
  /** Sender's id in India's register (DLT). */
  readonly entityId?: string;
  /** Template's id in India's register (DLT). */
  readonly templateId?: string;
  /** End User Messaging only, as are the four that follow; absent = the deployment's. */
  readonly configurationSetName?: string;
  readonly destinationCountryParameters?: Readonly<Record<string, string>>;
  /** US dollars for a message part, e.g. `"0.05"`. */
  readonly maxPrice?: string;
  readonly protectConfigurationId?: string;
  /** Whether the application will tell the service that the message had its effect. */
  readonly messageFeedbackEnabled?: boolean;
  readonly context: SendContext;
}

/** Sends that an operator has to make possible: rights, account, identity. After the colon the service's word. */
export type NotAllowed = "not-allowed" | `not-allowed:${string}`;

/** The same where it lies in the identity and this message together: another identity may do. */
export type IdentityNotAllowed = `identity-not-allowed:${string}`;

/** Why a send was certainly not taken now. */
export type DeferReason =
  /** Too many sends, by the service's count. */
  | "throttled"
  /** The service could not take it, and says that this passes. */
  | "temporary-failure"
  /** No connection came about: nothing has left. */
  | "unreachable"
  | NotAllowed
  | IdentityNotAllowed
  /** The same where it lies in the recipient: a country that is not enabled, a number that is not verified. */
  | `destination-not-allowed:${string}`
  /** The account has spent, or sent, what it may in this month or on this day. */
  | "spend-limit";

/** Why an attempt leaves by the next identity: the service has refused this one for it. */
export type NextIdentity = `next-identity:${string}`;

/** Why an attempt waits for which the service has refused every identity of several. */
export type EveryIdentityRefused = `every-identity-refused:${string}`;

/**
 * Who waits until an operator removes the reason: `all` that leave by the identity or the account (metric
 * `SendBlocked`), `some`, namely messages like this one (`SendBlockedForSome`), or nobody.
 */
export function isForOperator(reason: string): "all" | "some" | undefined {
  return waitingForOperator.get(reason.split(":", 1)[0]);
}

const waitingForOperator: ReadonlyMap<string | undefined, "all" | "some"> = new Map([
  ["spend-limit", "all"],
  ["not-allowed", "all"],
  ["identity-not-allowed", "some"],
  ["every-identity-refused", "some"],
  ["destination-not-allowed", "some"],
]);

/** What becomes of a reason where the identity is one of several: the word stays, the rest says what follows. */
export function afterIdentityRefused(
  reason: IdentityNotAllowed,
  hasNext: boolean,
): NextIdentity | EveryIdentityRefused {
  const word = reason.slice(reason.indexOf(":") + 1);
  return hasNext ? `next-identity:${word}` : `every-identity-refused:${word}`;
}

/** Whether the service has refused the identity for this message, and perhaps not another one. */
export function isIdentityRefused(reason: string): reason is IdentityNotAllowed {
  return reason.startsWith("identity-not-allowed:");
}

/** What the service's answer means (rules 7 and 8). */
export type SendResult =
  /** Taken: events will follow under this id. */
  | {
      readonly kind: "accepted";
      readonly messageId: string;
      /** How many entries of the context the service has no room for, so that they were not sent; absent = none. */
      readonly contextLeftOut?: number;
    }
  /** Certainly not taken, and worth trying again: the attempt is not used up. */
  | { readonly kind: "deferred"; readonly reason: DeferReason }
  /** Certainly not taken, and never will be: it lies in the message. `reason` is the service's word for it. */
  | { readonly kind: "refused"; readonly reason: string; readonly optedOut: boolean }
  /** The answer is lost or says nothing: the service may have taken it. */
  | { readonly kind: "unconfirmed"; readonly reason: string };

/**
 * Whether an answer is one of a service that works: for the breaker of the gate. Too many sends, or a message that it
 * does not take, says nothing against the service.
 */
export function isServiceWorking(result: SendResult): boolean {
  switch (result.kind) {
    case "accepted":
    case "refused":
      return true;
    case "deferred":
      // What only some messages meet must not stop the others.
      return result.reason === "throttled" || isForOperator(result.reason) === "some";
    case "unconfirmed":
      return false;
  }
}

/** Sends SMS; never repeats a request by itself and never rejects. */
export interface SmsSender {
  /** Makes what a send needs, so that the first send leaves at its time too; absent = there is nothing to make. */
  readonly prepare?: () => Promise<void>;
  /** With fewer seconds left until the deadline the service takes no message; 0 where it does not ask. */
  readonly leastSecondsLeft: number;
  send(request: SendRequest): Promise<SendResult>;
}
