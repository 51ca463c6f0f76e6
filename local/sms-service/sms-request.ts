/** What a caller asks of the SMS service, by whichever API it comes. */

/** The two APIs that send: Pinpoint's `SendMessages`, and `SendTextMessage` of End User Messaging (v2). */
export type SmsApi = "pinpoint" | "end-user-messaging";

/** One SMS to one recipient. */
export interface SmsRequest {
  /** Decides how the call is answered, and in which format the delivery events are. */
  readonly api: SmsApi;
  readonly destination: string;
  readonly body: string;
  readonly messageType: "TRANSACTIONAL" | "PROMOTIONAL";
  /** Number, sender id or pool; absent = the service chooses. */
  readonly origination?: string;
  readonly context?: Readonly<Record<string, string>>;
  /** Where the events of an End User Messaging send go; without one there are none. */
  readonly configurationSetName?: string;
  /** The request as its API has it, with all that the service takes and makes nothing of here. */
  readonly input: object;
}

/** The retry tag of a send; absent where an application sends by itself and sets none. */
export function retryTagOf({ context }: Pick<SmsRequest, "context">): number | undefined {
  if (context?.retry_attempt === undefined) return undefined;
  const attempt = Number(context.retry_attempt);
  return Number.isInteger(attempt) && attempt >= 0 ? attempt : 0;
}
