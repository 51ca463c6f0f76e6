/** Walks through the message-state table, without getting in the way of the functions. */
import { DescribeTableCommand, DynamoDBClient, ResourceNotFoundException } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, ScanCommand, type ScanCommandInput } from "@aws-sdk/lib-dynamodb";
import { calling, screenPatience } from "./aws-call.ts";
import { UserError } from "./user-error.ts";

/** How many parts of the table are read at the same time. */
export const segments = 4;

/** Read units a second where the table is paid per request: a tenth of what a new table takes at once. */
const unitsOnDemand = 1_000;

/** Most items that a page may look at; DynamoDB ends a page at 1 MB in any case. */
const largestPage = 10_000;

/** Items of a first page, before it is known what an item costs. */
const firstPage = 100;

/** A client that waits while the table is busy: it tries throttled calls again and slows down meanwhile. */
export function tableClient(): DynamoDBDocumentClient {
  return DynamoDBDocumentClient.from(
    new DynamoDBClient({
      maxAttempts: 10,
      retryMode: "adaptive",
      requestHandler: screenPatience,
    }),
  );
}

/** What is known of a table before it is read. */
export interface TableFacts {
  /** About how many items it has; DynamoDB counts every six hours. */
  readonly itemCount: number;
  /** Read units a second that a walk may take: half of what the table has, where that is limited. */
  readonly readUnits: number;
}

/**
 * Looks at a table.
 *
 * @throws UserError if there is none of this name
 */
export function factsOf(client: DynamoDBDocumentClient, tableName: string): Promise<TableFacts> {
  return calling(client, "dynamodb:DescribeTable", async () => {
    try {
      const { Table = {} } = await client.send(new DescribeTableCommand({ TableName: tableName }));
      const { ItemCount = 0, ProvisionedThroughput: { ReadCapacityUnits = 0 } = {} } = Table;
      return {
        itemCount: ItemCount,
        // A table that is paid per request has no units of its own.
        readUnits: ReadCapacityUnits === 0 ? unitsOnDemand : ReadCapacityUnits / 2,
      };
    } catch (error) {
      if (!(error instanceof ResourceNotFoundException)) throw error;
      throw new UserError(
        `There is no table ${tableName} in the region ${await client.config.region()}; check the name and AWS_REGION.`,
        { cause: error },
      );
    }
  });
}

/** Which items a walk is about, and what it reads of them; `#name` in the filter is the attribute of that name. */
export interface TableQuestion {
  readonly attributes: readonly string[];
  /** @default - every item */
  readonly filter?: string;
  /** Of the filter; asked for anew before each page. @default - none */
  readonly values?: () => Readonly<Record<string, string | number>>;
}

/** What a walk needs. */
export interface TableWalk {
  readonly question: TableQuestion;
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  /** Read units a second, above 0, over all segments. */
  readonly readUnits: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<unknown>;
  /**
   * Is given the items of each page that pass the filter, and how many the page looked at, and answers whether to
   * go on. The next page of the segment waits for it, so that there are never more items in memory than pages.
   */
  readonly onPage: (items: readonly Record<string, unknown>[], scanned: number) => Promise<boolean>;
}

/**
 * Reads the whole table once, in segments at the same time, not faster than asked for: a page is paid before the
 * next one. Reads are eventually consistent, which costs half; a decision is never made on them.
 *
 * @throws UserError with a sentence for the user
 */
export async function walkTable(walk: TableWalk): Promise<void> {
  let goesOn = true;
  const share = walk.readUnits / segments;
  async function walkSegment(segment: number): Promise<void> {
    let start: ScanCommandInput["ExclusiveStartKey"];
    let limit = Math.min(firstPage, Math.max(1, Math.floor(share * 2)));
    do {
      const begin = walk.now();
      const command = scanCommand(walk, segment, limit, start);
      const page = await calling(walk.client, "dynamodb:Scan", () => walk.client.send(command));
      const { Items = [], ScannedCount = 0, ConsumedCapacity: { CapacityUnits: units = 0.5 } = {} } = page;
      if (!(await walk.onPage(Items, ScannedCount))) goesOn = false;
      start = page.LastEvaluatedKey;
      // A second's worth of items, as far as this page tells.
      if (ScannedCount > 0) limit = clamp(Math.floor((share * ScannedCount) / units), 1, largestPage);
      const paidAt = begin + (units / share) * 1_000;
      if (start !== undefined && goesOn) await walk.sleep(Math.max(0, paidAt - walk.now()));
    } while (start !== undefined && goesOn);
  }
  await Promise.all(Array.from({ length: segments }, (_, segment) => walkSegment(segment)));
}

/** DynamoDB charges for the items that do not pass the filter as well. */
function scanCommand(
  { tableName, question: { attributes, filter, values } }: TableWalk,
  segment: number,
  limit: number,
  start: ScanCommandInput["ExclusiveStartKey"],
): ScanCommand {
  return new ScanCommand({
    TableName: tableName,
    Segment: segment,
    TotalSegments: segments,
    Limit: limit,
    ExclusiveStartKey: start,
    ReturnConsumedCapacity: "TOTAL",
    ProjectionExpression: attributes.map((name) => `#${name}`).join(", "),
    ExpressionAttributeNames: Object.fromEntries(attributes.map((name) => [`#${name}`, name])),
    ...(filter !== undefined && { FilterExpression: filter }),
    ...(values !== undefined && { ExpressionAttributeValues: values() }),
  });
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
