/** How long a body may be, and how many parts the service bills and counts for it. */
import { SegmentedMessage } from "sms-segments-calculator";

/**
 * Longest body that the services take, in characters.
 *
 * @see https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html
 */
export const longestBodyCharacters = 1_600;

/**
 * Whether no service takes a body. AWS does not say whether it counts an emoji as one character or as two, so only
 * what is too long either way is.
 */
export function isBodyTooLong(body: string): boolean {
  if (body.length <= longestBodyCharacters) return false;
  if (body.length > 2 * longestBodyCharacters) return true;
  return [...body].length > longestBodyCharacters;
}

/** The characters that GSM-7 writes in one septet, by 3GPP TS 23.038; the others take two, or need UCS-2. */
const oneSeptetEach = /^[\n\r !"#$%&'()*+,\-./0-9:;<=>?A-Z_a-z@£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà]*$/u;

/** So short that it is one part in either encoding. */
const surelyOnePart = 70;

/** Septets of a message of one part, and of each part of a longer one. */
const septets = { alone: 160, ofSeveral: 153 };

/**
 * The number of parts of a body, at least 1: GSM-7 160/153 characters, UCS-2 70/67. Usual texts are counted here; the
 * rest, where characters must not be torn between two parts, takes a library about a millisecond. Not for a body
 * that {@link isBodyTooLong}: the library's time grows with the square of the length.
 *
 * @see https://docs.aws.amazon.com/pinpoint/latest/userguide/channels-sms-limitations-characters.html
 */
export function partsOf(body: string): number {
  if (body.length <= surelyOnePart) return 1;
  if (oneSeptetEach.test(body)) {
    return body.length <= septets.alone ? 1 : Math.ceil(body.length / septets.ofSeveral);
  }
  return Math.max(1, new SegmentedMessage(body).segmentsCount);
}
