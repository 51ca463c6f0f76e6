/** Reads the gates of a deployment, pauses and resumes them. */
import { ConditionalCheckFailedException, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { DynamoDBDocumentClient, paginateScan, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import * as v from "valibot";
import {
  allGatesKey,
  gateItemSchema,
  pauseOf,
  readGateItem,
  type StoredAttributes,
} from "../../functions/adapters/dynamodb/dynamodb-gate-store.ts";
import { type TableClock, tableClockOf } from "../../functions/adapters/dynamodb/table-clock.ts";
import { systemClock } from "../../functions/adapters/system-clock.ts";
import { UnreadableGateError } from "../../functions/core/errors.ts";
import { screenPatience } from "../aws-call.ts";
import { localAccess } from "../local-run.ts";
import { print } from "../options.ts";
import { callingTable } from "../table-call.ts";
import { UserError } from "../user-error.ts";
import { type GatesAnswer, gateReports, gatesText, pauseText, type UnreadableItem } from "./gate-report.ts";

const patience = { maxAttempts: 3, requestHandler: screenPatience };

/** Which gates: those of a table, or one of them. */
export interface GateSelection {
  readonly table: string;
  readonly identity?: string;
  readonly json?: boolean;
  /** The gates of a local run: its process id, or the only one. */
  readonly local?: number | true;
}

/** A pause to come. */
export interface PauseRequest extends GateSelection {
  /** How long; `undefined` = until resume. */
  readonly seconds: number | undefined;
  readonly reason?: string;
}

/** Prints the state of all gates of a table. */
export async function showGates(selection: GateSelection): Promise<void> {
  print(await readGates(tableOf(selection)), selection.json, gatesText);
}

/** Pauses and prints the gates as they are then, and the pause that this one replaces. */
export async function pause(request: PauseRequest): Promise<void> {
  const by = request.local !== undefined ? "this machine" : await callerName();
  const attributes = (now: number): Record<string, string | number> => ({
    paused_since: now,
    paused_by: by,
    ...(request.seconds !== undefined && { paused_until: now + request.seconds }),
    ...(request.reason !== undefined && { pause_reason: request.reason }),
  });
  const table = tableOf(request);
  const { before } = await changePause(table, request, attributes(Math.floor(systemClock.now())));
  // The pause ends by the table's time, which its answer has told: this machine's clock may be wrong. Both are read at
  // the same moment, since the call may have taken long.
  const { earliest, latest } = table.clock.now();
  const ownTime = systemClock.now();
  if (ownTime < earliest - farOffSeconds || ownTime > latest + farOffSeconds) {
    await changePause(table, request, attributes(Math.floor(latest)));
  }
  const sentences = [
    ...pauseSentence("It replaces", before, latest),
    ...(before === undefined && request.identity !== undefined
      ? [`Nothing has left by ${request.identity} yet: see whether it is spelt as messages name it.`]
      : []),
  ];
  await showAfter("The sends are paused", table, request, sentences);
}

/** Ends a pause and prints which that was, and the gates as they are then. */
export async function resume(selection: GateSelection): Promise<void> {
  const table = tableOf(selection);
  const { before } = await changePause(table, selection, {});
  const ended = pauseSentence("It ends", before, table.clock.now().latest);
  await showAfter(
    "The pause is over",
    table,
    selection,
    ended.length > 0 ? ended : ["There was no such pause to end."],
  );
}

const pauseAttributes = ["paused_since", "paused_until", "paused_by", "pause_reason"] as const;

/** A machine's clock is wrong that is further off, in seconds: the table tells its time to a second. */
const farOffSeconds = 1;

/** What is done is done, whether the gates can be shown or not: an operator must not take it for a failure. */
async function showAfter(
  done: string,
  table: GateTable,
  { json }: GateSelection,
  sentences: readonly string[],
): Promise<void> {
  try {
    const gates = await readGates(table);
    print({ ...gates, notes: sentences }, json, (shown) => gatesText(shown) + lines(sentences));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    process.stderr.write(`${done}, but the gates cannot be shown: ${error.message}\n`);
    print({ gates: null, unreadable: null, notes: sentences }, json, () => lines(sentences));
  }
}

function lines(sentences: readonly string[]): string {
  return sentences.map((sentence) => `${sentence}\n`).join("");
}

/** Says which pause there was; nothing where there was none, or it was over. */
function pauseSentence(verb: string, before: object | undefined, now: number): string[] {
  if (before === undefined) return [];
  const parsed = v.safeParse(gateItemSchema, before);
  const pause = parsed.success ? pauseOf(parsed.output) : undefined;
  const isOver = pause === undefined || (pause.until ?? Number.POSITIVE_INFINITY) <= now;
  return isOver ? [] : [`${verb} the pause ${pauseText(pause)}.`];
}

/**
 * Sets these attributes of a pause and removes its others; the new version makes every worker read the item again.
 *
 * @returns the item as it was before; `undefined` where there was none
 */
function changePause(
  { client, tableName }: GateTable,
  { identity = allGatesKey }: GateSelection,
  set: Readonly<Record<string, string | number>>,
): Promise<{ readonly before: object | undefined }> {
  const removed = pauseAttributes.filter((name) => !Object.hasOwn(set, name));
  const given = Object.entries(set);
  const assignments = given.map(([name]) => `${name} = :${name}`).join(", ");
  return callingTable(client, tableName, "dynamodb:UpdateItem", async () => {
    try {
      const { Attributes: before } = await client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: { gate: identity },
          UpdateExpression: [
            ...(given.length === 0 ? [] : [`SET ${assignments}`]),
            ...(removed.length === 0 ? [] : [`REMOVE ${removed.join(", ")}`]),
            "ADD version :one",
          ].join(" "),
          // The end of a pause makes no gate of a name that is spelt wrong.
          ...(given.length === 0 && { ConditionExpression: "attribute_exists(gate)" }),
          ExpressionAttributeValues: {
            ":one": 1,
            ...Object.fromEntries(given.map(([name, value]) => [`:${name}`, value])),
          },
          ReturnValues: "ALL_OLD",
        }),
      );
      return { before };
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return { before: undefined };
      throw error;
    }
  });
}

