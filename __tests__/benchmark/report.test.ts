/** What a benchmark says of its figures, and what it takes for worse. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type MeasureName, type Summary, summaryOf } from "../../benchmark/measures.ts";
import { page, type Result, regressions, summaries, table } from "../../benchmark/report.ts";

const on = {
  day: "2026-11-25",
  node: "v24.1.0",
  architecture: "x64",
  cores: 2,
  load: 1,
  runs: 3,
  latencyMs: 10,
};

/** A result with these medians of the first contestant. */
function result(medians: Partial<Record<MeasureName, number>>): Result {
  const figures = Object.fromEntries(
    Object.entries(medians).map(([name, median]): [string, Summary] => [name, { median, spread: 0 }]),
  );
  return { on, figures: { this: figures } };
}

describe("the figures of some runs", () => {
  test.each([
    [[3], 3, 0],
    [[5, 1, 3], 3, 4 / 3],
    [[4, 1, 2, 3], 2.5, 1.2],
    [[0, 0], 0, 0],
  ])("of %j have the median %d and the spread %d", (values, median, spread) => {
    expect(summaryOf(values)).toEqual({ median, spread });
  });

  test("are told with three digits, and left out where nothing was taken", () => {
    expect(
      summaries([{ retry_cpu_ms: 1.23456 }, { retry_cpu_ms: 1.23456, zip_resend_kib: 106.851 }]),
    ).toEqual({
      retry_cpu_ms: { median: 1.23, spread: 0 },
      zip_resend_kib: { median: 107, spread: 0 },
    });
  });

  test("of two contestants stand side by side, with the ratio of the second to the first", () => {
    const both: Result = {
      on,
      figures: {
        this: { retry_cpu_ms: { median: 2, spread: 0.1 } },
        other: { retry_cpu_ms: { median: 5, spread: 0 } },
      },
    };
    expect(table(both)).toBe(
      `| measure | in | this | spread | other | spread | other / this |
| --- | --- | --- | --- | --- | --- | --- |
| CPU of a retry, event consumer and resend worker | ms | 2 | 10 % | 5 | 0 % | 2.50 × |
`,
    );
  });
});

describe("a figure is worse than the baseline allows", () => {
  const baseline = result({
    yardstick_ms: 100,
    retry_cpu_ms: 2,
    failures_per_second_500: 500,
    message_write_units: 13,
    failure_request_bytes: 1_000,
    in_progress_calls: 0,
    memory_mb: 100,
  });
  const worse = (medians: Parameters<typeof result>[0]) =>
    regressions(result({ yardstick_ms: 100, ...medians }), baseline).map(({ name }) => name);

  test("where a count has grown by more than a fiftieth", () => {
    expect(worse({ failure_request_bytes: 1_010 })).toEqual([]);
    expect(worse({ failure_request_bytes: 1_030 })).toEqual(["failure_request_bytes"]);
    expect(worse({ failure_request_bytes: 700 })).toEqual([]);
  });

  test("where a count that depends on the moment has grown by more than a fifth", () => {
    expect(worse({ message_write_units: 15 })).toEqual([]);
    expect(worse({ message_write_units: 16 })).toEqual(["message_write_units"]);
  });

  test("where something costs that cost nothing", () => {
    expect(worse({ in_progress_calls: 0 })).toEqual([]);
    expect(worse({ in_progress_calls: 0.1 })).toEqual(["in_progress_calls"]);
  });

  test("where CPU has grown by more than two fifths, or a time on the clock by more than four", () => {
    expect(worse({ retry_cpu_ms: 2.7, failures_per_second_500: 280 })).toEqual([]);
    expect(worse({ retry_cpu_ms: 2.9 })).toEqual(["retry_cpu_ms"]);
    expect(worse({ failures_per_second_500: 270 })).toEqual(["failures_per_second_500"]);
  });

  test("by the speed of the machine that it was taken on, save for memory", () => {
    const slow = { yardstick_ms: 300 };
    expect(worse({ ...slow, retry_cpu_ms: 6, failures_per_second_500: 170 })).toEqual([]);
    expect(worse({ ...slow, memory_mb: 200 })).toEqual(["memory_mb"]);
  });
});

test("the page of the docs says on what it was measured, and is that of the baseline", () => {
  const root = join(__dirname, "../..");
  const baseline = JSON.parse(readFileSync(join(root, "benchmark/baseline.json"), "utf8")) as Result;
  expect(page(result({ retry_cpu_ms: 2 }))).toContain(
    "2026-11-25, Node 24.1.0, x64, 2 cores, a load of 1 when it\nbegan.",
  );
  expect(page(baseline)).toBe(readFileSync(join(root, "docs/performance.md"), "utf8"));
});
