/** Which messages `sms-retry redrive --overdue` takes for overdue, and how fast it reads the table. */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, ScanCommand } from "@aws-sdk/lib-dynamodb";
import { mockClient } from "aws-sdk-client-mock";
import { segments, walkTable } from "../../cli/message-table.ts";
import { overdueOf, overdueQuestion } from "../../cli/redrive/overdue.ts";
import { startOfTest as now } from "../support/messages.ts";

const id = "order-1";
const hour = 3_600;

describe("an item", () => {
  test.each<[what: string, item: object, found: object]>([
    [
      "whose retry was due an hour ago waits for it",
      { status: "RETRY_SCHEDULED", retry_count: 1, next_attempt_at: now - hour },
      { waitsFor: "retry", pointer: { kind: "retry-message", attempt: 2 }, overdueSeconds: hour },
    ],
    [
      "that never says how often it was sent waits for its first retry",
      { status: "RETRY_SCHEDULED", next_attempt_at: now - hour },
      { waitsFor: "retry", pointer: { kind: "retry-message", attempt: 1 } },
    ],
    [
      "whose lease ended an hour ago waits for the same attempt",
      { status: "SENDING", retry_count: 2, claim_expires_at: now - hour },
      { waitsFor: "send", pointer: { kind: "retry-message", attempt: 2 }, overdueSeconds: hour },
    ],
    [
      "whose first send by the producer has no end waits for attempt 0",
      { status: "SENDING", retry_count: 0, claim_expires_at: now - 2 * hour },
      { waitsFor: "send", pointer: { kind: "retry-message", attempt: 0 }, overdueSeconds: 2 * hour },
    ],
    [
      "with an attempt of unknown outcome waits for its receipt check",
      {
        status: "SENT",
        status_reason: "outcome-unknown",
        retry_count: 1,
        attempts: { 0: {}, 1: { outcome: "UNCONFIRMED", outcome_at: now - hour - 900 } },
      },
      { waitsFor: "receipt", pointer: { kind: "receipt-check", attempt: 1 }, overdueSeconds: hour },
    ],
    [
      "past its deadline is told apart",
      { status: "RETRY_SCHEDULED", next_attempt_at: now - hour, deadline: now },
      { waitsFor: "retry", isPastDeadline: true },
    ],
    [
      "before its deadline is not past it",
      { status: "RETRY_SCHEDULED", next_attempt_at: now - hour, deadline: now + 1 },
      { waitsFor: "retry", isPastDeadline: false },
    ],
  ])("%s", (_what, item, found) => {
    const { pointer, ...others } = found as { pointer?: object };
    const overdue = overdueOf({ application_message_id: id, ...item }, now);

    expect(overdue).toMatchObject(others);
    if (pointer !== undefined) expect(overdue?.pointer).toEqual({ application_message_id: id, ...pointer });
  });

  test.each<[what: string, item: object]>([
    [
      "whose retry is not yet due for an hour",
      { status: "RETRY_SCHEDULED", next_attempt_at: now - hour + 1 },
    ],
    ["whose lease is not over for an hour", { status: "SENDING", claim_expires_at: now - hour + 1 }],
    [
      "whose receipt check is not due for an hour",
      {
        status: "SENT",
        status_reason: "outcome-unknown",
        attempts: { 0: { outcome: "UNCONFIRMED", outcome_at: now - hour - 899 } },
      },
    ],
    ["that was sent and waits for its event", { status: "SENT", attempts: { 0: { outcome_at: 1 } } }],
    ["without a status", { message_body: "Hello" }],
    ["that is over", { status: "EXPIRED", next_attempt_at: 1, claim_expires_at: 1 }],
    [
      "that DynamoDB is about to delete",
      { status: "RETRY_SCHEDULED", next_attempt_at: now - hour, expires_at: now },
    ],
    ["without the time at which it was due", { status: "RETRY_SCHEDULED" }],
  ])("%s is not overdue", (_what, item) => {
    expect(overdueOf({ application_message_id: id, ...item }, now)).toBeUndefined();
  });
});

describe("the walk through the table", () => {
  /** A table of items that cost a quarter of a unit each, on a clock that stands still. */
  function walkOver(itemsPerSegment: number, readUnits: number) {
    const dynamodb = mockClient(DynamoDBDocumentClient);
    const pages: { segment: number; limit: number }[] = [];
    let [seen, slept] = [0, 0];
    dynamodb.on(ScanCommand).callsFake(({ Segment, Limit, ExclusiveStartKey }) => {
      pages.push({ segment: Segment, limit: Limit });
      const start = ExclusiveStartKey?.n ?? 0;
      const count = Math.min(Limit, itemsPerSegment - start);
      return {
        Items: [],
        ScannedCount: count,
        ConsumedCapacity: { CapacityUnits: count / 4 },
        ...(start + count < itemsPerSegment && { LastEvaluatedKey: { n: start + count } }),
      };
    });
    const walk = (most = Number.POSITIVE_INFINITY) =>
      walkTable({
        question: overdueQuestion(() => now * 1_000),
        client: DynamoDBDocumentClient.from(new DynamoDBClient({ region: "us-east-1" })),
        tableName: "message-state",
        readUnits,
        now: () => now * 1_000,
        sleep: async (milliseconds) => {
          slept += milliseconds;
        },
        onPage: async (_items, scanned) => {
          seen += scanned;
          return seen < most;
        },
      });
    return { walk, pages, seen: () => seen, sleptSeconds: () => slept / 1_000 };
  }

  test("looks at every item of every segment once", async () => {
    const { walk, pages, seen } = walkOver(1_234, 1_000);

    await walk();

    expect(seen()).toBe(4 * 1_234);
    expect(new Set(pages.map(({ segment }) => segment))).toEqual(new Set([0, 1, 2, 3]));
  });

  test.each([4, 100, 1_000])("reads %d units a second, and not more", async (readUnits) => {
    const { walk, sleptSeconds } = walkOver(4_000, readUnits);

    await walk();

    // 16 000 items cost 4 000 units. Segments sleep side by side; a last page is not waited for.
    const seconds = sleptSeconds() / segments;
    expect(seconds).toBeLessThanOrEqual(4_000 / readUnits);
    expect(seconds).toBeGreaterThan(4_000 / readUnits - 2);
  });

  test("a page costs about a second's worth of units, however small the items", async () => {
    const { walk, pages } = walkOver(4_000, 400);

    await walk();

    // 100 units a second for a segment are 400 items; the first page cannot know.
    expect(pages.map(({ limit }) => limit)).toEqual(expect.arrayContaining([100, 400]));
    expect(Math.max(...pages.map(({ limit }) => limit))).toBe(400);
  });

  test("ends where nothing more is wanted", async () => {
    const { walk, seen } = walkOver(1_000_000, 1_000);

    await walk(500);

    expect(seen()).toBeLessThan(10_000);
  });
});
