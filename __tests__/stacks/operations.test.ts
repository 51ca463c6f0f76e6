/** `docs/operations.md` says what there is: no metric and no alarm more or less. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  eventMetrics,
  receiptCheckMetrics,
  retryMessageMetrics,
} from "../../functions/core/observability/outcomes.ts";
import { otherMetrics } from "../../functions/core/observability/telemetry.ts";
import { resourcesOf, synthesiseAll } from "./synthesised.ts";

const page = readFileSync(join(__dirname, "../../docs/operations.md"), "utf8");

/** The first cells of the table under a heading. */
function namesUnder(heading: string): string[] {
  const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? "";
  return [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, name = ""]) => name).sort();
}

test("the page explains every metric once", () => {
  const outcomes = [eventMetrics, retryMessageMetrics, receiptCheckMetrics].flatMap((names) =>
    Object.values<string>(names),
  );
  const metrics = [...outcomes, ...otherMetrics];
  expect(namesUnder("Metrics")).toEqual([...new Set<string>(metrics)].sort());
});

test("the page explains every alarm of every stack once", () => {
  const alarms = Object.values(synthesiseAll()).flatMap((stack) =>
    resourcesOf(stack, "aws_cloudwatch_metric_alarm").map(([name]) => name),
  );
  expect(namesUnder("Alarms")).toEqual([...new Set(alarms)].sort());
});

test("every link within the page leads somewhere", () => {
  const anchors = [...page.matchAll(/^##+ (.+)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w -]/g, "")
      .replaceAll(" ", "-"),
  );
  const links = [...page.matchAll(/\]\(#([\w-]+)\)/g)].map(([, anchor = ""]) => anchor);
  expect(links.filter((link) => !anchors.includes(link))).toEqual([]);
});
