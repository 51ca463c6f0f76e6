/**
 * The port to the `message-state` table, and the language in which the core tells it what to write.
 *
 * Every write is one {@link Change}: named clauses that must hold, and what to set if they do. The core says
 * both; a store only translates. So the protocol can be read in `message-changes.ts` and
 * `attempt-changes.ts` without knowing DynamoDB.
 */
import type { Attempt, Message } from "./message.ts";

/** Attributes of an item that changes may set: all but the key and the map of attempts. */
export type SettableAttributes = Omit<Message, "application_message_id" | "attempts" | "timesAsWritten">;

/** What a clause can look at: an attribute, the record of one attempt, or the outcome or the claim in it. */
export type ClausePath =
  | keyof SettableAttributes
  | "application_message_id"
  | "attempts"
  | `attempts.${number}`
  | `attempts.${number}.outcome`
  | `attempts.${number}.claim_id`;

/**
 * A condition on one attribute. `at-most` and `more-than` compare numbers; `other-than` holds where it is absent. An
 * attribute that is `null` is absent, as it is for whoever reads the item.
 */
export type Clause =
  | { readonly path: ClausePath; readonly is: "present" | "absent" }
  | { readonly path: ClausePath; readonly is: "equal" | "other-than"; readonly value: string | number }
  | {
      readonly path: ClausePath;
      readonly is: "at-most" | "more-than";
      readonly value: number;
      /** Whether the clause also holds where the attribute is absent. */
      readonly orAbsent?: boolean;
    };

/**
 * How a change touches the record of one attempt. `fields`: set, or remove, fields of a record that exists.
 * `record`: put or replace the record in a map that exists. `remove`: take the record away. `map`: make the map
 * with these records alone, on an item that the application wrote.
 */
export type AttemptChange =
  | {
      readonly how: "fields";
      readonly number: number;
      readonly set: Attempt;
      readonly remove?: readonly (keyof Attempt)[];
    }
  | { readonly how: "record"; readonly number: number; readonly set: Attempt }
  | { readonly how: "remove"; readonly number: number }
  | { readonly how: "map"; readonly records: Readonly<Record<string, Attempt>> };

/** One conditional write. */
export interface Change {
  /** Conditions by name; the write happens only where all hold. Each implies that the item exists. */
  readonly require: Readonly<Record<string, Clause>>;
  readonly set: SettableAttributes;
  readonly remove?: readonly (keyof SettableAttributes)[];
  /** Changes of records of different attempts. */
  readonly attempts?: readonly AttemptChange[];
}

/** What became of a change: the item after it, or, where a clause did not hold, the item as it is. */
export type ChangeResult =
  | { readonly applied: true; readonly message: Message }
  | { readonly applied: false; readonly current: Message | undefined };

/** The table of messages. Every method may reject when the table is throttled or out of reach. */
export interface MessageStore {
  /**
   * Items by id, read eventually consistent and therefore possibly old; `undefined` where the table says that there is
   * none.
   *
   * Never throws because of an item: an id whose item cannot be read, or that a throttled table left out, is missing
   * here, and {@link read} tells why.
   */
  readMany(ids: readonly string[]): Promise<Map<string, Message | undefined>>;
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
