/**
 * How many parts the service bills and counts for a body.
 *
 * Not `sms-segments-calculator`: it spends milliseconds on a body, on a small function tens of them, which is more
 * than a send may cost at a high rate. A test keeps the two equal.
 *
 * @see https://docs.aws.amazon.com/pinpoint/latest/userguide/channels-sms-limitations-characters.html
 */

/** The basic character set of GSM 03.38; each takes one septet. */
const basicSet = new Set(
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
);

/** Its extension; each takes two septets, which stay in one part. */
const extensionSet = new Set("\f^{}\\[~]|€");

/** Room in the only part, and in each of several: a header takes the rest. */
const rooms = { septets: [160, 153], utf16Units: [70, 67] } as const;

/** The number of parts of a body, at least 1: GSM-7 160/153 characters, UCS-2 70/67. */
export function partsOf(body: string): number {
  let isGsm = true;
  for (const character of body) {
    isGsm &&= basicSet.has(character) || extensionSet.has(character);
  }
  return isGsm
    ? pack(body, rooms.septets, (character) => (extensionSet.has(character) ? 2 : 1))
    : pack(body, rooms.utf16Units, (character) => character.length);
}

/** Fills parts character by character; none is torn between two. */
function pack(
  body: string,
  [only, each]: readonly [number, number],
  sizeOf: (character: string) => number,
): number {
  let total = 0;
  let parts = 1;
  let inPart = 0;
  for (const character of body) {
    const size = sizeOf(character);
    total += size;
    if (inPart + size > each) {
      parts += 1;
      inPart = 0;
    }
    inPart += size;
  }
  return total <= only ? 1 : parts;
}
