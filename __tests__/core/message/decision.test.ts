import { eventClasses } from "../../../functions/core/events/classification.ts";
import { attemptPositions, decide, type Facts } from "../../../functions/core/message/decision.ts";
import { isFinal, messageStatuses } from "../../../functions/core/message/message.ts";
import { combinations, documentedRows } from "../documented-table.ts";

/** Whether a cell fits; `open` and `over` are sums of statuses, in the column of statuses alone. */
function fits(cell: string | undefined, name: string, value: string): boolean {
  if (cell === "*") return true;
  if (name === "status" && (cell === "open" || cell === "over")) {
    return isFinal(value as Facts["status"]) === (cell === "over");
  }
  return cell === value;
}

const columns = ["event", "status", "attempt", "content", "retries", "time"] as const;

const everyCombination: Facts[] = combinations({
  event: eventClasses,
  status: messageStatuses,
  attempt: attemptPositions,
  content: ["sendable", "missing", "too-long"],
  retries: ["left", "none", "off", "shadowed"],
  time: ["left", "over", "unknown"],
});

describe("the decision table in the docs of decision.ts", () => {
  const rows = documentedRows("decision.ts");
  const rowOf = (facts: Facts): string[] | undefined =>
    rows.find((row) => columns.every((name, column) => fits(row[column], name, facts[name])));

  test("is equal to the code for every combination of facts", () => {
    expect(everyCombination).toHaveLength(7 * 9 * 5 * 3 * 4 * 3);
    const differing = everyCombination.flatMap((facts) => {
      const [action, reason] = rowOf(facts)?.slice(6) ?? [];
      const decided = decide(facts);
      return decided.action === action && decided.reason === reason
        ? []
        : [{ facts, decided, action, reason }];
    });
    expect(differing).toEqual([]);
  });

  test("has no row that no combination reaches", () => {
    const reached = new Set(everyCombination.map(rowOf));
    expect(rows.filter((row) => !reached.has(row))).toEqual([]);
  });
});

describe("states only move forward (rule 5)", () => {
  test("an ended retry sequence is left alone, save for a delivery", () => {
    const over = everyCombination.filter(({ status }) => isFinal(status));
    const moved = over.filter((facts) => decide(facts).action !== "ignore");
    expect(new Set(moved.map((facts) => decide(facts).action))).toEqual(new Set(["deliver"]));
    expect(new Set(moved.map(({ event }) => event))).toEqual(new Set(["delivered"]));
  });

  test("only an open message whose latest attempt failed gets a retry", () => {
    const scheduled = everyCombination.filter((facts) => decide(facts).action === "schedule");
    const among = (name: keyof Facts) => new Set(scheduled.map((facts) => facts[name]));
    expect(among("status")).toEqual(new Set(["SENDING", "SENT"]));
    expect(among("attempt")).toEqual(new Set(["only", "latest"]));
    for (const [name, value] of Object.entries({
      event: "retryable",
      content: "sendable",
      retries: "left",
      time: "left",
    })) {
      expect([...among(name as keyof Facts)]).toEqual([value]);
    }
  });

  test("an event about a send of somebody else changes nothing, whatever it says", () => {
    const foreign = everyCombination.filter(({ attempt }) => attempt === "foreign");
    expect(new Set(foreign.map((facts) => decide(facts).action))).toEqual(new Set(["ignore"]));
  });

  test("with retries off no failure ends as exhausted, whatever else is known", () => {
    const off = everyCombination.filter(({ retries }) => retries === "off");
    const actions = new Set(off.map((facts) => decide(facts).action));
    expect(["exhaust", "expire", "schedule"].filter((action) => actions.has(action as "expire"))).toEqual([]);
  });
});
