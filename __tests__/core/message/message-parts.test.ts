import fc from "fast-check";
import { SegmentedMessage } from "sms-segments-calculator";
import {
  isBodyTooLong,
  longestBodyCharacters,
  partsInGsm7,
  partsOf,
} from "../../../functions/core/message/message-parts.ts";

test("fault 29: a message of several parts counts as its parts", () => {
  expect(partsOf("")).toBe(1);
  expect(partsOf("x".repeat(160))).toBe(1);
  expect(partsOf("x".repeat(161))).toBe(2);
  expect(partsOf("x".repeat(1_530))).toBe(10);
  expect(partsOf("é".repeat(160))).toBe(1);
  expect(partsOf("[".repeat(81))).toBe(2);
  expect(partsOf("ж".repeat(70))).toBe(1);
  expect(partsOf("ж".repeat(71))).toBe(2);
  expect(partsOf("🔐".repeat(35))).toBe(1);
  expect(partsOf("🔐".repeat(36))).toBe(2);
});

test("a text of GSM-7 has as many parts as the library counts, with characters of two septets", () => {
  const text = fc.string({
    unit: fc.constantFrom("a", "a", "a", "é", "\n", "[", "€", "\\", "^", "|"),
    maxLength: 700,
  });
  fc.assert(
    fc.property(text, (body) => {
      expect(partsOf(body)).toBe(Math.max(1, new SegmentedMessage(body).segmentsCount));
    }),
  );
  expect(partsOf(`${"a".repeat(152)}[${"a".repeat(152)}`)).toBe(3);
  // Each time where the parts before end, and one more or less, so that every second part is torn.
  for (let first = 149; first <= 152; first += 1) {
    for (let gap = 148; gap <= 152; gap += 1) {
      const body = `${"a".repeat(first)}[${"a".repeat(gap)}[${"a".repeat(gap)}[${"a".repeat(gap)}[`;
      for (const end of [0, 1, 2, 3, 150, 151, 152, 153].map((length) => `${body}${"a".repeat(length)}`))
        expect(partsOf(end)).toBe(new SegmentedMessage(end).segmentsCount);
    }
  }
});

test("a text beyond GSM-7 has as many parts as the library counts, with emoji of several units", () => {
  const text = fc.string({
    unit: fc.constantFrom("ж", "a", "€", "語", "🔐", "é", "👍🏽", "🇩🇪", "\n"),
    maxLength: 300,
  });
  fc.assert(
    fc.property(text, (some) => {
      const body = `ж${some}`;
      expect(partsOf(body)).toBe(new SegmentedMessage(body).segmentsCount);
    }),
  );
  for (let length = 65; length <= 69; length += 1) {
    for (const end of ["🔐", "🔐🔐", `🔐${"ж".repeat(66)}`, `🔐${"ж".repeat(65)}🔐`]) {
      const body = "ж".repeat(length) + end;
      expect(partsOf(body)).toBe(new SegmentedMessage(body).segmentsCount);
    }
  }
});

describe("a body is too long", () => {
  test.each([
    ["letters", "x", 1_600],
    ["two letters of the GSM extension", "[", 1_600],
    ["letters beyond GSM-7", "ж", 1_600],
    ["emoji, each of two units", "🔐", 1_600],
  ])("where no service takes it: more than 1 600 %s", (_what, character, most) => {
    expect(isBodyTooLong("")).toBe(false);
    expect(isBodyTooLong(character.repeat(most))).toBe(false);
    expect(isBodyTooLong(character.repeat(most + 1))).toBe(true);
  });

  test("counts an emoji once: 800 emoji and 800 letters are taken, and one more is not", () => {
    const most = "🔐".repeat(800) + "x".repeat(800);
    expect(isBodyTooLong(most)).toBe(false);
    expect(isBodyTooLong(`${most}x`)).toBe(true);
  });

  test("is told without reading it, however long it is", () => {
    const endless = "🔐".repeat(5_000_000);
    const startedAt = performance.now();
    let told = 0;
    // Reading it takes a tenth of a second each time.
    while (told < 1_000 && performance.now() - startedAt < 5_000) told += Number(isBodyTooLong(endless));
    expect(told).toBe(1_000);
  });

  test("by the limit of the API", () => {
    expect(longestBodyCharacters).toBe(1_600);
  });
});

describe("GSM-7", () => {
  const ofOneSeptet = [
    "\n\r !\"#$%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz",
    "@£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà",
  ].join("");

  test.each([...ofOneSeptet])("writes %j in one septet, without asking the library", (character) => {
    expect([partsInGsm7(character.repeat(160)), partsInGsm7(character.repeat(161))]).toEqual([1, 2]);
  });

  test.each([..."\f^{}\\[~]|€"])("writes %j in two septets, without asking the library", (character) => {
    expect([partsInGsm7(character.repeat(80)), partsInGsm7(character.repeat(81))]).toEqual([1, 2]);
  });

  test.each(["–", "“", "ç", "Ё", "😀", "`", "\t"])("cannot write %j", (character) => {
    expect(partsInGsm7(`a${character}`)).toBeUndefined();
  });
});
