/** Full, realistic messages and events for tests. Numbers are of ranges that no one has. */

import { settingDefaults } from "../../functions/contract/environment.ts";
import type { DeliveryEvent } from "../../functions/core/events/delivery-event.ts";
import type { Message } from "../../functions/core/message/message.ts";
import type { RetryPolicy } from "../../functions/core/message/retry-policy.ts";
import { retryPolicyOf } from "../../functions/settings.ts";

/** The second at which tests begin: 2026-11-23T12:00:00Z. */
export const startOfTest = 1_795_435_200;

/** An item as the producer leaves it after a send at {@link startOfTest}. */
export function sentMessage(changes: Partial<Message> = {}): Message {
  return {
    application_message_id: "order-4711",
    message_body: "Your code is 493817. It is valid for 10 minutes.",
    destination_number: "+447700900123",
    message_type: "TRANSACTIONAL",
    origination_number: "+447700900999",
    pinpoint_message_id: "msg-0",
    status: "SENT",
    retry_count: 0,
    all_retries_failed: false,
    deadline: startOfTest + 86_400,
    expires_at: startOfTest + 5 * 86_400,
    created_at: startOfTest,
    attempts: {
      "0": { claim_id: "claim-0", claimed_at: startOfTest, sent_at: startOfTest, message_id: "msg-0" },
    },
    ...changes,
  };
}

/** A failure event of attempt 0 of {@link sentMessage}, with the retry tag that the producer sets. */
export function failureEvent(changes: Partial<DeliveryEvent> = {}): DeliveryEvent {
  return {
    format: "pinpoint",
    kind: "failure",
    status: "UNREACHABLE",
    messageId: "msg-0",
    applicationMessageId: "order-4711",
    attempt: 0,
    destinationNumber: "+447700900123",
    messageType: "TRANSACTIONAL",
    occurredAt: startOfTest + 5,
    ...changes,
  };
}

/** The success event of an attempt of {@link sentMessage}. */
export function successEvent(changes: Partial<DeliveryEvent> = {}): DeliveryEvent {
  return failureEvent({ kind: "success", status: "DELIVERED", ...changes });
}

/** The defaults of a deployment. */
export function retryPolicy(changes: Partial<RetryPolicy> = {}): RetryPolicy {
  return {
    ...retryPolicyOf({
      ...settingDefaults,
      RETRYABLE_STATUSES: new Set<string>(settingDefaults.RETRYABLE_STATUSES),
    }),
    ...changes,
  };
}

/** The record of an event of End User Messaging, as a configuration set writes it. */
export function endUserMessagingRecord(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    eventType: "TEXT_UNREACHABLE",
    eventVersion: "1.0",
    eventTimestamp: (startOfTest + 5) * 1000,
    isFinal: true,
    originationPhoneNumber: "+447700900999",
    destinationPhoneNumber: "+447700900123",
    isoCountryCode: "GB",
    messageId: "msg-0",
    messageRequestTimestamp: startOfTest * 1000,
    messageEncoding: "GSM",
    messageType: "TRANSACTIONAL",
    messageStatus: "UNREACHABLE",
    messageStatusDescription: "Phone is currently unreachable/unavailable",
    context: { application_message_id: "order-4711", retry_attempt: "0" },
    totalMessageParts: 1,
    totalMessagePrice: 0.03917,
    totalCarrierFee: 0,
    isInternationalSend: false,
    ...changes,
  };
}

/** The Pinpoint record of an event, as the event stream carries it. */
export function pinpointRecord(
  changes: { readonly [key: string]: unknown; readonly attributes?: Record<string, unknown> } = {},
): Record<string, unknown> {
  return {
    event_type: "_SMS.FAILURE",
    event_timestamp: (startOfTest + 5) * 1000,
    arrival_timestamp: (startOfTest + 4) * 1000,
    event_version: "3.1",
    application: { app_id: "0123456789abcdef0123456789abcdef", sdk: {} },
    client: { client_id: "123456789012" },
    device: { platform: {} },
    session: {},
    awsAccountId: "123456789012",
    metrics: { price_in_millicents_usd: 645 },
    ...changes,
    attributes: {
      sender_request_id: "d9c5a2de-3f0b-4a4c-8f0b-6f1c4f1f3a11",
      destination_phone_number: "+447700900123",
      record_status: "UNREACHABLE",
      iso_country_code: "GB",
      treatment_id: "0",
      number_of_message_parts: "1",
      message_id: "msg-0",
      message_type: "Transactional",
      customer_context: JSON.stringify({ application_message_id: "order-4711", retry_attempt: "0" }),
      ...changes.attributes,
    },
  };
}
