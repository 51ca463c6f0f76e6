/** How many parts a body has, against the library that everybody counts with. */
import fc from "fast-check";
import { SegmentedMessage } from "sms-segments-calculator";
import { partsOf } from "../../functions/core/message-parts.ts";

test("fault 29: a message of several parts counts as its parts", () => {
  expect(partsOf("")).toBe(1);
  expect(partsOf("x".repeat(160))).toBe(1);
  expect(partsOf("x".repeat(161))).toBe(2);
  expect(partsOf("x".repeat(1_530))).toBe(10);
  expect(partsOf("é".repeat(160))).toBe(1);
  expect(partsOf("[".repeat(81))).toBe(2);
  expect(partsOf("ж".repeat(70))).toBe(1);
  expect(partsOf("ж".repeat(71))).toBe(2);
});

test.each([
  ["GSM-7, its extension among it", "aé€[\n1 "],
  ["Cyrillic and emoji", "aж😀👍🏽🇬🇧€"],
  ["anything", ""],
])("the parts of a text in %s are those that sms-segments-calculator counts", (_what, alphabet) => {
  const character =
    alphabet === "" ? fc.string({ unit: "grapheme", maxLength: 1 }) : fc.constantFrom(...alphabet);
  fc.assert(
    fc.property(fc.array(character, { maxLength: 400 }), fc.nat(3), (characters, times) => {
      const body = characters
        .join("")
        .repeat(times + 1)
        .slice(0, 700)
        .toWellFormed();
      expect(partsOf(body)).toBe(Math.max(1, new SegmentedMessage(body).segmentsCount));
    }),
    { numRuns: 40 },
  );
});

test("every character of GSM-7 alone makes no message UCS-2", () => {
  for (const code of [...Array(0x400).keys(), 0x20ac]) {
    const body = String.fromCharCode(code).repeat(80);
    expect([code, partsOf(body)]).toEqual([code, Math.max(1, new SegmentedMessage(body).segmentsCount)]);
  }
});
