import { readFileSync } from "node:fs";
import { join } from "node:path";
import { eventClasses } from "../../functions/core/classification.ts";
import { attemptPositions, decide, type Facts } from "../../functions/core/decision.ts";
import { isFinal, messageStatuses } from "../../functions/core/message.ts";
import { decideWakeUp } from "../../functions/core/wake-up-decision.ts";
import { sentMessage, startOfTest } from "../support/messages.ts";

/** Rows of the first table in a source file's doc comment, without head and rule. */
function documentedRows(file: string): string[][] {
  const source = readFileSync(join(import.meta.dirname, "../../functions/core", file), "utf8");
  const rows = source
    .split("\n")
    .filter((line) => line.startsWith(" * |"))
    .map((line) =>
      line
        .slice(4, -1)
        .split("|")
        .map((cell) => cell.trim()),
    );
  return rows.slice(2);
}

function fits(cell: string | undefined, value: string): boolean {
  if (cell === "*") return true;
  if (cell === "open") return !isFinal(value as Facts["status"]);
  if (cell === "over") return isFinal(value as Facts["status"]);
  return cell === value;
}

const yesNo = (value: boolean): string => (value ? "yes" : "no");

const everyCombination: Facts[] = eventClasses.flatMap((event) =>
  messageStatuses.flatMap((status) =>
    attemptPositions.flatMap((attempt) =>
      [true, false].flatMap((sendable) =>
        [true, false].flatMap((retriesLeft) =>
          [true, false].map((beforeDeadline) => ({
            event,
            status,
            attempt,
            sendable,
            retriesLeft,
            beforeDeadline,
          })),
        ),
      ),
    ),
  ),
);

describe("the decision table in the docs of decision.ts", () => {
  const rows = documentedRows("decision.ts");
  const rowOf = (facts: Facts): string[] | undefined =>
    rows.find(
      ([event, status, attempt, sendable, retriesLeft, beforeDeadline]) =>
        fits(event, facts.event) &&
        fits(status, facts.status) &&
        fits(attempt, facts.attempt) &&
        fits(sendable, yesNo(facts.sendable)) &&
        fits(retriesLeft, yesNo(facts.retriesLeft)) &&
        fits(beforeDeadline, yesNo(facts.beforeDeadline)),
    );

  test("is equal to the code for every combination of facts", () => {
    expect(everyCombination).toHaveLength(6 * 9 * 4 * 2 * 2 * 2);
    for (const facts of everyCombination) {
      const [, , , , , , action, reason] = rowOf(facts) ?? [];
      expect({ facts, ...decide(facts) }).toEqual({ facts, action, reason });
    }
  });

  test("has no row that no combination reaches", () => {
    const reached = new Set(everyCombination.map(rowOf));
    expect(rows.filter((row) => !reached.has(row))).toEqual([]);
  });
});

describe("states only move forward (rule 5)", () => {
  test("an ended series is left alone, save for a delivery", () => {
    for (const facts of everyCombination.filter(({ status }) => isFinal(status))) {
      expect({ facts, allowed: ["ignore", "deliver"].includes(decide(facts).action) }).toEqual({
        facts,
        allowed: true,
      });
    }
  });

  test("only an open message whose latest attempt failed gets a retry", () => {
    const scheduled = everyCombination.filter((facts) => decide(facts).action === "schedule");
    expect(new Set(scheduled.map(({ status }) => status))).toEqual(new Set(["SENDING", "SENT"]));
    expect(new Set(scheduled.map(({ attempt }) => attempt))).toEqual(new Set(["only", "latest"]));
    expect(
      scheduled.every(({ event, retriesLeft, beforeDeadline, sendable }) => {
        return event === "retryable" && retriesLeft && beforeDeadline && sendable;
      }),
    ).toBe(true);
  });
});

describe("the wake-up table in the docs of wake-up-decision.ts", () => {
  const now = startOfTest;
  const scheduled = { status: "RETRY_SCHEDULED", next_attempt_at: now } as const;
  const sending = { status: "SENDING", retry_count: 1, claim_expires_at: now } as const;
  const marked = { attempts: { "1": { possible_duplicate: true } } };

  /** An item, deployment guarantee and expected decision for each row, in the order of the table. */
  const cases: Parameters<typeof decideWakeUp>[0][][] = [
    [undefined, sentMessage({ ...scheduled, expires_at: now })],
    [
      sentMessage({ status: "DELIVERED" }),
      sentMessage({ status: "CANCELLED" }),
      sentMessage({ status: "OPTED_OUT" }),
    ],
    [sentMessage({ ...scheduled, retry_count: 1 }), sentMessage({ ...scheduled, retry_count: 5 })],
    [sentMessage({ ...scheduled, deadline: now })],
    [sentMessage({ ...scheduled, next_attempt_at: now + 7 })],
    [sentMessage({ ...scheduled }), sentMessage({ ...scheduled, next_attempt_at: now - 900 })],
    [sentMessage({ ...sending, claim_expires_at: now + 30 })],
    [sentMessage({ ...sending, deadline: now })],
    [sentMessage(sending)],
    [sentMessage({ ...sending, delivery_guarantee: "at-most-once" }), sentMessage({ ...sending, ...marked })],
    [
      sentMessage({ retry_count: 1 }),
      sentMessage({ retry_count: 0 }),
      sentMessage({ status: "SENT", retry_count: 3 }),
    ],
  ];

  test("has a case for each row and is equal to the code", () => {
    const rows = documentedRows("wake-up-decision.ts");
    expect(rows).toHaveLength(cases.length);
    for (const [index, [item, actionText = "", reason]] of rows.entries()) {
      const action = actionText.split(" ")[0];
      for (const message of cases[index] ?? []) {
        expect({ item, ...decideWakeUp(message, 1, now, "at-least-once") }).toMatchObject({
          item,
          action,
          reason,
        });
      }
    }
  });

  test("postpones to the second that the item names", () => {
    expect(decideWakeUp(cases[4]?.[0], 1, now, "at-least-once")).toMatchObject({ until: now + 7 });
    expect(decideWakeUp(cases[6]?.[0], 1, now, "at-least-once")).toMatchObject({ until: now + 30 });
  });

  test("an item's own delivery guarantee overrides the deployment's", () => {
    const item = sentMessage({ ...sending, delivery_guarantee: "at-least-once" });
    expect(decideWakeUp(item, 1, now, "at-most-once").action).toBe("claim-again");
    expect(decideWakeUp(sentMessage(sending), 1, now, "at-most-once").action).toBe("give-up");
  });
});
