/** The SMS service of the local run with answers that a test gives: it takes everything, says nothing more of it. */
import { randomUUID } from "node:crypto";
import type { CarrierPlan } from "../../local/sms-service/carrier.ts";
import type { Ledger } from "../../local/sms-service/ledger.ts";
import type { ApiAnswer } from "../../local/sms-service/scenario.ts";
import { serveSmsService } from "../../local/sms-service/serve-sms-service.ts";
import type { SmsRequest } from "../../local/sms-service/sms-request.ts";

/** What the service answers to a call; undefined = it takes the message. */
export type ScriptedAnswer = CarrierPlan["answer"];

/** A running service. */
export interface ScriptedSmsService {
  /** For `AWS_ENDPOINT_URL_PINPOINT` and `AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2`. */
  readonly endpoint: string;
  /** Every request, in the order in which they came. */
  readonly requests: SmsRequest[];
  readonly ledger: Ledger;
  /** Decides about the requests from now on; by default each is taken. `HANG` takes it, too. */
  answer: (request: SmsRequest) => ScriptedAnswer;
  /** Takes everything again and forgets the requests. */
  reset(): void;
  close(): Promise<void>;
}

/** Starts a service on a free port of 127.0.0.1. */
export async function startScriptedSmsService(applicationId: string): Promise<ScriptedSmsService> {
  const requests: SmsRequest[] = [];
  const accept = (): ScriptedAnswer => undefined;
  const { endpoint, ledger, close } = await serveSmsService({
    applicationId,
    accountId: "123456789012",
    carrier: {
      plan({ request }) {
        requests.push(request);
        const answer = scripted.answer(request);
        if (answer === undefined) return { outcome: "SILENCE", events: [] };
        return { answer, ...(answer === "HANG" && { outcome: "SILENCE" }), events: [] };
      },
    },
    publisherOf: () => {
      throw new Error("No event is planned.");
    },
    now: Date.now,
    id: randomUUID,
  });
  const scripted: ScriptedSmsService = {
    endpoint,
    requests,
    ledger,
    answer: accept,
    reset() {
      scripted.answer = accept;
      requests.length = 0;
    },
    close,
  };
  return scripted;
}

/** `SMSMessage` of a Pinpoint request. */
export function smsMessageOf({ input }: SmsRequest): Readonly<Record<string, string>> {
  return (input as { MessageConfiguration: { SMSMessage: Record<string, string> } }).MessageConfiguration
    .SMSMessage;
}

/** A `DeliveryStatus` that AWS has not listed, as an answer. */
export function unlistedStatus(status: string): ScriptedAnswer {
  return status as ApiAnswer;
}
