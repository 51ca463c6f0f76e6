/** Reads the gates of a deployment, pauses and resumes them. */
import { DynamoDBClient, ResourceNotFoundException } from "@aws-sdk/client-dynamodb";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { DynamoDBDocumentClient, paginateScan, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import * as v from "valibot";
import { allGatesKey, gateItemSchema } from "../../functions/adapters/dynamodb/dynamodb-gate-store.ts";
import { calling, screenPatience } from "../aws-call.ts";
import { localAccess } from "../local-run.ts";
import { print } from "../options.ts";
import { UserError } from "../user-error.ts";
import { type GateReport, gateReports, gatesText } from "./gate-report.ts";

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
export async function showGates({ table, json, local }: GateSelection): Promise<void> {
  print({ gates: await readGates(tableClient(local), table) }, json, ({ gates }) => gatesText(gates));
}

/** Pauses and prints the gates as they are then. */
export async function pause(request: PauseRequest): Promise<void> {
  const client = tableClient(request.local);
  const by = request.local !== undefined ? "this machine" : await callerName();
  const now = Math.floor(Date.now() / 1000);
  const set: Record<string, string | number> = {
    paused_since: now,
    paused_by: by,
    ...(request.seconds !== undefined && { paused_until: now + request.seconds }),
    ...(request.reason !== undefined && { pause_reason: request.reason }),
  };
  await changePause(client, request, set);
  await showGates(request);
}

/** Ends a pause and prints the gates as they are then. */
export async function resume(selection: GateSelection): Promise<void> {
  await changePause(tableClient(selection.local), selection, {});
  await showGates(selection);
}

const pauseAttributes = ["paused_since", "paused_until", "paused_by", "pause_reason"] as const;

/** Sets these attributes of a pause and removes its others; the new version makes every worker read the item again. */
function changePause(
  client: DynamoDBDocumentClient,
  { table, identity = allGatesKey }: GateSelection,
  set: Readonly<Record<string, string | number>>,
): Promise<void> {
  const removed = pauseAttributes.filter((name) => !Object.hasOwn(set, name));
  const given = Object.entries(set);
  const assignments = given.map(([name]) => `${name} = :${name}`).join(", ");
  return ofTable(client, table, "dynamodb:UpdateItem", async () => {
    await client.send(
      new UpdateCommand({
        TableName: table,
        Key: { gate: identity },
        UpdateExpression: [
          ...(given.length === 0 ? [] : [`SET ${assignments}`]),
          ...(removed.length === 0 ? [] : [`REMOVE ${removed.join(", ")}`]),
          "ADD version :one",
        ].join(" "),
        ExpressionAttributeValues: {
          ":one": 1,
          ...Object.fromEntries(given.map(([name, value]) => [`:${name}`, value])),
        },
      }),
    );
  });
}

function readGates(client: DynamoDBDocumentClient, table: string): Promise<GateReport[]> {
  return ofTable(client, table, "dynamodb:Scan", async () => {
    const items: v.InferOutput<typeof gateItemSchema>[] = [];
    for await (const { Items = [] } of paginateScan({ client }, { TableName: table, ConsistentRead: true })) {
      items.push(...Items.map((item) => v.parse(gateItemSchema, item)));
    }
    return gateReports(items, Date.now() / 1000);
  });
}

async function ofTable<Result>(
  client: DynamoDBDocumentClient,
  table: string,
  action: string,
  call: () => Promise<Result>,
): Promise<Result> {
  return calling(client, action, async () => {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof ResourceNotFoundException)) throw error;
      throw new UserError(
        `There is no table ${table} in the region ${await client.config.region()}; give --table and check AWS_REGION.`,
        { cause: error },
      );
    }
  });
}

/** The caller as a person knows it: the last part of the ARN, e.g. `alice` or `Admin/alice`. */
async function callerName(): Promise<string> {
  const client = new STSClient(patience);
  return calling(client, "sts:GetCallerIdentity", async () => {
    const { Arn = "" } = await client.send(new GetCallerIdentityCommand({}));
    return (
      Arn.split(":")
        .at(-1)
        ?.replace(/^(user|assumed-role|federated-user)\//, "") || "unknown"
    );
  });
}

function tableClient(local: number | true | undefined): DynamoDBDocumentClient {
  return DynamoDBDocumentClient.from(
    new DynamoDBClient({ ...patience, ...(local !== undefined && localAccess(local)) }),
  );
}
