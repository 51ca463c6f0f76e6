/** A message store without a table: obeys the clauses of a change as DynamoDB would. */
import type { Attempt, Message } from "../../functions/core/message/message.ts";
import { readMessageItem } from "../../functions/core/message/message-item.ts";
import type {
  AttemptChange,
  Change,
  ChangeResult,
  Clause,
  MessageStore,
} from "../../functions/core/message/message-store.ts";
import { refuseUndefinedFields } from "./absent-fields.ts";

/** The store, and its items to look at and to write past the protocol, as an application may. */
export interface InMemoryMessageStore extends MessageStore {
  readonly items: Map<string, Record<string, unknown>>;
}

/** Makes a store that holds these items. */
export function inMemoryMessageStore(...items: Message[]): InMemoryMessageStore {
  const stored = new Map<string, Record<string, unknown>>(
    items.map((item) => [item.application_message_id, { ...structuredClone(item) }]),
  );
  const get = (id: string): Message | undefined => {
    const item = stored.get(id);
    return item === undefined ? undefined : readMessageItem(structuredClone(item));
  };
  return {
    items: stored,
    async readMany(ids) {
      const found = new Map<string, Message>();
      for (const id of ids) {
        try {
          const message = get(id);
          if (message !== undefined) found.set(id, message);
        } catch {
          // An unreadable item is missing here; `read` tells why.
        }
      }
      return found;
    },
    async read(id) {
      return get(id);
    },
    async create(message) {
      refuseUndefinedFields(message);
      if (stored.has(message.application_message_id)) return false;
      stored.set(message.application_message_id, { ...structuredClone(message) });
      return true;
    },
    async change(id, change): Promise<ChangeResult> {
      refuseUndefinedFields(change);
      const item = stored.get(id);
      if (!Object.values(change.require).every((clause) => holds(clause, item ?? {}))) {
        return { applied: false, current: get(id) };
      }
      // Like UpdateItem, a change without a clause on the key would make an item out of nothing.
      const changed = apply(change, structuredClone(item ?? { application_message_id: id }));
      stored.set(id, changed);
      return { applied: true, message: readMessageItem(structuredClone(changed)) };
    },
  };
}

function holds(clause: Clause, item: Record<string, unknown>): boolean {
  // Null counts as absent.
  const value =
    clause.path
      .split(".")
      .reduce<unknown>((holder, key) => (holder as Record<string, unknown> | undefined)?.[key], item) ??
    undefined;
  switch (clause.is) {
    case "present":
      return value !== undefined;
    case "absent":
      return value === undefined;
    case "equal":
      return value === clause.value;
    case "other-than":
      return value !== clause.value;
    case "at-most":
      return value === undefined ? clause.orAbsent === true : Number(value) <= clause.value;
    case "more-than":
      return value === undefined ? clause.orAbsent === true : Number(value) > clause.value;
  }
}

function apply(
  { set, remove, attempts: changes }: Change,
  item: Record<string, unknown>,
): Record<string, unknown> {
  Object.assign(item, set);
  for (const attribute of remove ?? []) delete item[attribute];
  for (const change of changes ?? []) applyToAttempt(change, item);
  return item;
}

function applyToAttempt(change: AttemptChange, item: Record<string, unknown>): void {
  if (change.how === "map") {
    item.attempts = structuredClone(change.records);
    return;
  }
  const attempts = item.attempts as Record<string, Attempt> | undefined;
  // DynamoDB refuses a document path whose map is missing; a change must have a clause against that.
  if (attempts === undefined) throw new Error("The document path is invalid for update: no attempts.");
  if (change.how === "record") attempts[change.number] = change.set;
  if (change.how === "remove") delete attempts[change.number];
  if (change.how === "fields") {
    const record = attempts[change.number];
    if (record === undefined) throw new Error("The document path is invalid for update: no record.");
    const gone = new Set<string>(change.remove ?? []);
    const kept = Object.entries(record).filter(([field]) => !gone.has(field));
    attempts[change.number] = { ...Object.fromEntries(kept), ...change.set };
  }
}
