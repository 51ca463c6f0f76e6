/**
 * The AWS of the benchmark: one HTTP server for DynamoDB, SQS, S3, Scheduler and both SMS APIs, in a process of its own, which answers
 * each call after the same time and counts what it took. DynamoDB is the model that the simulation runs on, so that
 * conditions hold or do not hold as they would, and capacity is counted by its rules.
 *
 * Started by its path, as a child: its parent gets {@link StubReady}, sends {@link StubRequest}s and gets a
 * {@link StubAnswer} for each.
 */
import { createHash, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { BatchGetCommand, GetCommand, PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";
import { type TableModel, tableModel } from "../local/dynamodb/table-model.ts";
import { type RestRequest, type RestResponse, ServiceError, serveRestJson } from "../local/rest-json.ts";

/** What the parent is told first. */
export interface StubReady {
  readonly endpoint: string;
}

/** What the parent asks for: items to be written past everything, and the counts since the last time. */
export type StubRequest =
  | { readonly type: "items"; readonly table: string; readonly items: readonly Record<string, unknown>[] }
  | { readonly type: "counts" };

/** Counts of one kind of call, e.g. `dynamodb:UpdateItem`. */
export interface CallCounts {
  calls: number;
  /** Of the bodies, without headers. */
  requestBytes: number;
  answerBytes: number;
  readUnits: number;
  writeUnits: number;
}

/** The counts since the last time, by kind of call, and what was put on queues meanwhile. */
export interface StubAnswer {
  readonly counts: Readonly<Record<string, CallCounts>>;
  readonly queued: readonly string[];
  /** Tables by name, their number of items. */
  readonly items: Readonly<Record<string, number>>;
}

/** Partition keys of the tables that are not keyed by `application_message_id`. */
const keys: Readonly<Record<string, string>> = JSON.parse(process.env.BENCHMARK_TABLE_KEYS ?? "{}");
const latencyMs = Number(process.env.BENCHMARK_LATENCY_MS ?? 10);

const tables = new Map<string, TableModel>();
let counts: Record<string, CallCounts> = {};
let queued: string[] = [];

function countsOf(kind: string): CallCounts {
  counts[kind] ??= { calls: 0, requestBytes: 0, answerBytes: 0, readUnits: 0, writeUnits: 0 };
  return counts[kind];
}

function tableOf(name: string): TableModel {
  const known = tables.get(name);
  if (known !== undefined) return known;
  const made = tableModel({
    key: keys[name] ?? "application_message_id",
    now: () => Date.now() / 1000,
    onCall({ operation, readUnits, writeUnits }) {
      const of = countsOf(`dynamodb:${operation}`);
      of.readUnits += readUnits;
      of.writeUnits += writeUnits;
    },
  });
  tables.set(name, made);
  return made;
}

type Json = Record<string, unknown>;
type Marshalled = Parameters<typeof unmarshall>[0];

/** DynamoDB's own notation to values and back, around the model that speaks as the document client does. */
function dynamodb(operation: string, input: Json): object {
  switch (operation) {
    case "GetItem": {
      const { Item } = tableOf(String(input.TableName)).execute(
        new GetCommand({ ...input, Key: unmarshall(input.Key as Marshalled) } as never),
      ) as { Item?: Json };
      return Item === undefined ? {} : { Item: marshall(Item) };
    }
    case "BatchGetItem":
      return batchGet(input.RequestItems as Record<string, Json & { Keys: Marshalled[] }>);
    case "PutItem":
      return written(
        input,
        (values) => new PutCommand({ ...values, Item: unmarshall(input.Item as Marshalled) } as never),
      );
    case "UpdateItem":
      return written(
        input,
        (values) => new UpdateCommand({ ...values, Key: unmarshall(input.Key as Marshalled) } as never),
      );
    case "DescribeTable":
      return { Table: { TableName: input.TableName, TableStatus: "ACTIVE" } };
    default:
      throw new ServiceError(
        400,
        "UnknownOperationException",
        `The benchmark's DynamoDB has no ${operation}.`,
      );
  }
}

function batchGet(requests: Record<string, Json & { Keys: Marshalled[] }>): object {
  const found = Object.entries(requests).map(([table, request]) => {
    const read = { ...request, Keys: request.Keys.map((key) => unmarshall(key)) };
    const { Responses } = tableOf(table).execute(
      new BatchGetCommand({ RequestItems: { [table]: read } }),
    ) as {
      Responses: Record<string, Json[]>;
    };
    return [table, (Responses[table] ?? []).map((item) => marshall(item))] as const;
  });
  return { Responses: Object.fromEntries(found), UnprocessedKeys: {} };
}

function written(input: Json, commandOf: (values: Json) => unknown): object {
  const values = input.ExpressionAttributeValues as Marshalled | undefined;
  const command = commandOf({
    ...input,
    ...(values !== undefined && { ExpressionAttributeValues: unmarshall(values) }),
  });
  const { Attributes } = tableOf(String(input.TableName)).execute(command) as { Attributes?: Json };
  return Attributes === undefined ? {} : { Attributes: marshall(Attributes) };
}

/** SQS's own digest of a body; the SDK refuses an answer without it. */
function taken(body: string): { MessageId: string; MD5OfMessageBody: string } {
  queued.push(body);
  return { MessageId: randomUUID(), MD5OfMessageBody: createHash("md5").update(body).digest("hex") };
}

function sqs(operation: string, input: Json): object {
  if (operation === "SendMessage") return taken(String(input.MessageBody));
  if (operation === "SendMessageBatch") {
    const entries = input.Entries as { Id: string; MessageBody: string }[];
    return { Successful: entries.map(({ Id, MessageBody }) => ({ Id, ...taken(MessageBody) })), Failed: [] };
  }
  return {};
}

/** Pinpoint's answer to `SendMessages`: taken, for every address. */
function pinpoint(requestId: string, applicationId: string, body: Json): object {
  const { Addresses } = (body.MessageRequest ?? body) as { Addresses: Json };
  return {
    ApplicationId: applicationId,
    RequestId: requestId,
    Result: Object.fromEntries(
      Object.keys(Addresses).map((address) => [
        address,
        { DeliveryStatus: "SUCCESSFUL", StatusCode: 200, StatusMessage: "taken", MessageId: randomUUID() },
      ]),
    ),
  };
}

/** The kind of a call, and its answer. */
function answerOf({ method, path, body, target }: RestRequest, requestId: string): [string, () => object] {
  const json = (): Json => (body === "" ? {} : JSON.parse(body));
  if (target !== undefined) {
    const [service = "", operation = ""] = target.split(".");
    if (service.startsWith("DynamoDB")) return [`dynamodb:${operation}`, () => dynamodb(operation, json())];
    if (service === "AmazonSQS") return [`sqs:${operation}`, () => sqs(operation, json())];
    if (operation === "SendTextMessage") return ["sms:SendTextMessage", () => ({ MessageId: randomUUID() })];
    return [target, () => ({})];
  }
  if (path[0] === "v1" && path[3] === "messages") {
    return ["sms:SendMessages", () => pinpoint(requestId, path[2] ?? "", json())];
  }
  if (path[0] === "schedules") return ["scheduler:CreateSchedule", () => ({ ScheduleArn: "arn" })];
  return [`other:${method}`, () => ({})];
}

async function handle(request: RestRequest, requestId: string): Promise<RestResponse> {
  const [kind, make] = answerOf(request, requestId);
  const of = countsOf(kind);
  of.calls += 1;
  of.requestBytes += Buffer.byteLength(request.body);
  // The model says what it refuses by the exception that the SDK would throw; on the wire it is an error answer.
  const answer = settled(make);
  await sleep(latencyMs);
  if (answer instanceof Error) throw answer;
  of.answerBytes += Buffer.byteLength(JSON.stringify(answer));
  return { status: 200, body: answer };
}

function settled(make: () => object): object | Error {
  try {
    return make();
  } catch (error) {
    if (error instanceof ServiceError || !(error instanceof Error)) return error as ServiceError;
    const { Item } = error as { Item?: object };
    return new ServiceError(400, error.name, error.message, Item === undefined ? {} : { Item });
  }
}

function tell(answer: StubReady | StubAnswer): void {
  process.send?.(answer);
}

// Only as a child: the types above are imported by its parent.
if (process.send !== undefined && import.meta.main) {
  const { endpoint } = await serveRestJson(handle, randomUUID);
  process.on("disconnect", () => process.exit());
  process.on("message", (request: StubRequest) => {
    if (request.type === "items") for (const item of request.items) tableOf(request.table).put(item);
    const items = Object.fromEntries([...tables].map(([name, table]) => [name, table.items.size]));
    tell({ counts, queued, items });
    if (request.type === "counts") [counts, queued] = [{}, []];
  });
  tell({ endpoint });
}
