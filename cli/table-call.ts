/** Calls of a DynamoDB table on behalf of the user. */
import { ResourceNotFoundException } from "@aws-sdk/client-dynamodb";
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { calling } from "./aws-call.ts";
import { UserError } from "./user-error.ts";

/**
 * Calls a table.
 *
 * @param action as in IAM
 * @throws UserError with a sentence for the user, also where there is no such table
 */
export function callingTable<Result>(
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
