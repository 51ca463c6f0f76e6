/** What a caller asks of the SMS service, by whichever API it comes. */

import type { MessageType } from "../../functions/core/events/delivery-event.ts";
import type { EventFormat } from "../../functions/core/events/statuses.ts";

/** One SMS to one recipient. */
export interface SmsRequest {
  /**
   * The API by which it comes, named as the format of its delivery events: Pinpoint's `SendMessages`, or
   * `SendTextMessage` of End User Messaging (v2). Decides how the call is answered, too.
   */
  readonly api: EventFormat;
  readonly destination: string;
  readonly body: string;
  readonly messageType: MessageType;
  /** Number, sender id or pool; absent = the service chooses. */
  readonly origination?: string;
  readonly context?: Readonly<Record<string, string>>;
  /** Where the events of an End User Messaging send go; without one there are none. */
  readonly configurationSetName?: string;
  /** Until when, in seconds from now, an End User Messaging send may be handed to the carrier. */
  readonly timeToLive?: number;
  /** The most that an End User Messaging send may cost for each part, in US dollars. */
  readonly maxPrice?: number;
  /** Whether an End User Messaging send is only looked at. @default false */
  readonly isDryRun?: boolean;
  /** The request as its API has it, with all that the service takes and makes nothing of here. */
  readonly input: object;
}

/** The retry tag of a send; absent where an application sends by itself and sets none. */
export function retryTagOf({ context }: Pick<SmsRequest, "context">): number | undefined {
  if (context?.retry_attempt === undefined) return undefined;
  const attempt = Number(context.retry_attempt);
  return Number.isInteger(attempt) && attempt >= 0 ? attempt : 0;
}
