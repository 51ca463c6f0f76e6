/** The application's own context keys, out of items and events that anybody may have written. */
import fc from "fast-check";
import { ownContextLimits, readOwnContext } from "../../../functions/core/events/send-context.ts";

test("an application's own entries are read from an object or its JSON text, without ours", () => {
  const context = { shop: "berlin", application_message_id: "a", retry_attempt: "2", till: "3" };
  const own = { shop: "berlin", till: "3" };
  expect(readOwnContext(context)).toStrictEqual(own);
  expect(readOwnContext(JSON.stringify(context))).toStrictEqual(own);
});

test.each<[string, unknown]>([
  ["only ours", { application_message_id: "a", retry_attempt: "2" }],
  ["nothing", {}],
  ["no texts", { a: 1, b: null, c: ["d"], e: { f: "g" }, h: true }],
  ["an empty key, which DynamoDB refuses", { "": "a" }],
  ["a key that is no key of an object", '{"__proto__": "a"}'],
  ["a list", ["a"]],
  ["a text", "shop"],
  ["null", null],
  ["nothing at all", undefined],
])("%s is no context of an application", (_what, context) => {
  expect(readOwnContext(context)).toBeUndefined();
});

test("what goes beyond the limits is left out, and what comes after it and fits is not", () => {
  const many = Object.fromEntries(Array.from({ length: 25 }, (_, n) => [`key-${n}`, "x"]));
  expect(Object.keys(readOwnContext(many) ?? {})).toEqual(
    Array.from({ length: ownContextLimits.entries }, (_, n) => `key-${n}`),
  );

  // "€" has three bytes.
  const size = (ownContextLimits.bytes - 1) / 3;
  const context = { a: "€".repeat(size), b: "€".repeat(100), "": "" };
  expect(readOwnContext(context)).toEqual({ a: "€".repeat(size) });
  expect(readOwnContext({ a: `${"€".repeat(size)}x`, b: "fits" })).toEqual({ b: "fits" });
});

test("the most that End User Messaging takes is carried whole", () => {
  const most = Object.fromEntries(["a", "b", "c", "d"].map((key) => [key.repeat(100), "東".repeat(800)]));
  expect(readOwnContext(most)).toEqual(most);
});

test("junk never throws, and what is read stays within the limits and is read again as it is", () => {
  fc.assert(
    fc.property(fc.oneof(fc.anything(), fc.json(), fc.dictionary(fc.string(), fc.string())), (junk) => {
      const own = readOwnContext(junk);
      if (own === undefined) return;
      expect(Object.keys(own).length).toBeLessThanOrEqual(ownContextLimits.entries);
      expect(Buffer.byteLength(Object.entries(own).flat().join(""))).toBeLessThanOrEqual(
        ownContextLimits.bytes,
      );
      expect(readOwnContext(own)).toEqual(own);
    }),
    { numRuns: 300 },
  );
});
