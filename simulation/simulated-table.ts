/** The table of a simulated world: the model of DynamoDB, reached through calls that meet the world's faults. */

import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { GetCommand, PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import type { Item } from "../local/dynamodb/expressions.ts";
import { type ItemWrite, tableModel } from "../local/dynamodb/table-model.ts";
import { named } from "./named-error.ts";
import type { VirtualWorld, Worker } from "./virtual-world.ts";

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

/** The table, and the client that each worker sees it through. */
export interface SimulatedTable {
  readonly items: ReadonlyMap<string, Item>;
  /** Every write that took effect, in order. */
  readonly writes: readonly TableWrite[];
  /** Items that DynamoDB's TTL has deleted, as they were. */
  readonly deleted: ReadonlyMap<string, Item>;
  clientFor(worker: Worker): DynamoDBDocumentClient;
  /** An application's own conditional write: makes or changes an item, or leaves it where it gets undefined. */
  writeDirectly(id: string, change: (item: Item | undefined) => Item | undefined): void;
  /** What TTL does to an item some time after its `expires_at`. */
  deleteExpired(id: string): void;
}

/** What a broken table does; see `breaks.ts`. */
export interface TableBreaks {
  readonly ignoresConditions?: boolean;
  /** Every read is eventually consistent, whatever it asks for. */
  readonly ignoresConsistency?: boolean;
}

/** Makes an empty table. */
export function simulatedTable(world: VirtualWorld, breaks: TableBreaks = {}): SimulatedTable {
  const writes: TableWrite[] = [];
  const deleted = new Map<string, Item>();
  /** Whose write is on its way: the model does it at once. */
  let writer: Worker | undefined;
  const table = tableModel({
    key: "application_message_id",
    now: () => world.now,
    readsOld: () => world.strikes("stale-read", 40),
    leavesUnprocessed: () => world.strikes("throttle", 1),
    onWrite: (write) => {
      const by = writer === undefined ? {} : { worker: writer.name };
      writes.push({ ...write, ...by, at: world.now, order: world.newId() });
    },
  });

  const execute = (command: unknown, worker: Worker): unknown => {
    writer = worker;
    try {
      return table.execute(broken(command, breaks));
    } finally {
      writer = undefined;
    }
  };

  return {
    items: table.items,
    writes,
    deleted,
    clientFor(worker) {
      const send = (command: { readonly constructor: { readonly name: string }; readonly input: Item }) => {
        const key = (command.input.Key ?? command.input.Item) as Item | undefined;
        const subject = key === undefined ? {} : { subject: String(key.application_message_id) };
        return world.call(
          worker,
          {
            service: "table",
            label: `DynamoDB ${command.constructor.name} ${subject.subject ?? ""}`,
            ...subject,
            errors: {
              throttled: () => named("ProvisionedThroughputExceededException"),
              failed: () => named("InternalServerError"),
              timedOut: () => named("TimeoutError"),
            },
            patienceSeconds,
            isRepeated: true,
          },
          () => execute(command, worker),
        );
      };
      return { send } as unknown as DynamoDBDocumentClient;
    },
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
  };
}

/** A command as a broken table understands it. */
function broken(command: unknown, { ignoresConditions, ignoresConsistency }: TableBreaks): unknown {
  if (ignoresConsistency === true && command instanceof GetCommand) {
    return new GetCommand({ ...command.input, ConsistentRead: false });
  }
  if (ignoresConditions !== true) return command;
  // Always true, and every name and value still stands in it.
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
