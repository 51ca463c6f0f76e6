/**
 * The tables of a simulated world, of messages and of gates: models of DynamoDB, reached through calls that meet the
 * world's faults. Every answer tells the true time of the world, as the header `Date` does: to a second.
 */
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { BatchGetCommand, GetCommand, PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { allGatesKey } from "../functions/adapters/dynamodb/dynamodb-gate-store.ts";
import type { Item } from "../local/dynamodb/expressions.ts";
import { type ItemWrite, type TableModel, tableModel } from "../local/dynamodb/table-model.ts";
import { named } from "./named-error.ts";
import type { Call, CurrentWorker, VirtualWorld, Worker } from "./virtual-world.ts";

/** Names of the tables. */
export const tableNames = { messages: "message-state", gates: "send-gates" } as const;

/** How long the client tries, six times by three seconds at worst. */
const patienceSeconds = 18;

/** A write that took effect. */
export interface TableWrite extends ItemWrite {
  readonly at: number;
  /** Where it stands among all that happened to the table and the SMS service. */
  readonly order: number;
  /** The worker that made it; undefined for the application. */
  readonly worker?: string;
}

/** The tables, and the client that each worker sees them through. */
export interface SimulatedTable {
  /** The messages. */
  readonly items: ReadonlyMap<string, Item>;
  /** Every write of a message that took effect, in order. */
  readonly writes: readonly TableWrite[];
  /** Items that DynamoDB's TTL has deleted, as they were. */
  readonly deleted: ReadonlyMap<string, Item>;
  /** How often workers wrote gates. */
  readonly gateWrites: () => number;
  clientFor(current: CurrentWorker): DynamoDBDocumentClient;
  /** An application's own conditional write: makes or changes an item, or leaves it where it gets undefined. */
  writeDirectly(id: string, change: (item: Item | undefined) => Item | undefined): void;
  /** What TTL does to an item some time after its `expires_at`. */
  deleteExpired(id: string): void;
  /** What `sms-retry pause` and `sms-retry resume` write. */
  pauseAllGates(isPaused: boolean): void;
}

/** What broken tables do; see `breaks.ts`. */
export interface TableBreaks {
  /** Of messages. */
  readonly ignoresConditions?: boolean;
  /** Every read of messages is eventually consistent, whatever it asks for. */
  readonly ignoresConsistency?: boolean;
  /** Writes of gates ask for no version. */
  readonly ignoresGateConditions?: boolean;
  /** Nobody sees the pause of all gates. */
  readonly hidesPause?: boolean;
  /** No answer tells the time. */
  readonly tellsNoTime?: boolean;
}

/** A command of the document client. */
interface Command {
  readonly constructor: { readonly name: string };
  readonly input: Item;
}

/** What the client's middleware sees of an answer. */
interface Answer {
  readonly output: unknown;
  readonly response: { readonly headers: Readonly<Record<string, string>> };
}

type Handler = (given: { readonly command: Command }) => Promise<Answer>;

/** Makes empty tables. */
export function simulatedTable(world: VirtualWorld, breaks: TableBreaks = {}): SimulatedTable {
  const writes: TableWrite[] = [];
  const deleted = new Map<string, Item>();
  let gateWrites = 0;
  /** Whose write is on its way: the model does it at once. */
  let writer: Worker | undefined;
  const faults = {
    now: () => world.now,
    readsOld: () => world.strikes("stale-read", 40),
    leavesUnprocessed: () => world.strikes("throttle", 1),
  };
  const table = tableModel({
    key: "application_message_id",
    ...faults,
    onWrite: (write) => {
      const by = writer === undefined ? {} : { worker: writer.name };
      writes.push({ ...write, ...by, at: world.now, order: world.newId() });
    },
  });
  const gates = tableModel({ key: "gate", ...faults, onWrite: () => (gateWrites += 1) });

  const execute = (command: Command, model: TableModel, worker: Worker): Answer => {
    writer = worker;
    try {
      const given = model === gates ? brokenAtGates(command, breaks) : broken(command, breaks);
      const headers = breaks.tellsNoTime === true ? {} : { date: dateOf(world.now) };
      return { output: model.execute(given), response: { headers } };
    } finally {
      writer = undefined;
    }
  };

  return {
    items: table.items,
    writes,
    deleted,
    gateWrites: () => gateWrites,
    clientFor: (current) =>
      clientOver(async ({ command }) => {
        const worker = current();
        const model = tableOf(command) === tableNames.gates ? gates : table;
        return world.call(worker, callOf(command, model === gates), () => execute(command, model, worker));
      }),
    writeDirectly(id, change) {
      const changed = change(structuredClone(table.items.get(id)));
      if (changed !== undefined) table.put(changed);
    },
    deleteExpired(id) {
      const item = table.remove(id);
      if (item === undefined) return;
      world.note(`table: TTL deletes ${id}`);
      deleted.set(id, item);
    },
    pauseAllGates(isPaused) {
      world.note(`operator: ${isPaused ? "pauses" : "resumes"} all gates`);
      writePause(gates, isPaused ? { paused_since: Math.floor(world.now), paused_by: "operator" } : {});
    },
  };
}

/** Writes the item of all gates as a command would; `pause` is what that has of a pause then. */
function writePause(gates: TableModel, pause: Item): void {
  const { version = 0 } = gates.items.get(allGatesKey) ?? {};
  gates.put({ gate: allGatesKey, version: Number(version) + 1, ...pause });
}

/** A document client, with the middleware that adapters add to it, over what answers its commands. */
function clientOver(answer: Handler): DynamoDBDocumentClient {
  let handle = answer;
  return {
    send: async (command: Command) => (await handle({ command })).output,
    middlewareStack: {
      add(middleware: (next: Handler) => Handler) {
        handle = middleware(handle);
      },
    },
  } as unknown as DynamoDBDocumentClient;
}

function tableOf({ input }: Command): string {
  return String(input.TableName ?? Object.keys((input.RequestItems ?? {}) as object)[0]);
}

function callOf(command: Command, isOfGates: boolean): Call {
  const { input } = command;
  const key = (input.Key ?? input.Item) as Item | undefined;
  const id = key?.application_message_id ?? key?.gate;
  return {
    service: isOfGates ? "gates" : "table",
    label: `DynamoDB ${command.constructor.name} ${isOfGates ? "gate " : ""}${id ?? ""}`,
    ...(key?.application_message_id !== undefined && { subject: String(id) }),
    errors: {
      throttled: () => named("ProvisionedThroughputExceededException"),
      failed: () => named("InternalServerError"),
      timedOut: () => named("TimeoutError"),
    },
    patienceSeconds,
    isRepeated: true,
    // A new worker reads its gate some twenty times until it knows the time.
    isOneOfMany: isOfGates && key === undefined,
  };
}

/** A command as a broken table of gates understands it. */
function brokenAtGates(command: unknown, { ignoresGateConditions, hidesPause }: TableBreaks): unknown {
  if (ignoresGateConditions === true && command instanceof UpdateCommand) return withoutCondition(command);
  if (hidesPause !== true || !(command instanceof BatchGetCommand)) return command;
  const { RequestItems } = command.input;
  const Keys = RequestItems?.[tableNames.gates]?.Keys?.filter(({ gate }) => gate !== allGatesKey);
  return new BatchGetCommand({ RequestItems: { [tableNames.gates]: { Keys } } });
}

/** A command as a broken table of messages understands it. */
function broken(command: unknown, { ignoresConditions, ignoresConsistency }: TableBreaks): unknown {
  if (ignoresConsistency === true && command instanceof GetCommand) {
    return new GetCommand({ ...command.input, ConsistentRead: false });
  }
  return ignoresConditions === true ? withoutCondition(command) : command;
}

/** A write whose condition always holds, though every name and value still stands in it; else the command itself. */
function withoutCondition(command: unknown): unknown {
  const always = (condition = "") => `(${condition}) OR NOT (${condition})`;
  if (command instanceof PutCommand) {
    const { ConditionExpression: condition } = command.input;
    return new PutCommand({ ...command.input, ConditionExpression: always(condition) });
  }
  if (command instanceof UpdateCommand) {
    const { ConditionExpression: condition } = command.input;
    return new UpdateCommand({ ...command.input, ConditionExpression: always(condition) });
  }
  return command;
}

/** The header `Date` of an answer at this time, in the form of RFC 9110. */
function dateOf(now: number): string {
  return new Date(Math.floor(now) * 1_000).toUTCString();
}