/** Every gate that can be read, and the items that cannot: one of those hides no other. */
function readGates({ client, tableName, clock }: GateTable): Promise<GatesAnswer> {
  return callingTable(client, tableName, "dynamodb:Scan", async () => {
    const items: StoredAttributes[] = [];
    const unreadable: UnreadableItem[] = [];
    const pages = paginateScan({ client }, { TableName: tableName, ConsistentRead: true });
    for await (const { Items = [] } of pages) {
      for (const item of Items) {
        try {
          items.push(readGateItem(item));
        } catch (error) {
          if (!(error instanceof UnreadableGateError)) throw error;
          unreadable.push({ gate: String(item.gate), attributes: error.attributes });
        }
      }
    }
    return { gates: gateReports(items, clock.now().latest), unreadable };
  });
}

/**
 * The caller as a person knows it: the last part of the ARN, e.g. `alice` or `Admin/alice`. Where STS does not tell it
 * soon, `unknown`: a pause does not wait for a name.
 */
async function callerName(): Promise<string> {
  const client = new STSClient({ ...patience, maxAttempts: 1 });
  try {
    const { Arn = "" } = await client.send(new GetCallerIdentityCommand({}));
    return (
      Arn.split(":")
        .at(-1)
        ?.replace(/^(user|assumed-role|federated-user)\//, "") || unknownCaller
    );
  } catch {
    return unknownCaller;
  }
}

const unknownCaller = "unknown";

/** A table of gates, and its time. */
interface GateTable {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  readonly clock: TableClock;
}

function tableOf({ table, local }: GateSelection): GateTable {
  const client = DynamoDBDocumentClient.from(
    new DynamoDBClient({ ...patience, ...(local !== undefined && localAccess(local)) }),
  );
  return { client, tableName: table, clock: tableClockOf(client, systemClock) };
}
