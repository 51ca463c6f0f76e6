/** The delivery event of a message whose handset could not be reached. */
import { randomUUID } from "node:crypto";
import { pinpointEvent } from "../../local/sms-service/pinpoint-event.ts";
import { accountId, applicationId } from "./emulated-aws.ts";

/** What the event is about. */
export interface FailedMessage {
  readonly destination: string;
  readonly messageId: string;
  readonly context: Readonly<Record<string, string>>;
}

/** The event as Pinpoint writes it into a stream. */
export function failureRecord({ destination, messageId, context }: FailedMessage): object {
  return pinpointEvent({
    applicationId,
    accountId,
    kind: "failure",
    status: "UNREACHABLE",
    messageId,
    requestId: randomUUID(),
    destination,
    origination: "+15550100000",
    messageType: "TRANSACTIONAL",
    messageParts: 1,
    context,
    occurredAt: Date.now(),
    arrivedAt: Date.now(),
  });
}
