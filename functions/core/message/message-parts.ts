/** How long a body may be, and how many parts the service bills and counts for it. */

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
  if (body.length > 2 * longestBodyCharacters) return true;
  return [...body].length > longestBodyCharacters;
}

const oneSeptet = String.raw`\n\r !"#$%&'()*+,\-./0-9:;<=>?A-Z_a-z@£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà`;
const twoSeptets = String.raw`\f^{}\\\[~\]|€`;

/** What GSM-7 can write, by 3GPP TS 23.038: some characters in one septet, some in two; the others need UCS-2. */
const gsm7 = new RegExp(`^[${oneSeptet}${twoSeptets}]*$`, "u");
const extended = new RegExp(`[${twoSeptets}]`, "gu");

/** So short that it is one part in either encoding. */
const surelyOnePart = 70;

/** Septets of a message of one part, and of each part of a longer one. */
const septets = { alone: 160, ofSeveral: 153 };

/** UTF-16 units of each part of a longer message in UCS-2. */
const unitsOfSeveral = 67;

/**
 * The number of parts of a body, at least 1: GSM-7 160/153 septets, UCS-2 70/67 characters. A message without a body counts
 * as one. Not for a body that {@link isBodyTooLong}.
 *
 * @see https://docs.aws.amazon.com/pinpoint/latest/userguide/channels-sms-limitations-characters.html
 */
export function partsOf(body: string | undefined): number {
  if (body === undefined || body.length <= surelyOnePart) return 1;
  return partsInGsm7(body) ?? partsInUcs2(body);
}

/** What a reader takes for one character, an emoji of several units among them, is not torn between two parts. */
function partsInUcs2(body: string): number {
  let parts = 1;
  let used = 0;
  for (const { segment } of new Intl.Segmenter().segment(body)) {
    if (used + segment.length > unitsOfSeveral) {
      parts += 1;
      used = 0;
    }
    used += segment.length;
  }
  return parts;
}

/**
 * The parts of a body in GSM-7, in which a character of two septets is not torn between two parts; `undefined` where it
 * has a character that GSM-7 cannot write.
 */
export function partsInGsm7(body: string): number | undefined {
  if (!gsm7.test(body)) return undefined;
  const places = [...body.matchAll(extended)].map(({ index }) => index);
  if (body.length + places.length <= septets.alone) return 1;
  let empty = 0;
  for (const [number, place] of places.entries()) {
    const at = place + number + empty;
    if (at % septets.ofSeveral === septets.ofSeveral - 1) empty += 1;
  }
  return Math.ceil((body.length + places.length + empty) / septets.ofSeveral);
}
