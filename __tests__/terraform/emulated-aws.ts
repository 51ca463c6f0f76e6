/** The emulated AWS of one stack: moto, the SMS service, and the gateway in front of both. */
import { randomUUID } from "node:crypto";
import { serveSmsService } from "../../local/sms-service/serve-sms-service.ts";
import { startMotoServer } from "../support/moto-server.ts";
import { type AwsCall, jsonOf } from "./aws-call.ts";
import { type Gateway, startGateway } from "./gateway.ts";

/** The account that moto's resources are in. */
export const accountId = "123456789012";

/** Where everything is deployed. */
export const region = "eu-west-1";

/** The user's Pinpoint project. */
export const applicationId = "0123456789abcdef0123456789abcdef";

/** Credentials of Terraform and of the tests. */
export const administrator = { accessKeyId: "administrator", secretAccessKey: "administrator" } as const;

/** An SMS that the service took. */
export interface SentSms {
  readonly destination: string;
  readonly body: string;
  readonly context: Readonly<Record<string, string>>;
}

/** A running emulated AWS. */
export interface EmulatedAws extends Gateway {
  /** Every SMS so far. */
  sentSms(): SentSms[];
}

/** Starts it; every stack has its own, so that what a stack leaves behind is seen. */
export async function startEmulatedAws(folder: string): Promise<EmulatedAws> {
  const moto = await startMotoServer();
  const smsService = await serveSmsService({
    applicationId,
    accountId,
    // The tests make the events themselves: here every message is taken, and nothing more is heard of it.
    carrier: { plan: () => ({ outcome: "SILENCE", events: [] }) },
    publisherOf: () => {
      throw new Error("No event is planned.");
    },
    now: Date.now,
    id: randomUUID,
  });
  const gateway = await startGateway({
    motoEndpoint: moto.endpoint,
    smsServiceEndpoint: smsService.endpoint,
    region,
    accountId,
    folder,
  });
  return {
    ...gateway,
    sentSms: () => gateway.calls.flatMap((call) => (isSend(call) ? smsOf(call) : textMessageOf(call))),
    async close() {
      await gateway.close();
      await smsService.close();
      await moto.stop();
    },
  };
}

function isSend({ service, method, path }: AwsCall): boolean {
  return service === "mobiletargeting" && method === "POST" && path[3] === "messages";
}

function smsOf(call: AwsCall): SentSms[] {
  const { Addresses, Context, MessageConfiguration } = jsonOf(call) as {
    Addresses: Record<string, { Context?: Record<string, string>; BodyOverride?: string }>;
    Context?: Record<string, string>;
    MessageConfiguration: { SMSMessage: { Body?: string } };
  };
  return Object.entries(Addresses).map(([destination, address]) => ({
    destination,
    body: address.BodyOverride ?? MessageConfiguration.SMSMessage.Body ?? "",
    context: { ...Context, ...address.Context },
  }));
}

function textMessageOf(call: AwsCall): SentSms[] {
  if (call.service !== "sms-voice" || call.operation !== "SendTextMessage") return [];
  const { DestinationPhoneNumber, MessageBody, Context } = jsonOf(call) as {
    DestinationPhoneNumber: string;
    MessageBody: string;
    Context?: Record<string, string>;
  };
  return [{ destination: DestinationPhoneNumber, body: MessageBody, context: { ...Context } }];
}
