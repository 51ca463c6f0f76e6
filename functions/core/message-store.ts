/**
 * The port to the `message-state` table, and the language in which the core tells it what to write.
 *
 * Every write is one {@link Change}: named clauses that must hold, and what to set if they do. The core says
 * both; a store only translates. So the protocol can be read in `message-changes.ts` without knowing
 * DynamoDB, and the in-memory store of the tests obeys the same clauses.
 */
import type { Attempt, Message } from "./message.ts";

/** Attributes of an item that changes may set: all but the key and the map of attempts. */
export type SettableAttributes = Omit<Message, "application_message_id" | "attempts" | "timesAsWritten">;

/** What a clause can look at: an attribute, or the record of one attempt. */
export type ClausePath =
  | keyof SettableAttributes
  | "application_message_id"
  | "attempts"
  | `attempts.${number}`;

/**
 * A condition on one attribute. `at-most` and `more-than` compare numbers. An attribute that is `null` is absent, as
 * it is for whoever reads the item.
 */
export type Clause =
  | { readonly path: ClausePath; readonly is: "present" | "absent" }
  | { readonly path: ClausePath; readonly is: "equal"; readonly value: string | number }
  | {
      readonly path: ClausePath;
      readonly is: "at-most" | "more-than";
      readonly value: number;
      /** Whether the clause also holds where the attribute is absent. */
      readonly orAbsent?: boolean;
    };

/** How a change touches the record of one attempt. */
export interface AttemptChange {
  readonly number: number;
  /**
   * `fields`: set these fields of a record that exists. `record`: put or replace the record in a map that
   * exists. `map`: make the map with this record alone, on an item that the application wrote.
   * `remove`: take the record away.
   */
  readonly how: "fields" | "record" | "map" | "remove";
  readonly set: Attempt;
}

/** One conditional write. */
export interface Change {
  /** Conditions by name; the write happens only where all hold. Each implies that the item exists. */
  readonly require: Readonly<Record<string, Clause>>;
  readonly set: SettableAttributes;
  readonly remove?: readonly (keyof SettableAttributes)[];
  readonly attempt?: AttemptChange;
}

/** What became of a change: the item after it, or, where a clause did not hold, the item as it is. */
export type ChangeResult =
  | { readonly applied: true; readonly message: Message }
  | { readonly applied: false; readonly current: Message | undefined };

/** The table of messages. Every method may reject when the table is throttled or out of reach. */
export interface MessageStore {
  /**
   * Items by id, read eventually consistent and therefore possibly old; absent ids are missing.
   *
   * Never throws because of an item: one that cannot be read is missing here, and {@link read} tells why.
   */
  readMany(ids: readonly string[]): Promise<Map<string, Message>>;
  /**
   * One item, read consistently.
   *
   * @throws UnreadableMessageError if the item has attributes of a wrong type
   * @throws UnknownItemStatusError if a newer version wrote the item
   */
  read(id: string): Promise<Message | undefined>;
  /** Writes a new item; false where there is one with its id already. */
  create(message: Message): Promise<boolean>;
  /**
   * Applies a change to an item that exists. The answer of a write can be lost after it took effect, and a
   * repeated write is then refused: a caller recognises its own write by what it wrote.
   *
   * @throws UnreadableMessageError if the item has attributes of a wrong type
   * @throws UnknownItemStatusError if a newer version wrote the item
   */
  change(id: string, change: Change): Promise<ChangeResult>;
}
