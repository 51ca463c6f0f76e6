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
  expect(partsOf("🔐".repeat(35))).toBe(1);
  expect(partsOf("🔐".repeat(36))).toBe(2);
});
