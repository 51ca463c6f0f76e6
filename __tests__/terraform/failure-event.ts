/** The delivery event of a message whose handset could not be reached. */
import { randomUUID } from "node:crypto";
import { endUserMessagingEvent } from "../../local/sms-service/end-user-messaging-event.ts";
import { pinpointEvent } from "../../local/sms-service/pinpoint-event.ts";
import { accountId, applicationId } from "./emulated-aws.ts";

/** What the event is about. */
export interface FailedMessage {
  readonly destination: string;
  readonly messageId: string;
  readonly context: Readonly<Record<string, string>>;
}

/** The event as Pinpoint writes it into a stream. */
export function pinpointFailure(failed: FailedMessage): object {
  return pinpointEvent({
    ...factsOf(failed),
    applicationId,
    accountId,
    requestId: randomUUID(),
    arrivedAt: Date.now(),
  });
}

/** The event as End User Messaging sends it to a destination. */
export function endUserMessagingFailure(failed: FailedMessage): object {
  return endUserMessagingEvent({ ...factsOf(failed), encoding: "GSM", requestedAt: Date.now() - 1_000 });
}

function factsOf({ destination, messageId, context }: FailedMessage) {
  return {
    kind: "failure",
    status: "UNREACHABLE",
    messageId,
    destination,
    origination: "+15550100000",
    messageType: "TRANSACTIONAL",
    messageParts: 1,
    context,
    occurredAt: Date.now(),
  } as const;
}
