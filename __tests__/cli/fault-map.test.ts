import { readFileSync } from "node:fs";
import { join } from "node:path";
import { faultTestsOf, readFaultTests, withoutTests, withTests } from "../../cli/generate-fault-map.ts";

const map = readFileSync(join(import.meta.dirname, "../../docs/faults.md"), "utf8");

describe("docs/faults.md", () => {
  test("names for every fault the tests that there are", async () => {
    expect(withTests(map, await readFaultTests())).toBe(map);
  });

  test("has all 70 faults, and a test for each", () => {
    const faults = [...map.matchAll(/^\| (\d+) \|/gm)].map(([, fault]) => Number(fault));
    expect(faults).toEqual(Array.from({ length: 70 }, (_, index) => index + 1));
    expect(withoutTests(map)).toEqual([]);
  });
});

describe("reading the names of tests", () => {
  test("finds tests, groups and tables of tests that begin with a fault's number", () => {
    const text = `
      describe("fault 3: a group", () => {
        test("fault 13 and 15: two at once", () => {});
        test("about fault 9", () => {});
        test.each([1, 2])("fault 28: %i times", () => {});
      });`;
    expect(faultTestsOf("a.test.ts", text).map(({ fault }) => fault)).toEqual([3, 13, 15, 28]);
  });

  test("a fault without a test is told", () => {
    expect(
      withoutTests(
        withTests("| 4 | something | old |\n| 5 | other | old |", [
          { fault: 5, file: "__tests__/a.ts", name: "fault 5: b" },
        ]),
      ),
    ).toEqual([4]);
  });
});
