/** The table that holds the state of every message. */
import { Construct, DynamodbTable, Token } from "../cdktf.ts";
import { expression } from "../inputs/input.ts";
import { hasKmsKey, type SharedInputs } from "../inputs/inputs.ts";
import type { Access } from "./access.ts";
import type { Place } from "./sms-retry-stack.ts";

/**
 * Table `<prefix>-message-state`: key `application_message_id`, items leave at `expires_at`, point-in-time
 * recovery for `point_in_time_recovery_days`, paid per request unless `table_capacity` says otherwise. A destroy is refused by default.
 */
export class MessageTable extends Construct {
  readonly tableName: string;
  readonly arn: string;

  constructor(scope: Construct, { inputs, place }: { readonly inputs: SharedInputs; readonly place: Place }) {
    super(scope, "message-table");
    const { tableCapacity, kmsKeyArn, pointInTimeRecoveryDays } = inputs;
    const table = new DynamodbTable(this, "aws_dynamodb_table.message_state", {
      name: `${inputs.namePrefix.text}-message-state`,
      hashKey: "application_message_id",
      attribute: [{ name: "application_message_id", type: "S" }],
      ttl: { attributeName: "expires_at", enabled: true },
      billingMode: tableCapacity.ifNull('"PAY_PER_REQUEST"', '"PROVISIONED"'),
      readCapacity: Token.asNumber(tableCapacity.ifNull("null", `${tableCapacity.hcl}.read_units`)),
      writeCapacity: Token.asNumber(tableCapacity.ifNull("null", `${tableCapacity.hcl}.write_units`)),
      pointInTimeRecovery: {
        enabled: expression(`${pointInTimeRecoveryDays.hcl} > 0`),
        // DynamoDB takes no period where there is no recovery.
        recoveryPeriodInDays: Token.asNumber(
          `\${${pointInTimeRecoveryDays.hcl} > 0 ? ${pointInTimeRecoveryDays.hcl} : null}`,
        ),
      },
      // DynamoDB always encrypts; "enabled" here only means "with a key that is not DynamoDB's own".
      serverSideEncryption: {
        enabled: expression(hasKmsKey),
        kmsKeyArn: kmsKeyArn.text,
      },
      deletionProtectionEnabled: inputs.deletionProtection.flag,
    });
    this.tableName = table.name;
    this.arn = place.arn("dynamodb", `table/${table.name}`);
  }

  /** The right to do some actions, e.g. `GetItem`, on items. */
  access(...actions: readonly string[]): Access<"MESSAGE_TABLE_NAME"> {
    return {
      statements: [
        {
          Sid: "MessageState",
          Action: actions.map((action) => `dynamodb:${action}`),
          Resource: this.arn,
        },
      ],
      environment: { MESSAGE_TABLE_NAME: this.tableName },
    };
  }
}
