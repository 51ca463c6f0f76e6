/** The message-state table of a deployment, or of a local run, through the store that the functions use. */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import {
  dynamodbMessageStore,
  unmarshallOptions,
} from "../../functions/adapters/dynamodb/dynamodb-message-store.ts";
import { systemClock, systemRandom } from "../../functions/adapters/system-clock.ts";
import { SmsRetryError } from "../../functions/core/errors.ts";
import type { MessageStore } from "../../functions/core/message/message-store.ts";
import { screenPatience } from "../aws-call.ts";
import { localAccess } from "../local-run.ts";
import { callingTable } from "../table-call.ts";
import { UserError } from "../user-error.ts";

/** Which table. */
export interface TableSelection {
  readonly table: string;
  /** The table of a local run: its process id, or the only one. */
  readonly local?: number | true;
}

/** A table of messages. */
export interface MessageAccess {
  readonly client: DynamoDBDocumentClient;
  /**
   * Does something with the store.
   *
   * @param action as in IAM, for the sentence where it fails
   * @throws UserError with a sentence for the user
   */
  use<Result>(action: string, work: (store: MessageStore) => Promise<Result>): Promise<Result>;
}

/** Access to a table; nothing is called yet. */
export function messageAccess({ table, local }: TableSelection): MessageAccess {
  const client = DynamoDBDocumentClient.from(
    new DynamoDBClient({
      maxAttempts: 5,
      requestHandler: screenPatience,
      ...(local !== undefined && localAccess(local)),
    }),
    { marshallOptions: { removeUndefinedValues: true }, unmarshallOptions: unmarshallOptions() },
  );
  const store = dynamodbMessageStore(client, table, systemClock, systemRandom);
  return {
    client,
    use: (action, work) => callingTable(client, table, action, () => ofUs(work(store))),
  };
}

/** The texts of the core's own errors are for users, too. */
async function ofUs<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof SmsRetryError)) throw error;
    throw new UserError(error.message, { cause: error });
  }
}

/** What a user is told of an id that is in no item. */
export function noSuchMessage(id: string, table: string): UserError {
  return new UserError(
    `There is no message ${id} in ${table}; check the id and --table: an item goes some days after its message has ended.`,
  );
}
